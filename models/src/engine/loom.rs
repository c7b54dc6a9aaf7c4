//! Exhaustive exploration by loom.

use super::program::Program;
use super::{Budget, Schedule, failure, hook};
use crate::protocol::Reach;
use crate::runtime::{Backend, Loom, trace};
use crate::verdict::{Bounds, Verdict};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Loom's own limit, main included.
const THREADS: usize = 5;
const MODEL: &str = "loom's C11";

/// How often loom looks at its limit of executions.
const INTERVAL: u64 = 1_000;

fn builder(reach: Reach, executions: u64) -> ::loom::model::Builder {
    let mut builder = ::loom::model::Builder::new();
    builder.max_threads = THREADS;
    builder.max_branches = 20_000;
    builder.max_permutations = Some(executions as usize);
    builder.max_duration = None;
    builder.checkpoint_file = None;
    builder.checkpoint_interval = INTERVAL as usize;
    builder.preemption_bound = match reach {
        Reach::Preemptions(n) => Some(n),
        _ => None,
    };
    builder.location = false;
    builder.log = false;
    builder
}

/// Explores a bare program over the [`Loom`] runtime; `threads` counts the main thread.
pub fn explore_loom(threads: usize, body: impl Fn() + Send + Sync + 'static) {
    let explore = move || {
        trace::start(Loom::index);
        Loom::prepare(threads);
        body();
    };
    builder(Reach::Exhaustive, u64::from(u32::MAX)).check(explore);
    trace::take();
}

pub(super) fn check(program: &Program, budget: Budget) -> Verdict {
    if let Reach::No(reason) = program.loom {
        return Verdict::Unsupported { reason: reason.into() };
    }
    if program.threads > THREADS {
        return Verdict::Unsupported { reason: format!("loom has at most {THREADS} threads") };
    }
    let count = Arc::new(AtomicU64::new(0));
    let limit = budget.executions.next_multiple_of(INTERVAL);
    let body = {
        let (count, threads) = (count.clone(), program.threads);
        let body = program.over(Backend::Loom);
        move || {
            count.fetch_add(1, Relaxed);
            trace::start(Loom::index);
            Loom::prepare(threads);
            body();
        }
    };
    let result = hook::quietly(|| builder(program.loom, limit).check(body));
    let executions = count.load(Relaxed);
    let events = trace::take();
    match result {
        Err(panic) => {
            let schedule = Schedule::Nth(executions);
            Verdict::Violated(failure(program, Some(&*panic), &events, executions, schedule))
        }
        Ok(()) if executions + 1 >= limit => Verdict::Passed {
            runs: executions,
            seed: 0,
            sampled: format!("depth-first search stopped at its budget, {MODEL}"),
        },
        Ok(()) => Verdict::Exhausted(Bounds {
            threads: program.threads,
            operations: program.operations,
            executions,
            preemptions: match program.loom {
                Reach::Preemptions(n) => Some(n),
                _ => None,
            },
            model: MODEL.into(),
        }),
    }
}

/// Loom's search is deterministic: the n-th execution is reached by running the ones
/// before it again.
pub(super) fn replay(program: &Program, n: u64) -> Verdict {
    let budget = Budget { executions: n + INTERVAL, ..Budget::default() };
    check(program, budget)
}
