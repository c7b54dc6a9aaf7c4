//! How a run of a bug's program ended, and whether that is the bug.

use crate::bugs::{Bug, Failure};
use crate::verdict::{signal_name, stack};
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

/// What a child's end says about this bug.
pub fn ended(bug: &Bug, outcome: &Outcome) -> Ended {
    match race(bug, &outcome.stderr) {
        Some(race) if outcome.end != End::Interrupted => Ended::Race(race),
        _ => how(outcome),
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
    crate::bugs::attribute::races(stderr)
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
