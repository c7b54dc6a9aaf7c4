//! Real threads on the machine at hand.

use super::program::Program;
use super::{Budget, Schedule, hook};
use crate::runtime::Backend;
use crate::verdict::{Failure, Verdict, Violation};

pub(super) fn check(program: &Program, budget: Budget) -> Verdict {
    let body = program.over(Backend::Watched);
    for round in 1..=budget.executions {
        let result = hook::quietly(&body);
        if let Err(panic) = result {
            let violation = crate::ghost::take_violation()
                .or_else(|| panic.downcast_ref::<Violation>().cloned())
                .unwrap_or_else(|| super::classify(Some(&*panic)));
            return Verdict::Violated(Box::new(Failure {
                violation,
                execution: round,
                schedule: Schedule::None,
                trace: String::new(),
                trace_hash: 0,
            }));
        }
    }
    Verdict::Passed {
        runs: budget.executions,
        seed: budget.seed,
        sampled: "real threads, schedules by the operating system".into(),
    }
}

/// Native stress with every object in a heap block of its own, `rounds` times.
///
/// # Safety
/// See [`crate::catalogue::Entry::allocated`].
///
/// # Panics
/// When a check of the scheme's own fails.
pub(crate) unsafe fn allocated(program: &Program, rounds: u64) {
    let body = program.over(Backend::Allocated);
    for _ in 0..rounds {
        body();
    }
}
