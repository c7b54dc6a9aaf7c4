//! What is written down of a failing verdict: the finding, and the files beside it.

use super::settle::Case;
use super::{HuntError, Shared};
use crate::finding::{Finding, Rate, SCHEMA};
use crate::history::History;
use crate::scenario::Scenario;
use crate::verdict::{Verdict, waits};
use crate::vm::job::Log;

/// The finding that a verdict on a scenario is, before its script has run.
pub(super) fn finding(
    shared: &Shared<'_>,
    case: &Case<'_>,
    scenario: Scenario,
    verdict: &Verdict,
    history: &History,
) -> Finding {
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
    let mut finding = Finding {
        schema: SCHEMA,
        id: String::new(),
        kind: verdict.kind,
        grade: case.grade,
        why: case.why.clone(),
        detail: verdict.detail.clone(),
        subject: scenario.context.subject.clone(),
        frames: Vec::new(),
        scenario,
        vm: shared.vm.spec.clone(),
        facts: shared.vm.facts.clone(),
        seed: shared.options.seed,
        number: case.number,
        outcome: verdict.outcome.clone().map(|o| (o, verdict.count)),
        explained,
        minimised: false,
        script: None::<Rate>,
        seen: 1,
        tuning: None,
        report: verdict.report.clone(),
    };
    finding.id = finding.make_id();
    finding
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

/// What the process printed, and the backtrace of a hang; lines of absurd length are cut.
pub(super) fn raw_output(log: &Log) -> String {
    let Some(outcome) = &log.outcome else {
        return String::new();
    };
    let hang = outcome.hang.as_ref().map_or("", |h| h.backtrace.as_str());
    let text = format!(
        "{}\n--- stderr ---\n{}\n{hang}",
        outcome.stdout.join("\n"),
        outcome.stderr
    );
    let cut = |line: &str| line.chars().take(400).collect::<String>();
    ends_of(&text.lines().map(cut).collect::<Vec<_>>().join("\n"))
}

/// Every thread of a hung process; empty for other ends.
pub(super) fn threads(log: &Log) -> String {
    let hang = log.outcome.as_ref().and_then(|o| o.hang.as_ref());
    hang.map_or_else(String::new, |h| {
        waits::table(&waits::read(&h.backtrace, log.stderr()))
    })
}

/// Saves a finding as it was seen, with the raw output of the process.
pub(super) fn save(shared: &Shared<'_>, finding: &Finding, log: &Log) -> Result<(), HuntError> {
    let (script, raw, threads) = (finding.script_text(), raw_output(log), threads(log));
    let mut files = vec![
        ("repro.py", script.as_str()),
        ("raw-output.txt", raw.as_str()),
    ];
    if !threads.is_empty() {
        files.push(("backtrace.txt", threads.as_str()));
    }
    shared.lock().store.save(finding, &files)?;
    Ok(())
}
