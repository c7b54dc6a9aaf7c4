//! The atomic types beside what litmus tests use of them.

#[path = "support/closures.rs"]
mod support;

use support::{check, passes};
use threadbare_litmus::explore::FailureKind;
use threadbare_litmus::sync::Arc;
use threadbare_litmus::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
use threadbare_litmus::sync::atomic::{
    AtomicBool, AtomicI32, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, compiler_fence,
    fence,
};
use threadbare_litmus::thread;

#[test]
fn orders_that_std_refuses_are_refused() {
    fn message(program: impl Fn() + Send + Sync + 'static) -> String {
        let failure = check(program).failure.expect("a fault");
        assert_eq!(failure.kind, FailureKind::Assertion);
        failure.message
    }
    for order in [Release, AcqRel] {
        let said = message(move || {
            AtomicU32::new(0).load(order);
        });
        assert!(said.contains("load"), "{said}");
        let said = message(move || {
            let _ = AtomicBool::new(false).compare_exchange(false, true, Relaxed, order);
        });
        assert!(said.contains("failure"), "{said}");
        let said = message(move || {
            AtomicPtr::<u8>::default().load(order);
        });
        assert!(said.contains("load"), "{said}");
    }
    for order in [Acquire, AcqRel] {
        let said = message(move || AtomicU32::new(0).store(1, order));
        assert!(said.contains("store"), "{said}");
    }
    assert!(message(|| fence(Relaxed)).contains("fence"));
    assert!(message(|| compiler_fence(Relaxed)).contains("fence"));
    passes(|| compiler_fence(SeqCst));
}

#[test]
fn a_plain_read_races_with_an_atomic_write() {
    // tokio-rs/loom#107.
    fn two(order: Ordering) -> Option<FailureKind> {
        let report = check(move || {
            let x = Arc::new((AtomicUsize::named(0, "x"), AtomicBool::new(false)));
            let other = x.clone();
            let t = thread::spawn(move || {
                other.0.store(1, Relaxed);
                other.1.store(true, order);
            });
            if x.1.load(Acquire) {
                // SAFETY: the race, if any, is found.
                assert_eq!(unsafe { x.0.unsync_load() }, 1);
            }
            t.join().unwrap();
        });
        report.failure.map(|failure| failure.kind)
    }
    assert_eq!(two(Release), None);
    assert_eq!(two(Relaxed), Some(FailureKind::DataRace));
}

#[test]
fn what_is_written_through_get_mut_is_in_the_location() {
    passes(|| {
        let mut x = AtomicI32::from(5);
        *x.get_mut() -= 6;
        assert_eq!((x.load(Relaxed), x.fetch_add(1, Relaxed)), (-1, -1));
        let value = x.get_mut();
        *value = 7;
        // Another operation in between.
        let y = AtomicU8::default();
        y.store(1, Relaxed);
        *value += 1;
        assert_eq!(x.with_mut(|x| std::mem::replace(x, 2)), 8);
        assert_eq!(x.into_inner(), 2);
        let mut flag = AtomicBool::from(true);
        *flag.get_mut() = false;
        assert!(!flag.into_inner());
        let mut target = 3_u32;
        let mut pointer = AtomicPtr::from(std::ptr::null_mut());
        *pointer.get_mut() = &raw mut target;
        assert_eq!(pointer.into_inner(), &raw mut target);
    });
    // Before it is shared, the last value counts for those who come later.
    let report = passes(|| {
        let mut x = AtomicU64::new(0);
        *x.get_mut() = 4;
        let x = Arc::new(x);
        let other = x.clone();
        let t = thread::spawn(move || other.fetch_add(1, Relaxed));
        let mine = x.fetch_add(1, Relaxed);
        let theirs = t.join().unwrap();
        assert!((mine, theirs) == (4, 5) || (mine, theirs) == (5, 4));
    });
    assert_eq!(report.complete, 2);
    let report = check(|| {
        let x = Arc::new(AtomicU64::new(0));
        let other = x.clone();
        thread::spawn(move || other.store(1, Relaxed));
        // SAFETY: none: it is shared.
        let x = unsafe { &mut *Arc::as_ptr(&x).cast_mut() };
        *x.get_mut() = 2;
    });
    assert_eq!(report.failure.map(|f| f.kind), Some(FailureKind::DataRace));
}

#[test]
fn updates_give_up_or_go_through() {
    let report = passes(|| {
        let x = Arc::new(AtomicBool::new(false));
        let other = x.clone();
        let take = |x: &AtomicBool| {
            x.fetch_update(AcqRel, Acquire, |taken| (!taken).then_some(true))
                .is_ok()
        };
        let t = thread::spawn(move || take(&other));
        assert!(take(&x) != t.join().unwrap());
    });
    assert!(report.complete >= 2);
    passes(|| {
        let x = AtomicBool::new(true);
        assert!(x.fetch_nand(true, Relaxed) && !x.fetch_nand(false, Relaxed));
        assert!(x.fetch_not(Relaxed) && !x.load(Relaxed));
        let y = AtomicU32::new(1);
        assert_eq!(
            y.try_update(Relaxed, Relaxed, |n| (n > 1).then_some(0)),
            Err(1)
        );
    });
}

#[test]
fn bits_of_pointers() {
    passes(|| {
        let array = [1_u32, 2];
        let first = array.as_ptr().cast_mut();
        let pointer = AtomicPtr::new(first);
        assert_eq!(pointer.fetch_or(1, Relaxed), first);
        assert_eq!(pointer.fetch_and(!1, Relaxed).addr(), first.addr() | 1);
        assert_eq!(pointer.fetch_xor(2, Relaxed), first);
        assert_eq!(pointer.fetch_xor(2, Relaxed).addr(), first.addr() ^ 2);
        assert_eq!(pointer.fetch_ptr_add(1, Relaxed), first);
        // SAFETY: inside the array.
        assert_eq!(unsafe { *pointer.load(Relaxed) }, 2);
        assert_eq!(pointer.fetch_byte_sub(4, Relaxed), first.wrapping_add(1));
        assert_eq!(pointer.into_inner(), first);
    });
}

static COUNT: AtomicU32 = AtomicU32::const_new(3);

#[test]
fn statics_begin_anew_and_what_moves_is_no_static() {
    let report = passes(|| {
        let t = thread::spawn(|| COUNT.fetch_add(1, Relaxed));
        let mine = COUNT.fetch_add(1, Relaxed);
        assert_eq!(mine + t.join().unwrap(), 7);
    });
    assert_eq!(report.complete, 2);
    let report = check(|| {
        let here = Box::new(AtomicU32::const_new(0));
        here.store(1, Relaxed);
        let there = Box::new(*here);
        assert_eq!(there.load(Relaxed), 1);
    });
    // Said outright, or, where the box is elsewhere in each run, that runs differ.
    let message = report.failure.expect("a fault").message;
    let said = ["statics", "not deterministic"].map(|words| message.contains(words));
    assert!(said.contains(&true), "{message}");
}

#[test]
fn a_node_used_after_it_is_freed_is_found() {
    fn two(order: Ordering) -> Option<FailureKind> {
        let report = check(move || {
            let node = Box::into_raw(Box::new(AtomicU32::named(5, "node"))) as usize;
            let done = Arc::new(AtomicBool::new(false));
            let other = done.clone();
            let t = thread::spawn(move || {
                // SAFETY: freed when `done` is set, or the fault is found.
                unsafe { &*(node as *const AtomicU32) }.fetch_add(1, Relaxed);
                other.store(true, order);
            });
            done.await_value(Acquire, true);
            // SAFETY: as above.
            drop(unsafe { Box::from_raw(node as *mut AtomicU32) });
            t.join().unwrap();
        });
        report.failure.map(|failure| failure.kind)
    }
    assert_eq!(two(Release), None);
    assert!(matches!(
        two(Relaxed),
        Some(FailureKind::DataRace | FailureKind::UseAfterFree)
    ));
}
