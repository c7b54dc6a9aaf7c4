//! What reductions leave out is what they say, and workers change nothing.

mod support;

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use support::cases::cases;
use support::{Ins, Straight};
use threadbare_litmus::Explorer;
use threadbare_litmus::explore::Model;
use threadbare_litmus::explore::program::{
    Location, LocationInfo, MemoryOrder, Op, Program, Step, Update, Wait,
};

fn order() -> impl Strategy<Value = MemoryOrder> {
    use MemoryOrder::{AcqRel, Acquire, Relaxed, Release, SeqCst};
    prop::sample::select(vec![
        Relaxed, Relaxed, Relaxed, Acquire, Release, AcqRel, SeqCst,
    ])
}

/// `visible` locations are read and written, the next one is mostly counted in.
fn instruction(visible: u32, fences: bool) -> impl Strategy<Value = Ins> {
    let location = move || (0..visible).prop_map(Location);
    let weak = || prop::sample::select(vec![MemoryOrder::Relaxed, MemoryOrder::Release]);
    prop_oneof![
        4 => (location(), order(), 1..3u64).prop_map(|(location, order, value)| {
            Ins::Op(Op::Store { location, order, value })
        }),
        5 => (location(), order()).prop_map(|(location, order)| {
            Ins::Op(Op::Load { location, order })
        }),
        2 => (location(), order()).prop_map(|(location, order)| {
            Ins::Op(Op::Update { location, order, update: Update::Add(1) })
        }),
        2 => (location(), order(), 0..3u64, 1..4u64).prop_map(|(location, success, expected, new)| {
            let failure = MemoryOrder::Relaxed;
            Ins::Op(Op::CompareExchange { location, expected, new, success, failure })
        }),
        2 => (0..=visible, weak(), 1..3u64).prop_map(|(location, order, by)| {
            let (location, update) = (Location(location), Update::Add(by));
            Ins::Op(Op::Apply { location, order, update })
        }),
        1 => order().prop_map(move |order| {
            let weaker = order.is_seq_cst() && !fences;
            Ins::Op(Op::Fence(if weaker { MemoryOrder::AcqRel } else { order }))
        }),
        1 => (0..2u64, 1..3usize).prop_map(|(value, n)| Ins::SkipUnless(value, n)),
        1 => (0..2u64).prop_map(Ins::Assume),
        1 => (0..visible, order(), 1..3u64).prop_map(|(l, order, value)| Ins::Await(l, order, value)),
        1 => Just(Ins::Op(Op::Choose(2))),
    ]
}

/// Rows of equal threads, other threads, in any order.
fn twins() -> impl Strategy<Value = Straight> {
    let thread = |n| prop::collection::vec(instruction(2, true), 1..=n);
    let rows = |twins: usize, length, others| {
        (
            thread(length),
            prop::collection::vec(thread(3), others),
            any::<bool>(),
        )
            .prop_map(move |(twin, mut threads, first)| {
                let at = if first { 0 } else { threads.len() };
                threads.splice(at..at, std::iter::repeat_n(twin, twins));
                threads
            })
    };
    prop_oneof![
        3 => rows(2, 4, 1),
        2 => rows(3, 2, 1),
        1 => rows(3, 3, 0),
        1 => rows(4, 2, 0),
    ]
    .prop_map(|threads| Straight {
        threads,
        locations: 3,
        initial: 0,
    })
}

/// Threads that count, and one that waits for them and looks.
fn counters() -> impl Strategy<Value = Straight> {
    let thread = |n| prop::collection::vec(instruction(1, false), 1..=n);
    let load = Ins::Op(Op::Load {
        location: Location(1),
        order: MemoryOrder::Relaxed,
    });
    let last = prop::collection::vec(
        prop_oneof![
            3 => (0..2u32).prop_map(|t| Ins::Op(Op::Join(t))),
            2 => Just(load),
            1 => instruction(2, false),
        ],
        0..4,
    );
    (prop::collection::vec(thread(3), 2), last).prop_map(|(mut threads, last)| {
        threads.push(last);
        Straight {
            threads,
            locations: 2,
            initial: 0,
        }
    })
}

fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for shorter in permutations(n - 1) {
        for at in 0..n {
            let mut longer = shorter.clone();
            longer.insert(at, n - 1);
            all.push(longer);
        }
    }
    all
}

/// The ways to rename threads into others that do the same.
fn renamings(program: &Straight) -> Vec<Vec<usize>> {
    let same = |p: &Vec<usize>| {
        p.iter()
            .enumerate()
            .all(|(t, &u)| program.threads[t] == program.threads[u])
    };
    permutations(program.threads.len())
        .into_iter()
        .filter(same)
        .collect()
}

/// Representatives of the orbits of complete executions, and how often each was visited.
fn orbits(program: &Straight, model: Model, reduce: bool) -> (BTreeMap<String, u32>, bool) {
    let renamings = renamings(program);
    let mut orbits = BTreeMap::new();
    let report = Explorer::new()
        .model(model)
        .reduce(reduce)
        .run_reduced(program, |execution| {
            if execution.is_complete() {
                let key = renamings.iter().map(|names| execution.key_of(names)).min();
                *orbits.entry(key.unwrap_or_default()).or_insert(0) += 1;
            }
            ControlFlow::Continue(())
        });
    (orbits, report.failure.is_some())
}

/// What can be seen of complete executions: answers and last values.
fn outcomes(program: &Straight, reduce: bool) -> (BTreeSet<String>, u64, bool) {
    let renamings = renamings(program);
    let mut seen = BTreeSet::new();
    let report = Explorer::new()
        .reduce(reduce)
        .run_reduced(program, |execution| {
            if execution.is_complete() {
                let outcome = |names: &Vec<usize>| {
                    let answers: Vec<_> = names.iter().map(|&t| execution.answers(t)).collect();
                    let last = (0..program.locations).map(|l| execution.final_value(Location(l)));
                    format!("{answers:?} {:?}", last.collect::<Vec<_>>())
                };
                seen.insert(renamings.iter().map(outcome).min().unwrap_or_default());
            }
            ControlFlow::Continue(())
        });
    (seen, report.complete, report.failure.is_some())
}

fn without_updates(program: &Straight) -> Straight {
    let replace = |ins: &Ins| match ins {
        Ins::Op(Op::Apply {
            location,
            order,
            update,
        }) => Ins::Op(Op::Update {
            location: *location,
            order: *order,
            update: *update,
        }),
        ins => ins.clone(),
    };
    let threads = program
        .threads
        .iter()
        .map(|t| t.iter().map(replace).collect())
        .collect();
    Straight {
        threads,
        ..program.clone()
    }
}

fn same_orbits(program: &Straight, model: Model) -> Result<(), TestCaseError> {
    let program = without_updates(program);
    let (all, failed) = orbits(&program, model, false);
    let (some, failed_too) = orbits(&program, model, true);
    prop_assert_eq!(failed, failed_too, "verdict under {:?}", model);
    if !failed {
        let missing = all.keys().find(|key| !some.contains_key(*key));
        prop_assert_eq!(missing, None, "missing under {:?}", model);
        let extra = some.keys().find(|key| !all.contains_key(*key));
        prop_assert_eq!(extra, None, "extra under {:?}", model);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn twins_under_rc11(program in twins()) {
        same_orbits(&program, Model::Rc11)?;
    }

    #[test]
    fn twins_under_sc(program in twins()) {
        same_orbits(&program, Model::Sc)?;
    }

    #[test]
    fn twins_under_tso(program in twins()) {
        same_orbits(&program, Model::Tso)?;
    }

    #[test]
    fn updates_that_commute(program in counters()) {
        let (all, complete, failed) = outcomes(&program, false);
        let (some, fewer, failed_too) = outcomes(&program, true);
        prop_assert_eq!(failed, failed_too);
        prop_assert!(fewer <= complete);
        if !failed {
            prop_assert_eq!(all, some);
        }
    }

    #[test]
    fn updates_of_twins(program in twins()) {
        let (all, _, failed) = outcomes(&program, false);
        let (some, _, failed_too) = outcomes(&program, true);
        prop_assert_eq!(failed, failed_too);
        if !failed {
            prop_assert_eq!(all, some);
        }
    }

    #[test]
    fn workers_agree(program in twins(), workers in 2..4usize) {
        let one = orbits(&program, Model::Rc11, false);
        let renamings = renamings(&program);
        let mut several = BTreeMap::new();
        let report = Explorer::new().workers(workers).run(&program, |execution| {
            if execution.is_complete() {
                let key = renamings.iter().map(|names| execution.key_of(names)).min();
                *several.entry(key.unwrap_or_default()).or_insert(0) += 1;
            }
            ControlFlow::Continue(())
        });
        prop_assert_eq!(one.1, report.failure.is_some());
        if !one.1 {
            prop_assert_eq!(one.0, several);
        }
    }
}

/// `n` threads with the code of `text`, see [`support::parse`].
fn times(n: usize, text: &str) -> Straight {
    support::parse(&vec![text; n].join("|"))
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
