//! A sequence lock: readers write nothing, and look whether a writer was there meanwhile.
//!
//! # Question
//! An entry of a cache has several fields that are read all the time and written seldom. How is it read as one,
//! without a lock that readers write?
//!
//! # Idea
//! A number stands beside the entry. A writer makes it odd, writes, and makes it the next even one. A
//! reader waits for an even number, reads the entry, and looks at the number again: the same, and nobody wrote
//! meanwhile. A writer that changed nothing may put the number back (*abandon*).
//!
//! # Timeline
//! ```text
//!                                  number   entry
//! T1: an even number               0        a a
//! T1: reads the first field: a     0        a a
//! T0: odd, by exchange             1        a a
//! T0: writes                       1        b b
//! T0: the next even number         2        b b
//! T1: reads the second field: b    2        b b
//! T1: another number: nothing read
//! ```
//!
//! # Obligations
//! * Q1: what a reader believes is what one writer wrote. Q2: nobody waits for ever.
//!
//! # Limits
//! Numbers do not come round: not 2^32 writers within one read. A fork meanwhile, which leaves an odd number to a
//! child without its writer, is left out.
//!
//! # Orders
//! The fields are relaxed atomics: read while they are written, they must be. An order with a fence stands at its place.
//!
//! # Source
//! CPython 3.13 `Python/lock.c` (`_PySeqLock_LockWrite`, `_PySeqLock_EndRead`), for its type cache.

use crate::enumerate::{Place, Start};
use crate::ghost::require;
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, Label, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

/// Why loom kills no fault whose thread waits for ever.
const SPINS: &str = "loom waits by looking again, up to its step budget, which is no verdict";

/// An entry and its number.
pub struct Sequenced<R: Runtime> {
    number: R::AtomicU32,
    entry: [R::AtomicU64; 2],
    faults: Switch<Mutant>,
}

impl<R: Runtime> Sequenced<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// The next even number.
    fn even(&self) -> u32 {
        let mut number = 0;
        R::await_until(|| {
            // Acquire: pairs with the writer's end.
            let order = if self.is(Mutant::BeginRelaxed) { Relaxed } else { Acquire };
            number = self.number.load(order);
            number % 2 == 0 || self.is(Mutant::ReadsOdd)
        });
        number
    }

    /// What the entry is, if nobody wrote meanwhile.
    fn read(&self) -> Option<u64> {
        let begin = self.even();
        // Relaxed, here and below: what they are worth, the number says.
        let fields = [self.entry[0].load(Relaxed), self.entry[1].load(Relaxed)];
        if !self.is(Mutant::NoAcquireFence) {
            // Whoever has read what a writer wrote sees that the number was odd.
            R::fence(Acquire);
        }
        // Relaxed: after the fence.
        let end = self.number.load(Relaxed);
        if begin != end && !self.is(Mutant::Believes) {
            return None;
        }
        let [first, second] = fields;
        require(first == second, Kind::TornRead, || format!("entry: {first} and {second}"));
        Some(first)
    }

    fn lock(&self) -> u32 {
        loop {
            let number = self.even();
            // Relaxed: after the writer before by the look. Of two who find it even one is first.
            let locked = if self.is(Mutant::Unclaimed) {
                self.number.store(number + 1, Relaxed);
                true
            } else {
                self.number.compare_exchange(number, number + 1, Relaxed, Relaxed).is_ok()
            };
            if locked {
                if !self.is(Mutant::NoReleaseFence) {
                    // The odd number before the first field.
                    R::fence(Release);
                }
                return number;
            }
        }
    }

    fn write(&self, value: u64) {
        let number = self.lock();
        for field in &self.entry {
            field.store(value, Relaxed);
        }
        // Release: the fields before the even number.
        let order = if self.is(Mutant::UnlockRelaxed) { Relaxed } else { Release };
        if !self.is(Mutant::StaysOdd) {
            self.number.store(number + 2, order);
        }
    }

    /// Locks it, and changes nothing.
    fn abandon(&self, value: u64) {
        let number = self.lock();
        if self.is(Mutant::AbandonAfterWrite) {
            self.entry[0].store(value, Relaxed);
        }
        // Relaxed: the fence, which came after the look at the number, has who begins here come after the writer before.
        self.number.store(number, Relaxed);
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Reads the entry: its value, or -1 when a writer was there.
    Read,
    /// Writes this into both fields.
    Write(u64),
    /// Begins to write this, and thinks better of it.
    Abandon(u64),
}

impl<R: Runtime> World for Sequenced<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = ();

    fn new(_: Shape, faults: Switch<Mutant>) -> Self {
        let field = |n| R::AtomicU64::new(0, Label::nth("entry", n));
        Self { number: R::AtomicU32::new(0, "number"), entry: [field(0), field(1)], faults }
    }

    fn enter(&self, _: usize) {}

    fn step(&self, (): &mut (), op: Op) -> Option<i64> {
        match op {
            Op::Read => return Some(self.read().map_or(-1, |value| value as i64)),
            Op::Write(value) => self.write(value),
            Op::Abandon(value) => self.abandon(value),
        }
        None
    }

    fn exit(&self, (): ()) {}

    fn finish(&self) {
        let read = self.read();
        require(read.is_some(), Kind::TornRead, || "entry: written when all have ended".into());
    }
}

mutants! {
    /// Faults of readers and writers.
    pub enum Mutant {
        /// A reader's second look may come before its reads.
        NoAcquireFence = "seq-no-acquire-fence" breaks ["Q1"] in "two" by WeakMemory;
        /// A writer's fields may come before its odd number.
        NoReleaseFence = "seq-no-release-fence" breaks ["Q1"] in "two" by WeakMemory;
        /// A writer puts the number back after it has written a field.
        AbandonAfterWrite = "seq-abandon-after-write" breaks ["Q1"] in "abandoned" by Everywhere;
        /// Who finds the number even stores the odd one: two write at once.
        Unclaimed = "seq-unclaimed" breaks ["Q1"] in "writers" by Everywhere;
        /// A reader begins at an odd number.
        ReadsOdd = "seq-reads-odd" breaks ["Q1"] in "two" by Everywhere;
        /// A reader does not look at the number again.
        Believes = "seq-believes" breaks ["Q1"] in "two" by Everywhere;
        /// A reader's first look orders nothing.
        BeginRelaxed = "seq-begin-relaxed" breaks ["Q1"] in "two" by WeakMemory;
        /// The even number may come before the fields.
        UnlockRelaxed = "seq-unlock-relaxed" breaks ["Q1"] in "two" by WeakMemory;
        /// A writer leaves the number odd.
        StaysOdd = "seq-stays-odd" breaks ["Q2"] in "two" by ShuttleOnly(SPINS);
    }
}

/// The protocol.
pub struct SequenceLock;

impl Protocol for SequenceLock {
    const NAME: &'static str = "seqlock";
    const TITLE: &'static str = "Sequence lock";
    const QUESTION: &'static str =
        "How are several fields read as one, without a lock that readers write?";
    const SOURCE: &'static str = "CPython 3.13 lock.c, _PySeqLock";
    const PROPERTIES: &'static [Property] = properties! {
        "Q1" "what a reader believes is what one writer wrote" by [TornRead at "entry"];
        "Q2" "nobody waits for ever" by [Deadlock];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Sequenced<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("two", "a reader beside a writer", [&[Write(1)], &[Read]]),
            Scenario::of("again", "two reads beside a writer", [&[Write(1)], &[Read, Read]]),
            Scenario::of("abandoned", "a writer thinks better of it", [&[Abandon(1)], &[Read]]),
            Scenario::of(
                "between",
                "a reader who begins where one thought better of it, after a writer",
                [&[Write(1)], &[Abandon(2)], &[Read]],
            ),
            Scenario::of("writers", "two write", [&[Write(1)], &[Write(2)]]),
            Scenario::of("three", "two write and one reads", [&[Write(1)], &[Write(2)], &[Read]]),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |place: Place| {
            let value = place.fresh as u64 + 1;
            vec![Op::Read, Op::Write(value), Op::Abandon(value)]
        };
        vec![Start::new("zero", "readers and writers of an entry", letters)]
    }
}
