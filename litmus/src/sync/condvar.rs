//! The condition variable.

use super::atomic::{AtomicU64, Ordering::Relaxed};
use super::{LockResult, MutexGuard};
use crate::explore::program::{MemoryOrder, Op, Wait};
use crate::session;
use std::panic::Location as Caller;

/// A condition variable for at most 64 threads.
///
/// Its word has a bit for each waiting thread: waiting sets one's own, a notification
/// clears one (each choice of a waiter is explored) or all. A notification that finds
/// nobody waiting is lost, as it should be. The word's accesses are relaxed: order comes
/// from the mutex alone. Spurious wake-ups are not explored.
#[derive(Debug)]
pub struct Condvar {
    waiting: AtomicU64,
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
            waiting: AtomicU64::named(0, name),
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
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let me = session::current();
        session::tell_apart();
        assert!(me < 64, "a condition variable serves at most 64 threads");
        let mutex = guard.mutex();
        self.waiting.fetch_or(1 << me, Relaxed);
        drop(guard);
        let op = Op::Await {
            location: self.waiting.location(),
            order: MemoryOrder::Relaxed,
        };
        if session::perform(op, Caller::caller()) & (1 << me) != 0 {
            session::block(Wait::Park, 1, Caller::caller());
        }
        mutex.lock()
    }

    /// Waits as long as `condition` holds.
    ///
    /// # Errors
    /// Never, as [`Self::wait`].
    #[track_caller]
    pub fn wait_while<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> LockResult<MutexGuard<'a, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Wakes one waiter, any of them.
    #[track_caller]
    pub fn notify_one(&self) {
        // An update that changes nothing: it sees the latest waiters.
        let mut waiting = self.waiting.fetch_or(0, Relaxed);
        while waiting != 0 {
            let mut bits = waiting;
            let count = waiting.count_ones();
            if count > 1 {
                for _ in 0..session::perform(Op::Choose(count), Caller::caller()) {
                    bits &= bits - 1;
                }
            }
            let chosen = bits & bits.wrapping_neg();
            match self
                .waiting
                .compare_exchange(waiting, waiting & !chosen, Relaxed, Relaxed)
            {
                Ok(_) => return,
                Err(found) => waiting = found,
            }
        }
    }

    /// Wakes all waiters.
    #[track_caller]
    pub fn notify_all(&self) {
        self.waiting.swap(0, Relaxed);
    }
}
