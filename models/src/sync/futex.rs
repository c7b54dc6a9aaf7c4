//! A mutex of one word, whose waiters sleep in the system.
//!
//! # Question
//! The parking lot is the system's: *wait, if the word is still this*, and *wake one*. What does the word have to say?
//!
//! # Idea
//! Three values: *free*, *locked*, *locked and perhaps waited for*. Who has to wait makes it the last, whatever it
//! was, and waits while it is; if it was free, it has the lock by that step. So whoever was woken locks it as waited
//! for: others may sleep, and it cannot know. Who unlocks frees it in one exchange, and asks the system to wake one
//! if it was waited for.
//!
//! # Timeline
//! ```text
//!                                          word
//! T0: lock                                 locked
//! T1: lock: makes it waited for            waited for
//! T1: system { unchanged; enters }         waited for
//! T0: unlock: by exchange                  free
//! T2: lock                                 locked
//! T0: wakes T1                             locked
//! T1: makes it waited for; sleeps again    waited for
//! T2: unlock: by exchange; wakes T1        free
//! T1: makes it waited for: it was free     waited for
//! ```
//!
//! # Obligations
//! * M1, M2: one thread has the lock, and what it did comes before what the next one does.
//! * M3: nobody sleeps at a free lock.
//!
//! # Limits
//! Not fair: whoever is awake may be faster, for ever. The parking lot's mutex hands the lock over against that.
//!
//! # Orders
//! Each step has the weakest order that the checks accept.
//!
//! # Source
//! Drepper, *Futexes Are Tricky*, the second mutex; Rust's `std::sync::Mutex` on Linux.

use super::Counter;
use super::lot::Lot;
use crate::enumerate::{Place, Start};
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, Native, Ordering::*, Runtime};
use crate::{mutants, properties};

const FREE: u32 = 0;
const LOCKED: u32 = 1;
const WAITED: u32 = 2;

/// The mutex, and what is counted under it.
pub struct Futex<R: Runtime> {
    word: R::AtomicU32,
    system: Lot<R>,
    data: Counter<R>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> Futex<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn try_lock(&self) -> bool {
        // Acquire, here and below: pairs with the unlock.
        self.word.compare_exchange(FREE, LOCKED, Acquire, Relaxed).is_ok()
    }

    fn lock(&self, n: usize) {
        if self.is(Mutant::LockStores) && self.word.load(Acquire) == FREE {
            return self.word.store(LOCKED, Relaxed);
        }
        if self.try_lock() {
            return;
        }
        while !self.take() {
            // Relaxed: stored before the wake-up that it must not miss.
            let unchanged = || self.word.load(Relaxed) == WAITED || self.is(Mutant::WaitUnchecked);
            self.system.park(n, false, unchanged);
            if self.is(Mutant::WokenAsAlone) && self.try_lock() {
                return;
            }
        }
    }

    /// Makes it waited for; whether it was free.
    fn take(&self) -> bool {
        if self.is(Mutant::MarkStores) {
            let old = self.word.load(Acquire);
            self.word.store(WAITED, Relaxed);
            return old == FREE;
        }
        let order = if self.is(Mutant::TakeRelaxed) { Relaxed } else { Acquire };
        self.word.swap(WAITED, order) == FREE
    }

    fn unlock(&self) {
        if self.is(Mutant::WakesFirst) {
            self.system.unpark_one();
            self.word.swap(FREE, Release);
            return;
        }
        // Release: pairs with the next lock.
        let order = if self.is(Mutant::UnlockRelaxed) { Relaxed } else { Release };
        if self.word.swap(FREE, order) == WAITED && !self.is(Mutant::WakesNobody) {
            self.system.unpark_one();
        }
    }
}

/// What a thread does: counts, under the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Waits as long as it takes.
    Count,
    /// If the lock is free: 1, or 0.
    Try,
}

impl<R: Runtime> World for Futex<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = usize;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let (word, data) = (R::AtomicU32::new(FREE, "word"), Counter::new(0));
        Self { word, system: Lot::new(shape.threads), data, faults }
    }

    fn enter(&self, n: usize) -> usize {
        n
    }

    fn step(&self, n: &mut usize, op: Op) -> Option<i64> {
        match op {
            Op::Count => self.lock(*n),
            Op::Try if !self.try_lock() => return Some(0),
            Op::Try => {}
        }
        self.data.count();
        self.unlock();
        Some(1)
    }

    fn finish(&self) {
        self.data.check();
    }
}

mutants! {
    /// Faults of lock and unlock.
    pub enum Mutant {
        /// The system does not look at the word.
        WaitUnchecked = "futex-wait-unchecked" breaks ["M3"] in "two" by Everywhere;
        /// Who was woken locks it as if nobody else slept.
        WokenAsAlone = "futex-woken-as-alone" breaks ["M3"] in "three" by Everywhere;
        /// Who finds it free stores that it is locked.
        LockStores = "futex-lock-stores" breaks ["M1", "M3"] in "two" by Everywhere;
        /// Whether it was free is looked at before it is made waited for.
        MarkStores = "futex-mark-stores" breaks ["M1", "M3"] in "two" by Everywhere;
        /// Who takes it as waited for is ordered by nothing.
        TakeRelaxed = "futex-take-relaxed" breaks ["M2"] in "two" by WeakMemory;
        /// The unlock orders nothing.
        UnlockRelaxed = "futex-unlock-relaxed" breaks ["M2"] in "two" by WeakMemory;
        /// Wakes one, and then frees it.
        WakesFirst = "futex-wakes-first" breaks ["M3"] in "two" by Everywhere;
        /// Wakes nobody.
        WakesNobody = "futex-wakes-nobody" breaks ["M3"] in "two" by Everywhere;
    }
}

/// The protocol.
pub struct FutexMutex;

impl Protocol for FutexMutex {
    const NAME: &'static str = "futex-mutex";
    const TITLE: &'static str = "Mutex of one word over a futex";
    const QUESTION: &'static str =
        "What does a word have to say whose waiters sleep in the system?";
    const SOURCE: &'static str = "Drepper, Futexes Are Tricky; Rust's std on Linux";
    const PROPERTIES: &'static [Property] = properties! {
        "M1" "one thread has the lock" by [..Counter::<Native>::BREACHES];
        "M2" "what a thread did under the lock happens before what the next one does"
            by [DataRace at "data"];
        "M3" "nobody sleeps at a free lock" by [Deadlock];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Futex<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("two", "two threads count", [&[Count], &[Count]]),
            Scenario::of("again", "a thread comes back", [&[Count, Count], &[Count]]),
            Scenario::of("trying", "one does not wait", [&[Count, Try], &[Count]]),
            Scenario::of("three", "two wait", [&[Count], &[Count], &[Count]]),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |_: Place| vec![Op::Count, Op::Try];
        vec![Start::new("free", "all want one lock", letters)]
    }
}
