//! How often a finding's script hits, and what else it shows.

use super::Shared;
use super::budget::Budget;
use super::case::ends_of;
use crate::finding::{Finding, reproduce};
use crate::program::File;
use crate::verdict::grade::seen_once;
use crate::verdict::{Kind, stack};
use crate::vm::VmError;

/// A finding whose script has run.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub finding: Finding,
    /// What a run printed, of one that hit where there is one; empty when none has run.
    pub output: String,
}

/// Runs the script of a finding, unless the hunt is over.
pub(super) fn measure(
    shared: &Shared<'_>,
    mut finding: Finding,
    budget: &Budget,
) -> Result<Measured, VmError> {
    if shared.over() {
        return Ok(Measured {
            finding,
            output: String::new(),
        });
    }
    let script = File::new("repro", &finding.script_text())?;
    let (rate, attempts) = reproduce::rate(
        shared.vm,
        script.path(),
        &finding,
        budget.script_runs,
        budget.script_seconds,
        true,
    )?;
    let hit = attempts.iter().find(|a| a.hit());
    let output = hit
        .or(attempts.first())
        .map_or_else(String::new, |attempt| {
            ends_of(&format!(
                "{}\n--- stderr ---\n{}",
                attempt.run.outcome.stdout.join("\n"),
                attempt.run.outcome.stderr
            ))
        });
    if finding.kind == Kind::Panic {
        let frames = hit.map(|a| stack::panic_frames(&a.run.outcome.stderr));
        finding.frames = frames.into_iter().flatten().take(5).collect();
    }
    finding.others = reproduce::others(&attempts);
    // Interrupted before any run ended: nothing is known.
    finding.script = (rate.runs > 0).then_some(rate);
    let (kind, grade) = (finding.kind, finding.grade);
    if let Some(doubt) = seen_once(kind, grade, finding.minimised, rate.hits, rate.runs) {
        (finding.grade, finding.why) = doubt;
    }
    Ok(Measured { finding, output })
}
