//! Target `litmus_explore`: the explorer, on programs and on closures, against brute force.

use super::below;
use super::tasks::{Do, Keys, Tasks, closure};
use crate::Explorer;
use crate::explore::oracle::{Findings, enumerate};
use crate::explore::{FailureKind, Model, Report};
use crate::sync::atomic::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Things that all threads do together: brute force takes milliseconds.
const MOST: usize = 7;

fn thing(bytes: &mut &[u8]) -> Do {
    use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
    let mut n = |n: usize| below(bytes, n);
    let l = n(2);
    let load = |k| [Relaxed, Acquire, SeqCst][k];
    let store = |k| [Relaxed, Release, SeqCst][k];
    let any = |k| [Relaxed, Acquire, Release, AcqRel, SeqCst][k];
    match n(16) {
        0 | 1 => Do::Load(l, load(n(3))),
        2 | 3 => Do::Store(l, store(n(3)), 1 + n(2) as u32),
        4 => Do::Add(l, any(n(5))),
        5 => Do::Exchange(l, n(3) as u32, 1 + n(3) as u32, any(n(5)), load(n(3))),
        6 => Do::Weak(l, n(3) as u32, 1 + n(3) as u32, any(n(5)), load(n(3))),
        7 => Do::Fence([Acquire, Release, AcqRel, SeqCst][n(4)]),
        8 => Do::StoreLast(l, store(n(3)), 1 + n(2) as u32),
        9 => Do::SkipUnless(n(2) as u32, 1 + n(2)),
        10 => Do::Await(l, load(n(3)), 1 + n(2) as u32),
        11 => match n(3) {
            0 => Do::Spin(l, load(n(3)), 1 + n(2) as u32),
            1 => Do::SpinNonZero(l, load(n(3))),
            _ => Do::SpinExchange(l),
        },
        12 => Do::Lock,
        13 => Do::Unlock,
        14 => [Do::CellGet, Do::CellSet(1 + l as u32)][n(2)].clone(),
        _ => Do::FailIf(1 + n(3) as u32),
    }
}

/// A program from bytes, and the model to explore it under.
fn program(mut bytes: &[u8]) -> (Tasks, Model) {
    let bytes = &mut bytes;
    let model = [Model::Rc11, Model::Sc, Model::Tso][below(bytes, 3)];
    let threads = 2 + below(bytes, 3);
    let (backwards, joins) = (below(bytes, 2) == 1, below(bytes, 2) == 1);
    let parents = (0..threads)
        .map(|t| (t > 0 && below(bytes, 3) == 2).then(|| below(bytes, t)))
        .collect();
    let threads = (0..threads)
        .map(|_| {
            (0..1 + below(bytes, MOST / threads))
                .map(|_| thing(bytes))
                .collect()
        })
        .collect();
    (
        Tasks {
            threads,
            parents,
            backwards,
            joins,
        },
        model,
    )
}

fn faulty(expected: &Findings) -> bool {
    expected.race || expected.failed || expected.deadlock
}

/// What an exploration found is what brute force says: each complete execution once and no other, or
/// a fault that there is.
fn agree(report: &Report, found: &BTreeMap<String, u32>, expected: &Findings, what: &str) {
    let Some(failure) = &report.failure else {
        assert!(!faulty(expected), "missed by the {what}: {expected:?}");
        assert!(report.exhaustive, "not all by the {what}");
        assert!(
            found.values().all(|&times| times == 1),
            "twice by the {what}: {found:?}"
        );
        let found: BTreeSet<&String> = found.keys().collect();
        assert_eq!(found, expected.complete.iter().collect(), "by the {what}");
        return;
    };
    let real = match failure.kind {
        FailureKind::DataRace => expected.race,
        FailureKind::Assertion => expected.failed,
        FailureKind::Deadlock => expected.deadlock,
        _ => false,
    };
    assert!(
        real,
        "false alarm of the {what}: {:?}: {}",
        failure.kind, failure.message
    );
}

/// Bytes → a small program and a closure that does the same → the explorer against brute force, and a
/// failure's trace, which has to show it again.
///
/// # Panics
/// When they differ.
pub fn litmus_explore(bytes: &[u8]) {
    let (tasks, model) = program(bytes);
    let expected = enumerate(&tasks, model);
    let explorer = Explorer::new()
        .model(model)
        .spurious_failures(tasks.spurious());
    let mut found = BTreeMap::new();
    let report = explorer.run(&tasks, |execution| {
        if execution.is_complete() {
            *found.entry(execution.key()).or_insert(0) += 1;
        }
        ControlFlow::Continue(())
    });
    agree(&report, &found, &expected, "program");
    let keys = Keys {
        threads: tasks.threads.len(),
        ..Keys::default()
    };
    let report = explorer.observe(closure(&tasks), keys.clone());
    let found = std::mem::take(&mut *keys.seen.lock().expect("no observer has panicked"));
    agree(&report, &found, &expected, "closure");
    if let Some(failure) = &report.failure {
        let trace = failure.trace.parse().expect("its own trace");
        let again = explorer.replay(closure(&tasks), &trace).failure;
        let again = again.map(|again| (again.kind, again.message));
        assert_eq!(
            again,
            Some((failure.kind, failure.message.clone())),
            "not repeated: {trace}"
        );
    }
    let reduced = explorer.reduce(true).check(closure(&tasks));
    assert_eq!(
        reduced.failure.is_some(),
        faulty(&expected),
        "reduced: {expected:?}"
    );
}
