//! The edges of a closure's exploration: panics, destructors, runs that are given up, threads
//! met in different orders, pointers, and programs that are not deterministic.

#[path = "support/closures.rs"]
mod support;

use std::panic::AssertUnwindSafe;
use std::sync::atomic::AtomicU32 as Std;
use support::{check, passes};
use threadbare_litmus::explore::{FailureKind, Report};
use threadbare_litmus::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use threadbare_litmus::sync::atomic::{AtomicPtr, AtomicU32};
use threadbare_litmus::sync::{Arc, Mutex};
use threadbare_litmus::thread::{self, JoinHandle};
use threadbare_litmus::{Explorer, observe};

fn fails(report: &Report, kind: FailureKind, words: &str) {
    let failure = report.failure.as_ref().expect("a fault");
    assert_eq!(failure.kind, kind, "{}", failure.message);
    assert!(failure.message.contains(words), "{}", failure.message);
    assert!(
        !std::thread::panicking(),
        "an abandoned panic is not the caller's"
    );
}

/// Locks when dropped.
struct Unregister(Arc<Mutex<u32>>);

impl Drop for Unregister {
    fn drop(&mut self) {
        *self.0.lock().unwrap() += 1;
    }
}

#[test]
fn a_panic_is_the_fault_whatever_destructors_would_do() {
    // The guard is held when the destructor wants the lock.
    let report = check(|| {
        let registry = Arc::new(Mutex::named(0, "registry"));
        let _registered = Unregister(registry.clone());
        let held = registry.lock().unwrap();
        assert_eq!(*held, 1, "the real fault");
    });
    fails(&report, FailureKind::Assertion, "the real fault");
}

/// Waits for a flag when dropped.
struct WaitsFor(Arc<AtomicU32>);

impl Drop for WaitsFor {
    fn drop(&mut self) {
        self.0.await_until(Relaxed, |value| value == 1);
    }
}

#[test]
fn a_destructor_does_not_wait_while_its_thread_panics() {
    let report = check(|| {
        let done = Arc::new(AtomicU32::named(0, "done"));
        let other = done.clone();
        let thread = thread::spawn(move || {
            let _waits = WaitsFor(other);
            panic!("the real fault")
        });
        let _: Result<(), _> = thread.join();
        done.store(1, Relaxed);
    });
    fails(&report, FailureKind::Assertion, "the real fault");
}

#[test]
fn panics_with_anything_are_faults() {
    let report = check(|| std::panic::panic_any(42));
    fails(&report, FailureKind::Assertion, "no text");
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in a payload");
        }
    }
    let report = check(|| std::panic::panic_any(Bomb));
    fails(&report, FailureKind::Assertion, "no text");
}

#[test]
fn a_panic_that_the_program_catches_is_its_own_business() {
    let report = passes(|| {
        let x = Arc::new(AtomicU32::named(0, "x"));
        let other = x.clone();
        let thread = thread::spawn(move || {
            let caught = std::panic::catch_unwind(|| panic!("caught"));
            assert!(caught.is_err() && !std::thread::panicking());
            other.store(1, Relaxed);
        });
        x.load(Relaxed);
        assert!(!std::thread::panicking());
        thread.join().unwrap();
    });
    assert_eq!(report.complete, 2);
}

#[test]
fn nobody_else_is_panicking_when_a_thread_is() {
    // Within a bound the others run on after the fault.
    let report = Explorer::new().max_preemptions(1).check(|| {
        let x = Arc::new(AtomicU32::named(0, "x"));
        let (y, z) = (x.clone(), x.clone());
        thread::spawn(move || {
            struct Adds(Arc<AtomicU32>);
            impl Drop for Adds {
                fn drop(&mut self) {
                    self.0.fetch_add(1, Relaxed);
                }
            }
            let _adds = Adds(y.clone());
            assert_ne!(y.load(Relaxed), 1, "the real fault");
        });
        z.store(1, Relaxed);
        z.store(2, Relaxed);
        assert!(!std::thread::panicking(), "another thread's panic");
    });
    fails(&report, FailureKind::Assertion, "the real fault");
}

/// Joins a thread when dropped.
struct Worker(Option<JoinHandle<u32>>);

impl Drop for Worker {
    fn drop(&mut self) {
        let thread = self.0.take().unwrap();
        assert_eq!(thread.join().unwrap() + 1, 2);
    }
}

/// Spins when dropped.
struct Spins(Arc<AtomicU32>);

impl Drop for Spins {
    fn drop(&mut self) {
        while self.0.load(Acquire) == 0 {}
    }
}

/// Unlocks by a loop of exchanges when dropped.
struct Held(Arc<AtomicU32>);

impl Drop for Held {
    fn drop(&mut self) {
        while self
            .0
            .compare_exchange_weak(1, 0, Release, Relaxed)
            .is_err()
        {}
    }
}

#[test]
fn runs_that_are_given_up_answer_no_destructor() {
    let report = passes(|| {
        let x = Arc::new(AtomicU32::named(0, "x"));
        let y = x.clone();
        let _worker = Worker(Some(thread::spawn(move || {
            y.store(1, Relaxed);
            y.load(Relaxed)
        })));
        if x.load(Relaxed) == 0 {
            x.load(Relaxed);
        }
    });
    assert_eq!(report.complete, 3);
    let report = passes(|| {
        let lock = Arc::new(AtomicU32::named(0, "lock"));
        let x = Arc::new(AtomicU32::named(0, "x"));
        let y = x.clone();
        thread::spawn(move || y.store(1, Relaxed));
        lock.store(1, Relaxed);
        let _held = Held(lock);
        if x.load(Relaxed) == 0 {
            x.load(Relaxed);
        }
    });
    assert_eq!(report.complete, 3);
}

#[test]
fn a_destructor_that_spins_is_not_answered_either() {
    let report = passes(|| {
        let done = Arc::new(AtomicU32::named(0, "done"));
        let x = Arc::new(AtomicU32::named(0, "x"));
        let (d, y) = (done.clone(), x.clone());
        let _spins = Spins(done);
        thread::spawn(move || {
            y.store(1, Relaxed);
            d.store(1, Release);
        });
        if x.load(Relaxed) == 0 {
            x.load(Relaxed);
        }
    });
    assert_eq!(report.complete, 3);
}

#[test]
fn what_a_program_catches_of_a_run_given_up_ends_too() {
    let report = passes(|| {
        let x = Arc::new(AtomicU32::named(0, "x"));
        let y = x.clone();
        thread::spawn(move || y.store(1, Relaxed));
        while std::panic::catch_unwind(AssertUnwindSafe(|| x.load(Relaxed))).is_err() {}
        x.load(Relaxed);
    });
    assert_eq!(report.complete, 3);
}

#[test]
fn twins_are_those_of_this_execution() {
    let program = || {
        let flag = Arc::new(AtomicU32::named(0, "flag"));
        let x = Arc::new(AtomicU32::named(0, "x"));
        let f = flag.clone();
        thread::spawn(move || f.store(1, Relaxed));
        if flag.load(Relaxed) == 1 {
            thread::spawn_alike(2, move || {
                x.fetch_add(1, Relaxed);
            });
        } else {
            // The same threads by number, and others.
            let (a, b) = (x.clone(), x);
            thread::spawn(move || assert_eq!(a.fetch_add(1, Relaxed), 0, "the other was first"));
            thread::spawn(move || {
                b.fetch_add(1, Relaxed);
            });
        }
    };
    for reduce in [false, true] {
        let report = Explorer::new().reduce(reduce).check(program);
        fails(&report, FailureKind::Assertion, "the other was first");
    }
}

#[test]
fn a_marked_pointer_is_the_same_whoever_marks_it() {
    let report = passes(|| {
        let node = Box::into_raw(Box::new(0u64));
        let slot = Arc::new(AtomicPtr::named(node, "next"));
        let mark = |slot: &AtomicPtr<u64>| {
            let found = slot.load(Acquire);
            if found.addr() & 1 == 0 {
                let marked = found.map_addr(|address| address | 1);
                let _ = slot.compare_exchange(found, marked, AcqRel, Acquire);
            }
        };
        let other = slot.clone();
        let thread = thread::spawn(move || mark(&other));
        mark(&slot);
        thread.join().unwrap();
        assert_eq!(slot.load(Acquire).addr(), node.addr() | 1);
    });
    assert!(report.complete > 2);
}

#[test]
fn a_pointer_that_threads_know_is_one_pointer_whoever_shows_it() {
    let program = || {
        let node = Box::into_raw(Box::new(7u64)).expose_provenance();
        let slot = Arc::new(AtomicPtr::<u64>::named(std::ptr::null_mut(), "slot"));
        let publish = move |slot: &AtomicPtr<u64>| {
            let found = slot.load(Acquire);
            if found.is_null() {
                let before = slot.swap(std::ptr::with_exposed_provenance_mut(node), AcqRel);
                assert!(before.is_null() || before.addr() == node);
            } else {
                assert_eq!(found.addr(), node);
            }
        };
        for _ in 0..2 {
            let other = slot.clone();
            thread::spawn(move || publish(&other));
        }
        publish(&slot);
    };
    let alone = passes(program);
    let shared = Explorer::new().workers(3).share(2).check(program);
    assert!(shared.failure.is_none(), "{:?}", shared.failure);
    assert_eq!(alone.complete, shared.complete);
}

#[test]
fn what_is_not_deterministic_off_the_first_path_is_noticed() {
    static TIMES: Std = Std::new(0);
    for _ in 0..4 {
        let report = check(|| {
            let x = Arc::new(AtomicU32::named(0, "x"));
            let y = x.clone();
            thread::spawn(move || y.store(1, Relaxed));
            if x.load(Relaxed) == 0 {
                let even = TIMES
                    .fetch_add(1, std::sync::atomic::Ordering::Relaxed)
                    .is_multiple_of(2);
                assert!(even, "every other time");
            }
        });
        fails(&report, FailureKind::Program, "not deterministic");
    }
}

#[test]
fn state_that_threads_share_outside_is_noticed() {
    static SHARED: Std = Std::new(0);
    let report = check(|| {
        SHARED.store(0, std::sync::atomic::Ordering::SeqCst);
        let x = Arc::new(AtomicU32::named(0, "x"));
        let add = |x: Arc<AtomicU32>| {
            let before = SHARED.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            x.store(before, Relaxed);
        };
        let (y, z) = (x.clone(), x.clone());
        thread::spawn(move || add(y));
        thread::spawn(move || add(z));
    });
    fails(&report, FailureKind::Program, "not deterministic");
}

#[test]
fn a_thread_is_the_same_by_whatever_way_it_is_met() {
    let program = || {
        let x = Arc::new(AtomicU32::named(0, "x"));
        for _ in 0..2 {
            let x = x.clone();
            thread::spawn(move || {
                if x.fetch_add(1, Relaxed) == 0 {
                    let y = x.clone();
                    thread::spawn(move || y.store(observe::thread_index() as u32, Relaxed));
                }
            });
        }
        let seen = x.load(Relaxed);
        assert!(
            seen < 3 || seen == 257 || seen == 513 || seen == 258 || seen == 514,
            "{seen}"
        );
    };
    let alone = passes(program);
    for workers in [2, 3] {
        let shared = Explorer::new().workers(workers).share(2).check(program);
        assert!(shared.failure.is_none(), "{:?}", shared.failure);
        assert_eq!(alone.complete, shared.complete);
    }
}

#[test]
fn a_stack_that_overflows_is_a_fault() {
    fn deep(n: u64) -> u64 {
        std::hint::black_box([n; 64])[0] + if n == 0 { 0 } else { deep(n + 1) }
    }
    for _ in 0..3 {
        let report = check(|| drop(thread::spawn(|| deep(1)).join()));
        fails(&report, FailureKind::Assertion, "overflowed its stack");
    }
    passes(|| assert_eq!(thread::spawn(|| 1).join().unwrap(), 1));
}

#[test]
fn a_panic_in_a_destructor_during_a_panic_is_a_fault() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("and once more");
        }
    }
    for _ in 0..3 {
        let report = check(|| {
            let _panics = Panics;
            panic!("at first");
        });
        fails(
            &report,
            FailureKind::Assertion,
            "at first; then, in a destructor: and once more",
        );
    }
    passes(|| assert_eq!(thread::spawn(|| 1).join().unwrap(), 1));
}

#[test]
fn an_abort_is_a_fault_of_the_thread_that_aborts() {
    let report = check(|| {
        let x = Arc::new(AtomicU32::new(0));
        let other = x.clone();
        thread::spawn(move || other.store(1, Relaxed));
        if x.load(Relaxed) == 1 {
            std::process::abort();
        }
    });
    fails(&report, FailureKind::Assertion, "aborts the process");
}

/// Explored threads share what `std` keeps for their thread of the system.
#[test]
fn thread_locals_of_std_that_matter_are_noticed() {
    use std::cell::Cell;
    std::thread_local! {
        static CALLS: Cell<u32> = const { Cell::new(0) };
    }
    fn call() -> u32 {
        CALLS.set(CALLS.get() + 1);
        CALLS.get()
    }
    let report = check(|| {
        let x = Arc::new(AtomicU32::named(0, "x"));
        let y = x.clone();
        thread::spawn(move || y.store(call(), Relaxed));
        x.store(call(), Relaxed);
    });
    fails(&report, FailureKind::Program, "not deterministic");
    // The parent's value, which the child of `std` would not have.
    std::thread_local! {
        static DEPTH: Cell<u32> = const { Cell::new(0) };
    }
    let report = check(|| {
        let x = Arc::new(AtomicU32::named(0, "x"));
        x.store(DEPTH.get(), Relaxed);
        DEPTH.set(1);
        let y = x.clone();
        thread::spawn(move || y.store(DEPTH.get(), Relaxed));
    });
    fails(&report, FailureKind::Program, "not deterministic");
    // Each has its own.
    threadbare_litmus::thread_local! {
        static OWN: Cell<u32> = Cell::new(0);
    }
    passes(|| {
        OWN.with(|own| own.set(1));
        let child = thread::spawn(|| OWN.with(Cell::get));
        assert_eq!(child.join().unwrap(), 0);
    });
}

#[test]
fn an_exploration_inside_of_another_is_refused() {
    let report = check(|| {
        let inner = Explorer::new().check(|| drop(AtomicU32::new(0)));
        assert!(inner.failure.is_none());
    });
    fails(
        &report,
        FailureKind::Assertion,
        "an exploration inside of another one",
    );
    struct Explores;
    impl observe::Observer for Explores {
        fn judge(&self, _: &threadbare_litmus::explore::Execution<'_>) -> Result<(), String> {
            Explorer::new().check(|| {});
            Ok(())
        }
    }
    let observed = std::panic::catch_unwind(|| Explorer::new().observe(|| {}, Explores));
    let words = observed.expect_err("a panic of the callback's own");
    assert_eq!(
        words.downcast_ref::<String>().unwrap(),
        "an exploration inside of another one"
    );
    assert!(
        check(|| {}).failure.is_none(),
        "the next one is none inside"
    );
}

#[test]
fn who_ends_the_process_does_not_pass() {
    const NAME: &str = "who_ends_the_process_does_not_pass";
    if std::env::var_os("THREADBARE_TEST_EXITS").is_some() {
        check(|| {
            thread::spawn(|| std::process::exit(0));
        });
        return;
    }
    let out = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env("THREADBARE_TEST_EXITS", "1")
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(101), "{words}");
    assert!(
        words.contains("an explored thread ends the process"),
        "{words}"
    );
}

/// Numbers from 2⁶³ on are questions of the engine's own.
#[test]
fn a_question_that_the_engine_asks_itself_is_refused() {
    let report = check(|| {
        observe::ask(1 << 63);
    });
    fails(&report, FailureKind::Assertion, "below 1 << 63");
}
