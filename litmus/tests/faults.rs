//! Faults against brute force on random programs: data races, failed assertions and
//! deadlocks are found where some execution has one and nowhere else, whatever the search
//! leaves out or shares out, and the trace of each repeats it.

mod support;

use proptest::prelude::*;
use std::ops::ControlFlow;
use support::cases::cases;
use support::random::{Faults, faulty_program};
use support::{Ins, Straight};
use threadbare_litmus::Explorer;
use threadbare_litmus::explore::oracle::{Findings, enumerate};
use threadbare_litmus::explore::program::{Location, MemoryOrder, Op, Update};
use threadbare_litmus::explore::{Failure, FailureKind, Model, Report};

const MODELS: [Model; 4] = [Model::Rust, Model::Rc11, Model::Sc, Model::Tso];

fn is_faulty(expected: &Findings) -> bool {
    expected.race || expected.failed || expected.deadlock
}

/// The fault is one that some execution has, and its trace leads to it.
fn is_real(
    failure: &Failure,
    program: &Straight,
    expected: &Findings,
) -> Result<(), TestCaseError> {
    let real = match failure.kind {
        FailureKind::DataRace => expected.race,
        FailureKind::Assertion => expected.failed,
        FailureKind::Deadlock => expected.deadlock,
        _ => false,
    };
    prop_assert!(real, "false alarm: {}", failure.message);
    let trace = failure.trace.parse().expect("a trace");
    let again = Explorer::new().replay_program(program, &trace).failure;
    let again = again.map(|again| (again.kind, again.message, again.trace));
    let first = (failure.kind, failure.message.clone(), failure.trace.clone());
    prop_assert_eq!(again, Some(first), "not repeated");
    Ok(())
}

fn is_right(report: &Report, program: &Straight, expected: &Findings) -> Result<(), TestCaseError> {
    match &report.failure {
        Some(failure) => is_real(failure, program, expected),
        None => {
            prop_assert!(!is_faulty(expected), "missed: {:?}", expected);
            Ok(())
        }
    }
}

fn agree(program: &Straight) -> Result<(), TestCaseError> {
    for model in MODELS {
        let expected = enumerate(program, model);
        let explorer = Explorer::new().model(model);
        let one = explorer.verify(program);
        is_right(&one, program, &expected)?;
        let two = explorer.clone().workers(2).share(1).verify(program);
        let words = |report: &Report| {
            let failure = report.failure.as_ref();
            failure.map(|f| (f.message.clone(), f.trace.clone()))
        };
        prop_assert_eq!(words(&one), words(&two), "by two workers under {:?}", model);
        if one.failure.is_none() {
            prop_assert_eq!((one.complete, one.blocked), (two.complete, two.blocked));
        }
        let reduced = explorer.clone().reduce(true);
        is_right(&reduced.verify(program), program, &expected)?;
        let shared = reduced.workers(2).share(1).verify(program);
        is_right(&shared, program, &expected)?;
    }
    Ok(())
}

fn sampled(program: &Straight, seed: u64) -> Result<(), TestCaseError> {
    for model in MODELS {
        let expected = enumerate(program, model);
        let explorer = Explorer::new().model(model).sample(20, seed);
        let mut extra = None;
        let report = explorer.run(program, |execution| {
            let key = execution.key();
            if execution.is_complete() && !expected.complete.contains(&key) {
                extra = Some(key);
            }
            ControlFlow::Continue(())
        });
        prop_assert_eq!(extra, None, "extra under {:?}", model);
        for report in [report, explorer.reduce(true).verify(program)] {
            if let Some(failure) = &report.failure {
                is_real(failure, program, &expected)?;
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn races(program in faulty_program(Faults { races: true, assertions: false })) {
        agree(&program)?;
    }

    #[test]
    fn assertions_and_deadlocks(program in faulty_program(Faults { races: false, assertions: true })) {
        agree(&program)?;
    }

    #[test]
    fn all_kinds(program in faulty_program(Faults { races: true, assertions: true })) {
        agree(&program)?;
    }

    #[test]
    fn samples(program in faulty_program(Faults { races: true, assertions: true }), seed: u64) {
        sampled(&program, seed)?;
    }
}

/// T1's store to x0 cannot come before T0's: T2's store, which T1 has read, is after the join.
#[test]
fn the_end_of_a_thread_that_nobody_spawned_is_before_its_join() {
    let mut program = support::parse("Wx0r | Ay;Wx1 | Wy1");
    program.threads[2].insert(0, Ins::Op(Op::Join(0)));
    for model in MODELS {
        let expected = enumerate(&program, model);
        let mut found = std::collections::BTreeSet::new();
        Explorer::new().model(model).run(&program, |execution| {
            found.extend(execution.is_complete().then(|| execution.key()));
            ControlFlow::Continue(())
        });
        assert_eq!(found, expected.complete, "{model:?}");
    }
}

/// Updates that commute are not ordered by the search, but a trace has the order of the
/// execution that it found, which here is not the one in which a replay adds them.
#[test]
fn a_replay_keeps_the_order_of_updates_that_commute() {
    let (x, y) = (Location(0), Location(1));
    let count = Op::Apply {
        location: y,
        order: MemoryOrder::Relaxed,
        update: Update::Add(1),
    };
    let store = Op::Store {
        location: x,
        order: MemoryOrder::Relaxed,
        value: 1,
    };
    let plain = Op::Load {
        location: x,
        order: MemoryOrder::Plain,
    };
    let threads = [
        vec![store, Op::Join(1), count.clone()],
        vec![Op::Choose(2)],
        vec![count, plain],
    ];
    let program = Straight::new(
        threads
            .map(|ops| ops.into_iter().map(Ins::Op).collect())
            .into(),
    );
    let expected = enumerate(&program, Model::Rc11);
    assert!(expected.race, "{expected:?}");
    let reduced = Explorer::new().reduce(true).verify(&program);
    let found = is_right(&reduced, &program, &expected);
    found.expect("the trace repeats the race");
}
