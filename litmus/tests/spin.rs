//! Waits: a loop that only reads is one execution, whatever it waits for.

#[path = "support/closures.rs"]
mod support;

use std::hint::black_box;
use support::{check, passes};
use threadbare_litmus::explore::{FailureKind, Report};
use threadbare_litmus::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use threadbare_litmus::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, fence};
use threadbare_litmus::sync::{Arc, await_until};
use threadbare_litmus::{Explorer, cell::Cell, thread};

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

#[test]
fn a_ticket_lock_by_a_plain_loop_has_one_execution_per_order() {
    for (n, orders) in [(2, 2), (3, 6)] {
        let report = passes(move || {
            let lock = Arc::new((AtomicU32::new(0), AtomicU32::new(0), Cell::new(0u32)));
            for _ in 0..n {
                let lock = lock.clone();
                thread::spawn(move || {
                    let mine = lock.0.fetch_add(1, Relaxed);
                    while lock.1.load(Acquire) != mine {}
                    lock.2.set(lock.2.get() + 1);
                    lock.1.store(mine + 1, Release);
                });
            }
        });
        assert_eq!((report.complete, report.blocked), (orders, 0));
    }
}

/// A lock taken by `take`, which returns when it holds it.
fn lock(n: u32, take: fn(&AtomicBool)) -> Report {
    passes(move || {
        let lock = Arc::new((AtomicBool::named(false, "lock"), Cell::named(0u32, "data")));
        let threads: Vec<_> = (0..n)
            .map(|_| {
                let lock = lock.clone();
                thread::spawn(move || {
                    take(&lock.0);
                    lock.1.set(lock.1.get() + 1);
                    lock.0.store(false, Release);
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(lock.1.get(), n);
    })
}

#[test]
fn locks_that_spin_have_one_execution_per_order() {
    for (n, orders) in [(2, 2), (3, 6)] {
        type Takes = (&'static str, fn(&AtomicBool));
        let takes: [Takes; 6] = [
            ("exchange", |lock| {
                while lock
                    .compare_exchange(false, true, Acquire, Relaxed)
                    .is_err()
                {}
            }),
            ("swap", |lock| {
                while lock.swap(true, Acquire) {
                    std::hint::spin_loop();
                }
            }),
            ("fetch_or", |lock| while lock.fetch_or(true, Acquire) {}),
            ("allocating", |lock| {
                while lock
                    .compare_exchange(false, true, Acquire, Relaxed)
                    .is_err()
                {
                    let mut all: Vec<usize> = (0..20).rev().collect();
                    all.sort_unstable();
                    std::hint::black_box(all);
                }
            }),
            ("printing", |lock| {
                while lock.swap(true, Acquire) {
                    std::hint::black_box(format!("waiting for {lock:p}"));
                }
            }),
            ("leaking", |lock| {
                while lock
                    .compare_exchange(false, true, Acquire, Relaxed)
                    .is_err()
                {
                    std::hint::black_box(Box::leak(Box::new(std::ptr::from_ref(lock).addr())));
                }
            }),
        ];
        for (name, take) in takes {
            let report = lock(n, take);
            let found = (report.complete, report.blocked);
            assert_eq!(found, (orders, 0), "{name} by {n}");
        }
    }
}

#[test]
fn test_and_test_and_set_waits() {
    let report = lock(2, |lock| {
        loop {
            while lock.load(Relaxed) {}
            if lock.compare_exchange(false, true, Acquire, Relaxed).is_ok() {
                break;
            }
        }
    });
    assert!(
        report.exhaustive && report.complete >= 2,
        "{}",
        report.complete
    );
}

#[test]
fn a_fence_in_the_loop_is_no_way_out() {
    let report = passes(|| {
        let x = Arc::new(AtomicU32::named(0, "x"));
        let y = x.clone();
        thread::spawn(move || y.store(1, Relaxed));
        while x.load(Relaxed) == 0 {
            fence(SeqCst);
        }
    });
    assert_eq!((report.complete, report.spins.len()), (1, 1));
}

#[test]
fn a_swap_until_it_is_not_null_waits() {
    let report = passes(|| {
        let slot = Arc::new(AtomicPtr::<u32>::named(std::ptr::null_mut(), "slot"));
        let other = slot.clone();
        thread::spawn(move || other.store(Box::into_raw(Box::new(1)), Release));
        let mut found: *mut u32 = std::ptr::null_mut();
        while found.is_null() {
            found = slot.swap(std::ptr::null_mut(), AcqRel);
        }
        // SAFETY: published above and never freed.
        assert_eq!(unsafe { *found }, 1);
    });
    assert_eq!((report.complete, report.blocked), (1, 0));
}

#[test]
fn a_loop_that_gives_up_is_no_wait_wherever_it_counts() {
    // On the stack of who started the thread.
    let report = check(|| {
        let x = AtomicU32::named(0, "x");
        let mut tries = 0;
        thread::scope(|scope| {
            scope.spawn(|| x.store(1, Relaxed));
            scope.spawn(|| {
                while x.load(Relaxed) == 0 {
                    *black_box(&mut tries) += 1;
                    assert!(tries < 5, "gave up");
                }
            });
        });
    });
    assert_eq!(report.failure.unwrap().kind, FailureKind::Assertion);
    // On the heap.
    let report = check(|| {
        let x = Arc::new(AtomicU32::named(0, "x"));
        let y = x.clone();
        thread::spawn(move || y.store(1, Relaxed));
        let mut tries = Box::new(0);
        while x.load(Relaxed) == 0 {
            *black_box(&mut *tries) += 1;
            assert!(*tries < 5, "gave up");
        }
    });
    assert_eq!(report.failure.unwrap().kind, FailureKind::Assertion);
    // Nobody writes: it times out, and is no deadlock.
    let report = passes(|| {
        let x = AtomicU32::named(0, "x");
        let mut tries = Box::new(0);
        while x.load(Relaxed) == 0 && *tries < 50 {
            *black_box(&mut *tries) += 1;
        }
    });
    assert_eq!((report.complete, report.spins.len()), (1, 0));
}

#[test]
fn tries_that_matter_after_the_loop_are_counted() {
    let report = Explorer::new().max_events(200).check(|| {
        let x = Arc::new(AtomicU32::named(0, "x"));
        let y = x.clone();
        thread::spawn(move || y.store(1, Relaxed));
        let mut tries = Box::new(0);
        while x.load(Relaxed) == 0 {
            *black_box(&mut *tries) += 1;
        }
        assert!(*tries < 3, "so many tries");
    });
    // Never "exhaustive": the fault, or that the loop has no end.
    let failure = report.failure.expect("a fault");
    let kinds = [FailureKind::Assertion, FailureKind::Program];
    assert!(kinds.contains(&failure.kind), "{}", failure.message);
}

/// A loop that waits but remembers a value in between: each of its ends is explored.
#[test]
fn a_loop_that_keeps_what_it_read_is_no_plain_wait() {
    let explored = |forbidden: Option<bool>| {
        check(move || {
            let x = Arc::new(AtomicU32::named(0, "x"));
            let y = x.clone();
            thread::spawn(move || {
                y.store(1, Relaxed);
                y.store(2, Relaxed);
            });
            let mut phase = 0;
            let met = loop {
                match x.load(Relaxed) {
                    1 => phase = 1,
                    2 => break phase == 1,
                    _ => {}
                }
            };
            assert_ne!(Some(met), forbidden);
            if !met {
                thread::spawn(move || x.store(3, Relaxed)).join().unwrap();
            }
        })
    };
    let all = explored(None);
    assert!(all.failure.is_none() && all.exhaustive, "{:?}", all.failure);
    for met in [false, true] {
        let failure = explored(Some(met)).failure.expect("it can end so");
        assert_eq!(failure.kind, FailureKind::Assertion, "{}", failure.message);
    }
}
