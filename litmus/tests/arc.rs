//! `Arc` and `Weak`: what depends on their counts is explored, what does not costs nothing.

#[path = "support/closures.rs"]
mod support;

use support::{check, passes};
use threadbare_litmus::explore::FailureKind;
use threadbare_litmus::sync::atomic::AtomicU32;
use threadbare_litmus::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use threadbare_litmus::sync::{Arc, Mutex, Weak};
use threadbare_litmus::{Explorer, cell::Cell, explore::Model, thread};

fn fails(kind: FailureKind, program: impl Fn() + Send + Sync + 'static) -> String {
    let failure = check(program).failure.expect("a fault");
    assert_eq!(failure.kind, kind, "{}", failure.message);
    failure.message
}

/// Says on a flag that it is gone.
struct Noisy(Arc<AtomicU32>);

impl Drop for Noisy {
    fn drop(&mut self) {
        self.0.store(1, Release);
    }
}

#[test]
fn whoever_is_last_drops_the_content() {
    let message = fails(FailureKind::Assertion, || {
        let flag = Arc::new(AtomicU32::named(0, "flag"));
        let shared = Arc::new(Noisy(flag.clone()));
        let other = shared.clone();
        let t = thread::spawn(move || drop(other));
        drop(shared);
        assert_eq!(flag.load(Relaxed), 1, "the other is last");
        t.join().unwrap();
    });
    assert!(message.contains("the other is last"), "{message}");
}

#[test]
fn the_content_is_dropped_exactly_once_and_after_all_that_was_done_with_it() {
    let report = passes(|| {
        struct Counter(Arc<AtomicU32>, Cell<u32>);
        impl Drop for Counter {
            fn drop(&mut self) {
                assert_eq!(self.1.get(), 1);
                self.0.fetch_add(1, Relaxed);
            }
        }
        let dropped = Arc::new(AtomicU32::new(0));
        let shared = Arc::new(Counter(dropped.clone(), Cell::new(0)));
        let other = shared.clone();
        let t = thread::spawn(move || other.1.set(1));
        drop(shared);
        t.join().unwrap();
        assert_eq!(dropped.load(Relaxed), 1);
    });
    // Either is last.
    assert_eq!(report.complete, 2);
}

#[test]
fn letting_go_synchronises_with_the_destructor() {
    // As channels close: the last sender says so, and what any did before is then visible.
    for model in [Model::Rc11, Model::Sc, Model::Tso] {
        let report = Explorer::new().model(model).check(|| {
            struct Sender(Arc<AtomicU32>);
            impl Drop for Sender {
                fn drop(&mut self) {
                    self.0.store(1, Release);
                }
            }
            let closed = Arc::new(AtomicU32::new(0));
            let data = Arc::new([Cell::new(0), Cell::new(0)]);
            let sender = Arc::new(Sender(closed.clone()));
            let threads: Vec<_> = (0..2)
                .map(|i| {
                    let (sender, data) = (sender.clone(), data.clone());
                    thread::spawn(move || {
                        data[i].set(1);
                        drop(sender);
                    })
                })
                .collect();
            drop(sender);
            closed.await_until(Acquire, |closed| closed == 1);
            assert_eq!(data[0].get() + data[1].get(), 2);
            for t in threads {
                t.join().unwrap();
            }
        });
        assert!(report.failure.is_none(), "{:?}", report.failure);
    }
}

#[test]
fn a_count_is_whatever_it_may_be() {
    fails(FailureKind::Assertion, || {
        let a = Arc::new(());
        let other = a.clone();
        let t = thread::spawn(move || drop(other));
        assert_eq!(Arc::strong_count(&a), 1, "the clone is still there");
        t.join().unwrap();
    });
    let report = passes(|| {
        let a = Arc::new(());
        let other = a.clone();
        let t = thread::spawn(move || drop(other));
        assert!([1, 2].contains(&Arc::strong_count(&a)));
        t.join().unwrap();
        assert_eq!((Arc::strong_count(&a), Arc::weak_count(&a)), (1, 0));
    });
    assert_eq!(report.complete, 2);
}

#[test]
fn a_count_of_one_is_no_proof_of_having_seen_the_others_work() {
    // rust-lang/rust#117485.
    let racy = || {
        let a = Arc::new(Cell::named(0, "data"));
        let b = a.clone();
        let t = thread::spawn(move || {
            b.set(1);
            drop(b);
        });
        if Arc::strong_count(&a) == 1 {
            a.set(2);
        }
        t.join().unwrap();
    };
    let message = fails(FailureKind::DataRace, racy);
    assert!(message.contains("data"), "{message}");
    // `get_mut` is, and so is unwrapping.
    passes(|| {
        let mut a = Arc::new(Cell::named(0, "data"));
        let b = a.clone();
        let t = thread::spawn(move || {
            b.set(1);
            drop(b);
        });
        if let Some(data) = Arc::get_mut(&mut a) {
            data.set(2);
        }
        t.join().unwrap();
    });
}

#[test]
fn waiting_for_a_count_ends() {
    let report = check(|| {
        let a = Arc::new(());
        let b = a.clone();
        let t = thread::spawn(move || drop(b));
        threadbare_litmus::sync::await_until(|| Arc::strong_count(&a) == 1);
        t.join().unwrap();
    });
    assert_eq!((report.complete, report.failure.is_none()), (1, true));
}

#[test]
fn two_unwraps_can_both_fail_and_two_into_inners_cannot() {
    // rust-lang/rust#106894.
    fn both(unwrap: fn(Arc<u32>) -> bool) {
        let a = Arc::new(5);
        let b = a.clone();
        let t = thread::spawn(move || unwrap(b));
        let mine = unwrap(a);
        let theirs = t.join().unwrap();
        assert!(!(mine && theirs), "both got it");
        assert!(mine || theirs, "nobody got it");
    }
    let message = fails(FailureKind::Assertion, || {
        both(|a| Arc::try_unwrap(a).is_ok())
    });
    assert!(message.contains("nobody got it"), "{message}");
    let report = passes(|| both(|a| Arc::into_inner(a) == Some(5)));
    assert_eq!(report.complete, 2);
}

#[test]
fn who_unwraps_sees_what_the_others_did() {
    passes(|| {
        let a = Arc::new(Cell::new(0));
        let b = a.clone();
        let t = thread::spawn(move || {
            if let Ok(content) = Arc::try_unwrap(b) {
                content.set(content.get() + 1);
            }
        });
        if let Ok(content) = Arc::try_unwrap(a) {
            content.set(content.get() + 1);
        }
        t.join().unwrap();
    });
}

#[test]
fn an_upgrade_may_come_too_late() {
    fails(FailureKind::Assertion, || {
        let a = Arc::new(());
        let weak = Arc::downgrade(&a);
        let t = thread::spawn(move || weak.upgrade().is_some());
        drop(a);
        assert!(t.join().unwrap(), "too late");
    });
    let report = passes(|| {
        let a = Arc::new(Cell::new(7));
        let weak = Arc::downgrade(&a);
        let t = thread::spawn(move || weak.upgrade().map(|a| a.get()));
        drop(a);
        assert!([None, Some(7)].contains(&t.join().unwrap()));
    });
    assert!(report.complete >= 2);
}

#[test]
fn a_weak_handle_keeps_get_mut_away_for_as_long_as_it_is_there() {
    let report = passes(|| {
        let mut a = Arc::new(1);
        let weak = Arc::downgrade(&a);
        let t = thread::spawn(move || drop(weak));
        let unique = match Arc::get_mut(&mut a) {
            Some(content) => {
                *content = 2;
                true
            }
            None => false,
        };
        assert_eq!(*a, if unique { 2 } else { 1 });
        t.join().unwrap();
    });
    assert_eq!(report.complete, 2);
}

#[test]
fn what_get_mut_made_of_the_content_is_seen_by_those_who_come_later() {
    // The content depends on who was first, and the assertion on the content.
    fails(FailureKind::Assertion, || {
        let flag = Arc::new(AtomicU32::new(0));
        let other = flag.clone();
        let t = thread::spawn(move || other.store(1, Relaxed));
        let mut a = Arc::new(0);
        *Arc::get_mut(&mut a).unwrap() = flag.load(Relaxed);
        let slot = Arc::new(Mutex::new(Some(a)));
        let theirs = slot.clone();
        let reader = thread::spawn(move || {
            let a = theirs.lock().unwrap().take().unwrap();
            assert_eq!(*a, 0, "the store came first");
        });
        reader.join().unwrap();
        t.join().unwrap();
    });
}

#[test]
fn make_mut_clones_what_is_shared() {
    let report = passes(|| {
        let mut a = Arc::new(1);
        let b = a.clone();
        let t = thread::spawn(move || *b);
        *Arc::make_mut(&mut a) += 1;
        assert_eq!((*a, t.join().unwrap()), (2, 1));
    });
    // The other handle is gone already, or it is not, and then it goes before or after the
    // one that the clone replaces.
    assert_eq!(report.complete, 3);
    passes(|| {
        let mut a = Arc::new(1);
        let weak = Arc::downgrade(&a);
        *Arc::make_mut(&mut a) += 1;
        assert_eq!((*a, weak.upgrade().is_none()), (2, true));
        assert_eq!(Arc::unwrap_or_clone(a), 2);
    });
}

#[test]
fn a_content_may_know_itself() {
    passes(|| {
        struct Gadget {
            me: Weak<Gadget>,
            n: Cell<u32>,
        }
        let gadget = Arc::new_cyclic(|me: &Weak<Gadget>| {
            assert!(me.upgrade().is_none(), "not yet");
            Gadget {
                me: me.clone(),
                n: Cell::new(3),
            }
        });
        let again = gadget.me.upgrade().unwrap();
        assert!(Arc::ptr_eq(&gadget, &again));
        assert_eq!((again.n.get(), Arc::strong_count(&gadget)), (3, 2));
        assert_eq!(Arc::weak_count(&gadget), 1);
        assert!(Weak::<Gadget>::new().upgrade().is_none());
    });
}

#[test]
fn handles_left_at_the_end_are_a_leak() {
    let quiet = fails(FailureKind::Leak, || std::mem::forget(Arc::new(1)));
    assert!(quiet.contains("arc.rs:"), "{quiet}");
    fails(FailureKind::Leak, || {
        let a = Arc::new(1);
        assert_eq!(Arc::strong_count(&a), 1);
        std::mem::forget(a.clone());
    });
    // A cycle.
    fails(FailureKind::Leak, || {
        struct Node(Mutex<Option<Arc<Node>>>);
        let node = Arc::new(Node(Mutex::new(None)));
        *node.0.lock().unwrap() = Some(node.clone());
    });
    // In one of the executions.
    fails(FailureKind::Leak, || {
        let (a, flag) = (Arc::new(1), Arc::new(AtomicU32::new(0)));
        let (b, set) = (a.clone(), flag.clone());
        thread::spawn(move || set.store(1, Relaxed));
        let t = thread::spawn(move || {
            if flag.load(Relaxed) == 1 {
                std::mem::forget(b);
            }
        });
        t.join().unwrap();
    });
    passes(|| {
        let a = Arc::into_raw(Arc::new(1));
        // SAFETY: one handle, made above.
        unsafe {
            Arc::increment_strong_count(a);
            Arc::decrement_strong_count(a);
            drop(Arc::from_raw(a));
        }
    });
}

#[test]
fn a_handle_used_through_a_pointer_after_the_last_is_gone_is_found() {
    let program = || {
        let a = Arc::new(1);
        let pointer = Arc::as_ptr(&a) as usize;
        let t = thread::spawn(move || {
            // SAFETY: none: the handle may be gone.
            let a = unsafe { std::mem::ManuallyDrop::new(Arc::from_raw(pointer as *const i32)) };
            Arc::strong_count(&a)
        });
        drop(a);
        t.join().unwrap();
    };
    let failure = check(program).failure.expect("a fault");
    assert!(
        matches!(
            failure.kind,
            FailureKind::UseAfterFree | FailureKind::DataRace
        ),
        "{}",
        failure.message
    );
}

#[test]
fn handles_that_nobody_counts_cost_no_executions() {
    let report = passes(|| {
        let x = Arc::new(AtomicU32::new(0));
        for _ in 0..3 {
            let x = x.clone();
            thread::spawn(move || x.fetch_add(1, Relaxed));
        }
    });
    assert_eq!(report.complete, 6);
}

#[test]
fn trait_objects_and_slices_come_from_std() {
    passes(|| {
        let object: std::sync::Arc<dyn Fn(u32) -> u32 + Send + Sync> =
            std::sync::Arc::new(|n| n + 1);
        let object = Arc::from_std(object);
        let other = object.clone();
        assert_eq!(thread::spawn(move || other(1)).join().unwrap(), 2);
        let slice: Arc<[u32]> = vec![1, 2].into();
        let text: Arc<str> = "text".into();
        assert_eq!((slice.len(), &*text, object(2)), (2, "text", 3));
        let any: std::sync::Arc<dyn std::any::Any + Send + Sync> = std::sync::Arc::new(5_u8);
        let any = Arc::from_std(any).downcast::<u16>().unwrap_err();
        assert_eq!(*any.downcast::<u8>().unwrap(), 5);
    });
}

#[test]
fn what_is_older_than_the_exploration_has_no_counts() {
    let old = Arc::new(AtomicU32::const_new(0));
    let shared = old.clone();
    passes(move || {
        let again = shared.clone();
        again.store(1, Relaxed);
    });
    let shared = old.clone();
    let message = fails(FailureKind::Assertion, move || {
        Arc::strong_count(&shared);
    });
    assert!(message.contains("older than the exploration"), "{message}");
}

#[test]
fn a_failure_is_replayed_with_what_had_been_learnt() {
    let program = || {
        let a = Arc::new(());
        let b = a.clone();
        let t = thread::spawn(move || drop(b));
        let ordered = Arc::new(AtomicU32::new(0));
        ordered.store(1, Relaxed);
        assert_eq!(Arc::strong_count(&a), 1);
        t.join().unwrap();
    };
    let failure = check(program).failure.unwrap();
    let trace = failure.trace.parse().unwrap();
    let again = Explorer::new().replay(program, &trace).failure.unwrap();
    assert_eq!(
        (again.message, again.trace),
        (failure.message, failure.trace)
    );
}

#[test]
fn what_an_arc_holds_of_others_is_no_leak() {
    let report = passes(|| {
        let inner = Arc::new(AtomicU32::new(0));
        let outer = Arc::new((inner.clone(), Mutex::new(vec![inner.clone()])));
        for _ in 0..2 {
            let outer = outer.clone();
            thread::spawn(move || {
                outer.0.fetch_add(1, Relaxed);
                outer.1.lock().unwrap().pop();
            });
        }
    });
    // The orders of the additions, and of the sections.
    assert_eq!(report.complete, 4);
    // Nor is what a thread returns to nobody.
    passes(|| {
        let shared = Arc::new(1);
        thread::spawn(move || shared);
    });
}

#[test]
fn several_workers_find_what_one_finds() {
    let program = || {
        let a = Arc::new(Mutex::new(0_u32));
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let a = a.clone();
                thread::spawn(move || {
                    *a.lock().unwrap() += 1;
                    Arc::into_inner(a).is_some()
                })
            })
            .collect();
        let mut last = u32::from(Arc::into_inner(a).is_some());
        for t in threads {
            last += u32::from(t.join().unwrap());
        }
        assert_eq!(last, 1);
    };
    let one = check(program);
    let two = Explorer::new().workers(2).share(2).check(program);
    assert!(one.exhaustive && two.exhaustive, "{:?}", two.failure);
    assert_eq!(one.complete, two.complete);
}
