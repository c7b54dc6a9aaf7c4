//! What a run showed that none before it did, cheapest first: failing places, classes of outcomes of a
//! family of scenarios (one subject, the same operations), pairs of operations seen in flight together.

use crate::history::{History, exception_type, slots};
use crate::identity::Failure;
use crate::scenario::Scenario;
use crate::stable_hash;
use std::collections::HashSet;

/// All that was seen, as hashes.
#[derive(Debug, Default)]
pub struct Seen {
    all: HashSet<u64>,
    /// The same in the order in which they came.
    order: Vec<u64>,
}

/// How much of a run was new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct New {
    /// Failing places.
    pub places: usize,
    /// Classes of outcomes.
    pub outcomes: usize,
    /// Pairs of operations in flight together.
    pub pairs: usize,
}

impl New {
    /// Whether anything was new.
    pub fn some(self) -> bool {
        self != Self::default()
    }
}

impl Seen {
    /// Takes what a scenario's run showed, and tells how much of it was new.
    pub fn add(&mut self, shown: &Shown) -> New {
        let mut count = |hashes: &[u64]| hashes.iter().filter(|h| self.is_new(**h)).count();
        New {
            places: count(&shown.places),
            outcomes: count(&shown.outcomes),
            pairs: count(&shown.pairs),
        }
    }

    fn is_new(&mut self, hash: u64) -> bool {
        let new = self.all.insert(hash);
        self.order.extend(new.then_some(hash));
        new
    }

    /// How much was seen.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// What came after the first so many.
    pub fn since(&self, first: usize) -> &[u64] {
        &self.order[first..]
    }

    /// Takes what an earlier part of a hunt saw.
    pub fn extend(&mut self, hashes: impl Iterator<Item = u64>) {
        for hash in hashes {
            self.is_new(hash);
        }
    }
}

/// What a scenario's run showed, as hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Failing places.
    pub places: Vec<u64>,
    /// Classes of outcomes.
    pub outcomes: Vec<u64>,
    /// Pairs of operations in flight together.
    pub pairs: Vec<u64>,
}

impl Shown {
    /// What a history and the failures judged of it show.
    pub fn of(scenario: &Scenario, history: &History, failures: &[&Failure]) -> Self {
        let subject = &scenario.context.subject;
        let family = scenario.operations().join("\n");
        let place = |f: &&Failure| hash(&["place", subject, &f.to_string()]);
        let outcome = |o: &str| hash(&["outcome", subject, &family, &class(o)]);
        let mut shown = Self {
            places: failures.iter().map(place).collect(),
            outcomes: history.outcomes.iter().map(|(o, _)| outcome(o)).collect(),
            pairs: Vec::new(),
        };
        if history.overlapped > 0 || history.slot_turns > 0 {
            for (t, calls) in scenario.threads.iter().enumerate() {
                for b in scenario.threads[t + 1..].iter().flatten() {
                    for a in calls {
                        let mut pair = [a.op.as_str(), b.op.as_str()];
                        pair.sort_unstable();
                        shown.pairs.push(hash(&["pair", subject, pair[0], pair[1]]));
                    }
                }
            }
        }
        shown
    }

    /// All of it.
    pub fn hashes(&self) -> Vec<u64> {
        [&self.places[..], &self.outcomes, &self.pairs].concat()
    }
}

fn hash(parts: &[&str]) -> u64 {
    stable_hash(&parts.join("\0"))
}

/// The class of an outcome: exceptions by their type, values without what was drawn as their arguments.
fn class(outcome: &str) -> String {
    let mut class = String::new();
    for slot in slots(outcome) {
        if let Some(exception) = slot.strip_prefix('!') {
            class.push('!');
            class += exception_type(exception);
        } else {
            let mut last = ' ';
            for c in slot.chars() {
                let c = match c {
                    '0'..='9' => '0',
                    'a'..='z' => 'a',
                    c => c,
                };
                if c != last || !c.is_alphanumeric() {
                    class.push(c);
                }
                last = c;
            }
        }
        class.push('|');
    }
    class
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::InFlight;
    use crate::scenario::generate::{Limits, nth};
    use crate::subject::builtin;
    use crate::verdict::{Kind, Verdict};

    #[test]
    fn arguments_make_no_class_of_their_own() {
        assert_eq!(class("12 | (3, 'ab')"), class("7 | (45, 'c')"));
        assert_ne!(class("1 | (3, 4)"), class("1 | (3,)"));
        assert_ne!(class("!IndexError: pop | 1"), class("!TypeError: pop | 1"));
        assert_eq!(class("!E: x1 | None"), class("!E: y | None"));
        assert_ne!(class("None"), class("True"));
    }

    #[test]
    fn what_was_seen_is_new_once() {
        let list = builtin::select(&["list".to_owned()]).unwrap().remove(0);
        let scenario = nth(&list, 1, 0, Limits::default());
        let mut history = History::new(0);
        history.outcomes = vec![("1 | (2,)".to_owned(), 3), ("9 | (4,)".to_owned(), 1)];
        let mut seen = Seen::default();
        let first = seen.add(&Shown::of(&scenario, &history, &[]));
        assert_eq!(
            first,
            New {
                places: 0,
                outcomes: 1,
                pairs: 0
            },
            "no overlap was measured"
        );
        history.overlapped = 5;
        let verdict = Verdict::new(Kind::Crash, "SIGSEGV".to_owned());
        let failure = Failure::in_scenario(&verdict, &scenario, &InFlight::default());
        let second = seen.add(&Shown::of(&scenario, &history, &[&failure]));
        assert_eq!(
            second,
            New {
                places: 1,
                outcomes: 0,
                pairs: 1
            }
        );
        assert!(
            !seen
                .add(&Shown::of(&scenario, &history, &[&failure]))
                .some()
        );
    }
}
