//! Verdicts: what a run showed, and how bad it is.

pub mod grade;
pub mod reported;
pub mod sanitizer;
pub mod stack;
pub mod waits;

use crate::oracle::{self, Nature};
use crate::scenario::Scenario;
use crate::vm::child::End;
use crate::vm::job::Log;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Kind of failure. Order: worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Killed by a signal of its own making: SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP.
    Crash,
    /// A Rust panic.
    Panic,
    /// An assertion of a debug build: it stops where the fault is, before the harm.
    Assertion,
    /// `Fatal Python error`.
    Fatal,
    /// A sanitizer's report.
    Sanitizer,
    /// A value that nothing in the scenario produced: memory read before it was written.
    Uninitialised,
    /// The object contradicts itself at rest.
    Corrupt,
    /// A reference count lower at rest than before.
    Refcount,
    /// Every thread sleeps and none can go on.
    Deadlock,
    /// No progress while a thread keeps running, or waits for time or input.
    Hang,
    /// Died in interpreter shutdown, all work done.
    ShutdownCrash,
    /// Hung in interpreter shutdown, all work done.
    ShutdownHang,
    /// Memory without bound.
    Memory,
    /// Output without bound.
    Flood,
    /// `SystemError` and its like.
    Internal,
    /// Two unordered accesses that only a sanitizer sees, and no crash.
    DataRace,
    /// Objects alive after the last reference is gone.
    Leak,
    /// An exception that no order raises.
    Exception,
    /// An outcome that no order gives.
    Outcome,
    /// The VM left without finishing: with an exit code, or ended by somebody else.
    Exit,
}

/// Begins the detail of what one thread did without the others.
pub const ALONE: &str = "in one thread: ";

impl Kind {
    /// All kinds, worst first.
    pub const ALL: [Self; 20] = [
        Self::Crash,
        Self::Panic,
        Self::Assertion,
        Self::Fatal,
        Self::Sanitizer,
        Self::Uninitialised,
        Self::Corrupt,
        Self::Refcount,
        Self::Deadlock,
        Self::Hang,
        Self::ShutdownCrash,
        Self::ShutdownHang,
        Self::Memory,
        Self::Flood,
        Self::Internal,
        Self::DataRace,
        Self::Leak,
        Self::Exception,
        Self::Outcome,
        Self::Exit,
    ];

    /// Stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Panic => "panic",
            Self::Assertion => "assertion",
            Self::Fatal => "fatal",
            Self::Sanitizer => "sanitizer",
            Self::Uninitialised => "uninitialised",
            Self::Corrupt => "corrupt",
            Self::Refcount => "refcount",
            Self::Deadlock => "deadlock",
            Self::Hang => "hang",
            Self::ShutdownCrash => "shutdown-crash",
            Self::ShutdownHang => "shutdown-hang",
            Self::Memory => "memory",
            Self::Flood => "flood",
            Self::Internal => "internal",
            Self::DataRace => "data-race",
            Self::Leak => "leak",
            Self::Exception => "exception",
            Self::Outcome => "outcome",
            Self::Exit => "exit",
        }
    }

    /// Whether what the VM said when it died names the place: that, not the operations, makes two one.
    pub fn names_place(self) -> bool {
        matches!(self, Self::Panic | Self::Assertion | Self::Sanitizer)
    }

    /// What in a verdict's detail tells one fault of this kind from another. Of a panic it is the source
    /// file and line: the numbers that follow (lengths, indices) differ from run to run.
    pub fn place(self, detail: &str) -> &str {
        if self != Self::Panic {
            return detail;
        }
        let detail = detail.strip_prefix(ALONE).unwrap_or(detail);
        detail.split_once(": ").map_or(detail, |(place, _)| place)
    }

    /// Whether the process ended by it, so that the scenario in flight is to blame.
    pub fn ends_process(self) -> bool {
        matches!(
            self,
            Self::Crash
                | Self::Panic
                | Self::Assertion
                | Self::Fatal
                | Self::Sanitizer
                | Self::Deadlock
                | Self::Hang
                | Self::ShutdownCrash
                | Self::ShutdownHang
                | Self::Memory
                | Self::Flood
                | Self::Exit
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

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

/// Name of a signal.
pub fn signal_name(signal: i32) -> String {
    nix::sys::signal::Signal::try_from(signal)
        .map_or_else(|_| format!("signal {signal}"), |s| s.as_str().to_owned())
}

/// Whether a process dies of this signal by its own fault; the others somebody sent.
fn ours(signal: i32) -> bool {
    use nix::sys::signal::Signal;
    let sent = [
        Signal::SIGKILL,
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGHUP,
        Signal::SIGQUIT,
    ];
    !sent.iter().any(|s| *s as i32 == signal)
}

/// What the end of a process says, `None` for a clean one and for one that a sanitizer's report
/// explains (see [`reported`]).
pub fn of_process(log: &Log) -> Option<Verdict> {
    let stderr = log.stderr();
    let verdict = |kind, detail: String| {
        Some(Verdict {
            kind,
            detail,
            outcome: None,
            count: 1,
            alone: false,
            report: None,
        })
    };
    if reported::explains_end(log) {
        return None;
    }
    match log.end() {
        End::Interrupted => None,
        End::Memory => verdict(Kind::Memory, "memory use passed the limit".into()),
        End::Flood => verdict(Kind::Flood, "output passed the limit".into()),
        End::Hang => {
            let autopsy = log
                .outcome
                .as_ref()
                .and_then(|o| o.hang.clone())
                .unwrap_or_default();
            let what = stack::hang(&autopsy, stderr);
            if log.finished {
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
        End::Exit(0) if log.finished => None,
        _ if stack::panic(stderr).is_some() => {
            verdict(Kind::Panic, stack::panic(stderr).unwrap_or_default())
        }
        End::Signal(signal) if !ours(signal) => verdict(
            Kind::Exit,
            format!(
                "{} from outside, as the kernel sends when memory runs out",
                signal_name(signal)
            ),
        ),
        End::Signal(signal) => {
            let name = signal_name(signal);
            if let Some(assertion) = stack::assertion(stderr) {
                return verdict(
                    if log.finished {
                        Kind::ShutdownCrash
                    } else {
                        Kind::Assertion
                    },
                    assertion,
                );
            }
            if let Some(fatal) = stack::fatal(stderr) {
                return verdict(
                    if log.finished {
                        Kind::ShutdownCrash
                    } else {
                        Kind::Fatal
                    },
                    fatal,
                );
            }
            let kind = if log.finished {
                Kind::ShutdownCrash
            } else {
                Kind::Crash
            };
            verdict(
                kind,
                stack::last_words(stderr)
                    .map_or_else(|| name.clone(), |words| format!("{name}: {words}")),
            )
        }
        End::Exit(code) => {
            let words = stack::last_words(stderr).unwrap_or_else(|| "no message".into());
            let kind = if log.finished {
                Kind::ShutdownCrash
            } else {
                Kind::Exit
            };
            verdict(kind, format!("exit code {code}: {words}"))
        }
    }
}

/// What a history says: violations seen from inside and unexplained outcomes, one verdict a kind.
pub fn of_history(
    history: &crate::history::History,
    scenario: &Scenario,
    complete_orders: bool,
) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = Vec::new();
    let mut add = |v: Verdict| {
        if !verdicts.iter().any(|w| w.kind == v.kind) {
            verdicts.push(v);
        }
    };
    for v in &history.violations {
        let kind = match v.kind.as_str() {
            "corrupt" | "broken" => Kind::Corrupt,
            "refcount" => Kind::Refcount,
            "leak" => Kind::Leak,
            _ => Kind::Internal,
        };
        add(Verdict {
            kind,
            detail: v.detail.trim_start_matches('!').to_owned(),
            outcome: None,
            count: 1,
            alone: false,
            report: None,
        });
    }
    for u in oracle::unexplained(history, &scenario.context.raises) {
        let (kind, detail) = match &u.nature {
            Nature::Internal(e) => (Kind::Internal, format!("raised {e}")),
            Nature::Alien(what) => (Kind::Uninitialised, format!("a value from nowhere: {what}")),
            Nature::Exception(e) => (
                Kind::Exception,
                format!("raised {e}, which no order raises"),
            ),
            Nature::Order => (Kind::Outcome, format!("no order gives {}", u.outcome)),
        };
        let needs_order = matches!(u.nature, Nature::Order | Nature::Exception(_));
        if needs_order
            && (!complete_orders
                || oracle::by_design(history, &u.outcome, &scenario.context.raises))
        {
            continue;
        }
        add(Verdict {
            kind,
            detail,
            outcome: Some(u.outcome),
            count: u.count,
            alone: false,
            report: None,
        });
    }
    verdicts
}
