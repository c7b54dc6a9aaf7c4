//! Running a probe: fresh processes until the time is over.

use super::Probe;
use crate::bugs::run::{Ended, how, vm_name};
use crate::bugs::stats;
use crate::shell::word;
use crate::verdict::Kind;
use crate::vm::child::{self, Limits, Outcome};
use crate::vm::{Vm, VmError, sanitizers};
use serde::Serialize;
use std::time::{Duration, Instant};

/// How long a program may go on past its time before it counts as hung: at rest it still looks
/// for what is late.
const GRACE: Duration = Duration::from_secs(20);

/// How long to run a probe on a VM.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Time of all runs together.
    pub total: Duration,
    /// Time of one run, a process of its own.
    pub run: Duration,
    /// Seed of the first run; each further one takes the next.
    pub seed: u64,
}

/// One run.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its seed.
    pub seed: u64,
    /// The time that the program was given.
    pub limit: Duration,
    /// How it ended.
    pub ended: Ended,
    /// How much it looked at, by its own word.
    pub checked: u64,
    /// How long it took.
    pub took: Duration,
    /// Everything it printed.
    pub outcome: Outcome,
}

impl Attempt {
    /// The kind of failure, if it is one. A program that fails by itself is one too: whether the
    /// VM or the program is to blame must be looked at, so it must not pass.
    pub fn failure(&self) -> Option<Kind> {
        match self.ended {
            Ended::Clean | Ended::Skip(_) | Ended::Interrupted => None,
            Ended::Wrong(_) => Some(Kind::Outcome),
            Ended::Crash(_) => Some(Kind::Crash),
            Ended::Fatal(_) => Some(Kind::Fatal),
            Ended::Panic(_) => Some(Kind::Panic),
            Ended::Hang(_) => Some(Kind::Hang),
            Ended::Memory => Some(Kind::Memory),
            Ended::Race(_) => Some(Kind::Sanitizer),
            Ended::Broken(_) => Some(Kind::Exit),
        }
    }

    /// The command that runs this probe with this seed once more.
    pub fn command(&self, probe: &Probe, vm: &Vm) -> String {
        let spec = word(&vm.spec);
        let seconds = self.limit.as_secs_f64();
        format!(
            "threadbare probe {} --vm {spec} --seed {} --time {seconds}s --run {seconds}s",
            probe.name, self.seed
        )
    }
}

/// What the runs of a probe on a VM came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// The probe.
    pub probe: String,
    /// VM, as [`vm_name`] says.
    pub vm: String,
    /// Why it was not run there. Never a pass.
    pub skipped: Option<String>,
    /// Why the VM promises nothing that this probe could break.
    pub outside: Option<String>,
    /// Runs that ended, whatever they said.
    pub runs: u32,
    /// Runs that checked something and found nothing.
    pub passed: u32,
    /// Runs that failed.
    pub failed: u32,
    /// Runs that found nothing because they checked nothing.
    pub vacuous: u32,
    /// What all runs looked at together.
    pub checked: u64,
    /// What that is, in the words of the last run.
    pub what: String,
    /// Time of all runs, seconds.
    pub seconds: f64,
    /// Share of runs that failed, 95 % interval (Wilson).
    pub share: (f64, f64),
    /// Failures a minute, 95 % interval (Poisson).
    pub per_minute: (f64, f64),
    /// What the first failure looked like, and its seed.
    pub first: Option<(String, u64)>,
    /// The user stopped it.
    pub interrupted: bool,
}

/// Why a VM cannot run a probe, if so.
pub fn unfit(probe: &Probe, vm: &Vm) -> Option<String> {
    probe.needs.iter().find_map(|need| match need.as_str() {
        "gil" => (!vm.facts.has_gil()).then(|| "this VM has no GIL".to_owned()),
        "no-gil" => vm.facts.has_gil().then(|| "this VM has a GIL".to_owned()),
        "shared-containers" => vm.no_promise().map(str::to_owned),
        module => {
            (!vm.facts.modules.iter().any(|m| m == module)).then(|| format!("no module {module}"))
        }
    })
}

/// Runs a probe once, with a fault planted into it if one is named.
///
/// # Errors
/// When the VM cannot be started or the program cannot be written to a temporary file.
pub fn attempt(
    vm: &Vm,
    probe: &Probe,
    limit: Duration,
    seed: u64,
    fault: Option<&str>,
) -> Result<Attempt, VmError> {
    let dir = tempfile::tempdir().map_err(VmError::Temp)?;
    let name = probe.name.rsplit('/').next().unwrap_or("probe");
    let script = dir.path().join(format!("{name}.py"));
    std::fs::write(&script, &probe.program).map_err(VmError::Temp)?;
    let mut command = vm.command(&script);
    command.args([limit.as_secs_f64().to_string(), seed.to_string()]);
    command.args(fault);
    command.env("RUST_BACKTRACE", "1");
    sanitizers::keep_exit_code(&vm.facts, &mut command);
    let start = Instant::now();
    let limits = Limits {
        silence: limit + GRACE,
        total: limit + GRACE,
        ..Limits::default()
    };
    let outcome = child::run(&mut command, limits).map_err(|source| VmError::Start {
        spec: vm.spec.clone(),
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    })?;
    Ok(Attempt {
        seed,
        limit,
        ended: how(&outcome),
        checked: checked(&outcome).0,
        took: start.elapsed(),
        outcome,
    })
}

/// `checked: 100 objects dropped (seed 1)`: the number, and what it counts.
fn checked(outcome: &Outcome) -> (u64, &str) {
    let line = outcome
        .stdout
        .iter()
        .find_map(|l| l.strip_prefix("checked: "));
    let (number, what) = line.and_then(|l| l.split_once(' ')).unwrap_or(("0", ""));
    let what = what.rsplit_once(" (seed").map_or(what, |(what, _)| what);
    (number.parse().unwrap_or(0), what)
}

/// Runs a probe until the plan is fulfilled. `each` sees every run.
///
/// # Errors
/// When the VM cannot be started.
pub fn repeat(
    vm: &Vm,
    probe: &Probe,
    plan: Plan,
    mut each: impl FnMut(&Attempt),
) -> Result<Summary, VmError> {
    let mut summary = Summary {
        probe: probe.name.clone(),
        vm: vm_name(&vm.facts),
        skipped: unfit(probe, vm),
        outside: vm.no_promise().map(str::to_owned),
        share: (0.0, 1.0),
        ..Summary::default()
    };
    let mut seed = plan.seed;
    while summary.skipped.is_none() && !summary.interrupted {
        // The last run is shortened so that the whole stays within its time.
        let left = plan.total.as_secs_f64() - summary.seconds;
        let limit = plan
            .run
            .as_secs_f64()
            .min((left.max(0.2) * 10.0).round() / 10.0);
        let one = attempt(vm, probe, Duration::from_secs_f64(limit), seed, None)?;
        seed += 1;
        each(&one);
        summary.add(&one);
        if plan.total.as_secs_f64() - summary.seconds < 0.2 {
            break;
        }
    }
    summary.share = stats::wilson(summary.failed, summary.runs);
    if summary.seconds > 0.0 {
        summary.per_minute = stats::poisson(summary.failed, summary.seconds / 60.0);
    }
    Ok(summary)
}

impl Summary {
    fn add(&mut self, one: &Attempt) {
        match &one.ended {
            Ended::Interrupted => {
                self.interrupted = true;
                return;
            }
            // What a program says it lacks, it will lack in the next run, too.
            Ended::Skip(why) => {
                self.skipped = Some(why.clone());
                return;
            }
            Ended::Clean if one.checked == 0 => self.vacuous += 1,
            Ended::Clean => self.passed += 1,
            other => {
                self.failed += 1;
                self.first.get_or_insert_with(|| (other.line(), one.seed));
            }
        }
        self.runs += 1;
        self.seconds += one.took.as_secs_f64();
        self.checked += one.checked;
        let what = checked(&one.outcome).1;
        if !what.is_empty() {
            what.clone_into(&mut self.what);
        }
    }

    /// Whether it says anything about the VM.
    pub fn conclusive(&self) -> bool {
        self.passed + self.failed > 0
    }

    /// The line that says what came out.
    pub fn line(&self) -> String {
        if let Some(why) = &self.skipped {
            return format!("skipped: {why}");
        }
        let runs = format!("of {} runs in {:.1} s", self.runs, self.seconds);
        let high = self.share.1 * 100.0;
        if self.failed > 0 {
            let (seen, seed) = self.first.as_ref().map_or(("", 0), |(s, n)| (s, *n));
            let outside = self.outside.as_ref().map_or_else(String::new, |why| {
                format!(" (outside the VM's promise: {why})")
            });
            return format!(
                "FAILED: {} {runs} (share {:.0}–{high:.0} %, {:.1}–{:.1} a minute); seed {seed}: {seen}{outside}",
                self.failed,
                self.share.0 * 100.0,
                self.per_minute.0,
                self.per_minute.1,
            );
        }
        if self.passed == 0 {
            return format!("nothing was checked: 0 {runs} got that far");
        }
        let vacuous = match self.vacuous {
            0 => String::new(),
            n => format!(", {n} checked nothing"),
        };
        format!(
            "passed: 0 {runs} failed (at most {high:.0} %{vacuous}); {} checks, last: {}",
            self.checked, self.what
        )
    }
}
