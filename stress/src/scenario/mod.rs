//! Scenarios: small concurrent programs on one shared object.

pub mod company;
pub mod generate;
pub mod minimise;
pub mod orders;
pub mod render;
pub mod threads;
pub mod tuning;

use self::company::Company;
pub use crate::subject::Shape;
use crate::subject::{Form, Guarantee, Subject};
use serde::{Deserialize, Serialize};
use std::fmt;

/// One operation with its arguments filled in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Call {
    /// Python code.
    pub code: String,
    /// The operation it came from, with placeholders; what signatures name.
    pub op: String,
    /// Expression, statement or dropped expression.
    pub form: Form,
    /// What the documentation promises.
    pub guarantee: Guarantee,
    /// Exceptions that concurrency may cause in it by design; `None`: those of its subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raises: Option<Vec<String>>,
}

/// Names of what starts a thread or a process.
const STARTS: &[&str] = &[
    "Thread(",
    "start_new",
    "start_joinable",
    "Timer(",
    "Executor",
    "subprocess",
    "fork(",
    "run_string",
];

/// The parts of a subject that a scenario needs to run on its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Context {
    /// Name of the subject.
    pub subject: String,
    /// Modules that must import.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Python run once before anything else.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prelude: String,
    /// Expression that observes `o` at rest.
    pub observe: String,
    /// Expression that must be `True` at rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Statement that resets what the whole module shares; runs before each round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset: Option<String>,
    /// Exceptions that concurrency may cause by design.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub raises: Vec<String>,
    /// Keeps objects alive by design: no leak and count check.
    pub keeps: bool,
    /// Operations run Python code in the middle.
    pub callbacks: bool,
    /// Largest stride.
    pub size: usize,
    /// Where the guarantees are documented.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
}

/// A scenario: threads that each call a few operations on one fresh object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scenario {
    /// Expression that builds the object.
    pub make: String,
    /// Calls of each thread, in program order.
    pub threads: Vec<Vec<Call>>,
    /// Shapes to run it in.
    pub shapes: Vec<Shape>,
    /// What runs beside it, and the modes that the VM is in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub company: Vec<Company>,
    /// What the subject contributes.
    pub context: Context,
}

impl Scenario {
    /// A scenario over the subject's fixed parts.
    pub fn new(subject: &Subject, make: String, threads: Vec<Vec<Call>>) -> Self {
        let shapes = subject.shapes.chars().filter_map(Shape::of).collect();
        Self {
            make,
            threads,
            shapes,
            company: Vec::new(),
            context: Context {
                subject: subject.name.clone(),
                requires: subject.requires.clone(),
                prelude: subject.prelude.clone(),
                observe: subject.observe.clone(),
                check: subject.check.clone(),
                reset: subject.reset.clone(),
                raises: subject.raises.clone(),
                keeps: subject.keeps,
                callbacks: subject.callbacks,
                size: subject.size,
                source: subject.source.clone(),
            },
        }
    }

    /// All calls, thread by thread.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.threads.iter().flatten()
    }

    /// Exceptions that concurrency may cause by design, call by call, thread by thread.
    pub fn raises(&self) -> Vec<&[String]> {
        self.calls()
            .map(|c| c.raises.as_deref().unwrap_or(&self.context.raises))
            .collect()
    }

    /// Whether outcomes are compared with those of the sequential orders.
    pub fn has_outcomes(&self) -> bool {
        self.shapes.contains(&Shape::Stride) || self.shapes.contains(&Shape::Process)
    }

    /// Whether all that it needs is one fresh object: no table that is reset, no process of its own, no wait
    /// in the middle of an operation.
    pub fn is_of_one_object(&self) -> bool {
        let plain = |s: &Shape| matches!(s, Shape::Stride | Shape::Slot);
        self.context.reset.is_none() && self.shapes.iter().all(plain)
    }

    /// Whether, as far as names in its code tell, operations start threads or processes, or each trial is a process: they
    /// run where their starter may, so a starter that is bound to one processor would have them all take turns on it.
    pub fn starts_threads(&self) -> bool {
        let context = &self.context;
        let codes = [&context.prelude, &context.observe, &self.make].into_iter();
        let mut codes = codes
            .chain(&context.check)
            .chain(self.calls().map(|c| &c.code));
        self.shapes.contains(&Shape::Process)
            || codes.any(|code| STARTS.iter().any(|name| code.contains(name)))
    }

    /// Number of operations of each thread.
    pub fn lens(&self) -> Vec<usize> {
        self.threads.iter().map(Vec::len).collect()
    }

    /// The strongest statement that holds for every operation: one composite operation
    /// makes the outcome of the whole scenario composite.
    pub fn guarantee(&self) -> Guarantee {
        self.calls()
            .map(|c| c.guarantee)
            .min()
            .unwrap_or(Guarantee::Composite)
    }

    /// The operations' templates, sorted: the part of a signature that names what raced.
    pub fn operations(&self) -> Vec<String> {
        let mut ops: Vec<String> = self.calls().map(|c| c.op.clone()).collect();
        ops.sort();
        ops
    }

    /// Values that only exist as fresh objects, so that outcomes must be compared as text.
    pub fn has_fresh_objects(&self) -> bool {
        self.make.contains("Tok(") || self.calls().any(|c| c.code.contains("Tok("))
    }

    /// Long-lived objects whose reference counts can be checked at rest.
    pub fn has_tokens(&self) -> bool {
        self.make.contains("V[") || self.calls().any(|c| c.code.contains("V["))
    }

    /// Stable hash of everything that matters for a run.
    pub fn hash(&self) -> u64 {
        let text = serde_json::to_string(self).expect("a scenario serialises");
        crate::stable_hash(&text)
    }

    /// Text form: TOML, readable and complete; [`Scenario::from_text`] reads it back.
    pub fn to_text(&self) -> String {
        toml::to_string(self).expect("a scenario serialises")
    }

    /// Reads the text form.
    pub fn from_text(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

impl fmt::Display for Scenario {
    /// `o = [1, 2]: o.append(3); o.pop() || o.clear() (beside forks)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "o = {}: ", self.make)?;
        for (t, calls) in self.threads.iter().enumerate() {
            if t > 0 {
                f.write_str(" || ")?;
            }
            let codes: Vec<&str> = calls.iter().map(|c| c.code.as_str()).collect();
            f.write_str(&codes.join("; "))?;
        }
        if !self.company.is_empty() {
            write!(f, " ({})", company::words(&self.company))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::parse;

    #[test]
    fn what_starts_threads_is_seen_by_its_names_and_by_its_shape() {
        let of = |prelude: &str, op: &str, shapes: &str| {
            let text = format!(
                "[[subject]]\nname = \"a\"\ndoc = \"d\"\nprelude = \"{prelude}\"\nmake = [\"[]\"]\nfinal = \"o\"\nshapes = \"{shapes}\"\nsilent = [\"{op}\"]\n"
            );
            let subject = parse("a test", &text).unwrap().remove(0);
            let call = Call {
                code: op.to_owned(),
                op: op.to_owned(),
                form: Form::Get,
                guarantee: Guarantee::Silent,
                raises: None,
            };
            Scenario::new(&subject, "[]".to_owned(), vec![vec![call]]).starts_threads()
        };
        assert!(!of("import threading", "o.append(1)", "ts"));
        assert!(of(
            "import threading",
            "threading.Thread(target=int).start()",
            "ts"
        ));
        assert!(of("def f(): os.fork()", "o.append(1)", "ts"));
        assert!(of("", "o.append(1)", "p"));
    }
}
