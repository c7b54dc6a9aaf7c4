//! Keeping a failure: `OUT/probes/ID` with the program, its output, its stacks, and how to repeat it.

use super::Probe;
use super::run::Attempt;
use crate::finding::store::{StoreError, write_atomically};
use crate::verdict::Kind;
use crate::vm::{Vm, debugger};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Version of `failure.json`.
pub const SCHEMA: &str = "threadbare.probe-failure/1";

/// Saves a failed run, unless one of this probe, VM and kind is there already. Returns its
/// folder, and whether it is new.
///
/// # Errors
/// When the folder cannot be written.
///
/// # Panics
/// Never: what is written are texts and numbers.
pub fn save(
    out: &Path,
    vm: &Vm,
    probe: &Probe,
    run: &Attempt,
    kind: Kind,
) -> Result<(PathBuf, bool), StoreError> {
    let name = vm.facts.title();
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || c == '.' {
            c
        } else {
            '-'
        }
    };
    let id: String = format!("{} {name} {kind}", probe.name)
        .chars()
        .map(plain)
        .collect();
    let folder = out.join("probes").join(id);
    // Written last: a folder without it was left by somebody who was interrupted.
    let record = folder.join("failure.json");
    if record.is_file() {
        return Ok((folder, false));
    }
    std::fs::create_dir_all(&folder).map_err(|source| StoreError::Write {
        path: folder.clone(),
        source,
    })?;
    let script = folder.join("probe.py");
    write_atomically(&script, probe.program.as_bytes())?;
    let output = format!(
        "{}\n{}",
        run.run.outcome.stdout.join("\n"),
        run.run.outcome.stderr
    );
    write_atomically(&folder.join("output.txt"), output.as_bytes())?;
    if let Some(stacks) = stacks(vm, &script, run, kind) {
        write_atomically(&folder.join("backtrace.txt"), stacks.as_bytes())?;
    }
    let text = serde_json::json!({
        "schema": SCHEMA,
        "probe": probe.name,
        "properties": probe.properties,
        "vm": name,
        "kind": kind,
        "seen": run.run.ended.line(),
        "seed": run.seed,
        "seconds": run.limit.as_secs_f64(),
        "outside": vm.no_promise(),
        "replay": run.command(probe, vm),
        "plain": format!("{} probe.py {} {}", vm.shell(), run.limit.as_secs_f64(), run.seed),
    });
    let text = serde_json::to_string_pretty(&text).expect("texts and numbers serialise");
    write_atomically(&record, text.as_bytes())?;
    Ok((folder, true))
}

/// Native stacks: those of the hung process, or of another crash under a debugger.
fn stacks(vm: &Vm, script: &Path, run: &Attempt, kind: Kind) -> Option<String> {
    if let Some(autopsy) = &run.run.outcome.hang {
        return (!autopsy.backtrace.is_empty()).then(|| autopsy.backtrace.clone());
    }
    if !matches!(kind, Kind::Crash | Kind::Assertion | Kind::Fatal) || !debugger::available() {
        return None;
    }
    let seconds = run.limit.as_secs().max(1) * 2;
    debugger::within(vm, script, seconds, Duration::from_secs(seconds + 20))
}
