//! Findings: deduplicated failing verdicts with what a reader needs to believe and repeat them.

pub mod known;
pub mod reproduce;
pub mod script;
pub mod store;

use crate::bytecode::Told;
use crate::identity::{self, Failure, InFlight, Operations, Place};
use crate::program::Count;
use crate::scenario::Scenario;
use crate::scenario::tuning::Tuning;
use crate::verdict::grade::Grade;
use crate::verdict::sanitizer::Report;
use crate::verdict::standstill::computes;
use crate::verdict::{ALONE, Kind, Verdict};
use crate::vm::Facts;
use serde::{Deserialize, Serialize};

/// Version of `finding.json`; readers refuse a newer one.
pub const SCHEMA: u32 = 1;

/// Operations of a reproducer at most: among more it is seldom told which of them raced.
pub const MOST_OPERATIONS: usize = identity::SMALL;

/// A deduplicated failing verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Folder name and id: `list-crash-1f00ba12`.
    pub id: String,
    /// Kind of failure.
    pub kind: Kind,
    /// Whether it breaks a promise.
    pub grade: Grade,
    /// Why it must not be, with the source.
    pub why: String,
    /// What was seen, one line.
    pub detail: String,
    /// Subject.
    pub subject: String,
    /// Where it is: with the kind, what makes two findings one.
    #[serde(default, skip_serializing_if = "Place::is_unknown")]
    pub place: Place,
    /// Innermost frames of the crash, or the panicking source line.
    pub frames: Vec<String>,
    /// The scenario, minimised unless `minimised` is false.
    pub scenario: Scenario,
    /// The VM as the user named it, and what it is.
    pub vm: String,
    /// Facts of the VM.
    pub facts: Facts,
    /// Seed of the hunt and number of the scenario within its subject: `hunt --seed S --subject X --only K`.
    pub seed: u64,
    /// Number of the scenario within its subject.
    pub number: usize,
    /// Unexplained outcome and its count, where there is one.
    pub outcome: Option<(String, u64)>,
    /// Explained outcomes with their counts.
    pub explained: Vec<(String, u64)>,
    /// Whether it was seen again by itself, as this scenario; a finding is saved before that.
    pub minimised: bool,
    /// How often the script hit, of how many runs of how many seconds at most; `None` before it was run.
    pub script: Option<Rate>,
    /// The schedule that shows it under control, kept as `schedule.json` beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// Why it has none, where one was looked for or wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_schedule: Option<String>,
    /// Runs of the script that failed in another way: no hits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Other>,
    /// Verdicts merged into this finding.
    pub seen: u64,
    /// How the script differs from the usual one, where something else hit more often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuning: Option<Tuning>,
    /// The sanitizer's report, both stacks of it; `detail` is its signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Box<Report>>,
    /// Whether an order of bytecodes gives it, and so whose fault it is; of an outcome, exception or
    /// deadlock that was asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytecode: Option<Told>,
}

/// How often a script hit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Runs that hit.
    pub hits: u32,
    /// Runs.
    pub runs: u32,
    /// Time limit of one run.
    pub limit_seconds: f64,
    /// Mean time to a hit, over the runs that hit.
    pub mean_seconds: f64,
}

/// A schedule of a VM under control that shows a finding's failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The VM, as it was named.
    pub vm: String,
    /// Who chose.
    pub strategy: String,
    /// Schedules until then, of a search by itself.
    pub schedules: u32,
    /// Switches of it that were not as if nobody preempted anybody.
    pub switches: u32,
    /// Whether none of them can be left out.
    pub minimised: bool,
    /// Repetitions that were the same to the last event.
    pub same: u32,
    /// Repetitions.
    pub replays: u32,
}

impl Schedule {
    /// Whether every replay was the same.
    pub fn repeats(&self) -> bool {
        self.same == self.replays
    }

    /// `schedule of 4 switches (the 37th of Sticky) repeats 10 of 10`.
    pub fn line(&self) -> String {
        let Self {
            strategy,
            schedules,
            switches,
            same,
            replays,
            ..
        } = self;
        let s = if *switches == 1 { "" } else { "es" };
        format!(
            "schedule of {switches} switch{s}, found in {schedules} by {strategy}, repeats {same} of {replays}"
        )
    }
}

/// Another failure that runs of a script showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    /// The failure, in one line.
    pub failure: String,
    /// Runs that showed it.
    pub runs: u32,
}

impl Other {
    /// `1 other failure: crash …`, `3 other failures: …`; empty for none.
    pub fn line(others: &[Self]) -> String {
        let runs: u32 = others.iter().map(|o| o.runs).sum();
        if runs == 0 {
            return String::new();
        }
        let told: Vec<String> = others
            .iter()
            .map(|o| match o.runs {
                1 => o.failure.clone(),
                n => format!("{} ({n} times)", o.failure),
            })
            .collect();
        let s = if runs == 1 { "" } else { "s" };
        format!("{runs} other failure{s}: {}", told.join("; "))
    }
}

/// A script is rare that hits in a smaller part of its runs.
const RARE: f64 = 0.5;

impl Rate {
    /// Whether it hits too seldom to be of use, as where it never did.
    pub fn is_rare(&self) -> bool {
        self.hits == 0 || f64::from(self.hits) < RARE * f64::from(self.runs)
    }

    /// The rate of runs of at most `limit_seconds`.
    pub fn of(count: &Count, limit_seconds: f64) -> Self {
        Self {
            hits: count.hits,
            runs: count.runs,
            limit_seconds,
            mean_seconds: count.mean_to_hit(),
        }
    }

    /// Time of all runs together, seconds: a run that hit ended with the hit.
    pub fn seconds(&self) -> f64 {
        f64::from(self.hits) * self.mean_seconds
            + f64::from(self.runs.saturating_sub(self.hits)) * self.limit_seconds
    }
}

impl Finding {
    /// The failure that this is a finding of.
    pub fn failure(&self) -> Failure {
        if self.place != Place::default() {
            let mut place = self.place.clone();
            if matches!(self.kind, Kind::Hang | Kind::Deadlock) {
                // Written before it was kept.
                place.computes = place.computes.or_else(|| computes(&self.detail));
            }
            return Failure {
                kind: self.kind,
                place,
            };
        }
        // Written before places were kept: what else it says tells its place.
        let verdict = Verdict {
            kind: self.kind,
            detail: self.detail.clone(),
            outcome: None,
            count: 1,
            alone: self.detail.starts_with(ALONE),
            report: self.report.clone(),
        };
        let mut failure = Failure::in_scenario(&verdict, &self.scenario, &InFlight::default());
        failure.place.alone = failure.place.alone.filter(|alone| *alone);
        failure
    }

    /// The place of its failure, among the scenario's operations where it keeps none of its own: for who compares
    /// findings without asking [`same()`](identity::same()).
    pub fn whole_place(&self) -> Place {
        let mut place = self.failure().place;
        if place.operations.within.is_empty() {
            place.operations = Operations::of(&self.scenario);
        }
        place
    }

    /// The id a finding of this failure has on this VM.
    pub fn make_id(&self) -> String {
        let key = [
            &self.facts.title(),
            &self.facts.version,
            &self.failure().place.key(),
        ]
        .map(String::as_str)
        .join("\n");
        let safe: String = self
            .subject
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '.' || c == '_' {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        format!(
            "{safe}-{}-{:08x}",
            self.kind,
            crate::stable_hash(&key) as u32
        )
    }

    /// Whether a native backtrace tells more: its script makes the VM's own code die.
    pub fn wants_backtrace(&self) -> bool {
        self.failure().has_frames_to_find() && self.hits()
    }

    /// The finding, and why it has no schedule.
    #[must_use]
    pub fn without_schedule(self, why: String) -> Self {
        Self {
            no_schedule: Some(why),
            ..self
        }
    }

    /// Whether its script was seen to hit, at the finding's own place.
    pub fn hits(&self) -> bool {
        self.script.is_some_and(|rate| rate.hits > 0)
    }

    /// Whether it is *reproduced*: its script [`hits`](Self::hits) and has [`MOST_OPERATIONS`] at most. Only then is the
    /// script called a reproducer.
    pub fn is_reproduced(&self) -> bool {
        self.hits() && self.scenario.calls().count() <= MOST_OPERATIONS
    }

    /// The one line that a summary prints.
    pub fn line(&self) -> String {
        let schedule = match (&self.schedule, &self.no_schedule) {
            (Some(schedule), _) => Some(schedule.line()),
            (None, Some(why)) => Some(format!("under control: {}", clipped(why))),
            (None, None) => None,
        };
        let rate = match &self.script {
            Some(r) if r.hits > 0 => format!(
                "script hits {}/{} in {:.1} s",
                r.hits, r.runs, r.mean_seconds
            ),
            Some(r) => format!(
                "script did not hit in {} runs of {:.0} s",
                r.runs, r.limit_seconds
            ),
            None if schedule.is_some() => String::new(),
            None => "script not yet run".to_owned(),
        };
        let rate = match schedule {
            Some(told) if rate.is_empty() => told,
            Some(told) => format!("{rate}, {told}"),
            None => rate,
        };
        let others = Other::line(&self.others);
        let others = if others.is_empty() {
            others
        } else {
            format!(", {others}")
        };
        let tuned = self.tuning.as_ref();
        let tuned = tuned.map_or_else(String::new, |t| format!(", tuned: {t}"));
        format!(
            "{} {} [{}] {} — {}; {rate}{others}{tuned}",
            self.kind,
            self.subject,
            self.grade,
            self.scenario,
            clipped(&self.detail)
        )
    }
}

/// Characters of a detail that one line shows: an outcome may be a whole file's content.
const LONGEST: usize = 300;

/// The beginning of a long text, and how long it is.
fn clipped(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}… ({} characters)", &text[..at], text.chars().count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_the_beginning_of_a_long_detail_and_says_how_long_it_is() {
        let short = "no order gives ä".to_owned();
        assert_eq!(clipped(&short), short);
        let long = "ä".repeat(LONGEST + 5);
        let line = clipped(&long);
        assert_eq!(line.matches('ä').count(), LONGEST);
        assert!(line.ends_with("… (305 characters)"), "{line}");
    }
}
