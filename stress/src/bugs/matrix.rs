//! Bugs × VMs: what was measured where, as table, data and page.

use super::{Bug, Measured, Nature, Status};
use askama::Template;
use serde::Serialize;
use std::collections::BTreeMap;

/// Version of the JSON form.
pub const SCHEMA: u32 = 2;

/// A matrix of measurements.
#[derive(Debug, Serialize)]
pub struct Matrix<'a> {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Columns.
    pub vms: Vec<String>,
    /// Rows, in the catalogue's order.
    pub rows: Vec<Row<'a>>,
}

/// One bug on every VM.
#[derive(Debug, Serialize)]
pub struct Row<'a> {
    /// The bug's id.
    pub id: String,
    /// One line.
    pub title: &'a str,
    /// Part of the VM.
    pub category: &'a str,
    /// What it turned out to be.
    pub nature: Nature,
    /// The bug's protocol, or empty.
    pub protocol: &'a str,
    /// The protocol's mutant, or empty.
    pub mutant: &'a str,
    /// By VM; a VM without an entry was not tried.
    pub cells: BTreeMap<String, &'a Measured>,
    #[serde(skip)]
    bug: &'a Bug,
}

/// Counts of one VM.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// The VM.
    pub vm: String,
    /// Bugs tried.
    pub tried: usize,
    /// Reproduced by their signature.
    pub reproduced: usize,
    /// The program failed in another way.
    pub otherwise: usize,
    /// Not reproduced.
    pub not_reproduced: usize,
    /// Said to be absent, not seen, and seen on another version.
    pub fixed: usize,
    /// Said to be absent, not seen, and seen nowhere: counted as nothing.
    pub unproven: usize,
    /// The VM lacks what they need.
    pub not_applicable: usize,
    /// Not measured since signatures decide: counted as nothing.
    pub before_signatures: usize,
    /// Median over the reproduced bugs of the mean time to a hit, seconds.
    pub median_seconds: f64,
}

impl<'a> Matrix<'a> {
    /// Of these bugs on every VM that one of them was measured on.
    pub fn new(bugs: &[&'a Bug]) -> Self {
        let mut vms: Vec<String> = bugs
            .iter()
            .flat_map(|b| b.measured.iter().map(|m| m.vm.clone()))
            .collect();
        vms.sort();
        vms.dedup();
        Self::on(bugs, vms)
    }

    /// Of these bugs on these VMs.
    pub fn on(bugs: &[&'a Bug], vms: Vec<String>) -> Self {
        let rows = bugs
            .iter()
            .map(|bug| Row {
                id: bug.id(),
                title: &bug.title,
                category: &bug.category,
                nature: bug.nature,
                protocol: &bug.protocol,
                mutant: &bug.mutant,
                cells: vms
                    .iter()
                    .filter_map(|vm| Some((vm.clone(), bug.measured_on(vm)?)))
                    .collect(),
                bug,
            })
            .collect();
        Self {
            schema: SCHEMA,
            vms,
            rows,
        }
    }

    /// Counts, one a VM.
    pub fn totals(&self) -> Vec<Totals> {
        self.vms
            .iter()
            .map(|vm| {
                let cells: Vec<&Measured> = self
                    .rows
                    .iter()
                    .filter_map(|r| r.cells.get(vm).copied())
                    .collect();
                let count = |s: Status| cells.iter().filter(|m| m.status == s).count();
                let mut times: Vec<f64> = cells
                    .iter()
                    .filter(|m| m.status == Status::Reproduced)
                    .map(|m| m.first_hit)
                    .collect();
                times.sort_by(f64::total_cmp);
                Totals {
                    vm: vm.clone(),
                    tried: cells.len(),
                    reproduced: count(Status::Reproduced),
                    otherwise: count(Status::ReproducedOtherwise),
                    not_reproduced: count(Status::NotReproduced),
                    fixed: count(Status::Fixed),
                    unproven: count(Status::Unproven),
                    not_applicable: count(Status::NotApplicable),
                    before_signatures: count(Status::BeforeSignatures),
                    median_seconds: times.get(times.len() / 2).copied().unwrap_or(0.0),
                }
            })
            .collect()
    }

    /// The table for a terminal.
    pub fn text(&self) -> String {
        let name = self.rows.iter().map(|r| r.id.len()).max().unwrap_or(0);
        let widths: Vec<usize> = self.vms.iter().map(|vm| vm.len().max(14)).collect();
        let mut out = format!("{:<name$}", "bug");
        for (vm, w) in self.vms.iter().zip(&widths) {
            out.push_str(&format!("  {vm:<w$}"));
        }
        out.push('\n');
        for row in &self.rows {
            out.push_str(&format!("{:<name$}", row.id));
            for (vm, w) in self.vms.iter().zip(&widths) {
                let text = row
                    .cells
                    .get(vm)
                    .map_or_else(|| "·".to_owned(), |m| cell(m));
                out.push_str(&format!("  {text:<w$}"));
            }
            out.truncate(out.trim_end().len());
            out.push('\n');
        }
        for t in self.totals() {
            out.push_str(&format!("{}\n", t.line()));
        }
        out.push_str(CELLS);
        out.push('\n');
        out
    }

    /// Counts by VM as a table in Markdown, which README holds. A bug that is unproven on a VM is in no
    /// column, nor one that was not measured since signatures decide.
    pub fn markdown(&self) -> String {
        let mut out = String::from(
            "| VM | reproduced | median | otherwise | not reproduced | fixed |\n|---|---:|---:|---:|---:|---:|\n",
        );
        let counted = |t: &Totals| t.reproduced + t.otherwise + t.not_reproduced + t.fixed > 0;
        for t in self.totals().iter().filter(|t| counted(t)) {
            let median = match t.reproduced {
                0 => "–".to_owned(),
                _ => format!("{:.1} s", t.median_seconds),
            };
            out.push_str(&format!(
                "| {} | {} | {median} | {} | {} | {} |\n",
                t.vm, t.reproduced, t.otherwise, t.not_reproduced, t.fixed
            ));
        }
        out
    }

    /// The page.
    pub fn html(&self) -> String {
        let rows = self
            .rows
            .iter()
            .map(|r| PageRow {
                id: r.id.clone(),
                bug: r.bug,
                nature: nature(r.nature),
                cells: self
                    .vms
                    .iter()
                    .map(|vm| match r.cells.get(vm) {
                        Some(m) => (class(m.status), cell(m), told(m)),
                        None => ("untried", "·".to_owned(), String::new()),
                    })
                    .collect(),
            })
            .collect();
        let page = Page {
            vms: &self.vms,
            totals: self.totals(),
            rows,
        };
        // Rendering writes to a string; only a formatter of our own could fail, and none does.
        page.render().expect("the matrix renders")
    }
}

impl Totals {
    /// One line.
    pub fn line(&self) -> String {
        format!(
            "{}: {} reproduced (median of the mean times to a hit {:.1} s), {} failed otherwise, {} not reproduced, {} fixed; not counted: {} unproven, {} not applicable, {} measured before signatures",
            self.vm,
            self.reproduced,
            self.median_seconds,
            self.otherwise,
            self.not_reproduced,
            self.fixed,
            self.unproven,
            self.not_applicable,
            self.before_signatures
        )
    }
}

/// What a cell says.
const CELLS: &str = "cells: hits/runs and mean time to a hit; ≠ the program failed otherwise, and how often; 0/runs with the time tried; \
                     = said to be fixed there, and shown on another version; ? said to be fixed there, and shown nowhere; \
                     n/a the VM lacks what it needs; (…) measured before signatures decided; · not tried";

/// What was seen, as far as anything was.
fn told(m: &Measured) -> String {
    let parts = [m.seen.as_str(), m.otherwise.as_str()];
    parts
        .into_iter()
        .filter(|p| !p.is_empty())
        .collect::<Vec<_>>()
        .join("; otherwise: ")
}

fn cell(m: &Measured) -> String {
    match m.status {
        Status::Reproduced => format!("{}/{} {:.1} s", m.hits, m.runs, m.first_hit),
        Status::ReproducedOtherwise => format!("≠ {}/{} {:.0} s", m.others, m.runs, m.seconds),
        Status::Fixed => format!("= 0/{} {:.0} s", m.runs, m.seconds),
        Status::Unproven => format!("? 0/{} {:.0} s", m.runs, m.seconds),
        Status::NotReproduced => format!("0/{} {:.0} s", m.runs, m.seconds),
        Status::NotApplicable => "n/a".to_owned(),
        Status::BeforeSignatures => format!("({}/{})", m.hits, m.runs),
    }
}

fn class(status: Status) -> &'static str {
    match status {
        Status::Reproduced => "hit",
        Status::Fixed => "fixed",
        Status::NotReproduced | Status::ReproducedOtherwise => "quiet",
        Status::Unproven | Status::NotApplicable | Status::BeforeSignatures => "untried",
    }
}

/// The word for what a report turned out to be; nothing for a bug.
fn nature(nature: Nature) -> &'static str {
    match nature {
        Nature::Bug => "",
        Nature::Documented => "documented as unsafe, no bug",
        Nature::Allowed => "allowed, no bug",
        Nature::False => "reported, and no bug",
        Nature::Disputed => "disputed",
        Nature::Foreign => "a fault of another library",
    }
}

#[derive(Template)]
#[template(path = "bugs.html")]
struct Page<'a> {
    vms: &'a [String],
    totals: Vec<Totals>,
    rows: Vec<PageRow<'a>>,
}

struct PageRow<'a> {
    id: String,
    bug: &'a Bug,
    nature: &'static str,
    cells: Vec<(&'static str, String, String)>,
}
