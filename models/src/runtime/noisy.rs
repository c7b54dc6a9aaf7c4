//! Atomics that sometimes wait a little before they act.
//!
//! Real threads that start together and do three operations each seldom meet between two
//! instructions of a scheme. A short delay of random length before every fourth access
//! makes them (noise injection, after IBM's ConTest). It adds no ordering: a spin, or a
//! call of the system that knows nothing of the location.

use super::{Atomic, Label, Ordering, Word};
use std::cell::Cell;
use std::sync::atomic::AtomicU32;

/// An atomic location with noise before each access.
pub struct Noisy<A>(A);

thread_local! {
    static STATE: Cell<u32> = Cell::new(first());
}

/// Where a thread's delays begin: threads are numbered, so that runs are alike.
fn first() -> u32 {
    static THREADS: AtomicU32 = AtomicU32::new(1);
    // Relaxed: any number will do.
    THREADS.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9) | 1
}

/// The next number of this thread's sequence.
pub(super) fn random() -> u32 {
    STATE.with(|state| {
        // xorshift32 (Marsaglia 2003).
        let mut x = state.get();
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        state.set(x);
        x
    })
}

fn noise() {
    let next = random();
    match next % 32 {
        0 => std::thread::yield_now(),
        1..8 => (0..next >> 8 & 0x1FF).for_each(|_| std::hint::spin_loop()),
        _ => {}
    }
}

impl<T: Word, A: Atomic<T>> Atomic<T> for Noisy<A> {
    fn new(value: T, label: impl Into<Label>) -> Self {
        Self(A::new(value, label))
    }
    fn load(&self, order: Ordering) -> T {
        noise();
        self.0.load(order)
    }
    fn store(&self, value: T, order: Ordering) {
        noise();
        self.0.store(value, order);
    }
    fn swap(&self, value: T, order: Ordering) -> T {
        noise();
        self.0.swap(value, order)
    }
    fn compare_exchange(&self, current: T, new: T, ok: Ordering, err: Ordering) -> Result<T, T> {
        noise();
        self.0.compare_exchange(current, new, ok, err)
    }
    fn fetch_add(&self, value: T, order: Ordering) -> T {
        noise();
        self.0.fetch_add(value, order)
    }
    fn fetch_sub(&self, value: T, order: Ordering) -> T {
        noise();
        self.0.fetch_sub(value, order)
    }
    fn fetch_or(&self, value: T, order: Ordering) -> T {
        noise();
        self.0.fetch_or(value, order)
    }
    fn fetch_and(&self, value: T, order: Ordering) -> T {
        noise();
        self.0.fetch_and(value, order)
    }
}
