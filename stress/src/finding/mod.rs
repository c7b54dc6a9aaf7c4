//! Findings: deduplicated failing verdicts with what a reader needs to believe and repeat them.

pub mod backtrace;
pub mod core_file;
pub mod reproduce;
pub mod store;

use crate::scenario::Scenario;
use crate::scenario::tuning::Tuning;
use crate::verdict::Kind;
use crate::verdict::grade::Grade;
use crate::verdict::sanitizer::Report;
use crate::vm::Facts;
use serde::{Deserialize, Serialize};

/// Version of `finding.json`; readers refuse a newer one.
pub const SCHEMA: u32 = 1;

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
    /// Whether the minimiser finished; a finding is saved before that.
    pub minimised: bool,
    /// How often the script hit, of how many runs of how many seconds at most; `None` before it was run.
    pub script: Option<Rate>,
    /// Verdicts merged into this finding.
    pub seen: u64,
    /// How the script differs from the usual one, where something else hit more often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuning: Option<Tuning>,
    /// The sanitizer's report, both stacks of it; `detail` is its signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Box<Report>>,
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

impl Rate {
    /// Time of all runs together, seconds: a run that hit ended with the hit.
    pub fn seconds(&self) -> f64 {
        f64::from(self.hits) * self.mean_seconds
            + f64::from(self.runs.saturating_sub(self.hits)) * self.limit_seconds
    }
}

impl Finding {
    /// What makes two verdicts the same finding: kind, subject, set of operations, innermost frames.
    /// The set, not the list: the same race with one operation twice is the same race.
    pub fn signature(&self) -> String {
        let mut operations = self.scenario.operations();
        operations.dedup();
        // Two accesses are one race whatever operations lead there.
        if self.kind == Kind::DataRace {
            return [self.kind.name(), &self.detail].join(" @ ");
        }
        let place = if self.kind.names_place() || self.report.is_some() {
            self.kind.place(&self.detail).to_owned()
        } else {
            self.frames.join(" < ")
        };
        [
            self.kind.name(),
            &self.subject,
            &operations.join(" || "),
            &place,
        ]
        .join(" @ ")
    }

    /// The id a finding with this signature has on this VM.
    pub fn make_id(&self) -> String {
        let mut operations = self.scenario.operations();
        operations.dedup();
        let mut what = match self.report {
            None if self.kind != Kind::Assertion => operations.join("\n"),
            _ => self.detail.clone(),
        };
        if self.kind == Kind::Panic {
            what = format!("{what}\n{}", self.kind.place(&self.detail));
        }
        let key = format!("{}\n{}\n{what}", self.facts.title(), self.facts.version);
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
        let dies = matches!(
            self.kind,
            Kind::Crash | Kind::Assertion | Kind::Fatal | Kind::ShutdownCrash
        );
        dies && self.script.is_some_and(|r| r.hits > 0)
    }

    /// The one line that a summary prints.
    pub fn line(&self) -> String {
        let rate = match &self.script {
            Some(r) if r.hits > 0 => format!(
                "script hits {}/{} in {:.1} s",
                r.hits, r.runs, r.mean_seconds
            ),
            Some(r) => format!(
                "script did not hit in {} runs of {:.0} s",
                r.runs, r.limit_seconds
            ),
            None => "script not yet run".to_owned(),
        };
        let tuned = self.tuning.as_ref();
        let tuned = tuned.map_or_else(String::new, |t| format!(", tuned: {t}"));
        format!(
            "{} {} [{}] {} — {}; {rate}{tuned}",
            self.kind, self.subject, self.grade, self.scenario, self.detail
        )
    }
}
