//! Grades: whether a verdict breaks a promise.
//!
//! Data races in user code must not corrupt the VM: crash, hang, fatal error, panic,
//! uninitialised memory, a wrong count or a leak is forbidden whatever the operations are.
//! An unexplained outcome is graded by what the documentation promises of the operations.

use super::{Kind, Verdict};
use crate::scenario::Scenario;
use crate::subject::Guarantee;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How bad a verdict is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Breaks a promise.
    Forbidden,
    /// The documentation is silent.
    Interesting,
    /// Found and kept, but this VM promises nothing here.
    OutsidePromise,
    /// Documented as possible; counted only.
    Accepted,
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Forbidden => "forbidden",
            Self::Interesting => "interesting",
            Self::OutsidePromise => "outside the VM's promise",
            Self::Accepted => "accepted",
        })
    }
}

/// Grades a verdict and says why. `no_promise` is the VM's reason for promising nothing.
pub fn grade(verdict: &Verdict, scenario: &Scenario, no_promise: Option<&str>) -> (Grade, String) {
    if let Some(reason) = no_promise {
        return (Grade::OutsidePromise, reason.to_owned());
    }
    if verdict.alone {
        return (
            Grade::Interesting,
            "it happens in one thread: a fault of the VM or of the operation, and no race"
                .to_owned(),
        );
    }
    if verdict.kind == Kind::DataRace {
        let atomic = verdict.report.as_ref().is_some_and(|r| {
            r.sides()
                .iter()
                .any(|s| s.head.to_lowercase().contains("atomic"))
        });
        let sides = if atomic {
            "one side is atomic and the other is not"
        } else {
            "neither side is atomic"
        };
        return (
            Grade::Forbidden,
            format!(
                "two accesses to one place in the VM's memory without order, one of them a write; {sides}: undefined behaviour (C11 5.1.2.4, paragraph 25)"
            ),
        );
    }
    if !matches!(verdict.kind, Kind::Outcome | Kind::Exception) {
        return (
            Grade::Forbidden,
            "data races in a program must not corrupt the VM, stop it or leak".to_owned(),
        );
    }
    let source = if scenario.context.source.is_empty() {
        "no source"
    } else {
        &scenario.context.source
    };
    match scenario.guarantee() {
        Guarantee::Atomic => (
            Grade::Forbidden,
            format!("every operation is documented as atomic, so some order must explain the outcome ({source})"),
        ),
        Guarantee::Silent => (
            Grade::Interesting,
            "no sequential order explains the outcome; the documentation says nothing about these operations".to_owned(),
        ),
        Guarantee::Composite => (
            Grade::Accepted,
            format!("an operation is several steps or documented as not atomic ({source})"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::Seeded;
    use crate::scenario::generate::{Limits, generate};
    use crate::subject::builtin;

    #[test]
    fn a_data_race_is_undefined_behaviour_and_a_crash_is_not_allowed() {
        let subject = &builtin::all()[0];
        let scenario = generate(subject, Limits::default(), &mut Seeded::new(1, &[]));
        let why = |kind| {
            let verdict = Verdict::new(kind, String::new());
            let (grade, why) = grade(&verdict, &scenario, None);
            assert_eq!(grade, Grade::Forbidden);
            why
        };
        assert!(why(Kind::DataRace).contains("neither side is atomic"));
        assert!(why(Kind::Crash).contains("must not corrupt"));
    }
}
