//! Running a bug's program to its signature.

mod ended;
mod summary;

pub use self::ended::{Ended, ended, how, is_hit};
pub use self::summary::Summary;

use super::{Bug, Failure, Status, ident, stats};
use crate::finding::backtrace;
use crate::verdict::stack;
use crate::vm::child::{self, Limits, Outcome};
use crate::vm::{Facts, Vm, VmError};
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
    /// Whether that is the bug.
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
    let dir = tempfile::tempdir().map_err(VmError::Temp)?;
    let name = bug.stem.rsplit('/').next().unwrap_or("bug");
    let script = dir.path().join(format!("{name}.py"));
    std::fs::write(&script, &bug.program).map_err(VmError::Temp)?;
    let mut command = vm.command(&script);
    command.arg(format!("{}", limit.as_secs_f64()));
    command.env("RUST_BACKTRACE", "1");
    let thread_sanitizer = vm.facts.sanitized("thread");
    if thread_sanitizer {
        // Exit codes are the program's own here.
        command.env(
            "TSAN_OPTIONS",
            "exitcode=0 history_size=7 report_signal_unsafe=0",
        );
    }
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
            ..Limits::default()
        },
    )
    .map_err(|source| VmError::Start {
        spec: vm.spec.clone(),
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    })?;
    let took = start.elapsed();
    let ended = ended(bug, &outcome);
    Ok(Attempt {
        hit: is_hit(bug, &ended),
        ended,
        took,
        outcome,
    })
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
        runs: 0,
        seconds: 0.0,
        times: Vec::new(),
        share: (0.0, 1.0),
        per_minute: 0.0,
        per_minute_interval: (0.0, f64::MAX),
        seen: String::new(),
        broken: None,
        interrupted: false,
    };
    go_on(vm, bug, plan, &mut summary, each)?;
    Ok(summary)
}

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
            other => {
                summary.runs += 1;
                summary.seconds += attempt.took.as_secs_f64();
                if attempt.hit {
                    summary.hits += 1;
                    summary.times.push(attempt.took.as_secs_f64());
                    summary.status = Status::Reproduced;
                }
                if summary.seen.is_empty() || attempt.hit && summary.hits == 1 {
                    summary.seen = other.line();
                }
            }
        }
        let over = plan.total.as_secs_f64() - (summary.seconds - seconds) < 0.5;
        let other_end = summary.interrupted
            || summary.broken.is_some()
            || summary.status == Status::NotApplicable;
        if summary.hits - hits >= plan.hits || over || other_end {
            break;
        }
    }
    let unseen = summary.status == Status::NotReproduced && summary.broken.is_none();
    if unseen && said_absent(bug, &vm.facts) {
        summary.status = Status::Fixed;
    }
    summary.share = stats::wilson(summary.hits, summary.runs);
    let minutes = summary.seconds / 60.0;
    if minutes > 0.0 {
        summary.per_minute = f64::from(summary.hits) / minutes;
        summary.per_minute_interval = stats::poisson(summary.hits, minutes);
    }
    Ok(())
}

/// Whether the reports say that this version is without the bug: fixed, or older than the code.
pub fn said_absent(bug: &Bug, facts: &Facts) -> bool {
    let title = facts.title();
    let version = title.split(' ').nth(1).unwrap_or("");
    ident::fixed_in(&bug.fixed, version) || ident::newer_than(&bug.affected, version)
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

/// Innermost native frames of a crash: the program once more under a debugger. `None` without
/// a debugger, without a crash in 10 s, or for a bug that does not crash.
pub fn native_frames(vm: &Vm, bug: &Bug) -> Option<Vec<String>> {
    let crashes = [Failure::Crash, Failure::Fatal]
        .iter()
        .any(|c| bug.failure.contains(c));
    if !crashes || !vm.facts.sanitizers.is_empty() || !backtrace::available() {
        return None;
    }
    let dir = tempfile::tempdir().ok()?;
    let script = dir.path().join("bug.py");
    std::fs::write(&script, &bug.program).ok()?;
    let text = backtrace::of_script(vm, &script, 10)?;
    let crashed = text.split("\n  Id ").next().unwrap_or("");
    Some(stack::frames(crashed).into_iter().take(6).collect())
}
