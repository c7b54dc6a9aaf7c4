//! The arms of the search beside its subjects: kinds of fresh scenarios, and kinds of mutants.

use super::mutate::Mutation;

/// Where a scenario comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The next pair of operations.
    Pair,
    /// A random scenario.
    Random,
    /// All operations at once.
    Storm,
    /// A random scenario or a storm in company.
    Company,
    /// A mutant of the corpus.
    Mutant(Mutation),
}

impl Source {
    /// Kinds of fresh scenarios.
    pub const FRESH: [Self; 4] = [Self::Pair, Self::Random, Self::Storm, Self::Company];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let mutants = Mutation::ALL.into_iter().map(Self::Mutant);
        Self::FRESH.into_iter().chain(mutants)
    }

    /// Stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pair => "pair",
            Self::Random => "random",
            Self::Storm => "storm",
            Self::Company => "company",
            Self::Mutant(mutation) => mutation.name(),
        }
    }

    /// What the scenario of this number is, see [`crate::scenario::generate`].
    pub fn of(number: usize) -> Self {
        match number {
            k if k % 4 == 3 || k % 16 == 9 => Self::Company,
            k if k % 2 == 0 => Self::Pair,
            k if k % 8 == 1 => Self::Storm,
            _ => Self::Random,
        }
    }

    /// The first number of this kind from this one on, in steps of a shard's; `None` where there is none.
    pub fn next(self, from: usize, number: impl Fn(usize) -> usize) -> Option<usize> {
        (from..from + 64).find(|k| Self::of(number(*k)) == self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::generate::{Limits, nth};
    use crate::subject::builtin;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_distinct() {
        let names: BTreeSet<_> = Source::all().map(Source::name).collect();
        assert_eq!(names.len(), Source::all().count());
    }

    #[test]
    fn the_kind_of_a_number_is_that_of_its_scenario() {
        let list = builtin::select(&["list".to_owned()]).unwrap().remove(0);
        let limits = Limits::default();
        for k in 0..64 {
            let scenario = nth(&list, 5, k, limits);
            let is = match Source::of(k) {
                Source::Pair => scenario.lens() == [1, 1] && scenario.company.is_empty(),
                Source::Storm => limits.exceeded_by(&scenario) && scenario.company.is_empty(),
                Source::Random => !limits.exceeded_by(&scenario) && scenario.company.is_empty(),
                Source::Company => !scenario.company.is_empty(),
                Source::Mutant(_) => false,
            };
            assert!(is, "{k}: {scenario}");
        }
        assert_eq!(Source::Storm.next(2, |k| k), Some(17));
        assert_eq!(Source::Storm.next(0, |k| 2 * k), None);
    }
}
