//! Real threads on the machine at hand.

use super::{Budget, Schedule, execute, hook};
use crate::protocol::{Protocol, Scenario, Switch};
use crate::runtime::{Allocated, Watched};
use crate::verdict::{Failure, Verdict, Violation};
use std::sync::Arc;

pub(super) fn check<P: Protocol>(
    scenario: &Arc<Scenario<P::Op>>,
    mutant: Option<P::Mutant>,
    budget: Budget,
) -> Verdict {
    for round in 1..=budget.executions {
        let scenario = scenario.clone();
        let result = hook::quietly(move || {
            execute::<Watched, P::World<Watched>>(&scenario, Switch(mutant));
        });
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
pub(crate) unsafe fn allocated<P: Protocol>(
    scenario: Scenario<P::Op>,
    mutant: Option<P::Mutant>,
    rounds: u64,
) {
    let scenario = Arc::new(scenario);
    for _ in 0..rounds {
        execute::<Allocated, P::World<Allocated>>(&scenario, Switch(mutant));
    }
}
