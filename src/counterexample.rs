//! The model's side of a fault: how a protocol fails with a mutant.

use crate::check::engines_for;
use std::cell::RefCell;
use std::collections::BTreeMap;
use threadbare_models::catalogue::{self, Entry};
use threadbare_models::protocol::MutantInfo;
use threadbare_models::report as models;
use threadbare_stress::finding::store::Found;
use threadbare_stress::report::pair::Counterexample;
use threadbare_stress::report::{self, Beside};
use threadbare_stress::triage::marks::Marks;
use threadbare_stress::triage::promise;

/// The properties of which a mutant must break one, each with what it states.
pub fn breaks(entry: &Entry, mutant: &MutantInfo) -> String {
    let each = entry.broken_by(mutant);
    let each: Vec<String> = each.map(|p| format!("{}: {}", p.id, p.states)).collect();
    each.join("; ")
}

/// The first counterexample that an engine finds; `None` for names that no model has.
pub fn counterexample(protocol: &str, mutant: &str) -> Option<Counterexample> {
    let entry = catalogue::find(protocol).ok()?;
    let mutant = entry.mutant(mutant).ok()?;
    let breaks = breaks(&entry, mutant);
    engines_for(mutant).into_iter().find_map(|engine| {
        let budget = models::budget(engine, 1);
        let verdict = entry
            .check(engine, mutant.scenario, Some(mutant.name), budget)
            .ok()?;
        let failure = verdict.failure()?;
        Some(Counterexample {
            protocol: protocol.to_owned(),
            mutant: mutant.name.to_owned(),
            fault: mutant.fault.to_owned(),
            breaks: breaks.clone(),
            found: format!(
                "{}: {} ({}, execution {})",
                failure.violation.kind.name(),
                failure.violation.text,
                engine.name(),
                failure.execution
            ),
            trace: failure.trace.clone(),
        })
    })
}

/// What lies beside findings with these marks, and of those that are shown in full the model's side.
pub fn beside(marks: &Marks) -> impl Fn(&Found, bool) -> Beside {
    // Many findings are one mutant.
    let known = RefCell::new(BTreeMap::new());
    move |found: &Found, in_full: bool| {
        let mut beside = report::beside(found, marks, in_full);
        let promise = promise::of(&found.finding, &beside.known);
        if let Some(p) = promise.filter(|p| in_full && !p.mutant.is_empty()) {
            let mut known = known.borrow_mut();
            let model = known
                .entry((p.protocol.clone(), p.mutant.clone()))
                .or_insert_with(|| counterexample(&p.protocol, &p.mutant));
            beside.model.clone_from(model);
        }
        beside
    }
}
