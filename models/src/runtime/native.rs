//! Plain `std`: the subject of benchmarks ([`Native`]) and of native stress, under the
//! observer ([`Watched`]) or under AddressSanitizer ([`Allocated`]).

use super::noisy::{self, Noisy};
use super::*;
use crate::ghost::{Blind, Block, Observed};
use std::cell::UnsafeCell;
use std::sync as s;
use std::sync::atomic as a;

/// The standard library and nothing else. Every method is a direct call, labels and
/// source lines vanish, the ghost is a unit type.
#[derive(Clone, Copy)]
pub struct Native;

/// [`Native`] with the observer switched on: real threads, real hardware, and the same
/// properties as in the model engines. Ghost words are relaxed atomics: they add no
/// ordering of their own, though on x86 their read-modify-writes are full fences.
#[derive(Clone, Copy)]
pub struct Watched;

/// [`Native`] with every object in a heap block of its own, no observer but the allocator,
/// and noise before atomics: for AddressSanitizer. A fault planted here is undefined behaviour.
#[derive(Clone, Copy)]
pub struct Allocated;

macro_rules! atomics {
    ($($name:ident: $t:ty),*) => { $(impl Atomic<$t> for a::$name {
        #[inline(always)]
        fn new(value: $t, _: impl Into<Label>) -> Self { a::$name::new(value) }
        #[inline(always)]
        fn load(&self, order: Ordering) -> $t { self.load(order) }
        #[inline(always)]
        fn store(&self, value: $t, order: Ordering) { self.store(value, order) }
        #[inline(always)]
        fn swap(&self, value: $t, order: Ordering) -> $t { self.swap(value, order) }
        #[inline(always)]
        fn compare_exchange(&self, current: $t, new: $t, ok: Ordering, err: Ordering) -> Result<$t, $t> {
            self.compare_exchange(current, new, ok, err)
        }
        #[inline(always)]
        fn fetch_add(&self, value: $t, order: Ordering) -> $t { self.fetch_add(value, order) }
        #[inline(always)]
        fn fetch_sub(&self, value: $t, order: Ordering) -> $t { self.fetch_sub(value, order) }
        #[inline(always)]
        fn fetch_or(&self, value: $t, order: Ordering) -> $t { self.fetch_or(value, order) }
        #[inline(always)]
        fn fetch_and(&self, value: $t, order: Ordering) -> $t { self.fetch_and(value, order) }
    })* };
}
atomics!(AtomicU8: u8, AtomicU32: u32, AtomicU64: u64, AtomicI64: i64, AtomicUsize: usize);

/// Bare memory.
pub struct Plain<T>(UnsafeCell<T>);

// SAFETY: the schemes promise that conflicting accesses are ordered; that promise is
// what the model engines check, mutants never run on this cell.
unsafe impl<T: Send> Sync for Plain<T> {}

impl<T: Word> DataCell<T> for Plain<T> {
    fn new(value: T, _: impl Into<Label>) -> Self {
        Self(UnsafeCell::new(value))
    }
    #[inline(always)]
    fn read(&self) -> T {
        // SAFETY: no concurrent writer, by the promise above.
        unsafe { *self.0.get() }
    }
    #[inline(always)]
    fn write(&self, value: T) {
        // SAFETY: no concurrent access, by the promise above.
        unsafe { *self.0.get() = value }
    }
}

/// Plain memory whose races are harmless: schemes with a planted fault run on it.
pub struct Tolerant<T>(a::AtomicU64, std::marker::PhantomData<fn(T)>);

impl<T: Word + Default> DataCell<T> for Tolerant<T> {
    fn new(value: T, _: impl Into<Label>) -> Self {
        Self(a::AtomicU64::new(bits(value)), std::marker::PhantomData)
    }
    #[inline]
    fn read(&self) -> T {
        let raw = self.0.load(Ordering::Relaxed);
        let mut value = T::default();
        // SAFETY: `Word` is implemented for integers of at most eight bytes, for which
        // every bit pattern is valid; the source holds the bytes that `bits` stored.
        unsafe {
            std::ptr::copy_nonoverlapping(
                (&raw const raw).cast::<u8>(),
                (&raw mut value).cast::<u8>(),
                size_of::<T>(),
            );
        }
        value
    }
    #[inline]
    fn write(&self, value: T) {
        self.0.store(bits(value), Ordering::Relaxed);
    }
}

fn bits<T: Word>(value: T) -> u64 {
    const { assert!(size_of::<T>() <= 8) };
    let mut raw = 0u64;
    // SAFETY: `T` is an integer of at most eight bytes, so all its bytes are
    // initialised and fit.
    unsafe {
        std::ptr::copy_nonoverlapping(
            (&raw const value).cast::<u8>(),
            (&raw mut raw).cast::<u8>(),
            size_of::<T>(),
        );
    }
    raw
}

impl<T: Send + 'static> Lock<T> for s::Mutex<T> {
    type Guard<'a> = s::MutexGuard<'a, T>;
    fn new(value: T, _: impl Into<Label>) -> Self {
        s::Mutex::new(value)
    }
    #[inline(always)]
    fn lock(&self) -> s::MutexGuard<'_, T> {
        // A poisoned mutex means that another thread already reported a violation.
        self.lock().unwrap_or_else(s::PoisonError::into_inner)
    }
}

impl Signal for s::Condvar {
    fn new(_: impl Into<Label>) -> Self {
        s::Condvar::new()
    }
    fn notify_one(&self) {
        self.notify_one();
    }
    fn notify_all(&self) {
        self.notify_all();
    }
}

impl Join for std::thread::JoinHandle<()> {
    fn join(self) {
        if let Err(panic) = self.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Unpark for std::thread::Thread {
    fn unpark(&self) {
        self.unpark();
    }
}

thread_local! {
    static ANCHOR: u8 = const { 0 };
}

/// How long a wait with a time limit waits.
const LIMIT: std::time::Duration = std::time::Duration::from_millis(1);

/// An atomic of `std` as it is.
type Direct<A> = A;

macro_rules! native {
    ($name:ident, $atomic:ident, $cell:ident, $ghost:ty, $observed:literal) => {
        impl Runtime for $name {
            const OBSERVED: bool = $observed;
            type AtomicU8 = $atomic<a::AtomicU8>;
            type AtomicU32 = $atomic<a::AtomicU32>;
            type AtomicU64 = $atomic<a::AtomicU64>;
            type AtomicI64 = $atomic<a::AtomicI64>;
            type AtomicUsize = $atomic<a::AtomicUsize>;
            type Cell<T: Word + Default> = $cell<T>;
            type Mutex<T: Send + 'static> = s::Mutex<T>;
            type Condvar = s::Condvar;
            type Handle = std::thread::JoinHandle<()>;
            type Thread = std::thread::Thread;
            type Ghost = $ghost;

            fn is_model() -> bool {
                false
            }
            fn is_sequential() -> bool {
                false
            }
            #[inline(always)]
            fn fence(order: Ordering) {
                a::fence(order);
            }
            fn spawn(body: impl FnOnce() + Send + 'static) -> Self::Handle {
                std::thread::spawn(body)
            }
            #[inline]
            fn yield_now() {
                std::thread::yield_now();
            }
            fn await_until(mut ready: impl FnMut() -> bool) {
                let mut spins = 0u32;
                while !ready() {
                    spins += 1;
                    if spins % 64 == 0 { std::thread::yield_now() } else { std::hint::spin_loop() }
                }
            }
            // The address of a thread-local variable: distinct among live threads, and
            // one instruction away, as in CPython's `_Py_ThreadId`.
            #[inline(always)]
            fn thread_id() -> usize {
                ANCHOR.with(|anchor| std::ptr::from_ref(anchor) as usize)
            }
            fn current() -> Self::Thread {
                std::thread::current()
            }
            fn park() {
                std::thread::park();
            }
            fn wait<'a, T: Send + 'static>(
                condvar: &Self::Condvar,
                _: &'a Self::Mutex<T>,
                guard: Guard<'a, Self, T>,
            ) -> Guard<'a, Self, T> {
                condvar.wait(guard).unwrap_or_else(s::PoisonError::into_inner)
            }
            fn wait_timeout<'a, T: Send + 'static>(
                condvar: &Self::Condvar,
                _: &'a Self::Mutex<T>,
                guard: Guard<'a, Self, T>,
            ) -> (Guard<'a, Self, T>, bool) {
                let ended = condvar.wait_timeout(guard, LIMIT);
                let (guard, ended) = ended.unwrap_or_else(s::PoisonError::into_inner);
                (guard, ended.timed_out())
            }
            fn park_timeout() {
                std::thread::park_timeout(LIMIT);
            }
            fn choose(ways: usize) -> usize {
                noisy::random() as usize % ways
            }
        }
    };
}
native!(Native, Direct, Plain, Blind, false);
native!(Watched, Direct, Tolerant, Observed, true);
native!(Allocated, Noisy, Tolerant, Block, true);
