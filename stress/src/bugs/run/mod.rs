//! Running a bug's program to its signature.

mod ended;
mod summary;

pub use self::ended::{Ended, how};
pub use self::summary::Summary;

use super::signature::{self, Shown};
use super::{Bug, Failure, Status, stats, status};
use crate::vm::child::{self, Limits, Outcome};
use crate::vm::debugger::{self, core_file};
use crate::vm::{Facts, Vm, VmError, sanitizers};
use std::path::Path;
use std::time::{Duration, Instant};

/// What a program past its deadline is given before it counts as hung.
#[derive(Clone, Copy, Debug)]
pub struct Grace {
    /// First, so much time.
    pub time: Duration,
    /// Then, when it does not merely sleep, so much processor time of one thread: on a busy
    /// machine the clock says nothing about a program that still computes.
    pub computing: Duration,
}

impl Default for Grace {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(5),
            computing: Duration::from_secs(5),
        }
    }
}

/// One run.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// How it ended.
    pub ended: Ended,
    /// What of it a signature can tell.
    pub shown: Shown,
    /// Whether it matched the bug's signature.
    pub hit: bool,
    /// How long it took.
    pub took: Duration,
    /// Everything it printed.
    pub outcome: Outcome,
}

/// How long and how often to try.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Time of all runs together.
    pub total: Duration,
    /// Time of one run.
    pub run: Duration,
    /// Stop after so many hits.
    pub hits: u32,
}

/// A VM's name in tables and measurements: `cpython 3.13.5`, `cpython 3.13.5 +thread`.
pub fn vm_name(facts: &Facts) -> String {
    facts.title()
}

impl Attempt {
    /// One line: how it ended, and where.
    pub fn line(&self) -> String {
        let words = self.ended.line();
        match self.shown.stacks.first() {
            Some(stack) if !stack.is_empty() && !self.ended.is_hang() => {
                let near: Vec<&str> = stack.iter().take(3).map(String::as_str).collect();
                format!("{words} in {}", near.join(" < "))
            }
            _ => words,
        }
    }
}

/// Runs a bug's program once.
///
/// # Errors
/// When the VM cannot be started or the program cannot be written to a temporary file.
pub fn attempt(vm: &Vm, bug: &Bug, limit: Duration) -> Result<Attempt, VmError> {
    attempt_within(vm, bug, limit, Grace::default())
}

/// [`attempt`] with this grace.
///
/// # Errors
/// As of [`attempt`].
pub fn attempt_within(
    vm: &Vm,
    bug: &Bug,
    limit: Duration,
    grace: Grace,
) -> Result<Attempt, VmError> {
    run_program(vm, bug, limit, grace, None)
}

/// Runs a bug's program with this fault planted into it, one of [`Bug::faults`].
///
/// # Errors
/// As of [`attempt`].
pub fn planted(vm: &Vm, bug: &Bug, limit: Duration, fault: &str) -> Result<Attempt, VmError> {
    run_program(vm, bug, limit, Grace::default(), Some(fault))
}

fn run_program(
    vm: &Vm,
    bug: &Bug,
    limit: Duration,
    grace: Grace,
    fault: Option<&str>,
) -> Result<Attempt, VmError> {
    let dir = tempfile::tempdir().map_err(VmError::Temp)?;
    let name = bug.stem.rsplit('/').next().unwrap_or("bug");
    let script = dir.path().join(format!("{name}.py"));
    std::fs::write(&script, &bug.program).map_err(VmError::Temp)?;
    // A core of this very run says where it crashed, also when a child of the program did.
    let cores = tempfile::tempdir().map_err(VmError::Temp)?;
    let mut command = vm.command(&script);
    command.arg(format!("{}", limit.as_secs_f64())).args(fault);
    command.env("RUST_BACKTRACE", "1").current_dir(cores.path());
    sanitizers::keep_exit_code(&vm.facts, &mut command);
    let thread_sanitizer = vm.facts.sanitized("thread");
    let slow = if thread_sanitizer { 6 } else { 1 };
    let total = limit * slow + grace.time;
    let start = Instant::now();
    let outcome = child::run(
        &mut command,
        Limits {
            silence: total,
            total,
            late: Some(grace.computing * slow),
            debugger: true,
            core: placed(vm, bug),
            ..Limits::default()
        },
    )
    .map_err(|source| VmError::Start {
        spec: vm.spec.clone(),
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    })?;
    let took = start.elapsed();
    let ended = how(&outcome);
    let native = native(vm, bug, &script, cores.path(), &ended, limit);
    let died = matches!(ended, Ended::Crash(_) | Ended::Fatal(_));
    let ended = match &native {
        // Whether it is the bug, only the place can tell.
        None if died && placed(vm, bug) => {
            Ended::Broken(format!("{}, and no debugger could say where", ended.line()))
        }
        _ => ended,
    };
    let shown = ended.shown(&outcome, native.as_deref());
    let matched = signature::matched(bug, &shown);
    let ended = match matched {
        // What the program went on to do after its race was reported is another matter.
        Some(signature::Matched::Race([one, two])) => Ended::Race(format!("{one} against {two}")),
        _ => ended,
    };
    Ok(Attempt {
        hit: matched.is_some(),
        ended,
        shown,
        took,
        outcome,
    })
}

/// Whether the place of a crash decides: then it is read, which takes a debugger some time.
fn placed(vm: &Vm, bug: &Bug) -> bool {
    bug.crashes() && !bug.signature.frames.is_empty() && vm.facts.sanitizers.is_empty()
}

/// The debugger's text on a crash: from the core of the run, or, where the machine leaves none, from
/// another run under the debugger. `None` for what is no crash.
fn native(
    vm: &Vm,
    bug: &Bug,
    script: &Path,
    cores: &Path,
    ended: &Ended,
    limit: Duration,
) -> Option<String> {
    let died = matches!(ended, Ended::Crash(_) | Ended::Fatal(_));
    if !placed(vm, bug) || !debugger::available() {
        return None;
    }
    if let Some(text) = core_file::in_folder(vm, cores) {
        return Some(text);
    }
    if !died {
        return None;
    }
    debugger::of_script(vm, script, limit.as_secs().max(1))
}

/// Runs a bug until the plan is fulfilled. `each` sees every run.
///
/// # Errors
/// When the VM cannot be started.
pub fn reproduce(
    vm: &Vm,
    bug: &Bug,
    plan: Plan,
    each: impl FnMut(&Attempt),
) -> Result<Summary, VmError> {
    let mut summary = Summary {
        id: bug.id(),
        vm: vm_name(&vm.facts),
        status: Status::NotReproduced,
        hits: 0,
        others: 0,
        runs: 0,
        seconds: 0.0,
        times: Vec::new(),
        share: (0.0, 1.0),
        per_minute: 0.0,
        per_minute_interval: (0.0, f64::MAX),
        seen: String::new(),
        otherwise: String::new(),
        broken: None,
        interrupted: false,
    };
    go_on(vm, bug, plan, &mut summary, each)?;
    Ok(summary)
}

/// Other failures in a row after which a plan ends: what fails so soon in another way does not get to the
/// bug, and reading each of its cores takes longer than the run.
const OTHERS: u32 = 8;

/// Runs a bug again by a plan of its own, and counts it with what was run before.
///
/// # Errors
/// When the VM cannot be started.
pub fn go_on(
    vm: &Vm,
    bug: &Bug,
    plan: Plan,
    summary: &mut Summary,
    mut each: impl FnMut(&Attempt),
) -> Result<(), VmError> {
    let (hits, seconds) = (summary.hits, summary.seconds);
    summary.broken = None;
    let mut others = 0;
    loop {
        // The last run is shortened so that the whole stays within its time.
        let left = plan.total.as_secs_f64() - (summary.seconds - seconds);
        let limit = plan.run.as_secs_f64().min(left.max(1.0));
        let attempt = attempt(vm, bug, Duration::from_secs_f64(limit))?;
        each(&attempt);
        match &attempt.ended {
            Ended::Interrupted => summary.interrupted = true,
            Ended::Skip(why) => {
                summary.status = Status::NotApplicable;
                summary.seen.clone_from(why);
            }
            Ended::Broken(why) => summary.broken = Some(why.clone()),
            ended => {
                summary.runs += 1;
                summary.seconds += attempt.took.as_secs_f64();
                others = match (attempt.hit, ended) {
                    (true, _) | (_, Ended::Clean) => 0,
                    _ => others + 1,
                };
                if attempt.hit {
                    summary.hits += 1;
                    summary.times.push(attempt.took.as_secs_f64());
                    if summary.seen.is_empty() {
                        summary.seen = attempt.line();
                    }
                } else if *ended != Ended::Clean {
                    summary.others += 1;
                    if summary.otherwise.is_empty() {
                        summary.otherwise = attempt.line();
                    }
                }
            }
        }
        let over = plan.total.as_secs_f64() - (summary.seconds - seconds) < 0.5;
        let other_end = others >= OTHERS
            || summary.interrupted
            || summary.broken.is_some()
            || summary.status == Status::NotApplicable;
        if summary.hits - hits >= plan.hits || over || other_end {
            break;
        }
    }
    summary.status = status::decide(bug, &summary.measured());
    summary.share = stats::wilson(summary.hits, summary.runs);
    let minutes = summary.seconds / 60.0;
    if minutes > 0.0 {
        summary.per_minute = f64::from(summary.hits) / minutes;
        summary.per_minute_interval = stats::poisson(summary.hits, minutes);
    }
    Ok(())
}

/// Why a bug is not run on a VM, if so: another family, or a build that cannot show it.
pub fn unfit(bug: &Bug, facts: &Facts) -> Option<String> {
    if bug.vm != facts.implementation {
        return Some(format!("a bug of {}", bug.vm));
    }
    let sanitized = facts.sanitizers.iter().any(|s| s == "thread");
    if bug.race_only() && !sanitized {
        return Some(
            "a data race without visible effect: needs a build with the thread sanitizer".into(),
        );
    }
    if sanitized && !bug.failure.contains(&Failure::Race) {
        return Some("shows without a sanitizer, which only slows it".into());
    }
    None
}
