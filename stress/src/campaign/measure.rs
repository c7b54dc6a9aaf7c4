//! How often a finding's script hits, and what else it shows.

use super::budget::Budget;
use super::case::ends_of;
use super::{HuntError, Shared};
use crate::finding::{Finding, reproduce};
use crate::program::File;
use crate::verdict::grade::seen_once;
use crate::verdict::{Kind, stack};
use crate::vm::debugger::core_file;
use std::path::PathBuf;

/// The core of a script's crash, in a folder that goes with this value.
#[derive(Debug)]
pub(crate) struct Core {
    pub path: PathBuf,
    _folder: File,
}

/// A finding whose script has run.
#[derive(Debug)]
pub(super) struct Measured {
    pub finding: Finding,
    /// What a run printed, of one that hit where there is one; empty when none has run.
    pub output: String,
    /// What a hit that was a crash left, where the machine keeps it.
    pub core: Option<Core>,
    /// Files of its schedule, where there is one.
    pub files: Vec<(&'static str, String)>,
}

impl Measured {
    /// A finding of which nothing has run.
    pub fn not_yet(finding: Finding) -> Self {
        Self {
            finding,
            output: String::new(),
            core: None,
            files: Vec::new(),
        }
    }
}

/// Runs the script of a finding, unless the hunt is over.
pub(super) fn measure(
    shared: &Shared<'_>,
    mut finding: Finding,
    budget: &Budget,
) -> Result<Measured, HuntError> {
    if shared.over() {
        return Ok(Measured::not_yet(finding));
    }
    let script = File::new("repro", &finding.script_text())?;
    let frames = finding.failure().has_frames_to_find() && core_file::usable().is_ok();
    let (rate, attempts) = reproduce::rate(
        shared.vm,
        script.path(),
        &finding,
        budget.script_runs,
        budget.script_seconds,
        true,
        frames.then(|| reproduce::Cores::First(script.folder())),
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
    let path = attempts.iter().find_map(|a| a.core.clone());
    let core = path.map(|path| Core {
        path,
        _folder: script,
    });
    Ok(Measured {
        finding,
        output,
        core,
        files: Vec::new(),
    })
}
