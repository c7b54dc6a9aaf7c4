//! One mark: the race that it is about, what was decided, and why.

use crate::finding::Finding;
use crate::identity::may_be_one;
use crate::triage::similar::place;
use crate::verdict::Kind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "state", content = "bug", rename_all = "kebab-case")]
pub enum State {
    /// Nothing yet; also takes an earlier mark back.
    New,
    /// It is this reported bug.
    Known(String),
    /// It stays as it is.
    Accepted,
    /// It is repaired: to be found again is news.
    Fixed,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.pad("new"),
            Self::Known(bug) => f.pad(&format!("known {bug}")),
            Self::Accepted => f.pad("accepted"),
            Self::Fixed => f.pad("fixed"),
        }
    }
}

/// By what a marked race is recognised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Race {
    /// Family of VMs.
    pub implementation: String,
    /// Subject.
    pub subject: String,
    /// Kind of failure; one fault shows as several that are alike.
    pub kind: Kind,
    /// Set of operations.
    pub operations: BTreeSet<String>,
    /// File and message of a panic.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
}

impl Race {
    /// Of a finding.
    pub fn of(finding: &Finding) -> Self {
        Self {
            implementation: finding.facts.implementation.clone(),
            subject: finding.subject.clone(),
            kind: finding.kind,
            operations: finding.scenario.operations().into_iter().collect(),
            place: place(finding),
        }
    }

    /// Whether two are one.
    pub fn is(&self, other: &Self) -> bool {
        may_be_one(self.kind, other.kind)
            && (
                &self.implementation,
                &self.subject,
                &self.operations,
                &self.place,
            ) == (
                &other.implementation,
                &other.subject,
                &other.operations,
                &other.place,
            )
    }
}

/// A mark.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mark {
    /// The finding's id when it was marked.
    pub id: String,
    /// What is marked.
    pub race: Race,
    /// What was decided.
    #[serde(flatten)]
    pub state: State,
    /// Why, in the words of who decided.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// VM and version it was marked on.
    pub vm: String,
    /// Marked fixed, and found again since: on which VM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<String>,
}

impl Mark {
    /// In one line.
    pub fn line(&self) -> String {
        let note = if self.note.is_empty() {
            String::new()
        } else {
            format!(" ({})", self.note)
        };
        match &self.again {
            Some(vm) => format!("{}{note}, BUT FOUND AGAIN on {vm}", self.state),
            None => format!("{}{note}", self.state),
        }
    }
}
