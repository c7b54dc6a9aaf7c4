//! What one run of a scenario observed.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Something the harness itself saw to be wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Violation {
    /// `corrupt`, `refcount`, `leak`, `thread`, `alarm`.
    pub kind: String,
    /// What was seen.
    pub detail: String,
}

/// The history of one scenario: the specification (sequential outcomes) and what was observed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Number of the scenario in its job.
    pub id: usize,
    /// Outcomes of the sequential orders.
    pub sequential: BTreeSet<String>,
    /// Result slots that differ between two sequential passes and so match anything.
    pub free: Vec<usize>,
    /// Outcomes of the concurrent runs with their counts.
    pub outcomes: Vec<(String, u64)>,
    /// Seen from inside.
    pub violations: Vec<Violation>,
    /// Phase in which the scenario was last: empty (sequential), `stride`, `slot`, `seq` (control).
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
            ("F", [slots]) => self.free = slots.split(',').filter_map(|s| s.parse().ok()).collect(),
            ("P", [phase]) => (*phase).clone_into(&mut self.phase),
            ("O", [count, outcome]) => {
                if let Ok(count) = count.parse() {
                    self.outcomes.push(((*outcome).to_owned(), count));
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
