//! The faults that the literature names, as data: `facts.tsv`, one line a fault.
//!
//! The file is the list that completeness is measured against: eighteen mechanisms that replace a
//! global lock. A fault is a *mutant* of some protocol, or stands
//! there with the *reason* why no model expresses it, or is *not yet* done. Which of these holds is
//! written in the file and held to the catalogue by `tests/facts.rs`.

use crate::catalogue::Entry;
use serde::Serialize;
use std::collections::BTreeMap;

/// What became of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Planted in a scheme of the catalogue.
    Mutant,
    /// Not expressed, for the reason that stands beside it.
    Reason,
    /// Nothing yet.
    NotYet,
}

/// One named fault.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Fact {
    /// The mechanism whose fault it is.
    pub sheet: &'static str,
    /// Name, as the catalogue's mutant of the same fault has it.
    pub fault: &'static str,
    /// What became of it.
    pub state: State,
    /// What it breaks, in the sheet's own numbering.
    pub property: &'static str,
    /// Whether sequential consistency hides it.
    pub weak: bool,
    /// What is wrong, in a few words.
    pub what: &'static str,
    /// Why no model expresses it; empty unless that is so.
    pub why: &'static str,
}

/// Every named fault, in the file's order: by sheet.
///
/// # Panics
/// When the file, which is part of the program, is not as this reads it.
pub fn all() -> Vec<Fact> {
    let lines = include_str!("../facts.tsv").lines().skip(1);
    lines.map(|line| parse(line).unwrap_or_else(|| panic!("facts.tsv: {line}"))).collect()
}

fn parse(line: &'static str) -> Option<Fact> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [sheet, fault, state, property, memory, what, why] = cells[..] else { return None };
    let state = match state {
        "mutant" => State::Mutant,
        "reason" => State::Reason,
        "not yet" => State::NotYet,
        _ => return None,
    };
    let weak = match memory {
        "weak" => true,
        "" => false,
        _ => return None,
    };
    Some(Fact { sheet, fault, state, property, weak, what, why })
}

/// How far the models cover one mechanism.
#[derive(Clone, Debug, Serialize)]
pub struct Sheet {
    /// Version of this record.
    pub schema: &'static str,
    /// The mechanism.
    pub sheet: &'static str,
    /// Faults that are named.
    pub named: usize,
    /// Of these, mutants of some protocol.
    pub mutants: usize,
    /// Of these, not expressed for a reason.
    pub reasons: usize,
    /// Protocols that have any of them.
    pub protocols: Vec<&'static str>,
}

impl Sheet {
    /// Faults of which nothing is said yet.
    pub fn not_yet(&self) -> usize {
        self.named - self.mutants - self.reasons
    }
}

/// Every mechanism, by name.
pub fn sheets(catalogue: &[Entry]) -> Vec<Sheet> {
    let mut sheets: BTreeMap<&str, Sheet> = BTreeMap::new();
    for fact in all() {
        let sheet = sheets.entry(fact.sheet).or_insert_with(|| Sheet {
            schema: "threadbare.sheet/1",
            sheet: fact.sheet,
            named: 0,
            mutants: 0,
            reasons: 0,
            protocols: Vec::new(),
        });
        sheet.named += 1;
        sheet.mutants += usize::from(fact.state == State::Mutant);
        sheet.reasons += usize::from(fact.state == State::Reason);
        let planted = |e: &&Entry| e.mutants.iter().any(|m| m.name == fact.fault);
        for entry in catalogue.iter().filter(planted) {
            if !sheet.protocols.contains(&entry.name) {
                sheet.protocols.push(entry.name);
            }
        }
    }
    sheets.into_values().collect()
}

/// The faults of a protocol's mechanisms that are no mutant, with the reason or without one yet.
pub fn left_out(entry: &Entry) -> Vec<Fact> {
    let facts = all();
    let mine = |fact: &&Fact| entry.mutants.iter().any(|m| m.name == fact.fault);
    // A mechanism of which the protocol has one fault by the way is not what it models.
    let count = |sheet: &str| facts.iter().filter(mine).filter(|f| f.sheet == sheet).count();
    let most = facts.iter().map(|f| count(f.sheet)).max().unwrap_or(0);
    let own = |f: &&Fact| most > 0 && count(f.sheet) == most && f.state != State::Mutant;
    facts.iter().filter(own).copied().collect()
}
