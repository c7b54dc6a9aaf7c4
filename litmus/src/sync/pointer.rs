//! Atomic pointers.

use super::atomic::{AtomicU64, Ordering};
use crate::session;
use std::marker::PhantomData;

/// An atomic pointer.
///
/// Addresses differ from run to run, so pointers are known by when they were first seen.
/// Memory whose address has been in an `AtomicPtr` must not be given back before the end
/// of the execution (leak it, or keep an arena in the first thread), or another object at
/// the same address would be taken for it. To explore reuse of memory, use indices.
///
/// ```
/// use threadbare_litmus::sync::{Arc, atomic::{AtomicPtr, Ordering::{Acquire, Release}}};
/// use threadbare_litmus::{cell::Cell, explore, thread};
///
/// explore(|| {
///     let slot = Arc::new(AtomicPtr::new(std::ptr::null_mut()));
///     let publisher = slot.clone();
///     thread::spawn(move || {
///         let cell = Cell::new(0);
///         cell.set(1);
///         publisher.store(Box::into_raw(Box::new(cell)), Release);
///     });
///     let found = slot.load(Acquire);
///     if !found.is_null() {
///         // SAFETY: published above and never freed.
///         assert_eq!(unsafe { &*found }.get(), 1);
///     }
/// });
/// ```
#[derive(Debug)]
pub struct AtomicPtr<T> {
    word: AtomicU64,
    content: PhantomData<fn(*mut T) -> *mut T>,
}

fn number<T>(pointer: *mut T) -> u64 {
    session::intern(pointer.expose_provenance())
}

fn pointer<T>(number: u64) -> *mut T {
    std::ptr::with_exposed_provenance_mut(session::address(number))
}

impl<T> AtomicPtr<T> {
    /// A location holding `value`.
    pub fn new(value: *mut T) -> Self {
        Self::named(value, "pointer")
    }

    /// As [`Self::new`], with a name for tables.
    pub fn named(value: *mut T, name: &str) -> Self {
        Self {
            word: AtomicU64::named(number(value), name),
            content: PhantomData,
        }
    }

    /// Atomic load.
    #[track_caller]
    pub fn load(&self, order: Ordering) -> *mut T {
        pointer(self.word.load(order))
    }

    /// Atomic store.
    #[track_caller]
    pub fn store(&self, value: *mut T, order: Ordering) {
        self.word.store(number(value), order);
    }

    /// Atomic exchange; the old value.
    #[track_caller]
    pub fn swap(&self, value: *mut T, order: Ordering) -> *mut T {
        pointer(self.word.swap(number(value), order))
    }

    /// Compare and exchange.
    ///
    /// # Errors
    /// The value found when it is not `current`.
    #[track_caller]
    pub fn compare_exchange(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        self.word
            .compare_exchange(number(current), number(new), success, failure)
            .map(pointer)
            .map_err(pointer)
    }

    /// As [`Self::compare_exchange`], with spurious failures where they are explored.
    ///
    /// # Errors
    /// The value found when the exchange failed.
    #[track_caller]
    pub fn compare_exchange_weak(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        self.word
            .compare_exchange_weak(number(current), number(new), success, failure)
            .map(pointer)
            .map_err(pointer)
    }

    /// Waits for a pointer that satisfies `wanted`.
    #[track_caller]
    pub fn await_until(&self, order: Ordering, wanted: impl Fn(*mut T) -> bool) -> *mut T {
        pointer(self.word.await_until(order, |n| wanted(pointer(n))))
    }
}
