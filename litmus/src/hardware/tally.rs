//! Counts outcomes: a small open-addressed table, since a test has few
//! outcomes and this runs once for every run of the test.

use std::collections::BTreeMap;

pub(super) struct Tally {
    width: usize,
    /// Outcomes, one after the other, in order of discovery.
    outcomes: Vec<i64>,
    counts: Vec<u64>,
    /// Indices into `counts` plus one, 0 for free; a power of two, at most half full.
    table: Vec<u32>,
}

impl Tally {
    pub(super) fn new(width: usize) -> Tally {
        Tally {
            width,
            outcomes: Vec::new(),
            counts: Vec::new(),
            table: vec![0; 64],
        }
    }

    fn home(&self, outcome: &[i64]) -> usize {
        let hash = outcome.iter().fold(0u64, |hash, value| {
            (hash ^ *value as u64)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .rotate_left(29)
        });
        (hash >> 20) as usize & (self.table.len() - 1)
    }

    fn outcome(&self, index: usize) -> &[i64] {
        &self.outcomes[index * self.width..(index + 1) * self.width]
    }

    /// Counts one run; the outcome's index.
    pub(super) fn add(&mut self, outcome: &[i64]) -> usize {
        let mut slot = self.home(outcome);
        while self.table[slot] != 0 {
            let index = self.table[slot] as usize - 1;
            if self.outcome(index) == outcome {
                self.counts[index] += 1;
                return index;
            }
            slot = (slot + 1) & (self.table.len() - 1);
        }
        self.outcomes.extend_from_slice(outcome);
        self.counts.push(1);
        self.table[slot] = self.counts.len() as u32;
        if 2 * self.counts.len() > self.table.len() {
            self.grow();
        }
        self.counts.len() - 1
    }

    fn grow(&mut self) {
        self.table = vec![0; 2 * self.table.len()];
        for index in 0..self.counts.len() {
            let mut slot = self.home(self.outcome(index));
            while self.table[slot] != 0 {
                slot = (slot + 1) & (self.table.len() - 1);
            }
            self.table[slot] = index as u32 + 1;
        }
    }

    /// How often the outcome with this index was counted.
    pub(super) fn count(&self, index: usize) -> u64 {
        self.counts[index]
    }

    /// All runs counted.
    pub(super) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Adds the counts to `states`.
    pub(super) fn pour(&self, states: &mut BTreeMap<Vec<i64>, u64>) {
        for (index, count) in self.counts.iter().enumerate() {
            *states.entry(self.outcome(index).to_vec()).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_like_a_map() {
        let mut tally = Tally::new(2);
        let mut expected: BTreeMap<Vec<i64>, u64> = BTreeMap::new();
        for i in 0..10_000i64 {
            let outcome = [i * i % 97 - 48, i % 7];
            tally.add(&outcome);
            *expected.entry(outcome.to_vec()).or_default() += 1;
        }
        let mut states = BTreeMap::new();
        tally.pour(&mut states);
        assert_eq!(states, expected);
        assert_eq!(tally.total(), 10_000);
    }

    #[test]
    fn a_test_that_observes_nothing_has_one_outcome() {
        let mut tally = Tally::new(0);
        assert_eq!((tally.add(&[]), tally.add(&[]), tally.total()), (0, 0, 2));
    }
}
