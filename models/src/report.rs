//! What `threadbare check` and `threadbare matrix` print, as data and as text.

mod matrix;
mod mutants;
mod orders;

pub use self::matrix::{MATRIX_HEAD, MatrixRow, empty_row, matrix, matrix_cells, matrix_row};
pub use self::mutants::{MutantRow, mutant_foot, mutant_head, mutant_line, mutant_row};
pub use self::orders::{ORDERS_FOOT, OrderRow, order_row, orders};

use crate::catalogue::{Entry, ScenarioInfo, Unknown};
use crate::engine::{Budget, Engine};
use crate::enumerate::{Coverage, EVERY_RUN};
use crate::outcomes::{self, Outcome};
use crate::protocol::{MutantInfo, Property};
use crate::replay::Recording;
use crate::verdict::{Bounds, Verdict, size};
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

const CHECKED: &str = "threadbare.check/1";

/// Default budgets: what keeps one protocol within seconds.
pub fn budget(engine: Engine, seed: u64) -> Budget {
    let executions = match engine {
        Engine::Explorer => 2_000_000,
        Engine::Loom => 150_000,
        Engine::Dfs => 100_000,
        Engine::Random | Engine::Pct => 20_000,
        Engine::Native => 1_000,
    };
    Budget { executions, seed, workers: 1 }
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
    // Its full name, however it was asked for.
    let mutant = mutant.map(|name| entry.mutant(name)).transpose()?.map(|mutant| mutant.name);
    let verdict = entry.check(engine, scenario, mutant, budget)?;
    let replay = verdict
        .failure()
        .and_then(|f| Recording::of(entry, scenario, mutant, engine, f))
        .map(|r| r.to_string());
    Ok(Checked {
        schema: CHECKED,
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
    let Entry { title, name, question, source, .. } = entry;
    let mut text = format!("{title} ({name})\n  {question}\n  source: {source}\n");
    let _ = writeln!(text, "\nproperties");
    for property in entry.properties {
        let _ = writeln!(text, "  {:<4} {}", property.id, property.states);
    }
    let _ = writeln!(text, "\nscenarios, and what may come of each");
    let outcomes = outcomes::all();
    for s in &entry.scenarios {
        let size = size(s.threads, s.operations);
        let _ = writeln!(text, "  {:<20} {} ({size})", s.name, s.asks);
        let stated = outcomes.iter().filter(|o| o.protocol == *name && o.scenario == s.name);
        for Outcome { grade, outcome, sentence, .. } in stated {
            let _ = writeln!(text, "    {:<12} {outcome}: {sentence}", grade.name());
        }
    }
    let bounds = EVERY_RUN.map(|bound| bound.to_string()).join(" and ");
    let _ = writeln!(
        text,
        "\nsmall programs: all {} of {bounds} threads × operations, in every run of the tests, after",
        entry.every_run()
    );
    for (name, asks) in &entry.starts {
        let _ = writeln!(text, "  {name:<20} {asks}");
    }
    let _ = writeln!(text, "\nresults");
    text
}

/// What a run over many scenarios came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Summary {
    /// Every execution within the stated bounds keeps every property.
    pub exhausted: usize,
    /// Samples without a violation.
    pub sampled: usize,
    /// Violations.
    pub violated: usize,
    /// What an engine cannot judge.
    pub unsupported: usize,
}

impl Summary {
    /// Counts a verdict.
    pub fn add(&mut self, verdict: &Verdict) {
        *match verdict {
            Verdict::Exhausted(_) => &mut self.exhausted,
            Verdict::Passed { .. } => &mut self.sampled,
            Verdict::Violated(_) => &mut self.violated,
            Verdict::Unsupported { .. } => &mut self.unsupported,
        } += 1;
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { exhausted, sampled, violated, unsupported } = self;
        let all = exhausted + sampled + violated + unsupported;
        write!(
            f,
            "{all} checks: {exhausted} searches exhausted within their bounds, {sampled} passed as \
             samples, {violated} violated, {unsupported} not judged\n{MODELS}"
        )
    }
}

/// What the engines take for memory, below their results.
const MODELS: &str = "\
loom's C11: no load buffering, SeqCst accesses as acquire-release. RC11: exact; a blocked execution
waits for ever, and nothing in it is wrong. Exhausted is no proof for more threads or operations.";

/// A planted fault, before it is looked for.
pub fn describe_mutant(entry: &Entry, mutant: &MutantInfo) -> String {
    let mut text = format!("{} with {}: {}\n", entry.title, mutant.name, mutant.fault);
    let shipped = if mutant.shipped { "; a form that some system ships" } else { "" };
    let _ = writeln!(text, "  {}{shipped}", mutant.visible.reason());
    let _ = writeln!(text, "must break one of");
    for property in entry.broken_by(mutant) {
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
Executions until each search ended, without a violation unless the cell says so. A bare number is all
of them; *a sample* stopped at its budget. Threads × operations: of each thread, main first.

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
        Verdict::Exhausted(Bounds { executions, preemptions: None, .. }) => executions.to_string(),
        Verdict::Exhausted(Bounds { executions, preemptions: Some(bound), .. }) => {
            format!("{executions}, ≤ {bound} preemptions")
        }
        Verdict::Passed { runs, .. } => format!("{runs}, a sample"),
        Verdict::Violated(failure) => format!("VIOLATED: {}", failure.violation.kind.name()),
        Verdict::Unsupported { reason } => format!("not judged: {reason}"),
    }
}

/// A record of small programs explored.
#[derive(Clone, Debug, Serialize)]
pub struct CoverageRow {
    /// Version of this record.
    pub schema: &'static str,
    /// Protocol.
    pub protocol: &'static str,
    /// What came of it.
    #[serde(flatten)]
    pub coverage: Coverage,
}

/// A record of small programs explored.
pub fn coverage_row(entry: &Entry, coverage: Coverage) -> CoverageRow {
    CoverageRow { schema: "threadbare.enumerated/1", protocol: entry.name, coverage }
}

/// Small programs explored: one line, and the first violation in full.
pub fn coverage(entry: &Entry, mutant: Option<&str>, coverage: &Coverage) -> String {
    let mut text = format!("{}: {coverage}", entry.name);
    for name in &coverage.unfinished {
        let _ = write!(text, "\n  not explored to the end: {name}");
    }
    for (name, failure) in &coverage.violated {
        let _ = write!(text, "\n  {name}: {}", failure.violation.kind.name());
    }
    if let Some((scenario, failure)) = coverage.violated.first() {
        let mutant = mutant.and_then(|name| entry.mutant(name).ok()).map(|mutant| mutant.name);
        let replay = Recording::of(entry, scenario, mutant, Engine::Explorer, failure);
        let checked = Checked {
            schema: CHECKED,
            protocol: entry.name,
            scenario: scenario.clone(),
            mutant: mutant.map(Into::into),
            engine: Engine::Explorer,
            verdict: Verdict::Violated(Box::new(failure.clone())),
            replay: replay.map(|recording| recording.to_string()),
        };
        let _ = write!(text, "\n\n{}", violation(entry, &checked));
    }
    text
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
    let properties: Vec<&Property> =
        meant.map_or_else(|| entry.properties.iter().collect(), |m| entry.broken_by(m).collect());
    let broken: Vec<String> = properties
        .iter()
        .filter(|p| p.broken_by.iter().any(|breach| breach.is(&failure.violation)))
        .map(|p| format!("  {:<4} {}", p.id, p.states))
        .collect();
    // The engines' own words for a deadlock begin with the kind.
    let said =
        failure.violation.text.trim_start_matches(kind.name()).trim_start_matches([':', ' ']);
    let mut text = format!("{}: {said}\n", kind.name());
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
