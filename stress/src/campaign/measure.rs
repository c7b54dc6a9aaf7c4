//! How often a finding's script hits: measured, and kept with the finding.

use super::budget::Budget;
use super::record::ends_of;
use super::{HuntError, Shared};
use crate::finding::{Finding, reproduce};
use crate::verdict::{Kind, stack};

/// Runs the script of a finding, saves what it shows, and asks for the backtrace of a crash.
pub(super) fn measure(
    shared: &Shared<'_>,
    small: &mut Finding,
    budget: &Budget,
    seen: &[(&str, &str)],
) -> Result<(), HuntError> {
    shared
        .lock()
        .store
        .save(small, &[("repro.py", &small.script_text())])?;
    let script = shared.lock().store.folder(&small.id).join("repro.py");
    let mut output = String::new();
    if !shared.over() {
        let (rate, attempts) = reproduce::rate(
            shared.vm,
            &script,
            &*small,
            budget.script_runs,
            budget.script_seconds,
            true,
        )?;
        if let Some(attempt) = attempts.iter().find(|a| a.hit).or(attempts.first()) {
            output = ends_of(&format!(
                "{}\n--- stderr ---\n{}",
                attempt.outcome.stdout.join("\n"),
                attempt.outcome.stderr
            ));
        }
        if small.kind == Kind::Panic {
            let hit = attempts.iter().find(|a| a.hit);
            let frames = hit.map(|a| stack::panic_frames(&a.outcome.stderr));
            small.frames = frames.into_iter().flatten().take(5).collect();
        }
        // Interrupted before any run ended: nothing is known.
        small.script = (rate.runs > 0).then_some(rate);
    }
    let mut files = vec![("output.txt", output.as_str())];
    files.extend(seen.iter().filter(|(_, text)| !text.is_empty()));
    let report = small.report.as_ref().map(|r| r.text(usize::MAX));
    files.extend(report.as_deref().map(|text| ("report.txt", text)));
    let mut inner = shared.lock();
    inner.store.save(small, &files)?;
    if small.wants_backtrace() {
        inner.untraced.push_back(small.id.clone());
    }
    Ok(())
}
