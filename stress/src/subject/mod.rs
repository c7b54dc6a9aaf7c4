//! Subjects: the Python types and modules under test, with their operations.
//!
//! The format is described in `README.md` beside this file; the families that come with
//! the program are listed in [`builtin`].

pub mod builtin;
mod file;
mod shape;

pub use self::file::{load, parse};
pub use self::shape::Shape;

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What the VM's documentation promises of one operation beside others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Guarantee {
    /// Several steps, or documented as not atomic: outcomes are accepted and counted.
    Composite,
    /// The documentation says nothing: an unexplained outcome is interesting.
    Silent,
    /// Documented as atomic: an unexplained outcome is forbidden.
    Atomic,
}

/// How an operation is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// An expression whose value is the result.
    Get,
    /// A statement without a result.
    Do,
    /// An expression whose value is dropped.
    Run,
}

/// One operation of a subject, with placeholders.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Op {
    /// Python code with placeholders such as `{v}`.
    pub code: String,
    /// Expression, statement or dropped expression.
    pub form: Form,
    /// What the documentation promises.
    pub guarantee: Guarantee,
    /// Exceptions that concurrency may cause in it by design; `None`: those of its subject.
    pub raises: Option<Vec<String>>,
}

impl Op {
    /// Reads the notation of the data files: `do: …`, `run: …` or a plain expression.
    pub fn parse(text: &str, guarantee: Guarantee) -> Self {
        let (form, code) = if let Some(code) = text.strip_prefix("do:") {
            (Form::Do, code)
        } else if let Some(code) = text.strip_prefix("run:") {
            (Form::Run, code)
        } else {
            (Form::Get, text)
        };
        Self {
            code: code.trim().to_owned(),
            form,
            guarantee,
            raises: None,
        }
    }
}

/// What a placeholder value becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavour {
    /// A small integer constant.
    Small,
    /// A large integer, a new object at each use.
    Int,
    /// A string, a new object at each use.
    Str,
    /// A long-lived object whose reference count is checked at rest.
    Tok,
    /// A fresh object at each use; found alive at rest it is a leak.
    Obj,
}

/// A Python type or module under test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Unique name.
    pub name: String,
    /// What races here could show.
    pub doc: String,
    /// Modules that must import.
    pub requires: Vec<String>,
    /// Python run once before anything else.
    pub prelude: String,
    /// Expressions that build a fresh object.
    pub make: Vec<String>,
    /// Expression that observes `o` at rest.
    pub observe: String,
    /// Expression that must be `True` at rest.
    pub check: Option<String>,
    /// Statement that makes what the whole module shares as it was in the beginning; runs before each round.
    pub reset: Option<String>,
    /// What values may become.
    pub flavours: Vec<Flavour>,
    /// What keys may become.
    pub keys: Vec<Flavour>,
    /// Operations run Python code in the middle.
    pub callbacks: bool,
    /// Keeps objects alive by design.
    pub keeps: bool,
    /// `t` strides, `s` shared slot, `p` a process for each trial, `w` waits in the middle of operations.
    pub shapes: String,
    /// Whether scenarios may run in company.
    pub company: bool,
    /// Only the name is here: the rest is found by introspection, once it is its turn ([`crate::introspect`]).
    pub generic: bool,
    /// Largest stride.
    pub size: usize,
    /// Where the guarantees are documented.
    pub source: String,
    /// The operations.
    pub ops: Vec<Op>,
    /// Exceptions (name, or `name: message prefix`) that concurrency may cause by design, for
    /// operations that list none of their own.
    pub raises: Vec<String>,
}

/// A subject file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SubjectError {
    /// The file cannot be read.
    #[error("cannot read subject file {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The TOML does not have the shape described in `stress/src/subject/README.md`.
    #[error("{origin}: {message}")]
    Format {
        /// File or family.
        origin: String,
        /// What is wrong.
        message: String,
    },
    /// No subject of that name.
    #[error(
        "no subject matches '{name}'; `threadbare hunt --list-subjects` lists them, 'package.module:Type' names any type"
    )]
    Unknown {
        /// The name asked for.
        name: String,
    },
}
