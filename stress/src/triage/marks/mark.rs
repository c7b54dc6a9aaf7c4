//! One mark: the race that it is about, what was decided, and why.

use crate::finding::Finding;
use crate::identity::{Failure, Operations, Place, kept_as_one, may_be_one};
use crate::triage::similar::lasting;
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

impl State {
    /// What was decided, without the bug.
    pub fn name(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Known(_) => "known",
            Self::Accepted => "accepted",
            Self::Fixed => "fixed",
        }
    }
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
    /// Its whole place, without what moves from release to release; `None` in marks of before it was kept, of which
    /// the next three are all that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Place>,
    /// Where the VM says where it died: its title, and the place with the line's number. `None` also in marks of before
    /// it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line: Option<(String, String)>,
    /// Operations thread by thread; empty in the oldest marks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    within: Vec<Vec<String>>,
    /// Innermost frames of a crash, where they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    frames: Vec<String>,
    /// File and message of a panic.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    place: String,
}

impl Race {
    /// Of a finding.
    pub fn of(finding: &Finding) -> Self {
        let mut at = finding.whole_place();
        let line = at.line.clone().map(|line| (finding.facts.title(), line));
        at.line = at.line.map(|_| lasting(finding.kind, &finding.detail));
        Self {
            implementation: finding.facts.implementation.clone(),
            subject: finding.subject.clone(),
            kind: finding.kind,
            operations: finding.scenario.operations().into_iter().collect(),
            at: Some(at),
            line,
            within: Vec::new(),
            frames: Vec::new(),
            place: String::new(),
        }
    }

    /// Whether two are one, as [`same()`](crate::identity::same) tells failures apart. A data race is one whatever
    /// the subject, for its report has no part in it. Two marks may be one with a third and not with each other, for
    /// each may know what the other does not.
    pub fn is(&self, other: &Self) -> bool {
        if self.implementation != other.implementation {
            return false;
        }
        let (Some(here), Some(there)) = (&self.at, &other.at) else {
            return self.before_places().is_by_less(&other.before_places());
        };
        let is_race = self.kind == Kind::DataRace && here.report.is_some();
        if self.subject != other.subject && !is_race {
            return false;
        }
        // From release to release lines move. Within one they tell places apart that say the same words.
        if let (Some((vm, line)), Some((other_vm, other_line))) = (&self.line, &other.line)
            && vm == other_vm
            && line != other_line
        {
            return false;
        }
        is_one((self.kind, here), (other.kind, there))
    }

    /// What a mark knew before places were kept.
    fn before_places(&self) -> Self {
        let Some(at) = &self.at else {
            return self.clone();
        };
        let panic = at.line.clone().filter(|_| self.kind == Kind::Panic);
        Self {
            at: None,
            line: None,
            within: at.operations.within.clone(),
            frames: at.frames.clone(),
            place: panic.unwrap_or_default(),
            ..self.clone()
        }
    }

    /// Of a mark of before threads were kept only the set of operations is known.
    fn is_by_less(&self, other: &Self) -> bool {
        if (&self.subject, &self.place) != (&other.subject, &other.place)
            || !may_be_one(self.kind, other.kind)
        {
            return false;
        }
        if self.within.is_empty() || other.within.is_empty() {
            return self.operations == other.operations;
        }
        let place = |race: &Self| Place {
            frames: race.frames.clone(),
            operations: Operations {
                within: race.within.clone(),
                ..Operations::default()
            },
            ..Place::default()
        };
        is_one((self.kind, &place(self)), (other.kind, &place(other)))
    }
}

fn is_one(one: (Kind, &Place), other: (Kind, &Place)) -> bool {
    let failure = |(kind, place): (Kind, &Place)| Failure {
        kind,
        place: place.clone(),
    };
    kept_as_one(&failure(one), &failure(other))
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
    /// Whether it calls a finding fixed that is there on another VM than it was marked on.
    pub fn is_refuted_by(&self, finding: &Finding) -> bool {
        self.state == State::Fixed && self.vm != finding.facts.title()
    }

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
            at: Some(Place {
                frames: list(frames),
                operations: Operations {
                    within: threads.iter().map(|t| list(t)).collect(),
                    ..Operations::default()
                },
                ..Place::default()
            }),
            line: None,
            within: Vec::new(),
            frames: Vec::new(),
            place: String::new(),
        }
    }

    /// A race with more known of its place.
    fn told(kind: Kind, place: impl FnOnce(&mut Place)) -> Race {
        let mut race = race(kind, &[&["append"], &["pop"]], &[]);
        place(race.at.as_mut().expect("it has one"));
        race
    }

    #[test]
    fn the_same_operations_in_other_threads_are_another_race() {
        let one = race(Kind::Crash, &[&["close", "write"], &["init"]], &[]);
        let other = race(Kind::Crash, &[&["write"], &["close", "init"]], &[]);
        assert!(one.is(&one) && other.is(&other) && !one.is(&other) && !other.is(&one));
        assert_eq!(one.operations, other.operations);
        let kept = one.before_places();
        assert!(kept.is(&one) && one.is(&kept) && !kept.is(&other) && !other.is(&kept));
        let oldest = Race {
            within: Vec::new(),
            ..kept
        };
        assert!(oldest.is(&one) && other.is(&oldest), "it knows no more");
    }

    /// A file of before places were kept is read, and its marks hold on.
    #[test]
    fn marks_of_before_places_were_kept_still_hold() {
        let old = r#"{"implementation": "cpython", "subject": "s", "kind": "data-race", "operations": ["append", "pop"],
                      "within": [["append"], ["pop"]]}"#;
        let old: Race = serde_json::from_str(old).unwrap();
        let now = told(Kind::DataRace, |p| p.report = Some("f / g".into()));
        assert!(old.is(&now) && now.is(&old));
        let other = race(Kind::DataRace, &[&["append"], &["sort"]], &[]);
        assert!(!old.is(&other) && !other.is(&old));
    }

    #[test]
    fn whatever_tells_failures_apart_tells_marks_apart() {
        let report = |r: &str| told(Kind::DataRace, |p| p.report = Some(r.into()));
        let result = |r: &str| told(Kind::Exception, |p| p.result = Some(r.into()));
        let alone = |a| told(Kind::Crash, |p| p.alone = Some(a));
        let computes = |c| told(Kind::Hang, |p| p.computes = Some(c));
        for (one, other) in [
            (report("f / g"), report("f / h")),
            (result("IndexError"), result("KeyError")),
            (alone(true), alone(false)),
            (computes(true), computes(false)),
        ] {
            assert!(one.is(&one) && other.is(&other), "{one:?}");
            assert!(!one.is(&other) && !other.is(&one), "{one:?}");
        }
        // What a data race's report says has no part of the subject's in it.
        let elsewhere = Race {
            subject: "t".into(),
            ..report("f / g")
        };
        assert!(report("f / g").is(&elsewhere) && !report("f / h").is(&elsewhere));
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
