//! The atomic `bool`.

use super::atomic::{AtomicU8, Ordering};

/// An atomic `bool`.
#[derive(Debug)]
pub struct AtomicBool(AtomicU8);

impl AtomicBool {
    /// A location holding `value`.
    pub fn new(value: bool) -> Self {
        Self(AtomicU8::new(value.into()))
    }
    /// As [`Self::new`], with a name for tables.
    pub fn named(value: bool, name: &str) -> Self {
        Self(AtomicU8::named(value.into(), name))
    }
    /// A location in a `static`.
    pub const fn const_new(value: bool) -> Self {
        Self(AtomicU8::const_new(value as u8))
    }
    /// Atomic load.
    #[track_caller]
    pub fn load(&self, order: Ordering) -> bool {
        self.0.load(order) != 0
    }
    /// Atomic store.
    #[track_caller]
    pub fn store(&self, value: bool, order: Ordering) {
        self.0.store(value.into(), order);
    }
    /// Atomic exchange; the old value.
    #[track_caller]
    pub fn swap(&self, value: bool, order: Ordering) -> bool {
        self.0.swap(value.into(), order) != 0
    }
    /// Compare and exchange.
    ///
    /// # Errors
    /// The value found when it is not `current`.
    #[track_caller]
    pub fn compare_exchange(
        &self,
        current: bool,
        new: bool,
        success: Ordering,
        failure: Ordering,
    ) -> Result<bool, bool> {
        self.0
            .compare_exchange(current.into(), new.into(), success, failure)
            .map(|v| v != 0)
            .map_err(|v| v != 0)
    }
    /// As [`Self::compare_exchange`], with spurious failures where they are explored.
    ///
    /// # Errors
    /// The value found when the exchange failed.
    #[track_caller]
    pub fn compare_exchange_weak(
        &self,
        current: bool,
        new: bool,
        success: Ordering,
        failure: Ordering,
    ) -> Result<bool, bool> {
        self.0
            .compare_exchange_weak(current.into(), new.into(), success, failure)
            .map(|v| v != 0)
            .map_err(|v| v != 0)
    }
    /// Logical and; the old value.
    #[track_caller]
    pub fn fetch_and(&self, value: bool, order: Ordering) -> bool {
        self.0.fetch_and(value.into(), order) != 0
    }
    /// Logical or; the old value.
    #[track_caller]
    pub fn fetch_or(&self, value: bool, order: Ordering) -> bool {
        self.0.fetch_or(value.into(), order) != 0
    }
    /// Logical exclusive or; the old value.
    #[track_caller]
    pub fn fetch_xor(&self, value: bool, order: Ordering) -> bool {
        self.0.fetch_xor(value.into(), order) != 0
    }
    /// Logical not; the old value.
    #[track_caller]
    pub fn fetch_not(&self, order: Ordering) -> bool {
        self.fetch_xor(true, order)
    }
    /// Waits for `value`.
    #[track_caller]
    pub fn await_value(&self, order: Ordering, value: bool) {
        self.0.await_until(order, |v| (v != 0) == value);
    }
}
