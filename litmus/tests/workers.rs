//! Searches that are shared, by workers of one process and by parts of several: together they
//! visit what one search visits, each execution once; and what cannot be shared is not called
//! exhaustive.

mod support;

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::ThreadId;
use support::cases::cases;
use support::random::program;
use support::{Straight, parse};
use threadbare_litmus::Explorer;
use threadbare_litmus::explore::program::{
    Location, LocationInfo, MemoryOrder, Op, Program, Step, Value,
};
use threadbare_litmus::explore::{Model, Report};

const MODELS: [Model; 4] = [Model::Rust, Model::Rc11, Model::Sc, Model::Tso];

/// How often each execution was visited, complete or not.
fn visits(explorer: &Explorer, program: &Straight) -> (BTreeMap<String, u32>, Report) {
    let mut all = BTreeMap::new();
    let report = explorer.run(program, |execution| {
        *all.entry(execution.key()).or_default() += 1;
        ControlFlow::Continue(())
    });
    (all, report)
}

fn together(explorer: &Explorer, program: &Straight, of: u64) -> (BTreeMap<String, u32>, u64) {
    let (mut all, mut trees, mut executions) = (BTreeMap::new(), Vec::new(), 0);
    for index in 1..=of {
        let (part, report) = visits(&explorer.clone().shard(index, of), program);
        assert!(!report.exhaustive || of == 1, "a part is not the whole");
        assert!(
            report.failure.is_some() || of == 1 || report.coverage().contains("not exhaustive")
        );
        trees.push(report.tree);
        executions += report.complete + report.blocked;
        for (key, times) in part {
            *all.entry(key).or_default() += times;
        }
    }
    assert!(trees.iter().all(|tree| *tree == trees[0]));
    (all, executions)
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn parts_make_the_whole(program in program(false), of in 1..5u64, workers in 1..3usize) {
        for model in MODELS {
            let explorer = Explorer::new().model(model).share(1);
            let (whole, report) = visits(&explorer, &program);
            prop_assert!(report.failure.is_none() && report.exhaustive);
            let (parts, executions) = together(&explorer.clone().workers(workers), &program, of);
            prop_assert_eq!(&whole, &parts);
            prop_assert_eq!(executions, report.complete + report.blocked);
            let (several, report) = visits(&explorer.workers(3), &program);
            prop_assert_eq!(&whole, &several);
            prop_assert!(report.exhaustive);
        }
    }
}

#[test]
fn a_part_says_so() {
    let program = parse("Ax;Ax | Ax;Ax | Ax;Ax");
    let part = |index| Explorer::new().share(2).shard(index, 3).verify(&program);
    let parts = [part(1), part(2), part(3)];
    let whole = Explorer::new().verify(&program);
    assert_eq!(
        parts.iter().map(|p| p.complete).sum::<u64>(),
        whole.complete
    );
    assert!(
        parts
            .iter()
            .all(|part| part.complete > 0 && !part.exhaustive)
    );
    assert_eq!(
        parts[1].coverage(),
        format!(
            "not exhaustive: {} executions under C++20 without load buffering, part 2 of 3, tree \
             {:016x}",
            parts[1].complete, parts[0].tree
        )
    );
    let bounded = Explorer::new()
        .share(2)
        .model(Model::Sc)
        .max_preemptions(1)
        .shard(1, 2);
    let coverage = bounded.verify(&program).coverage();
    assert!(
        coverage.contains(" within 1 preemption under SC, part 1 of 2, tree "),
        "{coverage}"
    );
    let whole = Explorer::new().shard(1, 1).verify(&program);
    assert!(whole.exhaustive);
}

#[test]
fn a_search_too_small_to_share_is_the_first_part() {
    let program = parse("Wx1 | Rx");
    let part = |index| Explorer::new().shard(index, 2).verify(&program).complete;
    assert_eq!([part(1), part(2)], [2, 0]);
}

#[test]
fn symmetry_is_not_called_exhaustive() {
    let program = parse("Ax | Ax | Ax");
    let reduced = Explorer::new().reduce(true).verify(&program);
    assert!(reduced.failure.is_none() && !reduced.exhaustive);
    assert_eq!(
        reduced.coverage(),
        "not exhaustive: 1 execution under C++20 without load buffering, one of each kind up to \
         symmetry (unproved)"
    );
    let nobody_alike = parse("Ax | Ax;Ay | Rx");
    let reduced = Explorer::new().reduce(true).verify(&nobody_alike);
    assert!(reduced.exhaustive);
}

/// Does something else for each OS thread that asks.
struct Moody {
    known: Mutex<Vec<ThreadId>>,
}

impl Program for Moody {
    fn threads(&self) -> usize {
        4
    }

    fn locations(&self) -> Vec<LocationInfo> {
        ["x", "y"]
            .map(|name| LocationInfo {
                name: name.into(),
                initial: 0,
                bits: 32,
            })
            .into()
    }

    fn step(&self, thread: usize, answers: &[Value]) -> Step {
        let mut known = self.known.lock().unwrap();
        let me = std::thread::current().id();
        let mood = known.iter().position(|&other| other == me);
        let mood = mood.unwrap_or_else(|| {
            known.push(me);
            known.len() - 1
        });
        // To what the first thread reads, or not.
        let (order, location) = (MemoryOrder::Relaxed, Location((mood % 2) as u32));
        match answers.len() {
            0..2 if thread == 0 => Op::Load {
                location: Location(0),
                order,
            },
            0..2 => Op::Store {
                location,
                order,
                value: thread as Value,
            },
            _ => Op::End,
        }
        .into()
    }
}

#[test]
fn workers_that_see_different_trees_do_not_say_exhaustive() {
    let moody = Moody {
        known: Mutex::default(),
    };
    let report = Explorer::new().workers(2).share(1).verify(&moody);
    assert!(report.failure.is_none());
    assert!(!report.exhaustive);
    assert!(
        report
            .coverage()
            .contains("2 workers saw different choices"),
        "{}",
        report.coverage()
    );
}

/// Threads that are started in one branch by one thread and in another branch by another: their
/// numbers depend on which branch a worker has seen first. (Review, program 11.)
#[test]
fn workers_agree_on_threads_whatever_they_have_seen_first() {
    use threadbare_litmus::explore::Execution;
    use threadbare_litmus::observe::{Observer, note};
    use threadbare_litmus::sync::Arc;
    use threadbare_litmus::sync::atomic::AtomicU32;
    use threadbare_litmus::thread;

    type Seen = BTreeMap<Vec<(char, u32)>, u32>;

    /// What was noted down in each execution.
    #[derive(Clone, Default)]
    struct Outcomes(std::sync::Arc<Mutex<Seen>>);

    impl Observer for Outcomes {
        fn judge(&self, execution: &Execution<'_>) -> Result<(), String> {
            let notes = execution.notes::<(char, u32)>();
            let mut noted: Vec<_> = notes.iter().map(|noted| *noted.what).collect();
            noted.sort_unstable();
            *self.0.lock().unwrap().entry(noted).or_default() += 1;
            Ok(())
        }
    }

    fn program() {
        let place = |name| Arc::new(AtomicU32::named(0, name));
        let relaxed = Ordering::Relaxed;
        let [both, turn, first, second, data] =
            ["both", "turn", "first", "second", "data"].map(place);
        {
            let all = [&both, &turn, &data, &data, &data].map(Arc::clone);
            thread::spawn(move || (1..).zip(all).for_each(|(n, x)| x.store(n, relaxed)));
        }
        for (mine, yes, name) in [(&first, 0, 'x'), (&second, 2, 'y')] {
            let (both, turn, mine, data) = (both.clone(), turn.clone(), mine.clone(), data.clone());
            thread::spawn(move || {
                if both.load(relaxed) == 0 || turn.load(relaxed) == yes {
                    mine.store(1, relaxed);
                    thread::spawn(move || note((name, data.load(relaxed))));
                }
            });
        }
    }

    let run = |workers, share| {
        let seen = Outcomes::default();
        let explorer = Explorer::new().workers(workers).share(share);
        let report = explorer.observe(program, seen.clone());
        assert!(report.exhaustive);
        let seen = seen.0.lock().unwrap().clone();
        (report.complete, seen)
    };
    let one = run(1, 64);
    for _ in 0..10 {
        for share in [1, 2, 16] {
            assert!(run(2, share) == one, "other outcomes than one worker's");
            assert!(run(3, share) == one, "other outcomes than one worker's");
        }
    }
}

/// Nothing that the visitor counts is counted by several.
#[test]
fn a_limit_is_shared() {
    let program = parse("Ax;Ax | Ax;Ax | Ax;Ax");
    let seen = AtomicU64::new(0);
    let explorer = Explorer::new().workers(2).share(1).max_executions(20);
    let report = explorer.run(&program, |_| {
        seen.fetch_add(1, Ordering::Relaxed);
        ControlFlow::Continue(())
    });
    assert!(!report.exhaustive);
    assert!((20..40).contains(&seen.into_inner()));
}
