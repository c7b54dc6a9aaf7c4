//! The synchronising types of `std::sync`, explored.

pub use std::sync::{Arc, LockResult, PoisonError, TryLockError, TryLockResult, Weak};

use crate::explore::program::{MemoryOrder, Op, Wait};
use crate::session;
use std::cell::UnsafeCell;
use std::ops::{Deref, DerefMut};
use std::panic::Location as Caller;

/// Waits until `ready` returns true, without a loop that the explorer would have to
/// unroll: when it returns false and has written nothing, the thread stays blocked until
/// one of its reads can see another write. A condition that writes is tried again like
/// the body of an ordinary loop.
///
/// ```
/// use threadbare_litmus::sync::{Arc, atomic::{AtomicU32, Ordering::Relaxed}, await_until};
/// use threadbare_litmus::{explore, thread};
///
/// let report = explore(|| {
///     let (a, b) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
///     let (a2, b2) = (a.clone(), b.clone());
///     thread::spawn(move || {
///         a2.store(1, Relaxed);
///         b2.store(1, Relaxed);
///     });
///     await_until(|| a.load(Relaxed) + b.load(Relaxed) == 2);
/// });
/// assert_eq!(report.complete, 1);
/// ```
#[track_caller]
pub fn await_until(mut ready: impl FnMut() -> bool) {
    let caller = Caller::caller();
    loop {
        let outer = session::begin_turn();
        let is_ready = ready();
        let turn = session::end_turn(outer);
        if is_ready {
            return;
        }
        if !turn.wrote {
            session::block(Wait::Await, turn.reads, caller);
        }
    }
}

pub mod atomic {
    //! The atomic types of `std::sync::atomic`, explored.

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

                fn location(&self) -> crate::explore::program::Location {
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
                fn update(&self, update: Update, order: Ordering) -> $t {
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
                    self.update(Update::Swap(value as Value), order)
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

                /// As [`Self::compare_exchange`]: spurious failures are not explored.
                ///
                /// # Errors
                /// The value found when it is not `current`.
                #[track_caller]
                pub fn compare_exchange_weak(
                    &self,
                    current: $t,
                    new: $t,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$t, $t> {
                    self.compare_exchange(current, new, success, failure)
                }

                /// Wrapping addition; the old value.
                #[track_caller]
                pub fn fetch_add(&self, value: $t, order: Ordering) -> $t {
                    self.update(Update::Add(value as Value), order)
                }

                /// Wrapping subtraction; the old value.
                #[track_caller]
                pub fn fetch_sub(&self, value: $t, order: Ordering) -> $t {
                    self.update(Update::Sub(value as Value), order)
                }

                /// Bitwise and; the old value.
                #[track_caller]
                pub fn fetch_and(&self, value: $t, order: Ordering) -> $t {
                    self.update(Update::And(value as Value), order)
                }

                /// Bitwise not-and; the old value.
                #[track_caller]
                pub fn fetch_nand(&self, value: $t, order: Ordering) -> $t {
                    self.update(Update::Nand(value as Value), order)
                }

                /// Bitwise or; the old value.
                #[track_caller]
                pub fn fetch_or(&self, value: $t, order: Ordering) -> $t {
                    self.update(Update::Or(value as Value), order)
                }

                /// Bitwise exclusive or; the old value.
                #[track_caller]
                pub fn fetch_xor(&self, value: $t, order: Ordering) -> $t {
                    self.update(Update::Xor(value as Value), order)
                }

                /// Minimum; the old value.
                #[track_caller]
                pub fn fetch_min(&self, value: $t, order: Ordering) -> $t {
                    self.update(Update::$min(value as Value & mask($bits)), order)
                }

                /// Maximum; the old value.
                #[track_caller]
                pub fn fetch_max(&self, value: $t, order: Ordering) -> $t {
                    self.update(Update::$max(value as Value & mask($bits)), order)
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

    /// An atomic `bool`.
    #[derive(Debug)]
    pub struct AtomicBool(AtomicU8);

    impl AtomicBool {
        /// A location holding `value`.
        pub fn new(value: bool) -> Self {
            Self(AtomicU8::new(value.into()))
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
        /// Waits for `value`.
        #[track_caller]
        pub fn await_value(&self, order: Ordering, value: bool) {
            self.0.await_until(order, |v| (v != 0) == value);
        }
    }
}

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
            content: session::create(Some(name), 0, 64),
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

/// A condition variable. A notification wakes every thread that waits at that moment,
/// [`Condvar::notify_one`] too: enough for safety, blind to who is left waiting.
#[derive(Debug)]
pub struct Condvar {
    count: atomic::AtomicU64,
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

impl Condvar {
    /// A condition variable without waiters.
    pub fn new() -> Self {
        Self::named("condvar")
    }

    /// As [`Self::new`], with a name for tables.
    pub fn named(name: &str) -> Self {
        Self {
            count: atomic::AtomicU64::named(0, name),
        }
    }

    /// Gives the mutex up until notified.
    ///
    /// # Errors
    /// Never, as [`Mutex::lock`].
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let mutex = guard.mutex;
        let seen = self.count.load(atomic::Ordering::Relaxed);
        drop(guard);
        self.count
            .await_until(atomic::Ordering::Acquire, |count| count != seen);
        mutex.lock()
    }

    /// Wakes a waiter (and the others, see the type).
    #[track_caller]
    pub fn notify_one(&self) {
        self.notify_all();
    }

    /// Wakes all waiters.
    #[track_caller]
    pub fn notify_all(&self) {
        self.count.fetch_add(1, atomic::Ordering::Release);
    }
}
