//! Atomic pointers.

use super::atomic::Ordering;
use super::word::Word;
use crate::explore::program::{MemoryOrder, Update};
use crate::session;
use std::marker::PhantomData;
use std::panic::Location as Caller;

/// An atomic pointer.
///
/// Addresses differ from run to run, so pointers are known by numbers that do not. What is
/// behind a pointer is plain memory: what depends on the execution belongs into explored types.
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
    word: Word,
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
    ///
    /// # Panics
    /// Outside an exploration; a `static` is made by [`Self::const_null`].
    pub fn new(value: *mut T) -> Self {
        Self::named(value, "pointer")
    }

    /// As [`Self::new`], with a name for tables.
    pub fn named(value: *mut T, name: &str) -> Self {
        Self {
            word: Word::new(Some(name), number(value), 64),
            content: PhantomData,
        }
    }

    /// A null pointer in a `static`. Another pointer has no number before an execution.
    pub const fn const_null() -> Self {
        Self {
            word: Word::fixed(0, 64),
            content: PhantomData,
        }
    }

    /// Atomic load.
    ///
    /// # Panics
    /// For orders with a release, as `std`'s.
    #[track_caller]
    pub fn load(&self, order: Ordering) -> *mut T {
        pointer(
            self.word
                .load(MemoryOrder::of_load(order), Caller::caller()),
        )
    }

    /// Atomic store.
    ///
    /// # Panics
    /// For orders with an acquire, as `std`'s.
    #[track_caller]
    pub fn store(&self, value: *mut T, order: Ordering) {
        let order = MemoryOrder::of_store(order);
        self.word.store(number(value), order, Caller::caller());
    }

    /// Atomic exchange; the old value.
    #[track_caller]
    pub fn swap(&self, value: *mut T, order: Ordering) -> *mut T {
        let update = Update::Swap(number(value));
        pointer(self.word.update(update, order.into(), Caller::caller()))
    }

    /// Compare and exchange.
    ///
    /// # Errors
    /// The value found when it is not `current`.
    ///
    /// # Panics
    /// For a `failure` with a release, as `std`'s.
    #[track_caller]
    pub fn compare_exchange(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        let orders = [success.into(), MemoryOrder::of_failure(failure)];
        let values = [number(current), number(new)];
        let old = self.word.exchange(values, orders, Caller::caller());
        match old == values[0] {
            true => Ok(pointer(old)),
            false => Err(pointer(old)),
        }
    }

    /// As [`Self::compare_exchange`], with spurious failures where they are explored.
    ///
    /// # Errors
    /// The value found when the exchange failed.
    ///
    /// # Panics
    /// For a `failure` with a release, as `std`'s.
    #[track_caller]
    pub fn compare_exchange_weak(
        &self,
        current: *mut T,
        new: *mut T,
        success: Ordering,
        failure: Ordering,
    ) -> Result<*mut T, *mut T> {
        let orders = [success.into(), MemoryOrder::of_failure(failure)];
        let values = [number(current), number(new)];
        match self.word.exchange_weak(values, orders, Caller::caller()) {
            (old, true) => Ok(pointer(old)),
            (old, false) => Err(pointer(old)),
        }
    }

    /// Updates by a loop of exchanges until one succeeds or `f` gives up.
    ///
    /// # Errors
    /// The value for which `f` returned nothing.
    #[track_caller]
    pub fn fetch_update(
        &self,
        set: Ordering,
        fetch: Ordering,
        mut f: impl FnMut(*mut T) -> Option<*mut T>,
    ) -> Result<*mut T, *mut T> {
        let mut old = self.load(fetch);
        while let Some(new) = f(old) {
            match self.compare_exchange_weak(old, new, set, fetch) {
                Ok(old) => return Ok(old),
                Err(found) => old = found,
            }
        }
        Err(old)
    }

    /// An update of the address by a loop of exchanges: numbers are known to no arithmetic.
    #[track_caller]
    fn modify(&self, order: Ordering, f: impl Fn(*mut T) -> *mut T) -> *mut T {
        let mut old = self.load(Ordering::Relaxed);
        loop {
            match self.compare_exchange(old, f(old), order, Ordering::Relaxed) {
                Ok(old) => return old,
                Err(found) => old = found,
            }
        }
    }

    /// Adds so many `T`s to the address; the old pointer.
    #[track_caller]
    pub fn fetch_ptr_add(&self, count: usize, order: Ordering) -> *mut T {
        self.modify(order, |old| old.wrapping_add(count))
    }

    /// Subtracts so many `T`s from the address; the old pointer.
    #[track_caller]
    pub fn fetch_ptr_sub(&self, count: usize, order: Ordering) -> *mut T {
        self.modify(order, |old| old.wrapping_sub(count))
    }

    /// Adds so many bytes to the address; the old pointer.
    #[track_caller]
    pub fn fetch_byte_add(&self, bytes: usize, order: Ordering) -> *mut T {
        self.modify(order, |old| old.wrapping_byte_add(bytes))
    }

    /// Subtracts so many bytes from the address; the old pointer.
    #[track_caller]
    pub fn fetch_byte_sub(&self, bytes: usize, order: Ordering) -> *mut T {
        self.modify(order, |old| old.wrapping_byte_sub(bytes))
    }

    /// Bitwise or of the address; the old pointer.
    #[track_caller]
    pub fn fetch_or(&self, bits: usize, order: Ordering) -> *mut T {
        self.modify(order, |old| old.map_addr(|address| address | bits))
    }

    /// Bitwise and of the address; the old pointer.
    #[track_caller]
    pub fn fetch_and(&self, bits: usize, order: Ordering) -> *mut T {
        self.modify(order, |old| old.map_addr(|address| address & bits))
    }

    /// Bitwise exclusive or of the address; the old pointer.
    #[track_caller]
    pub fn fetch_xor(&self, bits: usize, order: Ordering) -> *mut T {
        self.modify(order, |old| old.map_addr(|address| address ^ bits))
    }

    /// The pointer, read as plain memory: whoever consumes the location must have it to itself.
    #[track_caller]
    pub fn into_inner(self) -> *mut T {
        pointer(self.word.load(MemoryOrder::Plain, Caller::caller()))
    }

    /// The pointer, read and written as plain memory.
    #[track_caller]
    pub fn get_mut(&mut self) -> &mut *mut T
    where
        T: 'static,
    {
        self.word.lend(pointer::<T>, number::<T>, Caller::caller())
    }

    /// As [`Self::get_mut`], for loom's users.
    #[track_caller]
    pub fn with_mut<R>(&mut self, change: impl FnOnce(&mut *mut T) -> R) -> R {
        self.word.change(Caller::caller(), |bits| {
            let mut value = pointer(bits);
            let result = change(&mut value);
            (number(value), result)
        })
    }

    /// The pointer, read as plain memory, as loom has it.
    ///
    /// # Safety
    /// None is needed here: a write at the same time is reported as a data race.
    #[track_caller]
    pub unsafe fn unsync_load(&self) -> *mut T {
        pointer(self.word.load(MemoryOrder::Plain, Caller::caller()))
    }

    /// Waits for a pointer that satisfies `wanted`.
    ///
    /// # Panics
    /// For orders with a release, as [`Self::load`].
    #[track_caller]
    pub fn await_until(&self, order: Ordering, wanted: impl Fn(*mut T) -> bool) -> *mut T {
        let order = MemoryOrder::of_load(order);
        let wanted = |bits| wanted(pointer(bits));
        pointer(self.word.await_until(order, Caller::caller(), wanted))
    }
}

impl<T> Default for AtomicPtr<T> {
    fn default() -> Self {
        Self::new(std::ptr::null_mut())
    }
}

impl<T> From<*mut T> for AtomicPtr<T> {
    fn from(value: *mut T) -> Self {
        Self::new(value)
    }
}
