//! An event of one byte: it happens once, and all who wait for it go on.
//!
//! # Question
//! Threads wait for something that happens once: a thread has ended, all others are suspended. What is the least
//! that they have to share?
//!
//! # Idea
//! One byte: *unset*, *set*, or *unset and somebody waits*. Who waits says so in the byte and goes to sleep in the
//! parking lot, if the byte still says so there. Who sets it exchanges the byte, and whom the old one
//! speaks of are in the lot, or will find it set.
//!
//! # Timeline
//! ```text
//!                                         byte
//! T1: wait: nothing yet                   unset
//! T1: says that it waits                  waited for
//! T1: bucket { unchanged; enters }        waited for
//! T0: set: by exchange                    set
//! T0: bucket { takes all out }            set
//! T0: reads who is next; wakes T1         set
//! T1: awake; looks: it is set             set
//! ```
//!
//! # Obligations
//! * E1: who is told that it is set comes after what was before the setting. E2: nobody waits for ever.
//! * M6: a waiter's record lies on its stack: nobody touches it after it was woken.
//!
//! # Limits
//! Set by one thread, and never unset.
//!
//! # Orders
//! CPython's steps on the byte are sequentially consistent; here each has the weakest order that the checks accept.
//!
//! # Source
//! CPython 3.13 `Python/lock.c` (`_PyEvent_Notify`, `PyEvent_WaitTimed`).

use super::lot::{Lot, Parked, Waiter};
use crate::enumerate::{Place, Start};
use crate::ghost::require;
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, DataCell as _, Native, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

const UNSET: u8 = 0;
const SET: u8 = 1;
const WAITED: u8 = 2;

/// The event, and what is done before it is set.
pub struct Event<R: Runtime> {
    byte: R::AtomicU8,
    lot: Lot<R>,
    data: R::Cell<u64>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> Event<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn set(&self) {
        // Release: with what was done before.
        let order = if self.is(Mutant::SetRelaxed) { Relaxed } else { Release };
        let old = if self.is(Mutant::StoreNotExchange) {
            let old = self.byte.load(Relaxed);
            self.byte.store(SET, order);
            old
        } else {
            self.byte.swap(SET, order)
        };
        if old == WAITED && !self.is(Mutant::WakesNobody) {
            self.lot.unpark_all(self.is(Mutant::PostBeforeNext));
        }
    }

    /// Acquire, here and below: pairs with the setting.
    fn is_set(&self) -> bool {
        let order = if self.is(Mutant::WaitRelaxed) { Relaxed } else { Acquire };
        self.byte.load(order) == SET
    }

    /// Waits once; whether it is set.
    fn wait_once(&self, n: usize, timed: bool) -> bool {
        // Relaxed: nothing is passed to those who set it.
        while !self.is_set() {
            if self.byte.compare_exchange(UNSET, WAITED, Relaxed, Relaxed) == Err(SET) {
                continue;
            }
            // Relaxed: before the lock of the bucket, or after that of who wakes us.
            let waited = || self.byte.load(Relaxed) == WAITED;
            let early = self.is(Mutant::LooksEarly).then(waited);
            let parked = self.lot.park(n, timed, || early.unwrap_or_else(waited));
            return self.is_set() || parked != Parked::Not && self.is(Mutant::NoRecheck);
        }
        true
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Does something, and sets the event.
    Set,
    /// Waits until it is set, and looks at what was done.
    Wait,
    /// Waits with a limit, and looks if it is set: 1, or 0.
    WaitTimed,
}

impl<R: Runtime> World for Event<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = usize;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let (byte, data) = (R::AtomicU8::new(UNSET, "byte"), R::Cell::new(0, "data"));
        Self { byte, lot: Lot::new(shape.threads), data, faults }
    }

    fn enter(&self, n: usize) -> usize {
        n
    }

    fn step(&self, n: &mut usize, op: Op) -> Option<i64> {
        match op {
            Op::Set => {
                // Relaxed: only this thread sets it.
                if self.byte.load(Relaxed) != SET {
                    self.data.write(1);
                }
                self.set();
                return None;
            }
            Op::Wait => while !self.wait_once(*n, false) {},
            Op::WaitTimed if !self.wait_once(*n, true) => return Some(0),
            Op::WaitTimed => {}
        }
        let data = self.data.read();
        require(data == 1, Kind::Invariant, || format!("data: {data} after the event"));
        Some(1)
    }
}

mutants! {
    /// Faults of those who set the event, of those who wait, and of the lot.
    pub enum Mutant {
        /// Who sets it looks at the byte and then stores: who comes to wait in between is not woken.
        StoreNotExchange = "event-store-not-exchange" breaks ["E2"] in "one" by Everywhere;
        /// Who was in the lot takes the event for set, although its limit expired.
        NoRecheck = "event-wait-no-recheck" breaks ["E1"] in "limit" by Everywhere;
        /// Who wakes all reads who is next in the record of one who was woken.
        PostBeforeNext = "unparkall-post-before-next" breaks ["M6"] in "two"
            by ShuttleOnly("a record ends by the observer's step, which loom does not turn round");
        /// A waiter looks at the byte before it has the bucket's lock.
        LooksEarly = "event-looks-early" breaks ["E2"] in "one" by Everywhere;
        /// The setting orders nothing.
        SetRelaxed = "event-set-relaxed" breaks ["E1"] in "one" by WeakMemory;
        /// A look at the byte orders nothing.
        WaitRelaxed = "event-wait-relaxed" breaks ["E1"] in "one" by WeakMemory;
        /// Who sets it wakes nobody.
        WakesNobody = "event-wakes-nobody" breaks ["E2"] in "one" by Everywhere;
    }
}

/// The protocol.
pub struct EventProtocol;

impl Protocol for EventProtocol {
    const NAME: &'static str = "event";
    const TITLE: &'static str = "Event of one byte";
    const QUESTION: &'static str = "How do threads wait for what happens once?";
    const SOURCE: &'static str = "CPython 3.13 lock.c, _PyEvent_Notify and PyEvent_WaitTimed";
    const PROPERTIES: &'static [Property] = properties! {
        "E1" "who is told that the event is set comes after what was before it"
            by [DataRace at "data", Invariant at "data"];
        "E2" "nobody waits for ever" by [Deadlock];
        "M6" "nobody touches a waiter's record after it was woken"
            by [..Waiter::<Native>::BREACHES];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Event<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("one", "one waits", [&[Set], &[Wait]]),
            Scenario::of("limit", "a waiter's limit expires", [&[Set], &[WaitTimed]]),
            Scenario::of("two", "two wait", [&[Set], &[Wait], &[Wait]]),
            Scenario::of("limits", "one of two has a limit", [&[Set], &[Wait], &[WaitTimed]]),
        ]
    }

    /// Left out: programs in which nobody sets it.
    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |place: Place| match place.thread {
            0 => vec![Op::Set],
            _ => vec![Op::Wait, Op::WaitTimed],
        };
        let fits = |scenario: &Scenario<Op>| {
            let timed = |op: &&Op| **op == Op::WaitTimed;
            !scenario.threads[0].is_empty()
                && scenario.threads.iter().all(|script| script.iter().filter(timed).count() < 2)
        };
        vec![Start {
            fits,
            alike: 1,
            ..Start::new("unset", "one sets it, all others wait", letters)
        }]
    }
}
