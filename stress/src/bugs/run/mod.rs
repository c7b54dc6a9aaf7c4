//! Running a bug's program to its signature.

pub(crate) mod shown;
mod summary;

pub use self::summary::Summary;

use super::signature::{self, Shown};
use super::{Bug, Failure};
use crate::program::{self, Ended, Run, Told};
use crate::verdict::{Kind, Verdict};
use crate::vm::child::Limits;
use crate::vm::debugger::{self, core_file};
use crate::vm::{Facts, Vm, VmError, sanitizers};
use std::path::Path;
use std::time::Duration;

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
    /// What of it a signature can tell.
    pub shown: Shown,
    /// Whether it matched the bug's signature.
    pub hit: bool,
    /// Pairs of the signature that it showed.
    pub races: Vec<[String; 2]>,
    /// How it went.
    pub run: Run,
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

impl Attempt {
    /// What it is to the bug.
    pub fn told(&self) -> Told {
        self.run.told(self.hit)
    }

    /// One line: how it ended, and where.
    pub fn line(&self) -> String {
        let words = self.run.ended.line();
        let hung = matches!(self.run.ended.kind(), Some(Kind::Hang | Kind::Deadlock));
        match self.shown.stacks.first() {
            Some(stack) if !stack.is_empty() && !hung => {
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
    let name = bug.stem.rsplit('/').next().unwrap_or("bug");
    let file = program::File::new(name, &bug.program)?;
    // A core of this very run says where it crashed, also when a child of the program did.
    let cores = tempfile::tempdir().map_err(VmError::Temp)?;
    let mut command = program::command(vm, file.path(), limit);
    command.args(fault).current_dir(cores.path());
    command.env("RUST_BACKTRACE", "1");
    sanitizers::keep_exit_code(&vm.facts, &mut command);
    let thread_sanitizer = vm.facts.sanitized("thread");
    let slow = if thread_sanitizer { 6 } else { 1 };
    let total = limit * slow + grace.time;
    let limits = Limits {
        silence: total,
        total,
        late: Some(grace.computing * slow),
        debugger: true,
        core: placed(vm, bug),
        ..Limits::default()
    };
    let mut run = program::run(vm, &mut command, limits)?;
    let died = shown::died(&run.ended);
    let native = native(vm, bug, file.path(), cores.path(), died, limit);
    if native.is_none() && died && placed(vm, bug) {
        // Whether it is the bug, only the place can tell.
        let why = format!("{}, and no debugger could say where", run.ended.line());
        run.ended = Ended::Broken(why);
    }
    let shown = shown::of(&run, native.as_deref());
    let matched = signature::matched(bug, &shown);
    if let Some(signature::Matched::Race([one, two])) = matched {
        // What the program went on to do after its race was reported is another matter.
        let pair = format!("{one} against {two}");
        run.ended = Ended::Failed(Verdict::new(Kind::DataRace, pair));
    }
    Ok(Attempt {
        hit: matched.is_some(),
        races: bug.signature.shown_by(&shown),
        shown,
        run,
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
    died: bool,
    limit: Duration,
) -> Option<String> {
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
    let mut summary = Summary::new(bug, vm);
    go_on(vm, bug, plan, &mut summary, each)?;
    Ok(summary)
}

/// No run is worth its start for less.
const SHORTEST: Duration = Duration::from_secs(1);

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
    let before = summary.count.hits;
    summary.broken = None;
    summary.outside = false;
    let mut others = 0;
    program::within(plan.total, plan.run, SHORTEST, |limit| {
        let attempt = attempt(vm, bug, limit)?;
        each(&attempt);
        let told = attempt.told();
        summary.add(&attempt, &told);
        others = match told {
            Told::Other => others + 1,
            Told::Hit | Told::Clean => 0,
            Told::Interrupted | Told::Unfit(_) | Told::Outside(_) => return Ok(None),
        };
        let enough = summary.count.hits - before >= plan.hits || others >= OTHERS;
        Ok((!enough).then_some(attempt.run.took))
    })?;
    summary.status = super::status::decide(bug, &summary.measured());
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
