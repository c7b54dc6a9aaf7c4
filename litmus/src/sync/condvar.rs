//! The condition variable.

use super::word::Word;
use super::{LockResult, MutexGuard, PoisonError, WAITERS};
use crate::explore::program::MemoryOrder::Relaxed;
use crate::explore::program::{Op, Update, Wait};
use crate::session;
use std::panic::Location as Caller;
use std::time::Duration;

/// A condition variable for at most 64 threads.
///
/// Its word has a bit for each waiting thread: waiting sets one's own, a notification
/// clears one (each choice of a waiter is explored) or all. A notification that finds
/// nobody waiting is lost, as it should be. The word's accesses are relaxed: order comes
/// from the mutex alone. A wait wakes without cause as often as
/// [`Explorer::spurious_wakeups`](crate::Explorer::spurious_wakeups) says, never unless set;
/// one with a time limit may time out at any moment.
#[derive(Debug)]
pub struct Condvar {
    waiting: Word,
}

/// Whether a wait with a time limit ended by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was up.
    pub const fn timed_out(&self) -> bool {
        self.0
    }
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

impl Condvar {
    /// A condition variable without waiters.
    pub fn new() -> Self {
        Self::named("condvar")
    }

    /// As [`Self::new`], with a name for tables.
    pub fn named(name: &str) -> Self {
        Self {
            waiting: Word::new(Some(&format!("{name}{WAITERS}")), 0, 64),
        }
    }

    /// One in a `static`.
    pub const fn const_new() -> Self {
        Self {
            waiting: Word::fixed_as("a condvar's waiters", 0, 64),
        }
    }

    /// Gives the mutex up until notified.
    ///
    /// # Errors
    /// Never, as [`Mutex::lock`](super::Mutex::lock).
    ///
    /// # Panics
    /// In a thread whose number is 64 or more.
    #[track_caller]
    pub fn wait<'a, T: ?Sized>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let (mutex, caller) = (guard.mutex(), Caller::caller());
        let me = self.enter();
        drop(guard);
        if session::wakes_spuriously(caller) {
            self.waiting.update(Update::And(!me), Relaxed, caller);
        } else {
            self.sleep(me, Wait::Park, caller);
        }
        mutex.lock()
    }

    /// Gives the mutex up until notified, or until the time is up, which may be at once: how
    /// long the time is does not matter. Each thread times out as often as
    /// [`Explorer::time_outs`](crate::Explorer::time_outs) says; after that an execution in
    /// which it is not notified is left aside.
    ///
    /// # Errors
    /// Never, as [`Self::wait`].
    ///
    /// # Panics
    /// As [`Self::wait`].
    #[track_caller]
    pub fn wait_timeout<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        _: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let (mutex, caller) = (guard.mutex(), Caller::caller());
        let me = self.enter();
        drop(guard);
        let timed_out = if session::times_out(caller) {
            // Notified at the last moment is notified: the notification is not lost.
            self.waiting.update(Update::And(!me), Relaxed, caller) & me != 0
        } else {
            // That it waits for ever is no deadlock: it would time out.
            self.sleep(me, Wait::Assume, caller);
            false
        };
        Ok((unpoisoned(mutex.lock()), WaitTimeoutResult(timed_out)))
    }

    /// As [`Self::wait_timeout`], in milliseconds.
    ///
    /// # Errors
    /// Never, as [`Self::wait`].
    #[track_caller]
    pub fn wait_timeout_ms<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        ms: u32,
    ) -> LockResult<(MutexGuard<'a, T>, bool)> {
        let limit = Duration::from_millis(ms.into());
        let (guard, result) = unpoisoned(self.wait_timeout(guard, limit));
        Ok((guard, !result.timed_out()))
    }

    /// Waits as long as `condition` holds.
    ///
    /// # Errors
    /// Never, as [`Self::wait`].
    #[track_caller]
    pub fn wait_while<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Waits as long as `condition` holds and the time is not up, see
    /// [`Self::wait_timeout`].
    ///
    /// # Errors
    /// Never, as [`Self::wait`].
    #[track_caller]
    pub fn wait_timeout_while<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        limit: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        loop {
            if !condition(&mut guard) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            let result;
            (guard, result) = self.wait_timeout(guard, limit)?;
            if result.timed_out() {
                // As `std`'s: what holds now counts, not that the time is up.
                let timed_out = condition(&mut guard);
                return Ok((guard, WaitTimeoutResult(timed_out)));
            }
        }
    }

    /// Makes the running thread one of the waiters; its bit.
    #[track_caller]
    fn enter(&self) -> u64 {
        let me = session::current();
        session::tell_apart();
        assert!(me < 64, "a condition variable serves at most 64 threads");
        let caller = Caller::caller();
        self.waiting.update(Update::Or(1 << me), Relaxed, caller);
        1 << me
    }

    fn sleep(&self, me: u64, wait: Wait, caller: &'static Caller<'static>) {
        let op = Op::Await {
            location: self.waiting.location(caller),
            order: Relaxed,
        };
        if session::perform(op, caller) & me != 0 {
            session::block(wait, 1, caller);
        }
    }

    /// Wakes one waiter, any of them.
    #[track_caller]
    pub fn notify_one(&self) {
        let caller = Caller::caller();
        // An update that changes nothing: it sees the latest waiters.
        let mut waiting = self.waiting.update(Update::Or(0), Relaxed, caller);
        while waiting != 0 {
            // In an order that is the same for every worker.
            let mut waiters: Vec<u32> = (0..64).filter(|bit| waiting >> bit & 1 == 1).collect();
            waiters.sort_by_key(|&thread| session::path_of(thread));
            let choice = match waiters.len() {
                1 => 0,
                ways => session::perform(Op::Choose(ways as u32), caller),
            };
            let chosen = 1 << waiters[choice as usize];
            let values = [waiting, waiting & !chosen];
            match self.waiting.exchange(values, [Relaxed; 2], caller) {
                found if found == waiting => return,
                found => waiting = found,
            }
        }
    }

    /// Wakes all waiters.
    #[track_caller]
    pub fn notify_all(&self) {
        self.waiting
            .update(Update::Swap(0), Relaxed, Caller::caller());
    }
}

fn unpoisoned<T>(result: LockResult<T>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}
