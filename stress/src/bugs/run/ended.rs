//! How a run of a bug's program ended, and what of it a signature can tell.

use crate::bugs::Failure;
use crate::bugs::signature::{Shown, pair, panicking};
use crate::verdict::{from_outside, innermost, sanitizer, signal_name, stack};
use crate::vm::child::{End, Outcome};
use serde::Serialize;

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
    /// A sanitizer's report of a data race: the innermost functions.
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

    /// Whether it did not end.
    pub fn is_hang(&self) -> bool {
        matches!(self, Self::Hang(_))
    }

    /// In which way it failed, if it did.
    pub fn failure(&self) -> Option<Failure> {
        Some(match self {
            Self::Crash(_) => Failure::Crash,
            Self::Fatal(_) => Failure::Fatal,
            Self::Panic(_) => Failure::Panic,
            Self::Hang(_) => Failure::Hang,
            Self::Wrong(_) => Failure::Wrong,
            Self::Memory => Failure::Leak,
            Self::Race(_) => Failure::Race,
            Self::Clean | Self::Skip(_) | Self::Broken(_) | Self::Interrupted => return None,
        })
    }

    /// What of this end and its raw output a signature can tell; `native` is a debugger's text on the
    /// crash.
    pub fn shown(&self, outcome: &Outcome, native: Option<&str>) -> Shown {
        let mut failure = self.failure();
        let stacks = match (self, native) {
            // The program may tell of a child that crashed: the crash is what happened.
            (Self::Crash(_) | Self::Fatal(_) | Self::Wrong(_), Some(text)) => {
                failure = failure.map(|f| {
                    if f == Failure::Wrong {
                        Failure::Crash
                    } else {
                        f
                    }
                });
                innermost(text, true)
            }
            (Self::Hang(_), _) => outcome
                .hang
                .as_ref()
                .map_or_else(Vec::new, |autopsy| innermost(&autopsy.backtrace, false)),
            (Self::Panic(_), _) => panicking(&outcome.stderr),
            _ => Vec::new(),
        };
        Shown {
            failure,
            stacks,
            races: sanitizer::parse(&outcome.stderr)
                .iter()
                .filter_map(pair)
                .collect(),
            words: self.line(),
        }
    }
}

/// How a program ended that keeps to the convention of [`crate::bugs`]: `hit:` and 1, `skip:` and 77, 0.
pub fn how(outcome: &Outcome) -> Ended {
    let stderr = outcome.stderr.as_str();
    let said = |mark: &str| {
        let line = outcome.stdout.iter().find_map(|l| l.strip_prefix(mark));
        line.map(|l| l.trim().to_owned())
    };
    if outcome.end == End::Interrupted {
        return Ended::Interrupted;
    }
    if let Some(why) = from_outside(outcome) {
        return Ended::Broken(why);
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
