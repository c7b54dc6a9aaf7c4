//! What comes of every named scenario is what `outcomes.tsv` says: nothing else, and nothing less, so that no
//! scenario states a race that is never reached.

use std::collections::BTreeSet;
use threadbare_models::catalogue;
use threadbare_models::engine::Budget;
use threadbare_models::outcomes::{self, Grade, Outcome};

/// What the stated outcomes of a scenario and those that were reached have against each other, as lines of
/// the file.
fn compare(name: &str, stated: &[Outcome], reached: &BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for outcome in reached {
        match stated.iter().find(|s| s.outcome == outcome) {
            None => wrong.push(format!("not stated:\t{name}\tallowed\t{outcome}\t")),
            Some(s) if s.grade == Grade::Forbidden => {
                wrong.push(format!("forbidden, and reached:\t{name}\t\t{outcome}"));
            }
            Some(_) => {}
        }
    }
    for s in stated.iter().filter(|s| s.grade != Grade::Forbidden) {
        if !reached.contains(s.outcome) {
            wrong.push(format!("never reached:\t{name}\t\t{}", s.outcome));
        }
    }
    wrong
}

#[test]
fn every_outcome_is_stated_and_every_stated_one_is_reached() {
    let (all, mut wrong, mut named) = (outcomes::all(), Vec::new(), 0);
    for entry in catalogue::all() {
        for scenario in &entry.scenarios {
            let stated: Vec<Outcome> = all
                .iter()
                .filter(|s| s.protocol == entry.name && s.scenario == scenario.name)
                .copied()
                .collect();
            named += stated.len();
            let budget = Budget { executions: 300_000, ..Budget::default() };
            let reached = entry.outcomes(&scenario.name, None, budget).expect("a known name");
            let reached =
                reached.unwrap_or_else(|v| panic!("{} {}: {v}", entry.name, scenario.name));
            let reached = reached.into_keys().collect();
            wrong.extend(compare(&format!("{}\t{}", entry.name, scenario.name), &stated, &reached));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(named, all.len(), "an outcome of a scenario that does not exist");
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
    let reached = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
    let right = [stated(Grade::Allowed, "a"), stated(Grade::Interesting, "b")];
    assert!(compare("p\ts", &right, &reached).is_empty());
    assert_eq!(compare("p\ts", &right[..1], &reached).len(), 1);
    let more = [right[0], right[1], stated(Grade::Allowed, "c")];
    assert!(compare("p\ts", &more, &reached)[0].starts_with("never reached"));
    let forbidden = [right[0], stated(Grade::Forbidden, "b")];
    assert!(compare("p\ts", &forbidden, &reached)[0].starts_with("forbidden, and reached"));
}
