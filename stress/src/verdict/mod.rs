//! Verdicts: what a run showed, and how bad it is.

pub mod grade;
mod innermost;
mod kind;
pub mod noise;
pub mod reported;
pub mod sanitizer;
pub mod stack;
pub mod standstill;
pub mod waits;

pub use self::innermost::{innermost, of_death};
pub use self::kind::{ALONE, Kind, OUT_OF_TIME, out_of_time};
pub use crate::vm::words::signal_name;

use crate::oracle::{self, Nature};
use crate::scenario::Scenario;
use crate::vm::child::{End, Outcome};
use crate::vm::job::Log;
use serde::{Deserialize, Serialize};

/// One failing verdict on one scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Kind of failure.
    pub kind: Kind,
    /// One line: what was seen.
    pub detail: String,
    /// Unexplained outcome, where there is one.
    pub outcome: Option<String>,
    /// How often, where it can be counted.
    pub count: u64,
    /// Whether it happened while only one thread ran: then it is no race.
    #[serde(default)]
    pub alone: bool,
    /// The sanitizer's report, where there is one; `detail` is its signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Box<sanitizer::Report>>,
}

impl Verdict {
    /// A verdict of which nothing more is known, seen once.
    pub fn new(kind: Kind, detail: String) -> Self {
        Self {
            kind,
            detail,
            outcome: None,
            count: 1,
            alone: false,
            report: None,
        }
    }

    /// What a sanitizer's report says.
    pub fn of_report(report: sanitizer::Report) -> Self {
        let kind = if report.is_race() {
            Kind::DataRace
        } else {
            Kind::Sanitizer
        };
        Self {
            report: Some(Box::new(report.clone())),
            ..Self::new(kind, report.signature())
        }
    }
}

/// Whether a process dies of this signal by its own fault. Every other one somebody sent: a user, a batch
/// system, a limit on time or files, a pipe that its reader left.
fn ours(signal: i32) -> bool {
    [
        libc::SIGSEGV,
        libc::SIGBUS,
        libc::SIGABRT,
        libc::SIGILL,
        libc::SIGFPE,
        libc::SIGTRAP,
        libc::SIGSYS,
    ]
    .contains(&signal)
}

/// Who ended a process that did not end by itself, in words; `None` when nobody did. Such an end is
/// no failure of the VM, whatever was looked for.
pub fn from_outside(outcome: &Outcome) -> Option<String> {
    let End::Signal(signal) = outcome.end else {
        return None;
    };
    if ours(signal) {
        return None;
    }
    let why = match signal {
        libc::SIGKILL => ", as the kernel sends when the machine's memory runs out",
        libc::SIGXCPU => ", as the kernel sends when a limit on processor time is passed",
        libc::SIGXFSZ => ", as the kernel sends when a limit on a file's size is passed",
        _ => "",
    };
    Some(format!("{} from outside{why}", signal_name(signal)))
}

/// What the end of a job's process says; see [`of_end`].
pub fn of_process(log: &Log) -> Option<Verdict> {
    of_end(log.outcome.as_ref()?, log.finished)
}

/// What the end of a process says, `None` for a clean one, for one that was ended [`from_outside`]
/// and for one that a sanitizer's report explains (see [`reported`]). `finished`: all its work was
/// done.
pub fn of_end(outcome: &Outcome, finished: bool) -> Option<Verdict> {
    let stderr = outcome.stderr.as_str();
    let verdict = |kind, detail: String| Some(Verdict::new(kind, detail));
    if reported::explains_end(outcome, finished) || from_outside(outcome).is_some() {
        return None;
    }
    let in_shutdown = |kind| if finished { Kind::ShutdownCrash } else { kind };
    match outcome.end {
        End::Interrupted => None,
        End::Memory => verdict(Kind::Memory, "memory use passed the limit".into()),
        End::Flood => verdict(Kind::Flood, "output passed the limit".into()),
        End::Hang => {
            let autopsy = outcome.hang.clone().unwrap_or_default();
            let what = standstill::hang(&autopsy, stderr);
            if finished {
                return verdict(
                    Kind::ShutdownHang,
                    format!("all work done, then no end: {what}"),
                );
            }
            let kind = if autopsy.running == 0 && autopsy.timed == 0 {
                Kind::Deadlock
            } else {
                Kind::Hang
            };
            verdict(kind, what)
        }
        End::Exit(0) if finished => None,
        _ if stack::panic(stderr).is_some() => {
            verdict(Kind::Panic, stack::panic(stderr).unwrap_or_default())
        }
        End::Signal(signal) => {
            if let Some(assertion) = stack::assertion(stderr) {
                return verdict(in_shutdown(Kind::Assertion), assertion);
            }
            if let Some(fatal) = stack::fatal(stderr) {
                return verdict(in_shutdown(Kind::Fatal), fatal);
            }
            let name = signal_name(signal);
            verdict(
                in_shutdown(Kind::Crash),
                stack::last_words(stderr)
                    .map_or_else(|| name.clone(), |words| format!("{name}: {words}")),
            )
        }
        End::Exit(code) => {
            let words = stack::last_words(stderr).unwrap_or_else(|| "no message".into());
            verdict(
                in_shutdown(Kind::Exit),
                format!("exit code {code}: {words}"),
            )
        }
    }
}

/// The panic that an extension turned into the `PanicException` of a verdict's detail, where stderr
/// tells it: `file:line: message`. Among several the one with the exception's message counts.
pub fn panic_behind(detail: &str, stderr: &str) -> Option<String> {
    let raised = detail.strip_prefix("raised ").unwrap_or(detail);
    let message = stack::mask(
        raised
            .strip_prefix("PanicException")?
            .trim_start_matches(": "),
    );
    let starts = stderr.match_indices("panicked at ").map(|(at, _)| at);
    let panics: Vec<String> = starts
        .filter_map(|at| stack::panic(&stderr[at..]))
        .collect();
    let same = panics.iter().find(|p| p.ends_with(&message));
    same.or_else(|| panics.first()).cloned()
}

/// What a history says: violations seen from inside and unexplained outcomes, one verdict a kind.
pub fn of_history(history: &crate::history::History, scenario: &Scenario) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = Vec::new();
    let mut add = |v: Verdict| {
        if !verdicts
            .iter()
            .any(|w| w.kind == v.kind && w.alone == v.alone)
        {
            verdicts.push(v);
        }
    };
    for v in &history.violations {
        let kind = match v.kind.as_str() {
            "corrupt" | "broken" | "alone" => Kind::Corrupt,
            "refcount" => Kind::Refcount,
            "leak" => Kind::Leak,
            _ => Kind::Internal,
        };
        let detail = v.detail.trim_start_matches('!');
        // A check that is false without any race says that the check, the operation or the VM is
        // wrong, and not that memory was damaged.
        let alone = v.kind == "alone";
        let detail = if alone {
            format!("{ALONE}{detail}")
        } else {
            detail.to_owned()
        };
        add(Verdict {
            alone,
            ..Verdict::new(kind, detail)
        });
    }
    for u in oracle::unexplained(history, &scenario.raises()) {
        let (kind, detail) = match &u.nature {
            Nature::Internal(e) => (Kind::Internal, format!("raised {e}")),
            Nature::Unwritten(what) => (Kind::Uninitialised, what.clone()),
            Nature::Exception(e) => (
                Kind::Exception,
                format!("raised {e}, which no order raises"),
            ),
            Nature::Order => (Kind::Outcome, format!("no order gives {}", u.outcome)),
        };
        add(Verdict {
            kind,
            detail,
            outcome: Some(u.outcome),
            count: u.count,
            alone: false,
            report: None,
        });
    }
    // The outcome stands in the detail only: without the record some order gives it.
    for o in &history.out_of_time {
        add(Verdict {
            count: o.count,
            ..Verdict::new(
                Kind::Outcome,
                format!("{OUT_OF_TIME}{}, where {}", o.outcome, o.order),
            )
        });
    }
    verdicts
}
