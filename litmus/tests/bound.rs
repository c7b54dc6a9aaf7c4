//! The bound on preemptions: what it leaves out is exactly what needs more.

mod support;

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use support::cases::cases;
use support::linear;
use support::random::{Faults, faulty_program, program};
use support::{Ins, Straight, parse};
use threadbare_litmus::explore::oracle::enumerate;
use threadbare_litmus::explore::program::{
    Location, LocationInfo, MemoryOrder, Op, Program, Step, Value, Wait,
};
use threadbare_litmus::explore::{FailureKind, Model};
use threadbare_litmus::sync::{Arc, atomic::AtomicU32, atomic::Ordering::Relaxed};
use threadbare_litmus::{Explorer, thread};

/// Complete executions and the preemptions that the explorer says they need.
fn needed(program: &Straight, model: Model) -> BTreeMap<String, u32> {
    let mut all = BTreeMap::new();
    Explorer::new().model(model).run(program, |execution| {
        if execution.is_complete() {
            all.insert(execution.key(), execution.preemptions());
        }
        ControlFlow::Continue(())
    });
    all
}

#[test]
fn published_counts_under_sc() {
    // GenMC's `tests/bound`: complete executions within 0, 1, 2, … preemptions.
    let within = |text: &str, expected: &[usize]| {
        let program = parse(text);
        for (bound, &expected) in expected.iter().enumerate() {
            let report = Explorer::new()
                .model(Model::Sc)
                .max_preemptions(bound as u32)
                .run(&program, |_| ControlFlow::Continue(()));
            assert_eq!(report.complete as usize, expected, "{text} within {bound}");
        }
    };
    within("Wx1;Ry | Wy1;Rx", &[2, 3]);
    within("Wx1 | Wx2 | Rx;Rx", &[6, 12]);
    within("Wx1;Wx2 | Rx;Rx", &[2, 4, 6]);
    within("Wx1 | Rx;Rx;Rx | Wx2", &[6, 18, 20]);
    within("Rx;Wx1 | Rx;Wx2 | Rx;Wx3", &[6, 24, 36]);
    within("Wx9 | Rx;Wx1 | Rx;Wx2 | Rx;Wx3", &[24, 132, 264, 300]);
}

#[test]
fn waiting_is_no_preemption() {
    // The second thread can only be reached by way of the first, and back.
    let program = parse("Wx1;Qy1;Wx2 | Qx1;Wy1;Qx2");
    let report = Explorer::new()
        .max_preemptions(0)
        .run(&program, |execution| {
            assert_eq!(execution.preemptions(), 0);
            ControlFlow::Continue(())
        });
    assert_eq!(report.complete, 1);
    assert!(report.exhaustive && !report.bounded, "nothing was left out");
    assert_eq!(
        report.coverage(),
        "exhaustive under C++20 without load buffering"
    );
}

/// Two threads that take turns at a counter, `first` times and `second` times: fails if
/// they alternate all the way, which needs `first + second - 2` preemptions.
fn alternation(first: u32, second: u32) -> impl Fn() + Send + Sync + 'static {
    move || {
        let counter = Arc::new(AtomicU32::new(0));
        let turns = |n: u32, offset: u32| {
            let counter = counter.clone();
            thread::spawn(move || (0..n).all(|i| counter.fetch_add(1, Relaxed) == 2 * i + offset))
        };
        let (one, other) = (turns(first, 0), turns(second, 1));
        let alternated = one.join().unwrap() & other.join().unwrap();
        assert!(!alternated, "they took turns");
    }
}

#[test]
fn a_fault_is_found_with_as_many_preemptions_as_it_needs() {
    for (first, second) in [(1, 1), (2, 1), (2, 2), (3, 2), (3, 3)] {
        let needs = first + second - 2;
        for model in [Model::Rust, Model::Rc11, Model::Tso, Model::Sc] {
            let within = |bound| {
                let explorer = Explorer::new().model(model).max_preemptions(bound);
                explorer.check(alternation(first, second))
            };
            let found = within(needs).failure.expect("a fault");
            assert_eq!(found.kind, FailureKind::Assertion, "{}", found.message);
            let again =
                Explorer::new().replay(alternation(first, second), &found.trace.parse().unwrap());
            assert_eq!(again.failure.expect("again").message, found.message);
            if let Some(less) = needs.checked_sub(1) {
                let report = within(less);
                assert!(report.failure.is_none() && report.bounded && !report.exhaustive);
                let words = format!(
                    "exhaustive within {less} preemption{} under ",
                    if less == 1 { "" } else { "s" }
                );
                assert!(
                    report.coverage().starts_with(&words),
                    "{}",
                    report.coverage()
                );
            }
        }
    }
}

#[test]
fn races_and_deadlocks_are_bounded_too() {
    // The race needs the reader to come between the two stores.
    let racy = parse("Ax;Wy1n;Wx0 | Cx1>5;?1:1;Ryn");
    let explorer = Explorer::new().model(Model::Sc);
    let with = |bound| {
        explorer
            .clone()
            .max_preemptions(bound)
            .verify(&racy)
            .failure
    };
    assert!(with(0).is_none());
    assert_eq!(with(1).expect("a race").kind, FailureKind::DataRace);
    // As above, but the second thread waits for what nobody does.
    let mut stuck = parse("Ax;Wy1;Wx0 | Cx1>5;?1:1");
    stuck.threads[1].push(Ins::Wait(1, MemoryOrder::Relaxed, 7));
    let with = |bound| {
        let explorer = explorer.clone().max_preemptions(bound);
        explorer.verify(&stuck).failure
    };
    assert!(with(0).is_none());
    assert_eq!(with(1).expect("a deadlock").kind, FailureKind::Deadlock);
}

#[test]
fn to_leave_a_thread_before_a_lock_costs_nothing() {
    let inversion = || {
        use threadbare_litmus::sync::Mutex;
        let locks = Arc::new((Mutex::new(0), Mutex::new(0)));
        let other = locks.clone();
        let t = thread::spawn(move || drop((other.1.lock().unwrap(), other.0.lock().unwrap())));
        drop((locks.0.lock().unwrap(), locks.1.lock().unwrap()));
        t.join().unwrap();
    };
    let report = Explorer::new().max_preemptions(0).check(inversion);
    let failure = report.failure.expect("a deadlock");
    assert_eq!(failure.kind, FailureKind::Deadlock);
}

#[test]
fn what_is_left_out_is_said() {
    let program = parse("Rx;Wx1 | Rx;Wx2 | Rx;Wx3");
    let report = |explorer: Explorer| explorer.verify(&program).coverage();
    let new = Explorer::new;
    assert_eq!(
        report(new()),
        "exhaustive under C++20 without load buffering"
    );
    assert_eq!(
        report(new().model(Model::Sc).max_preemptions(1)),
        "exhaustive within 1 preemption under SC"
    );
    assert_eq!(
        report(new().max_executions(5)),
        "stopped after 5 executions under C++20 without load buffering"
    );
    let few = report(new().model(Model::Tso).max_revisits(1));
    assert!(few.starts_with("not exhaustive: "), "{few}");
    assert!(
        few.ends_with(" under TSO, each found with at most 1 revisit"),
        "{few}"
    );
    let sampled = report(new().sample(20, 7));
    assert!(
        sampled
            .starts_with("sampled under C++20 without load buffering: 20 descents, seed 7, met "),
        "{sampled}"
    );
}

/// T1 stores to x, finds y as it was, and waits for ever; T0 then finds x stored: no
/// preemption. That T1 has read the latest y instead needs one. (Review, program 09.)
#[test]
fn a_thread_that_waits_with_an_old_value_is_within_the_bound() {
    struct Stops;
    impl Program for Stops {
        fn threads(&self) -> usize {
            2
        }
        fn locations(&self) -> Vec<LocationInfo> {
            let place = |name: &str| LocationInfo {
                name: name.into(),
                initial: 0,
                bits: 32,
            };
            ["x", "y"].map(place).into()
        }
        fn step(&self, thread: usize, answers: &[Value]) -> Step {
            let (x, y, order) = (Location(0), Location(1), MemoryOrder::Relaxed);
            let store = |location| Op::Store {
                location,
                order,
                value: 1,
            };
            match (thread, answers) {
                (0, []) => store(y),
                (0, [_]) => Op::Load { location: x, order },
                (0, [_, 1]) => Op::Fail("x was 1".into()),
                (1, []) => store(x),
                (1, [_]) => Op::Load { location: y, order },
                (1, [_, 0]) => Op::Block {
                    wait: Wait::Assume,
                    reads: 1,
                },
                _ => Op::End,
            }
            .into()
        }
    }
    for bound in 0..3 {
        let explorer = Explorer::new().model(Model::Sc).max_preemptions(bound);
        let failure = explorer.verify(&Stops).failure.expect("within any bound");
        assert_eq!(failure.message, "x was 1");
        let closure = explorer.check(|| {
            let (x, y) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
            let (x0, y0) = (x.clone(), y.clone());
            thread::spawn(move || {
                y0.store(1, Relaxed);
                assert_eq!(x0.load(Relaxed), 0, "x was 1");
            });
            thread::spawn(move || {
                x.store(1, Relaxed);
                y.await_until(Relaxed, |y| y != 0);
            });
        });
        assert!(closure.failure.is_some());
    }
}

#[test]
fn workers_leave_out_the_same() {
    let program = parse("Rx;Wx1;Ry | Rx;Wx2;Wy1 | Rx;Wx3;Ry | Rx;Wx4");
    let run = |workers| {
        let explorer = Explorer::new().workers(workers).max_preemptions(1);
        let report = explorer.verify(&program);
        (report.complete, report.blocked, report.bounded)
    };
    assert_eq!(run(1), run(2));
}

fn agree(program: &Straight, model: Model) -> Result<(), TestCaseError> {
    let all = needed(program, model);
    for bound in 0..3 {
        let mut found = BTreeSet::new();
        let explorer = Explorer::new().model(model).max_preemptions(bound);
        let report = explorer.run(program, |execution| {
            let fresh = !execution.is_complete() || found.insert(execution.key());
            assert!(fresh, "visited twice");
            ControlFlow::Continue(())
        });
        let expected = all.iter().filter(|(_, needs)| **needs <= bound);
        let expected: BTreeSet<String> = expected.map(|(key, _)| key.clone()).collect();
        prop_assert!(report.failure.is_none());
        prop_assert_eq!(found, expected, "within {} under {:?}", bound, model);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn nothing_within_the_bound_is_lost(program in program(false)) {
        for model in [Model::Rust, Model::Rc11, Model::Tso, Model::Sc] {
            agree(&program, model)?;
        }
    }

    #[test]
    fn faults_are_found_within_the_bound(
        program in faulty_program(Faults { races: true, assertions: true })
    ) {
        let joins = |i: &Ins| matches!(i, Ins::Op(Op::Join(_)));
        // Brute force over orders knows nothing of joins.
        if program.threads.iter().flatten().any(joins) {
            return Ok(());
        }
        for model in [Model::Rust, Model::Rc11, Model::Tso, Model::Sc] {
            let expected = enumerate(&program, model);
            let needs = expected.faulty.iter().map(|fault| {
                linear::preemptions(&fault.key, model == Model::Sc, &fault.waits)
            });
            let least = needs.min();
            for bound in 0..3 {
                let report = Explorer::new().model(model).max_preemptions(bound).verify(&program);
                prop_assert_eq!(
                    report.failure.map(|failure| failure.message).is_some(),
                    least.is_some_and(|least| least <= bound),
                    "within {} under {:?}: the least is {:?}", bound, model, least
                );
            }
        }
    }

    #[test]
    fn the_number_is_the_least(program in program(false)) {
        // Awaits are left for free, which brute force knows nothing of.
        let waits = program.threads.iter().flatten().any(|i| matches!(i, Ins::Await(..)));
        let models = [Model::Rc11, Model::Sc];
        for model in models.into_iter().filter(|_| !waits) {
            for (key, needs) in needed(&program, model) {
                prop_assert_eq!(needs, linear::preemptions(&key, model == Model::Sc, &[]), "{} {:?}", key, model);
            }
        }
    }
}
