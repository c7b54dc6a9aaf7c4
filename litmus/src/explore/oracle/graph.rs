//! Graphs that grow by one operation in every way, consistent or not.

use crate::explore::program::{MemoryOrder, Op, Value, truncate};
use std::fmt::Write as _;

/// Kinds of events.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Read,
    Write,
    Fence,
    Join,
    Choice,
    Alloc,
    Free,
}

/// A place in a thread; `None` stands for the initial write.
pub(super) type Id = Option<(usize, usize)>;

/// An event.
#[derive(Clone)]
pub(super) struct Event {
    pub what: What,
    pub order: MemoryOrder,
    pub location: usize,
    pub value: Value,
    pub rf: Id,
    /// Half of a successful update.
    pub exclusive: bool,
    /// Of an update or exchange, successful or not.
    pub locked: bool,
    /// The thread is not told what it read.
    pub mute: bool,
    /// The thread reads it in order to wait.
    pub waits: bool,
    pub joined: usize,
}

/// Events in program order, and the writes of each location in coherence order.
#[derive(Clone, Default)]
pub(super) struct Graph {
    pub threads: Vec<Vec<Event>>,
    pub co: Vec<Vec<(usize, usize)>>,
}

impl Graph {
    /// What a thread was told so far.
    pub(super) fn answers(&self, thread: usize) -> Vec<Value> {
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
    pub(super) fn with(
        &self,
        t: usize,
        op: &Op,
        bits: &[u8],
        initial: &[Value],
        into: &mut Vec<Self>,
    ) {
        let blank = |what, order| Event {
            what,
            order,
            location: usize::MAX,
            value: 0,
            rf: None,
            exclusive: false,
            locked: false,
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
            Op::Alloc(location) | Op::Free(location) => {
                let what = match op {
                    Op::Alloc(_) => What::Alloc,
                    _ => What::Free,
                };
                push(Event {
                    location: location.0 as usize,
                    ..blank(what, MemoryOrder::Relaxed)
                });
            }
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
            | Op::UpdateIf { .. }
            | Op::CompareExchange { .. }
            | Op::AwaitUpdate { .. }
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
                        Op::UpdateIf {
                            guard,
                            update,
                            success,
                            failure,
                            ..
                        } => match guard.holds(value) {
                            true => (success, Some(update.apply(value, width))),
                            false => (failure, None),
                        },
                        Op::AwaitUpdate {
                            guard,
                            update,
                            order,
                            ..
                        } => match guard.holds(value) {
                            true => (order, Some(update.apply(value, width))),
                            false => (MemoryOrder::Relaxed, None),
                        },
                        _ => unreachable!("a read"),
                    };
                    let read = Event {
                        location,
                        value,
                        rf,
                        exclusive: written.is_some(),
                        locked: !matches!(op, Op::Load { .. } | Op::Await { .. }),
                        mute: matches!(op, Op::Apply { .. }),
                        waits: matches!(
                            op,
                            Op::Await { .. } | Op::AwaitUpdate { .. } | Op::AwaitExchange { .. }
                        ),
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
                                locked: true,
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

    /// Its key, as the explorer writes it.
    pub(super) fn key(&self) -> String {
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
                    What::Alloc => write!(key, "Alloc{};", e.location),
                    What::Free => write!(key, "Free{};", e.location),
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
