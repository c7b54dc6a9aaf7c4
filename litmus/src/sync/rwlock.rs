//! The lock for several readers or one writer.

use super::LockResult;
use super::atomic::{AtomicU32, Ordering};
use crate::explore::program::{MemoryOrder, Op, Wait};
use crate::picture::CONTENT;
use crate::session;
use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::panic::Location as Caller;

const WRITER: u32 = u32::MAX;

/// A lock for several readers or one writer. It orders by acquire and release, no more,
/// and prefers nobody.
///
/// ```
/// use threadbare_litmus::{explore, sync::{Arc, RwLock}, thread};
///
/// explore(|| {
///     let pair = Arc::new(RwLock::new((0, 0)));
///     let writer = pair.clone();
///     thread::spawn(move || *writer.write().unwrap() = (1, 1));
///     let seen = pair.read().unwrap();
///     assert_eq!(seen.0, seen.1);
/// });
/// ```
pub struct RwLock<T> {
    /// Readers, or [`WRITER`].
    word: AtomicU32,
    /// Stands for the content: what the last writer knew at its end.
    content: u32,
    data: UnsafeCell<T>,
}

// SAFETY: the explorer runs one thread at a time, on one OS thread, and lets only holders
// of the lock reach the data.
unsafe impl<T: Send> Send for RwLock<T> {}
// SAFETY: as above; readers share the data.
unsafe impl<T: Send + Sync> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    /// An unlocked lock.
    pub fn new(value: T) -> Self {
        Self::named(value, "rwlock")
    }

    /// As [`Self::new`], with a name for tables.
    pub fn named(value: T, name: &str) -> Self {
        Self {
            word: AtomicU32::named(0, name),
            content: session::create(Some(&format!("{name}{CONTENT}")), 0, 64),
            data: UnsafeCell::new(value),
        }
    }

    /// Blocks while a writer holds the lock.
    ///
    /// # Errors
    /// Never: a panic ends the exploration before a lock can be found poisoned.
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let caller = Caller::caller();
        loop {
            let op = Op::Await {
                location: self.word.location(),
                order: MemoryOrder::Relaxed,
            };
            let readers = session::perform(op, caller) as u32;
            if readers == WRITER {
                session::block(Wait::Lock, 1, caller);
            }
            let taken = self.word.compare_exchange(
                readers,
                readers.wrapping_add(1),
                Ordering::Acquire,
                Ordering::Relaxed,
            );
            if taken.is_ok() {
                break;
            }
        }
        self.content(caller);
        Ok(RwLockReadGuard { lock: self })
    }

    /// Blocks until nobody else holds the lock.
    ///
    /// # Errors
    /// Never, as [`Self::read`].
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let caller = Caller::caller();
        let op = Op::AwaitExchange {
            location: self.word.location(),
            expected: 0,
            new: u64::from(WRITER),
            order: MemoryOrder::Acquire,
        };
        if session::perform(op, caller) != 0 {
            session::block(Wait::Lock, 1, caller);
        }
        self.content(caller);
        Ok(RwLockWriteGuard { lock: self, caller })
    }

    fn content(&self, caller: &'static Caller<'static>) {
        if size_of::<T>() > 0 {
            let op = Op::Load {
                location: session::at(self.content),
                order: MemoryOrder::Plain,
            };
            session::perform(op, caller);
        }
    }
}

/// Proof of reading; unlocks when dropped.
pub struct RwLockReadGuard<'a, T> {
    lock: &'a RwLock<T>,
}

impl<T> Deref for RwLockReadGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the guard is held, so no writer is.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.lock.word.fetch_sub(1, Ordering::Release);
        }
    }
}

/// Proof of writing; unlocks when dropped.
pub struct RwLockWriteGuard<'a, T> {
    lock: &'a RwLock<T>,
    caller: &'static Caller<'static>,
}

impl<T> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the guard is held.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard is held, mutably borrowed.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        if size_of::<T>() > 0 {
            let op = Op::Store {
                location: session::at(self.lock.content),
                order: MemoryOrder::Plain,
                value: session::knowledge(),
            };
            session::perform(op, self.caller);
        }
        self.lock.word.store(0, Ordering::Release);
    }
}
