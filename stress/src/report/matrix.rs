//! Subjects × VMs: what was found where, what ran without a finding, what was not run.

use super::collect::Source;
use super::failures::Failure;
use super::grouped;
use crate::triage::severity::Severity;
use std::collections::{BTreeMap, BTreeSet};

/// The table.
pub(super) struct Matrix {
    /// VMs.
    pub heads: Vec<String>,
    /// Subjects with findings, worst first.
    pub found: Vec<Row>,
    /// The others.
    pub clean: Vec<Row>,
}

/// A subject.
pub(super) struct Row {
    pub subject: String,
    pub cells: Vec<Cell>,
}

/// A subject on a VM; all is empty where nobody ran it.
#[derive(Clone, Default)]
pub(super) struct Cell {
    /// Findings, or that it was skipped.
    pub text: String,
    /// The worst of the findings, or what ran.
    pub note: String,
    /// CSS class.
    pub class: &'static str,
}

/// What is known of a subject on a VM.
#[derive(Default)]
struct Met {
    findings: usize,
    worst: Option<Severity>,
    scenarios: Option<u64>,
    skipped: Option<String>,
}

impl Met {
    fn cell(&self) -> Cell {
        let ran = |n: &u64| format!("{} scenarios", grouped(*n));
        match (self.worst, &self.scenarios, &self.skipped) {
            (Some(worst), ..) => Cell {
                text: self.findings.to_string(),
                note: worst.name().to_owned(),
                class: match worst {
                    Severity::Interesting | Severity::Internal => "interesting",
                    _ => "forbidden",
                },
            },
            (None, Some(n), _) => Cell {
                text: "0".to_owned(),
                note: ran(n),
                class: "dim",
            },
            (None, None, Some(why)) => Cell {
                text: "skipped".to_owned(),
                note: why.clone(),
                class: "dim",
            },
            (None, None, None) => Cell::default(),
        }
    }
}

impl Matrix {
    /// Of all hunts and failures.
    pub fn new(sources: &[Source], failures: &[Failure<'_>]) -> Self {
        let mut met: BTreeMap<(&str, String), Met> = BTreeMap::new();
        let mut vms = BTreeSet::new();
        for state in sources.iter().filter_map(|s| s.state.as_ref()) {
            vms.insert(state.vm.clone());
            for (subject, totals) in &state.subjects {
                let met = met.entry((subject, state.vm.clone())).or_default();
                if totals.scenarios > totals.unsupported {
                    *met.scenarios.get_or_insert(0) += totals.scenarios - totals.unsupported;
                }
                met.skipped = met.skipped.take().or_else(|| totals.skipped.clone());
            }
        }
        for failure in failures {
            let finding = &failure.best.finding;
            let vm = finding.facts.title();
            vms.insert(vm.clone());
            let met = met.entry((&finding.subject, vm)).or_default();
            met.findings += 1;
            // Worst first.
            met.worst = met.worst.or(Some(Severity::of(finding)));
        }
        let heads: Vec<String> = vms.into_iter().collect();
        let subjects: BTreeSet<&str> = met.keys().map(|(subject, _)| *subject).collect();
        let mut rows: Vec<_> = subjects
            .into_iter()
            .map(|subject| {
                let of: Vec<Option<&Met>> = heads
                    .iter()
                    .map(|vm| met.get(&(subject, vm.clone())))
                    .collect();
                let findings: usize = of.iter().flatten().map(|m| m.findings).sum();
                let worst = of.iter().flatten().filter_map(|m| m.worst).min();
                let cells = of.iter().map(|m| m.map_or_else(Cell::default, Met::cell));
                let row = Row {
                    subject: subject.to_owned(),
                    cells: cells.collect(),
                };
                (worst, findings, row)
            })
            .collect();
        rows.sort_by_key(|(worst, n, row)| (*worst, std::cmp::Reverse(*n), row.subject.clone()));
        let (found, clean): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, n, _)| *n > 0);
        let only = |rows: Vec<(_, _, Row)>| rows.into_iter().map(|(_, _, row)| row).collect();
        Self {
            heads,
            found: only(found),
            clean: only(clean),
        }
    }
}
