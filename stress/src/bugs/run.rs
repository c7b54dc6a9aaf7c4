//! Running a bug's program to its signature.

use super::{Bug, Failure, Measured, Status, ident, stats};
use crate::finding::backtrace;
use crate::verdict::{signal_name, stack};
use crate::vm::child::{self, End, Limits, Outcome};
use crate::vm::{Facts, Vm, VmError};
use serde::Serialize;
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

/// How one run of a bug's program ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "what", rename_all = "kebab-case")]
pub enum Ended {
    /// At its deadline, nothing seen.
    Clean,
    /// The VM lacks what the program needs.
    Skip(String),
    /// The program saw a wrong outcome.
    Wrong(String),
    /// A signal.
    Crash(String),
    /// `Fatal Python error`.
    Fatal(String),
    /// A Rust panic.
    Panic(String),
    /// No end.
    Hang(String),
    /// Memory without bound.
    Memory,
    /// A sanitizer's report of this race: the innermost functions.
    Race(String),
    /// The program itself failed: no statement about the bug.
    Broken(String),
    /// The user stopped it.
    Interrupted,
}

impl Ended {
    /// One line.
    pub fn line(&self) -> String {
        match self {
            Self::Clean => "nothing seen".into(),
            Self::Memory => "memory use passed the limit".into(),
            Self::Interrupted => "interrupted".into(),
            Self::Skip(s) => format!("skipped: {s}"),
            Self::Wrong(s) => format!("wrong: {s}"),
            Self::Crash(s) | Self::Fatal(s) | Self::Panic(s) => s.clone(),
            Self::Hang(s) => format!("hang: {s}"),
            Self::Race(s) => format!("data race: {s}"),
            Self::Broken(s) => format!("the program failed: {s}"),
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

/// What the runs of a bug came to.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The bug.
    pub id: String,
    /// VM, as [`vm_name`] says.
    pub vm: String,
    /// Reproduced or not.
    pub status: Status,
    /// Runs that hit.
    pub hits: u32,
    /// Runs.
    pub runs: u32,
    /// Time of all runs, seconds.
    pub seconds: f64,
    /// Times to the hits, seconds.
    pub times: Vec<f64>,
    /// Share of runs that hit, 95 % interval (Wilson).
    pub share: (f64, f64),
    /// Hits per minute of running.
    pub per_minute: f64,
    /// Its 95 % interval (Poisson, exact).
    pub per_minute_interval: (f64, f64),
    /// What the first hit looked like; else how the last run ended.
    pub seen: String,
    /// A run that failed by itself: the program or the VM is unfit, and nothing is known.
    pub broken: Option<String>,
    /// The user stopped it.
    pub interrupted: bool,
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

/// What a child's end says about this bug.
pub fn ended(bug: &Bug, outcome: &Outcome) -> Ended {
    match race(bug, &outcome.stderr) {
        Some(race) if outcome.end != End::Interrupted => Ended::Race(race),
        _ => how(outcome),
    }
}

/// How a program ended that keeps to the convention of [`super`]: `hit:` and 1, `skip:` and 77, 0.
pub fn how(outcome: &Outcome) -> Ended {
    let stderr = outcome.stderr.as_str();
    let said = |mark: &str| {
        let line = outcome.stdout.iter().find_map(|l| l.strip_prefix(mark));
        line.map(|l| l.trim().to_owned())
    };
    if outcome.end == End::Interrupted {
        return Ended::Interrupted;
    }
    if let Some(panic) = stack::panic(stderr) {
        return Ended::Panic(panic);
    }
    match outcome.end {
        End::Signal(signal) => match stack::fatal(stderr) {
            Some(fatal) => Ended::Fatal(fatal),
            None => Ended::Crash(match stack::last_words(stderr) {
                Some(words) => format!("{}: {words}", signal_name(signal)),
                None => signal_name(signal),
            }),
        },
        End::Hang => Ended::Hang(
            outcome
                .hang
                .as_ref()
                .map_or_else(String::new, |autopsy| stack::hang(autopsy, stderr)),
        ),
        End::Memory => Ended::Memory,
        End::Exit(77) => Ended::Skip(said("skip:").unwrap_or_default()),
        End::Exit(0) => Ended::Clean,
        End::Exit(code) => match said("hit:") {
            Some(line) => Ended::Wrong(line),
            None => {
                let last = stderr.lines().rfind(|l| !l.trim().is_empty());
                Ended::Broken(format!(
                    "exit code {code}: {}",
                    last.unwrap_or("no message")
                ))
            }
        },
        End::Flood => Ended::Broken("output passed the limit".into()),
        End::Interrupted => Ended::Interrupted,
    }
}

/// Whether an end is the failure that the bug is known for. Memory damaged by one fault ends
/// as one signal or another, as a fatal error or as the sanitizer's word, so these are one.
pub fn is_hit(bug: &Bug, ended: &Ended) -> bool {
    let any = |kinds: &[Failure]| kinds.iter().any(|k| bug.failure.contains(k));
    match ended {
        Ended::Crash(_) | Ended::Fatal(_) => any(&[Failure::Crash, Failure::Fatal]),
        Ended::Panic(_) => any(&[Failure::Panic]),
        // A damaged heap often shows as an endless walk of the allocator's lists.
        Ended::Hang(what) => {
            any(&[Failure::Hang]) || what.contains("inside the allocator") && any(&[Failure::Crash])
        }
        Ended::Memory => any(&[Failure::Leak]),
        // The program prints it for this bug and no other.
        Ended::Wrong(_) => true,
        Ended::Race(_) => any(&[Failure::Race]),
        Ended::Clean | Ended::Skip(_) | Ended::Broken(_) | Ended::Interrupted => false,
    }
}

/// The first report of a data race whose innermost frames are this bug's.
fn race(bug: &Bug, stderr: &str) -> Option<String> {
    if bug.signature.race.is_empty() {
        return None;
    }
    super::attribute::races(stderr)
        .into_iter()
        .find_map(|pair| {
            let known = |f: &String| bug.signature.race.contains(f);
            let mine = pair.iter().any(|frames| frames.iter().take(3).any(known));
            mine.then(|| {
                let tops: Vec<String> = pair
                    .iter()
                    .map(|f| f.iter().take(2).cloned().collect::<Vec<_>>().join(" < "))
                    .collect();
                tops.join(" against ")
            })
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

impl Summary {
    /// The measurement for the bug's file.
    pub fn measured(&self) -> Measured {
        let round = |x: f64| (x * 100.0).round() / 100.0;
        let mean = self.times.iter().sum::<f64>() / self.times.len().max(1) as f64;
        Measured {
            vm: self.vm.clone(),
            status: self.status,
            hits: self.hits,
            runs: self.runs,
            seconds: round(self.seconds),
            first_hit: round(mean),
            seen: self.seen.chars().take(160).collect(),
        }
    }

    /// The line that says what came out.
    pub fn line(&self) -> String {
        if let Some(why) = &self.broken {
            return format!("nothing is known: {why}");
        }
        match self.status {
            Status::NotApplicable => format!("not applicable: {}", self.seen),
            Status::Reproduced => format!(
                "reproduced: {} of {} runs hit in {:.1} s (share {:.0}–{:.0} %), {:.1} hits a minute ({:.1}–{:.1}); {}",
                self.hits,
                self.runs,
                self.seconds,
                self.share.0 * 100.0,
                self.share.1 * 100.0,
                self.per_minute,
                self.per_minute_interval.0,
                self.per_minute_interval.1,
                self.seen
            ),
            Status::Fixed | Status::NotReproduced => format!(
                "not reproduced in {} runs, {:.1} s (at most {:.1} hits a minute){}",
                self.runs,
                self.seconds,
                self.per_minute_interval.1,
                if self.status == Status::Fixed {
                    "; the reports say this version does not have it"
                } else {
                    ""
                }
            ),
        }
    }
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
