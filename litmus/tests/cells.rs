//! `UnsafeCell` and `Cell`: any content, races found.

#[path = "support/closures.rs"]
mod support;

use support::{check, passes};
use threadbare_litmus::cell::{Cell, UnsafeCell};
use threadbare_litmus::explore::{FailureKind, Report};
use threadbare_litmus::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use threadbare_litmus::sync::atomic::{AtomicBool, AtomicU32};
use threadbare_litmus::sync::{Arc, Mutex};
use threadbare_litmus::thread;

fn kind(report: Report) -> Option<FailureKind> {
    report.failure.map(|failure| failure.kind)
}

/// A slot that is filled by one thread and emptied by another.
fn slot(order: threadbare_litmus::sync::atomic::Ordering) -> Report {
    check(move || {
        let slot = Arc::new((UnsafeCell::new(None), AtomicBool::new(false)));
        let mine = slot.clone();
        let t = thread::spawn(move || {
            // SAFETY: nobody looks before the flag is set, or the race is found.
            mine.0
                .with_mut(|slot| unsafe { *slot = Some(String::from("text")) });
            mine.1.store(true, order);
        });
        if slot.1.load(Acquire) {
            // SAFETY: as above.
            let text = slot.0.with_mut(|slot| unsafe { (*slot).take() });
            assert_eq!(text.as_deref(), Some("text"));
        }
        t.join().unwrap();
    })
}

#[test]
fn any_content_is_published_by_release_and_races_without() {
    let report = slot(Release);
    assert_eq!((report.complete, report.failure.is_none()), (2, true));
    assert_eq!(kind(slot(Relaxed)), Some(FailureKind::DataRace));
}

#[test]
fn accesses_of_two_threads_race_unless_both_read() {
    fn two(a: fn(&UnsafeCell<String>), b: fn(&UnsafeCell<String>)) -> Report {
        check(move || {
            let cell = Arc::new(UnsafeCell::named(String::new(), "text"));
            let other = cell.clone();
            let t = thread::spawn(move || a(&other));
            b(&cell);
            t.join().unwrap();
        })
    }
    let read = |cell: &UnsafeCell<String>| {
        // SAFETY: the race, if any, is found.
        cell.with(|text| unsafe { (&*text).len() });
    };
    let write = |cell: &UnsafeCell<String>| {
        // SAFETY: as above.
        cell.with_mut(|text| unsafe { (*text).clear() });
    };
    assert_eq!(kind(two(read, read)), None);
    assert_eq!(kind(two(read, write)), Some(FailureKind::DataRace));
    assert_eq!(kind(two(write, write)), Some(FailureKind::DataRace));
}

#[test]
fn what_is_in_a_cell_decides_what_happens_next() {
    // Both orders of the two pushes are seen.
    for wanted in [["a", "b"], ["b", "a"]] {
        let report = check(move || {
            let list = Arc::new((Mutex::new(()), UnsafeCell::new(Vec::new())));
            let push = |list: &(Mutex<()>, UnsafeCell<Vec<&'static str>>), word| {
                let _held = list.0.lock().unwrap();
                // SAFETY: the lock is held.
                list.1.with_mut(|list| unsafe { (*list).push(word) });
            };
            let other = list.clone();
            let t = thread::spawn(move || push(&other, "a"));
            push(&list, "b");
            t.join().unwrap();
            // SAFETY: the other thread has ended.
            assert_ne!(list.1.with(|list| unsafe { (*list).clone() }), wanted);
        });
        assert_eq!(kind(report), Some(FailureKind::Assertion), "{wanted:?}");
    }
}

#[test]
fn an_access_lasts_as_long_as_its_guard() {
    // In one thread.
    let report = check(|| {
        let cell = UnsafeCell::new(1);
        let _reading = cell.get();
        drop(cell.get()); // two may read
        cell.get_mut();
    });
    let failure = report.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Assertion);
    assert!(
        failure.message.contains("being read"),
        "{}",
        failure.message
    );
    // In two, which are ordered in all but the end of the access.
    fn overlapping(reads: bool) -> Report {
        check(move || {
            let shared = Arc::new((UnsafeCell::new(0), AtomicU32::new(0), AtomicU32::new(0)));
            let other = shared.clone();
            let t = thread::spawn(move || {
                other.1.await_until(Acquire, |n| n == 1);
                match reads {
                    // SAFETY: none.
                    true => other.0.with(|n| unsafe { assert!(*n < 2) }),
                    // SAFETY: none.
                    false => other.0.with_mut(|n| unsafe { *n += 1 }),
                }
                other.2.store(1, Release);
            });
            shared.0.with_mut(|n| {
                shared.1.store(1, Release);
                shared.2.await_until(Acquire, |n| n == 1);
                // SAFETY: none.
                unsafe { *n += 1 };
            });
            t.join().unwrap();
        })
    }
    for reads in [true, false] {
        let failure = overlapping(reads).failure.expect("a fault");
        assert!(
            failure.message.contains("being changed"),
            "{}",
            failure.message
        );
    }
    passes(|| {
        let cell = UnsafeCell::new(1);
        let guard = cell.get_mut();
        // SAFETY: the only access.
        unsafe { *guard.deref() += 1 };
        drop(guard);
        // SAFETY: as above.
        assert_eq!(unsafe { *cell.get().deref() }, 2);
        assert_eq!(cell.into_inner(), 2);
    });
}

#[test]
fn cells_hold_anything() {
    passes(|| {
        let cell = Cell::new(String::from("a"));
        assert_eq!(cell.replace(String::from("b")), "a");
        cell.set(String::from("c"));
        let other = Cell::new(String::from("d"));
        cell.swap(&other);
        assert_eq!((cell.take(), other.into_inner()), ("d".into(), "c".into()));
        let mut pair = Cell::new((1, 2));
        *pair.get_mut() = (3, 4);
        pair.update(|(a, b)| (b, a));
        assert_eq!(pair.get(), (4, 3));
    });
    let report = check(|| {
        let cell = Arc::new(Cell::named(Some('x'), "letter"));
        let other = cell.clone();
        thread::spawn(move || other.set(None));
        cell.replace(Some('y'));
    });
    let failure = report.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::DataRace);
    assert!(failure.message.contains("letter"), "{}", failure.message);
}

#[test]
fn a_fresh_object_published_by_a_relaxed_store_is_a_race() {
    use threadbare_litmus::sync::atomic::AtomicPtr;
    fn publish(order: threadbare_litmus::sync::atomic::Ordering) -> Report {
        check(move || {
            let slot = Arc::new(AtomicPtr::named(std::ptr::null_mut(), "slot"));
            let mine = slot.clone();
            let t = thread::spawn(move || {
                let node = Box::into_raw(Box::new(UnsafeCell::named(String::from("n"), "node")));
                mine.store(node, order);
            });
            let found: *mut UnsafeCell<String> = slot.load(Acquire);
            if !found.is_null() {
                // SAFETY: never freed; the race, if any, is found.
                unsafe { &*found }.with(|node| assert_eq!(unsafe { (&*node).len() }, 1));
            }
            t.join().unwrap();
        })
    }
    assert_eq!(kind(publish(Relaxed)), Some(FailureKind::DataRace));
    assert_eq!(kind(publish(Release)), None);
}
