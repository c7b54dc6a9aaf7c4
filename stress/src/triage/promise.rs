//! From a finding to the property of a protocol that it breaks, where a model has it.
//!
//! Two ways: the known bug that the finding shows names its protocol and mutant; else the subject
//! does, for the few types whose mechanism is modelled. Names are those of `threadbare check`;
//! a test of the program compares them with the models.

use super::known;
use crate::bugs::attribute::Attribution;
use crate::finding::Finding;
use crate::verdict::Kind;
use crate::verdict::grade::Grade;
use serde::Serialize;

/// A property of a protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Promise {
    /// Protocol, as `threadbare check` names it.
    pub protocol: String,
    /// Property, as `threadbare check` names it; empty where only the mutant is known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub property: String,
    /// What the property states.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub states: String,
    /// The protocol's mutant that is this fault in small, where one is known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mutant: String,
}

/// Subject, family of VMs, what was broken, and the property for it.
pub struct Row {
    /// Name of the subject up to the first dot or underscore; empty: any.
    pub subject: &'static str,
    /// Family of VMs.
    pub vm: &'static str,
    /// Kinds of failure.
    pub kinds: &'static [Kind],
    /// Protocol.
    pub protocol: &'static str,
    /// Property.
    pub property: &'static str,
    /// What it states.
    pub states: &'static str,
}

const MEMORY: &[Kind] = &[
    Kind::Crash,
    Kind::Assertion,
    Kind::Fatal,
    Kind::Uninitialised,
    Kind::Corrupt,
];
const ORDER: &[Kind] = &[Kind::Outcome, Kind::Exception];

/// The table; the first row that fits counts.
pub const ROWS: &[Row] = &[
    Row {
        subject: "list",
        vm: "cpython",
        kinds: MEMORY,
        protocol: "optimistic-list",
        property: "L3",
        states: "no access outside an array, none to a freed array, no torn item",
    },
    Row {
        subject: "list",
        vm: "cpython",
        kinds: ORDER,
        protocol: "optimistic-list",
        property: "L1",
        states: "results are those of some sequential order: every item was in its place",
    },
    Row {
        subject: "weakref",
        vm: "cpython",
        kinds: MEMORY,
        protocol: "weakref-biased",
        property: "W1",
        states: "an upgrade gives a live object or nothing, and touches no freed memory",
    },
    Row {
        subject: "weakref",
        vm: "rustpython",
        kinds: MEMORY,
        protocol: "weakref-atomic",
        property: "W1",
        states: "an upgrade gives a live object or nothing, and touches no freed memory",
    },
    Row {
        subject: "",
        vm: "cpython",
        kinds: &[Kind::Refcount],
        protocol: "biased",
        property: "B1",
        states: "local + shared equals the references whenever no operation is under way",
    },
    Row {
        subject: "",
        vm: "rustpython",
        kinds: &[Kind::Refcount, Kind::Leak],
        protocol: "atomic",
        property: "R3",
        states: "at quiescence the count equals the references; none left means freed",
    },
];

/// The property that a finding breaks, as far as it is known.
pub fn of(finding: &Finding, attribution: &Attribution) -> Option<Promise> {
    if let Attribution::Known { best } = attribution
        && let Some(bug) = known::catalogue().iter().find(|b| b.id() == best.id)
        && !bug.protocol.is_empty()
    {
        return Some(Promise {
            protocol: bug.protocol.clone(),
            property: String::new(),
            states: String::new(),
            mutant: bug.mutant.clone(),
        });
    }
    let base = finding.subject.split(['.', '_']).next().unwrap_or("");
    ROWS.iter()
        .find(|row| {
            (row.subject.is_empty() || row.subject == base)
                && row.vm == finding.facts.implementation
                && row.kinds.contains(&finding.kind)
                // Where nothing is promised, no property is broken.
                && finding.grade == Grade::Forbidden
                // A VM with a GIL has no optimistic reads and no biased counts.
                && !finding.facts.has_gil()
        })
        .map(|row| Promise {
            protocol: row.protocol.to_owned(),
            property: row.property.to_owned(),
            states: row.states.to_owned(),
            mutant: String::new(),
        })
}

impl Promise {
    /// In one line, with the command that shows the model.
    pub fn line(&self) -> String {
        let mut text = format!("protocol {}", self.protocol);
        if !self.property.is_empty() {
            text += &format!(", property {}: {}", self.property, self.states);
        }
        if !self.mutant.is_empty() {
            text += &format!("; in small, mutant {}", self.mutant);
        }
        let mutants = if self.mutant.is_empty() {
            ""
        } else {
            " --mutants"
        };
        text + &format!(" (threadbare check {}{mutants})", self.protocol)
    }
}
