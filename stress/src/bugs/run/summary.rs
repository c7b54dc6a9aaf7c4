//! What the runs of a bug came to: a line for the reader, a measurement for the bug's file.

use super::Attempt;
use crate::bugs::{Bug, Measured, Status};
use crate::program::{Count, Ended, Told};
use crate::vm::Vm;
use serde::Serialize;

/// What the runs of a bug came to.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The bug.
    pub id: String,
    /// [`Bug::identity`].
    #[serde(skip)]
    pub program: String,
    /// VM, as [`Facts::title`](crate::vm::Facts::title) says.
    pub vm: String,
    /// What they say, beside what was measured on other VMs.
    pub status: Status,
    /// Runs, those that ended in the bug's signature, and those that failed in another way.
    #[serde(flatten)]
    pub count: Count,
    /// What the first hit looked like, or what the VM lacks.
    pub seen: String,
    /// What the first failure of another kind looked like.
    pub otherwise: String,
    /// Pairs of the signature that runs showed, each once.
    #[serde(skip)]
    pub races: Vec<[String; 2]>,
    /// A run that failed by itself: the program or the VM is unfit, and nothing is known.
    pub broken: Option<String>,
    /// It did not fail by itself: somebody else ended it.
    pub outside: bool,
    /// The user stopped it.
    pub interrupted: bool,
}

impl Summary {
    /// That of no run.
    pub(super) fn new(bug: &Bug, vm: &Vm) -> Self {
        Self {
            id: bug.id(),
            program: bug.identity(),
            vm: vm.facts.title(),
            status: Status::NotReproduced,
            count: Count::default(),
            seen: String::new(),
            otherwise: String::new(),
            races: Vec::new(),
            broken: None,
            outside: false,
            interrupted: false,
        }
    }

    /// Adds a run, which is this to the bug.
    pub(super) fn add(&mut self, attempt: &Attempt, told: &Told) {
        self.count.add(told, attempt.run.took);
        let new = attempt
            .races
            .iter()
            .filter(|pair| !self.races.contains(pair));
        let new: Vec<_> = new.cloned().collect();
        self.races.extend(new);
        let first = match (told, &attempt.run.ended) {
            (Told::Hit, _) => &mut self.seen,
            (Told::Other, _) => &mut self.otherwise,
            (Told::Clean, _) => return,
            (Told::Interrupted, _) => return self.interrupted = true,
            (Told::Unfit(why), Ended::Skip(_)) => {
                self.status = Status::NotApplicable;
                return self.seen.clone_from(why);
            }
            (Told::Unfit(why) | Told::Outside(why), _) => {
                self.outside = matches!(told, Told::Outside(_));
                return self.broken = Some(why.clone());
            }
        };
        if first.is_empty() {
            *first = attempt.line();
        }
    }

    /// The measurement for the bug's file.
    pub fn measured(&self) -> Measured {
        let round = |x: f64| (x * 100.0).round() / 100.0;
        let cut = |text: &str| text.chars().take(160).collect();
        Measured {
            vm: self.vm.clone(),
            status: self.status,
            hits: self.count.hits,
            others: self.count.others,
            runs: self.count.runs,
            seconds: round(self.count.seconds),
            program: self.program.clone(),
            first_hit: round(self.count.mean_to_hit()),
            seen: cut(&self.seen),
            otherwise: cut(&self.otherwise),
            races: self.races.clone(),
        }
    }

    /// The line that says what came out.
    pub fn line(&self) -> String {
        if let Some(why) = &self.broken {
            return format!("nothing is known: {why}");
        }
        let others = match self.count.others {
            0 => String::new(),
            1 => format!("; 1 other failure: {}", self.otherwise),
            n => format!("; {n} other failures, the first: {}", self.otherwise),
        };
        if self.count.runs == 0 && self.status != Status::NotApplicable {
            return "nothing is known: no run came to its end".to_owned();
        }
        match self.status {
            Status::NotApplicable => format!("not applicable: {}", self.seen),
            Status::Reproduced => format!(
                "reproduced: {} of {} runs hit in {:.1} s (share {:.0}–{:.0} %), {:.1} hits a minute ({:.1}–{:.1}); {}{others}",
                self.count.hits,
                self.count.runs,
                self.count.seconds,
                self.count.share.0 * 100.0,
                self.count.share.1 * 100.0,
                self.count.per_minute,
                self.count.per_minute_interval.0,
                self.count.per_minute_interval.1,
                self.seen
            ),
            Status::ReproducedOtherwise => format!(
                "failed, but not in its signature, in {} runs, {:.1} s{others}",
                self.count.runs, self.count.seconds
            ),
            _ => format!(
                "not reproduced in {} runs, {:.1} s (at most {:.1} hits a minute){}",
                self.count.runs,
                self.count.seconds,
                self.count.per_minute_interval.1,
                match self.status {
                    Status::Fixed =>
                        "; the reports say this version has the fix, and the program showed it elsewhere",
                    Status::Unproven =>
                        "; the reports say this version has the fix, and the program never showed it anywhere",
                    _ => "",
                }
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_run_says_nothing() {
        let summary = Summary {
            id: String::new(),
            program: String::new(),
            vm: String::new(),
            status: Status::NotReproduced,
            count: Count::default(),
            seen: String::new(),
            otherwise: String::new(),
            races: Vec::new(),
            broken: None,
            outside: false,
            interrupted: true,
        };
        assert_eq!(summary.line(), "nothing is known: no run came to its end");
        // JSON has no infinity: the rate is unbounded.
        let json = serde_json::to_value(&summary).unwrap();
        assert!(json["per_minute_interval"][1].is_null(), "{json}");
    }
}
