//! Locks of objects that their holder may take again, over a word on which the system lets others sleep.
//!
//! # Question
//! Every mutable object is to have a lock, methods call methods of the same object, and nothing is ever given up
//! on the way. What does that cost, and where does it end?
//!
//! # Idea
//! A *furtex* is a futex that may be taken again. Its word says *free*, *held*, or *held and perhaps waited for*;
//! beside it stand its holder's number and how often the holder has it. Who finds a count and its own number beside it
//! goes in once more. The number stays when the lock is given up, so it says nothing without the count: it is written
//! *before* the count, and read *after* it.
//!
//! A thread keeps what it has while it waits for more. So an operation on two objects has to take their locks in
//! one order, and nothing below may ask for a third.
//!
//! # Timeline
//! ```text
//!                                            word       holder   count
//! T0: takes it                               held       T0       1
//! T0: a method of the same object            held       T0       2
//! T1: no number of its own: waits            waited     T0       2
//! T0: out of the method                      waited     T0       1
//! T0: gives it up: not 1 before: frees it    free       T0       0
//! T0:   and wakes T1                         free       T0       0
//! T1: takes it as waited for                 waited     T1       0
//! T1: its number first, then the count       waited     T1       1
//! ```
//!
//! # Obligations
//! * M1: one thread is inside, the holder, until it has given the lock up as often as it took it.
//! * M3: nobody sleeps at a free lock, and no two threads wait for each other.
//!
//! # Limits
//! Two objects. That code which is called under a lock may hold it for any time, and may want another in the
//! wrong order, is what this design cannot mend: [`critical`](super::critical) gives locks up instead.
//!
//! # Orders
//! Holder and count are plain memory in the source. Here each has the weakest order that the checks accept.
//!
//! # Source
//! Gilectomy `Include/lock.h`, `lock_linux.h` (`furtex`); the word is Drepper's second mutex (`futex.rs`).

use super::Counter;
use super::lot::{Lot, Parked};
use crate::enumerate::{Place, Start};
use crate::protocol::{Draw, Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, Label, Native, Ordering::*, Runtime};
use crate::{mutants, properties};

const FREE: u32 = 0;
const HELD: u32 = 1;
const WAITED: u32 = 2;

/// The lock of an object.
struct Furtex<R: Runtime> {
    word: R::AtomicU32,
    /// The number of who has it, or had it last, plus one.
    holder: R::AtomicUsize,
    /// How often the holder has it.
    count: R::AtomicU32,
    system: Lot<R>,
}

/// Two objects with their locks.
pub struct Objects<R: Runtime> {
    locks: Box<[Furtex<R>]>,
    data: Box<[Counter<R>]>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> Objects<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// Takes the lock of an object; how often it slept.
    fn lock(&self, n: usize, object: usize) -> i64 {
        let Furtex { holder, count, .. } = &self.locks[object];
        // Acquire: who sees another's count sees its number.
        let seen = count.load(if self.is(Mutant::OwnerStale) { Relaxed } else { Acquire });
        // Relaxed: only we write our own number.
        if seen != 0 && holder.load(Relaxed) == n + 1 {
            // Release, here and below: pairs with the look at the count.
            count.store(seen + 1, Release);
            return 0;
        }
        let slept = self.take(n, object);
        if self.is(Mutant::CountBeforeTid) {
            count.store(1, Release);
            holder.store(n + 1, Release);
            return slept;
        }
        // Relaxed: the count carries it.
        holder.store(n + 1, Relaxed);
        count.store(1, Release);
        slept
    }

    /// The futex.
    fn take(&self, n: usize, object: usize) -> i64 {
        let Furtex { word, system, .. } = &self.locks[object];
        let mut slept = 0;
        // Acquire, here and below: pairs with the unlock.
        let mut taken = word.compare_exchange(FREE, HELD, Acquire, Relaxed).is_ok();
        while !taken {
            let waits_on = if self.is(Mutant::WaitOnHeld) { HELD } else { WAITED };
            if waits_on == WAITED && word.swap(WAITED, Acquire) == FREE {
                break;
            }
            // Relaxed: the wake-up that it must not miss comes after the store.
            let parked = system.park(n, false, || word.load(Relaxed) == waits_on);
            slept += i64::from(parked == Parked::Woken);
            taken = waits_on == HELD && word.compare_exchange(FREE, HELD, Acquire, Relaxed).is_ok();
        }
        slept
    }

    /// Gives the lock up once.
    fn unlock(&self, object: usize) {
        let Furtex { word, count, system, .. } = &self.locks[object];
        // Relaxed: ours.
        let left = count.load(Relaxed) - 1;
        // Release: others may read it beside our number, as above.
        count.store(left, Release);
        if left > 0 && !self.is(Mutant::InnerUnlocks) {
            return;
        }
        // Release, both: pair with the next who takes it.
        if word.fetch_sub(1, Release) != HELD {
            word.store(FREE, Release);
            if !self.is(Mutant::UnlockNoWake) {
                system.unpark_one();
            }
        }
    }
}

/// What a thread does; it answers how often it slept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// A method that counts.
    Count(usize),
    /// A method that calls such a method, and counts.
    Nested(usize),
    /// `a.extend(b)`: counts in both.
    Both(usize, usize),
}

impl<R: Runtime> World for Objects<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = usize;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let lock = |n| Furtex {
            word: R::AtomicU32::new(FREE, Label::nth("word", n)),
            holder: R::AtomicUsize::new(0, Label::nth("holder", n)),
            count: R::AtomicU32::new(0, Label::nth("count", n)),
            system: Lot::new(shape.threads),
        };
        Self { locks: (0..2).map(lock).collect(), data: (0..2).map(Counter::new).collect(), faults }
    }

    fn enter(&self, n: usize) -> usize {
        n
    }

    fn step(&self, n: &mut usize, op: Op) -> Option<i64> {
        let n = *n;
        Some(match op {
            Op::Count(a) => {
                let slept = self.lock(n, a);
                self.data[a].count();
                self.unlock(a);
                slept
            }
            Op::Nested(a) => {
                let slept = self.lock(n, a);
                self.lock(n, a);
                self.data[a].count();
                self.unlock(a);
                self.data[a].count();
                self.unlock(a);
                slept
            }
            Op::Both(a, b) => {
                // The order is that of addresses, whatever the operation names first.
                let swaps = a > b && !self.is(Mutant::TwoObjectOrder);
                let (first, second) = if swaps { (b, a) } else { (a, b) };
                let slept = self.lock(n, first) + self.lock(n, second);
                self.data[a].count();
                self.data[b].count();
                self.unlock(second);
                self.unlock(first);
                slept
            }
        })
    }

    fn finish(&self) {
        self.data.iter().for_each(Counter::check);
    }
}

mutants! {
    /// Faults of the lock and of its users.
    pub enum Mutant {
        /// The look at the count orders nothing: a former holder may see another's count beside its own number.
        OwnerStale = "furtex-owner-stale" breaks ["M1"] in "again" by WeakMemory;
        /// The count is written before the number.
        CountBeforeTid = "furtex-count-before-tid" breaks ["M1"] in "again" by Everywhere;
        /// Who waits does not make the lock waited for.
        WaitOnHeld = "futex-wait-on-1" breaks ["M3"] in "two" by Everywhere;
        /// A lock that is waited for is freed, and nobody woken.
        UnlockNoWake = "futex-unlock-no-wake" breaks ["M3"] in "two" by Everywhere;
        /// Two locks are taken in the order in which they are named.
        TwoObjectOrder = "furtex-two-object-order" breaks ["M3"] in "pairs" by Everywhere;
        /// The way out of an inner method frees the lock.
        InnerUnlocks = "furtex-inner-unlocks" breaks ["M1", "M3"] in "nested" by Everywhere;
    }
}

/// What small programs are made of.
const LETTERS: [Op; 3] = [Op::Count(0), Op::Nested(0), Op::Both(1, 0)];

/// The protocol.
pub struct FurtexLocks;

impl Protocol for FurtexLocks {
    const NAME: &'static str = "furtex";
    const TITLE: &'static str = "Locks of objects that are kept, and taken again";
    const QUESTION: &'static str = "What does it cost to lock every object in every method, and to give nothing up on the way?";
    const SOURCE: &'static str = "Gilectomy lock.h, lock_linux.h";
    const PROPERTIES: &'static [Property] = properties! {
        "M1" "one thread is inside, as often as it went in" by [..Counter::<Native>::BREACHES];
        "M3" "nobody sleeps at a free lock, and no two wait for each other" by [Deadlock];
    };
    const RANDOM: Option<Draw<Op>> =
        Some(|threads, operations, below| Scenario::random(&LETTERS, threads, operations, below));
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Objects<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("two", "two threads want one object", [&[Count(0)], &[Count(0)]]),
            Scenario::of(
                "again",
                "a former holder comes back",
                [&[Count(0), Count(0)], &[Count(0)]],
            ),
            Scenario::of("nested", "a method calls another", [&[Nested(0)], &[Count(0)]]),
            Scenario::of(
                "pairs",
                "two objects named in opposite orders",
                [&[Both(0, 1)], &[Both(1, 0)]],
            ),
        ]
    }

    /// Left out: three threads that all do something; of two, more than two operations of which one takes two locks.
    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |_: Place| LETTERS.to_vec();
        let mut start = Start::new("free", "all want two objects", letters);
        start.fits = |scenario| {
            let busy = scenario.threads.iter().filter(|script| !script.is_empty()).count();
            let plain = |op: &Op| matches!(op, Op::Count(_));
            let others = scenario.threads.iter().flatten().filter(|op| !plain(op)).count();
            busy < 3 && (scenario.operations() < 3 || scenario.operations() == 3 && others == 0)
        };
        vec![start]
    }
}
