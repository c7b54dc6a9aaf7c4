//! The distinct failures among the findings of many hunts, and where each was seen.

use super::collect::Source;
use crate::finding::store::Found;
use crate::triage::marks::Race;
use crate::triage::{merge, rank};
use crate::verdict::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// A failure: one of which a merge would keep one finding.
#[derive(Debug)]
pub(super) struct Failure<'a> {
    /// The id that a merge would give it.
    pub id: String,
    /// Its best reproducer.
    pub best: &'a Found,
    /// The folder in which that lies.
    pub source: usize,
    /// The hunts that saw it, in order, with how often.
    pub seen: BTreeMap<usize, u64>,
    /// Other failures that a mark of this one would hold for too, of other VMs or versions.
    pub elsewhere: Vec<usize>,
}

/// All failures, worst first. Of a hunt's folder the findings of its own VM count.
pub(super) fn failures(sources: &[Source]) -> Vec<Failure<'_>> {
    let mut from = Vec::new();
    let mut all: Vec<&Found> = Vec::new();
    for (n, source) in sources.iter().enumerate() {
        let vm = source.state.as_ref().map(|state| &state.vm);
        let ours = |f: &&Found| vm.is_none_or(|vm| f.finding.facts.title() == *vm);
        for found in source.found.iter().filter(ours) {
            from.push(n);
            all.push(found);
        }
    }
    let distinct = merge::distinct(&all).into_iter();
    let mut failures: Vec<Failure<'_>> = distinct
        .map(|one| {
            let mut seen = BTreeMap::new();
            for &member in &one.members {
                if sources[from[member]].is_hunt() {
                    *seen.entry(from[member]).or_default() += all[member].finding.seen;
                }
            }
            Failure {
                id: one.id,
                best: all[one.best],
                source: from[one.best],
                seen,
                elsewhere: Vec::new(),
            }
        })
        .collect();
    failures.sort_by(|a, b| rank(&a.best.finding).cmp(&rank(&b.best.finding)));
    for (one, others) in elsewhere(&failures) {
        failures[one].elsewhere = others.into_iter().collect();
    }
    failures
}

/// Failures of different VMs or versions that are one to a mark.
fn elsewhere(failures: &[Failure<'_>]) -> BTreeMap<usize, BTreeSet<usize>> {
    let mut alike: BTreeMap<_, Vec<(usize, String, Race)>> = BTreeMap::new();
    for (i, failure) in failures.iter().enumerate() {
        let finding = &failure.best.finding;
        let race = Race::of(finding);
        // A mark on a data race holds whatever the subject.
        let subject = (finding.kind != Kind::DataRace).then(|| race.subject.clone());
        let key = (race.implementation.clone(), subject);
        let title = finding.facts.title();
        alike.entry(key).or_default().push((i, title, race));
    }
    let mut elsewhere: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for group in alike.values() {
        for (n, (a, vm, race)) in group.iter().enumerate() {
            for (b, other_vm, other) in &group[n + 1..] {
                if vm != other_vm && race.is(other) {
                    elsewhere.entry(*a).or_default().insert(*b);
                    elsewhere.entry(*b).or_default().insert(*a);
                }
            }
        }
    }
    elsewhere
}
