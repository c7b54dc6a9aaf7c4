//! The corpus: scenarios that showed something new, to make others of.

use crate::choice::Choices;
use crate::scenario::Scenario;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Scenarios of one subject that are kept at most.
pub const OF_SUBJECT: usize = 48;

/// A kept scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Number of the scenario: of the seed, or of a mutant.
    pub number: usize,
    /// What its run was worth.
    pub worth: f64,
    /// Mutants made of it.
    pub children: u32,
    /// The scenario.
    pub scenario: Scenario,
}

impl Entry {
    /// What a further mutant of it is expected to be worth.
    fn energy(&self) -> f64 {
        self.worth / f64::from(1 + self.children)
    }
}

/// Kept scenarios by subject.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Corpus(BTreeMap<String, Vec<Entry>>);

impl Corpus {
    /// Keeps a scenario; where there are too many, the least promising goes.
    pub fn add(&mut self, entry: Entry) {
        let all = self
            .0
            .entry(entry.scenario.context.subject.clone())
            .or_default();
        if all.iter().any(|e| e.scenario == entry.scenario) {
            return;
        }
        all.push(entry);
        if all.len() > OF_SUBJECT {
            let least = |a: &usize, b: &usize| all[*a].energy().total_cmp(&all[*b].energy());
            let least = (0..all.len()).min_by(least).expect("some");
            all.remove(least);
        }
    }

    /// One to make a mutant of, the more promising of two drawn ones, and any other.
    pub fn parents(
        &mut self,
        subject: &str,
        choices: &mut impl Choices,
    ) -> Option<(Scenario, Scenario)> {
        let all = self.0.get_mut(subject).filter(|all| !all.is_empty())?;
        let (a, b) = (choices.below(all.len()), choices.below(all.len()));
        let parent = if all[a].energy() >= all[b].energy() {
            a
        } else {
            b
        };
        all[parent].children += 1;
        let other = all[choices.below(all.len())].scenario.clone();
        Some((all[parent].scenario.clone(), other))
    }

    /// The scenario of this number.
    pub fn scenario(&self, subject: &str, number: usize) -> Option<&Scenario> {
        let all = self.0.get(subject)?;
        all.iter().find(|e| e.number == number).map(|e| &e.scenario)
    }

    /// Whether anything of the subject is kept.
    pub fn has(&self, subject: &str) -> bool {
        self.0.get(subject).is_some_and(|all| !all.is_empty())
    }

    /// Scenarios that are kept.
    pub fn size(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// All entries.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.0.values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::Seeded;
    use crate::scenario::generate::{Limits, nth};
    use crate::subject::builtin;

    fn entry(number: usize, worth: f64) -> Entry {
        let list = builtin::select(&["list".to_owned()]).unwrap().remove(0);
        let scenario = nth(&list, 1, number, Limits::default());
        Entry {
            number,
            worth,
            children: 0,
            scenario,
        }
    }

    #[test]
    fn the_least_promising_goes_and_none_is_kept_twice() {
        let mut corpus = Corpus::default();
        for k in 0..OF_SUBJECT + 20 {
            corpus.add(entry(k, if k == 3 { 0.1 } else { 1.0 }));
            corpus.add(entry(k, 1.0));
        }
        assert_eq!(corpus.size(), OF_SUBJECT);
        assert_eq!(corpus.scenario("list", 3), None);
    }

    #[test]
    fn parents_take_turns_and_the_worthier_have_more() {
        let mut corpus = Corpus::default();
        for k in 0..6 {
            corpus.add(entry(k, if k == 2 { 8.0 } else { 1.0 }));
        }
        let mut choices = Seeded::new(1, &[]);
        for _ in 0..120 {
            assert!(corpus.parents("list", &mut choices).is_some());
        }
        assert_eq!(corpus.parents("dict", &mut choices), None);
        let children = |k| corpus.entries().find(|e| e.number == k).unwrap().children;
        assert!((0..6).all(|k| children(k) >= 3));
        assert!((0..6).all(|k| children(k) <= children(2)));
    }
}
