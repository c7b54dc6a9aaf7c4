//! Exhaustive exploration by our own model checker, under RC11.

use super::program::Program;
use super::{Budget, Schedule, fnv, hook, render};
use crate::runtime::causal::{self, Access, Claim, GhostStep, Life, Moment, Step};
use crate::runtime::trace::{self, Event};
use crate::runtime::{Backend, explorer};
use crate::verdict::{Bounds, Failure, Kind, Verdict, Violation};
use std::sync::{Arc, Mutex};
use threadbare_litmus::Explorer as Search;
use threadbare_litmus::explore::{Execution, FailureKind, Model};
use threadbare_litmus::observe::{Noted, Observer, Past};

/// Judges the ghost state of each execution, and keeps the failing one.
#[derive(Clone, Default)]
pub(super) struct Judge {
    failing: Arc<Mutex<Vec<Event>>>,
    /// Told of every execution that comes to its end and breaks nothing.
    ended: Option<Ended>,
}

impl Judge {
    pub fn telling(ended: Ended) -> Self {
        Self { ended: Some(ended), ..Self::default() }
    }
}

pub(super) type Ended = Arc<dyn Fn(&Execution<'_>) + Send + Sync>;

impl Observer for Judge {
    fn judge(&self, execution: &Execution<'_>) -> Result<(), String> {
        let lives = execution.notes::<GhostStep>();
        let accesses = execution.notes::<Access>();
        let life = broken(&lives).or_else(|| outlived(&accesses, &lives));
        let life = life.map(|(kind, text)| Violation { kind, text });
        if let Some(violation) = life.or_else(|| untrue(execution)) {
            return Err(explorer::report(&violation));
        }
        if let Some(ended) = self.ended.as_ref().filter(|_| execution.is_complete()) {
            ended(execution);
        }
        Ok(())
    }

    fn answer(&self, past: &Past<'_>, question: u64) -> u64 {
        causal::answer(past, question)
    }

    fn failed(&self, execution: &Execution<'_>, _: &threadbare_litmus::explore::Failure) {
        let events = execution.notes::<Event>().iter().map(|n| *n.what).collect();
        *self.failing.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = events;
    }
}

/// The violation that a claim about the whole execution finds.
fn untrue(execution: &Execution<'_>) -> Option<Violation> {
    let claims = execution.notes::<Claim>();
    if claims.is_empty() {
        return None;
    }
    let moments = execution.notes::<Moment>();
    let find = |(thread, time): (usize, u64)| {
        moments.iter().find(|m| m.thread == thread && *m.what == Moment(time))
    };
    let before = |a, b| find(a).zip(find(b)).is_some_and(|(a, b)| a.happens_before(b));
    claims.iter().find_map(|claim| claim.what.0(&before))
}

/// The first broken property of some object's life. Steps that are not ordered by program
/// order and reads-from can come in either order, and both must be right.
fn broken(steps: &[Noted<'_, GhostStep>]) -> Option<(Kind, String)> {
    steps.iter().enumerate().find_map(|(n, step)| one(steps, n, step))
}

/// The first access to a part of something outside its life.
fn outlived(
    accesses: &[Noted<'_, Access>],
    lives: &[Noted<'_, GhostStep>],
) -> Option<(Kind, String)> {
    // Notes of one thread are in its order.
    let mut stable = 0u64;
    accesses.iter().find_map(|access| {
        let bit = 1u64 << (explorer::numbered(access.thread) % 64);
        let label = match *access.what {
            Access::Stable(true) => {
                stable |= bit;
                return None;
            }
            Access::Stable(false) => {
                stable &= !bit;
                return None;
            }
            Access::To(_) if stable & bit != 0 => return None,
            Access::To(label) => label,
        };
        let whole = label.whole()?;
        let of = |step: &&Noted<'_, GhostStep>| step.what.label == whole;
        let begins = || lives.iter().filter(of).filter(|s| matches!(s.what.step, Step::Reuse(_)));
        let mut frees = lives.iter().filter(of).filter(|s| s.what.step == Step::Free);
        // As for a use: a free that the access does not come before, in the same life.
        let reborn =
            |free: &Noted<'_, GhostStep>| begins().any(|b| free.before(b) && b.before(access));
        let after = frees.any(|free| !access.before(free) && !reborn(free));
        (after || !begins().any(|b| b.before(access)))
            .then(|| (Kind::UseAfterFree, crate::ghost::dead_access(label, whole)))
    })
}

fn one(
    steps: &[Noted<'_, GhostStep>],
    n: usize,
    step: &Noted<'_, GhostStep>,
) -> Option<(Kind, String)> {
    let label = step.what.label;
    let same = || steps.iter().filter(move |other| other.what.label == label);
    let is_reuse = |s: &Step| matches!(s, Step::Reuse(_));
    let reuses = || same().filter(move |other| is_reuse(&other.what.step));
    let frees = || same().filter(|other| other.what.step == Step::Free);
    // Whether a new life began between two steps.
    let reborn = |a: &Noted<'_, GhostStep>, b: &Noted<'_, GhostStep>| {
        reuses().any(|reuse| a.before(reuse) && reuse.before(b))
    };
    // A free that the step does not come before, in the same life.
    let after_free = || frees().any(|free| !step.before(free) && !reborn(free, step));
    let causal = || {
        let mut life = Life::default();
        for other in same().filter(|other| other.before(step)) {
            life.step(other.what.step);
        }
        life
    };
    let lives = || reuses().any(|reuse| reuse.before(step));
    match step.what.step {
        Step::Gain | Step::Touch | Step::Finalize if after_free() || !lives() => {
            let doing = match step.what.step {
                Step::Gain => "a new reference",
                Step::Touch => "a use",
                _ => "the finalizer",
            };
            Some((Kind::UseAfterFree, format!("{label}: {doing} after the object was freed")))
        }
        Step::Finalize => {
            let twice = steps[..n].iter().any(|other| {
                other.what.label == label
                    && other.what.step == Step::Finalize
                    && !reborn(other, step)
            });
            twice.then(|| {
                (Kind::FinalizedTwice, format!("{label}: the finalizer runs a second time"))
            })
        }
        Step::Free => {
            let twice = steps[..n].iter().any(|other| {
                other.what.label == label && other.what.step == Step::Free && !reborn(other, step)
            });
            if twice || !lives() {
                return Some((Kind::DoubleFree, format!("{label}: freed twice")));
            }
            let holders = causal().holders;
            (holders != 0).then(|| {
                (Kind::PrematureFree, format!("{label}: freed while {holders} reference(s) exist"))
            })
        }
        Step::Lose => {
            // All steps that are not after this one: what it gives up must be among them.
            let gained: i64 = same()
                .filter(|other| !step.before(other))
                .map(|other| match other.what.step {
                    Step::Reuse(holders) => holders,
                    Step::Gain => 1,
                    _ => 0,
                })
                .sum();
            let lost =
                same().filter(|o| o.what.step == Step::Lose && o.before(step)).count() as i64 + 1;
            (lost > gained).then(|| {
                (Kind::NegativeCount, format!("{label}: a reference dropped that nobody holds"))
            })
        }
        Step::Reuse(_) => {
            let live = steps[..n].iter().any(|other| {
                other.what.label == label
                    && is_reuse(&other.what.step)
                    && !frees().any(|free| other.before(free) && free.before(step))
            });
            live.then(|| {
                let text = format!("{label}: the block of a live object was handed out");
                (Kind::UseAfterFree, text)
            })
        }
        Step::Settle => {
            let life = causal();
            (life.alive && life.holders <= 0).then(|| {
                (Kind::Leak, format!("{label}: no reference is left and it was never freed"))
            })
        }
        Step::Gain | Step::Touch => None,
    }
}

/// Checks without a trace first: most searches find nothing to show.
pub(super) fn check(program: &Program, budget: Budget) -> Verdict {
    let verdict = search(program, budget, false, Judge::default());
    if verdict.failure().is_none() {
        return verdict;
    }
    // Once more, for the trace; and in order, for the number of the failing execution, by which it
    // is replayed. It is there: workers report the fault that comes first in this order, but
    // together they may have got beyond what one may spend.
    let budget = Budget { workers: 1, executions: u64::MAX, ..budget };
    search(program, budget, true, Judge::default())
}

/// With a trace if it is to be shown, or told.
pub(super) fn search(program: &Program, budget: Budget, traced: bool, judge: Judge) -> Verdict {
    let body = {
        let body = program.over(Backend::Explorer);
        move || {
            // Here, and not before the search: its workers are OS threads of their own.
            explorer::start(traced);
            hook::quiet();
            body();
        }
    };
    let search =
        Search::new().model(Model::Rc11).max_executions(budget.executions).workers(budget.workers);
    let search = search.spurious_wakeups(program.spurious);
    let report = hook::quietly(|| search.observe(body, judge.clone()));
    trace::take();
    let report = match report {
        Ok(report) => report,
        Err(panic) => {
            return Verdict::Violated(super::failure(
                program,
                Some(&*panic),
                &[],
                0,
                Schedule::None,
            ));
        }
    };
    let executions = report.complete + report.blocked;
    let model = match report.blocked {
        0 => "RC11".to_owned(),
        blocked => format!("RC11, {blocked} of them blocked"),
    };
    let Some(failure) = report.failure else {
        if report.complete == 0 {
            return Verdict::Unsupported { reason: "no execution runs to its end".into() };
        }
        if !report.exhaustive {
            let sampled = format!("search stopped at its budget, {model}");
            return Verdict::Passed { runs: executions, seed: 0, sampled };
        }
        return Verdict::Exhausted(Bounds {
            threads: program.threads,
            operations: program.operations,
            executions,
            preemptions: None,
            model,
        });
    };
    let violation = explorer::reported(&failure.message).unwrap_or_else(|| {
        let kind = match failure.kind {
            FailureKind::DataRace => Kind::DataRace,
            FailureKind::Deadlock => Kind::Deadlock,
            FailureKind::Program if failure.message.contains("in one execution and goes on") => {
                Kind::StepBudget
            }
            _ => Kind::Internal,
        };
        Violation { kind, text: super::unnamed(kind, &failure.message).to_owned() }
    });
    let events = judge.failing.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let mut trace = render::columns(program, &events);
    if !failure.table.is_empty() {
        trace.push('\n');
        trace.push_str(&failure.table);
    }
    Verdict::Violated(Box::new(Failure {
        violation,
        execution: executions + 1,
        schedule: Schedule::Nth(executions + 1),
        trace,
        trace_hash: fnv(render::fingerprint(&events).as_bytes()),
    }))
}

/// The search is deterministic: the n-th execution is reached by visiting those before it.
pub(super) fn replay(program: &Program, n: u64) -> Verdict {
    let budget = Budget { executions: n + 1, ..Budget::default() };
    search(program, budget, true, Judge::default())
}
