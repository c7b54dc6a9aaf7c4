//! Corners of `std`'s interfaces, each in a program whose outcomes were worked out by hand first.

#[path = "support/closures.rs"]
mod support;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Mutex as StdMutex;
use std::time::Duration;
use support::{check, passes};
use threadbare_litmus::Explorer;
use threadbare_litmus::explore::FailureKind::{self, Assertion, DataRace, Deadlock, Program};
use threadbare_litmus::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
use threadbare_litmus::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize};
use threadbare_litmus::sync::mpsc::{TryRecvError, channel};
use threadbare_litmus::sync::{
    Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, Weak,
};
use threadbare_litmus::{cell::Cell, cell::UnsafeCell, thread};

/// All that `program` returned in one of its executions.
fn outcomes_of<T: Ord + Send + Clone + 'static>(
    explorer: &Explorer,
    program: impl Fn() -> T + Send + Sync + 'static,
) -> BTreeSet<T> {
    let seen = std::sync::Arc::new(StdMutex::new(BTreeSet::new()));
    let into = seen.clone();
    let report = explorer.check(move || {
        let outcome = program();
        into.lock().unwrap().insert(outcome);
    });
    assert!(report.failure.is_none(), "{:?}", report.failure);
    assert!(report.complete > 0);
    let seen = seen.lock().unwrap();
    seen.clone()
}

fn outcomes<T: Ord + Send + Clone + 'static>(
    program: impl Fn() -> T + Send + Sync + 'static,
) -> BTreeSet<T> {
    outcomes_of(&Explorer::new(), program)
}

fn fails(kind: FailureKind, program: impl Fn() + Send + Sync + 'static) -> String {
    let failure = check(program).failure.expect("a fault is there");
    assert_eq!(failure.kind, kind, "{}", failure.message);
    failure.message
}

#[test]
fn how_many_threads_a_scope_starts_may_depend_on_a_race() {
    let found = outcomes(|| {
        let (go, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|s| {
            s.spawn(|| go.store(2, Relaxed));
            for _ in 0..go.load(Relaxed) {
                s.spawn(|| done.fetch_add(1, Relaxed));
            }
        });
        done.load(Relaxed)
    });
    assert_eq!(found, BTreeSet::from([0, 2]));
}

#[test]
fn joining_a_thread_does_not_join_its_children() {
    let found = outcomes(|| {
        let flag = Arc::new(AtomicUsize::new(0));
        let inner = flag.clone();
        let child = thread::spawn(move || {
            thread::spawn(move || inner.store(1, Release));
        });
        child.join().unwrap();
        flag.load(Acquire)
    });
    assert_eq!(found, BTreeSet::from([0, 1]));
}

#[test]
fn a_thread_nobody_joins_races_after_the_end_of_main() {
    fails(DataRace, || {
        let cell = Arc::new(Cell::new(0));
        let (one, other) = (cell.clone(), cell);
        thread::spawn(move || one.set(1));
        thread::spawn(move || other.set(2));
    });
}

#[test]
fn make_mut_clones_as_long_as_the_other_handle_may_be_there() {
    #[derive(Debug)]
    struct Counted(u32, std::sync::Arc<AtomicUsize>);
    impl Clone for Counted {
        fn clone(&self) -> Self {
            self.1.fetch_add(1, Relaxed);
            Self(self.0, self.1.clone())
        }
    }
    let found = outcomes(|| {
        let clones = std::sync::Arc::new(AtomicUsize::new(0));
        let mut mine = Arc::new(Counted(1, clones.clone()));
        let other = mine.clone();
        let reader = thread::spawn(move || other.0);
        Arc::make_mut(&mut mine).0 = 2;
        (reader.join().unwrap(), mine.0, clones.load(Relaxed))
    });
    assert_eq!(found, BTreeSet::from([(1, 2, 0), (1, 2, 1)]));
}

#[test]
fn make_mut_leaves_weak_handles_without_a_content() {
    let found = outcomes(|| {
        let mut mine = Arc::new(1);
        let weak = Arc::downgrade(&mine);
        let reader = thread::spawn(move || weak.upgrade().map(|it| *it));
        *Arc::make_mut(&mut mine) = 2;
        (reader.join().unwrap(), *mine)
    });
    assert_eq!(found, BTreeSet::from([(None, 2), (Some(1), 2)]));
}

static WATCHED: Mutex<Option<Weak<u32>>> = Mutex::const_new(None);

#[test]
fn a_weak_handle_in_a_static_is_gone_at_the_next_start() {
    let found = outcomes(|| {
        assert!(WATCHED.lock().unwrap().is_none(), "of an earlier execution");
        let strong = Arc::new(7);
        *WATCHED.lock().unwrap() = Some(Arc::downgrade(&strong));
        let reader = thread::spawn(|| {
            let weak = WATCHED.lock().unwrap().take();
            weak.and_then(|weak| weak.upgrade()).map(|it| *it)
        });
        drop(strong);
        reader.join().unwrap()
    });
    assert_eq!(found, BTreeSet::from([None, Some(7)]));
}

/// Two threads wait at one condition, each with a mutex of its own, until this notifies them.
fn two_mutexes_at_a_condition(notify: fn(&Condvar)) {
    let shared = Arc::new((Mutex::new(false), Mutex::new(false), Condvar::new()));
    let (one, other) = (shared.clone(), shared.clone());
    let first = thread::spawn(move || {
        let guard = one.0.lock().unwrap();
        drop(one.2.wait_while(guard, |ready| !*ready).unwrap());
    });
    let second = thread::spawn(move || {
        let guard = other.1.lock().unwrap();
        drop(other.2.wait_while(guard, |ready| !*ready).unwrap());
    });
    *shared.0.lock().unwrap() = true;
    *shared.1.lock().unwrap() = true;
    notify(&shared.2);
    first.join().unwrap();
    second.join().unwrap();
}

#[test]
fn a_condition_serves_two_mutexes() {
    passes(|| two_mutexes_at_a_condition(Condvar::notify_all));
}

#[test]
fn one_notification_for_two_mutexes_wakes_one() {
    fails(Deadlock, || {
        two_mutexes_at_a_condition(Condvar::notify_one);
    });
}

#[test]
fn a_cell_that_initialises_itself_waits_for_itself() {
    fails(Deadlock, || {
        let cell = OnceLock::new();
        cell.get_or_init(|| *cell.get_or_init(|| 1));
    });
}

#[test]
fn two_onces_that_call_each_other_deadlock_in_one_order() {
    fails(Deadlock, || {
        let onces = Arc::new((Once::new(), Once::new()));
        let other = onces.clone();
        let child = thread::spawn(move || other.0.call_once(|| other.1.call_once(|| {})));
        onces.1.call_once(|| onces.0.call_once(|| {}));
        child.join().unwrap();
    });
}

#[test]
fn an_initialiser_that_panics_is_the_fault_even_if_caught() {
    let message = fails(Assertion, || {
        let lazy: LazyLock<u32, _> = LazyLock::new(|| panic!("no value"));
        let caught = catch_unwind(AssertUnwindSafe(|| *lazy));
        assert!(caught.is_err());
        let _ = *lazy;
    });
    assert!(message.contains("no value"), "{message}");
    let message = fails(Assertion, || {
        let once = Once::new();
        let call = || once.call_once(|| panic!("never done"));
        assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
        once.call_once_force(|_| {});
    });
    assert!(message.contains("never done"), "{message}");
}

#[test]
fn tokens_do_not_add_up() {
    passes(|| {
        thread::current().unpark();
        thread::park();
    });
    fails(Deadlock, || {
        let main = thread::current();
        main.unpark();
        main.unpark();
        thread::park();
        thread::park();
    });
}

#[test]
fn a_lock_held_while_parked_keeps_out_who_would_wake() {
    fails(Deadlock, || {
        let lock = Arc::new(Mutex::new(()));
        let (other, main) = (lock.clone(), thread::current());
        thread::spawn(move || {
            let _guard = other.lock().unwrap();
            main.unpark();
        });
        let _guard = lock.lock().unwrap();
        thread::park();
    });
}

#[test]
fn a_channel_is_seen_empty_filled_or_left() {
    let found = outcomes(|| {
        let (sender, receiver) = channel();
        let child = thread::spawn(move || sender.send(1).unwrap());
        let first = receiver.try_recv();
        let second = receiver.try_recv();
        child.join().unwrap();
        (
            first.map_err(|e| e == TryRecvError::Empty),
            second.map_err(|e| e == TryRecvError::Empty),
        )
    });
    // Err(true) is empty, Err(false) disconnected, which nobody sees before the message.
    let (empty, left) = (Err(true), Err(false));
    assert_eq!(
        found,
        BTreeSet::from([
            (empty, empty),
            (empty, Ok(1)),
            (Ok(1), empty),
            (Ok(1), left)
        ])
    );
}

#[test]
fn each_round_of_a_barrier_has_one_leader_whoever_it_is() {
    let found = outcomes(|| {
        let barrier = Arc::new(Barrier::new(2));
        let other = barrier.clone();
        let child = thread::spawn(move || [other.wait().is_leader(), other.wait().is_leader()]);
        let mine = [barrier.wait().is_leader(), barrier.wait().is_leader()];
        let theirs = child.join().unwrap();
        assert!((0..2).all(|round| mine[round] ^ theirs[round]));
        mine
    });
    assert_eq!(found.len(), 4);
}

#[test]
fn an_update_that_panics_for_a_value_is_found_where_the_value_comes() {
    let message = fails(Assertion, || {
        let count = Arc::new(AtomicUsize::new(0));
        let other = count.clone();
        let child = thread::spawn(move || other.store(1, Relaxed));
        let _ = count.fetch_update(Relaxed, Relaxed, |value| {
            assert_ne!(value, 1, "it came in between");
            Some(value + 2)
        });
        child.join().unwrap();
    });
    assert!(message.contains("in between"), "{message}");
}

#[test]
fn a_mark_in_the_low_bit_of_a_pointer_is_set_by_one() {
    let found = outcomes(|| {
        let mut node = Box::new(5_u64);
        let plain: *mut u64 = &raw mut *node;
        let head = AtomicPtr::new(plain);
        let marks = AtomicUsize::new(0);
        let mark = || {
            let seen = head.load(Acquire);
            let marked = seen.map_addr(|addr| addr | 1);
            if seen.addr() & 1 == 0 && head.compare_exchange(seen, marked, AcqRel, Relaxed).is_ok()
            {
                marks.fetch_add(1, Relaxed);
            }
        };
        thread::scope(|s| {
            s.spawn(mark);
            mark();
        });
        let last = head.load(Relaxed);
        assert!(ptr::eq(last.map_addr(|addr| addr & !1), plain));
        (last.addr() & 1, marks.load(Relaxed))
    });
    assert_eq!(found, BTreeSet::from([(1, 1)]));
}

#[test]
fn the_turns_of_a_weak_exchange_are_counted() {
    let tries = || {
        let count = Arc::new(AtomicUsize::new(0));
        let other = count.clone();
        let child = thread::spawn(move || other.fetch_add(1, Relaxed));
        let (mut turns, mut seen) = (1, count.load(Relaxed));
        while let Err(now) = count.compare_exchange_weak(seen, seen + 1, Relaxed, Relaxed) {
            (turns, seen) = (turns + 1, now);
        }
        child.join().unwrap();
        assert_eq!(count.load(Relaxed), 2);
        turns
    };
    assert_eq!(outcomes(tries), BTreeSet::from([1, 2]));
    let once = Explorer::new().spurious_failures(1);
    assert_eq!(outcomes_of(&once, tries), BTreeSet::from([1, 2, 3]));
}

#[test]
fn a_panic_of_a_thread_nobody_joins_is_a_fault() {
    struct Tells(Arc<AtomicBool>);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.store(true, Relaxed);
        }
    }
    let message = fails(Assertion, || {
        let flag = Arc::new(AtomicBool::new(false));
        let tells = Tells(flag.clone());
        drop(thread::spawn(move || {
            let _tells = tells;
            assert!(thread::current().name().is_some(), "no name");
        }));
        flag.load(Relaxed);
    });
    assert!(message.contains("no name"), "{message}");
}

#[test]
fn a_thread_knows_the_name_that_it_was_given() {
    passes(|| {
        let builder = thread::Builder::new().name("worker".into());
        let child = builder.spawn(|| thread::current().name().map(String::from));
        let child = child.unwrap();
        assert_eq!(child.thread().name(), Some("worker"));
        assert_eq!(child.join().unwrap().as_deref(), Some("worker"));
        let other = thread::spawn(|| thread::current().name().map(String::from));
        assert_eq!(other.join().unwrap(), None);
    });
}

#[test]
fn a_counter_that_outlives_the_executions_is_noticed() {
    static RUNS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    fails(Program, || {
        let x = Arc::new(AtomicUsize::new(0));
        let other = x.clone();
        let child = thread::spawn(move || other.store(1, Relaxed));
        if RUNS.fetch_add(1, Relaxed).is_multiple_of(2) {
            x.store(2, Relaxed);
        }
        x.load(Relaxed);
        child.join().unwrap();
    });
}

#[test]
fn a_loop_that_yields_and_gives_up_has_both_ends() {
    let found = outcomes(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let other = flag.clone();
        let child = thread::spawn(move || other.store(true, Release));
        let mut turns = 0;
        while !flag.load(Acquire) && turns < 3 {
            turns += 1;
            thread::yield_now();
        }
        child.join().unwrap();
        turns
    });
    assert_eq!(found, BTreeSet::from([0, 1, 2, 3]));
}

#[test]
fn a_lock_tried_in_a_loop_is_waited_for() {
    let found = outcomes(|| {
        let lock = Arc::new(Mutex::new(0));
        let other = lock.clone();
        let child = thread::spawn(move || *other.lock().unwrap() += 1);
        let seen = loop {
            if let Ok(mut count) = lock.try_lock() {
                *count += 1;
                break *count;
            }
            std::hint::spin_loop();
        };
        child.join().unwrap();
        seen
    });
    assert_eq!(found, BTreeSet::from([1, 2]));
}

#[test]
fn what_a_thread_returned_is_dropped_by_the_handle_or_by_the_thread() {
    struct Tells(Arc<AtomicUsize>);
    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
        }
    }
    let found = outcomes(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        let tells = Tells(drops.clone());
        let child = thread::spawn(move || tells);
        drop(child.join().unwrap());
        drops.load(Relaxed)
    });
    assert_eq!(found, BTreeSet::from([1]));
}

#[test]
fn a_lock_read_twice_by_one_thread_leaves_something_out() {
    // With `std` the second read may wait for a writer that waits for the first.
    let report = check(|| {
        let lock = Arc::new(RwLock::new(0));
        let other = lock.clone();
        let child = thread::spawn(move || *other.write().unwrap() = 1);
        let one = lock.read().unwrap();
        let two = lock.read().unwrap();
        assert_eq!(*one, *two);
        drop((one, two));
        child.join().unwrap();
    });
    assert!(report.failure.is_none());
    let coverage = report.coverage().to_string();
    assert!(coverage.contains("reads a lock again"), "{coverage}");
}

#[test]
fn a_wait_in_time_and_a_wait_too_late_differ() {
    let found = outcomes(|| {
        let shared = Arc::new((Mutex::new(false), Condvar::new()));
        let other = shared.clone();
        let child = thread::spawn(move || {
            *other.0.lock().unwrap() = true;
            other.1.notify_one();
        });
        let guard = shared.0.lock().unwrap();
        let limit = Duration::from_millis(1);
        let (guard, result) = shared
            .1
            .wait_timeout_while(guard, limit, |ready| !*ready)
            .unwrap();
        let outcome = (*guard, result.timed_out());
        drop(guard);
        child.join().unwrap();
        outcome
    });
    assert_eq!(found, BTreeSet::from([(false, true), (true, false)]));
}

#[test]
fn a_message_by_a_pointer_needs_release_and_acquire() {
    fn pass(store: threadbare_litmus::sync::atomic::Ordering) -> impl Fn() + Send + Sync {
        move || {
            let slot = Arc::new(AtomicPtr::<UnsafeCell<u32>>::new(ptr::null_mut()));
            let other = slot.clone();
            let child = thread::spawn(move || {
                let node = Box::new(UnsafeCell::new(0));
                // SAFETY: nobody else has the node yet.
                node.with_mut(|it| unsafe { *it = 7 });
                other.store(Box::into_raw(node), store);
            });
            let seen = slot.load(Acquire);
            if !seen.is_null() {
                // SAFETY: the node is there until the thread is joined; races are what is looked for.
                let value = unsafe { (*seen).with(|it| *it) };
                assert_eq!(value, 7);
            }
            child.join().unwrap();
            let node = slot.swap(ptr::null_mut(), SeqCst);
            // SAFETY: it came of `Box::into_raw`, and nobody has it any more.
            drop(unsafe { Box::from_raw(node) });
        }
    }
    passes(pass(Release));
    fails(DataRace, pass(Relaxed));
}

#[test]
fn what_has_been_done_once_publishes_itself_alone() {
    // Another thread's store, read relaxed before, is not acquired by it.
    fn program(again: fn(&Once, &OnceLock<u32>)) -> impl Fn() + Send + Sync {
        move || {
            let all = Arc::new((
                Cell::new(0),
                AtomicBool::new(false),
                Once::new(),
                OnceLock::new(),
            ));
            again(&all.2, &all.3);
            let other = all.clone();
            thread::spawn(move || {
                other.0.set(1);
                other.1.store(true, Release);
            });
            if all.1.load(Relaxed) {
                again(&all.2, &all.3);
                all.0.get();
            }
        }
    }
    fails(DataRace, program(|once, _| once.call_once(|| {})));
    fails(
        DataRace,
        program(|_, cell| assert_eq!(*cell.get_or_init(|| 1), 1)),
    );
    fails(DataRace, program(|_, cell| _ = cell.set(1)));
}

#[test]
fn a_scope_waits_for_what_its_threads_start_in_it() {
    let count = |scope: fn(&AtomicUsize)| {
        let report = passes(move || {
            let x = AtomicUsize::new(0);
            scope(&x);
            assert_eq!(x.load(Relaxed), 4);
        });
        report.complete
    };
    // Orders of four additions in which each parent's comes before its child's: 4! / (2 * 2).
    let nested = count(|x| {
        let add = || _ = x.fetch_add(1, Relaxed);
        thread::scope(|s| {
            for _ in 0..2 {
                s.spawn(move || {
                    add();
                    s.spawn(add);
                });
            }
        });
    });
    assert_eq!(nested, 6);
    // Joined by handle, by who started it and by another, and from a scope inside.
    count(|x| {
        let add = || _ = x.fetch_add(1, Relaxed);
        thread::scope(|s| {
            let first = s.spawn(add);
            let second = s.spawn(move || {
                thread::scope(|inner| drop(inner.spawn(move || drop(s.spawn(add)))));
                s.spawn(add).join().unwrap();
                first.join().unwrap();
            });
            second.join().unwrap();
            add();
        });
    });
}

#[test]
fn readers_that_may_wait_behind_a_writer_leave_something_out() {
    // With `std` T1's read may wait for T2's write, which waits for main's read, which waits for T1.
    let coverage = |writes: bool, holds: bool| {
        let report = passes(move || {
            let both = Arc::new((RwLock::new(0), Mutex::new(0)));
            let (one, two) = (both.clone(), both.clone());
            thread::spawn(move || {
                let _inside = one.1.lock().unwrap();
                let _reads = one.0.read().unwrap();
            });
            thread::spawn(move || match writes {
                true => *two.0.write().unwrap() = 1,
                false => drop(two.0.read().unwrap()),
            });
            let reads = both.0.read().unwrap();
            let held = holds.then_some(reads);
            drop(both.1.lock().unwrap());
            drop(held);
        });
        report.coverage()
    };
    let behind = "without load buffering and deadlocks of readers behind a writer";
    assert!(coverage(true, true).contains(behind));
    for (writes, holds) in [(true, false), (false, true)] {
        let coverage = coverage(writes, holds);
        assert!(coverage.ends_with("without load buffering"), "{coverage}");
    }
}

#[test]
fn a_long_turn_of_a_loop_that_waits_is_recognised() {
    let scan = |n: usize| {
        Explorer::new().max_events(500).check(move || {
            let flags: Arc<Vec<AtomicBool>> =
                Arc::new((0..n).map(|_| AtomicBool::new(false)).collect());
            let other = flags.clone();
            thread::spawn(move || other[0].store(true, Release));
            while flags.iter().filter(|flag| flag.load(Acquire)).count() == 0 {}
        })
    };
    let report = scan(32);
    assert_eq!(
        (report.complete, report.spins.len()),
        (1, 1),
        "{:?}",
        report.failure
    );
    assert_eq!(scan(33).failure.expect("beyond the bound").kind, Program);
}

#[test]
fn a_loop_over_what_is_made_once_waits() {
    static FLAG: LazyLock<AtomicBool> = LazyLock::const_new(|| AtomicBool::new(false));
    let report = check(|| {
        thread::spawn(|| FLAG.store(true, Release));
        while !FLAG.load(Acquire) {}
    });
    assert!(report.failure.is_none(), "{:?}", report.failure);
    assert_eq!(report.spins.len(), 1, "{:?}", report.spins);
}

#[test]
fn memory_that_is_freed_is_not_used_again_in_the_same_run() {
    // Whoever takes the old object out frees it; the allocator would give it to the next.
    let seen = outcomes(|| {
        let slot = Arc::new(AtomicPtr::new(ptr::null_mut()));
        let put = |slot: &AtomicPtr<u32>, number| {
            let old = slot.swap(Box::into_raw(Box::new(number)), AcqRel);
            // SAFETY: taken out by this thread alone.
            (!old.is_null()).then(|| *unsafe { Box::from_raw(old) })
        };
        let other = slot.clone();
        let child = thread::spawn(move || (put(&other, 1), put(&other, 2)));
        let mine = (put(&slot, 3), put(&slot, 4));
        let theirs = child.join().unwrap();
        // SAFETY: nobody else is there any more.
        let last = *unsafe { Box::from_raw(slot.load(Acquire)) };
        (mine, theirs, last)
    });
    assert_eq!(seen.len(), 6, "orders of two and two: {seen:?}");
}
