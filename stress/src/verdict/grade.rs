//! Grades: whether a verdict breaks a promise.
//!
//! Data races in user code must not corrupt the VM: crash, hang, fatal error, panic,
//! uninitialised memory, a wrong count or a leak is forbidden whatever the operations are.
//! An unexplained outcome is graded by what the documentation promises of the operations.

use super::{Kind, Verdict};
use crate::history::exception_type;
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
    if verdict.kind == Kind::Internal && is_python_s_own(&verdict.detail) {
        return (
            Grade::Interesting,
            "Python code raises this by itself, of what another thread changed meanwhile or of what the VM did: whose fault it is, is undecided".to_owned(),
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
    if verdict.kind == Kind::Exception && scenario.guarantee() == Guarantee::Composite {
        return (
            Grade::Interesting,
            format!(
                "no order raises it and the operations do not list it as caused by concurrency; one of them is several steps ({source})"
            ),
        );
    }
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

/// Whether an exception is one that Python code raises without a word of the VM: a failed assertion, and a
/// recursion that has no end because another thread closed a ring.
fn is_python_s_own(detail: &str) -> bool {
    let raised = detail.strip_prefix("raised ").unwrap_or(detail);
    ["AssertionError", "RecursionError"].contains(&exception_type(raised))
}

/// What a finding is once its script has run: a wrong value or count that neither a smaller scenario
/// (`reproduced`) nor the script showed again was seen once, and proves no broken promise. An end of the
/// process proves itself: something ended it.
pub fn seen_once(
    kind: Kind,
    grade: Grade,
    reproduced: bool,
    hits: u32,
    runs: u32,
) -> Option<(Grade, String)> {
    let doubtful = grade == Grade::Forbidden && !kind.ends_process() && !reproduced && hits == 0;
    (doubtful && runs > 0).then(|| {
        (
            Grade::Interesting,
            format!("seen once: neither the scenario alone nor its script (0 of {runs} runs) showed it again"),
        )
    })
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

    /// What Python code raises by itself blames nobody until bytecodes were asked.
    #[test]
    fn an_assertion_of_python_code_is_no_promise_of_the_vm() {
        let subject = &builtin::all()[0];
        let scenario = generate(subject, Limits::default(), &mut Seeded::new(1, &[]));
        let of = |detail: &str| {
            grade(
                &Verdict::new(Kind::Internal, detail.to_owned()),
                &scenario,
                None,
            )
            .0
        };
        assert_eq!(of("AssertionError: torn"), Grade::Interesting);
        assert_eq!(of("raised RecursionError"), Grade::Interesting);
        assert_eq!(of("SystemError: bad call"), Grade::Forbidden);
        assert_eq!(of("raised UnicodeDecodeError: x"), Grade::Forbidden);
    }

    #[test]
    fn what_was_never_seen_again_breaks_no_promise() {
        let of = |kind, reproduced, hits, runs| {
            seen_once(kind, Grade::Forbidden, reproduced, hits, runs).map(|(grade, _)| grade)
        };
        assert_eq!(of(Kind::Corrupt, false, 0, 2), Some(Grade::Interesting));
        for (kind, reproduced, hits, runs) in [
            (Kind::Corrupt, true, 0, 2),
            (Kind::Corrupt, false, 1, 2),
            (Kind::Corrupt, false, 0, 0),
            (Kind::Crash, false, 0, 2),
        ] {
            assert_eq!(
                of(kind, reproduced, hits, runs),
                None,
                "{kind} {hits} of {runs}"
            );
        }
    }
}
