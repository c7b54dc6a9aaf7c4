//! Waits: a loop that only reads is one execution, whatever it waits for.

#[path = "support/closures.rs"]
mod support;

use support::{check, passes};
use threadbare_litmus::explore::FailureKind;
use threadbare_litmus::sync::atomic::AtomicU32;
use threadbare_litmus::sync::atomic::Ordering::Relaxed;
use threadbare_litmus::sync::{Arc, await_until};
use threadbare_litmus::thread;

#[test]
fn a_wait_for_two_locations_is_one_execution() {
    let report = passes(|| {
        let (a, b) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let (a2, b2) = (a.clone(), b.clone());
        thread::spawn(move || {
            a2.store(1, Relaxed);
            b2.store(1, Relaxed);
        });
        await_until(|| a.load(Relaxed) == 1 && b.load(Relaxed) == 1);
    });
    assert_eq!(report.complete, 1);
}

#[test]
fn a_loop_that_only_reads_is_recognised() {
    let report = passes(|| {
        let x = Arc::new(AtomicU32::new(0));
        let y = x.clone();
        thread::spawn(move || y.store(1, Relaxed));
        while x.load(Relaxed) == 0 {}
    });
    assert_eq!(report.spins.len(), 1, "{:?}", report.spins);
    let report = check(|| {
        let x = AtomicU32::named(0, "x");
        while x.load(Relaxed) == 0 {
            thread::yield_now();
        }
    });
    let failure = report.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Deadlock);
    assert!(
        failure.message.contains("x = 0, never written"),
        "{}",
        failure.message
    );
}

#[test]
fn a_loop_that_gives_up_is_run_as_it_is() {
    let report = passes(|| {
        let x = Arc::new(AtomicU32::new(0));
        let y = x.clone();
        thread::spawn(move || y.store(1, Relaxed));
        for _ in 0..5 {
            if x.load(Relaxed) == 1 {
                return;
            }
        }
        x.store(2, Relaxed);
    });
    // The flag at one of five looks, or not: then the stores come in two orders.
    assert_eq!((report.complete, report.spins.len()), (7, 0));
}

#[test]
fn the_same_call_again_is_no_loop() {
    #[inline(never)]
    fn look(x: &AtomicU32) -> bool {
        x.load(Relaxed) == 0
    }
    let report = passes(|| {
        let x = AtomicU32::new(0);
        assert!(look(&x) && look(&x) && look(&x) && look(&x) && look(&x));
    });
    assert_eq!((report.complete, report.spins.len()), (1, 0));
}
