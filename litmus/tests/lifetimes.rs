//! Where memory is made and freed: races with the initialisation, use after free, double free and
//! leaks, by hand and against brute force.

mod support;

use proptest::prelude::*;
use std::slice::from_ref;
use support::cases::cases;
use support::random::program;
use support::{Ins, Straight};
use threadbare_litmus::cell::Cell;
use threadbare_litmus::explore::oracle::{Findings, enumerate};
use threadbare_litmus::explore::program::{Location, MemoryOrder, Op};
use threadbare_litmus::explore::{FailureKind, Model};
use threadbare_litmus::sync::Arc;
use threadbare_litmus::sync::atomic::Ordering::{self, Acquire, Relaxed, Release};
use threadbare_litmus::sync::atomic::{AtomicPtr, AtomicU32};
use threadbare_litmus::{Explorer, thread};

const MODELS: [Model; 4] = [Model::Rust, Model::Rc11, Model::Sc, Model::Tso];

/// One thread makes an object and publishes it, another looks at what it finds.
fn published<T: 'static>(make: fn() -> T, look: fn(&T), order: [Ordering; 2]) {
    let slot = Arc::new(AtomicPtr::named(std::ptr::null_mut(), "slot"));
    let mine = slot.clone();
    let maker = thread::spawn(move || {
        mine.store(Box::into_raw(Box::new(make())), order[0]);
    });
    let found: *mut T = slot.load(order[1]);
    // SAFETY: null, or never freed.
    if let Some(found) = unsafe { found.as_ref() } {
        look(found);
    }
    maker.join().unwrap();
}

fn kinds(program: impl Fn() + Send + Sync + Clone + 'static) -> Vec<Option<FailureKind>> {
    let kind = |model| {
        let report = Explorer::new().model(model).check(program.clone());
        assert!(report.failure.is_some() || report.exhaustive);
        report.failure.map(|failure| failure.kind)
    };
    MODELS.into_iter().map(kind).collect()
}

const RACE: [Option<FailureKind>; 4] = [Some(FailureKind::DataRace); 4];

#[test]
fn a_fresh_object_is_published_by_release_and_acquire() {
    let plain = |order| {
        move || {
            let look = |cell: &Cell<u32>| assert_eq!(cell.get(), 42);
            published(|| Cell::named(42, "node"), look, order);
        }
    };
    let atomic = |order| {
        move || {
            let look = |word: &AtomicU32| assert_eq!(word.load(Acquire), 42);
            published(|| AtomicU32::named(42, "node"), look, order);
        }
    };
    for order in [[Relaxed, Relaxed], [Release, Relaxed], [Relaxed, Acquire]] {
        assert_eq!(kinds(plain(order)), RACE, "{order:?}");
        assert_eq!(kinds(atomic(order)), RACE, "{order:?}");
    }
    assert_eq!(kinds(plain([Release, Acquire])), [None; 4]);
    assert_eq!(kinds(atomic([Release, Acquire])), [None; 4]);
}

#[test]
fn the_race_with_the_initialisation_is_told_and_repeated() {
    let program = || {
        let look = |word: &AtomicU32| _ = word.load(Relaxed);
        published(|| AtomicU32::named(42, "node"), look, [Relaxed, Acquire]);
    };
    let failure = Explorer::new().check(program).failure.unwrap();
    assert!(
        failure
            .message
            .starts_with("data race on node between its initialisation by T1 and main: node → 42"),
        "{}",
        failure.message
    );
    let trace = failure.trace.parse().unwrap();
    let again = Explorer::new().replay(program, &trace).failure.unwrap();
    assert_eq!((again.kind, again.message), (failure.kind, failure.message));
}

#[test]
fn what_a_thread_made_last_is_known_to_who_joins_it() {
    let made = || {
        let other = thread::spawn(|| Arc::new(AtomicU32::new(7)));
        assert_eq!(other.join().unwrap().load(Relaxed), 7);
        let deep = thread::spawn(|| {
            let x = Arc::new(AtomicU32::new(0));
            x.store(1, Relaxed);
            let y = Arc::new(Cell::new(8));
            let inner = y.clone();
            thread::spawn(move || assert_eq!(inner.get(), 8))
                .join()
                .unwrap();
            y
        });
        deep.join().unwrap().set(9);
    };
    assert_eq!(kinds(made), [None; 4]);
}

/// An acquire of the object's own word comes too late for one who may as well find it as it was
/// made.
#[test]
fn a_write_that_one_waits_for_does_not_hide_the_race() {
    let waits = || {
        let slot = Arc::new(AtomicPtr::new(std::ptr::null_mut()));
        let mine = slot.clone();
        thread::spawn(move || {
            let node = Box::into_raw(Box::new(AtomicU32::new(0)));
            mine.store(node, Relaxed);
            // SAFETY: never freed.
            unsafe { &*node }.store(1, Release);
        });
        let found: *mut AtomicU32 = slot.load(Relaxed);
        // SAFETY: null, or never freed.
        if let Some(found) = unsafe { found.as_ref() } {
            found.await_until(Acquire, |value| value == 1);
        }
    };
    for model in [Model::Rust, Model::Rc11, Model::Tso] {
        let failure = Explorer::new().model(model).check(waits).failure.unwrap();
        assert_eq!(failure.kind, FailureKind::DataRace);
    }
}

fn kind_of(threads: &[&[Op]]) -> Option<FailureKind> {
    let threads = threads.iter().map(|ops| ops.iter().cloned().map(Ins::Op));
    let program = Straight::new(threads.map(Iterator::collect).collect());
    let report = Explorer::new().verify(&program);
    let failure = report.failure?;
    let trace = failure.trace.parse().unwrap();
    let again = Explorer::new()
        .replay_program(&program, &trace)
        .failure
        .unwrap();
    assert_eq!(
        (again.kind, &again.message),
        (failure.kind, &failure.message)
    );
    Some(failure.kind)
}

#[test]
fn each_kind_has_its_name() {
    let (x, flag) = (Location(0), Location(1));
    let (alloc, free) = (Op::Alloc(x), Op::Free(x));
    let load = |location, order| Op::Load { location, order };
    let store = |location, order| Op::Store {
        location,
        order,
        value: 1,
    };
    let relaxed = load(x, MemoryOrder::Relaxed);
    let join = Op::Join(0);
    let alone = |ops: &[Op]| kind_of(&[ops]);
    assert_eq!(alone(&[alloc.clone(), relaxed.clone(), free.clone()]), None);
    assert_eq!(
        alone(&[alloc.clone(), free.clone(), relaxed.clone()]),
        Some(FailureKind::UseAfterFree)
    );
    assert_eq!(
        alone(&[alloc.clone(), free.clone(), free.clone()]),
        Some(FailureKind::DoubleFree)
    );
    assert_eq!(
        alone(&[alloc.clone(), relaxed.clone()]),
        Some(FailureKind::Leak)
    );
    // What is there from the start need not be freed, but may be.
    assert_eq!(alone(&[relaxed.clone(), free.clone()]), None);
    let two = |first: &[Op], second: &[Op]| kind_of(&[first, second]);
    assert_eq!(
        two(
            &[alloc.clone(), relaxed.clone()],
            &[join.clone(), free.clone()]
        ),
        None
    );
    assert_eq!(
        two(
            &[alloc.clone(), free.clone()],
            &[join.clone(), relaxed.clone()]
        ),
        Some(FailureKind::UseAfterFree)
    );
    assert_eq!(
        two(from_ref(&free), from_ref(&free)),
        Some(FailureKind::DoubleFree)
    );
    assert_eq!(
        two(from_ref(&free), from_ref(&relaxed)),
        Some(FailureKind::DataRace)
    );
    assert_eq!(
        two(
            &[relaxed.clone(), store(flag, MemoryOrder::Relaxed)],
            &[load(flag, MemoryOrder::Relaxed), free.clone()]
        ),
        Some(FailureKind::DataRace)
    );
    assert_eq!(
        two(&[alloc], &[relaxed]),
        Some(FailureKind::DataRace),
        "an access that the allocation does not happen before"
    );
}

fn is_real(kind: FailureKind, expected: &Findings) -> bool {
    match kind {
        FailureKind::DataRace => expected.race,
        FailureKind::UseAfterFree => expected.use_after_free,
        FailureKind::DoubleFree => expected.double_free,
        FailureKind::Leak => expected.leak,
        _ => false,
    }
}

/// A random program in which the second location, perhaps, is allocated and freed.
fn with_lifetimes() -> impl Strategy<Value = Straight> {
    let place = || (any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let frees = prop::collection::vec(place(), 0..3);
    (program(false), place(), any::<bool>(), frees, any::<bool>()).prop_map(
        |(mut program, alloc, allocates, frees, first)| {
            let mut put = |(thread, at): (prop::sample::Index, prop::sample::Index), op| {
                let thread = thread.get_mut(&mut program.threads);
                thread.insert(at.index(thread.len() + 1), Ins::Op(op));
            };
            for free in frees {
                put(free, Op::Free(Location(1)));
            }
            if allocates && !first {
                put(alloc, Op::Alloc(Location(1)));
            } else if allocates {
                program.threads[0].insert(0, Ins::Op(Op::Alloc(Location(1))));
            }
            program
        },
    )
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn as_brute_force_finds(program in with_lifetimes()) {
        for model in MODELS {
            let expected = enumerate(&program, model);
            let faulty = expected.race || expected.use_after_free || expected.double_free || expected.leak;
            for explorer in [Explorer::new(), Explorer::new().workers(2).share(1), Explorer::new().reduce(true)] {
                match explorer.model(model).verify(&program).failure {
                    Some(failure) => prop_assert!(is_real(failure.kind, &expected), "{}", failure.message),
                    None => prop_assert!(!faulty, "missed under {:?}: {:?}", model, expected),
                }
            }
        }
    }
}
