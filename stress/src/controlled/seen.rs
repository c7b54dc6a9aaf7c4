//! What a schedule under control showed, in the words of a run without control.

use super::ControlError;
use crate::bugs::run::shown;
use crate::bugs::signature::Shown;
use crate::program::{Ended, Run};
use crate::verdict::sanitizer::{Frame, Role, Stack};
use crate::verdict::{self, Kind};
use crate::vm::Vm;
use crate::vm::child::{End, Outcome, hold};
use crate::vm::debugger::core_file;
use crate::vm::hang::Autopsy;
use std::time::Duration;
use threadbare_control::block::{Race, Verdict};
use threadbare_control::bundle::Bundle;
use threadbare_control::launch::Report;
use threadbare_control::places::Places;

/// What the runtime sees and the VM does not say.
const USE_AFTER_FREE: &str = "use after free: ";

/// What a failing schedule, or the races of several, showed.
#[derive(Clone, Debug)]
pub struct Seen {
    /// How it ended.
    pub run: Run,
    /// A debugger's text on its core; empty without one.
    pub backtrace: String,
    /// What of it a signature can tell.
    pub shown: Shown,
}

impl Seen {
    /// One line: how it ended, and where.
    pub fn line(&self) -> String {
        let words = self.run.ended.line();
        let words = words.lines().next().unwrap_or_default();
        match (self.shown.races.first(), self.shown.stacks.first()) {
            (Some([one, two]), _) if self.shown.failure.is_none() => {
                format!("data race: {one} against {two}")
            }
            (_, Some(stack)) if !stack.is_empty() => {
                let near: Vec<&str> = stack.iter().take(3).map(String::as_str).collect();
                format!("{words} in {}", near.join(" < "))
            }
            _ => words.to_owned(),
        }
    }

    /// Replays a failing schedule once and reads what it leaves.
    ///
    /// # Errors
    /// When it does not come again, or cannot be run.
    pub fn of_failure(vm: &Vm, bundle: &Bundle) -> Result<Self, ControlError> {
        let folder = tempfile::tempdir().map_err(crate::vm::VmError::Temp)?;
        let replayed = {
            let _others = hold();
            bundle.replay_to_core(folder.path())?
        };
        if replayed.same != 1 {
            let why = replayed.divergence().unwrap_or_default();
            return Err(ControlError::NotAgain(bundle.found.seed, why));
        }
        let core = core_file::file(folder.path());
        let text = core.and_then(|core| core_file::text(vm, &core));
        Ok(Self::of(bundle, &replayed.report, text))
    }

    fn of(bundle: &Bundle, report: &Report, core: Option<String>) -> Self {
        let backtrace = core.map(|text| without_runtime(&text));
        let run = &bundle.found;
        let stands = matches!(run.verdict, Verdict::Deadlock | Verdict::LostWakeUp);
        let end = match run.verdict {
            Verdict::Signal => End::Signal(run.signal),
            Verdict::UseAfterFree => End::Signal(libc::SIGABRT),
            Verdict::Deadlock | Verdict::LostWakeUp => End::Hang,
            _ => End::Exit(run.code),
        };
        let mut stderr = report.output.strip_suffix(&report.stdout);
        let freed = format!(
            "{}\n{USE_AFTER_FREE}{}\n",
            stderr.unwrap_or(&report.output),
            report.note
        );
        if run.verdict == Verdict::UseAfterFree {
            // The VM itself has not seen it.
            stderr = Some(&freed);
        }
        let outcome = Outcome {
            end,
            stdout: report.stdout.lines().map(str::to_owned).collect(),
            complete_line: report.stdout.ends_with('\n'),
            stderr: stderr.unwrap_or(&report.output).to_owned(),
            hang: stands.then(|| Autopsy {
                sleeping: run.threads as usize,
                backtrace: backtrace.clone().unwrap_or_default(),
                ..Autopsy::default()
            }),
            orphans: 0,
        };
        let failed = |kind, why: String| Ended::Failed(verdict::Verdict::new(kind, why));
        let ended = match run.verdict {
            // Memory is damaged, whether or not it would have shown.
            Verdict::UseAfterFree => {
                failed(Kind::Crash, format!("{USE_AFTER_FREE}{}", report.note))
            }
            Verdict::Deadlock => failed(Kind::Deadlock, report.note.clone()),
            Verdict::LostWakeUp => failed(Kind::Deadlock, format!("lost wake-up: {}", report.note)),
            _ => Ended::of(&outcome),
        };
        let run = Run {
            ended,
            took: Duration::ZERO,
            outcome,
        };
        let mut shown = shown::of(&run, backtrace.as_deref());
        shown.races.extend(pairs(report, &report.races));
        Self {
            run,
            backtrace: backtrace.unwrap_or_default(),
            shown,
        }
    }

    /// What races of runs that did not fail show.
    pub(super) fn of_races(report: &Report) -> Self {
        let outcome = Outcome {
            end: End::Exit(0),
            stdout: Vec::new(),
            complete_line: true,
            stderr: String::new(),
            hang: None,
            orphans: 0,
        };
        let shown = Shown {
            races: pairs(report, &report.races),
            ..Shown::default()
        };
        Self {
            run: Run {
                ended: Ended::Clean,
                took: Duration::ZERO,
                outcome,
            },
            backtrace: String::new(),
            shown,
        }
    }
}

/// The innermost functions of the VM on both sides, as of a sanitizer's report.
fn pairs(report: &Report, races: &[Race]) -> Vec<[String; 2]> {
    let sides = races.iter().flat_map(|r| [r.first.pc, r.second.pc]);
    let places = Places::find(&report.loaded, sides);
    let side = |pc| {
        let frames = places.frames(pc).iter().map(|place| {
            let (file, line) = place.line.rsplit_once(':').unwrap_or((&place.line, "0"));
            Frame {
                function: place.function.clone(),
                file: file.into(),
                line: line.parse().ok(),
            }
        });
        let stack = Stack {
            role: Role::Access,
            head: String::new(),
            frames: frames.collect(),
        };
        stack.top().map(|frame| frame.function.clone())
    };
    let pair = |race: &Race| Some([side(race.first.pc)?, side(race.second.pc)?]);
    races.iter().filter_map(pair).collect()
}

/// What frames of the runtime have in their line: with debug information their file, else their path. It alone
/// inlines the atomics of Rust's library into a VM in C, and in one in Rust they tell no place either.
const RUNTIME: [&str; 3] = [
    "threadbare_control",
    "control/runtime/src/",
    "library/core/src/sync/atomic.rs",
];

/// A debugger's text in which frames of the runtime are what they stand for: a call that waits, or nothing.
fn without_runtime(text: &str) -> String {
    let line = |line: &str| {
        let number = line.split_whitespace().next().unwrap_or("#0");
        match line.starts_with('#') && RUNTIME.iter().any(|ours| line.contains(ours)) {
            true => format!("{number:<4}syscall ()\n"),
            false => format!("{line}\n"),
        }
    };
    text.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::innermost;

    #[test]
    fn the_runtime_is_no_place_of_a_failure() {
        let text = "#0  __GI_abort () at a.c:1\n#1  0x1 in end () at stress/control/runtime/src/verdict/mod.rs:3\n\
                    #2  0x2 in list_clear (o=0x3) at listobject.c:9\n#3  0x4 in list_slice () at listobject.c:11\n";
        assert_eq!(
            innermost(&without_runtime(text), true),
            [["list_clear", "list_slice"]]
        );
        assert_ne!(innermost(text, true), [["list_clear", "list_slice"]]);
        let waits = "Thread 1 (LWP 1):\n#0  threadbare_control_runtime::real::system () at r/real.rs:3\n#1  PyMutex_LockTimed () at lock.c:2\n\
                     #2  list_append () at listobject.c:9\n\nThread 2 (LWP 2):\n#0  threadbare_control_runtime::real::system () at r/real.rs:3\n\
                     #1  list_clear () at listobject.c:9\n";
        assert_eq!(
            innermost(&without_runtime(waits), false),
            [["list_append"], ["list_clear"]]
        );
    }
}
