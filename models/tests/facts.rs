//! Nothing that the fact sheets name is forgotten.

use std::collections::BTreeSet;
use threadbare_models::catalogue;

fn named() -> Vec<(&'static str, &'static str)> {
    include_str!("fact_mutants.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "))
        .flat_map(|(sheet, names)| names.split(' ').map(move |name| (sheet, name)))
        .collect()
}

#[test]
fn every_named_fault_is_expressed_or_has_a_reason() {
    let entries = catalogue::all();
    let expressed: BTreeSet<&str> =
        entries.iter().flat_map(|e| e.mutants.iter().map(|m| m.name)).collect();
    let reasons: BTreeSet<&str> =
        entries.iter().flat_map(|e| e.not_expressed.iter().map(|(name, _)| *name)).collect();
    let named = named();
    assert!(named.len() > 100, "the list was read: {}", named.len());
    for (sheet, name) in named {
        let times = u8::from(expressed.contains(name)) + u8::from(reasons.contains(name));
        assert_eq!(times, 1, "{sheet}: {name} is neither or both");
    }
    assert!(expressed.len() >= 90, "{} faults", expressed.len());
}

#[test]
fn reasons_are_given_and_names_are_unique() {
    for entry in catalogue::all() {
        let names: BTreeSet<&str> = entry.mutants.iter().map(|m| m.name).collect();
        assert_eq!(names.len(), entry.mutants.len(), "{}", entry.name);
        assert!(entry.mutants.len() >= 3, "{} has {} faults", entry.name, entry.mutants.len());
        for (name, why) in entry.not_expressed {
            assert!(why.len() > 7, "{name}: {why}");
        }
        for mutant in &entry.mutants {
            assert!(entry.scenario(mutant.scenario).is_ok(), "{}", mutant.name);
            for property in mutant.breaks {
                assert!(entry.properties.iter().any(|p| p.id == *property), "{}", mutant.name);
            }
        }
    }
}

#[test]
fn a_fault_is_found_without_the_prefix_of_its_family() {
    let biased = catalogue::find("biased").expect("listed");
    assert_eq!(
        biased.mutant("merge-ignores-shared").expect("short").name,
        "brc-merge-ignores-shared"
    );
    assert!(biased.mutant("ignores-shared").is_err());
}
