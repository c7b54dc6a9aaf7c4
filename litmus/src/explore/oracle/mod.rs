//! Brute force: the executions of a small program by the axioms alone.
//!
//! Breadth first over graphs: every thread's next operation is added to every graph with
//! every reads-from and every coherence place; graphs that a model's axioms, written out
//! as relations and closed by matrix, reject are dropped; equal graphs are merged. It
//! shares nothing with the explorer but the [`Program`] interface, and is there to test
//! it. Programs of up to ten memory events take milliseconds, 64 events are the limit.

mod axioms;
mod relation;

use super::Model;
use super::program::{MemoryOrder, Op, Program, Value, Wait, truncate};
use axioms::Relations;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What brute force found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The keys ([`Execution::key`](super::Execution::key)) of all complete executions.
    pub complete: BTreeSet<String>,
    /// Whether some graph has a data race.
    pub race: bool,
    /// Whether some graph has a failed assertion.
    pub failed: bool,
    /// Whether some threads may wait for ever: each waits for another to end or has read the
    /// latest writes, and none is cut off by an assumption.
    pub deadlock: bool,
    /// The executions that have one of these faults, run until no thread can go on.
    pub faulty: BTreeSet<Faulty>,
}

/// An execution with a fault, see [`Findings::faulty`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Faulty {
    /// Its key ([`Execution::key`](super::Execution::key)).
    pub key: String,
    /// The reads by which a thread waits, as thread and number from 1.
    pub waits: Vec<(usize, usize)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Read,
    Write,
    Fence,
    Join,
    Choice,
}

/// A place in a thread; `None` stands for the initial write.
type Id = Option<(usize, usize)>;

#[derive(Clone)]
struct Event {
    what: What,
    order: MemoryOrder,
    location: usize,
    value: Value,
    rf: Id,
    /// Half of a successful update.
    exclusive: bool,
    /// The thread is not told what it read.
    mute: bool,
    /// The thread reads it in order to wait.
    waits: bool,
    joined: usize,
}

#[derive(Clone, Default)]
struct Graph {
    threads: Vec<Vec<Event>>,
    co: Vec<Vec<(usize, usize)>>,
}

/// All executions of `program` under `model`.
///
/// # Panics
/// When an execution has more than 64 events.
pub fn enumerate<P: Program>(program: &P, model: Model) -> Findings {
    let locations = program.locations();
    let mut findings = Findings::default();
    let empty = Graph {
        threads: vec![Vec::new(); program.threads()],
        co: vec![Vec::new(); locations.len()],
    };
    let mut level = vec![empty];
    let bits: Vec<u8> = locations.iter().map(|l| l.bits).collect();
    let initial: Vec<Value> = locations
        .iter()
        .map(|l| truncate(l.initial, l.bits))
        .collect();
    while !level.is_empty() {
        let mut seen = BTreeSet::new();
        let mut following = Vec::new();
        for graph in level {
            let mut added = Vec::new();
            let ops: Vec<Op> = (0..program.threads())
                .map(|t| program.step(t, &graph.answers(t)).op)
                .collect();
            let ended = |t: usize| matches!(ops[t], Op::End | Op::Return(_));
            findings.failed |= ops.iter().any(|op| matches!(op, Op::Fail(_)));
            for (t, op) in ops.iter().enumerate() {
                if matches!(op, Op::Join(other) if !ended(*other as usize)) {
                    continue;
                }
                graph.with(t, op, &bits, &initial, &mut added);
            }
            if added.is_empty() {
                let failed = ops.iter().any(|op| matches!(op, Op::Fail(_)));
                if (0..ops.len()).all(ended) {
                    findings.complete.insert(graph.key());
                } else if !failed && graph.waits_for_ever(&ops) {
                    findings.deadlock = true;
                    findings.faulty.insert(graph.faulty());
                }
                if failed || Relations::of(&graph).race() {
                    findings.faulty.insert(graph.faulty());
                }
            }
            for next in added {
                let relations = Relations::of(&next);
                if relations.consistent(model) && seen.insert(next.key()) {
                    findings.race |= relations.race();
                    following.push(next);
                }
            }
        }
        level = following;
    }
    findings
}

impl Graph {
    fn answers(&self, thread: usize) -> Vec<Value> {
        self.threads[thread]
            .iter()
            .filter(|e| !(e.what == What::Write && e.exclusive))
            .map(|e| {
                if matches!(e.what, What::Read | What::Choice) && !e.mute {
                    e.value
                } else {
                    0
                }
            })
            .collect()
    }

    /// Whether nothing but other threads could help the threads that have not ended, and
    /// nothing that these will do.
    fn waits_for_ever(&self, ops: &[Op]) -> bool {
        ops.iter().enumerate().all(|(t, op)| match *op {
            Op::Block {
                wait: Wait::Assume, ..
            } => false,
            Op::Block { reads, .. } => {
                let events = self.threads[t].iter().rev();
                let mut last = events.filter(|e| e.what == What::Read).take(reads as usize);
                last.all(|e| self.co[e.location].last().copied() == e.rf)
            }
            _ => true,
        })
    }

    fn faulty(&self) -> Faulty {
        let threads = self.threads.iter().enumerate();
        let waits = threads.flat_map(|(t, events)| {
            let numbered = (1..).zip(events);
            numbered.filter(|(_, e)| e.waits).map(move |(n, _)| (t, n))
        });
        Faulty {
            key: self.key(),
            waits: waits.collect(),
        }
    }

    /// Every way to add one operation.
    fn with(&self, t: usize, op: &Op, bits: &[u8], initial: &[Value], into: &mut Vec<Self>) {
        let blank = |what, order| Event {
            what,
            order,
            location: usize::MAX,
            value: 0,
            rf: None,
            exclusive: false,
            mute: false,
            waits: false,
            joined: 0,
        };
        let mut push = |event: Event| {
            let mut next = self.clone();
            next.threads[t].push(event);
            into.push(next);
        };
        match *op {
            Op::Fence(order) => push(blank(What::Fence, order)),
            Op::Join(other) => {
                push(Event {
                    joined: other as usize,
                    ..blank(What::Join, MemoryOrder::AcqRel)
                });
            }
            Op::Choose(ways) => {
                for value in 0..u64::from(ways) {
                    push(Event {
                        value,
                        ..blank(What::Choice, MemoryOrder::Relaxed)
                    });
                }
            }
            Op::Store {
                location,
                order,
                value,
            } => {
                let location = location.0 as usize;
                let value = truncate(value, bits[location]);
                self.place(
                    t,
                    Event {
                        location,
                        value,
                        ..blank(What::Write, order)
                    },
                    into,
                );
            }
            Op::Observe(_)
            | Op::Spawn(_)
            | Op::Block { .. }
            | Op::Fail(_)
            | Op::End
            | Op::Return(_) => {}
            Op::Load { .. }
            | Op::Await { .. }
            | Op::Update { .. }
            | Op::Apply { .. }
            | Op::CompareExchange { .. }
            | Op::AwaitExchange { .. } => {
                let location = op.location().map_or(0, |l| l.0 as usize);
                let width = bits[location];
                let sources = self.co[location].iter().map(|&w| Some(w)).chain([None]);
                for rf in sources {
                    let value = rf.map_or(initial[location], |(u, i)| self.threads[u][i].value);
                    let equals = |expected| truncate(expected, width) == value;
                    let (order, written) = match *op {
                        Op::Load { order, .. } | Op::Await { order, .. } => (order, None),
                        Op::Update { order, update, .. } | Op::Apply { order, update, .. } => {
                            (order, Some(update.apply(value, width)))
                        }
                        Op::CompareExchange {
                            expected,
                            new,
                            success,
                            failure,
                            ..
                        } => {
                            if equals(expected) {
                                (success, Some(new))
                            } else {
                                (failure, None)
                            }
                        }
                        Op::AwaitExchange {
                            expected,
                            new,
                            order,
                            ..
                        } => {
                            if equals(expected) {
                                (order, Some(new))
                            } else {
                                (MemoryOrder::Relaxed, None)
                            }
                        }
                        _ => unreachable!("a read"),
                    };
                    let read = Event {
                        location,
                        value,
                        rf,
                        exclusive: written.is_some(),
                        mute: matches!(op, Op::Apply { .. }),
                        waits: matches!(op, Op::Await { .. } | Op::AwaitExchange { .. }),
                        ..blank(What::Read, order)
                    };
                    let mut next = self.clone();
                    next.threads[t].push(read);
                    match written {
                        None => into.push(next),
                        Some(new) => next.place(
                            t,
                            Event {
                                location,
                                value: truncate(new, width),
                                exclusive: true,
                                ..blank(What::Write, order)
                            },
                            into,
                        ),
                    }
                }
            }
        }
    }

    /// Every coherence place of a write.
    fn place(&self, t: usize, event: Event, into: &mut Vec<Self>) {
        let location = event.location;
        for at in 0..=self.co[location].len() {
            let mut next = self.clone();
            next.co[location].insert(at, (t, next.threads[t].len()));
            next.threads[t].push(event.clone());
            into.push(next);
        }
    }

    fn key(&self) -> String {
        let id = |id: Id| id.map_or("i".into(), |(t, i)| format!("{t}.{}", i + 1));
        let mut key = String::new();
        for (t, events) in self.threads.iter().enumerate() {
            let _ = write!(key, "T{t}:");
            for e in events {
                let _ = match e.what {
                    What::Read => write!(key, "R{}={}<{};", e.location, e.value, id(e.rf)),
                    What::Write => write!(key, "W{}={};", e.location, e.value),
                    What::Fence => write!(key, "F;"),
                    What::Join => write!(key, "Join0;"),
                    What::Choice => write!(key, "Choice{};", e.value),
                };
            }
        }
        for (l, co) in self.co.iter().enumerate() {
            let _ = write!(key, "{l}:");
            for &w in co {
                let _ = write!(key, "{},", id(Some(w)));
            }
        }
        key
    }
}
