//! A lock of one word for many readers or one writer.
//!
//! # Question
//! Many threads only read. How do they come in together, and how does a writer ever come in?
//!
//! # Idea
//! One word: the number of readers, whether a writer is inside, and whether anybody *waits*, reader or writer. All
//! who wait sleep in one queue of the parking lot. A reader comes in if there is neither writer nor anybody who
//! waits, so that whoever waits is not passed by. The last reader wakes all, and leaves the mark: a writer is among
//! them, since readers wait behind readers only when a writer does, and its unlock wakes whoever went to sleep again.
//!
//! # Timeline
//! ```text
//!                                              word
//! T0: read lock                                1 reader
//! T1: write lock: readers; says that it waits  1 reader, waited for
//! T1: bucket { unchanged; enters }             1 reader, waited for
//! T2: read lock: somebody waits; enters        1 reader, waited for
//! T0: read unlock: the last; wakes both        waited for
//! T2: somebody waits; sleeps again             waited for
//! T1: no reader: by exchange                   writer, waited for
//! T1: write unlock: by exchange; wakes T2      free
//! ```
//!
//! # Obligations
//! * R1: readers, or one writer. R2: nobody sleeps at a free lock.
//! * R3: a reader does not come in before those who wait.
//!
//! # Limits
//! Without limits on waits, which would break R2: a writer that goes away leaves its mark to readers. A reader that
//! comes in twice may wait for itself, behind a writer.
//!
//! # Orders
//! CPython's steps on the word are sequentially consistent; here each has the weakest order that the checks accept.
//!
//! # Source
//! CPython 3.13 `Python/lock.c` (`_PyRWMutex_RLock`, `_PyRWMutex_Lock`).

use super::Counter;
use super::lot::Lot;
use crate::enumerate::{Place, Start};
use crate::ghost::require;
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, Native, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

const WRITING: u32 = 1;
const WAITED: u32 = 2;
const READER: u32 = 4;

/// The lock, and what is read and counted under it.
pub struct ReadWrite<R: Runtime> {
    word: R::AtomicU32,
    lot: Lot<R>,
    data: Counter<R>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> ReadWrite<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn read_lock(&self, n: usize) {
        let waits = if self.is(Mutant::ReaderPasses) { WRITING } else { WRITING | WAITED };
        // Relaxed, here and below: a guess, which the exchange confirms.
        let mut word = self.word.load(Relaxed);
        loop {
            if word & waits != 0 {
                word = self.sleep(n, word);
            } else if self.is(Mutant::ReaderBlind) {
                self.word.fetch_add(READER, Acquire);
                break;
            } else {
                // Acquire: pairs with a writer's unlock.
                match self.word.compare_exchange(word, word + READER, Acquire, Relaxed) {
                    Ok(_) => break,
                    Err(found) => word = found,
                }
            }
        }
        require(word & WAITED == 0 || self.is(Mutant::ReaderBlind), Kind::Starvation, || {
            format!("word: {word}, somebody waits, and T{n} comes in to read")
        });
    }

    fn read_unlock(&self) {
        // Release: pairs with the next writer.
        let order = if self.is(Mutant::ReadUnlockRelaxed) { Relaxed } else { Release };
        let old = self.word.fetch_sub(READER, order);
        if old == READER | WAITED && !self.is(Mutant::ReaderNoWake) {
            self.lot.unpark_all(false);
        }
    }

    fn write_lock(&self, n: usize) {
        let waits = if self.is(Mutant::WriterBlind) { WRITING } else { !WAITED };
        let mut word = self.word.load(Relaxed);
        loop {
            if word & waits != 0 {
                word = self.sleep(n, word);
                continue;
            }
            // Acquire: pairs with the unlocks of readers and writers.
            match self.word.compare_exchange(word, word | WRITING, Acquire, Relaxed) {
                Ok(_) => return,
                Err(found) => word = found,
            }
        }
    }

    fn write_unlock(&self) {
        // Release: pairs with the next lock.
        let order = if self.is(Mutant::WriteUnlockRelaxed) { Relaxed } else { Release };
        if self.is(Mutant::WriterKeepsMark) {
            self.word.fetch_sub(WRITING, order);
        } else if self.word.swap(0, order) & WAITED != 0 {
            self.lot.unpark_all(false);
        }
    }

    /// Says that it waits, and waits; what the word is then.
    fn sleep(&self, n: usize, word: u32) -> u32 {
        let waited = word | WAITED;
        // Relaxed: nothing is passed to who is inside.
        if word != waited
            && let Err(found) = self.word.compare_exchange(word, waited, Relaxed, Relaxed)
        {
            return found;
        }
        // Relaxed: before the lock of the bucket, or after that of who wakes us.
        self.lot.park(n, false, || self.word.load(Relaxed) == waited);
        self.word.load(Relaxed)
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Reads what was counted.
    Read,
    /// Counts.
    Write,
}

impl<R: Runtime> World for ReadWrite<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = usize;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let (word, data) = (R::AtomicU32::new(0, "word"), Counter::new(0));
        Self { word, lot: Lot::new(shape.threads), data, faults }
    }

    fn enter(&self, n: usize) -> usize {
        n
    }

    fn step(&self, n: &mut usize, op: Op) -> Option<i64> {
        if op == Op::Write {
            self.write_lock(*n);
            self.data.count();
            self.write_unlock();
            return None;
        }
        self.read_lock(*n);
        let (first, second) = (self.data.read(), self.data.read());
        require(first == second, Kind::LostUpdate, || format!("data: {first} and {second}"));
        self.read_unlock();
        Some(first as i64)
    }

    fn finish(&self) {
        self.write_lock(0);
        self.data.check();
        self.write_unlock();
    }
}

mutants! {
    /// Faults of readers and writers.
    pub enum Mutant {
        /// A reader asks for a writer alone, and comes in before those who wait.
        ReaderPasses = "rw-reader-ignores-parked" breaks ["R3"] in "passing" by Everywhere;
        /// The last reader wakes nobody.
        ReaderNoWake = "rw-runlock-no-wake" breaks ["R2"] in "reader" by Everywhere;
        /// A writer that leaves keeps the mark, and wakes nobody.
        WriterKeepsMark = "rw-unlock-keeps-parked" breaks ["R2"] in "reader" by Everywhere;
        /// A reader looks, and then counts itself whatever has changed.
        ReaderBlind = "rw-reader-blind" breaks ["R1"] in "reader" by Everywhere;
        /// A writer asks for other writers alone.
        WriterBlind = "rw-writer-blind" breaks ["R1"] in "reader" by Everywhere;
        /// A reader's unlock orders nothing.
        ReadUnlockRelaxed = "rw-runlock-relaxed" breaks ["R1"] in "reader" by WeakMemory;
        /// A writer's unlock orders nothing.
        WriteUnlockRelaxed = "rw-unlock-relaxed" breaks ["R1"] in "reader" by WeakMemory;
    }
}

/// The protocol.
pub struct ReadWriteLock;

impl Protocol for ReadWriteLock {
    const NAME: &'static str = "rwlock";
    const TITLE: &'static str = "Lock of many readers or one writer";
    const QUESTION: &'static str = "How do readers come in together, and how does a writer ever?";
    const SOURCE: &'static str = "CPython 3.13 lock.c, _PyRWMutex";
    const PROPERTIES: &'static [Property] = properties! {
        "R1" "readers, or one writer" by [..Counter::<Native>::BREACHES];
        "R2" "nobody sleeps at a free lock" by [Deadlock];
        "R3" "a reader does not come in before those who wait" by [Starvation at "word"];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = ReadWrite<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("reader", "a reader and a writer", [&[Read], &[Write]]),
            Scenario::of("readers", "two readers", [&[Read], &[Read]]),
            Scenario::of("writers", "two writers", [&[Write, Read], &[Write]]),
            Scenario::of("passing", "a reader behind a writer", [&[Read], &[Write], &[Read]]),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |_: Place| vec![Op::Read, Op::Write];
        vec![Start::new("free", "readers and writers", letters)]
    }
}
