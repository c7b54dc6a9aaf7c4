//! One mark: the race that it is about, what was decided, and why.

use crate::finding::Finding;
use crate::identity::{Failure, Operations, Place, Same, may_be_one, same};
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
    /// Operations thread by thread; empty in marks of before they were kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<Vec<String>>,
    /// Innermost frames of a crash, where they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<String>,
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
            within: Operations::of(&finding.scenario).within,
            frames: finding.place.frames.clone(),
            place: place(finding),
        }
    }

    /// Whether two are one: by [`same()`], without what moves from release to release. Of a mark of before
    /// threads were kept only the set of operations is known.
    pub fn is(&self, other: &Self) -> bool {
        let of = |race: &Self| {
            (
                race.implementation.clone(),
                race.subject.clone(),
                race.place.clone(),
            )
        };
        if of(self) != of(other) || !may_be_one(self.kind, other.kind) {
            return false;
        }
        if self.within.is_empty() || other.within.is_empty() {
            return self.operations == other.operations;
        }
        match same(&self.failure(), &other.failure()) {
            Same::Yes => true,
            Same::No => false,
            // Many operations say too little of where, unless they are the very same.
            Same::Unknown => self.within == other.within,
        }
    }

    fn failure(&self) -> Failure {
        let operations = Operations {
            within: self.within.clone(),
            ..Operations::default()
        };
        Failure {
            kind: self.kind,
            place: Place {
                frames: self.frames.clone(),
                operations,
                ..Place::default()
            },
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn race(kind: Kind, threads: &[&[&str]], frames: &[&str]) -> Race {
        let list = |ops: &[&str]| ops.iter().map(|&o| o.to_owned()).collect::<Vec<String>>();
        Race {
            implementation: "cpython".into(),
            subject: "s".into(),
            kind,
            operations: threads.iter().flat_map(|t| list(t)).collect(),
            within: threads.iter().map(|t| list(t)).collect(),
            frames: list(frames),
            place: String::new(),
        }
    }

    #[test]
    fn the_same_operations_in_other_threads_are_another_race() {
        let one = race(Kind::Crash, &[&["close", "write"], &["init"]], &[]);
        let other = race(Kind::Crash, &[&["write"], &["close", "init"]], &[]);
        assert!(one.is(&one) && other.is(&other) && !one.is(&other) && !other.is(&one));
        assert_eq!(one.operations, other.operations);
        let old = Race {
            within: Vec::new(),
            ..one.clone()
        };
        assert!(old.is(&one) && old.is(&other), "it knows no more");
    }

    #[test]
    fn a_mark_is_about_a_place() {
        let of = |frames: &[&str]| race(Kind::Crash, &[&["append"], &["pop"]], frames);
        assert!(of(&["list_resize"]).is(&of(&["list_resize", "list_append"])));
        assert!(!of(&["list_resize"]).is(&of(&["list_slice"])));
        assert!(of(&["list_resize"]).is(&of(&[])), "by their operations");
        let many: &[&[&str]] = &[&["a", "b", "c"], &["d", "e", "f"]];
        let storm = race(Kind::Crash, many, &[]);
        assert!(storm.is(&storm));
        assert!(!storm.is(&race(Kind::Outcome, many, &[])));
    }
}
