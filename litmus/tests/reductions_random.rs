//! What reductions leave out is what they say, and workers change nothing: random programs.

mod support;

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use support::cases::cases;
use support::orbits::{orbits, renamings};
use support::{Ins, Straight};
use threadbare_litmus::Explorer;
use threadbare_litmus::explore::Model;
use threadbare_litmus::explore::program::{Location, MemoryOrder, Op, Update};

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
        same_orbits(&program, Model::Rust)?;
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
