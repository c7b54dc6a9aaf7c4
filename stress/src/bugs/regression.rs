//! What is marked, checked anew: a bug marked fixed must not come back, one marked reproducible must show,
//! each by its signature. A mark that was never shown to be one that can fail (unproven, reproduced
//! otherwise) is not checked, and so never counted as passed.
//!
//! A race is a matter of chance and of the machine's load, so neither is said after one look: what does
//! not show gets a longer time, and what comes back must come twice.

use super::run::{self, Attempt, Plan, Summary};
use super::{Bug, Measured, Status};
use crate::program::stats;
use crate::vm::{Vm, VmError};
use serde::Serialize;
use std::time::Duration;

/// How much time a check takes.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// For what is marked reproducible; it ends at the first hit.
    pub reproducible: Duration,
    /// For what is marked fixed: no time would prove it absent, so it is a look.
    pub fixed: Duration,
    /// Time of one run.
    pub run: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            reproducible: Duration::from_secs(90),
            fixed: Duration::from_secs(5),
            run: Duration::from_secs(10),
        }
    }
}

/// How many times longer the second try of a check is.
const LONGER: u32 = 3;

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", content = "why", rename_all = "kebab-case")]
pub enum Verdict {
    /// As marked.
    Holds,
    /// Not as marked.
    Regressed(String),
    /// One hit of a bug marked fixed and no second one, or a failure that is another one.
    Unsure(String),
    /// This build of the VM lacks what the program needs, or somebody else ended it: nothing is known.
    Skipped(String),
    /// The user stopped it.
    Interrupted,
}

/// Whether a mark is one that can be checked.
pub fn checkable(marked: Option<Status>) -> bool {
    matches!(marked, Some(Status::Reproduced | Status::Fixed))
}

/// Checks a mark, which is [`checkable`]. `each` sees every run.
///
/// # Errors
/// When the VM cannot be started.
pub fn check(
    vm: &Vm,
    bug: &Bug,
    marked: Status,
    budget: Budget,
    mut each: impl FnMut(&Attempt),
) -> Result<(Verdict, Summary), VmError> {
    let fixed = marked == Status::Fixed;
    let plan = Plan {
        total: if fixed {
            budget.fixed
        } else {
            budget.reproducible
        },
        run: budget.run,
        hits: 1,
    };
    let mut summary = run::reproduce(vm, bug, plan, &mut each)?;
    if summary.broken.is_some() {
        run::go_on(vm, bug, plan, &mut summary, &mut each)?;
    }
    // What came back is looked for as long as what should show.
    let (again, total) = match (fixed, summary.count.hits > 0) {
        (true, hit) => (hit, budget.reproducible),
        (false, hit) => (!hit, budget.reproducible * LONGER),
    };
    let sound = summary.broken.is_none() && summary.status != Status::NotApplicable;
    if again && sound && !summary.interrupted {
        run::go_on(vm, bug, Plan { total, ..plan }, &mut summary, &mut each)?;
    }
    Ok((verdict(bug, fixed, &summary), summary))
}

fn verdict(bug: &Bug, fixed: bool, summary: &Summary) -> Verdict {
    let (id, line) = (bug.id(), summary.line());
    if summary.interrupted {
        return Verdict::Interrupted;
    }
    if summary.broken.is_some() {
        let why = format!("{id}: {line}");
        return match summary.outside {
            true => Verdict::Skipped(why),
            false => Verdict::Regressed(why),
        };
    }
    match (fixed, summary.count.hits) {
        _ if summary.status == Status::NotApplicable => Verdict::Skipped(format!("{id}: {line}")),
        (true, 0) if summary.count.others > 0 => {
            Verdict::Unsure(format!("{id} is marked fixed and fails otherwise: {line}"))
        }
        (true, 0) => Verdict::Holds,
        (true, 1) => Verdict::Unsure(format!("{id} is marked fixed and was seen once: {line}")),
        (true, _) => Verdict::Regressed(format!("{id} is marked fixed and is back: {line}")),
        (false, 0) => Verdict::Regressed(format!("{id} is marked reproducible: {line}")),
        (false, _) => Verdict::Holds,
    }
}

/// Fewest hits from which a rate is believed, and the largest chance that a bug of the short
/// run is missed in its first try.
const HITS: u32 = 5;
const MISSED: f64 = 1e-3;

/// The short run: of every category the two bugs that were quickest to show on this VM, and one
/// marked fixed. A bug takes part only if it would hardly ever be missed, at the lowest rate that
/// its measurement allows.
pub fn quick(all: &[Bug], vm: &str) -> Vec<String> {
    let mut marked: Vec<(&Bug, &Measured)> = all
        .iter()
        .filter_map(|b| Some((b, b.measured_on(vm)?)))
        .collect();
    let mean = |m: &Measured| m.seconds / f64::from(m.hits.max(1));
    marked.sort_by(|a, b| mean(a.1).total_cmp(&mean(b.1)));
    let time = Budget::default().reproducible.as_secs_f64();
    let mut taken: Vec<(&str, Status)> = Vec::new();
    let mut chosen = Vec::new();
    for (bug, m) in marked {
        let steady = m.hits >= HITS && stats::missed(m.hits, m.seconds, time) <= MISSED;
        let most = match m.status {
            Status::Reproduced if steady => 2,
            Status::Fixed => 1,
            _ => 0,
        };
        let key = (bug.category.as_str(), m.status);
        if taken.iter().filter(|t| **t == key).count() < most {
            taken.push(key);
            chosen.push(bug.stem.clone());
        }
    }
    chosen
}
