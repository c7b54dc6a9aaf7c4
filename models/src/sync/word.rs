//! A mutex of one word, whose waiters are a stack on their own stacks.
//!
//! # Question
//! A parking lot's buckets need locks themselves. What do their waiters sleep in?
//!
//! # Idea
//! The word is *locked* or not, and beside that the newest waiter's record; each record names the one before it. Who
//! finds it locked pushes its record by an exchange, and sleeps. Who unlocks takes the newest record off and unlocks
//! in one exchange, then wakes its owner, which tries again like anybody else. Only the holder takes records off, so
//! none can come back meanwhile.
//!
//! # Timeline
//! ```text
//!                                          word
//! T0: lock                                 locked
//! T1: lock: pushes its record; sleeps      locked, T1
//! T2: lock: pushes its record; sleeps      locked, T2 → T1
//! T0: unlock: takes T2 off                 T1
//! T0: wakes T2
//! T2: free: by exchange                    locked, T1
//! T2: unlock: takes T1 off; wakes it       free
//! ```
//!
//! # Obligations
//! * M1, M2: one thread has the lock, and what it did comes before what the next one does.
//! * M3: nobody sleeps at a free lock.
//! * M6: a record is not touched after its owner was woken: a wait that is interrupted is not over.
//!
//! # Limits
//! Not fair: the newest is woken first, and whoever is awake may be faster. WebKit's `WordLock` has a second bit that
//! locks a queue instead of the stack, and wakes the oldest.
//!
//! # Orders
//! CPython's steps on the word are sequentially consistent; here each has the weakest order that the checks accept.
//!
//! # Source
//! CPython 3.13 `Python/lock.c` (`_PyRawMutex_LockSlow`, `_PyRawMutex_UnlockSlow`).

use super::Counter;
use super::lot::Waiter;
use crate::enumerate::{Place, Start};
use crate::ghost::Ghost as _;
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, DataCell as _, Native, Ordering::*, Runtime};
use crate::{mutants, properties};

/// The lowest bit; the rest is the newest waiter's number, plus one.
const LOCKED: usize = 1;

/// The mutex, and what is counted under it.
pub struct Word<R: Runtime> {
    word: R::AtomicUsize,
    waiters: Box<[Waiter<R>]>,
    data: Counter<R>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> Word<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// Takes the lock; `interrupted` is a first wait that a signal may end.
    fn lock(&self, n: usize, mut interrupted: bool) {
        let waiter = &self.waiters[n];
        // Relaxed: a guess, which the exchange confirms.
        let mut word = self.word.load(Relaxed);
        loop {
            // 1. Free: whoever comes first.
            if word & LOCKED == 0 {
                if self.is(Mutant::LockStores) {
                    return self.word.store(word | LOCKED, Relaxed);
                }
                let waiters = if self.is(Mutant::LosesStack) { 0 } else { word };
                // Acquire: pairs with the unlock.
                match self.word.compare_exchange(word, waiters | LOCKED, Acquire, Relaxed) {
                    Ok(_) => return,
                    Err(found) => word = found,
                }
                continue;
            }
            // 2. Locked: our record on top of the others.
            waiter.ghost.reuse(0);
            waiter.next.write(word as u64 >> 1);
            // Release: with the record.
            let order = if self.is(Mutant::PushRelaxed) { Relaxed } else { Release };
            let pushed = (n + 1) << 1 | LOCKED;
            if self.is(Mutant::PushStores) {
                self.word.store(pushed, order);
            } else if let Err(found) = self.word.compare_exchange(word, pushed, order, Relaxed) {
                waiter.ghost.free();
                word = found;
                continue;
            }
            // 3. Sleep: an interrupted wait goes on.
            let woken = waiter.sleep(std::mem::take(&mut interrupted));
            if !woken && !self.is(Mutant::InterruptReturns) {
                waiter.sleep(false);
            }
            waiter.ghost.free();
            // Relaxed: as above.
            word = self.word.load(Relaxed);
        }
    }

    fn unlock(&self) {
        // Release, here and below: pairs with the next lock.
        let order = if self.is(Mutant::UnlockRelaxed) { Relaxed } else { Release };
        loop {
            // Acquire: pairs with the push.
            let word = self.word.load(Acquire);
            let top = word >> 1;
            let left = if top == 0 { 0 } else { (self.waiters[top - 1].next.read() as usize) << 1 };
            // Unlocked, and its first waiter off, in one step.
            if self.word.compare_exchange(word, left, order, Relaxed).is_ok() {
                if top > 0 && !self.is(Mutant::WakesNobody) {
                    self.waiters[top - 1].wake();
                }
                return;
            }
        }
    }
}

/// What a thread does: counts, under the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Waits as long as it takes.
    Count,
    /// A signal may come while it waits for the first time.
    CountInterrupted,
}

impl<R: Runtime> World for Word<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = usize;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let (word, data) = (R::AtomicUsize::new(0, "word"), Counter::new(0));
        Self { word, waiters: Waiter::all(shape.threads), data, faults }
    }

    fn enter(&self, n: usize) -> usize {
        n
    }

    fn step(&self, n: &mut usize, op: Op) -> Option<i64> {
        self.lock(*n, op == Op::CountInterrupted);
        self.data.count();
        self.unlock();
        None
    }

    fn finish(&self) {
        self.data.check();
    }
}

mutants! {
    /// Faults of lock and unlock.
    pub enum Mutant {
        /// Who takes a free lock forgets those who wait.
        LosesStack = "rawmutex-loses-stack" breaks ["M3"] in "three" by Everywhere;
        /// An interrupted wait is taken for a wake-up, while the record is on the stack.
        InterruptReturns = "rawmutex-eintr-returns" breaks ["M6"] in "interrupted" by Everywhere;
        /// The push orders nothing.
        PushRelaxed = "rawmutex-push-relaxed" breaks ["M6"] in "two" by WeakMemory;
        /// The push is a store, whatever has changed.
        PushStores = "rawmutex-push-stores" breaks ["M3", "M6"] in "two" by Everywhere;
        /// The unlock orders nothing.
        UnlockRelaxed = "rawmutex-unlock-relaxed" breaks ["M2"] in "two" by WeakMemory;
        /// A record is taken off, and its owner not woken.
        WakesNobody = "rawmutex-wakes-nobody" breaks ["M3"] in "two" by Everywhere;
        /// Who finds it free stores that it is locked.
        LockStores = "rawmutex-lock-stores" breaks ["M1"] in "two" by Everywhere;
    }
}

/// The protocol.
pub struct WordMutex;

impl Protocol for WordMutex {
    const NAME: &'static str = "word-mutex";
    const TITLE: &'static str = "Mutex of one word, under the parking lot";
    const QUESTION: &'static str = "What do those sleep in who wait for a parking lot's bucket?";
    const SOURCE: &'static str = "CPython 3.13 lock.c, _PyRawMutex; WebKit WordLock";
    const PROPERTIES: &'static [Property] = properties! {
        "M1" "one thread has the lock" by [..Counter::<Native>::BREACHES];
        "M2" "what a thread did under the lock happens before what the next one does"
            by [DataRace at "data"];
        "M3" "nobody sleeps at a free lock" by [Deadlock];
        "M6" "nobody touches a waiter's record after it was woken"
            by [..Waiter::<Native>::BREACHES];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Word<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("two", "two threads count", [&[Count], &[Count]]),
            Scenario::of("again", "a thread comes back", [&[Count, Count], &[Count]]),
            Scenario::of("interrupted", "a signal while it waits", [&[Count], &[CountInterrupted]]),
            Scenario::of("three", "two wait", [&[Count], &[Count], &[Count]]),
        ]
    }

    /// Left out: a second wait with a signal in a thread, since the explorer lets one limit expire in each.
    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |_: Place| vec![Op::Count, Op::CountInterrupted];
        let fits = |scenario: &Scenario<Op>| {
            let interrupted = |op: &&Op| **op == Op::CountInterrupted;
            scenario.threads.iter().all(|script| script.iter().filter(interrupted).count() < 2)
        };
        vec![Start { fits, ..Start::new("free", "all want one lock", letters) }]
    }
}
