//! The mutex.

use super::{LockResult, TryLockError, TryLockResult};
use crate::explore::program::{MemoryOrder, Op, Wait};
use crate::picture::CONTENT;
use crate::session;
use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::panic::Location as Caller;

/// A mutex. It orders critical sections by acquire and release, no more.
pub struct Mutex<T> {
    word: u32,
    /// Stands for the content: what the last critical section's thread knew at its end.
    content: u32,
    data: UnsafeCell<T>,
}

// SAFETY: the explorer runs one thread at a time, on one OS thread, and lets only the
// holder of the lock reach the data.
unsafe impl<T: Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    /// An unlocked mutex.
    pub fn new(value: T) -> Self {
        Self::named(value, "mutex")
    }

    /// As [`Self::new`], with a name for tables.
    pub fn named(value: T, name: &str) -> Self {
        Self {
            word: session::create(Some(name), 0, 8),
            content: session::create(Some(&format!("{name}{CONTENT}")), 0, 64),
            data: UnsafeCell::new(value),
        }
    }

    /// Blocks until the mutex is held.
    ///
    /// # Errors
    /// Never: a panic ends the exploration before a lock can be found poisoned.
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let caller = Caller::caller();
        let location = session::at(self.word);
        let op = Op::AwaitExchange {
            location,
            expected: 0,
            new: 1,
            order: MemoryOrder::Acquire,
        };
        if session::perform(op, caller) != 0 {
            session::block(Wait::Lock, 1, caller);
        }
        Ok(self.entered(caller))
    }

    /// Takes the mutex if it is free.
    ///
    /// # Errors
    /// `WouldBlock` when it is held.
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let op = Op::CompareExchange {
            location: session::at(self.word),
            expected: 0,
            new: 1,
            success: MemoryOrder::Acquire,
            failure: MemoryOrder::Relaxed,
        };
        match session::perform(op, Caller::caller()) {
            0 => Ok(self.entered(Caller::caller())),
            _ => Err(TryLockError::WouldBlock),
        }
    }

    /// Consumes the mutex; its content.
    ///
    /// # Errors
    /// Never, as [`Self::lock`].
    pub fn into_inner(self) -> LockResult<T> {
        Ok(self.data.into_inner())
    }

    fn entered(&self, caller: &'static Caller<'static>) -> MutexGuard<'_, T> {
        if size_of::<T>() > 0 {
            let location = session::at(self.content);
            session::perform(
                Op::Load {
                    location,
                    order: MemoryOrder::Plain,
                },
                caller,
            );
        }
        MutexGuard {
            mutex: self,
            caller,
        }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<'a, T> MutexGuard<'a, T> {
    pub(super) fn mutex(&self) -> &'a Mutex<T> {
        self.mutex
    }
}

/// Proof of holding a [`Mutex`]; unlocks when dropped.
pub struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    caller: &'static Caller<'static>,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the guard is held.
        unsafe { &*self.mutex.data.get() }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard is held, mutably borrowed.
        unsafe { &mut *self.mutex.data.get() }
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        if size_of::<T>() > 0 {
            let value = session::knowledge();
            let location = session::at(self.mutex.content);
            session::perform(
                Op::Store {
                    location,
                    order: MemoryOrder::Plain,
                    value,
                },
                self.caller,
            );
        }
        let location = session::at(self.mutex.word);
        let op = Op::Store {
            location,
            order: MemoryOrder::Release,
            value: 0,
        };
        session::perform(op, self.caller);
    }
}
