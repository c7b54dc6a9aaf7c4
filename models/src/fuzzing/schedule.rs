//! Target `schedule`: bytes are the schedule of a protocol's scenario.

use crate::catalogue::{Entry, all};
use crate::engine::Engine;
use crate::runtime::Label;
use crate::runtime::trace::{Action, Event};
use crate::verdict::Verdict;
use std::collections::HashMap;
use std::panic::Location;
use std::sync::LazyLock;
use threadbare_litmus::fuzzing::below;

static ALL: LazyLock<Vec<Entry>> = LazyLock::new(all);

/// What one chosen execution was.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Protocol.
    pub protocol: &'static str,
    /// Scenario.
    pub scenario: String,
    /// Planted fault, if any.
    pub mutant: Option<&'static str>,
    /// Whether the fault broke a property.
    pub killed: bool,
    /// The source lines of each write and of each read of it by another thread: what a fuzzer takes
    /// for new.
    pub reads_from: Vec<[&'static Location<'static>; 2]>,
}

/// The pairs of a write's and a read's line, of another thread each.
fn reads_from(events: &[Event]) -> Vec<[&'static Location<'static>; 2]> {
    let mut last: HashMap<Label, Event> = HashMap::new();
    let mut pairs = Vec::new();
    for event in events {
        let (label, reads, writes) = match event.action {
            Action::Load(label, ..) | Action::Read(label, _) | Action::Refused(label, ..) => {
                (label, true, false)
            }
            Action::Store(label, ..) | Action::Write(label, _) => (label, false, true),
            Action::Update(label, ..) => (label, true, true),
            _ => continue,
        };
        let from = last.get(&label).filter(|from| reads && from.thread != event.thread);
        pairs.extend(from.map(|from| [from.place, event.place]));
        if writes {
            last.insert(label, *event);
        }
    }
    pairs
}

/// The first bytes choose protocol, scenario and, half of the time, a fault to plant; the others are the
/// schedule. The faithful scheme breaks nothing; what a fault breaks, the recorded schedule repeats to the
/// same trace. Killed is a fault that breaks a property which it is said to break.
///
/// # Panics
/// When it is not so.
pub fn schedule(mut bytes: &[u8]) -> Chosen {
    let rest = &mut bytes;
    let entry = &ALL[below(rest, ALL.len())];
    let which = below(rest, 2 * entry.mutants.len().max(1));
    let mutant = entry.mutants.get(which);
    let number = below(rest, entry.scenarios.len());
    let scenario = mutant.map_or(&*entry.scenarios[number].name, |m| m.scenario);
    let name = mutant.map(|m| m.name);
    let chosen = entry.chosen(scenario, name, &rest[..rest.len().min(512)]);
    let (verdict, events) = chosen.expect("names of the catalogue");
    let what = || format!("{} {scenario} {name:?}: {verdict}", entry.name);
    if let Verdict::Violated(failure) = &verdict {
        assert!(mutant.is_some(), "the faithful scheme fails: {}\n{}", what(), failure.trace);
        let again = entry.replay(Engine::Random, scenario, name, &failure.schedule);
        let again = again.unwrap_or_else(|e| panic!("{e}: {}", what()));
        assert_eq!(again.failure().map(|f| f.trace_hash), Some(failure.trace_hash), "{}", what());
    }
    Chosen {
        protocol: entry.name,
        scenario: scenario.to_owned(),
        mutant: name,
        killed: verdict
            .failure()
            .zip(mutant)
            .is_some_and(|(f, m)| entry.is_killed_by(m, &f.violation)),
        reads_from: reads_from(&events),
    }
}
