//! Counters and stacks in Rust by PyO3, for a VM with or without a GIL; each faulty one beside its
//! repaired twin.

use pyo3::prelude::*;
use std::cell::UnsafeCell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

struct Unguarded(UnsafeCell<i64>);

// SAFETY: none. This is the fault: two threads read and write at once.
unsafe impl Sync for Unguarded {}

/// Reads, works and writes: without a GIL an update of two threads is lost.
#[pyclass(frozen)]
struct Tally(Unguarded);

#[pymethods]
impl Tally {
    #[new]
    fn new() -> Self {
        Self(Unguarded(UnsafeCell::new(0)))
    }

    fn add(&self, k: i64) {
        let n = self.0.0.get();
        // SAFETY: the pointer is the cell's own; that nobody else writes is what does not hold.
        let before = unsafe { n.read_volatile() };
        for _ in 0..50 {
            std::hint::spin_loop();
        }
        // SAFETY: as above.
        unsafe { n.write_volatile(before + k) };
    }

    fn value(&self) -> i64 {
        // SAFETY: as above.
        unsafe { self.0.0.get().read_volatile() }
    }
}

#[pyclass(frozen)]
struct Atomic(AtomicI64);

#[pymethods]
impl Atomic {
    #[new]
    fn new() -> Self {
        Self(AtomicI64::new(0))
    }

    fn add(&self, k: i64) {
        self.0.fetch_add(k, SeqCst);
    }

    fn value(&self) -> i64 {
        self.0.load(SeqCst)
    }
}

/// Lets PyO3 keep threads apart, which answers the one that comes second with an exception.
#[pyclass]
struct Guarded(i64);

#[pymethods]
impl Guarded {
    #[new]
    fn new() -> Self {
        Self(0)
    }

    fn add(&mut self, k: i64) {
        for _ in 0..50 {
            std::hint::spin_loop();
        }
        self.0 += k;
    }

    fn value(&self) -> i64 {
        self.0
    }
}

/// Looks whether there is an item under one lock and takes it under another: a panic that one thread never sees.
#[pyclass(frozen)]
struct Panicky(Mutex<Vec<i64>>);

#[pymethods]
impl Panicky {
    #[new]
    fn new() -> Self {
        Self(Mutex::new(vec![1]))
    }

    fn pop(&self) -> Option<i64> {
        if self.0.lock().unwrap().is_empty() {
            return None;
        }
        for _ in 0..50 {
            std::hint::spin_loop();
        }
        // Apart, for a panic below must not poison the lock.
        let item = self.0.lock().unwrap().pop();
        Some(item.expect("an item"))
    }
}

#[pyclass(frozen)]
struct Steady(Mutex<Vec<i64>>);

#[pymethods]
impl Steady {
    #[new]
    fn new() -> Self {
        Self(Mutex::new(vec![1]))
    }

    fn pop(&self) -> Option<i64> {
        self.0.lock().unwrap().pop()
    }
}

#[pymodule(gil_used = false)]
mod racyrs {
    #[pymodule_export]
    use super::{Atomic, Guarded, Panicky, Steady, Tally};
}
