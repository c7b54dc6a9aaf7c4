//! A mutex that its holder may take again.
//!
//! # Question
//! Code under a lock calls code that takes the same lock. How does the lock know its holder, without a lock for that?
//!
//! # Idea
//! Beside the lock stand its *owner* and, of the owner alone, how often it has it. Whoever finds itself there is
//! the holder: only it can have written that, and it takes it back before it lets go. So a look without an order
//! suffices; what else it finds tells it only that it is somebody else.
//!
//! # Timeline
//! ```text
//!                                   owner   level
//! T0: not the owner; locks          T0      0
//! T0: the owner                     T0      1
//! T1: not the owner; waits          T0      1
//! T0: unlocks once                  T0      0
//! T0: nobody's; unlocks             none    0
//! T1: has the lock                  T1      0
//! ```
//!
//! # Obligations
//! * M1: one thread is inside. M5: who does not hold it is refused when it unlocks.
//! * M3: no holder waits for itself, and nobody waits for a lock that is free.
//!
//! # Limits
//! A thread that ends while it holds the lock is left out: a thread with the same number would be its owner.
//!
//! # Orders
//! None: relaxed for the owner; the rest is the lock's.
//!
//! # Source
//! CPython 3.13 `Python/lock.c` (`_PyRecursiveMutex_Lock`, `_PyRecursiveMutex_Unlock`).

use super::{Counter, HandedLock, Sleeper};
use crate::enumerate::{Place, Start};
use crate::ghost::require;
use crate::mutants;
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, DataCell as _, Native, Ordering::*, Runtime};
use crate::verdict::Kind;

const NOBODY: usize = 0;

/// The mutex, and what is counted under it.
pub struct Recursive<R: Runtime> {
    lock: HandedLock<R>,
    sleepers: Box<[Sleeper<R>]>,
    /// The holder's number, plus one. Relaxed throughout: what is read there is one's own, or not.
    owner: R::AtomicUsize,
    level: R::Cell<u64>,
    data: Counter<R>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> Recursive<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn is_mine(&self, n: usize) -> bool {
        self.owner.load(Relaxed) == n + 1
    }

    fn lock(&self, n: usize) {
        if self.is_mine(n) && !self.is(Mutant::NotAgain) {
            return self.level.write(self.level.read() + 1);
        }
        if !self.lock.take_or_queue(n) {
            self.sleepers[n].sleep();
        }
        let found = self.owner.load(Relaxed);
        require(found == NOBODY, Kind::Invariant, || {
            format!("owner: T{} although T{n} has the lock", found - 1)
        });
        self.owner.store(n + 1, Relaxed);
    }

    /// False for who does not hold it.
    fn unlock(&self, n: usize) -> bool {
        if !self.is_mine(n) && !self.is(Mutant::Unchecked) {
            return false;
        }
        let level = self.level.read();
        if level > 0 {
            self.level.write(level - 1);
            if !self.is(Mutant::InnerUnlocks) {
                return true;
            }
        }
        if self.is(Mutant::UnlockOrder) {
            self.lock.give(&self.sleepers);
        }
        if !self.is(Mutant::KeepsOwner) {
            self.owner.store(NOBODY, Relaxed);
        }
        if !self.is(Mutant::UnlockOrder) && !self.is(Mutant::GivesNothing) {
            self.lock.give(&self.sleepers);
        }
        true
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Counts under the lock.
    Count,
    /// Counts under the lock that it takes once more, and once more after that.
    Nested,
    /// Unlocks what it does not hold: is refused, 0.
    Unlock,
}

impl<R: Runtime> World for Recursive<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = usize;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        Self {
            lock: HandedLock::new("lock"),
            sleepers: Sleeper::all(shape.threads),
            owner: R::AtomicUsize::new(NOBODY, "owner"),
            level: R::Cell::new(0, "level"),
            data: Counter::new(0),
            faults,
        }
    }

    fn enter(&self, n: usize) -> usize {
        n
    }

    fn step(&self, n: &mut usize, op: Op) -> Option<i64> {
        let n = *n;
        if op == Op::Unlock {
            let refused = !self.unlock(n);
            require(refused, Kind::Invariant, || format!("unlock: T{n} is not refused"));
            return Some(0);
        }
        self.lock(n);
        if op == Op::Nested {
            self.lock(n);
            self.data.count();
            self.unlock(n);
        }
        self.data.count();
        let held = self.unlock(n);
        require(held, Kind::Invariant, || format!("owner: T{n} has the lock and is refused"));
        None
    }

    fn finish(&self) {
        self.data.check();
    }
}

mutants! {
    /// Faults of the owner.
    pub enum Mutant {
        /// Unlocks before it takes back that it is the owner, and so erases the next one.
        UnlockOrder = "rmutex-unlock-order" breaks ["M1"] in "two" by Everywhere;
        /// Never takes back that it is the owner.
        KeepsOwner = "rmutex-keeps-owner" breaks ["M1"] in "again" by Everywhere;
        /// An inner unlock lets others in.
        InnerUnlocks = "rmutex-inner-unlocks" breaks ["M1"] in "nested" by Everywhere;
        /// An unlock does not ask who holds it.
        Unchecked = "rmutex-unlock-unchecked" breaks ["M5"] in "stranger" by Everywhere;
        /// The holder does not find itself.
        NotAgain = "rmutex-not-again" breaks ["M3"] in "nested" by Everywhere;
        /// An unlock does not give the lock up.
        GivesNothing = "rmutex-gives-nothing" breaks ["M3"] in "two" by Everywhere;
    }
}

/// The protocol.
pub struct RecursiveMutex;

impl Protocol for RecursiveMutex {
    const NAME: &'static str = "recursive-mutex";
    const TITLE: &'static str = "Mutex that its holder may take again";
    const QUESTION: &'static str = "How does a lock know its holder, without a lock for that?";
    const SOURCE: &'static str = "CPython 3.13 lock.c, _PyRecursiveMutex_Lock";
    const PROPERTIES: &'static [Property] = &[
        Property {
            id: "M1",
            states: "one thread is inside, and it is the owner",
            broken_by: &[
                Counter::<Native>::BREACHES[0],
                Counter::<Native>::BREACHES[1],
                Kind::DataRace.at(&["level"]),
                Kind::Invariant.at(&["owner"]),
            ],
        },
        Property::new(
            "M3",
            "no holder waits for itself, and nobody for a lock that is free",
            &[Kind::Deadlock.anywhere()],
        ),
        Property::new(
            "M5",
            "who does not hold it is refused when it unlocks",
            &[Kind::Invariant.at(&["unlock"])],
        ),
    ];
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Recursive<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("two", "two count", [&[Count], &[Count]]),
            Scenario::of("again", "a thread comes back", [&[Count, Count], &[Count]]),
            Scenario::of("nested", "one of two takes it twice", [&[Nested], &[Count]]),
            Scenario::of(
                "stranger",
                "a thread unlocks what it does not hold",
                [&[Count], &[Unlock]],
            ),
            Scenario::of("three", "three threads", [&[Nested], &[Count], &[Unlock]]),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |_: Place| vec![Op::Count, Op::Nested, Op::Unlock];
        vec![Start::new("free", "all want one lock", letters)]
    }
}
