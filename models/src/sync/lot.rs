//! The queue of those who wait for a byte or a word: one bucket of a parking lot.
//!
//! Who waits has seen the word and enters the queue in one section of the bucket, so whoever changes the word and
//! then asks the queue misses nobody. A waiter's record lies on its stack: it is gone as soon as it is woken. What
//! [`parking`](super::parking) does besides, handing a lock over inside that section, its users here do not need.
//!
//! One bucket holds one address; CPython's have many, so that a waiter of another address may be looked at, and is
//! left alone.
//!
//! # Source
//! CPython 3.13 `Python/parking_lot.c`; WebKit's `ParkingLot`; Linux's futex.

use super::Sleeper;
use crate::ghost::Ghost as _;
use crate::runtime::{DataCell as _, Label, Lock as _, Runtime};
use crate::verdict::{Breach, Kind};

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parked {
    /// Not begun: the word had changed.
    Not,
    Woken,
    TimedOut,
}

/// A waiter's record, on its stack.
pub(crate) struct Waiter<R: Runtime> {
    sleeper: Sleeper<R>,
    /// Who comes behind it among those who are woken together, plus one.
    pub(super) next: R::Cell<u64>,
    /// From going to sleep to waking up.
    pub(super) ghost: R::Ghost,
}

impl<R: Runtime> Waiter<R> {
    /// What shows that somebody touches a record after its owner was woken.
    pub(crate) const BREACHES: &'static [Breach] =
        &[Kind::UseAfterFree.at(&["waiter", "next"]), Kind::DataRace.at(&["next"])];

    pub(crate) fn all(threads: usize) -> Box<[Self]> {
        let one = |n| Self {
            sleeper: Sleeper::new(n),
            next: R::Cell::new(0, Label::part("waiter", "next", n)),
            ghost: R::Ghost::blank(Label::nth("waiter", n)),
        };
        (0..threads).map(one).collect()
    }

    /// Until it is woken, which may have been before; false when a limit expired first.
    #[track_caller]
    pub(crate) fn sleep(&self, timed: bool) -> bool {
        if timed {
            return self.sleeper.sleep_limited();
        }
        self.sleeper.sleep();
        true
    }

    /// Wakes it: the last that is done with its record.
    #[track_caller]
    pub(crate) fn wake(&self) {
        self.ghost.touch();
        self.sleeper.wake();
    }
}

/// The bucket.
pub(crate) struct Lot<R: Runtime> {
    /// Threads that wait, first come first.
    queue: R::Mutex<Vec<usize>>,
    waiters: Box<[Waiter<R>]>,
}

impl<R: Runtime> Lot<R> {
    pub(crate) fn new(threads: usize) -> Self {
        Self { queue: R::Mutex::new(Vec::new(), "bucket"), waiters: Waiter::all(threads) }
    }

    /// Waits, unless the word is no longer what it was.
    #[track_caller]
    pub(crate) fn park(&self, n: usize, timed: bool, unchanged: impl FnOnce() -> bool) -> Parked {
        let waiter = &self.waiters[n];
        let mut queue = self.queue.lock();
        if !unchanged() {
            return Parked::Not;
        }
        waiter.ghost.reuse(0);
        queue.push(n);
        drop(queue);
        if !waiter.sleep(timed) {
            let mut queue = self.queue.lock();
            let at = queue.iter().position(|other| *other == n);
            at.map(|at| queue.remove(at));
            drop(queue);
            if at.is_some() {
                waiter.ghost.free();
                return Parked::TimedOut;
            }
            // Somebody is waking us.
            waiter.sleep(false);
        }
        waiter.ghost.free();
        Parked::Woken
    }

    /// Wakes who came first, if anybody waits.
    #[track_caller]
    pub(crate) fn unpark_one(&self) {
        let mut queue = self.queue.lock();
        let first = (!queue.is_empty()).then(|| queue.remove(0));
        drop(queue);
        if let Some(n) = first {
            self.waiters[n].wake();
        }
    }

    /// Wakes all who wait. `late`: reads who comes next after it has woken the one before.
    #[track_caller]
    pub(crate) fn unpark_all(&self, late: bool) {
        // 1. A list of our own, under the bucket's lock.
        let mut queue = self.queue.lock();
        let mut next = 0;
        while let Some(n) = queue.pop() {
            self.waiters[n].next.write(next);
            next = n as u64 + 1;
        }
        drop(queue);
        // 2. One after the other; who was woken is gone.
        while next > 0 {
            let waiter = &self.waiters[next as usize - 1];
            if late {
                waiter.wake();
                next = waiter.next.read();
            } else {
                next = waiter.next.read();
                waiter.wake();
            }
        }
    }
}
