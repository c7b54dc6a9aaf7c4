//! How often a finding's script hits, and what else it shows.

use super::Shared;
use super::budget::Budget;
use super::case::ends_of;
use crate::finding::{Finding, reproduce};
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
    let folder = tempfile::tempdir().map_err(VmError::Temp)?;
    let script = folder.path().join("repro.py");
    std::fs::write(&script, finding.script_text()).map_err(VmError::Temp)?;
    let (rate, attempts) = reproduce::rate(
        shared.vm,
        &script,
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
                attempt.outcome.stdout.join("\n"),
                attempt.outcome.stderr
            ))
        });
    if finding.kind == Kind::Panic {
        let frames = hit.map(|a| stack::panic_frames(&a.outcome.stderr));
        finding.frames = frames.into_iter().flatten().take(5).collect();
    }
    finding.others = reproduce::others(&attempts);
    // Interrupted before any run ended: nothing is known.
    finding.script = (rate.runs > 0).then_some(rate);
    Ok(Measured { finding, output })
}
