//! A mutex of one byte, whose waiters sleep in a parking lot.
//!
//! # Question
//! Every list, dict and object has a lock of its own, so a lock may cost a byte and no queue. Where do
//! its waiters sleep, who wakes them, and does a thread that unlocks and locks again starve them?
//!
//! # Idea
//! The byte has two bits: *locked*, and *parked*: somebody may be asleep. The queue of all who sleep is
//! in a table beside, a *bucket* chosen by the lock's address. Who finds the lock taken sets *parked*,
//! then looks at the byte once more under the bucket's lock and enters the queue in the same section;
//! who unlocks and finds *parked* takes the first waiter out under the bucket's lock and stores the
//! new byte there. So whoever goes to sleep has either seen that byte, or is in the queue that it was
//! made from.
//!
//! Whoever is awake may take a free lock before the waiter that was woken for it. That is fast, and
//! unfair: a waiter that has waited too long, it is *old* then, is not woken for a free lock but
//! given the lock as it is, still taken (*handed over*).
//!
//! # Timeline
//! ```text
//!                                            byte
//! T0: lock                                   locked
//! T1: lock: taken; sets parked               locked, parked
//! T1: bucket { byte unchanged; enters }      locked, parked
//! T1: sleeps
//! T0: unlock: parked, so by the bucket       locked, parked
//! T0: bucket { takes T1 out; T1 is old:
//!     handed over; nobody else in the queue } locked
//! T0: wakes T1
//! T1: has the lock, without another step     locked
//! ```
//!
//! # Obligations
//! * M1, M2: one thread has the lock, and what it did comes before what the next one does: by the
//!   byte, or by being woken.
//! * M3: no wake-up is lost: *parked* is set while anybody is in the queue. A waiter whose time limit
//!   expires while somebody is waking it has been woken: it may have been given the lock.
//! * M4: when nobody waits any more, the next unlock leaves a byte of zero.
//! * M6: a waiter's record lies on its stack: nobody touches it after the waiter was woken.
//! * F1: a waiter that is old when it is taken out is given the lock.
//!
//! # Limits
//! One lock and one bucket. WebKit's bucket has a timer that says when to be fair, whoever is first then, so that F1
//! holds of its waiters on average; CPython's waiters are fair by their own age, as here. Whether a waiter is old is its operation's, not a clock's. Spinning, which only
//! delays, is left out, and so are interrupted waits.
//!
//! # Orders
//! CPython's steps on the byte are sequentially consistent; here each has the weakest order that the checks
//! accept.
//!
//! # Source
//! WebKit's `WTF::Lock` and `ParkingLot`; CPython 3.13 `Python/lock.c` (`PyMutex_LockTimed`,
//! `mutex_unpark`), `Python/parking_lot.c`.

mod checks;
mod operations;

pub use self::checks::*;
pub use self::operations::{Local, Lot, Op};

use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require};
use crate::protocol::{Fault as _, HANGS, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{
    Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime, Signal as _,
};
use crate::verdict::Kind;
use crate::{mutants, properties};

const LOCKED: u8 = 1;
const PARKED: u8 = 2;

/// How a thread waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// It has waited too long when it is taken out of the queue.
    pub old: bool,
    /// Its wait has a time limit.
    pub timed: bool,
    /// After its limit it does not come back from asking for the interpreter, which has ended.
    pub hangs: bool,
}

/// A waiter's record, on its stack.
struct Waiter<R: Runtime> {
    woken: R::Mutex<bool>,
    signal: R::Condvar,
    old: R::Cell<u8>,
    /// Written by who wakes it: 1 when it is given the lock.
    handed_over: R::Cell<u8>,
    /// From going to sleep to waking up.
    ghost: R::Ghost,
}

/// The byte and its bucket.
struct Mutex<R: Runtime> {
    byte: R::AtomicU8,
    /// The bucket: threads that sleep, first come first.
    queue: R::Mutex<Vec<usize>>,
    waiters: Box<[Waiter<R>]>,
    faults: Switch<Mutant>,
}

/// How a sleep ended.
#[derive(PartialEq, Eq)]
enum Slept {
    /// Not begun: the byte had changed.
    Not,
    /// Woken for a free lock.
    Woken,
    /// Woken as the holder.
    HandedOver,
    TimedOut,
    Hangs,
}

impl<R: Runtime> Mutex<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// Takes the lock.
    fn lock(&self, n: usize, how: Patience) -> Slept {
        // Acquire, here and below: pairs with the unlock.
        if self.byte.compare_exchange(0, LOCKED, Acquire, Relaxed).is_ok() {
            return Slept::Woken;
        }
        // Relaxed: a guess, which the exchange confirms.
        let mut byte = self.byte.load(Relaxed);
        loop {
            // 1. Free: whoever comes first.
            if byte & LOCKED == 0 {
                let parked = if self.is(Mutant::ClearsParked) { 0 } else { byte & PARKED };
                match self.byte.compare_exchange(byte, LOCKED | parked, Acquire, Relaxed) {
                    Ok(_) => return Slept::Woken,
                    Err(found) => byte = found,
                }
                continue;
            }
            // 2. Taken: whoever unlocks must look into the bucket.
            if byte & PARKED == 0
                // Relaxed: the bucket's section orders it before any look that matters.
                && let Err(found) = self.byte.compare_exchange(byte, byte | PARKED, Relaxed, Relaxed)
            {
                byte = found;
                continue;
            }
            // 3. Sleep.
            match self.park(n, how) {
                Slept::Not | Slept::Woken => byte = self.byte.load(Relaxed),
                ended => return ended,
            }
        }
    }

    /// Sleeps, unless the byte is no longer that of a taken lock with waiters.
    fn park(&self, n: usize, how: Patience) -> Slept {
        let unlocked_look = self.is(Mutant::CheckBeforeLock).then(|| self.byte.load(Relaxed));
        let mut queue = self.queue.lock();
        // 1. Look, and enter the queue in one section.
        // Relaxed: stored by who unlocks under the same lock.
        let byte = unlocked_look.unwrap_or_else(|| self.byte.load(Relaxed));
        if byte != LOCKED | PARKED {
            return Slept::Not;
        }
        let waiter = &self.waiters[n];
        waiter.ghost.reuse(0);
        waiter.old.write(u8::from(how.old));
        waiter.handed_over.write(0);
        *waiter.woken.lock() = false;
        queue.push(n);
        drop(queue);
        // 2. Sleep.
        if !self.sleep(waiter, how.timed) {
            // 3. The limit has expired. Out of the queue, before anything else.
            if how.hangs && self.is(Mutant::HangsInQueue) {
                return Slept::Hangs;
            }
            let mut queue = self.queue.lock();
            let at = queue.iter().position(|other| *other == n);
            at.map(|at| queue.remove(at));
            drop(queue);
            if at.is_some() || self.is(Mutant::TimeoutDropsWake) {
                waiter.ghost.free();
                return if how.hangs { Slept::Hangs } else { Slept::TimedOut };
            }
            // Somebody is waking us, perhaps as the holder.
            self.sleep(waiter, false);
        }
        let (old, handed_over) = (waiter.old.read() == 1, waiter.handed_over.read() == 1);
        waiter.ghost.free();
        require(handed_over || !old, Kind::Starvation, || {
            format!("waiter[{n}]: had waited too long, and was not given the lock")
        });
        if handed_over { Slept::HandedOver } else { Slept::Woken }
    }

    /// False when a limit expired first.
    fn sleep(&self, waiter: &Waiter<R>, timed: bool) -> bool {
        let mut woken = waiter.woken.lock();
        if timed && !*woken {
            woken = R::wait_timeout(&waiter.signal, &waiter.woken, woken).0;
            return *woken;
        }
        while !*woken {
            woken = R::wait(&waiter.signal, &waiter.woken, woken);
        }
        true
    }

    fn unlock(&self) {
        // Release: pairs with the next lock.
        let order = if self.is(Mutant::UnlockRelaxed) { Relaxed } else { Release };
        if self.byte.compare_exchange(LOCKED, 0, order, Relaxed).is_ok() {
            return;
        }
        let mut queue = self.queue.lock();
        // 1. The first waiter; none, when its limit expired.
        let first = (!queue.is_empty()).then(|| queue.remove(0));
        // 2. What the byte says from now on.
        let mut byte = if self.is(Mutant::KeepsParked) { PARKED } else { 0 };
        let mut handed_over = false;
        if let Some(n) = first {
            let waiter = &self.waiters[n];
            handed_over = waiter.old.read() == 1 && !self.is(Mutant::NeverFair);
            if handed_over && !self.is(Mutant::HandsOverFree) {
                byte |= LOCKED;
            }
            if !queue.is_empty() && !self.is(Mutant::NoHasMore) {
                byte |= PARKED;
            }
            if !self.is(Mutant::FlagAfterWake) {
                waiter.handed_over.write(u8::from(handed_over));
            }
            if handed_over && self.is(Mutant::NotDequeued) {
                queue.insert(0, n);
            }
        }
        // 3. Inside the section: nobody sleeps on a byte of before.
        // Release: as above. A store, since nobody else changes a byte of both bits.
        if self.is(Mutant::StoreOutside) {
            drop(queue);
            self.byte.store(byte, Release);
        } else {
            self.byte.store(byte, Release);
            drop(queue);
        }
        // 4. Wake it. Who was given the lock comes after us by this.
        let Some(n) = first.filter(|_| !self.is(Mutant::WakesNobody)) else { return };
        let waiter = &self.waiters[n];
        waiter.ghost.touch();
        *waiter.woken.lock() = true;
        waiter.signal.notify_one();
        if self.is(Mutant::FlagAfterWake) {
            waiter.handed_over.write(u8::from(handed_over));
        }
    }
}
