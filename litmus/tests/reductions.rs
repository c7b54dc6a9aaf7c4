//! What reductions leave out is what they say, and workers change nothing: programs whose counts are known.

mod support;

use std::collections::BTreeSet;
use support::orbits::orbits;
use support::{Ins, Straight, parse};
use threadbare_litmus::explore::Model;
use threadbare_litmus::explore::program::{
    Location, LocationInfo, MemoryOrder, Op, Program, Step, Update, Wait,
};
use threadbare_litmus::sync::Arc;
use threadbare_litmus::sync::atomic::Ordering::{AcqRel, Relaxed, SeqCst};
use threadbare_litmus::sync::atomic::{AtomicU32, fence};
use threadbare_litmus::{Explorer, thread};

/// `n` threads with the code of `text`, see [`support::parse`].
fn times(n: usize, text: &str) -> Straight {
    parse(&vec![text; n].join("|"))
}

fn counts(program: &Straight, reduce: bool) -> (u64, u64) {
    let report = Explorer::new().reduce(reduce).verify(program);
    assert!(report.failure.is_none(), "{:?}", report.failure);
    (report.complete, report.blocked)
}

#[test]
fn symmetry_divides_by_the_number_of_orders() {
    let arc = times(3, "Ax;Ax;Ax");
    assert_eq!(counts(&arc, false), (1_680, 0));
    assert_eq!(counts(&arc, true), (280, 0));
    let arc = times(4, "Ax;Ax;Ax");
    assert_eq!(counts(&arc, true), (15_400, 0));
}

#[test]
fn twins_read_and_write_in_order() {
    for (text, all, orbits) in [("Rx | Rx | Wx1", 4, 3), ("Wx1 | Wx1 | Rx", 6, 3)] {
        assert_eq!(counts(&parse(text), false), (all, 0), "{text}");
        assert_eq!(counts(&parse(text), true), (orbits, 0), "{text}");
    }
}

/// The one twin reads what a thread wrote which had read what the other twin wrote after its own read, and it reads less recent a
/// write: the execution with the names exchanged is not visited, so this one must be, although it is out of order.
#[test]
fn a_twin_that_depends_on_the_other_may_come_first() {
    let program = parse("Rx;Wy1 | Rx;Wy1 | Wx1 | Ry;Wx2");
    for model in [Model::Rc11, Model::Rust, Model::Sc, Model::Tso] {
        let (all, _) = orbits(&program, model, false);
        let (some, _) = orbits(&program, model, true);
        assert!(all.keys().eq(some.keys()), "under {model:?}");
    }
}

/// Whichever of two updates that acquire comes second, its thread sees what the other did before: they
/// are no updates that commute.
#[test]
fn updates_that_acquire_are_ordered() {
    let report = Explorer::new().reduce(true).check(|| {
        let x = Arc::new([(); 3].map(|()| AtomicU32::new(0)));
        let each = |mine: usize, other: usize| {
            let x = x.clone();
            thread::spawn(move || {
                x[mine].store(1, Relaxed);
                x[2].add(1, AcqRel);
                x[other].load(Relaxed)
            })
        };
        let (one, other) = (each(0, 1), each(1, 0));
        let seen = (one.join().unwrap(), other.join().unwrap());
        assert_ne!(seen, (0, 0));
    });
    assert!(
        report.failure.is_none(),
        "{}",
        report.failure.unwrap().message
    );
}

/// Fences on both sides make the order of two updates visible, though nobody looks at them.
#[test]
fn updates_between_fences_are_ordered() {
    for swapped in [false, true] {
        let report = Explorer::new().reduce(true).check(move || {
            let shared = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
            let first = || {
                let shared = shared.clone();
                thread::spawn(move || {
                    shared[0].store(1, Relaxed);
                    fence(SeqCst);
                    shared[1].add(1, Relaxed);
                });
            };
            let second = || {
                let shared = shared.clone();
                thread::spawn(move || {
                    shared[1].add(1, Relaxed);
                    fence(SeqCst);
                    assert_eq!(shared[0].load(Relaxed), 1, "the second was first");
                });
            };
            if swapped {
                second();
                first();
            } else {
                first();
                second();
            }
        });
        assert!(report.failure.is_some(), "missed, swapped: {swapped}");
    }
}

#[test]
fn counting_is_one_execution() {
    let add = Ins::Op(Op::Apply {
        location: Location(0),
        order: MemoryOrder::Relaxed,
        update: Update::Add(1),
    });
    let mut program = Straight::new(vec![vec![add.clone(); 3]; 3]);
    assert_eq!(counts(&program, false), (1_680, 0));
    assert_eq!(counts(&program, true), (1, 0));
    // Somebody looks meanwhile: every order again, but for symmetry.
    program.threads.push(vec![Ins::Op(Op::Load {
        location: Location(0),
        order: MemoryOrder::Relaxed,
    })]);
    assert_eq!(counts(&program, true).0, counts(&program, false).0 / 6);
}

#[test]
fn threads_wrongly_declared_alike_are_found_out() {
    struct Liar;
    impl Program for Liar {
        fn threads(&self) -> usize {
            2
        }
        fn locations(&self) -> Vec<LocationInfo> {
            support::parse("Wx1").locations()
        }
        fn alike(&self, _: usize, _: usize) -> bool {
            true
        }
        fn step(&self, thread: usize, answers: &[u64]) -> Step {
            let (location, order) = (Location(0), MemoryOrder::Relaxed);
            match answers {
                [] => Op::Load { location, order },
                [0] => Op::Store {
                    location,
                    order,
                    value: 1 + thread as u64,
                },
                [1] => Op::Block {
                    wait: Wait::Assume,
                    reads: 1,
                },
                _ => Op::End,
            }
            .into()
        }
    }
    assert!(Explorer::new().verify(&Liar).failure.is_none());
    let failure = Explorer::new().reduce(true).verify(&Liar).failure.unwrap();
    assert!(
        failure.message.contains("declared alike"),
        "{}",
        failure.message
    );
}

#[test]
fn workers_count_the_same_and_report_the_same_fault() {
    let program = times(4, "Ax;Ax;Ax");
    let report = Explorer::new().workers(2).verify(&program);
    assert_eq!((report.complete, report.exhaustive), (369_600, true));
    // A race that only some executions have.
    let text = "Ax;Ax;Ax|Ax;Ax;Ax|Ax;Ax;Ax|Wy1n;Ax|Ax;Ax;?7:1;Ryn";
    let messages: BTreeSet<_> = (1..=3)
        .map(|workers| {
            let report = Explorer::new()
                .workers(workers)
                .verify(&support::parse(text));
            report.failure.expect("a race").message
        })
        .collect();
    assert_eq!(messages.len(), 1, "{messages:?}");
}

#[test]
fn an_estimate_is_near() {
    let program = times(3, "Ax;Ax;Ax");
    let report = Explorer::new().sample(2_000, 7).verify(&program);
    let estimate = report.estimate.expect("an estimate");
    let off = (estimate.executions - 1_680.0).abs();
    assert!(off < 5.0 * estimate.deviation + 1.0, "{estimate:?}");
    assert!(
        !report.exhaustive && estimate.distinct > 100,
        "{estimate:?}"
    );
    assert!((0.0..=1.0).contains(&estimate.coverage()));
    let again = Explorer::new().sample(2_000, 7).verify(&program);
    assert_eq!(again.complete, report.complete);
}

#[test]
fn sampling_finds_races() {
    let program = support::parse("Ax;Ax;Ax|Ax;Ax;Wy1n|Ax;?3:1;Ryn");
    let report = Explorer::new().sample(500, 1).verify(&program);
    assert!(report.failure.is_some());
}

#[test]
fn a_bound_on_revisits_is_owned_up_to() {
    let program = times(3, "Ax;Ax");
    let all = Explorer::new().verify(&program);
    let some = Explorer::new().max_revisits(1).verify(&program);
    assert!(some.bounded && !some.exhaustive && some.complete < all.complete);
    let enough = Explorer::new().max_revisits(1_000).verify(&program);
    assert!(!enough.bounded && enough.exhaustive);
    assert_eq!(enough.complete, all.complete);
}

#[test]
fn progress_is_told() {
    use std::sync::atomic::{AtomicU64, Ordering};
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let report = Explorer::new()
        .progress(|progress| {
            CALLS.fetch_add(1, Ordering::Relaxed);
            assert!(progress.executions > 0 && progress.estimate.is_some());
        })
        .verify(&times(4, "Ax;Ax"));
    assert_eq!(report.complete, 2_520);
    let report = Explorer::new()
        .progress(|progress| {
            CALLS.fetch_add(1, Ordering::Relaxed);
            assert!(progress.executions > 0 && progress.estimate.is_some());
        })
        .verify(&times(4, "Ax;Ax;Ax"));
    assert_eq!(report.complete, 369_600);
    assert!(CALLS.load(Ordering::Relaxed) > 50);
}

#[test]
fn who_joins_one_of_a_row_joins_them_all() {
    let join = |t| Ins::Op(Op::Join(t));
    let twin = support::parse("Ax;Wy1").threads.remove(0);
    let look = support::parse("Rx;Ry").threads.remove(0);
    for joins in [vec![join(0)], vec![join(1)], vec![join(0), join(1)]] {
        let last = [joins, look.clone()].concat();
        let program = Straight::new(vec![twin.clone(), twin.clone(), last]);
        let ((all, _), (some, _)) = (
            orbits(&program, Model::Rc11, false),
            orbits(&program, Model::Rc11, true),
        );
        // Joining one alone tells the two apart: then nothing may be left out.
        let missing = all.keys().find(|key| !some.contains_key(*key));
        assert_eq!(missing, None);
        let (complete, _) = counts(&program, false);
        let (reduced, _) = counts(&program, true);
        let both = program.threads[2].len() == 4;
        assert_eq!(reduced, if both { complete / 2 } else { complete });
    }
}
