//! A hunt's canary: a race that every VM without a GIL has, hunted first by the same pipeline.
//!
//! It is a subject like any other, only that its operation is *declared* atomic and is not, so that
//! the lost update must go all the way: raced, unexplained, graded, minimised, merged with its second
//! sighting, its script run and seen to hit. A hunt that finds nothing after that is not one in which
//! nothing raced, and not one whose minimiser or store is broken. On a build with the thread sanitizer,
//! where a hunt is for reports, it is two plain writes of one byte, which must go the same way as a report.

use super::shard::Shard;
use super::{HuntError, Options, hunt};
use crate::finding::{Finding, Schedule};
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

/// A memoryview writes into the memory of another object, whose lock it does not take.
const UNORDERED_WRITES: &str = r#"
[[subject]]
name = "canary"
doc = "two writes of one byte, which only a sanitizer sees"
make = ["memoryview(bytearray(1))"]
final = "o[0]"
shapes = "t"
silent = ["do: o[0] = 1"]
source = "planted: two plain writes without order"
"#;

/// What is planted on a VM, and as what it must end.
#[derive(Clone, Copy, Debug)]
struct Planted {
    subject: &'static str,
    kind: Kind,
}

impl Planted {
    fn into(vm: &Vm) -> Self {
        if vm.facts.sanitized("thread") {
            return Self {
                subject: UNORDERED_WRITES,
                kind: Kind::DataRace,
            };
        }
        Self {
            subject: LOST_UPDATE,
            kind: Kind::Outcome,
        }
    }

    fn missed(self, runs: u64) -> String {
        match self.kind {
            Kind::DataRace => format!(
                "in {runs} pairs of writes of one byte by two threads the sanitizer reported no data race"
            ),
            _ => format!(
                "of {runs} pairs of increments of one number by two threads none was seen to get lost: the threads \
                 hardly run at once (a busy machine, one processor, a GIL?)"
            ),
        }
    }
}

/// Scenarios of one try: the second sighting must be merged with the first.
const SCENARIOS: usize = 2;

/// A busy machine may keep threads from overlapping for a while.
const TRIES: u64 = 3;

/// How much longer it may take under control.
const CONTROLLED: u32 = 10;

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
    let planted = Planted::into(vm);
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
        let mut own = own_options(options, out.clone(), again);
        own.subjects = parse("the canary", planted.subject).expect("the canary parses");
        // It ends when all is done; the time is only what a busy machine may take.
        let slowness = match own.control {
            // Each start of the VM is a process that a debugger may read.
            Some(_) => CONTROLLED,
            None => vm.facts.slowness(),
        };
        own.time = own.time.map(|time| time * slowness);
        let report = hunt(vm, &own, &|_| ())?;
        if let Some(error) = report.error {
            return Err(error);
        }
        canary.runs = report.state.sum(|t| t.runs);
        canary.found = judge(planted, canary.runs, report.findings);
        if canary.found.is_ok() {
            break;
        }
    }
    Ok(canary)
}

fn own_options(options: &Options, out: PathBuf, again: u64) -> Options {
    Options {
        subjects: Vec::new(),
        seed: options.seed.wrapping_add(again),
        time: Some(Duration::from_secs(20)),
        shard: Shard::default(),
        iterations: Some(SCENARIOS as u64),
        jobs: 1,
        out,
        limits: Limits { threads: 2, ops: 2 },
        company: Some(Vec::new()),
        scenario_ms: 250,
        batch: SCENARIOS,
        sequential: false,
        only: None,
        keep: options.keep,
        suppressions: Vec::new(),
        histories: options.histories,
        feedback: false,
        control: options.control.clone(),
    }
}

/// Whether the canary's findings are the one that they must be; else why not. A sanitizer may report other
/// races on the way to it, which are none of the canary's.
fn judge(planted: Planted, runs: u64, findings: Vec<Finding>) -> Result<Box<Finding>, String> {
    let wanted = |f: &Finding| f.kind == planted.kind;
    if !findings.iter().any(wanted) {
        return Err(planted.missed(runs));
    }
    let others = findings.len() - 1;
    if planted.kind == Kind::Outcome && others > 0 {
        return Err(format!(
            "{} findings were made of one lost update: the same is not told from another",
            findings.len()
        ));
    }
    let mut why_not = Ok(());
    for finding in findings.into_iter().filter(wanted) {
        match complete(&finding) {
            Ok(()) => return Ok(Box::new(finding)),
            Err(why) => why_not = why_not.and(Err(why)),
        }
    }
    Err(why_not.expect_err("one of them was wanted"))
}

/// Whether a finding went all the way.
fn complete(finding: &Finding) -> Result<(), String> {
    let calls = finding.scenario.calls().count();
    if !matches!(finding.grade, Grade::Forbidden | Grade::OutsidePromise) {
        return Err(format!("it is graded {}, and was forbidden", finding.grade));
    }
    if !finding.minimised || calls > 2 {
        return Err(format!(
            "it was seen, and not minimised to its two operations: {}",
            finding.scenario
        ));
    }
    let schedule = finding.schedule.as_ref();
    if !finding.hits() && !schedule.is_some_and(Schedule::repeats) {
        let why =
            "it was seen and minimised, and neither its script nor a schedule showed it again";
        return Err(why.to_owned());
    }
    Ok(())
}
