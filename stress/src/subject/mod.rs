//! Subjects: the Python types and modules under test, with their operations.
//!
//! The format is described in `README.md` beside this file; the families that come with
//! the program are listed in [`builtin`].

pub mod builtin;
pub mod introspect;

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

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
    /// What values may become.
    pub flavours: Vec<Flavour>,
    /// What keys may become.
    pub keys: Vec<Flavour>,
    /// Operations run Python code in the middle.
    pub callbacks: bool,
    /// Keeps objects alive by design.
    pub keeps: bool,
    /// `t` strides, `s` shared slot.
    pub shapes: String,
    /// Largest stride.
    pub size: usize,
    /// Where the guarantees are documented.
    pub source: String,
    /// The operations.
    pub ops: Vec<Op>,
    /// Exceptions (name, or `name: message prefix`) that concurrency may cause by design.
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    subject: Vec<RawSubject>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSubject {
    name: String,
    doc: String,
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default)]
    prelude: String,
    make: Vec<String>,
    #[serde(rename = "final")]
    observe: String,
    check: Option<String>,
    #[serde(default = "default_flavours")]
    flavours: Vec<Flavour>,
    #[serde(default = "default_keys")]
    keys: Vec<Flavour>,
    #[serde(default)]
    callbacks: bool,
    #[serde(default)]
    keeps: bool,
    #[serde(default = "default_shapes")]
    shapes: String,
    #[serde(default = "default_size")]
    size: usize,
    #[serde(default)]
    source: String,
    #[serde(default)]
    atomic: Vec<String>,
    #[serde(default)]
    silent: Vec<String>,
    #[serde(default)]
    composite: Vec<String>,
    #[serde(default)]
    raises: Vec<String>,
}

fn default_flavours() -> Vec<Flavour> {
    vec![Flavour::Small, Flavour::Int, Flavour::Str, Flavour::Tok]
}

fn default_keys() -> Vec<Flavour> {
    vec![Flavour::Small, Flavour::Int, Flavour::Str]
}

fn default_shapes() -> String {
    "ts".to_owned()
}

fn default_size() -> usize {
    3000
}

/// Parses a subject file; `origin` names it in errors.
pub fn parse(origin: &str, text: &str) -> Result<Vec<Subject>, SubjectError> {
    let fail = |message: String| SubjectError::Format {
        origin: origin.to_owned(),
        message,
    };
    let file: RawFile = toml::from_str(text).map_err(|e| fail(e.to_string()))?;
    file.subject
        .into_iter()
        .map(|raw| Subject::from_raw(raw).map_err(fail))
        .collect()
}

/// Reads a subject file of the user's.
pub fn load(path: &Path) -> Result<Vec<Subject>, SubjectError> {
    let text = std::fs::read_to_string(path).map_err(|source| SubjectError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(&path.display().to_string(), &text)
}

impl Subject {
    fn from_raw(raw: RawSubject) -> Result<Self, String> {
        let name = raw.name;
        let groups = [
            (Guarantee::Atomic, raw.atomic),
            (Guarantee::Silent, raw.silent),
            (Guarantee::Composite, raw.composite),
        ];
        let ops: Vec<Op> = groups
            .into_iter()
            .flat_map(|(guarantee, texts)| texts.into_iter().map(move |t| Op::parse(&t, guarantee)))
            .collect();
        if ops.is_empty() {
            return Err(format!("subject '{name}' has no operations"));
        }
        if let Some(op) = ops
            .iter()
            .find(|op| op.code.is_empty() || op.code.contains('\n'))
        {
            return Err(format!(
                "subject '{name}': an operation must be one non-empty line, not {:?}",
                op.code
            ));
        }
        if raw.make.is_empty() {
            return Err(format!("subject '{name}' has no set-up ('make')"));
        }
        if raw.flavours.is_empty() || raw.keys.is_empty() {
            return Err(format!(
                "subject '{name}' has an empty list of flavours or keys"
            ));
        }
        if raw.shapes.is_empty() || raw.shapes.chars().any(|c| !"ts".contains(c)) {
            return Err(format!(
                "subject '{name}': shapes must be 't', 's' or 'ts', not '{}'",
                raw.shapes
            ));
        }
        if raw.size == 0 {
            return Err(format!("subject '{name}': size must be at least 1"));
        }
        if ops.iter().any(|op| op.guarantee == Guarantee::Atomic) && raw.source.is_empty() {
            return Err(format!(
                "subject '{name}' calls operations atomic without a source"
            ));
        }
        Ok(Self {
            name,
            doc: raw.doc,
            requires: raw.requires,
            prelude: raw.prelude,
            make: raw.make,
            observe: raw.observe,
            check: raw.check,
            flavours: raw.flavours,
            keys: raw.keys,
            callbacks: raw.callbacks,
            keeps: raw.keeps,
            shapes: raw.shapes,
            size: raw.size,
            source: raw.source,
            ops,
            raises: raw.raises,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = r#"
[[subject]]
name = "list"
doc = "d"
make = ["[]"]
final = "tuple(o)"
source = "s"
atomic = ["o.append({v})", "do: del o[{i}]", "run: o.copy()"]
"#;

    #[test]
    fn notation_of_operations() {
        let list = &parse("t", LIST).unwrap()[0];
        let forms: Vec<_> = list
            .ops
            .iter()
            .map(|op| (op.form, op.code.as_str()))
            .collect();
        assert_eq!(
            forms,
            [
                (Form::Get, "o.append({v})"),
                (Form::Do, "del o[{i}]"),
                (Form::Run, "o.copy()")
            ]
        );
    }

    #[test]
    fn errors_name_the_subject_and_the_field() {
        for (from, to, message) in [
            ("atomic", "atmic", "unknown field"),
            ("source = \"s\"", "", "without a source"),
            ("make = [\"[]\"]", "make = []", "no set-up"),
            (
                "doc = \"d\"",
                "doc = \"d\"\nshapes = \"x\"",
                "shapes must be",
            ),
        ] {
            let error = parse("t.toml", &LIST.replace(from, to))
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(message) && error.starts_with("t.toml"),
                "{error}"
            );
        }
    }
}
