//! Something that is done once, by whoever comes first; if it fails, by another.
//!
//! # Question
//! A module is imported, a thread is joined, a type made ready by whoever needs it first. Who does it, who waits,
//! and what if it fails?
//!
//! # Idea
//! One byte: *idle*, *running*, *running and somebody waits*, *done*. Who changes *idle* to *running* does it, and
//! then exchanges the byte for *done*, or after a failure for *idle* again. All others wait in the parking lot
//! and look again, so that after a failure one of them may be the next to try.
//!
//! # Timeline
//! ```text
//!                                         byte
//! T0: idle: by exchange                   running
//! T1: running: says that it waits         running, waited for
//! T1: bucket { unchanged; enters }        running, waited for
//! T0: fails: by exchange                  idle
//! T0: wakes all                           idle
//! T1: awake; looks: idle; by exchange     running
//! T1: it is done                          done
//! T0, T2: done, at one look               done
//! ```
//!
//! # Obligations
//! * O1: it succeeds once, and nobody goes on before it has.
//! * O2: after a failure another one may try, and nobody waits for ever.
//!
//! # Limits
//! A caller's attempt is given to fail or not; who fails does not try again.
//!
//! # Orders
//! CPython's steps on the byte are sequentially consistent but the first look; here each has the weakest order that
//! the checks accept.
//!
//! # Source
//! CPython 3.13 `Python/lock.c` (`_PyOnceFlag_CallOnceSlow`).

use super::lot::Lot;
use crate::enumerate::{Place, Start};
use crate::ghost::require;
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, DataCell as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

const IDLE: u8 = 0;
const RUNNING: u8 = 1;
const WAITED: u8 = 2;
const DONE: u8 = 4;

/// The flag, and what is done.
pub struct Once<R: Runtime> {
    byte: R::AtomicU8,
    lot: Lot<R>,
    data: R::Cell<u64>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> Once<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// Whether it is done; false when this caller's own attempt failed.
    fn call(&self, n: usize, fails: bool) -> bool {
        // Acquire, here and below: pairs with the end of the attempt.
        let first = if self.is(Mutant::FastRelaxed) { Relaxed } else { Acquire };
        let mut byte = self.byte.load(first);
        loop {
            if byte == DONE {
                return true;
            }
            if byte == IDLE {
                if self.claim() {
                    return self.run(fails);
                }
            } else if byte == RUNNING | WAITED
                // Relaxed: nothing is passed to who runs it.
                || self.byte.compare_exchange(RUNNING, RUNNING | WAITED, Relaxed, Relaxed).is_ok()
            {
                // Relaxed: before the lock of the bucket, or after that of who wakes us.
                let waited = || self.byte.load(Relaxed) == RUNNING | WAITED;
                self.lot.park(n, false, waited);
                if self.is(Mutant::WaitersGoOn) {
                    return true;
                }
            }
            byte = self.byte.load(Acquire);
        }
    }

    fn claim(&self) -> bool {
        if self.is(Mutant::Unclaimed) {
            self.byte.store(RUNNING, Relaxed);
            return true;
        }
        // Acquire: what an attempt before has left behind.
        self.byte.compare_exchange(IDLE, RUNNING, Acquire, Relaxed).is_ok()
    }

    fn run(&self, fails: bool) -> bool {
        let before = self.data.read();
        require(before == 0, Kind::Invariant, || {
            format!("data: {before} before the first success")
        });
        self.data.write(u64::from(!fails));
        let byte = if fails && !self.is(Mutant::FailureMarksDone) { IDLE } else { DONE };
        // Release: with what was done.
        let order = if self.is(Mutant::EndRelaxed) { Relaxed } else { Release };
        let old = if self.is(Mutant::EndStores) {
            let old = self.byte.load(Relaxed);
            self.byte.store(byte, order);
            old
        } else {
            self.byte.swap(byte, order)
        };
        let wakes = !(fails && self.is(Mutant::FailureNoWake) || self.is(Mutant::WakesNobody));
        if old & WAITED != 0 && wakes {
            self.lot.unpark_all(false);
        }
        !fails
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Calls it, and uses what was done.
    Call,
    /// The same; its own attempt would fail, and then the answer is 0.
    CallFailing,
}

impl<R: Runtime> World for Once<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = usize;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let (byte, data) = (R::AtomicU8::new(IDLE, "byte"), R::Cell::new(0, "data"));
        Self { byte, lot: Lot::new(shape.threads), data, faults }
    }

    fn enter(&self, n: usize) -> usize {
        n
    }

    fn step(&self, n: &mut usize, op: Op) -> Option<i64> {
        if !self.call(*n, op == Op::CallFailing) {
            return Some(0);
        }
        let data = self.data.read();
        require(data == 1, Kind::Invariant, || format!("data: {data} when it is done"));
        Some(1)
    }
}

mutants! {
    /// Faults of the caller that does it and of those that wait.
    pub enum Mutant {
        /// A failure counts as done.
        FailureMarksDone = "once-failure-marks-done" breaks ["O1"] in "failing" by Everywhere;
        /// The first look at the byte orders nothing.
        FastRelaxed = "once-fast-relaxed" breaks ["O1"] in "two" by WeakMemory;
        /// After a failure nobody is woken.
        FailureNoWake = "once-failure-no-wake" breaks ["O2"] in "failing" by Everywhere;
        /// The byte is looked at and then stored when it is done: who comes in between is not woken.
        EndStores = "once-end-stores" breaks ["O2"] in "two" by Everywhere;
        /// Who finds it idle stores that it runs.
        Unclaimed = "once-unclaimed" breaks ["O1"] in "two" by Everywhere;
        /// The end of an attempt orders nothing.
        EndRelaxed = "once-end-relaxed" breaks ["O1"] in "two" by WeakMemory;
        /// Who was woken takes it for done.
        WaitersGoOn = "once-waiters-go-on" breaks ["O1"] in "failing" by Everywhere;
        /// Nobody is woken.
        WakesNobody = "once-wakes-nobody" breaks ["O2"] in "two" by Everywhere;
    }
}

/// The protocol.
pub struct OnceProtocol;

impl Protocol for OnceProtocol {
    const NAME: &'static str = "once";
    const TITLE: &'static str = "Once, by whoever comes first";
    const QUESTION: &'static str = "Who does what is done once, who waits, and what if it fails?";
    const SOURCE: &'static str = "CPython 3.13 lock.c, _PyOnceFlag_CallOnceSlow";
    const PROPERTIES: &'static [Property] = properties! {
        "O1" "it succeeds once, and nobody goes on before it has"
            by [DataRace at "data", Invariant at "data"];
        "O2" "after a failure another one may try, and nobody waits for ever" by [Deadlock];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Once<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("two", "two call it", [&[Call], &[Call]]),
            Scenario::of("failing", "the first attempt may fail", [&[CallFailing], &[Call]]),
            Scenario::of("again", "who has failed comes again", [&[CallFailing, Call], &[Call]]),
            Scenario::of("three", "two fail, or wait", [&[CallFailing], &[CallFailing], &[Call]]),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |_: Place| vec![Op::Call, Op::CallFailing];
        vec![Start::new("idle", "all call it", letters)]
    }
}
