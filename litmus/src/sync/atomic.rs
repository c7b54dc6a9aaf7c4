//! The atomic types of `std::sync::atomic`, explored.
//!
//! Orders that `std` refuses are refused, in its words. `const fn new` cannot create a
//! location in an execution: for a `static` there is `const_new`, otherwise `new`.

pub use super::boolean::AtomicBool;
pub use super::pointer::AtomicPtr;
pub use std::sync::atomic::Ordering;

use super::word::Word;
use crate::explore::program::{MemoryOrder, Op, Update, Value};
use crate::session;
use std::panic::Location as Caller;

/// An atomic fence.
///
/// # Panics
/// For [`Ordering::Relaxed`], as `std`'s.
#[track_caller]
pub fn fence(order: Ordering) {
    session::perform(Op::Fence(MemoryOrder::of_fence(order)), Caller::caller());
}

/// A fence for the compiler only: nothing, since the model has no compiler that reorders
/// what a thread does for its own signal handlers.
///
/// # Panics
/// For [`Ordering::Relaxed`], as `std`'s.
#[track_caller]
pub fn compiler_fence(order: Ordering) {
    MemoryOrder::of_fence(order);
}

macro_rules! atomic {
    ($($(#[$doc:meta])* $name:ident $t:ty, $bits:expr, $min:ident $max:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(Word);

        impl $name {
            /// A location holding `value`.
            ///
            /// # Panics
            /// Outside an exploration; a `static` is made by [`Self::const_new`].
            pub fn new(value: $t) -> Self {
                Self(Word::new(None, value as Value, $bits))
            }

            /// As [`Self::new`], with a name for tables.
            pub fn named(value: $t, name: &str) -> Self {
                Self(Word::new(Some(name), value as Value, $bits))
            }

            /// A location in a `static`, which is what it is then known by. It holds
            /// `value` again at the start of every execution.
            pub const fn const_new(value: $t) -> Self {
                Self(Word::fixed(value as Value, $bits))
            }

            /// Wrapping addition. Unlike [`Self::fetch_add`] it does not tell the old value,
            /// so that [`Explorer::reduce`](crate::Explorer::reduce) need not order it.
            #[track_caller]
            pub fn add(&self, value: $t, order: Ordering) {
                self.0.apply(Update::Add(value as Value), order.into(), Caller::caller());
            }

            /// Wrapping subtraction, as [`Self::add`].
            #[track_caller]
            pub fn sub(&self, value: $t, order: Ordering) {
                self.0.apply(Update::Sub(value as Value), order.into(), Caller::caller());
            }

            #[track_caller]
            fn modify(&self, update: Update, order: Ordering) -> $t {
                self.0.update(update, order.into(), Caller::caller()) as $t
            }

            /// Atomic load.
            ///
            /// # Panics
            /// For orders with a release, as `std`'s.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $t {
                self.0.load(MemoryOrder::of_load(order), Caller::caller()) as $t
            }

            /// Atomic store.
            ///
            /// # Panics
            /// For orders with an acquire, as `std`'s.
            #[track_caller]
            pub fn store(&self, value: $t, order: Ordering) {
                self.0.store(value as Value, MemoryOrder::of_store(order), Caller::caller());
            }

            /// Atomic exchange; the old value.
            #[track_caller]
            pub fn swap(&self, value: $t, order: Ordering) -> $t {
                self.modify(Update::Swap(value as Value), order)
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
                current: $t,
                new: $t,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$t, $t> {
                let orders = [success.into(), MemoryOrder::of_failure(failure)];
                let values = [current as Value, new as Value];
                let old = self.0.exchange(values, orders, Caller::caller()) as $t;
                if old == current { Ok(old) } else { Err(old) }
            }

            /// As [`Self::compare_exchange`], but it may fail although the value is
            /// `current`: as often as [`Explorer::spurious_failures`] says, which is
            /// never unless set.
            ///
            /// [`Explorer::spurious_failures`]: crate::Explorer::spurious_failures
            ///
            /// # Errors
            /// The value found when the exchange failed.
            ///
            /// # Panics
            /// For a `failure` with a release, as `std`'s.
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $t,
                new: $t,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$t, $t> {
                let orders = [success.into(), MemoryOrder::of_failure(failure)];
                let values = [current as Value, new as Value];
                match self.0.exchange_weak(values, orders, Caller::caller()) {
                    (old, true) => Ok(old as $t),
                    (old, false) => Err(old as $t),
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
                mut f: impl FnMut($t) -> Option<$t>,
            ) -> Result<$t, $t> {
                let mut old = self.load(fetch);
                while let Some(new) = f(old) {
                    match self.compare_exchange_weak(old, new, set, fetch) {
                        Ok(old) => return Ok(old),
                        Err(found) => old = found,
                    }
                }
                Err(old)
            }

            /// As [`Self::fetch_update`].
            ///
            /// # Errors
            /// The value for which `f` returned nothing.
            #[track_caller]
            pub fn try_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                f: impl FnMut($t) -> Option<$t>,
            ) -> Result<$t, $t> {
                self.fetch_update(set, fetch, f)
            }

            /// As [`Self::fetch_update`] with an update that always applies; the old
            /// value.
            #[track_caller]
            pub fn update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut f: impl FnMut($t) -> $t,
            ) -> $t {
                match self.fetch_update(set, fetch, |old| Some(f(old))) {
                    Ok(old) | Err(old) => old,
                }
            }

            /// The value, read as plain memory: whoever consumes the location must have
            /// it to itself.
            #[track_caller]
            pub fn into_inner(self) -> $t {
                self.0.load(MemoryOrder::Plain, Caller::caller()) as $t
            }

            /// The value, read and written as plain memory.
            #[track_caller]
            pub fn get_mut(&mut self) -> &mut $t {
                self.0.lend(|bits| bits as $t, |value| truncated(value as Value, $bits), Caller::caller())
            }

            /// As [`Self::get_mut`], for loom's users.
            #[track_caller]
            pub fn with_mut<R>(&mut self, change: impl FnOnce(&mut $t) -> R) -> R {
                self.0.change(Caller::caller(), |bits| {
                    let mut value = bits as $t;
                    let result = change(&mut value);
                    (truncated(value as Value, $bits), result)
                })
            }

            /// The value, read as plain memory, as loom has it.
            ///
            /// # Safety
            /// None is needed here: a write at the same time is reported as a data race.
            #[track_caller]
            pub unsafe fn unsync_load(&self) -> $t {
                self.0.load(MemoryOrder::Plain, Caller::caller()) as $t
            }

            /// Wrapping addition; the old value.
            #[track_caller]
            pub fn fetch_add(&self, value: $t, order: Ordering) -> $t {
                self.modify(Update::Add(value as Value), order)
            }

            /// Wrapping subtraction; the old value.
            #[track_caller]
            pub fn fetch_sub(&self, value: $t, order: Ordering) -> $t {
                self.modify(Update::Sub(value as Value), order)
            }

            /// Bitwise and; the old value.
            #[track_caller]
            pub fn fetch_and(&self, value: $t, order: Ordering) -> $t {
                self.modify(Update::And(value as Value), order)
            }

            /// Bitwise not-and; the old value.
            #[track_caller]
            pub fn fetch_nand(&self, value: $t, order: Ordering) -> $t {
                self.modify(Update::Nand(value as Value), order)
            }

            /// Bitwise or; the old value.
            #[track_caller]
            pub fn fetch_or(&self, value: $t, order: Ordering) -> $t {
                self.modify(Update::Or(value as Value), order)
            }

            /// Bitwise exclusive or; the old value.
            #[track_caller]
            pub fn fetch_xor(&self, value: $t, order: Ordering) -> $t {
                self.modify(Update::Xor(value as Value), order)
            }

            /// Minimum; the old value.
            #[track_caller]
            pub fn fetch_min(&self, value: $t, order: Ordering) -> $t {
                self.modify(Update::$min(truncated(value as Value, $bits)), order)
            }

            /// Maximum; the old value.
            #[track_caller]
            pub fn fetch_max(&self, value: $t, order: Ordering) -> $t {
                self.modify(Update::$max(truncated(value as Value, $bits)), order)
            }

            /// Waits for a value that satisfies `wanted`, without a loop: the thread
            /// goes on with a write that does, or stays blocked.
            ///
            /// # Panics
            /// For orders with a release, as [`Self::load`].
            #[track_caller]
            pub fn await_until(&self, order: Ordering, wanted: impl Fn($t) -> bool) -> $t {
                let order = MemoryOrder::of_load(order);
                self.0.await_until(order, Caller::caller(), |bits| wanted(bits as $t)) as $t
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new(0)
            }
        }

        impl From<$t> for $name {
            fn from(value: $t) -> Self {
                Self::new(value)
            }
        }
    )* };
}

use crate::explore::program::truncate as truncated;

atomic! {
    /// An atomic `u8`.
    AtomicU8 u8, 8, Min Max;
    /// An atomic `u16`.
    AtomicU16 u16, 16, Min Max;
    /// An atomic `u32`.
    AtomicU32 u32, 32, Min Max;
    /// An atomic `u64`.
    AtomicU64 u64, 64, Min Max;
    /// An atomic `usize`.
    AtomicUsize usize, usize::BITS as u8, Min Max;
    /// An atomic `i8`.
    AtomicI8 i8, 8, MinSigned MaxSigned;
    /// An atomic `i16`.
    AtomicI16 i16, 16, MinSigned MaxSigned;
    /// An atomic `i32`.
    AtomicI32 i32, 32, MinSigned MaxSigned;
    /// An atomic `i64`.
    AtomicI64 i64, 64, MinSigned MaxSigned;
    /// An atomic `isize`.
    AtomicIsize isize, isize::BITS as u8, MinSigned MaxSigned;
}
