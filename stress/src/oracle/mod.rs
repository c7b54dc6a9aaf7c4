//! The oracle: an outcome is explained if some sequential order of the same operations,
//! run on the same VM, gives it. The VM itself is the specification.
//!
//! The harness looks for that order (`harness/orders.py`), of observed outcomes only. What is not
//! explained is looked at more closely, because outcomes tell more than "wrong": an exception that names
//! the VM's inside is an error of the VM whatever was promised, and what the allocator writes into memory
//! where it is told to is a value that nobody wrote (see [`poison`]).

pub mod poison;

use crate::history::{History, exception_type, slots};
use crate::scenario::Scenario;
use crate::subject::Guarantee;
use std::collections::BTreeSet;

/// An outcome that no sequential order gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unexplained {
    /// The outcome as text.
    pub outcome: String,
    /// How often it was seen.
    pub count: u64,
    /// What it tells.
    pub nature: Nature,
}

/// What an unexplained outcome tells.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nature {
    /// A combination of results that no order gives.
    Order,
    /// An exception (its text) that none of the operations raises in any order.
    Exception(String),
    /// An exception (its text) that names the VM's inside.
    Internal(String),
    /// A pattern that only the allocator writes.
    Unwritten(String),
}

/// Exceptions that a Python operation never has a right to raise here; `PanicException` is PyO3's
/// name of a Rust panic. As in `harness/values.py`.
pub const INTERNAL: &[&str] = &[
    "SystemError",
    "MemoryError",
    "InternalError",
    "UnicodeDecodeError",
    "RecursionError",
    "PanicException",
];

/// Whether an exception of this type is looked at on the shared slot, where nothing is compared: [`INTERNAL`], and
/// what Python code says of itself. As in `harness/values.py`.
pub fn is_alarm(exception: &str) -> bool {
    exception == "AssertionError" || INTERNAL.contains(&exception)
}

/// What PyO3 answers by design where two threads borrow one object and one of them means to write.
/// As in `harness/orders.py`.
pub const CONTENTION: &[&str] = &[
    "RuntimeError: Already borrowed",
    "RuntimeError: Already mutably borrowed",
];

/// Outcomes of the history that its sequential orders do not explain, most telling first. Those of
/// which that is not known are left out.
///
/// `raises` lists, slot by slot, exceptions that concurrency may cause by design.
pub fn unexplained(history: &History, raises: &[&[String]]) -> Vec<Unexplained> {
    let known: BTreeSet<&str> = history
        .sequential
        .iter()
        .flat_map(|o| exceptions(o).map(|(_, e)| e))
        .chain(history.raised.iter().map(String::as_str))
        .collect();
    let mut found: Vec<Unexplained> = history
        .outcomes
        .iter()
        .filter(|(outcome, _)| {
            ![&history.sequential, &history.excused, &history.undecided]
                .iter()
                .any(|set| set.contains(outcome))
        })
        .map(|(outcome, count)| Unexplained {
            outcome: outcome.clone(),
            count: *count,
            nature: nature(outcome, &known, raises, &history.sequential),
        })
        .collect();
    found.sort_by(|a, b| b.nature.cmp(&a.nature).then(b.count.cmp(&a.count)));
    found
}

fn nature(
    outcome: &str,
    known: &BTreeSet<&str>,
    raises: &[&[String]],
    sequential: &BTreeSet<String>,
) -> Nature {
    let new: Vec<(usize, &str)> = exceptions(outcome)
        .filter(|(_, e)| !known.contains(e))
        .collect();
    if let Some((_, e)) = new
        .iter()
        .find(|(_, e)| INTERNAL.contains(&exception_type(e)))
    {
        return Nature::Internal((*e).to_owned());
    }
    if let Some(pattern) = poison::pattern(outcome, sequential) {
        return Nature::Unwritten(pattern);
    }
    // An exception type that some order raises at another place is a matter of order, not a new exception.
    let names: BTreeSet<&str> = known.iter().map(|k| exception_type(k)).collect();
    let none: &[String] = &[];
    if let Some((_, e)) = new.iter().find(|(slot, e)| {
        !by_design(e, raises.get(*slot).unwrap_or(&none)) && !names.contains(exception_type(e))
    }) {
        return Nature::Exception((*e).to_owned());
    }
    Nature::Order
}

/// Whether concurrency may cause this exception by design.
fn by_design(exception: &str, raises: &[String]) -> bool {
    let listed = raises.iter().map(String::as_str);
    listed
        .chain(CONTENTION.iter().copied())
        .any(|r| exception.starts_with(r))
}

/// Whether every outcome of a history was judged: some order gives it, or it is told because none does.
/// `None` where no outcome was observed. Outcomes that no order of whole operations gives are not judged
/// by that where an operation is several steps, unless the steps themselves were `asked` about.
pub fn is_judged(
    history: &History,
    scenario: &Scenario,
    asked: &dyn Fn(&str) -> bool,
) -> Option<bool> {
    if history.outcomes.is_empty() {
        return None;
    }
    let composite = scenario.guarantee() == Guarantee::Composite;
    let open = |u: &Unexplained| composite && u.nature == Nature::Order && !asked(&u.outcome);
    Some(history.undecided.is_empty() && !unexplained(history, &scenario.raises()).iter().any(open))
}

/// How often outcomes were seen that some order gives but for an exception by design, and in how many
/// of them it was PyO3's answer to contention.
pub fn excused(history: &History) -> (u64, u64) {
    let mut all = 0;
    let mut contention = 0;
    for (outcome, count) in &history.outcomes {
        if history.excused.contains(outcome) {
            all += count;
            if exceptions(outcome).any(|(_, e)| by_design(e, &[])) {
                contention += count;
            }
        }
    }
    (all, contention)
}

/// The exceptions in an outcome's slots with the slot, without their mark.
fn exceptions(outcome: &str) -> impl Iterator<Item = (usize, &str)> {
    slots(outcome)
        .enumerate()
        .filter_map(|(i, slot)| Some((i, slot.strip_prefix('!')?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn history(sequential: &[&str], outcomes: &[&str]) -> History {
        History {
            sequential: sequential.iter().map(|s| (*s).to_owned()).collect(),
            outcomes: outcomes.iter().map(|s| ((*s).to_owned(), 2)).collect(),
            ..History::default()
        }
    }

    fn natures(sequential: &[&str], outcome: &str) -> Option<Nature> {
        let listed = ["RuntimeError: dict".to_owned()];
        // The second operation lists it, the first lists nothing.
        unexplained(&history(sequential, &[outcome]), &[&[], &listed])
            .pop()
            .map(|u| u.nature)
    }

    #[test]
    fn what_an_unexplained_outcome_tells() {
        let s = ["1 | None | (1, 2)", "!IndexError | None | ()"];
        assert_eq!(natures(&s, "1 | None | (1, 2)"), None);
        assert_eq!(natures(&s, "1 | None | (1,)"), Some(Nature::Order));
        assert_eq!(natures(&s, "1 | !IndexError | (1,)"), Some(Nature::Order));
        assert_eq!(
            natures(&s, "1 | !ValueError: x | ()"),
            Some(Nature::Exception("ValueError: x".into()))
        );
        assert_eq!(
            natures(&s, "1 | !RuntimeError: dict changed | ()"),
            Some(Nature::Order)
        );
        assert!(matches!(
            natures(&s, "!SystemError: bad | None | ()"),
            Some(Nature::Internal(_))
        ));
    }

    /// What one operation may raise by design another may not.
    #[test]
    fn an_exception_by_design_is_so_for_its_own_operation_only() {
        let s = ["1 | None | ()"];
        let text = "RuntimeError: dict changed";
        assert_eq!(
            natures(&s, &format!("!{text} | None | ()")),
            Some(Nature::Exception(text.into()))
        );
        assert_eq!(
            natures(&s, &format!("!{} | None | (1,)", CONTENTION[0])),
            Some(Nature::Order)
        );
    }

    /// Large numbers and zero bytes are what operations make of small ones; see [`poison`].
    #[test]
    fn odd_values_prove_nothing_by_themselves() {
        let s = ["1 | None | ()"];
        assert_eq!(natures(&s, "573410040 | None | ()"), Some(Nature::Order));
        assert_eq!(natures(&s, "1 | None | b'a\\x00'"), Some(Nature::Order));
        assert!(matches!(
            natures(&s, "1 | None | b'a\\xcd\\xcd'"),
            Some(Nature::Unwritten(_))
        ));
    }

    #[test]
    fn what_is_excused_or_undecided_is_not_unexplained() {
        let mut h = history(
            &["1 | ()"],
            &["!RuntimeError: Already borrowed | ()", "!E | ()", "2 | ()"],
        );
        h.excused = [&h.outcomes[0].0, &h.outcomes[1].0]
            .map(Clone::clone)
            .into();
        h.undecided = [h.outcomes[2].0.clone()].into();
        assert_eq!(unexplained(&h, &[]), []);
        assert_eq!(excused(&h), (4, 2));
    }

    proptest! {
        /// Against the definition: exactly the observed outcomes that are not in the sequential set.
        #[test]
        fn unexplained_is_set_difference(
            sequential in prop::collection::btree_set("[a-c]{1,2}( \\| [0-9!]{1,8}){0,2}", 0..8),
            observed in prop::collection::btree_map("[a-c]{1,2}( \\| [0-9!]{1,8}){0,2}", 1u64..9, 0..8),
        ) {
            let h = History {
                sequential: sequential.clone(),
                outcomes: observed.clone().into_iter().collect(),
                ..History::default()
            };
            let got: BTreeSet<String> = unexplained(&h, &[]).into_iter().map(|u| u.outcome).collect();
            let want: BTreeSet<String> = observed.into_keys().filter(|o| !sequential.contains(o)).collect();
            prop_assert_eq!(got, want);
        }
    }
}
