//! The atomic types of `std::sync::atomic`, explored.

pub use super::boolean::AtomicBool;
pub use super::pointer::AtomicPtr;
pub use std::sync::atomic::Ordering;

use crate::explore::program::{Op, Update, Value, Wait};
use crate::session;
use std::panic::Location as Caller;

/// An atomic fence.
#[track_caller]
pub fn fence(order: Ordering) {
    session::perform(Op::Fence(order.into()), Caller::caller());
}

const UNNAMED: u32 = u32::MAX;

macro_rules! atomic {
    ($($(#[$doc:meta])* $name:ident $t:ty, $bits:expr, $min:ident $max:ident;)*) => { $(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name {
            location: u32,
            initial: $t,
        }

        impl $name {
            /// A location holding `value`.
            ///
            /// # Panics
            /// Outside an exploration; a `static` is made by [`Self::const_new`].
            pub fn new(value: $t) -> Self {
                let location = session::create(None, value as Value & mask($bits), $bits);
                Self { location, initial: value }
            }

            /// As [`Self::new`], with a name for tables.
            pub fn named(value: $t, name: &str) -> Self {
                let location =
                    session::create(Some(name), value as Value & mask($bits), $bits);
                Self { location, initial: value }
            }

            /// A location in a `static`, which is what it is then known by. It holds
            /// `value` again at the start of every execution.
            pub const fn const_new(value: $t) -> Self {
                Self { location: UNNAMED, initial: value }
            }

            pub(crate) fn location(&self) -> crate::explore::program::Location {
                session::at(match self.location {
                    UNNAMED => session::fixed(
                        std::ptr::from_ref(self).addr(),
                        self.initial as Value & mask($bits),
                        $bits,
                    ),
                    location => location,
                })
            }

            #[track_caller]
            fn apply(&self, update: Update, order: Ordering) {
                let op = Op::Apply { location: self.location(), order: order.into(), update };
                session::perform(op, Caller::caller());
            }

            /// Wrapping addition. Unlike [`Self::fetch_add`] it does not tell the old value,
            /// so that [`Explorer::reduce`](crate::Explorer::reduce) need not order it.
            #[track_caller]
            pub fn add(&self, value: $t, order: Ordering) {
                self.apply(Update::Add(value as Value), order);
            }

            /// Wrapping subtraction, as [`Self::add`].
            #[track_caller]
            pub fn sub(&self, value: $t, order: Ordering) {
                self.apply(Update::Sub(value as Value), order);
            }

            #[track_caller]
            fn modify(&self, update: Update, order: Ordering) -> $t {
                let op = Op::Update { location: self.location(), order: order.into(), update };
                session::perform(op, Caller::caller()) as $t
            }

            /// Atomic load.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $t {
                let op = Op::Load { location: self.location(), order: order.into() };
                session::perform(op, Caller::caller()) as $t
            }

            /// Atomic store.
            #[track_caller]
            pub fn store(&self, value: $t, order: Ordering) {
                let location = self.location();
                let op = Op::Store { location, order: order.into(), value: value as Value & mask($bits) };
                session::perform(op, Caller::caller());
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
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $t,
                new: $t,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$t, $t> {
                let op = Op::CompareExchange {
                    location: self.location(),
                    expected: current as Value & mask($bits),
                    new: new as Value & mask($bits),
                    success: success.into(),
                    failure: failure.into(),
                };
                let old = session::perform(op, Caller::caller()) as $t;
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
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $t,
                new: $t,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$t, $t> {
                if session::fails_spuriously(Caller::caller()) {
                    return Err(self.load(failure));
                }
                self.compare_exchange(current, new, success, failure)
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
                let op = Op::Load {
                    location: self.location(),
                    order: crate::explore::program::MemoryOrder::Plain,
                };
                session::perform(op, Caller::caller()) as $t
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
                self.modify(Update::$min(value as Value & mask($bits)), order)
            }

            /// Maximum; the old value.
            #[track_caller]
            pub fn fetch_max(&self, value: $t, order: Ordering) -> $t {
                self.modify(Update::$max(value as Value & mask($bits)), order)
            }

            /// Waits for a value that satisfies `wanted`, without a loop: the thread
            /// goes on with a write that does, or stays blocked.
            #[track_caller]
            pub fn await_until(&self, order: Ordering, wanted: impl Fn($t) -> bool) -> $t {
                let op = Op::Await { location: self.location(), order: order.into() };
                let value = session::perform(op, Caller::caller()) as $t;
                if !wanted(value) {
                    session::block(Wait::Await, 1, Caller::caller());
                }
                value
            }
        }
    )* };
}

const fn mask(bits: u8) -> Value {
    crate::explore::program::truncate(Value::MAX, bits)
}

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
