//! A hunt's canary: a race that every VM without a GIL has, hunted first by the same pipeline.
//!
//! It is a subject like any other, only that its operation is *declared* atomic and is not, so that
//! the lost update must go all the way: raced, unexplained, graded, minimised, merged with its second
//! sighting, its script run and seen to hit. A hunt that finds nothing after that is not one in which
//! nothing raced, and not one whose minimiser or store is broken.

use super::{HuntError, Options, hunt};
use crate::finding::Finding;
use crate::scenario::generate::Limits;
use crate::subject::parse;
use crate::verdict::Kind;
use crate::verdict::grade::Grade;
use crate::vm::Vm;
use crate::vm::child::interrupted;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Two increments, each a read and a write: where threads run at once one of them gets lost.
const LOST_UPDATE: &str = r#"
[[subject]]
name = "canary"
doc = "two increments of one number, declared atomic to see whether a hunt finds out"
make = ["[0]"]
final = "o[0]"
shapes = "t"
atomic = ["do: o[0] = o[0] + 1"]
source = "planted: a read and a write are two steps"
"#;

/// Scenarios of one try: the second sighting must be merged with the first.
const SCENARIOS: usize = 2;

/// A busy machine may keep threads from overlapping for a while.
const TRIES: u64 = 3;

/// What became of the canary.
#[derive(Clone, Debug)]
pub struct Canary {
    /// Fresh objects that both threads incremented.
    pub runs: u64,
    /// Folder of its own, beside that of the findings.
    pub out: PathBuf,
    /// The finding that it must end as, or why there is none.
    pub found: Result<Box<Finding>, String>,
}

/// The canary's folder in the output folder of a hunt.
pub fn folder(out: &Path) -> PathBuf {
    out.join("canary")
}

/// Hunts the canary in `OUT/canary/`, whatever an earlier hunt left there.
///
/// # Errors
/// When the VM cannot be started or the folder cannot be written.
pub fn sing(vm: &Vm, options: &Options) -> Result<Canary, HuntError> {
    let out = folder(&options.out);
    let mut canary = Canary {
        runs: 0,
        out: out.clone(),
        found: Err("it was interrupted".to_owned()),
    };
    for again in 0..TRIES {
        if interrupted() {
            break;
        }
        // What an earlier hunt left says nothing about this one.
        if out.join("hunt.json").exists() {
            let _ = std::fs::remove_dir_all(&out);
        }
        let report = hunt(vm, &own_options(options, out.clone(), again), &|_| ())?;
        if let Some(error) = report.error {
            return Err(error);
        }
        canary.runs = report.state.sum(|t| t.runs);
        canary.found = judge(report.state.sum(|t| t.runs), report.findings);
        if canary.found.is_ok() {
            break;
        }
    }
    Ok(canary)
}

fn own_options(options: &Options, out: PathBuf, again: u64) -> Options {
    Options {
        subjects: parse("the canary", LOST_UPDATE).expect("the canary parses"),
        seed: options.seed.wrapping_add(again),
        time: Some(Duration::from_secs(20)),
        iterations: Some(SCENARIOS as u64),
        jobs: 1,
        out,
        limits: Limits { threads: 2, ops: 2 },
        scenario_ms: 250,
        batch: SCENARIOS,
        sequential: false,
        only: None,
        keep: options.keep,
        suppressions: Vec::new(),
        histories: options.histories,
    }
}

/// Whether the canary's findings are the one that they must be; else why not.
fn judge(runs: u64, mut findings: Vec<Finding>) -> Result<Box<Finding>, String> {
    let lost = findings.iter().position(|f| f.kind == Kind::Outcome);
    let Some(lost) = lost else {
        return Err(format!(
            "of {runs} pairs of increments of one number by two threads none was seen to get lost: the threads hardly \
             run at once (a busy machine, one processor, a GIL?)"
        ));
    };
    if findings.len() > 1 {
        return Err(format!(
            "{} findings were made of one lost update: the same is not told from another",
            findings.len()
        ));
    }
    let finding = findings.swap_remove(lost);
    let calls = finding.scenario.calls().count();
    if !matches!(finding.grade, Grade::Forbidden | Grade::OutsidePromise) {
        return Err(format!("it is graded {}, and was forbidden", finding.grade));
    }
    if !finding.minimised || calls > 2 {
        return Err(format!(
            "it was lost, and not minimised to its two operations: {}",
            finding.scenario
        ));
    }
    if finding.script.is_none_or(|rate| rate.hits == 0) {
        return Err("it was lost and minimised, and its script did not hit".to_owned());
    }
    Ok(Box::new(finding))
}
