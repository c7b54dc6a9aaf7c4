//! Locks and what is built of them: counts of executions that are known, and uses that are
//! wrong.

#[path = "support/closures.rs"]
mod support;

use std::time::Duration;
use support::{check, passes};
use threadbare_litmus::alloc::{Layout, Track, alloc, dealloc};
use threadbare_litmus::explore::FailureKind;
use threadbare_litmus::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use threadbare_litmus::sync::atomic::{AtomicU32, AtomicUsize};
use threadbare_litmus::sync::{
    Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, RwLockWriteGuard, TryLockError,
};
use threadbare_litmus::{Explorer, cell::Cell, thread};

fn fails(kind: FailureKind, program: impl Fn() + Send + Sync + 'static) -> String {
    let failure = check(program).failure.expect("a fault");
    assert_eq!(failure.kind, kind, "{}", failure.message);
    failure.message
}

/// The number of ways to put the sections of `threads` threads, `each` of them, in order.
fn orders(threads: u64, each: u64) -> u64 {
    let factorial = |n: u64| (1..=n).product::<u64>();
    factorial(threads * each) / factorial(each).pow(threads as u32)
}

/// Sections that leave a list as they found it write equal values. Whoever is still to come may read any of them, and
/// must find the list in memory as it was then: what comes later must not have been done in its run.
#[test]
fn a_section_finds_the_content_of_the_one_it_comes_after() {
    let report = passes(|| {
        let list = Arc::new(Mutex::new(vec![4_usize]));
        let first = list.clone();
        thread::spawn(move || {
            let mut list = first.lock().unwrap();
            if list.len() == 1 {
                list.push(8);
            }
        });
        let second = list.clone();
        thread::spawn(move || {
            second.lock().unwrap().push(7);
            let last = second.lock().unwrap().pop().expect("a number");
            second.lock().unwrap().push(last);
        });
        thread::spawn(move || list.lock().unwrap().push(7));
    });
    // Sections of one, three and one in every order.
    assert_eq!((report.complete, report.blocked), (20, 0));
}

#[test]
fn sections_of_a_mutex_come_in_every_order_once() {
    fn sections<T: Send + 'static>(
        [threads, each]: [u64; 2],
        first: fn() -> T,
        section: fn(&mut T),
    ) -> u64 {
        let report = passes(move || {
            let lock = Arc::new(Mutex::new(first()));
            for _ in 0..threads {
                let lock = lock.clone();
                thread::spawn(move || (0..each).for_each(|_| section(&mut lock.lock().unwrap())));
            }
        });
        assert_eq!(report.blocked, 0);
        report.complete
    }
    struct Opaque(u32);
    for size @ [threads, each] in [[2, 1], [2, 3], [3, 2]] {
        let wanted = orders(threads, each);
        assert_eq!(sections(size, || (), |()| ()), wanted);
        assert_eq!(sections(size, || 0_u32, |n| *n += 1), wanted);
        assert_eq!(
            sections(size, Vec::new, |list: &mut Vec<u8>| list.push(1)),
            wanted
        );
        assert_eq!(sections(size, || Opaque(0), |o| o.0 += 1), wanted);
    }
}

#[test]
fn the_content_is_told_apart_by_what_it_is() {
    // Of a number, of a list, and of what nobody can look into.
    struct Opaque(Vec<u32>);
    fails(FailureKind::Assertion, || {
        let lock = Arc::new(Mutex::new(Opaque(vec![])));
        let other = lock.clone();
        let t = thread::spawn(move || other.lock().unwrap().0.push(1));
        lock.lock().unwrap().0.push(2);
        t.join().unwrap();
        assert_eq!(lock.lock().unwrap().0, [1, 2], "T1 was first");
    });
    for wrong in [[1_i64, -2], [-2, 1]] {
        fails(FailureKind::Assertion, move || {
            let lock = Arc::new(Mutex::new(vec![]));
            let other = lock.clone();
            let t = thread::spawn(move || other.lock().unwrap().push(1));
            lock.lock().unwrap().push(-2);
            t.join().unwrap();
            assert_ne!(*lock.lock().unwrap(), wrong);
        });
    }
    for large in [u64::MAX, u64::MAX - 1, 1 << 62, 1 << 63] {
        passes(move || {
            let lock = Arc::new(Mutex::new(large));
            let other = lock.clone();
            let t = thread::spawn(move || {
                let mut n = other.lock().unwrap();
                *n = n.wrapping_add(1);
            });
            let seen = *lock.lock().unwrap();
            assert!(seen == large || seen == large.wrapping_add(1));
            t.join().unwrap();
            assert_eq!(*lock.lock().unwrap(), large.wrapping_add(1));
        });
    }
}

#[test]
fn consuming_a_mutex_reads_what_the_last_section_left() {
    fails(FailureKind::Assertion, || {
        let lock = Arc::new(Mutex::new(vec![]));
        let (a, b) = (lock.clone(), lock.clone());
        let t1 = thread::spawn(move || a.lock().unwrap().push(1));
        let t2 = thread::spawn(move || b.lock().unwrap().push(2));
        t1.join().unwrap();
        t2.join().unwrap();
        let list = Arc::try_unwrap(lock).ok().unwrap().into_inner().unwrap();
        assert_eq!(list, [1, 2], "T2 was first");
    });
    let report = passes(|| {
        let mut lock = Mutex::new(0_u8);
        thread::scope(|scope| {
            scope.spawn(|| *lock.lock().unwrap() += 1);
            scope.spawn(|| *lock.lock().unwrap() *= 2);
        });
        let found = *lock.get_mut().unwrap();
        assert!(found == 1 || found == 2);
    });
    assert_eq!(report.complete, 2);
}

#[test]
fn what_is_changed_by_get_mut_is_seen_by_those_who_come_later() {
    fn program(lent: bool) -> impl Fn() + Send + Sync {
        move || {
            let flag = Arc::new(AtomicU32::new(0));
            let other = flag.clone();
            let t = thread::spawn(move || other.store(1, Relaxed));
            let mut lock = Mutex::new(7);
            let content = lock.get_mut().unwrap();
            // After the call, and depending on what was read since.
            let seen = flag.load(Relaxed);
            *content = seen;
            let lock = Arc::new(lock);
            let theirs = lock.clone();
            let reader = thread::spawn(move || *theirs.lock().unwrap());
            assert_eq!(reader.join().unwrap(), seen);
            assert!(lent || seen == 0, "the store came first");
            t.join().unwrap();
        }
    }
    assert_eq!(passes(program(true)).complete, 2);
    fails(FailureKind::Assertion, program(false));
}

#[test]
fn a_mutex_is_tried() {
    let report = passes(|| {
        let lock = Arc::new(Mutex::new(0));
        let other = lock.clone();
        let t = thread::spawn(move || {
            other.try_lock().is_ok_and(|mut n| {
                *n == {
                    *n += 1;
                    0
                }
            })
        });
        let mine = match lock.try_lock() {
            Ok(mut n) => {
                *n += 1;
                true
            }
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Poisoned(_)) => unreachable!("a panic ends the exploration"),
        };
        let theirs = t.join().unwrap();
        assert!(mine || theirs);
    });
    // One before the other, either way, or one while the other holds it.
    assert_eq!(report.complete, 4);
}

#[test]
fn readers_come_and_go_in_every_order_once() {
    let counts = [(2, 0, 6), (3, 0, 90), (4, 0, 2_520), (1, 1, 2), (2, 1, 14)];
    for (readers, writers, wanted) in counts {
        let report = passes(move || {
            let lock = Arc::new(RwLock::new(()));
            for n in 0..readers + writers {
                let lock = lock.clone();
                thread::spawn(move || match n < readers {
                    true => drop(lock.read()),
                    false => drop(lock.write()),
                });
            }
        });
        assert_eq!(
            (report.complete, report.blocked),
            (wanted, 0),
            "{readers} + {writers}"
        );
    }
}

#[test]
fn a_lock_for_readers_is_tried_downgraded_and_consumed() {
    passes(|| {
        let mut lock = RwLock::new(1);
        {
            let reading = lock.read().unwrap();
            assert!(lock.try_read().is_ok() && lock.try_write().is_err());
            assert_eq!(*reading, 1);
        }
        {
            let mut writing = lock.try_write().unwrap();
            assert!(lock.try_read().is_err());
            *writing += 1;
            let reading = RwLockWriteGuard::downgrade(writing);
            assert_eq!((*reading, lock.try_read().is_ok()), (2, true));
        }
        *lock.get_mut().unwrap() += 1;
        assert_eq!(*lock.read().unwrap(), 3);
        assert_eq!(lock.into_inner().unwrap(), 3);
    });
    // No writer comes between.
    let report = passes(|| {
        let lock = Arc::new(RwLock::new(0));
        let other = lock.clone();
        let t = thread::spawn(move || *other.write().unwrap() += 10);
        let mut writing = lock.write().unwrap();
        *writing += 1;
        let seen = *writing;
        let reading = RwLockWriteGuard::downgrade(writing);
        assert_eq!(*reading, seen);
        drop(reading);
        t.join().unwrap();
    });
    assert_eq!(report.complete, 2);
    // With the lock given up in between one does.
    fails(FailureKind::Assertion, || {
        let lock = Arc::new(RwLock::new(0));
        let other = lock.clone();
        thread::spawn(move || *other.write().unwrap() += 10);
        let mut writing = lock.write().unwrap();
        *writing += 1;
        let seen = *writing;
        drop(writing);
        assert_eq!(*lock.read().unwrap(), seen);
    });
}

#[test]
fn a_wait_with_a_limit_ends_in_time_or_by_notification() {
    fn program(report_always: bool) -> impl Fn() + Send + Sync {
        move || {
            let pair = Arc::new((Mutex::new(false), Condvar::new()));
            let other = pair.clone();
            let t = thread::spawn(move || {
                *other.0.lock().unwrap() = true;
                other.1.notify_one();
            });
            let guard = pair.0.lock().unwrap();
            let limit = Duration::from_secs(1);
            let (open, result) = pair
                .1
                .wait_timeout_while(guard, limit, |open| !*open)
                .unwrap();
            assert_eq!(result.timed_out(), !*open);
            assert!(report_always || *open, "the time was up");
            drop(open);
            t.join().unwrap();
        }
    }
    passes(program(true));
    let message = fails(FailureKind::Assertion, program(false));
    assert!(message.contains("the time was up"), "{message}");
    // Without anybody to notify it is no deadlock.
    passes(|| {
        let pair = (Mutex::new(()), Condvar::new());
        let guard = pair.0.lock().unwrap();
        let (_guard, result) = pair.1.wait_timeout(guard, Duration::ZERO).unwrap();
        assert!(result.timed_out());
    });
    let never = Explorer::new().time_outs(0).check(program(false));
    assert!(never.failure.is_none());
}

#[test]
fn a_waiter_that_does_not_look_again_is_woken_without_cause_when_asked_to() {
    fn program(again: bool) -> impl Fn() + Send + Sync {
        move || {
            let pair = Arc::new((Mutex::new(false), Condvar::new()));
            let other = pair.clone();
            let t = thread::spawn(move || {
                *other.0.lock().unwrap() = true;
                other.1.notify_one();
            });
            let mut open = pair.0.lock().unwrap();
            match again {
                true => open = pair.1.wait_while(open, |open| !*open).unwrap(),
                false if !*open => open = pair.1.wait(open).unwrap(),
                false => {}
            }
            assert!(*open, "woken without cause");
            drop(open);
            t.join().unwrap();
        }
    }
    assert!(check(program(false)).failure.is_none());
    let explorer = Explorer::new().spurious_wakeups(1);
    let failure = explorer.check(program(false)).failure.expect("a fault");
    assert!(failure.message.contains("woken without cause"));
    let report = explorer.check(program(true));
    assert!(report.failure.is_none() && report.exhaustive);
}

#[test]
fn a_barrier_orders_what_is_before_it_with_what_is_after() {
    for threads in [1, 2, 3] {
        let report = passes(move || {
            let shared = Arc::new((Barrier::new(threads), [0; 3].map(Cell::new)));
            let run = move |shared: &(Barrier, [Cell<u32>; 3]), me: usize| {
                shared.1[me].set(1);
                let leads = shared.0.wait().is_leader();
                assert_eq!(
                    shared.1.iter().take(threads).map(Cell::get).sum::<u32>(),
                    threads as u32
                );
                u32::from(leads)
            };
            let others: Vec<_> = (1..threads)
                .map(|n| {
                    let shared = shared.clone();
                    thread::spawn(move || run(&shared, n))
                })
                .collect();
            let mut leaders = run(&shared, 0);
            for t in others {
                leaders += t.join().unwrap();
            }
            assert_eq!(leaders, 1);
        });
        assert_eq!(
            (report.complete, report.blocked),
            (orders(threads as u64, 1), 0)
        );
    }
    // It is used again, and it is not passed by fewer.
    let report = passes(|| {
        let shared = Arc::new((Barrier::new(2), Cell::new(0)));
        let other = shared.clone();
        let t = thread::spawn(move || {
            other.1.set(1);
            other.0.wait();
            other.0.wait();
            assert_eq!(other.1.get(), 2);
        });
        shared.0.wait();
        assert_eq!(shared.1.get(), 1);
        shared.1.set(2);
        shared.0.wait();
        t.join().unwrap();
    });
    assert_eq!(report.complete, 4);
    fails(FailureKind::Deadlock, || {
        Barrier::new(2).wait();
    });
    fails(FailureKind::DataRace, || {
        let shared = Arc::new((Barrier::new(2), Cell::new(0)));
        let other = shared.clone();
        thread::spawn(move || {
            other.0.wait();
            other.1.set(1);
        });
        shared.0.wait();
        shared.1.get();
    });
}

#[test]
fn what_is_done_once_is_done_before_anybody_goes_on() {
    let report = passes(|| {
        let shared = Arc::new((Once::new(), Cell::new(0)));
        let run = |shared: &(Once, Cell<u32>)| {
            shared.0.call_once(|| shared.1.set(shared.1.get() + 1));
            assert_eq!(shared.1.get(), 1);
        };
        for _ in 0..2 {
            let shared = shared.clone();
            thread::spawn(move || run(&shared));
        }
        run(&shared);
        assert!(shared.0.is_completed());
    });
    // Any of the three does it, and the others, which only look, are in no order.
    assert_eq!((report.complete, report.blocked), (3, 0));
    fails(FailureKind::DataRace, || {
        let shared = Arc::new((Once::new(), Cell::new(0)));
        let other = shared.clone();
        thread::spawn(move || other.0.call_once(|| other.1.set(1)));
        shared.1.get();
    });
    fails(FailureKind::Deadlock, || {
        let once = Once::new();
        once.call_once(|| once.call_once(|| {}));
    });
    passes(|| {
        let shared = Arc::new((Once::new(), Cell::new(0)));
        let other = shared.clone();
        thread::spawn(move || other.0.call_once_force(|_| other.1.set(1)));
        shared.0.wait();
        assert_eq!(shared.1.get(), 1);
    });
}

#[test]
fn a_value_is_set_once() {
    let report = passes(|| {
        let cell = Arc::new(OnceLock::new());
        let other = cell.clone();
        let t = thread::spawn(move || other.set(String::from("theirs")).is_ok());
        let mine = cell.set(String::from("mine")).is_ok();
        assert_eq!(cell.get().unwrap(), if mine { "mine" } else { "theirs" });
        assert!(mine != t.join().unwrap());
    });
    assert_eq!(report.complete, 2);
    fails(FailureKind::Assertion, || {
        let cell = Arc::new(OnceLock::new());
        let other = cell.clone();
        thread::spawn(move || other.set(1));
        assert_eq!(cell.get(), None, "it is set");
    });
    passes(|| {
        let mut cell = OnceLock::from(1);
        *cell.get_mut().unwrap() += 1;
        assert_eq!((cell.take(), cell.get()), (Some(2), None));
        assert_eq!((*cell.get_or_init(|| 3), cell.into_inner()), (3, Some(3)));
    });
}

#[test]
fn a_lazy_value_is_made_by_whoever_comes_first() {
    for wanted in [1, 2] {
        fails(FailureKind::Assertion, move || {
            let first = Arc::new(AtomicU32::new(0));
            let source = first.clone();
            let value = Arc::new(LazyLock::new(move || source.load(Relaxed)));
            let (theirs, mark) = (value.clone(), first.clone());
            let t = thread::spawn(move || {
                mark.store(1, Relaxed);
                **theirs
            });
            first.store(2, Relaxed);
            let mine = **value;
            assert_eq!(mine, t.join().unwrap());
            assert_ne!(mine, wanted);
        });
    }
}

#[test]
fn blocks_are_given_back_once_and_not_used_after() {
    let layout = Layout::new::<u64>();
    // SAFETY: given back with the same layout.
    passes(move || unsafe { dealloc(alloc(layout), layout) });
    fails(FailureKind::Leak, move || {
        // SAFETY: never used.
        let _ = unsafe { alloc(layout) };
    });
    fails(FailureKind::DoubleFree, move || {
        // SAFETY: none.
        unsafe {
            let block = alloc(layout);
            dealloc(block, layout);
            dealloc(block, layout);
        }
    });
    fails(FailureKind::Assertion, move || {
        let mut own = 0_u64;
        // SAFETY: none.
        unsafe { dealloc((&raw mut own).cast(), layout) };
    });
}

#[test]
fn tracked_values_end() {
    passes(|| {
        let mut tracked = Track::new(vec![1]);
        tracked.get_mut().push(2);
        assert_eq!(tracked.get_ref(), &[1, 2]);
        assert_eq!(tracked.into_inner(), [1, 2]);
        drop(Track::new(1));
    });
    fails(FailureKind::Leak, || {
        let (shown, hidden) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let other = shown.clone();
        thread::spawn(move || other.store(1, Relaxed));
        let tracked = Track::new(1);
        if shown.load(Relaxed) == 1 {
            std::mem::forget(tracked);
        }
        hidden.store(1, Relaxed);
    });
    // The flag is read relaxed: the last use need not come before the end.
    fn reclaim(order: threadbare_litmus::sync::atomic::Ordering) -> Option<FailureKind> {
        let report = check(move || {
            let node = Box::into_raw(Box::new(Track::new(5))) as usize;
            let done = Arc::new(AtomicUsize::new(0));
            let other = done.clone();
            let t = thread::spawn(move || {
                // SAFETY: freed when `done` is set, or the fault is found.
                let node = unsafe { &*(node as *const Track<u32>) };
                assert_eq!(*node.get_ref(), 5);
                other.store(1, order);
            });
            done.await_until(Acquire, |done| done == 1);
            // SAFETY: as above.
            drop(unsafe { Box::from_raw(node as *mut Track<u32>) });
            t.join().unwrap();
        });
        report.failure.map(|failure| failure.kind)
    }
    assert_eq!(reclaim(Release), None);
    assert!(matches!(
        reclaim(Relaxed),
        Some(FailureKind::DataRace | FailureKind::UseAfterFree)
    ));
}

#[test]
fn a_parked_thread_wakes_without_cause_when_asked_to_and_in_time() {
    // awslabs/shuttle#101: a sleeper that does not look again.
    let program = || {
        let data = Arc::new(Cell::named(0, "data"));
        let (theirs, main) = (data.clone(), thread::current());
        let t = thread::spawn(move || {
            theirs.set(1);
            main.unpark();
        });
        thread::park();
        assert_eq!(data.get(), 1);
        t.join().unwrap();
    };
    passes(program);
    let failure = Explorer::new().spurious_wakeups(1).check(program).failure;
    assert_eq!(failure.map(|f| f.kind), Some(FailureKind::DataRace));
    // Nobody unparks it, and it goes on all the same.
    passes(|| thread::park_timeout(Duration::from_secs(1)));
}
