//! Running a finding's script and telling whether it hit.

use super::{Finding, Rate};
use crate::scenario::tuning::Tuning;
use crate::verdict::{Kind, sanitizer, stack};
use crate::vm::child::{self, End, Limits, Outcome};
use crate::vm::{Vm, VmError, sanitizers};
use std::path::Path;
use std::time::{Duration, Instant};

/// What a script is expected to show.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Kind of failure.
    pub kind: Kind,
    /// Signature of the sanitizer's report, where it is one: other reports are no hit.
    pub report: Option<String>,
}

impl From<Kind> for Expected {
    fn from(kind: Kind) -> Self {
        Self { kind, report: None }
    }
}

impl From<&Finding> for Expected {
    fn from(finding: &Finding) -> Self {
        Self {
            kind: finding.kind,
            report: finding.report.as_ref().map(|r| r.signature()),
        }
    }
}

/// Processor time of one thread past the script's end, after which it no longer is only slow.
const COMPUTING: Duration = Duration::from_secs(5);

/// One run of a script.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Whether the race hit.
    pub hit: bool,
    /// How long the run took.
    pub took: Duration,
    /// What the run printed and how it ended.
    pub outcome: Outcome,
}

/// Runs a script once for at most `seconds`.
pub fn attempt(
    vm: &Vm,
    script: &Path,
    expected: impl Into<Expected>,
    seconds: f64,
) -> Result<Attempt, VmError> {
    let start = Instant::now();
    let mut command = vm.command(script);
    command.arg(format!("{seconds}"));
    // The script ends by itself; a process that outlives its time by this much is hung, unless it
    // still computes: on a busy machine it may only be slow.
    let slowness = vm.facts.slowness();
    let limit = Duration::from_secs_f64(seconds + 3.0 * f64::from(slowness));
    let outcome = child::run(
        &mut command,
        Limits {
            silence: limit,
            idle: Some(child::IDLE * slowness.min(3)),
            debugger: false,
            total: limit,
            late: Some(COMPUTING * slowness.min(3)),
            ..Limits::default()
        },
    )
    .map_err(|source| VmError::Start {
        spec: vm.spec.clone(),
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    })?;
    Ok(Attempt {
        hit: hit(&outcome, &expected.into()),
        took: start.elapsed(),
        outcome,
    })
}

/// Whether a script's end is the failure it was written for. One fault dies by one signal or
/// another from run to run, or as a hang inside the allocator, so these count as the same.
pub fn hit(outcome: &Outcome, expected: &Expected) -> bool {
    let kind = expected.kind;
    let reports = || sanitizer::parse(&outcome.stderr).into_iter();
    if let Some(signature) = &expected.report {
        return reports().any(|r| r.signature() == *signature);
    }
    let died = matches!(outcome.end, End::Signal(_)) || stack::panic(&outcome.stderr).is_some();
    // A sanitizer that reported anything beside the script's own hit changes its exit code.
    let reported = matches!(outcome.end, End::Exit(1 | sanitizers::EXIT))
        && outcome.stdout.iter().any(|l| l.starts_with("hit:"));
    // That the script's own clock ended it says nothing: one that stood still was ended before.
    let hung = outcome.end == End::Hang;
    // The VM left by itself; a script that an exception ended did not run on this VM.
    let left = matches!(outcome.end, End::Exit(code) if code != 0 && code != sanitizers::EXIT)
        && !outcome.stderr.contains("Traceback (most recent call last)")
        && !outcome.stderr.contains("Timeout (");
    let fatal = || died || hung || reports().any(|r| !r.is_race());
    match kind {
        Kind::Crash | Kind::Assertion | Kind::Fatal | Kind::Panic | Kind::Sanitizer => fatal(),
        Kind::ShutdownCrash | Kind::Exit => left || fatal(),
        Kind::Hang | Kind::Deadlock | Kind::ShutdownHang => hung || died,
        Kind::DataRace => reports().any(|r| r.is_race()),
        Kind::Memory => outcome.end == End::Memory,
        Kind::Flood => outcome.end == End::Flood,
        _ => reported || died,
    }
}

/// Runs a script up to `runs` times and says how often it hit; with `stop_early` two runs
/// without a hit are enough. An interrupted run is not counted, so there may be none at all.
pub fn rate(
    vm: &Vm,
    script: &Path,
    expected: impl Into<Expected>,
    runs: u32,
    seconds: f64,
    stop_early: bool,
) -> Result<(Rate, Vec<Attempt>), VmError> {
    let mut attempts = Vec::new();
    let expected = expected.into();
    for _ in 0..runs {
        let attempt = attempt(vm, script, expected.clone(), seconds)?;
        // A run that was cut off says nothing.
        if attempt.outcome.end == End::Interrupted {
            break;
        }
        attempts.push(attempt);
        let none_of_two = stop_early && attempts.len() == 2 && attempts.iter().all(|a| !a.hit);
        if none_of_two {
            break;
        }
    }
    let hits: Vec<f64> = attempts
        .iter()
        .filter(|a| a.hit)
        .map(|a| a.took.as_secs_f64())
        .collect();
    let mean = if hits.is_empty() {
        0.0
    } else {
        hits.iter().sum::<f64>() / hits.len() as f64
    };
    let rate = Rate {
        hits: hits.len() as u32,
        runs: attempts.len() as u32,
        limit_seconds: seconds,
        mean_seconds: mean,
    };
    Ok((rate, attempts))
}

impl Finding {
    /// The stand-alone script of this finding.
    pub fn script_text(&self) -> String {
        self.script_tuned(&self.tuning.clone().unwrap_or_default())
    }

    /// The script tuned in another way.
    pub fn script_tuned(&self, tuning: &Tuning) -> String {
        crate::scenario::script::script(
            &self.scenario,
            &crate::scenario::script::Head {
                kind: self.kind,
                vm: &self.facts.title(),
                detail: &self.detail,
                why: &self.why,
                // Without the waiting threads' reads, which the sanitizer would report.
                gil: self.facts.has_gil() || self.kind == Kind::DataRace,
                tuning,
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(end: End, stdout: &str, stderr: &str) -> Outcome {
        Outcome {
            end,
            stdout: stdout.lines().map(str::to_owned).collect(),
            complete_line: true,
            stderr: stderr.to_owned(),
            hang: None,
            orphans: 0,
        }
    }

    #[test]
    fn an_exit_code_hits_again_and_a_traceback_does_not() {
        for kind in [Kind::Exit, Kind::ShutdownCrash] {
            let hits = |end, stderr| hit(&ended(end, "", stderr), &kind.into());
            assert!(hits(End::Exit(120), ""));
            assert!(hits(End::Signal(11), ""));
            assert!(!hits(End::Exit(0), ""));
            assert!(!hits(End::Exit(sanitizers::EXIT), ""));
            assert!(!hits(End::Exit(1), "Traceback (most recent call last):\n"));
        }
        assert!(!hit(&ended(End::Exit(120), "", ""), &Kind::Crash.into()));
    }

    #[test]
    fn a_script_says_that_it_hit_whatever_a_sanitizer_makes_of_its_exit_code() {
        for code in [1, sanitizers::EXIT] {
            let end = End::Exit(code);
            assert!(hit(&ended(end, "hit: x", ""), &Kind::Outcome.into()));
            assert!(!hit(&ended(end, "", ""), &Kind::Outcome.into()));
        }
    }
}
