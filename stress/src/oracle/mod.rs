//! The oracle: an outcome is explained if some sequential order of the same operations,
//! run on the same VM, gives it. The VM itself is the specification.
//!
//! What is not explained is looked at more closely, because outcomes tell more than "wrong":
//! a value that no operation can have produced is memory read before it was written, an
//! exception that names the VM's inside is an error of the VM whatever was promised.

use crate::history::History;
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
    /// A value that nothing in the scenario can produce.
    Alien(String),
}

/// Exceptions that a Python operation never has a right to raise here.
const INTERNAL: &[&str] = &[
    "SystemError",
    "MemoryError",
    "InternalError",
    "UnicodeDecodeError",
    "RecursionError",
];

/// Outcomes of the history that its sequential orders do not explain, most telling first.
///
/// `raises` lists exceptions that concurrency may cause by design.
pub fn unexplained(history: &History, raises: &[String]) -> Vec<Unexplained> {
    let known: BTreeSet<String> = history
        .sequential
        .iter()
        .flat_map(|o| exceptions(o))
        .collect();
    let odd_numbers = history.sequential.iter().any(|o| has_odd_number(o));
    let escapes = history.sequential.iter().any(|o| o.contains("\\x"));
    let mut found: Vec<Unexplained> = history
        .outcomes
        .iter()
        .filter(|(outcome, _)| !history.sequential.contains(outcome))
        .map(|(outcome, count)| Unexplained {
            outcome: outcome.clone(),
            count: *count,
            nature: nature(outcome, &known, raises, odd_numbers, escapes),
        })
        .collect();
    found.sort_by(|a, b| b.nature.cmp(&a.nature).then(b.count.cmp(&a.count)));
    found
}

fn nature(
    outcome: &str,
    known: &BTreeSet<String>,
    raises: &[String],
    odd_numbers: bool,
    escapes: bool,
) -> Nature {
    let raised = exceptions(outcome);
    let new: Vec<&String> = raised.iter().filter(|e| !known.contains(*e)).collect();
    if let Some(e) = new.iter().find(|e| INTERNAL.contains(&name(e))) {
        return Nature::Internal((*e).clone());
    }
    if !odd_numbers && let Some(number) = odd_number(outcome) {
        return Nature::Alien(number);
    }
    if !escapes && outcome.contains("\\x") {
        return Nature::Alien("bytes that were never written".to_owned());
    }
    let by_design = |e: &str| raises.iter().any(|r| e.starts_with(r.as_str()));
    // An exception type that some order raises at another place is a matter of order, not a new exception.
    let names: BTreeSet<&str> = known.iter().map(|k| name(k)).collect();
    if let Some(e) = new
        .iter()
        .find(|e| !by_design(e) && !names.contains(name(e)))
    {
        return Nature::Exception((*e).clone());
    }
    Nature::Order
}

/// Whether every unexplained exception of this outcome may be caused by concurrency by design.
pub fn by_design(history: &History, outcome: &str, raises: &[String]) -> bool {
    let known: BTreeSet<String> = history
        .sequential
        .iter()
        .flat_map(|o| exceptions(o))
        .collect();
    let mut new = exceptions(outcome)
        .into_iter()
        .filter(|e| !known.contains(e))
        .peekable();
    new.peek().is_some() && new.all(|e| raises.iter().any(|r| e.starts_with(r.as_str())))
}

/// The exceptions in an outcome's slots, without their mark.
fn exceptions(outcome: &str) -> Vec<String> {
    outcome
        .split(" | ")
        .filter_map(|slot| slot.strip_prefix('!'))
        .map(str::to_owned)
        .collect()
}

fn name(exception: &str) -> &str {
    exception.split(':').next().unwrap_or(exception)
}

/// Numbers beyond anything that a scenario's values, sums and lengths can reach.
const ODD: u128 = 1_000_000;

fn has_odd_number(outcome: &str) -> bool {
    odd_number(outcome).is_some()
}

fn odd_number(outcome: &str) -> Option<String> {
    // Exceptions quote sizes and positions of all kinds; only values count.
    let values = outcome.split(" | ").filter(|slot| !slot.starts_with('!'));
    values
        .flat_map(|slot| slot.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')))
        .find(|word| {
            word.len() > 6
                && word.bytes().all(|b| b.is_ascii_digit())
                && word.parse::<u128>().map_or(true, |n| n >= ODD)
        })
        .map(str::to_owned)
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
        unexplained(
            &history(sequential, &[outcome]),
            &["RuntimeError: dict".to_owned()],
        )
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
        assert_eq!(
            natures(&s, "573410040 | None | (1, 2)"),
            Some(Nature::Alien("573410040".into()))
        );
        assert!(matches!(
            natures(&s, "None | None | b'a\\x00'"),
            Some(Nature::Alien(_))
        ));
    }

    #[test]
    fn odd_values_of_the_specification_itself_are_no_news() {
        assert_eq!(
            natures(&["123456789 | ()"], "987654321 | ()"),
            Some(Nature::Order)
        );
        assert_eq!(
            natures(&["b'\\x01' | ()"], "b'\\x02' | ()"),
            Some(Nature::Order)
        );
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
