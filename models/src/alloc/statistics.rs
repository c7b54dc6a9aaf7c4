//! A count that all threads keep, each for itself.
//!
//! # Question
//! Every allocation counts, and so many of them set off a collection. One shared counter took a quarter of
//! the time of a benchmark. How is it counted, and when is it enough?
//!
//! # Idea
//! Every thread counts for itself, and adds a *batch* to the total at a time. Who finds that the total has passed
//! the threshold takes all of it in the same exchange, and collects. Releases are subtracted in the
//! same way, but never below zero: what was allocated before counting began does not cancel what comes.
//!
//! # Timeline
//! ```text
//!                                        T0's   T1's   total (threshold 3)
//! T0: allocates                          1      0      0
//! T0: allocates: a batch                 0      0      2
//! T1: allocates                          0      1      2
//! T1: allocates: a batch: 4 ≥ 3: takes   0      0      0
//! T1: collects, once
//! T0: allocates                          1      0      0
//! T0: ends: adds the rest                -      0      1
//! ```
//!
//! # Obligations
//! * K1, K4: in the end the total and what was collected are what was counted, threads that ended included.
//! * K2: at rest no total stands at the threshold or above.
//! * K3: what has come to the threshold is collected once.
//! * K5: the total is not negative, however much is released.
//!
//! # Limits
//! A batch of two, a threshold of three. CPython subtracts from the total when it collects, and lets one thread at a
//! time collect by an exchange of another word. What is released without having been counted is told to the
//! observer, since clamping forgets it.
//!
//! # Orders
//! None: nothing is read by way of the numbers.
//!
//! # Source
//! Pyston's notes on its shared counters; CPython 3.13 `gc_free_threading.c` (`record_allocation`,
//! `record_deallocation`).

use crate::enumerate::{Place, Start};
use crate::ghost::require;
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};
use std::sync::atomic::AtomicI64;

const BATCH: i64 = 2;
const THRESHOLD: i64 = 3;

/// The total, and what is told of it.
pub struct Statistics<R: Runtime> {
    total: R::AtomicI64,
    /// How much of it collections took.
    collected: R::AtomicI64,
    /// What was counted, less what clamping forgot: told, and no step of the scheme.
    counted: AtomicI64,
    faults: Switch<Mutant>,
}

/// A thread: what it has counted and not added yet.
#[derive(Default)]
pub struct Local {
    count: i64,
}

impl<R: Runtime> Statistics<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn allocated(&self, t: &mut Local, within: impl FnOnce(&mut Local)) {
        self.counted.fetch_add(1, Relaxed);
        t.count += 1;
        let batch = t.count;
        if batch < BATCH {
            return within(t);
        }
        if self.is(Mutant::ZeroBeforeAdd) {
            // What a handler counts here is overwritten.
            within(t);
            self.add(batch);
            t.count = 0;
            return;
        }
        t.count = 0;
        within(t);
        self.add(batch);
    }

    /// Who brings the total to the threshold takes all of it, in the same step, and collects.
    fn add(&self, batch: i64) {
        // Relaxed, here and below: one number, and nothing is read by way of it.
        let mut total = self.total.load(Relaxed);
        if self.is(Mutant::DoubleTrigger) {
            self.total.fetch_add(batch, Relaxed);
            let enough = self.total.load(Relaxed);
            if enough >= THRESHOLD {
                self.total.fetch_sub(enough, Relaxed);
                self.collected.fetch_add(enough, Relaxed);
            }
            return;
        }
        loop {
            let more = total + batch;
            let enough = if self.is(Mutant::TriggerEquality) {
                more == THRESHOLD
            } else {
                more >= THRESHOLD && !self.is(Mutant::TriggerNothing)
            };
            let left = if enough { 0 } else { more };
            let exchanged = if self.is(Mutant::PlainAdd) {
                self.total.store(left, Relaxed);
                Ok(total)
            } else {
                self.total.compare_exchange(total, left, Relaxed, Relaxed)
            };
            match exchanged {
                Ok(_) if enough => {
                    self.collected.fetch_add(more, Relaxed);
                }
                Ok(_) => {}
                Err(found) => {
                    total = found;
                    continue;
                }
            }
            return;
        }
    }

    fn released(&self, t: &mut Local) {
        self.counted.fetch_sub(1, Relaxed);
        t.count -= 1;
        if t.count <= -BATCH {
            self.subtract(-std::mem::take(&mut t.count));
        }
    }

    /// Down to zero: what is released beyond that was never counted.
    fn subtract(&self, batch: i64) {
        if self.is(Mutant::Negative) {
            self.total.fetch_sub(batch, Relaxed);
            return;
        }
        let mut total = self.total.load(Relaxed);
        loop {
            let less = (total - batch).max(0);
            match self.total.compare_exchange(total, less, Relaxed, Relaxed) {
                Ok(_) => {
                    self.counted.fetch_add(batch - (total - less), Relaxed);
                    return;
                }
                Err(found) => total = found,
            }
        }
    }
}

/// What a thread counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// An allocation.
    Allocate,
    /// One within which a handler allocates once more.
    Reentrant,
    /// A release.
    Release,
}

impl<R: Runtime> World for Statistics<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    fn new(_: Shape, faults: Switch<Mutant>) -> Self {
        Self {
            total: R::AtomicI64::new(0, "total"),
            collected: R::AtomicI64::new(0, "collected"),
            counted: AtomicI64::new(0),
            faults,
        }
    }

    fn enter(&self, _: usize) -> Local {
        Local::default()
    }

    fn step(&self, t: &mut Local, op: Op) -> Option<i64> {
        match op {
            Op::Allocate => self.allocated(t, |_| ()),
            Op::Reentrant => self.allocated(t, |t| self.allocated(t, |_| ())),
            Op::Release => self.released(t),
        }
        // How much the thread keeps.
        Some(t.count)
    }

    fn exit(&self, t: Local) {
        match t.count {
            _ if self.is(Mutant::ExitDrop) => {}
            0 => {}
            1.. => self.add(t.count),
            _ => self.subtract(-t.count),
        }
    }

    fn finish(&self) {
        let (total, collected) = (self.total.load(Relaxed), self.collected.load(Relaxed));
        let counted = self.counted.load(Relaxed);
        require(total >= 0, Kind::Invariant, || format!("total: {total}"));
        require(total + collected == counted, Kind::LostUpdate, || {
            format!("total: {total} and {collected} collected, and {counted} were counted")
        });
        require(total < THRESHOLD, Kind::Unbounded, || {
            format!("total: {total}, and nobody collects at {THRESHOLD}")
        });
    }
}

mutants! {
    /// Faults of counting.
    pub enum Mutant {
        /// The total is loaded and stored.
        PlainAdd = "counter-plain-add" breaks ["K1"] in "two" by Everywhere;
        /// A thread's own count is zeroed after it was added: what a handler counted meanwhile goes with it.
        ZeroBeforeAdd = "counter-zero-before-add" breaks ["K1"] in "handler" by Everywhere;
        /// A thread that ends forgets its count.
        ExitDrop = "counter-exit-drop" breaks ["K1"] in "two" by Everywhere;
        /// The total is compared with the threshold for equality, and a batch steps over it.
        TriggerEquality = "counter-trigger-equality" breaks ["K2"] in "two" by Everywhere;
        /// Everybody who finds the total at the threshold takes what was found.
        DoubleTrigger = "counter-double-trigger" breaks ["K3"] in "two" by Everywhere;
        /// Releases are subtracted without looking.
        Negative = "counter-negative" breaks ["K5"] in "releases" by Everywhere;
        /// The threshold sets nothing off.
        TriggerNothing = "counter-trigger-nothing" breaks ["K2"] in "two" by Everywhere;
    }
}

/// The protocol.
pub struct BatchedCount;

impl Protocol for BatchedCount {
    const NAME: &'static str = "batched-count";
    const TITLE: &'static str = "A count in batches, with a threshold";
    const QUESTION: &'static str = "How do all threads count, and when is it enough?";
    const SOURCE: &'static str =
        "Pyston's notes on shared counters; CPython 3.13 gc_free_threading.c";
    const PROPERTIES: &'static [Property] = properties! {
        "K1" "nothing that was counted is lost" by [LostUpdate at "total"];
        "K2" "no total stays at the threshold" by [Unbounded at "total"];
        "K3" "what has come to the threshold is collected once" by [Invariant at "total"];
        "K5" "the total is not negative" by [Invariant at "total"];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Statistics<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of(
                "two",
                "two threads come to the threshold",
                [&[Allocate, Allocate, Allocate], &[Allocate, Allocate]],
            ),
            Scenario::of(
                "handler",
                "a handler counts within a count",
                [&[Allocate, Reentrant], &[]],
            ),
            Scenario::of(
                "releases",
                "more is released than was counted",
                [&[Allocate], &[Release, Release]],
            ),
            Scenario::of(
                "three",
                "three threads count",
                [&[Allocate, Allocate], &[Allocate, Allocate], &[Release, Release]],
            ),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |_: Place| vec![Op::Allocate, Op::Reentrant, Op::Release];
        vec![Start::new("free", "allocations and releases", letters)]
    }
}
