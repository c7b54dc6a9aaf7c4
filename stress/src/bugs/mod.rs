//! Known race bugs of Python VMs: data and a short program each, run to their signature.
//!
//! A bug is `stress/bugs/VM/NUMBER-NAME.toml` with the program of the same name beside it.
//! The program is any `python FILE [SECONDS]`: it exits 1 after a line `hit: …` when it saw a
//! wrong outcome, 77 after `skip: …` when this VM lacks what it needs, 0 when nothing was
//! seen; a crash ends it by itself.

pub mod attribute;
mod catalogue;
mod files;
pub mod ident;
pub mod matrix;
pub mod record;
pub mod regression;
pub mod run;
pub mod stats;

pub use self::catalogue::{find, load, parse, shipped};

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a report turned out to be. Only [`Nature::Bug`] may be reported to anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nature {
    /// A fault of the VM.
    Bug,
    /// Documented as not safe: found, and no fault.
    Documented,
    /// Behaviour that the VM's authors allow.
    Allowed,
    /// Reported, and later found to be no fault at all.
    False,
    /// Its authors do not agree.
    Disputed,
    /// A fault of a library below the VM.
    Foreign,
}

/// Ways in which a bug shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// Ends by a signal.
    Crash,
    /// `Fatal Python error` or a failed assertion.
    Fatal,
    /// A Rust panic.
    Panic,
    /// No end.
    Hang,
    /// A result that no order explains.
    Wrong,
    /// An exception that no order raises.
    Exception,
    /// Memory that is never given back.
    Leak,
    /// A data race that only a sanitizer sees.
    Race,
}

/// What raw output of the bug has in common from run to run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signature {
    /// Functions seen on any thread's native stack at the crash.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<String>,
    /// Functions of which one is innermost in a sanitizer's report of this race.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub race: Vec<String>,
    /// Parts of messages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub text: Vec<String>,
}

/// What a measurement on a VM is expected to give again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It hit.
    Reproduced,
    /// The reports say fixed in this version, and it did not hit.
    Fixed,
    /// It did not hit, and nothing says why.
    NotReproduced,
    /// The VM lacks what the program needs.
    NotApplicable,
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Reproduced => "reproduced",
            Self::Fixed => "fixed",
            Self::NotReproduced => "not-reproduced",
            Self::NotApplicable => "not-applicable",
        })
    }
}

/// What was measured on one VM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// VM and version, as [`run::vm_name`] names it.
    pub vm: String,
    /// What came out.
    pub status: Status,
    /// Runs that hit.
    pub hits: u32,
    /// Runs.
    pub runs: u32,
    /// Time of all runs together, seconds.
    pub seconds: f64,
    /// Mean time to a hit, seconds; 0 without one.
    #[serde(default)]
    pub first_hit: f64,
    /// What the first hit looked like, or why nothing was run.
    #[serde(default)]
    pub seen: String,
}

/// A known bug.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bug {
    /// Repository of the report: `python/cpython`.
    pub repository: String,
    /// Number or name of the report there.
    pub number: String,
    /// Other reports of the same bug.
    #[serde(default)]
    pub also: Vec<serde_json::Value>,
    /// One line, in our words.
    pub title: String,
    /// Family of VMs: the implementation's name.
    pub vm: String,
    /// Part of the VM.
    pub category: String,
    /// The protocol it breaks, as `threadbare check` names it, where there is one.
    #[serde(default)]
    pub protocol: String,
    /// The protocol's mutant that is this fault in small, where the model has one.
    #[serde(default)]
    pub mutant: String,
    /// The mistake that it shares with others.
    #[serde(default)]
    pub pattern: String,
    /// What it turned out to be.
    pub nature: Nature,
    /// Versions said to have it.
    pub affected: String,
    /// Versions said to be without it.
    pub fixed: String,
    /// How it shows.
    pub failure: Vec<Failure>,
    /// Builds that show it: `release`, `debug`, `tsan`, `asan`.
    pub builds: Vec<String>,
    /// What the VM must have.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Other entries whose raw output cannot be told from this one's.
    #[serde(default)]
    pub same: Vec<String>,
    /// Where it was reported.
    pub source: String,
    /// What else a reader should know.
    #[serde(default)]
    pub note: String,
    /// How its output is recognised.
    #[serde(default)]
    pub signature: Signature,
    /// Measurements, one a VM.
    #[serde(default)]
    pub measured: Vec<Measured>,
    /// Path below `stress/bugs/` without its ending.
    #[serde(skip)]
    pub stem: String,
    /// The program.
    #[serde(skip)]
    pub program: String,
    /// What a debugger showed when the program crashed a VM, or empty.
    #[serde(skip)]
    pub crash: String,
}

impl Bug {
    /// `python/cpython#154130`.
    pub fn id(&self) -> String {
        format!("{}#{}", self.repository, self.number)
    }

    /// The last measurement on this VM.
    pub fn measured_on(&self, vm: &str) -> Option<&Measured> {
        self.measured.iter().find(|m| m.vm == vm)
    }

    /// Whether the bug shows on nothing but a sanitizer's build.
    pub fn race_only(&self) -> bool {
        self.failure == [Failure::Race]
    }
}

/// The catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BugsError {
    /// A file is not as the format wants it.
    #[error("{file}: {reason}")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A file or folder cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// No such bug.
    #[error("no bug '{asked}' in the catalogue; {near}`threadbare bugs` lists them")]
    Unknown {
        /// As the user named it.
        asked: String,
        /// Names like it, as half a sentence.
        near: String,
    },
}

/// One line of JSON output: the value with `schema`, `event` and, for a bug, its `id`.
///
/// # Panics
/// Never for the types of this crate: all of them serialise as objects.
pub fn json(event: &str, value: &impl Serialize) -> String {
    let mut value = serde_json::to_value(value).expect("an object of ours serialises");
    value["schema"] = matrix::SCHEMA.into();
    value["event"] = event.into();
    if let (Some(r), Some(n)) = (value["repository"].as_str(), value["number"].as_str()) {
        value["id"] = format!("{r}#{n}").into();
    }
    value.to_string()
}
