//! Everyday programs, right and wrong: what a user writes first, with the verdict that it must get.

use std::panic::panic_any;
use std::time::Duration;
use threadbare_litmus::Explorer;
use threadbare_litmus::explore::FailureKind;
use threadbare_litmus::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering::*, fence};
use threadbare_litmus::sync::{Arc, Condvar, Mutex, RwLock, Weak};
use threadbare_litmus::thread;

/// Explores the program to its end, by one worker and by two.
fn passes(program: impl Fn() + Send + Sync + Clone + 'static) {
    for workers in [1, 2] {
        let report = Explorer::new().workers(workers).check(program.clone());
        assert!(report.failure.is_none(), "{:?}", report.failure);
        assert!(
            report.exhaustive && report.complete > 0,
            "{}",
            report.coverage()
        );
    }
}

fn fails(kind: FailureKind, program: impl Fn() + Send + Sync + Clone + 'static) {
    for workers in [1, 2] {
        let report = Explorer::new().workers(workers).check(program.clone());
        let failure = report.failure.as_ref().expect("a fault is there");
        assert_eq!(failure.kind, kind, "{}", failure.message);
        assert!(!report.exhaustive, "{}", report.coverage());
    }
}

#[test]
fn seq_cst_loads_agree_on_the_order_of_relaxed_stores() {
    passes(|| {
        let x = Arc::new(AtomicUsize::new(0));
        let y = Arc::new(AtomicUsize::new(0));
        let (a, b) = (x.clone(), y.clone());
        let t1 = thread::spawn(move || a.store(1, Relaxed));
        let t2 = thread::spawn(move || b.store(1, Relaxed));
        let (a, b) = (x.clone(), y.clone());
        let t3 = thread::spawn(move || (a.load(SeqCst), b.load(SeqCst)));
        let t4 = thread::spawn(move || (y.load(SeqCst), x.load(SeqCst)));
        t1.join().unwrap();
        t2.join().unwrap();
        let (p, q) = (t3.join().unwrap(), t4.join().unwrap());
        assert!(!(p == (1, 0) && q == (1, 0)));
    });
}

#[test]
fn a_lazy_initialisation_may_happen_twice() {
    fails(FailureKind::Assertion, || {
        let slot = Arc::new(AtomicUsize::new(0));
        let made = Arc::new(AtomicUsize::new(0));
        let go = |s: Arc<AtomicUsize>, m: Arc<AtomicUsize>| {
            move || {
                if s.load(Acquire) == 0 {
                    m.fetch_add(1, Relaxed);
                    s.store(1, Release);
                }
            }
        };
        let t = thread::spawn(go(slot.clone(), made.clone()));
        go(slot, made.clone())();
        t.join().unwrap();
        assert_eq!(made.load(Relaxed), 1);
    });
}

#[test]
fn an_upgrade_beside_the_last_drop_gives_the_value_or_nothing() {
    passes(|| {
        let a = Arc::new(5u32);
        let w = Arc::downgrade(&a);
        let t = thread::spawn(move || w.upgrade().map(|a| *a));
        drop(a);
        let got = t.join().unwrap();
        assert!(got.is_none() || got == Some(5));
    });
}

#[test]
fn an_upgrade_beside_the_last_drop_may_fail() {
    fails(FailureKind::Assertion, || {
        let a = Arc::new(5u32);
        let w = Arc::downgrade(&a);
        let t = thread::spawn(move || w.upgrade().is_some());
        drop(a);
        assert!(t.join().unwrap());
    });
}

#[test]
fn two_try_unwraps_may_both_fail() {
    fails(FailureKind::Assertion, || {
        let a = Arc::new(Mutex::new(1));
        let b = a.clone();
        let t = thread::spawn(move || Arc::try_unwrap(b).is_ok());
        let mine = Arc::try_unwrap(a).is_ok();
        assert!(t.join().unwrap() || mine);
    });
}

#[test]
fn of_two_into_inners_one_gets_the_value() {
    passes(|| {
        let a = Arc::new(1u8);
        let b = a.clone();
        let t = thread::spawn(move || Arc::into_inner(b).is_some());
        let mine = Arc::into_inner(a).is_some();
        assert!(t.join().unwrap() ^ mine);
    });
}

#[test]
fn a_forgotten_notification_is_a_deadlock() {
    fails(FailureKind::Deadlock, || {
        let p = Arc::new((Mutex::new(false), Condvar::new()));
        let q = p.clone();
        let t = thread::spawn(move || {
            *q.0.lock().unwrap() = true;
        });
        {
            let mut g = p.0.lock().unwrap();
            while !*g {
                g = p.1.wait(g).unwrap();
            }
        }
        t.join().unwrap();
    });
}

#[test]
fn a_notification_under_a_condition_arrives() {
    passes(|| {
        let p = Arc::new((Mutex::new(false), Condvar::new()));
        let q = p.clone();
        let t = thread::spawn(move || {
            *q.0.lock().unwrap() = true;
            q.1.notify_one();
        });
        {
            let mut g = p.0.lock().unwrap();
            while !*g {
                g = p.1.wait(g).unwrap();
            }
        }
        t.join().unwrap();
    });
}

#[test]
fn a_wait_with_a_limit_may_time_out() {
    fails(FailureKind::Assertion, || {
        let p = Arc::new((Mutex::new(false), Condvar::new()));
        let q = p.clone();
        let t = thread::spawn(move || {
            *q.0.lock().unwrap() = true;
            q.1.notify_one();
        });
        let g = p.0.lock().unwrap();
        let (g, _) = p.1.wait_timeout(g, Duration::from_millis(1)).unwrap();
        assert!(*g);
        drop(g);
        t.join().unwrap();
    });
}

#[test]
fn a_panic_of_any_payload_is_a_fault() {
    fails(FailureKind::Assertion, || {
        let x = Arc::new(AtomicUsize::new(0));
        let y = x.clone();
        let t = thread::spawn(move || {
            if y.load(Relaxed) == 1 {
                panic_any(7u64);
            }
        });
        x.store(1, Relaxed);
        let _ = t.join();
    });
}

#[test]
fn a_test_and_test_and_set_lock_excludes() {
    passes(|| {
        let l = Arc::new((AtomicBool::new(false), AtomicUsize::new(0)));
        let m = l.clone();
        let body = |l: &(AtomicBool, AtomicUsize)| {
            loop {
                while l.0.load(Relaxed) {
                    std::hint::spin_loop();
                }
                if !l.0.swap(true, Acquire) {
                    break;
                }
            }
            let v = l.1.load(Relaxed);
            l.1.store(v + 1, Relaxed);
            l.0.store(false, Release);
        };
        let t = thread::spawn(move || body(&m));
        body(&l);
        t.join().unwrap();
        assert_eq!(l.1.load(Relaxed), 2);
    });
}

#[test]
fn a_loop_that_counts_its_tries_gives_up() {
    fails(FailureKind::Assertion, || {
        let f = Arc::new(AtomicBool::new(false));
        let g = f.clone();
        let t = thread::spawn(move || g.store(true, Release));
        let mut tries = 0;
        while !f.load(Acquire) {
            tries += 1;
            if tries > 3 {
                panic!("gave up");
            }
        }
        t.join().unwrap();
    });
}

#[test]
fn a_loop_waits_past_a_value_in_between() {
    passes(|| {
        let f = Arc::new(AtomicUsize::new(0));
        let g = f.clone();
        let t = thread::spawn(move || {
            g.store(1, Release);
            g.store(2, Release);
        });
        while f.load(Acquire) != 2 {}
        t.join().unwrap();
    });
}

#[test]
fn two_pushes_on_a_stack_of_boxes_both_stay() {
    passes(|| {
        struct Node {
            value: usize,
            next: *mut Node,
        }
        struct Stack(AtomicPtr<Node>);
        // SAFETY: nodes are reached through the atomic head only.
        unsafe impl Send for Stack {}
        // SAFETY: as above.
        unsafe impl Sync for Stack {}
        let s = Arc::new(Stack(AtomicPtr::new(std::ptr::null_mut())));
        let push = |s: &Stack, v| {
            let n = Box::into_raw(Box::new(Node {
                value: v,
                next: std::ptr::null_mut(),
            }));
            loop {
                let h = s.0.load(Relaxed); // SAFETY: not published yet.
                unsafe { (*n).next = h };
                if s.0.compare_exchange(h, n, Release, Relaxed).is_ok() {
                    break;
                }
            }
        };
        let r = s.clone();
        let t = thread::spawn(move || push(&r, 1));
        push(&s, 2);
        t.join().unwrap();
        let mut seen = 0;
        let mut p = s.0.load(Acquire);
        while !p.is_null() {
            // SAFETY: all threads have ended, each node is taken once.
            let n = unsafe { Box::from_raw(p) };
            seen += n.value;
            p = n.next;
        }
        assert_eq!(seen, 3);
    });
}

#[test]
fn a_sequence_lock_without_a_fence_tears() {
    fails(FailureKind::Assertion, || {
        let s = Arc::new((
            AtomicUsize::new(0),
            AtomicUsize::new(0),
            AtomicUsize::new(0),
        ));
        let r = s.clone();
        let t = thread::spawn(move || {
            r.0.store(1, Relaxed);
            fence(Release);
            r.1.store(1, Relaxed);
            r.2.store(1, Relaxed);
            r.0.store(2, Release);
        });
        let a = s.0.load(Acquire);
        if a.is_multiple_of(2) {
            let x = s.1.load(Relaxed);
            let y = s.2.load(Relaxed);
            let b = s.0.load(Relaxed);
            if a == b {
                assert_eq!(x, y);
            }
        }
        t.join().unwrap();
    });
}

#[test]
fn a_reader_sees_no_half_of_a_write() {
    passes(|| {
        let l = Arc::new(RwLock::new((0, 0)));
        let m = l.clone();
        let t = thread::spawn(move || {
            let mut g = m.write().unwrap();
            g.0 = 1;
            g.1 = 1;
        });
        {
            let g = l.read().unwrap();
            assert_eq!(g.0, g.1);
        }
        t.join().unwrap();
    });
}

#[test]
fn a_destructor_that_joins_is_no_fault() {
    passes(|| {
        struct Pool(Option<thread::JoinHandle<()>>);
        impl Drop for Pool {
            fn drop(&mut self) {
                self.0.take().unwrap().join().unwrap();
            }
        }
        let x = Arc::new(AtomicUsize::new(0));
        let y = x.clone();
        let p = Pool(Some(thread::spawn(move || {
            y.fetch_add(1, Relaxed);
        })));
        x.fetch_add(1, Relaxed);
        drop(p);
        assert_eq!(x.load(Relaxed), 2);
    });
}

#[test]
fn a_cycle_of_strong_handles_leaks() {
    fails(FailureKind::Leak, || {
        struct N {
            next: Mutex<Option<Arc<N>>>,
            _w: Weak<N>,
        }
        let a = Arc::new_cyclic(|w: &Weak<N>| N {
            next: Mutex::new(None),
            _w: w.clone(),
        });
        *a.next.lock().unwrap() = Some(a.clone());
    });
}

/// What each thread wrote before it let go is there for who learns that all have.
#[test]
fn the_last_of_several_owners_tells_who_waits() {
    passes(|| {
        let (owners, closed) = (
            Arc::new(AtomicUsize::new(3)),
            Arc::new(AtomicBool::new(false)),
        );
        let data = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let let_go = |owners: &AtomicUsize, closed: &AtomicBool| {
            if owners.fetch_sub(1, AcqRel) == 1 {
                closed.store(true, Release);
            }
        };
        let threads: Vec<_> = (0..2)
            .map(|n| {
                let (owners, closed, data) = (owners.clone(), closed.clone(), data.clone());
                thread::spawn(move || {
                    data[n].store(1, Relaxed);
                    let_go(&owners, &closed);
                })
            })
            .collect();
        let_go(&owners, &closed);
        while !closed.load(Acquire) {
            thread::yield_now();
        }
        assert_eq!(data[0].load(Relaxed) + data[1].load(Relaxed), 2);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// The same by the destructor of what an `Arc` holds.
#[test]
fn the_destructor_of_what_several_own_tells_who_waits() {
    struct Sender(Arc<AtomicBool>);
    impl Drop for Sender {
        fn drop(&mut self) {
            self.0.store(true, Release);
        }
    }
    passes(|| {
        let closed = Arc::new(AtomicBool::new(false));
        let data = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let sender = Arc::new(Sender(closed.clone()));
        let threads: Vec<_> = (0..2)
            .map(|n| {
                let (sender, data) = (sender.clone(), data.clone());
                thread::spawn(move || {
                    data[n].store(1, Relaxed);
                    drop(sender);
                })
            })
            .collect();
        drop(sender);
        while !closed.load(Acquire) {}
        assert_eq!(data[0].load(Relaxed) + data[1].load(Relaxed), 2);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// What Rust allows and the search leaves out stands in the same line as "exhaustive".
#[test]
fn what_is_left_out_stands_beside_the_result() {
    let waits = || {
        let (pair, woken) = (Arc::new((Mutex::new(false), Condvar::new())), Relaxed);
        let other = pair.clone();
        let thread = thread::spawn(move || {
            *other.0.lock().unwrap() = true;
            other.1.notify_one();
        });
        let mut done = pair.0.lock().unwrap();
        while !*done {
            done = pair.1.wait(done).unwrap();
        }
        drop(done);
        let weak = AtomicUsize::new(0);
        while weak.compare_exchange_weak(0, 1, woken, woken).is_err() {}
        thread.join().unwrap();
    };
    let coverage = |explorer: Explorer| explorer.check(waits).coverage();
    let plain = coverage(Explorer::new());
    let left_out = "load buffering and spurious failures of weak exchanges and spurious wake-ups";
    assert!(plain.ends_with(left_out), "{plain}");
    let more = coverage(Explorer::new().spurious_failures(1).spurious_wakeups(1));
    assert!(more.contains("further spurious wake-ups"), "{more}");
    let none = Explorer::new().check(|| drop(Mutex::new(0).lock()));
    assert!(none.coverage().ends_with("without load buffering"));
}
