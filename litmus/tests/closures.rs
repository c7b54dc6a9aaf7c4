//! The closure interface: counts, races, deadlocks, awaits, wrong programs.

#[path = "support/closures.rs"]
mod support;

use support::check;
use threadbare_litmus::explore::FailureKind;
use threadbare_litmus::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use threadbare_litmus::sync::atomic::{AtomicU32, fence};
use threadbare_litmus::sync::{Arc, Condvar, Mutex};
use threadbare_litmus::{Explorer, cell::Cell, thread};

fn shared<T>(value: T) -> [Arc<T>; 3] {
    let value = Arc::new(value);
    [value.clone(), value.clone(), value]
}

#[test]
fn store_buffering() {
    let report = check(|| {
        let [x, x1, x2] = shared(AtomicU32::new(0));
        let [y, y1, y2] = shared(AtomicU32::new(0));
        let a = thread::spawn(move || {
            x1.store(1, Relaxed);
            y1.load(Relaxed)
        });
        let b = thread::spawn(move || {
            y2.store(1, Relaxed);
            x2.load(Relaxed)
        });
        let _ = (x, y, a.join().unwrap(), b.join().unwrap());
    });
    assert_eq!(
        (report.complete, report.blocked, report.failure.is_none()),
        (4, 0, true)
    );
}

#[test]
fn store_buffering_with_fences_never_reads_zero_twice() {
    let report = check(|| {
        let [_x, x1, x2] = shared(AtomicU32::new(0));
        let [_y, y1, y2] = shared(AtomicU32::new(0));
        let a = thread::spawn(move || {
            x1.store(1, Relaxed);
            fence(SeqCst);
            y1.load(Relaxed)
        });
        let b = thread::spawn(move || {
            y2.store(1, Relaxed);
            fence(SeqCst);
            x2.load(Relaxed)
        });
        assert_ne!((a.join().unwrap(), b.join().unwrap()), (0, 0));
    });
    assert_eq!((report.complete, report.failure.is_none()), (3, true));
}

#[test]
fn a_weak_flag_is_a_race() {
    let report = check(|| {
        let [data, data1, _] = shared(Cell::named(0u32, "data"));
        let [flag, flag1, _] = shared(AtomicU32::named(0, "flag"));
        thread::spawn(move || {
            data1.set(1);
            flag1.store(1, Relaxed);
        });
        if flag.load(Acquire) == 1 {
            data.get();
        }
    });
    assert_eq!(report.failure.unwrap().kind, FailureKind::DataRace);
}

#[test]
fn arc_counts() {
    let arc = |n: usize| {
        check(move || {
            let count = Arc::new(AtomicU32::new(1));
            let handles: Vec<_> = (0..n)
                .map(|_| {
                    let count = count.clone();
                    thread::spawn(move || {
                        count.fetch_add(1, Relaxed);
                        count.fetch_sub(1, Release);
                        count.fetch_sub(1, Release);
                    })
                })
                .collect();
            for handle in handles {
                handle.join().unwrap();
            }
        })
    };
    assert_eq!(arc(2).complete, 20);
    assert_eq!(arc(3).complete, 1680);
}

#[test]
fn a_mutex_excludes_and_carries_data() {
    let report = check(|| {
        let [total, a, b] = shared(Mutex::new(0u32));
        let a = thread::spawn(move || *a.lock().unwrap() += 1);
        let b = thread::spawn(move || *b.lock().unwrap() += 2);
        a.join().unwrap();
        b.join().unwrap();
        assert_eq!(*total.lock().unwrap(), 3);
    });
    assert!(report.failure.is_none(), "{:?}", report.failure);
    assert_eq!(report.complete, 2);
}

#[test]
fn opposite_lock_orders_deadlock() {
    let report = check(|| {
        let [_m, m1, m2] = shared(Mutex::new(()));
        let [_n, n1, n2] = shared(Mutex::new(()));
        let a = thread::spawn(move || {
            let _m = m1.lock().unwrap();
            let _n = n1.lock().unwrap();
        });
        let b = thread::spawn(move || {
            let _n = n2.lock().unwrap();
            let _m = m2.lock().unwrap();
        });
        a.join().unwrap();
        b.join().unwrap();
    });
    assert_eq!(report.failure.unwrap().kind, FailureKind::Deadlock);
}

#[test]
fn a_condition_variable_wakes() {
    let report = check(|| {
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let other = pair.clone();
        let waker = thread::spawn(move || {
            *other.0.lock().unwrap() = true;
            other.1.notify_one();
        });
        let mut ready = pair.0.lock().unwrap();
        while !*ready {
            ready = pair.1.wait(ready).unwrap();
        }
        drop(ready);
        waker.join().unwrap();
    });
    assert!(report.failure.is_none(), "{:?}", report.failure);
    assert!(report.complete > 0);
}

#[test]
fn parking_waits_for_the_token() {
    let report = check(|| {
        let sleeper = thread::spawn(thread::park);
        sleeper.thread().unpark();
        sleeper.join().unwrap();
    });
    assert_eq!((report.complete, report.failure.is_none()), (1, true));
}

#[test]
fn nobody_unparks() {
    let report = check(|| thread::spawn(thread::park).join().unwrap());
    assert_eq!(report.failure.unwrap().kind, FailureKind::Deadlock);
}

#[test]
fn a_ticket_lock_has_one_execution_per_order() {
    for (n, orders) in [(2, 2), (3, 6), (4, 24)] {
        let report = check(move || {
            let next = Arc::new(AtomicU32::new(0));
            let serving = Arc::new(AtomicU32::new(0));
            let data = Arc::new(Cell::new(0u32));
            for _ in 0..n {
                let (next, serving, data) = (next.clone(), serving.clone(), data.clone());
                thread::spawn(move || {
                    let mine = next.fetch_add(1, Relaxed);
                    serving.await_until(Acquire, |now| now == mine);
                    data.set(data.get() + 1);
                    serving.store(mine + 1, Release);
                });
            }
        });
        assert!(report.failure.is_none(), "{:?}", report.failure);
        assert_eq!((report.complete, report.blocked), (orders, 0));
    }
}

#[test]
fn an_endless_loop_is_an_error_with_the_way_out() {
    let report = Explorer::new().max_events(100).check(|| {
        let x = AtomicU32::new(0);
        while x.load(Relaxed) < 1_000 {
            x.store(1, Relaxed);
        }
    });
    let failure = report.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Program);
    assert!(
        failure.message.contains("await_until"),
        "{}",
        failure.message
    );
}

#[test]
fn too_many_threads_are_an_error() {
    let report = check(|| {
        for _ in 0..300 {
            thread::spawn(|| {});
        }
    });
    let failure = report.failure.unwrap();
    assert!(
        failure.message.contains("255 threads"),
        "{}",
        failure.message
    );
}

#[test]
fn nondeterminism_is_noticed() {
    static RUNS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let report = check(|| {
        let [x, x1, x2] = shared(AtomicU32::new(0));
        thread::spawn(move || {
            x1.store(
                RUNS.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1,
                Relaxed,
            )
        });
        thread::spawn(move || x2.store(7, Relaxed));
        x.load(Relaxed);
        x.load(Relaxed);
    });
    let failure = report.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Program);
    assert!(
        failure.message.contains("not deterministic"),
        "{}",
        failure.message
    );
}

#[test]
fn threads_are_never_run_on_what_they_cannot_have_read() {
    use std::sync::atomic::{AtomicBool, Ordering};
    static IMPOSSIBLE: AtomicBool = AtomicBool::new(false);
    // A program may rely on it: follow a pointer that is never null, say.
    let report = check(|| {
        let [_, x1, x2] = shared(AtomicU32::new(0));
        let [_, y1, y2] = shared(AtomicU32::new(0));
        let [_, z1, z2] = shared(AtomicU32::new(9));
        let a = thread::spawn(move || {
            x1.store(1, SeqCst);
            z1.store(y1.load(SeqCst), Relaxed);
        });
        let b = thread::spawn(move || {
            y2.store(1, SeqCst);
            let first = z2.load(Relaxed);
            let second = x2.load(SeqCst);
            if (first, second) == (0, 0) {
                IMPOSSIBLE.store(true, Ordering::Relaxed);
            }
        });
        a.join().unwrap();
        b.join().unwrap();
    });
    assert!(report.failure.is_none() && report.exhaustive);
    assert!(!IMPOSSIBLE.load(Ordering::Relaxed));
}
