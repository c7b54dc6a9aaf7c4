//! Explored threads that come to no operation: a fault that names them, not a hanging process.

use std::hint::black_box;
use std::sync::Mutex;
use std::time::Duration;
use threadbare_litmus::explore::{FailureKind, Report};
use threadbare_litmus::observe::assume;
use threadbare_litmus::sync::Arc;
use threadbare_litmus::sync::atomic::AtomicU32;
use threadbare_litmus::sync::atomic::Ordering::Relaxed;
use threadbare_litmus::{Explorer, thread};

fn check(program: impl Fn() + Send + Sync + 'static) -> Report {
    let explorer = Explorer::new().patience(Duration::from_millis(300));
    explorer.check(program)
}

fn fails(report: Report, kind: FailureKind, words: &str) {
    let failure = report.failure.expect("a fault");
    assert_eq!(failure.kind, kind, "{}", failure.message);
    assert!(failure.message.contains(words), "{}", failure.message);
    assert!(!std::thread::panicking());
}

fn for_ever() {
    loop {
        black_box(());
    }
}

#[test]
fn a_loop_without_an_operation_is_a_fault_of_its_thread() {
    let report = check(|| {
        let x = Arc::new(AtomicU32::named(0, "x"));
        let y = x.clone();
        thread::spawn(move || {
            if y.load(Relaxed) == 1 {
                for_ever();
            }
        });
        x.store(1, Relaxed);
    });
    fails(report, FailureKind::Assertion, "T1 goes on for 300ms");
}

#[test]
fn an_empty_loop_before_anything_else_is_a_fault() {
    #[expect(clippy::empty_loop, reason = "what is tested")]
    let report = check(|| loop {});
    fails(report, FailureKind::Assertion, "main goes on for 300ms");
}

#[test]
fn a_lock_of_std_that_another_explored_thread_holds_is_a_fault() {
    let report = check(|| {
        let lock = std::sync::Arc::new(Mutex::new(0));
        let x = Arc::new(AtomicU32::named(0, "x"));
        let (other, y) = (lock.clone(), x.clone());
        let thread = thread::spawn(move || {
            let mut held = other.lock().unwrap();
            y.store(1, Relaxed);
            *held += 1;
        });
        x.load(Relaxed);
        *lock.lock().unwrap() += 1;
        thread.join().unwrap();
    });
    // Whoever comes first gets the lock, which no answer explains.
    fails(report, FailureKind::Program, "a lock of std that another");
}

/// Never done with being dropped.
struct Stays;

impl Drop for Stays {
    fn drop(&mut self) {
        for_ever();
    }
}

#[test]
fn a_destructor_that_never_ends_is_a_fault_in_a_run_that_is_given_up() {
    let report = check(|| {
        let x = Arc::new(AtomicU32::named(0, "x"));
        let y = x.clone();
        thread::spawn(move || {
            y.store(1, Relaxed);
            y.store(2, Relaxed);
        });
        let stays = Stays;
        // A run that finds another value goes no further.
        assume(x.load(Relaxed) == 2);
        std::mem::forget(stays);
    });
    fails(
        report,
        FailureKind::Program,
        "in a destructor, in a run that is given up, main goes on",
    );
}

#[test]
fn a_thread_that_computes_for_long_is_no_fault() {
    let report = Explorer::new().check(|| {
        let x = Arc::new(AtomicU32::named(0, "x"));
        let y = x.clone();
        thread::spawn(move || y.store(1, Relaxed));
        let sum: u64 = (0..2_000_000_u64).map(black_box).sum();
        x.store(sum as u32, Relaxed);
    });
    assert!(
        report.failure.is_none() && report.exhaustive,
        "{:?}",
        report.failure
    );
    assert_eq!(report.complete, 2);
}
