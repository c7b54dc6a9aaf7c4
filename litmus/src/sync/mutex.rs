//! The mutex.

use super::LOCK;
use super::content::{FIRST, Lent, first, key};
use super::in_static::{self, Copy};
use super::located::Located;
use super::{LockResult, TryLockError, TryLockResult};
use crate::explore::program::{Guard, MemoryOrder, Op, Update, Value, Wait};
use crate::session;
use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::Location as Caller;

const LOCKED: Value = 1;
const FREE: Guard = Guard::is_not(LOCKED);

/// A mutex. It orders critical sections by acquire and release, no more.
///
/// It is never found poisoned: a panic ends the execution, and the exploration, at once.
///
/// ```
/// use threadbare_litmus::{explore, sync::{Arc, Mutex}, thread};
///
/// let report = explore(|| {
///     let list = Arc::new(Mutex::new(vec![]));
///     let other = list.clone();
///     let thread = thread::spawn(move || other.lock().unwrap().push(1));
///     list.lock().unwrap().push(2);
///     thread.join().unwrap();
///     let list = Arc::try_unwrap(list).unwrap().into_inner().unwrap();
///     assert!(list == [1, 2] || list == [2, 1]);
/// });
/// assert_eq!(report.complete, 2);
/// ```
pub struct Mutex<T: ?Sized> {
    /// While it is free, twice what stands for the content (see the module `content`), so
    /// that taking it tells; [`LOCKED`] while it is held.
    word: Located,
    /// The thread that was given `&mut` to the content.
    lent: Lent,
    /// Of a `static`.
    copy: Option<Copy>,
    data: UnsafeCell<T>,
}

// SAFETY: the explorer runs one thread at a time, on one OS thread, and lets only the
// holder of the lock reach the data.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    /// An unlocked mutex.
    pub fn new(value: T) -> Self {
        Self::named(value, "mutex")
    }

    /// As [`Self::new`], with a name for tables.
    pub fn named(value: T, name: &str) -> Self {
        Self {
            word: Located::new(Some(&format!("{name}{LOCK}")), first(&value) << 1, 64),
            lent: Lent::default(),
            copy: None,
            data: UnsafeCell::new(value),
        }
    }

    /// A mutex in a `static`, unlocked and with this content at the start of every execution.
    pub const fn const_new(value: T) -> Self
    where
        T: 'static,
    {
        Self {
            word: Located::fixed(FIRST << 1, 64),
            lent: Lent::never(),
            copy: Some(in_static::copy::<T>),
            data: UnsafeCell::new(value),
        }
    }

    /// Consumes the mutex; its content.
    ///
    /// # Errors
    /// Never, as [`Self::lock`].
    #[track_caller]
    pub fn into_inner(self) -> LockResult<T> {
        self.look(Caller::caller());
        Ok(self.data.into_inner())
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Blocks until the mutex is held.
    ///
    /// # Errors
    /// Never: a panic ends the exploration before a lock can be found poisoned.
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let caller = Caller::caller();
        let op = Op::AwaitUpdate {
            location: self.word.at(caller),
            guard: FREE,
            update: Update::Swap(LOCKED),
            order: MemoryOrder::Acquire,
        };
        let found = session::wait(op, |found| FREE.holds(found), Wait::Lock, caller);
        Ok(self.entered(found, caller))
    }

    /// Takes the mutex if it is free.
    ///
    /// # Errors
    /// `WouldBlock` when it is held.
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let caller = Caller::caller();
        let op = Op::UpdateIf {
            location: self.word.at(caller),
            guard: FREE,
            update: Update::Swap(LOCKED),
            success: MemoryOrder::Acquire,
            failure: MemoryOrder::Relaxed,
        };
        let found = session::perform(op, caller);
        match FREE.holds(found) {
            true => Ok(self.entered(found, caller)),
            false => Err(TryLockError::WouldBlock),
        }
    }

    /// The content of a mutex that nobody else has. Whoever changes it under other threads'
    /// feet all the same is reported as racing.
    ///
    /// # Errors
    /// Never, as [`Self::lock`].
    #[track_caller]
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        let caller = Caller::caller();
        self.look(caller);
        if size_of_val(self.data.get_mut()) > 0 {
            let op = Op::Store {
                location: self.word.at(caller),
                order: MemoryOrder::Plain,
                value: self.lent.lend() << 1,
            };
            session::perform(op, caller);
        }
        Ok(self.data.get_mut())
    }

    /// Whether a thread has panicked with the mutex held: no, see [`Self::lock`].
    pub const fn is_poisoned(&self) -> bool {
        false
    }

    /// Nothing, see [`Self::is_poisoned`].
    pub const fn clear_poison(&self) {}

    fn data(&self) -> *mut T {
        in_static::content(&self.data, self.copy)
    }

    /// The content is about to be looked at by who has the mutex to itself.
    fn look(&self, caller: &'static Caller<'static>) {
        let op = Op::Load {
            location: self.word.at(caller),
            order: MemoryOrder::Plain,
        };
        session::perform(op, caller);
        self.lent.look(caller);
    }

    fn entered(&self, found: Value, caller: &'static Caller<'static>) -> MutexGuard<'_, T> {
        self.lent.look(caller);
        MutexGuard {
            mutex: self,
            found,
            caller,
        }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized> fmt::Debug for Mutex<T> {
    /// Without the content: looking at it would be an operation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").finish_non_exhaustive()
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    pub(super) fn mutex(&self) -> &'a Mutex<T> {
        self.mutex
    }
}

/// Proof of holding a [`Mutex`]; unlocks when dropped.
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    /// The word when the section began.
    found: Value,
    caller: &'static Caller<'static>,
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        // SAFETY: the guard is held.
        unsafe { &*self.mutex.data() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard is held, mutably borrowed.
        unsafe { &mut *self.mutex.data() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        if session::is_over() {
            return;
        }
        // SAFETY: the guard is held.
        let data = unsafe { &*self.mutex.data() };
        let value = match size_of_val(data) {
            0 => self.found,
            _ => key(data) << 1,
        };
        self.mutex.lent.is_over();
        let op = Op::Store {
            location: self.mutex.word.at(self.caller),
            order: MemoryOrder::Release,
            value,
        };
        session::perform(op, self.caller);
    }
}
