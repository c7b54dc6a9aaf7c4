//! Target `oracle`: what the oracle calls unexplained, against the definition.

use crate::choice::{Bytes, Choices};
use crate::history::History;
use crate::oracle::{self, Nature};
use std::collections::BTreeSet;

/// Bytes → history → the oracle's verdict against the definition: exactly the observed outcomes
/// that no sequential order gave, each told apart by what a reader can see in it.
///
/// # Panics
/// When the oracle and the definition differ.
pub fn oracle(bytes: &[u8]) {
    const SLOTS: [&str; 8] = [
        "None",
        "1",
        "(1, 2)",
        "!IndexError",
        "!SystemError: bad",
        "!ValueError: x",
        "3452816845",
        "b'\\xdd\\xdd'",
    ];
    let mut choices = Bytes(bytes);
    let mut outcome = || {
        (0..2)
            .map(|_| *choices.pick(&SLOTS))
            .collect::<Vec<_>>()
            .join(" | ")
    };
    let sequential: BTreeSet<String> = (0..3).map(|_| outcome()).collect();
    let observed: BTreeSet<String> = (0..4).map(|_| outcome()).collect();
    let history = History {
        sequential: sequential.clone(),
        outcomes: observed.iter().map(|o| (o.clone(), 1)).collect(),
        ..History::default()
    };
    let found = oracle::unexplained(&history, &[]);
    let got: BTreeSet<&String> = found.iter().map(|u| &u.outcome).collect();
    let want: BTreeSet<&String> = observed.difference(&sequential).collect();
    assert_eq!(got, want);
    let any = |mark: &str| sequential.iter().any(|o| o.contains(mark));
    for u in &found {
        let new = |mark: &str| u.outcome.contains(mark) && !any(mark);
        let expected = if new("!SystemError") {
            matches!(u.nature, Nature::Internal(_))
        } else if new("3452816845") || new("\\x") {
            matches!(u.nature, Nature::Unwritten(_))
        } else if new("!ValueError") || new("!IndexError") {
            matches!(u.nature, Nature::Exception(_))
        } else {
            u.nature == Nature::Order
        };
        assert!(
            expected,
            "{:?} for {:?} beside {sequential:?}",
            u.nature, u.outcome
        );
    }
}
