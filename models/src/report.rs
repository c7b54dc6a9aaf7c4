//! What `threadbare check` and `threadbare matrix` print, as data and as text.

use crate::catalogue::{Entry, ScenarioInfo, Unknown};
use crate::engine::{Budget, Engine};
use crate::protocol::{MutantInfo, Visible};
use crate::replay::Recording;
use crate::verdict::{Bounds, Verdict};
use serde::Serialize;
use std::fmt::Write;

/// One check: a scenario, faithful or with a mutant, under one engine.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// Version of this record.
    pub schema: &'static str,
    /// Protocol.
    pub protocol: &'static str,
    /// Scenario.
    pub scenario: String,
    /// Mutant, if any.
    pub mutant: Option<String>,
    /// Engine.
    pub engine: Engine,
    /// What came out.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The line that repeats a violation.
    pub replay: Option<String>,
}

/// Default budgets: what keeps one protocol within seconds.
pub fn budget(engine: Engine, seed: u64) -> Budget {
    let executions = match engine {
        Engine::Explorer => 2_000_000,
        Engine::Loom => 150_000,
        Engine::Dfs => 100_000,
        Engine::Random | Engine::Pct => 20_000,
        Engine::Native => 1_000,
    };
    Budget { executions, seed }
}

/// Runs one check.
///
/// # Errors
/// [`Unknown`] names.
pub fn check(
    entry: &Entry,
    scenario: &str,
    mutant: Option<&str>,
    engine: Engine,
    budget: Budget,
) -> Result<Checked, Unknown> {
    let verdict = entry.check(engine, scenario, mutant, budget)?;
    let replay = verdict
        .failure()
        .and_then(|f| Recording::of(entry, scenario, mutant, engine, f))
        .map(|r| r.to_string());
    Ok(Checked {
        schema: "threadbare.check/1",
        protocol: entry.name,
        scenario: scenario.into(),
        mutant: mutant.map(Into::into),
        engine,
        verdict,
        replay,
    })
}

/// Question, source, properties, scenarios.
pub fn describe(entry: &Entry) -> String {
    let mut text = format!("{}\n  {}\n  source: {}\n", entry.title, entry.question, entry.source);
    let _ = writeln!(text, "\nproperties");
    for property in entry.properties {
        let _ = writeln!(text, "  {:<4} {}", property.id, property.states);
    }
    let _ = writeln!(text, "\nscenarios");
    for s in &entry.scenarios {
        let size = format!("{} threads, {} operations", s.threads, s.operations);
        let _ = writeln!(text, "  {:<20} {} ({size})", s.name, s.asks);
    }
    text
}

/// A planted fault, before it is looked for.
pub fn describe_mutant(entry: &Entry, mutant: &MutantInfo) -> String {
    let mut text = format!("{} with {}: {}\n", entry.title, mutant.name, mutant.fault);
    let shipped = if mutant.shipped { "; a form that some system ships" } else { "" };
    let _ = writeln!(text, "  {}{shipped}", mutant.visible.reason());
    let _ = writeln!(text, "must break one of");
    for property in entry.properties.iter().filter(|p| mutant.breaks.contains(&p.id)) {
        let _ = writeln!(text, "  {:<4} {}", property.id, property.states);
    }
    text
}

/// What to say when none of the engines asked has found a planted fault.
pub fn survival(mutant: &MutantInfo) -> String {
    format!(
        "{} survives here. It shows in scenario {}; {}.",
        mutant.name,
        mutant.scenario,
        mutant.visible.reason()
    )
}

/// Head of the table of bounds, in Markdown.
pub const BOUNDS_HEAD: &str = "\
| protocol | scenario | threads × operations | explorer, RC11 | loom, C11 | shuttle depth-first, SC |
|---|---|---|---:|---:|---:|
";

/// What a line of the table of bounds begins with.
pub fn bounds_start(entry: &Entry, scenario: &ScenarioInfo) -> String {
    let each = scenario.per_thread.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ");
    format!("| {} | {} | {} × ({each}) |", entry.name, scenario.name, scenario.threads)
}

/// Line of the table of bounds: executions per engine, and what they cover if not all.
pub fn bounds_line(entry: &Entry, scenario: &ScenarioInfo, verdicts: &[Verdict]) -> String {
    let cells: Vec<String> = verdicts.iter().map(bounds_cell).collect();
    format!("{} {} |", bounds_start(entry, scenario), cells.join(" | "))
}

fn bounds_cell(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Proved(Bounds { executions, preemptions: None, .. }) => executions.to_string(),
        Verdict::Proved(Bounds { executions, preemptions: Some(bound), .. }) => {
            format!("{executions}, ≤ {bound} preemptions")
        }
        Verdict::Passed { runs, .. } => format!("{runs}, a sample"),
        Verdict::Violated(failure) => format!("VIOLATED: {}", failure.violation.kind.name()),
        Verdict::Unsupported { reason } => format!("not judged: {reason}"),
    }
}

/// One line of a table of checks.
pub fn line(checked: &Checked) -> String {
    format!("  {:<20} {:<15} {}", checked.scenario, checked.engine.name(), checked.verdict)
}

/// A violation in full: what, the scenario, how, and how to see it again.
pub fn violation(entry: &Entry, checked: &Checked) -> String {
    let Some(failure) = checked.verdict.failure() else { return String::new() };
    let kind = failure.violation.kind;
    // A kind can break several properties; a planted fault says which it means.
    let meant = checked.mutant.as_deref().and_then(|name| entry.mutant(name).ok());
    let broken: Vec<String> = entry
        .properties
        .iter()
        .filter(|p| p.broken_by.contains(&kind))
        .filter(|p| meant.is_none_or(|mutant| mutant.breaks.contains(&p.id)))
        .map(|p| format!("  {:<4} {}", p.id, p.states))
        .collect();
    let mut text = format!("{}: {}\n", kind.name(), failure.violation.text);
    let breaks = match broken.len() {
        0 => "breaks none of the properties that the fault names".to_owned(),
        1 => format!("breaks\n{}", broken[0]),
        _ => format!("breaks one of\n{}", broken.join("\n")),
    };
    let _ = writeln!(text, "{breaks}");
    let mutant = checked.mutant.as_deref().map(|m| format!(" with {m}")).unwrap_or_default();
    let _ = writeln!(
        text,
        "found by {} in execution {} of {}{mutant}\n\n{}",
        checked.engine.name(),
        failure.execution,
        checked.protocol,
        failure.trace
    );
    match &checked.replay {
        Some(line) => {
            let _ = writeln!(text, "again: threadbare replay '{line}'");
        }
        None => {
            let _ = writeln!(text, "again: real threads cannot be replayed; run the same check");
        }
    }
    text
}

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
            || failure.is_none_or(|f| entry.kind_breaks(f.violation.kind, mutant.breaks));
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

/// Below the table of mutants: how to see one.
pub fn mutant_foot(entry: &Entry) -> String {
    format!(
        "  numbers: executions until killed; – missed; see one, and the line that replays it:\n  \
         threadbare check {} --mutant {}\n",
        entry.name,
        entry.mutants.first().map_or("NAME", |m| m.name)
    )
}

/// Killed, killable, and waiting mutants by engine, for the matrix.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MatrixRow {
    /// Version of this record.
    pub schema: &'static str,
    /// Protocol.
    pub protocol: String,
    /// Properties.
    pub properties: usize,
    /// Scenarios.
    pub scenarios: usize,
    /// Mutants.
    pub mutants: usize,
    /// Mutants expected to be killed by loom; tests hold the catalogue to it.
    pub loom: usize,
    /// Mutants expected to be killed by shuttle.
    pub shuttle: usize,
    /// Mutants that the explorer kills.
    pub explorer: usize,
    /// Of these, mutants that no other engine can judge.
    pub exact_only: usize,
    /// Forms that some system ships, among the mutants.
    pub shipped: usize,
    /// Named faults that are not expressed.
    pub not_expressed: usize,
    /// Whether random scenarios run on real threads.
    pub native: bool,
    /// VM probes paired with the protocol.
    pub probes: usize,
    /// Known bugs paired with the protocol.
    pub bugs: usize,
}

/// The row of a protocol; probes and bugs are counted by the caller, who knows them.
pub fn matrix_row(entry: &Entry, probes: usize, bugs: usize) -> MatrixRow {
    let count = |f: &dyn Fn(&MutantInfo) -> bool| entry.mutants.iter().filter(|m| f(m)).count();
    MatrixRow {
        schema: "threadbare.matrix/1",
        protocol: entry.name.into(),
        properties: entry.properties.len(),
        scenarios: entry.scenarios.len(),
        mutants: entry.mutants.len(),
        loom: count(&|m| m.visible.by_loom()),
        shuttle: count(&|m| m.visible.by_shuttle()),
        explorer: count(&|m| m.visible.by_explorer()),
        exact_only: count(&|m| matches!(m.visible, Visible::Explorer(_))),
        shipped: count(&|m| m.shipped),
        not_expressed: entry.not_expressed.len(),
        native: true,
        probes,
        bugs,
    }
}

/// The row of a protocol that has no scheme.
pub fn empty_row(protocol: &str, probes: usize, bugs: usize) -> MatrixRow {
    let schema = "threadbare.matrix/1";
    MatrixRow { schema, protocol: protocol.into(), probes, bugs, ..MatrixRow::default() }
}

/// The matrix as text; an empty cell is a middle dot, never blank.
pub fn matrix(rows: &[MatrixRow]) -> String {
    let mut text = format!("{:<17} {:^20}  {:^32}  {:^20}\n", "", "stated", "killed by", "met in");
    let _ = writeln!(
        text,
        "{:<17} {:>10} {:>9}  {:>8} {:>7} {:>7} {:>7}  {:>6} {:>6} {:>6}",
        "protocol",
        "properties",
        "scenarios",
        "explorer",
        "loom",
        "shuttle",
        "omitted",
        "native",
        "probes",
        "bugs"
    );
    let cell = |n: usize| if n == 0 { "·".to_owned() } else { n.to_string() };
    for r in rows {
        let killed = |n: usize| match r.mutants {
            0 => "·".to_owned(),
            all => format!("{n}/{all}"),
        };
        let _ = writeln!(
            text,
            "{:<17} {:>10} {:>9}  {:>8} {:>7} {:>7} {:>7}  {:>6} {:>6} {:>6}",
            r.protocol,
            cell(r.properties),
            cell(r.scenarios),
            killed(r.explorer),
            killed(r.loom),
            killed(r.shuttle),
            cell(r.not_expressed),
            if r.native { "yes" } else { "·" },
            cell(r.probes),
            cell(r.bugs),
        );
    }
    let sum = |f: fn(&MatrixRow) -> usize| rows.iter().map(f).sum::<usize>();
    let modelled = rows.iter().filter(|r| r.scenarios > 0).count();
    let _ = writeln!(
        text,
        "{modelled} protocols with a scheme, {} without; {} mutants, {} of them forms that some \
         system ships, {} killed by the\nexplorer's exact memory model alone; {} faults named in \
         the literature are omitted, with reasons. `cargo test` holds every\nengine to these \
         numbers; `threadbare check --mutants` prints executions to kill. ·: nothing.",
        rows.len() - modelled,
        sum(|r| r.mutants),
        sum(|r| r.shipped),
        sum(|r| r.exact_only),
        sum(|r| r.not_expressed),
    );
    text
}
