//! Known race bugs of Python VMs: data and a short program each, run to their signature.
//!
//! A bug is `stress/bugs/VM/NUMBER-NAME.toml` with the program of the same name beside it.
//! The program is any `python FILE [SECONDS]`: it exits 1 after a line `hit: …` when it saw a
//! wrong outcome, 77 after `skip: …` when this VM lacks what it needs, 0 when nothing was
//! seen; a crash ends it by itself. Whether a failure is the bug, its [`Signature`] decides;
//! what the runs on a VM came to is a [`Status`], decided in [`status`].

pub mod attribute;
mod catalogue;
mod false_alarms;
pub mod ident;
pub mod matrix;
pub mod record;
pub mod regression;
pub mod run;
pub mod signature;
pub mod status;

pub use self::catalogue::{find, load, parse, shipped};
pub use self::false_alarms::false_alarms;
pub use self::signature::Signature;
pub use self::status::Status;

use crate::verdict::Kind;
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

impl Failure {
    /// The kind of verdict that it is.
    pub fn kind(self) -> Kind {
        match self {
            Self::Crash => Kind::Crash,
            Self::Fatal => Kind::Fatal,
            Self::Panic => Kind::Panic,
            Self::Hang => Kind::Hang,
            Self::Wrong => Kind::Outcome,
            Self::Exception => Kind::Exception,
            Self::Leak => Kind::Leak,
            Self::Race => Kind::DataRace,
        }
    }
}

/// What was measured on one VM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// VM and version, as [`Facts::title`](crate::vm::Facts::title) names it.
    pub vm: String,
    /// What came out.
    pub status: Status,
    /// Runs that ended in the bug's signature.
    pub hits: u32,
    /// Runs that failed in another way.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub others: u32,
    /// Runs.
    pub runs: u32,
    /// Time of all runs together, seconds.
    pub seconds: f64,
    /// [`Bug::identity`] of what was run; empty in rows of before it was kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub program: String,
    /// Mean time to a hit, seconds; 0 without one.
    #[serde(default)]
    pub first_hit: f64,
    /// What the first hit looked like, or why nothing was run.
    #[serde(default)]
    pub seen: String,
    /// What the first failure of another kind looked like.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub otherwise: String,
    /// Pairs of the signature that runs showed, kept since `program` is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub races: Vec<[String; 2]>,
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(n: &u32) -> bool {
    *n == 0
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
    /// Versions said to be without it, as the reports say it.
    pub fixed: String,
    /// Releases that first have the whole fix, one a series, in the numbering of [`Measured::vm`]; none where
    /// the reports name none, or number otherwise: an extension's releases, PyPy's own.
    #[serde(default)]
    pub fixed_in: Vec<String>,
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
    /// Faults that can be planted into the program, each of which its check must report.
    #[serde(default)]
    pub faults: Vec<String>,
    /// Why none can be planted.
    #[serde(default)]
    pub no_fault: String,
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
    /// The program, the kit in it.
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

    /// Tells two programs and what they are looked at for apart: hash of the program, its kit in it, of the ways
    /// in which the bug shows and of its signature.
    ///
    /// # Panics
    /// Never: all of it serialises.
    pub fn identity(&self) -> String {
        // Whether a pair is confirmed makes no difference to what is looked for.
        let mut pairs: Vec<&[String; 2]> = self.signature.pairs().collect();
        pairs.sort_unstable();
        let (frames, text) = (&self.signature.frames, &self.signature.text);
        let looked_for = serde_json::to_string(&(&self.failure, frames, pairs, text));
        let looked_for = looked_for.expect("a signature serialises");
        format!(
            "{:016x}",
            crate::stable_hash(&(self.program.clone() + &looked_for))
        )
    }

    /// Whether one of the ways in which it shows is a crash.
    pub fn crashes(&self) -> bool {
        [Failure::Crash, Failure::Fatal]
            .iter()
            .any(|f| self.failure.contains(f))
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
    #[error(
        "{path}: {source}; a catalogue is a folder of VM/NAME.toml with NAME.py beside each, and --record writes the .toml files"
    )]
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
