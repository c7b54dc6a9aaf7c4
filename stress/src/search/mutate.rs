//! The mutator: from one or two scenarios of a subject and choices to another scenario of it.
//!
//! A thread's lag is not among what it changes: the harness tries lags by itself, scenario by scenario, and
//! stays with those that give the most outcomes.

use super::two;
use crate::choice::Choices;
use crate::scenario::company::{self, Company};
use crate::scenario::generate::{self, Limits};
use crate::scenario::{Call, Scenario, Shape};
use crate::subject::Subject;

/// Threads of a scenario at most.
const MOST_THREADS: usize = 4;

/// The enumeration of this list, each with its documentation and its stable name.
macro_rules! mutations {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A kind of mutation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Mutation {
            $($(#[$doc])* $variant,)*
        }

        impl Mutation {
            /// All kinds.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// Stable name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

mutations! {
    /// Two calls change places.
    Swap = "swap",
    /// A call goes to another thread.
    Move = "move",
    /// The first threads of one scenario beside the last ones of another.
    Splice = "splice",
    /// A call with other arguments.
    Arguments = "arguments",
    /// Another operation in a call's place.
    Operation = "operation",
    /// One more call.
    Insert = "insert",
    /// One call less.
    Remove = "remove",
    /// Another set-up.
    SetUp = "set-up",
    /// Other company, or some where there was none.
    AddCompany = "add-company",
    /// One company less.
    DropCompany = "drop-company",
    /// Other shapes.
    Shape = "shape",
    /// One more thread, which does what another does.
    AddThread = "add-thread",
    /// One thread less.
    DropThread = "drop-thread",
    /// Two objects instead of one.
    TwoObjects = "two-objects",
}

/// One mutation of this kind; `other` is what it may be spliced with. `None` where the kind does not apply
/// or would change nothing.
pub fn apply(
    mutation: Mutation,
    subject: &Subject,
    scenario: &Scenario,
    other: &Scenario,
    limits: Limits,
    choices: &mut impl Choices,
) -> Option<Scenario> {
    let mut new = scenario.clone();
    let threads = new.threads.len();
    let new_call = |new: &Scenario, choices: &mut _| call(subject, new, None, choices);
    match mutation {
        Mutation::Swap => {
            let (a, b) = (position(&new, choices), position(&new, choices));
            let first = new.threads[a.0][a.1].clone();
            new.threads[a.0][a.1] = std::mem::replace(&mut new.threads[b.0][b.1], first);
        }
        Mutation::Move => {
            let (t, j) = position(&new, choices);
            let to = (t + 1 + choices.below(threads - 1)) % threads;
            if new.threads[t].len() == 1 {
                return None;
            }
            let moved = new.threads[t].remove(j);
            let at = choices.below(new.threads[to].len() + 1);
            new.threads[to].insert(at, moved);
        }
        Mutation::Splice => {
            if two::is(scenario) != two::is(other) {
                return None;
            }
            let from = choices.below(other.threads.len());
            new.threads.truncate(1 + choices.below(threads));
            new.threads.extend_from_slice(&other.threads[from..]);
            new.threads.truncate(MOST_THREADS);
        }
        Mutation::Arguments => {
            let (t, j) = position(&new, choices);
            let op = new.threads[t][j].op.clone();
            new.threads[t][j] = call(subject, &new, Some(&op), choices)?;
        }
        Mutation::Operation => {
            let (t, j) = position(&new, choices);
            new.threads[t][j] = new_call(&new, choices)?;
        }
        Mutation::Insert => {
            let t = choices.below(threads);
            let at = choices.below(new.threads[t].len() + 1);
            let one = new_call(&new, choices)?;
            new.threads[t].insert(at, one);
        }
        Mutation::Remove => {
            let (t, j) = position(&new, choices);
            new.threads[t].remove(j);
        }
        Mutation::SetUp => {
            if two::is(&new) {
                return None;
            }
            new.make = generate::set_up(subject, choices);
        }
        Mutation::AddCompany => {
            if !subject.company {
                return None;
            }
            let drawn = company::draw(&new.shapes, choices);
            let alike = |a: Company| drawn.iter().any(|b| b.is_mode() == a.is_mode());
            new.company.retain(|c| !alike(*c));
            new.company.extend(drawn);
            new.company.sort_unstable();
        }
        Mutation::DropCompany => {
            if new.company.is_empty() {
                return None;
            }
            let at = choices.below(new.company.len());
            new.company.remove(at);
        }
        Mutation::Shape => {
            let own: Vec<Shape> = subject.shapes.chars().filter_map(Shape::of).collect();
            let wanted = 1 + choices.below((1 << own.len()) - 1);
            let chosen = own.iter().enumerate().filter(|(i, _)| wanted >> i & 1 == 1);
            new.shapes = chosen.map(|(_, s)| *s).collect();
        }
        Mutation::AddThread => {
            let again = new.threads[choices.below(threads)].clone();
            new.threads.push(again);
        }
        Mutation::DropThread => {
            new.threads.remove(choices.below(threads));
        }
        Mutation::TwoObjects => {
            let make = generate::set_up(subject, choices);
            new = two::scenario(&new, &make, || choices.below(2))?;
        }
    }
    new.threads.retain(|t| !t.is_empty());
    (new != *scenario && is_valid(&new, subject, limits)).then_some(new)
}

/// Whether a scenario is one that a hunt within these limits may run: of the subject's operations and
/// shapes, and what is larger than the limits, a storm, on the shared slot only.
pub fn is_valid(scenario: &Scenario, subject: &Subject, limits: Limits) -> bool {
    let own = |s: &Shape| subject.shapes.contains(s.letter());
    let sizes = (2..=MOST_THREADS).contains(&scenario.threads.len())
        && scenario
            .lens()
            .iter()
            .all(|n| (1..=generate::STORM).contains(n));
    let modes = scenario.company.iter().filter(|c| c.is_mode()).count();
    let company = scenario.company.is_empty()
        || subject.company
            && (scenario.company.iter()).all(|c| company::goes_with(*c, &scenario.shapes))
            && modes <= 1
            && scenario.company.len() - modes <= 1;
    let small = !limits.exceeded_by(scenario) || scenario.shapes == [Shape::Slot];
    sizes
        && company
        && small
        && !scenario.shapes.is_empty()
        && scenario.shapes.iter().all(own)
        && scenario.context.subject == subject.name
        && scenario
            .calls()
            .all(|c| subject.ops.iter().any(|op| op.code == c.op))
}

/// A call of this operation, or of any, that fits into a scenario.
fn call(
    subject: &Subject,
    scenario: &Scenario,
    op: Option<&str>,
    choices: &mut impl Choices,
) -> Option<Call> {
    let op = match op {
        Some(code) => subject.ops.iter().find(|op| op.code == code)?,
        None => choices.pick(&subject.ops),
    };
    let one = generate::call_of(subject, op, choices);
    match two::is(scenario) {
        true => two::call(&one, choices.below(2)),
        false => Some(one),
    }
}

/// A thread and a call of it.
fn position(scenario: &Scenario, choices: &mut impl Choices) -> (usize, usize) {
    let t = choices.below(scenario.threads.len());
    (t, choices.below(scenario.threads[t].len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::{Bytes, Seeded};
    use crate::scenario::render::source;
    use crate::subject::builtin;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::sync::LazyLock;

    static SUBJECTS: LazyLock<Vec<Subject>> = LazyLock::new(builtin::all);

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        /// Any chain of mutations of any generated scenario, storms included.
        #[test]
        fn every_mutant_is_valid_and_survives_its_text(
            subject in 0..SUBJECTS.len(),
            numbers in (0usize..64, 0usize..64),
            kinds in prop::collection::vec(0..Mutation::ALL.len(), 1..12),
            bytes in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let (subject, limits) = (&SUBJECTS[subject], Limits::default());
            let nth = |k| generate::nth(subject, 1, k, limits);
            let (mut scenario, other) = (nth(numbers.0), nth(numbers.1));
            prop_assert!(is_valid(&scenario, subject, limits));
            let mut choices = Bytes(&bytes);
            for kind in kinds {
                let kind = Mutation::ALL[kind];
                let Some(new) = apply(kind, subject, &scenario, &other, limits, &mut choices) else {
                    continue;
                };
                prop_assert!(is_valid(&new, subject, limits), "{kind:?} of {scenario}: {new}");
                prop_assert_ne!(&new, &scenario);
                prop_assert_eq!(&Scenario::from_text(&new.to_text()).unwrap(), &new);
                prop_assert!(source(&new).contains("_SLOTS = ["));
                scenario = new;
            }
        }
    }

    /// What `is_valid` refuses.
    #[test]
    fn not_everything_is_valid() {
        let list = builtin::select(&["list".to_owned()]).unwrap().remove(0);
        let limits = Limits::default();
        let good = generate::nth(&list, 1, 0, limits);
        assert!(is_valid(&good, &list, limits));
        let bad = |change: &dyn Fn(&mut Scenario)| {
            let mut bad = good.clone();
            change(&mut bad);
            assert!(!is_valid(&bad, &list, limits), "{bad}");
        };
        bad(&|s| s.threads.truncate(1));
        bad(&|s| s.threads[0].clear());
        bad(&|s| s.shapes.clear());
        bad(&|s| s.shapes = vec![Shape::Process]);
        bad(&|s| s.threads[0] = vec![s.threads[0][0].clone(); 12]);
        bad(&|s| s.company = vec![Company::Collector, Company::Imports]);
        bad(&|s| "no such operation".clone_into(&mut s.threads[0][0].op));
        bad(&|s| "dict".clone_into(&mut s.context.subject));
    }

    #[test]
    fn every_kind_is_reached_from_a_few_scenarios() {
        let list = builtin::select(&["list".to_owned()]).unwrap().remove(0);
        let limits = Limits::default();
        let mut choices = Seeded::new(1, &["kinds"]);
        let mut made: BTreeMap<Mutation, usize> = BTreeMap::new();
        for k in 0..64 {
            let (a, b) = (
                generate::nth(&list, 1, k, limits),
                generate::nth(&list, 1, k + 1, limits),
            );
            for kind in Mutation::ALL {
                let new = apply(kind, &list, &a, &b, limits, &mut choices);
                *made.entry(kind).or_default() += usize::from(new.is_some());
            }
        }
        let none: Vec<_> = made.iter().filter(|(_, n)| **n == 0).collect();
        assert!(
            none.is_empty() && made.len() == Mutation::ALL.len(),
            "{made:?}"
        );
    }
}
