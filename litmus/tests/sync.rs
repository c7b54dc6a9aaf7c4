//! The synchronising types: each in a program whose executions are known.

#[path = "support/closures.rs"]
mod support;

use std::cell::Cell as Local;
use support::{check, passes};
use threadbare_litmus::explore::{FailureKind, Report};
use threadbare_litmus::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use threadbare_litmus::sync::atomic::{AtomicBool, AtomicI8, AtomicPtr, AtomicU32, AtomicU64};
use threadbare_litmus::sync::{Arc, Condvar, Mutex, RwLock};
use threadbare_litmus::{Explorer, cell::Cell, thread};

#[test]
fn readers_share_and_writers_exclude() {
    passes(|| {
        let lock = Arc::new(RwLock::new([0, 0]));
        let (a, b) = (lock.clone(), lock.clone());
        thread::spawn(move || {
            let mut pair = a.write().unwrap();
            pair[0] += 1;
            pair[1] += 1;
        });
        thread::spawn(move || {
            let mut pair = b.write().unwrap();
            pair[0] += 1;
            pair[1] += 1;
        });
        let pair = lock.read().unwrap();
        assert_eq!(pair[0], pair[1]);
    });
}

#[test]
fn two_readers_hold_the_lock_together() {
    // Each waits, inside, until the other is inside too.
    passes(|| {
        let lock = Arc::new(RwLock::new(()));
        let inside = Arc::new(AtomicU32::new(0));
        let (lock2, inside2) = (lock.clone(), inside.clone());
        thread::spawn(move || {
            let _held = lock2.read();
            inside2.fetch_add(1, Relaxed);
            inside2.await_until(Relaxed, |n| n == 2);
        });
        let _held = lock.read();
        inside.fetch_add(1, Relaxed);
        inside.await_until(Relaxed, |n| n == 2);
    });
}

#[test]
fn upgrading_a_read_lock_deadlocks() {
    let report = check(|| {
        let lock = RwLock::named(0, "table");
        let _reading = lock.read();
        let _writing = lock.write();
    });
    let failure = report.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Deadlock);
    assert!(failure.message.contains("table"), "{}", failure.message);
}

fn two_waiters(all: bool) -> Report {
    check(move || {
        let pair = Arc::new((Mutex::new(0), Condvar::new()));
        for _ in 0..2 {
            let pair = pair.clone();
            thread::spawn(move || {
                let mut open = pair.0.lock().unwrap();
                while *open == 0 {
                    open = pair.1.wait(open).unwrap();
                }
            });
        }
        *pair.0.lock().unwrap() = 1;
        if all {
            pair.1.notify_all()
        } else {
            pair.1.notify_one()
        }
    })
}

#[test]
fn notify_all_wakes_both_and_notify_one_leaves_one() {
    assert!(two_waiters(true).failure.is_none());
    let failure = two_waiters(false).failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Deadlock);
    assert!(failure.message.contains("woken"), "{}", failure.message);
}

#[test]
fn a_notification_before_the_wait_is_lost() {
    let report = check(|| {
        let pair = Arc::new((Mutex::new(()), Condvar::new()));
        let other = pair.clone();
        thread::spawn(move || other.1.notify_one());
        let guard = pair.0.lock().unwrap();
        drop(pair.1.wait(guard));
    });
    assert_eq!(report.failure.unwrap().kind, FailureKind::Deadlock);
}

#[test]
fn scoped_threads_borrow() {
    let report = passes(|| {
        let mut own = [0, 0];
        let count = AtomicU32::new(0);
        let (left, right) = own.split_at_mut(1);
        let seen = thread::scope(|s| {
            let a = s.spawn(|| {
                left[0] = 1;
                count.fetch_add(1, Relaxed)
            });
            s.spawn(|| {
                right[0] = 1;
                count.fetch_add(1, Relaxed);
            });
            a.join().unwrap()
        });
        assert!(seen < 2);
        assert_eq!((own, count.load(Relaxed)), ([1, 1], 2));
    });
    assert_eq!(report.complete, 2);
}

#[test]
fn a_fault_in_a_scope_is_reported() {
    let report = check(|| {
        let x = AtomicU32::new(0);
        thread::scope(|s| {
            s.spawn(|| x.store(1, Relaxed));
            assert_eq!(x.load(Relaxed), 0, "the other was first");
        });
    });
    let failure = report.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Assertion);
    assert!(
        failure.message.contains("the other was first"),
        "{}",
        failure.message
    );
}

threadbare_litmus::thread_local! {
    static DEPTH: Local<u32> = Local::new(7);
    static LOG: Leaver = Leaver(std::cell::RefCell::new(None));
}

/// Says that its thread has ended.
struct Leaver(std::cell::RefCell<Option<Arc<AtomicU32>>>);

impl Drop for Leaver {
    fn drop(&mut self) {
        if let Some(flag) = self.0.borrow().as_ref() {
            flag.store(1, Release);
        }
    }
}

#[test]
fn thread_locals_are_per_thread_and_execution() {
    passes(|| {
        assert_eq!(DEPTH.with(Local::get), 7);
        DEPTH.with(|depth| depth.set(8));
        let left = Arc::new(AtomicU32::new(0));
        let flag = left.clone();
        let t = thread::spawn(move || {
            LOG.with(|log| *log.0.borrow_mut() = Some(flag));
            DEPTH.with(Local::get)
        });
        assert_eq!(t.join().unwrap(), 7);
        assert_eq!(left.load(Relaxed), 1, "the destructor ran before the join");
    });
}

#[test]
fn pointers_carry_what_they_point_to() {
    let report = passes(|| {
        let slot = Arc::new(AtomicPtr::named(std::ptr::null_mut(), "slot"));
        let mine = slot.clone();
        thread::spawn(move || {
            let cell = Cell::new(0);
            cell.set(5);
            mine.store(Box::into_raw(Box::new(cell)), Release);
        });
        let found = slot.load(Acquire);
        if !found.is_null() {
            // SAFETY: published above and never freed.
            assert_eq!(unsafe { &*found }.get(), 5);
        }
    });
    assert_eq!(report.complete, 2);
}

#[test]
fn of_two_exchanges_of_a_pointer_one_wins() {
    let report = passes(|| {
        let slot = Arc::new(AtomicPtr::new(std::ptr::null_mut::<u8>()));
        let mine = slot.clone();
        let push = |slot: &AtomicPtr<u8>| {
            let fresh = Box::into_raw(Box::new(1));
            slot.compare_exchange(std::ptr::null_mut(), fresh, AcqRel, Acquire)
                .is_ok()
        };
        let t = thread::spawn(move || push(&mine));
        let (a, b) = (push(&slot), t.join().unwrap());
        assert!(a != b);
    });
    assert_eq!(report.complete, 2);
}

#[test]
fn narrow_numbers_wrap_and_compare_as_they_are() {
    passes(|| {
        let x = AtomicI8::new(-128);
        assert_eq!(x.fetch_sub(1, Relaxed), -128);
        assert_eq!(x.fetch_min(-1, Relaxed), 127);
        assert_eq!(x.fetch_max(-5, Relaxed), -1);
        assert_eq!(x.load(Relaxed), -1);
        let y = AtomicU64::new(u64::MAX);
        assert_eq!(
            y.compare_exchange(u64::MAX, 1, Relaxed, Relaxed),
            Ok(u64::MAX)
        );
        assert_eq!(y.update(Relaxed, Relaxed, |v| v << 1), 1);
        assert_eq!(
            y.fetch_update(Relaxed, Relaxed, |v| (v > 5).then_some(0)),
            Err(2)
        );
        let z = AtomicBool::new(true);
        assert!(z.fetch_not(Relaxed));
        assert!(!z.fetch_or(true, Relaxed) && z.load(Relaxed));
        assert_eq!(y.into_inner(), 2);
    });
}

#[test]
fn weak_exchanges_fail_without_cause_when_asked_to() {
    fn once() {
        let x = AtomicU32::new(0);
        assert!(
            x.compare_exchange_weak(0, 1, Relaxed, Relaxed).is_ok(),
            "it failed"
        );
    }
    assert!(check(once).failure.is_none());
    let failure = Explorer::new()
        .spurious_failures(1)
        .check(once)
        .failure
        .unwrap();
    assert!(failure.message.contains("it failed"));
}
