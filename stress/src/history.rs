//! What one run of a scenario observed.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An outcome as text: what each operation gave, thread by thread, then the final state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Outcome(String);

impl Outcome {
    /// Of the text that the harness writes.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The slots' texts: `!Name: text` is an exception, `*` matches anything. Within a slot the
    /// separator is escaped.
    pub fn slots(&self) -> Vec<&str> {
        slots(&self.0).collect()
    }
}

/// The slots of an outcome's text.
pub fn slots(outcome: &str) -> impl Iterator<Item = &str> {
    outcome.split(" | ")
}

/// The type of an exception of which type and text are given, as in a slot without its mark.
pub fn exception_type(exception: &str) -> &str {
    exception.split(':').next().unwrap_or(exception)
}

/// Something the harness itself saw to be wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Violation {
    /// `corrupt`, `broken`, `refcount`, `leak`, `thread`, `alarm`, and `alone`: a check that is false
    /// after what one thread did.
    pub kind: String,
    /// What was seen.
    pub detail: String,
}

/// An outcome that only orders against real time give.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OutOfTime {
    /// The outcome as text.
    pub outcome: String,
    /// How often it was seen so.
    pub count: u64,
    /// What had ended when what began: `2.1 after 1.3` is operation 1 of thread 2 after operation 3 of thread 1.
    pub order: String,
}

/// The history of one scenario: the specification (sequential outcomes) and what was observed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Number of the scenario in its job.
    pub id: usize,
    /// Outcomes of sequential orders: of those that were run before the race, and of those that give
    /// what was observed.
    pub sequential: BTreeSet<String>,
    /// Exceptions that some operation raised in some order.
    #[serde(default)]
    pub raised: BTreeSet<String>,
    /// Observed ones that some order gives but for an exception by design.
    #[serde(default)]
    pub excused: BTreeSet<String>,
    /// Observed ones of which the time did not suffice to know whether some order gives them.
    #[serde(default)]
    pub undecided: BTreeSet<String>,
    /// Result slots that differ between two sequential passes and so match anything.
    pub free: Vec<usize>,
    /// Outcomes of the concurrent runs with their counts.
    pub outcomes: Vec<(String, u64)>,
    /// Those of them that some order gives, and none that keeps to what was recorded of real time.
    #[serde(default)]
    pub out_of_time: Vec<OutOfTime>,
    /// Seen from inside.
    pub violations: Vec<Violation>,
    /// Phase in which the scenario was last: empty (sequential), `stride`, `slot`, `process`, `wait`, `seq` (control).
    pub phase: String,
    /// Fresh objects used by every thread.
    pub runs: u64,
    /// Runs of which overlap was measured, and in which it happened.
    pub sampled: u64,
    /// Runs in which no thread had finished before another began.
    pub overlapped: u64,
    /// Turns on the shared slot.
    pub slot_turns: u64,
    /// Why the scenario cannot run on this VM.
    pub unsupported: Option<String>,
    /// Whether the scenario ended.
    pub complete: bool,
}

impl History {
    /// An empty history.
    pub fn new(id: usize) -> Self {
        Self {
            id,
            ..Self::default()
        }
    }

    /// Takes one record of the harness; a malformed one is ignored.
    pub fn record(&mut self, letter: &str, fields: &[&str]) {
        match (letter, fields) {
            ("Q", [outcome]) => {
                self.sequential.insert((*outcome).to_owned());
            }
            ("A", [exception]) => {
                self.raised.insert((*exception).to_owned());
            }
            ("W", [outcome]) => {
                self.excused.insert((*outcome).to_owned());
            }
            ("D", [outcome]) => {
                self.undecided.insert((*outcome).to_owned());
            }
            ("F", [slots]) => self.free = slots.split(',').filter_map(|s| s.parse().ok()).collect(),
            ("P", [phase]) => (*phase).clone_into(&mut self.phase),
            ("O", [count, outcome]) => {
                if let Ok(count) = count.parse() {
                    self.outcomes.push(((*outcome).to_owned(), count));
                }
            }
            ("T", [count, outcome, order]) => {
                if let Ok(count) = count.parse() {
                    self.out_of_time.push(OutOfTime {
                        outcome: (*outcome).to_owned(),
                        count,
                        order: (*order).to_owned(),
                    });
                }
            }
            ("V", [kind, detail]) => {
                self.violations.push(Violation {
                    kind: (*kind).to_owned(),
                    detail: (*detail).to_owned(),
                });
            }
            ("C", [runs, sampled, overlapped, slots]) => {
                self.runs = runs.parse().unwrap_or(0);
                self.sampled = sampled.parse().unwrap_or(0);
                self.overlapped = overlapped.parse().unwrap_or(0);
                self.slot_turns = slots.parse().unwrap_or(0);
            }
            ("K", [reason]) => self.unsupported = Some((*reason).to_owned()),
            ("E", []) => self.complete = true,
            _ => {}
        }
    }
}
