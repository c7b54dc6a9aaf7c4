//! Brute force: the executions of a small program by the axioms alone.
//!
//! Breadth first over graphs: every thread's next operation is added to every graph with
//! every reads-from and every coherence place; graphs that a model's axioms, written out
//! as relations and closed by matrix, reject are dropped; equal graphs are merged. It
//! shares nothing with the explorer but the [`Program`] interface, and is there to test
//! it. Programs of up to ten memory events take milliseconds, 64 events are the limit.

use super::Model;
use super::program::{MemoryOrder, Op, Program, Value, truncate};
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
            if added.is_empty() && (0..ops.len()).all(ended) {
                findings.complete.insert(graph.key());
            }
            for next in added {
                let relations = Relations::of(&next);
                if relations.consistent(model) && seen.insert(next.key()) {
                    findings.race |= relations.race(&next);
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

/// A relation over at most 64 events, one bit row each.
#[derive(Clone)]
struct Rel(Vec<u64>);

impl Rel {
    fn new(n: usize) -> Self {
        Self(vec![0; n])
    }
    fn from(n: usize, holds: impl Fn(usize, usize) -> bool) -> Self {
        let row = |a| {
            (0..n)
                .filter(|&b| holds(a, b))
                .fold(0, |row, b| row | 1 << b)
        };
        Self((0..n).map(row).collect())
    }
    fn has(&self, a: usize, b: usize) -> bool {
        self.0[a] >> b & 1 == 1
    }
    fn or(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a | b).collect())
    }
    /// `self;other`.
    fn then(&self, other: &Self) -> Self {
        let row = |row: &u64| {
            (0..self.0.len())
                .filter(|b| row >> b & 1 == 1)
                .fold(0, |sum, b| sum | other.0[b])
        };
        Self(self.0.iter().map(row).collect())
    }
    fn optional(&self) -> Self {
        Self(
            self.0
                .iter()
                .enumerate()
                .map(|(i, row)| row | 1 << i)
                .collect(),
        )
    }
    fn closure(&self) -> Self {
        let mut closed = self.clone();
        loop {
            let next = closed.or(&closed.then(&closed));
            if next.0 == closed.0 {
                return closed;
            }
            closed = next;
        }
    }
    fn star(&self) -> Self {
        self.closure().optional()
    }
    fn inverse(&self) -> Self {
        Self::from(self.0.len(), |a, b| self.has(b, a))
    }
    fn filter(&self, keep: impl Fn(usize, usize) -> bool) -> Self {
        Self::from(self.0.len(), |a, b| self.has(a, b) && keep(a, b))
    }
    fn irreflexive(&self) -> bool {
        (0..self.0.len()).all(|a| !self.has(a, a))
    }
    fn acyclic(&self) -> bool {
        self.closure().irreflexive()
    }
}

struct Relations {
    events: Vec<(usize, Event)>,
    sb: Rel,
    /// sb and what thread joins add to it.
    order: Rel,
    rf: Rel,
    co: Rel,
    rb: Rel,
    rmw: Rel,
    hb: Rel,
}

impl Relations {
    fn of(graph: &Graph) -> Self {
        let mut index = Vec::new();
        let mut events = Vec::new();
        for (t, thread) in graph.threads.iter().enumerate() {
            index.push(events.len());
            events.extend(thread.iter().map(|e| (t, e.clone())));
        }
        let n = events.len();
        assert!(
            n <= 64,
            "brute force is for executions of at most 64 events"
        );
        let at = |(t, i): (usize, usize)| index[t] + i;
        let e = |i: usize| &events[i].1;
        let sb = Rel::from(n, |a, b| events[a].0 == events[b].0 && a < b);
        let joins = Rel::from(n, |a, b| {
            e(b).what == What::Join && e(b).joined == events[a].0
        });
        let order = sb.or(&joins).closure();
        let rf = Rel::from(n, |a, b| {
            e(b).what == What::Read && e(b).rf.map(at) == Some(a)
        });
        let mut co = Rel::new(n);
        for writes in &graph.co {
            for (i, &a) in writes.iter().enumerate() {
                for &b in &writes[i + 1..] {
                    co.0[at(a)] |= 1 << at(b);
                }
            }
        }
        // Reads of the initial write are before every write of their location.
        let from_initial = Rel::from(n, |a, b| {
            e(a).what == What::Read
                && e(a).rf.is_none()
                && e(b).what == What::Write
                && e(a).location == e(b).location
        });
        let rb = rf
            .inverse()
            .then(&co)
            .or(&from_initial)
            .filter(|a, b| a != b);
        let rmw = Rel::from(n, |a, b| {
            b == a + 1
                && events[a].0 == events[b].0
                && e(a).exclusive
                && e(b).exclusive
                && e(a).what == What::Read
                && e(b).what == What::Write
        });
        // sw = [⊒rel];([F];sb)?;[W∩atomic];(rf;rmw)*;rf;[R∩atomic];(sb;[F])?;[⊒acq]
        let atomic = |i: usize| e(i).order != MemoryOrder::Plain;
        let chain = rf.then(&rmw).star();
        let source = Rel::from(n, |a, b| {
            e(b).what == What::Write
                && atomic(b)
                && e(a).order.releases()
                && (a == b || e(a).what == What::Fence && sb.has(a, b))
        });
        let target = Rel::from(n, |a, b| {
            e(a).what == What::Read
                && atomic(a)
                && e(b).order.acquires()
                && (a == b || e(b).what == What::Fence && sb.has(a, b))
        });
        let sw = source.then(&chain).then(&rf).then(&target);
        let hb = order.or(&sw).closure();
        Self {
            events,
            sb,
            order,
            rf,
            co,
            rb,
            rmw,
            hb,
        }
    }

    fn event(&self, i: usize) -> &Event {
        &self.events[i].1
    }

    fn same_location(&self, a: usize, b: usize) -> bool {
        self.event(a).location != usize::MAX && self.event(a).location == self.event(b).location
    }

    fn consistent(&self, model: Model) -> bool {
        let atomicity = self
            .rmw
            .filter(|a, b| self.rb.then(&self.co).has(a, b))
            .0
            .iter()
            .all(|&row| row == 0);
        atomicity
            && self.order.or(&self.rf).acyclic()
            && match model {
                Model::Rc11 => self.rc11(),
                Model::Sc => self.order.or(&self.rf).or(&self.co).or(&self.rb).acyclic(),
                Model::Tso => self.tso(),
            }
    }

    fn rc11(&self) -> bool {
        let n = self.events.len();
        let eco = self.rf.or(&self.co).or(&self.rb).closure();
        let hb = &self.hb;
        if !hb.then(&eco.optional()).irreflexive() {
            return false;
        }
        let sc = |i: usize| self.event(i).order == MemoryOrder::SeqCst;
        let fence = |i: usize| sc(i) && self.event(i).what == What::Fence;
        let elsewhere = self.sb.filter(|a, b| !self.same_location(a, b));
        let scb = self
            .sb
            .or(&elsewhere.then(hb).then(&elsewhere))
            .or(&hb.filter(|a, b| self.same_location(a, b)))
            .or(&self.co)
            .or(&self.rb);
        let maybe = hb.optional();
        let left = Rel::from(n, |a, b| sc(a) && a == b || fence(a) && maybe.has(a, b));
        let right = Rel::from(n, |a, b| sc(b) && a == b || fence(b) && maybe.has(a, b));
        let base = left.then(&scb).then(&right);
        let fences = hb
            .or(&hb.then(&eco).then(hb))
            .filter(|a, b| fence(a) && fence(b));
        base.or(&fences).acyclic()
    }

    fn tso(&self) -> bool {
        let n = self.events.len();
        let local = self.sb.filter(|a, b| self.same_location(a, b));
        if !local.or(&self.rf).or(&self.co).or(&self.rb).acyclic() {
            return false;
        }
        let locked = |i: usize| {
            let e = self.event(i);
            let access = matches!(e.what, What::Read | What::Write);
            access && e.exclusive
                || matches!(e.what, What::Write | What::Fence) && e.order == MemoryOrder::SeqCst
                || e.what == What::Join
        };
        let memory = |i: usize| matches!(self.event(i).what, What::Read | What::Write) || locked(i);
        let ppo = self.sb.filter(|a, b| {
            let store = self.event(a).what == What::Write && !locked(a);
            let load = self.event(b).what == What::Read && !locked(b);
            let drained = (0..n).any(|c| locked(c) && self.sb.has(a, c) && self.sb.has(c, b));
            memory(a) && memory(b) && (!(store && load) || drained)
        });
        let external = self.rf.filter(|a, b| self.events[a].0 != self.events[b].0);
        let joins = self
            .order
            .filter(|a, b| self.events[a].0 != self.events[b].0);
        ppo.or(&external)
            .or(&self.co)
            .or(&self.rb)
            .or(&joins)
            .acyclic()
    }

    fn race(&self, _: &Graph) -> bool {
        let n = self.events.len();
        (0..n).any(|a| {
            (0..a).any(|b| {
                let (x, y) = (self.event(a), self.event(b));
                self.same_location(a, b)
                    && (x.what == What::Write || y.what == What::Write)
                    && (x.order == MemoryOrder::Plain || y.order == MemoryOrder::Plain)
                    && !self.hb.has(a, b)
                    && !self.hb.has(b, a)
            })
        })
    }
}
