//! What may come of every named scenario, as data: `outcomes.tsv`, one line an outcome.
//!
//! An outcome is what the operations of a scenario answer and which thread ends which life. A scenario
//! states all of its own, each with a grade and a sentence, after jcstress; `tests/protocols.rs` holds the
//! file to what the explorer reaches ([`differences`]), so that a race that never happens is noticed.

use crate::engine::Outcomes;
use serde::Serialize;

/// What is thought of an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Some sequential order of the operations has it.
    Allowed,
    /// Right, and shows what the scheme is about: somebody's attempt fails, or work changes hands.
    Interesting,
    /// Never comes.
    Forbidden,
}

impl Grade {
    /// Its name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Interesting => "interesting",
            Self::Forbidden => "forbidden",
        }
    }
}

/// A stated outcome.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Outcome {
    /// The protocol.
    pub protocol: &'static str,
    /// Its scenario.
    pub scenario: &'static str,
    /// What is thought of it.
    pub grade: Grade,
    /// The outcome, as [`Entry::outcomes`](crate::catalogue::Entry::outcomes) tells it.
    pub outcome: &'static str,
    /// What it means.
    pub sentence: &'static str,
}

/// Every stated outcome, in the file's order.
///
/// # Panics
/// When the file, which is part of the program, is not as this reads it.
pub fn all() -> Vec<Outcome> {
    let lines = include_str!("../outcomes.tsv").lines().skip(1);
    lines.map(|line| parse(line).unwrap_or_else(|| panic!("outcomes.tsv: {line}"))).collect()
}

fn parse(line: &'static str) -> Option<Outcome> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [protocol, scenario, grade, outcome, sentence] = cells[..] else { return None };
    let grade = match grade {
        "allowed" => Grade::Allowed,
        "interesting" => Grade::Interesting,
        "forbidden" => Grade::Forbidden,
        _ => return None,
    };
    Some(Outcome { protocol, scenario, grade, outcome, sentence })
}

/// The stated outcomes of a scenario.
pub fn of(protocol: &str, scenario: &str) -> Vec<Outcome> {
    all().into_iter().filter(|s| s.protocol == protocol && s.scenario == scenario).collect()
}

/// What the stated outcomes of a scenario and those that were reached have against each other, as lines of
/// the file: nothing else may come, and nothing less.
pub fn differences(
    protocol: &str,
    scenario: &str,
    stated: &[Outcome],
    reached: &Outcomes,
) -> Vec<String> {
    let name = format!("{protocol}\t{scenario}");
    let mut wrong = Vec::new();
    for outcome in reached {
        match stated.iter().find(|s| s.outcome == outcome) {
            None => wrong.push(format!("not stated:\t{name}\tallowed\t{outcome}\t")),
            Some(s) if s.grade == Grade::Forbidden => {
                wrong.push(format!("forbidden, and reached:\t{name}\t\t{outcome}"));
            }
            Some(_) => {}
        }
    }
    for s in stated.iter().filter(|s| s.grade != Grade::Forbidden) {
        if !reached.contains(s.outcome) {
            wrong.push(format!("never reached:\t{name}\t\t{}", s.outcome));
        }
    }
    wrong
}
