//! The atomic `bool`.

use super::atomic::Ordering;
use super::word::Word;
use crate::explore::program::{MemoryOrder, Update, Value};
use std::panic::Location as Caller;

const BITS: u8 = 8;

/// An atomic `bool`.
#[derive(Debug)]
pub struct AtomicBool(Word);

impl AtomicBool {
    /// A location holding `value`.
    ///
    /// # Panics
    /// Outside an exploration; a `static` is made by [`Self::const_new`].
    pub fn new(value: bool) -> Self {
        Self(Word::new(None, value.into(), BITS))
    }

    /// As [`Self::new`], with a name for tables.
    pub fn named(value: bool, name: &str) -> Self {
        Self(Word::new(Some(name), value.into(), BITS))
    }

    /// A location in a `static`.
    pub const fn const_new(value: bool) -> Self {
        Self(Word::fixed(value as Value, BITS))
    }

    /// Atomic load.
    ///
    /// # Panics
    /// For orders with a release, as `std`'s.
    #[track_caller]
    pub fn load(&self, order: Ordering) -> bool {
        self.0.load(MemoryOrder::of_load(order), Caller::caller()) != 0
    }

    /// Atomic store.
    ///
    /// # Panics
    /// For orders with an acquire, as `std`'s.
    #[track_caller]
    pub fn store(&self, value: bool, order: Ordering) {
        let order = MemoryOrder::of_store(order);
        self.0.store(value.into(), order, Caller::caller());
    }

    #[track_caller]
    fn modify(&self, update: Update, order: Ordering) -> bool {
        self.0.update(update, order.into(), Caller::caller()) != 0
    }

    /// Atomic exchange; the old value.
    #[track_caller]
    pub fn swap(&self, value: bool, order: Ordering) -> bool {
        self.modify(Update::Swap(value.into()), order)
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
        current: bool,
        new: bool,
        success: Ordering,
        failure: Ordering,
    ) -> Result<bool, bool> {
        let orders = [success.into(), MemoryOrder::of_failure(failure)];
        let values = [current.into(), new.into()];
        let old = self.0.exchange(values, orders, Caller::caller()) != 0;
        if old == current { Ok(old) } else { Err(old) }
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
        current: bool,
        new: bool,
        success: Ordering,
        failure: Ordering,
    ) -> Result<bool, bool> {
        let orders = [success.into(), MemoryOrder::of_failure(failure)];
        let values = [current.into(), new.into()];
        match self.0.exchange_weak(values, orders, Caller::caller()) {
            (old, true) => Ok(old != 0),
            (old, false) => Err(old != 0),
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
        mut f: impl FnMut(bool) -> Option<bool>,
    ) -> Result<bool, bool> {
        let mut old = self.load(fetch);
        while let Some(new) = f(old) {
            match self.compare_exchange_weak(old, new, set, fetch) {
                Ok(old) => return Ok(old),
                Err(found) => old = found,
            }
        }
        Err(old)
    }

    /// Logical and; the old value.
    #[track_caller]
    pub fn fetch_and(&self, value: bool, order: Ordering) -> bool {
        self.modify(Update::And(value.into()), order)
    }

    /// Logical not-and; the old value.
    #[track_caller]
    pub fn fetch_nand(&self, value: bool, order: Ordering) -> bool {
        match value {
            true => self.modify(Update::Xor(1), order),
            false => self.modify(Update::Swap(1), order),
        }
    }

    /// Logical or; the old value.
    #[track_caller]
    pub fn fetch_or(&self, value: bool, order: Ordering) -> bool {
        self.modify(Update::Or(value.into()), order)
    }

    /// Logical exclusive or; the old value.
    #[track_caller]
    pub fn fetch_xor(&self, value: bool, order: Ordering) -> bool {
        self.modify(Update::Xor(value.into()), order)
    }

    /// Logical not; the old value.
    #[track_caller]
    pub fn fetch_not(&self, order: Ordering) -> bool {
        self.fetch_xor(true, order)
    }

    /// The value, read as plain memory: whoever consumes the location must have it to itself.
    #[track_caller]
    pub fn into_inner(self) -> bool {
        self.0.load(MemoryOrder::Plain, Caller::caller()) != 0
    }

    /// The value, read and written as plain memory.
    #[track_caller]
    pub fn get_mut(&mut self) -> &mut bool {
        self.0.lend(|bits| bits != 0, Value::from, Caller::caller())
    }

    /// As [`Self::get_mut`], for loom's users.
    #[track_caller]
    pub fn with_mut<R>(&mut self, change: impl FnOnce(&mut bool) -> R) -> R {
        self.0.change(Caller::caller(), |bits| {
            let mut value = bits != 0;
            let result = change(&mut value);
            (value.into(), result)
        })
    }

    /// The value, read as plain memory, as loom has it.
    ///
    /// # Safety
    /// None is needed here: a write at the same time is reported as a data race.
    #[track_caller]
    pub unsafe fn unsync_load(&self) -> bool {
        self.0.load(MemoryOrder::Plain, Caller::caller()) != 0
    }

    /// Waits for `value`.
    ///
    /// # Panics
    /// For orders with a release, as [`Self::load`].
    #[track_caller]
    pub fn await_value(&self, order: Ordering, value: bool) {
        let order = MemoryOrder::of_load(order);
        self.0
            .await_until(order, Caller::caller(), |bits| (bits != 0) == value);
    }
}

impl Default for AtomicBool {
    fn default() -> Self {
        Self::new(false)
    }
}

impl From<bool> for AtomicBool {
    fn from(value: bool) -> Self {
        Self::new(value)
    }
}
