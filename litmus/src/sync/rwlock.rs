//! The lock for several readers or one writer.

use super::content::Content;
use super::in_static::{self, Copy};
use super::located::Located;
use super::{LockResult, TryLockError, TryLockResult};
use crate::explore::program::{Guard, MemoryOrder, Op, Update, Value, Wait};
use crate::session;
use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location as Caller;

/// Set in the word while a writer holds the lock; the other bits count readers.
const WRITER: Value = 1 << 31;

/// A lock for several readers or one writer. It orders by acquire and release, no more,
/// and prefers nobody. It is never found poisoned, as a [`Mutex`](super::Mutex).
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
pub struct RwLock<T: ?Sized> {
    word: Located,
    /// Stands for the content, see the module `content`.
    content: Content,
    /// Of a `static`.
    copy: Option<Copy>,
    data: UnsafeCell<T>,
}

// SAFETY: the explorer runs one thread at a time, on one OS thread, and lets only holders
// of the lock reach the data.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: as above; readers share the data.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    /// An unlocked lock.
    pub fn new(value: T) -> Self {
        Self::named(value, "rwlock")
    }

    /// As [`Self::new`], with a name for tables.
    pub fn named(value: T, name: &str) -> Self {
        Self {
            word: Located::new(Some(name), 0, 32),
            content: Content::new(name, &value),
            copy: None,
            data: UnsafeCell::new(value),
        }
    }

    /// A lock in a `static`, unlocked and with this content at the start of every execution.
    pub const fn const_new(value: T) -> Self
    where
        T: 'static,
    {
        Self {
            word: Located::fixed(0, 32),
            content: Content::fixed::<T>(),
            copy: Some(in_static::copy::<T>),
            data: UnsafeCell::new(value),
        }
    }

    /// Consumes the lock; its content.
    ///
    /// # Errors
    /// Never, as [`Self::read`].
    #[track_caller]
    pub fn into_inner(self) -> LockResult<T> {
        self.content.look(Caller::caller());
        Ok(self.data.into_inner())
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Blocks while a writer holds the lock. With `std` it may also block while a writer waits, for ever if that
    /// waits for a reader that waits for this thread, or for this thread, which reads the lock already: not explored,
    /// and said beside the result.
    ///
    /// # Errors
    /// Never: a panic ends the exploration before a lock can be found poisoned.
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let caller = Caller::caller();
        session::waits_to_read(self.word.at(caller));
        self.take(Guard::clear(WRITER), Update::Add(1), caller);
        Ok(self.reading(caller))
    }

    /// Takes the lock for reading unless a writer holds it.
    ///
    /// # Errors
    /// `WouldBlock` when one does.
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let caller = Caller::caller();
        if !self.try_take(Guard::clear(WRITER), Update::Add(1), caller) {
            return Err(TryLockError::WouldBlock);
        }
        Ok(self.reading(caller))
    }

    /// Blocks until nobody else holds the lock.
    ///
    /// # Errors
    /// Never, as [`Self::read`].
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let caller = Caller::caller();
        session::waits_to_write(self.word.at(caller));
        self.take(Guard::is(0), Update::Swap(WRITER), caller);
        Ok(self.writing(caller))
    }

    /// Takes the lock for writing if it is free.
    ///
    /// # Errors
    /// `WouldBlock` when it is held.
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let caller = Caller::caller();
        match self.try_take(Guard::is(0), Update::Swap(WRITER), caller) {
            true => Ok(self.writing(caller)),
            false => Err(TryLockError::WouldBlock),
        }
    }

    /// The content of a lock that nobody else has, see
    /// [`Mutex::get_mut`](super::Mutex::get_mut).
    ///
    /// # Errors
    /// Never, as [`Self::read`].
    #[track_caller]
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.content.lend(Caller::caller());
        Ok(self.data.get_mut())
    }

    /// Whether a writer has panicked with the lock held: no, see [`Self::read`].
    pub const fn is_poisoned(&self) -> bool {
        false
    }

    /// Nothing, see [`Self::is_poisoned`].
    pub const fn clear_poison(&self) {}

    fn data(&self) -> *mut T {
        in_static::content(&self.data, self.copy)
    }

    fn reading(&self, caller: &'static Caller<'static>) -> RwLockReadGuard<'_, T> {
        session::reads(self.word.at(caller));
        self.content.look(caller);
        RwLockReadGuard { lock: self, caller }
    }

    fn writing(&self, caller: &'static Caller<'static>) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard {
            found: self.content.look(caller),
            lock: self,
            caller,
        }
    }

    /// Waits until `guard` holds of the word and updates it, in one step: nobody sees how
    /// often a thread tried.
    fn take(&self, guard: Guard, update: Update, caller: &'static Caller<'static>) {
        let op = Op::AwaitUpdate {
            location: self.word.at(caller),
            guard,
            update,
            order: MemoryOrder::Acquire,
        };
        session::wait(op, |found| guard.holds(found), Wait::Lock, caller);
    }

    fn try_take(&self, guard: Guard, update: Update, caller: &'static Caller<'static>) -> bool {
        let op = Op::UpdateIf {
            location: self.word.at(caller),
            guard,
            update,
            success: MemoryOrder::Acquire,
            failure: MemoryOrder::Relaxed,
        };
        guard.holds(session::perform(op, caller))
    }

    fn release(&self, update: Update, caller: &'static Caller<'static>) {
        let op = Op::Apply {
            location: self.word.at(caller),
            order: MemoryOrder::Release,
            update,
        };
        session::perform(op, caller);
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized> fmt::Debug for RwLock<T> {
    /// Without the content: looking at it would be an operation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RwLock").finish_non_exhaustive()
    }
}

/// Proof of reading; unlocks when dropped.
pub struct RwLockReadGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    caller: &'static Caller<'static>,
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the guard is held, so no writer is.
        unsafe { &*self.lock.data() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        if !session::is_over() {
            session::reads_no_more(self.lock.word.at(self.caller));
            self.lock.release(Update::Sub(1), self.caller);
        }
    }
}

/// Proof of writing; unlocks when dropped.
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    /// What stood for the content when the section began.
    found: Value,
    caller: &'static Caller<'static>,
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Goes on as a reader, with no writer in between.
    #[track_caller]
    pub fn downgrade(this: Self) -> RwLockReadGuard<'a, T> {
        let (lock, caller) = (this.lock, Caller::caller());
        this.keep();
        std::mem::forget(this);
        let op = Op::Store {
            location: lock.word.at(caller),
            order: MemoryOrder::Release,
            value: 1,
        };
        session::perform(op, caller);
        session::reads(lock.word.at(caller));
        RwLockReadGuard { lock, caller }
    }

    /// Tells what the content has become.
    fn keep(&self) {
        let content = &self.lock.content;
        content.change(self.found, self.lock.data(), self.caller);
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the guard is held.
        unsafe { &*self.lock.data() }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard is held, mutably borrowed.
        unsafe { &mut *self.lock.data() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        if session::is_over() {
            return;
        }
        self.keep();
        let op = Op::Store {
            location: self.lock.word.at(self.caller),
            order: MemoryOrder::Release,
            value: 0,
        };
        session::perform(op, self.caller);
    }
}
