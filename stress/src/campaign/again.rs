//! A saved hunt judged again, without any VM: what another oracle makes of it.

use super::archive::{Recorded, Saved};
use super::process::Judged;
use crate::scenario::Scenario;
use crate::verdict::grade::grade;
use crate::vm::job::Log;

/// Gives the verdicts on a process: [`super::process::judge`], or a changed one to compare with.
pub type Judge<'a> = dyn Fn(&Log, &[Scenario]) -> Vec<Judged> + 'a;

/// What differs from the verdicts of the hunt.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Position of the scenario in the job.
    pub scenario: usize,
    /// The verdict of the hunt; `None`: there was none.
    pub was: Option<Recorded>,
    /// The verdict now; `None`: there is none.
    pub now: Option<Recorded>,
}

/// A process judged again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Again {
    /// Verdicts that are the same.
    pub same: usize,
    /// The others.
    pub differences: Vec<Difference>,
}

/// The verdicts on a process with their grades. Suppressions do not matter: they decide what is
/// told, not what is.
pub fn verdicts(
    judge: &Judge<'_>,
    log: &Log,
    scenarios: &[Scenario],
    no_promise: Option<&str>,
) -> Vec<Recorded> {
    let graded = |judged: Judged| {
        let scenario = scenarios.get(judged.index)?;
        Some(Recorded {
            scenario: judged.index,
            grade: grade(&judged.verdict, scenario, no_promise).0,
            verdict: judged.verdict,
        })
    };
    let judged = judge(log, scenarios);
    judged.into_iter().filter_map(graded).collect()
}

/// Judges a saved process again and compares.
pub fn again(saved: &Saved, judge: &Judge<'_>) -> Again {
    let log = Log::parse(saved.outcome.clone());
    let no_promise = crate::vm::no_promise(&saved.facts.implementation);
    let now = verdicts(judge, &log, &saved.scenarios, no_promise);
    compare(&saved.verdicts, now)
}

fn compare(was: &[Recorded], now: Vec<Recorded>) -> Again {
    let mut again = Again::default();
    let mut gone: Vec<Recorded> = was.to_vec();
    let mut new = Vec::new();
    for verdict in now {
        match gone.iter().position(|w| *w == verdict) {
            Some(i) => {
                gone.remove(i);
                again.same += 1;
            }
            None => new.push(verdict),
        }
    }
    // What is left of one scenario is paired, the same kind first.
    for now in new {
        let of = |same_kind: bool| {
            gone.iter().position(|w| {
                let kinds = w.verdict.kind == now.verdict.kind || !same_kind;
                w.scenario == now.scenario && kinds
            })
        };
        let was = of(true).or_else(|| of(false)).map(|i| gone.remove(i));
        again.differences.push(Difference {
            scenario: now.scenario,
            was,
            now: Some(now),
        });
    }
    let left = gone.into_iter().map(|was| Difference {
        scenario: was.scenario,
        was: Some(was),
        now: None,
    });
    again.differences.extend(left);
    again.differences.sort_by_key(|d| d.scenario);
    again
}

impl Recorded {
    /// `crash [forbidden] SIGSEGV`.
    pub fn line(&self) -> String {
        let times = match self.verdict.count {
            0 | 1 => String::new(),
            n => format!(" ({n} times)"),
        };
        let (kind, grade) = (self.verdict.kind, self.grade);
        format!("{kind} [{grade}] {}{times}", self.verdict.detail)
    }
}
