//! Whether `outcomes.tsv` is well written, and what holds it to the explorer can fail. What comes of each
//! named scenario is looked at where the explorer checks it: `tests/protocols.rs`.

use std::collections::BTreeSet;
use threadbare_models::catalogue;
use threadbare_models::engine::Outcomes;
use threadbare_models::outcomes::{self, Grade, Outcome, differences};

#[test]
fn outcomes_are_of_scenarios_that_exist() {
    let mut named = 0;
    for entry in catalogue::all() {
        for scenario in &entry.scenarios {
            let stated = outcomes::of(entry.name, &scenario.name).len();
            assert!(stated > 0, "nothing is stated of {} {}", entry.name, scenario.name);
            named += stated;
        }
    }
    assert_eq!(named, outcomes::all().len(), "an outcome of a scenario that does not exist");
}

#[test]
fn outcomes_are_stated_once_and_in_sentences() {
    let mut seen = BTreeSet::new();
    for s in outcomes::all() {
        assert!(seen.insert((s.protocol, s.scenario, s.outcome)), "twice: {s:?}");
        assert!(s.sentence.len() > 20 && s.sentence.ends_with('.'), "{s:?}");
    }
}

/// The comparison can fail, in each of its ways.
#[test]
fn an_outcome_too_many_and_one_too_few_are_seen() {
    let stated = |grade, outcome| Outcome {
        protocol: "p",
        scenario: "s",
        grade,
        outcome,
        sentence: "What it means.",
    };
    let compare = |stated: &[Outcome], reached: &Outcomes| differences("p", "s", stated, reached);
    let reached = Outcomes::from(["a".to_owned(), "b".to_owned()]);
    let right = [stated(Grade::Allowed, "a"), stated(Grade::Interesting, "b")];
    assert!(compare(&right, &reached).is_empty());
    assert_eq!(compare(&right[..1], &reached).len(), 1);
    let more = [right[0], right[1], stated(Grade::Allowed, "c")];
    assert!(compare(&more, &reached)[0].starts_with("never reached"));
    let forbidden = [right[0], stated(Grade::Forbidden, "b")];
    assert!(compare(&forbidden, &reached)[0].starts_with("forbidden, and reached"));
}
