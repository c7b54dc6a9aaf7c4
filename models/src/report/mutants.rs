//! The table of mutants: executions to kill, by engine.

use super::{budget, check};
use crate::catalogue::{Entry, Unknown};
use crate::engine::Engine;
use crate::protocol::{MutantInfo, Visible};
use serde::Serialize;

/// A mutant under every engine.
#[derive(Clone, Debug, Serialize)]
pub struct MutantRow {
    /// Version of this record.
    pub schema: &'static str,
    /// Protocol.
    pub protocol: &'static str,
    /// The mutant.
    pub mutant: MutantInfo,
    /// Per engine: executions until it was killed, or none.
    pub kills: Vec<(Engine, Option<u64>)>,
    /// Whether the outcome is what the catalogue expects.
    pub as_expected: bool,
}

/// Runs one mutant under the engines that can show it.
///
/// # Errors
/// [`Unknown`] names.
pub fn mutant_row(entry: &Entry, mutant: &MutantInfo, seed: u64) -> Result<MutantRow, Unknown> {
    let mut kills = Vec::new();
    let mut right_property = true;
    let waits = matches!(mutant.visible, Visible::Explorer(_));
    for engine in [Engine::Explorer, Engine::Loom, Engine::Random, Engine::Pct, Engine::Dfs] {
        let budget = budget(engine, seed);
        let checked = check(entry, mutant.scenario, Some(mutant.name), engine, budget)?;
        let failure = checked.verdict.failure();
        // What an inexact engine says about a mutant that is beyond it does not count.
        right_property &= waits && engine != Engine::Explorer
            || failure.is_none_or(|f| entry.is_killed_by(mutant, &f.violation));
        kills.push((engine, failure.map(|f| f.execution)));
    }
    let explorer = kills[0].1.is_some();
    let loom = kills[1].1.is_some();
    let shuttle = kills[2..].iter().any(|(_, k)| k.is_some());
    let fits = waits || loom == mutant.visible.by_loom() && shuttle == mutant.visible.by_shuttle();
    Ok(MutantRow {
        schema: "threadbare.mutants/1",
        protocol: entry.name,
        mutant: *mutant,
        kills,
        as_expected: explorer && fits && right_property,
    })
}

/// Head of the table of mutants.
pub fn mutant_head() -> String {
    format!(
        "  {:<30} {:<14} {:>8} {:>8} {:>8} {:>8} {:>8}  expectation",
        "mutant", "breaks", "explorer", "loom", "random", "pct", "dfs"
    )
}

/// Line of the table of mutants: executions until killed.
pub fn mutant_line(row: &MutantRow) -> String {
    let waits = matches!(row.mutant.visible, Visible::Explorer(_));
    let cell = |n: usize| match row.kills[n].1 {
        // What an inexact engine says about such a mutant is not counted.
        _ if waits && n > 0 => "beyond".to_owned(),
        Some(executions) => executions.to_string(),
        None => "–".to_owned(),
    };
    let mark = if row.as_expected { "" } else { "  ✗ NOT AS EXPECTED" };
    let shipped = if row.mutant.shipped { " [shipped form]" } else { "" };
    format!(
        "  {:<30} {:<14} {:>8} {:>8} {:>8} {:>8} {:>8}  {}{shipped}{mark}",
        row.mutant.name,
        row.mutant.breaks.join(" "),
        cell(0),
        cell(1),
        cell(2),
        cell(3),
        cell(4),
        row.mutant.visible.reason()
    )
}

/// Below the tables of mutants: how to see one, of the first protocol for example.
pub fn mutant_foot(entry: &Entry) -> String {
    format!(
        "numbers: executions until killed; –: not within the budget; to see one, and the line that replays it:\n  \
         threadbare check {} --mutant {}\n",
        entry.name,
        entry.mutants.first().map_or("NAME", |m| m.name)
    )
}
