//! The three statements that a maintainer wants with every finding: what was run, how often it
//! failed, and why it must not.

use super::known;
use super::promise::{self, Promise};
use super::severity::Severity;
use crate::bugs::attribute::Attribution;
use crate::bytecode::Told;
use crate::finding::store::{StoreError, write_atomically};
use crate::finding::{Finding, Other};
use crate::program::stats;
use crate::verdict::Kind;
use crate::verdict::grade::Grade;
use serde::Serialize;
use std::path::Path;

/// The statements on a finding, and what follows from it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Statements {
    /// How bad it is.
    pub severity: Severity,
    /// What was run: VM, version, build, flags, scenario.
    pub ran: String,
    /// How often it failed.
    pub failed: String,
    /// Why it must not: the guarantee with its source.
    pub must_not: String,
    /// Whose fault it is, by the order of bytecodes that gives it or the lack of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The property of a protocol that it breaks, where a model has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promise: Option<Promise>,
    /// The known bug that its output shows.
    pub known_bug: Attribution,
}

/// Writes `statements.json` in a finding's folder: what a reader wants to know of it at once, as it
/// follows from the finding and what lies beside it.
///
/// # Errors
/// When it cannot be written.
pub fn write(folder: &Path, finding: &Finding) -> Result<(), StoreError> {
    let attribution = known::of(finding, &known::evidence(finding, folder));
    let statements = Statements::on(finding, attribution);
    let text = serde_json::to_string_pretty(&statements).expect("statements serialise");
    write_atomically(&folder.join("statements.json"), text.as_bytes())
}

impl Statements {
    /// On a finding whose output is attributed to this.
    pub fn on(finding: &Finding, attribution: Attribution) -> Self {
        Self {
            severity: Severity::of(finding),
            ran: ran(finding),
            failed: failed(finding),
            must_not: must_not(finding),
            owner: finding.bytecode.as_ref().map(Told::line),
            promise: promise::of(finding, &attribution),
            known_bug: attribution,
        }
    }

    /// The lines that a terminal shows, each with its heading.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![
            ("what was run", self.ran.clone()),
            ("how often it failed", self.failed.clone()),
            ("why it must not", self.must_not.clone()),
        ];
        if let Some(owner) = &self.owner {
            lines.push(("whose fault it is", owner.clone()));
        }
        if let Some(promise) = &self.promise {
            lines.push(("the model", promise.line()));
        }
        if let Some(bug) = known::line(&self.known_bug) {
            lines.push(("known bug", bug));
        }
        lines
    }
}

fn ran(finding: &Finding) -> String {
    let facts = &finding.facts;
    let gil = if facts.has_gil() { "GIL on" } else { "GIL off" };
    let mut text = format!("{} ({}), {gil}", facts.title(), facts.version);
    if !facts.build.is_empty() {
        text += &format!(", configured with {}", facts.build);
    }
    if !facts.sanitizers.is_empty() {
        text += &format!(", sanitizers: {}", facts.sanitizers.join(", "));
    }
    text += &format!(", as `{}`", finding.vm);
    if !facts.environment.is_empty() {
        text += &format!(" with {}", facts.environment.join(" "));
    }
    if let Some(tuning) = &finding.tuning {
        text += &format!(", script tuned: {tuning}");
    }
    text + &format!(
        "; {}; seed {}, scenario {} of {}",
        finding.scenario, finding.seed, finding.number, finding.subject
    )
}

/// Rates of the script, and of the hunt's own run where it counted.
fn failed(finding: &Finding) -> String {
    let mut parts = Vec::new();
    match &finding.script {
        // What shows it then is told in its place.
        None if finding.schedule.is_some() => {}
        None => parts.push("the script was not yet run".to_owned()),
        Some(rate) => {
            let (low, high) = stats::wilson(rate.hits, rate.runs);
            parts.push(format!(
                "the script hit in {} of {} runs of at most {:.0} s ({:.0} %, 95 % interval {:.0}–{:.0} %), {}",
                rate.hits,
                rate.runs,
                rate.limit_seconds,
                100.0 * f64::from(rate.hits) / f64::from(rate.runs.max(1)),
                100.0 * low,
                100.0 * high,
                per_minute(rate.hits, rate.seconds())
            ));
        }
    }
    match (&finding.schedule, &finding.no_schedule) {
        (Some(schedule), _) => parts.push(format!("under control: {}", schedule.line())),
        (None, Some(why)) => parts.push(format!("under control: {why}")),
        (None, None) => {}
    }
    if let Some((_, count)) = &finding.outcome {
        let all: u64 = finding.explained.iter().map(|(_, n)| n).sum::<u64>() + count;
        parts.push(format!(
            "{count} of {all} runs in the hunt gave the outcome"
        ));
    }
    let others = Other::line(&finding.others);
    if !others.is_empty() {
        parts.push(format!("{others}, no hits"));
    }
    parts.push(match finding.seen {
        0 | 1 => "seen once in the hunt".to_owned(),
        n => format!("seen {n} times in the hunt"),
    });
    parts.join("; ")
}

/// `12.3 hits a minute (4.1–30.2)`.
pub fn per_minute(hits: u32, seconds: f64) -> String {
    let minutes = seconds / 60.0;
    if minutes <= 0.0 {
        return "hits a minute unknown".to_owned();
    }
    let (low, high) = stats::poisson(hits, minutes);
    format!(
        "{:.1} hits a minute ({low:.1}–{high:.1})",
        f64::from(hits) / minutes
    )
}

fn must_not(finding: &Finding) -> String {
    let promised = matches!(finding.kind, Kind::Outcome | Kind::Exception);
    let source = match finding.facts.implementation.as_str() {
        _ if promised => finding.scenario.context.source.as_str(),
        "cpython" if finding.grade == Grade::Forbidden => {
            "docs.python.org howto/free-threading-python.html, Thread safety: that of the build with a GIL"
        }
        _ => "",
    };
    if source.is_empty() || finding.why.contains(source) {
        format!("{} ({})", finding.why, finding.grade)
    } else {
        format!("{} ({}; source: {source})", finding.why, finding.grade)
    }
}
