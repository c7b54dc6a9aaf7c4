//! A failing verdict on its way to a finding, with all that is kept of the process that showed it.

use super::Shared;
use super::process::Judged;
use crate::finding::script::looks;
use crate::finding::{Finding, SCHEMA};
use crate::history::History;
use crate::identity::Failure;
use crate::oracle::poison;
use crate::scenario::tuning::Tuning;
use crate::scenario::{Scenario, Shape};
use crate::verdict::grade::{Grade, grade};
use crate::verdict::{Kind, Verdict, waits};
use crate::vm::job::Log;

/// A failing verdict to settle.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub scenario: Scenario,
    pub number: usize,
    /// Larger than the user asked for: only what it is minimised to is a finding.
    pub storm: bool,
    pub judged: Judged,
    pub grade: Grade,
    pub why: String,
    /// It waits for the second time: none of its pairs showed it.
    pub put_back: bool,
    /// Set-ups of the subject.
    pub makes: Vec<String>,
    pub evidence: Evidence,
}

/// What the process showed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    /// Its output, and the backtrace of a hang.
    pub raw: String,
    /// Every thread of a hung process; empty for other ends.
    pub threads: String,
    /// Whether a hung process had threads that ran.
    pub spinning: bool,
}

impl Evidence {
    /// Of one process.
    pub fn of(log: &Log) -> Self {
        let Some(outcome) = &log.outcome else {
            return Self::default();
        };
        let hang = outcome.hang.as_ref();
        let backtrace = hang.map_or("", |h| h.backtrace.as_str());
        let text = format!(
            "{}\n--- stderr ---\n{}\n{backtrace}",
            outcome.stdout.join("\n"),
            outcome.stderr
        );
        // Lines of absurd length are cut.
        let cut = |line: &str| line.chars().take(400).collect::<String>();
        Self {
            raw: ends_of(&text.lines().map(cut).collect::<Vec<_>>().join("\n")),
            threads: hang.map_or_else(String::new, |h| {
                waits::table(&waits::read(&h.backtrace, log.stderr()))
            }),
            spinning: hang.is_some_and(|h| h.running > 0),
        }
    }

    /// The files that it becomes beside a finding.
    pub fn files(&self) -> Vec<(&'static str, &str)> {
        let mut files = vec![("raw-output.txt", self.raw.as_str())];
        if !self.threads.is_empty() {
            files.push(("backtrace.txt", &self.threads));
        }
        files
    }
}

impl Case {
    /// Name of the subject.
    pub fn subject(&self) -> &str {
        &self.scenario.context.subject
    }

    /// What failed.
    pub fn failure(&self) -> &Failure {
        &self.judged.failure
    }

    /// What else a run of a scenario made from this case showed, as a case; `None` unless it breaks a
    /// promise.
    pub fn another(
        &self,
        shared: &Shared<'_>,
        scenario: &Scenario,
        judged: Judged,
        log: &Log,
    ) -> Option<Self> {
        let (grade, why) = grade(&judged.verdict, scenario, shared.vm.no_promise());
        (grade == Grade::Forbidden).then(|| Self {
            scenario: scenario.clone(),
            storm: shared.options.limits.exceeded_by(scenario),
            judged,
            grade,
            why,
            put_back: false,
            evidence: Evidence::of(log),
            ..self.clone()
        })
    }

    /// The finding as it was seen, before anything was minimised.
    pub fn raw(&self, shared: &Shared<'_>) -> Finding {
        let Judged {
            verdict, history, ..
        } = &self.judged;
        self.finding(shared, &self.scenario, verdict, history, self.failure())
    }

    /// The finding that a verdict on a scenario is, before its script has run.
    pub fn finding(
        &self,
        shared: &Shared<'_>,
        scenario: &Scenario,
        verdict: &Verdict,
        history: &History,
        failure: &Failure,
    ) -> Finding {
        let mut finding = Finding {
            schema: SCHEMA,
            id: String::new(),
            kind: failure.kind,
            grade: self.grade,
            why: self.why.clone(),
            detail: verdict.detail.clone(),
            subject: self.subject().to_owned(),
            place: failure.place.clone(),
            frames: Vec::new(),
            scenario: scenario.clone(),
            vm: shared.vm.spec.clone(),
            facts: shared.vm.facts.clone(),
            seed: shared.options.seed,
            number: self.number,
            outcome: verdict.outcome.clone().map(|o| (o, verdict.count)),
            explained: explained(history),
            minimised: false,
            script: None,
            schedule: None,
            no_schedule: None,
            others: Vec::new(),
            seen: 1,
            tuning: tuning(shared, scenario, failure),
            report: verdict.report.clone(),
            bytecode: None,
        };
        finding.id = finding.make_id();
        finding
    }
}

/// How a script differs from the usual one from the beginning: poison where memory was read that nobody wrote; and
/// what died in no operation, though the VM tells such, may have died of a look at what they gave.
fn tuning(shared: &Shared<'_>, scenario: &Scenario, failure: &Failure) -> Option<Tuning> {
    if failure.kind == Kind::Uninitialised {
        return Some(poison::tuning());
    }
    let shape = scenario.shapes.first().copied().unwrap_or(Shape::Stride);
    let untold = shared.vm.facts.implementation == "cpython"
        && failure.has_frames_to_find()
        && failure.place.operations.at.is_none();
    (untold && looks(shape, failure.kind)).then(|| Tuning {
        look: true,
        ..Tuning::default()
    })
}

/// The outcomes that some order gives, with their counts in the race.
fn explained(history: &History) -> Vec<(String, u64)> {
    let mut explained: Vec<(String, u64)> = history
        .outcomes
        .iter()
        .filter(|(o, _)| history.sequential.contains(o))
        .cloned()
        .collect();
    for outcome in &history.sequential {
        if !explained.iter().any(|(o, _)| o == outcome) {
            explained.push((outcome.clone(), 0));
        }
    }
    explained
}

/// Bytes of output kept of each end of a text.
const END: usize = 32 << 10;

/// The beginning and the end of a text: a store of many findings must not fill a disk.
pub(super) fn ends_of(text: &str) -> String {
    if text.len() <= 2 * END {
        return text.to_owned();
    }
    let (head, tail) = (
        text.floor_char_boundary(END),
        text.ceil_char_boundary(text.len() - END),
    );
    format!(
        "{}\n… {} bytes left out …\n{}",
        &text[..head],
        tail - head,
        &text[tail..]
    )
}
