//! `threadbare check`: protocols under the model engines.

use crate::exit;
use anyhow::Context;
use clap::{Args as ClapArgs, ValueEnum};
use std::borrow::Cow;
use std::process::ExitCode;
use threadbare_models::catalogue::{self, Entry};
use threadbare_models::engine::Engine;
use threadbare_models::enumerate::Which;
use threadbare_models::protocol::MutantInfo;
use threadbare_models::report;
use threadbare_models::verdict::Verdict;

/// Check protocols: properties, scenarios, engines, bounds, results.
#[derive(ClapArgs, Debug)]
#[command(after_help = "\
Examples:
  threadbare check biased                                # every scenario under every engine
  threadbare check biased --scenario exit --engine loom  # one of them
  threadbare check biased --mutant merge-ignores-shared  # how this fault breaks it; exit code 1
  threadbare check buffered --engine explorer --workers 2 # this engine on two cores
  threadbare check gil --mutants                         # executions to kill each fault, by engine
  threadbare check qsbr --orders                         # which memory orders the scenarios need
  threadbare check qsbr --enumerate 2x2                  # all programs of 2 threads × 2 operations
  threadbare check --format markdown                     # what was covered, as a table")]
pub struct Args {
    /// Protocol; all when absent
    pub protocol: Option<String>,
    /// Plant this fault and show how it breaks the protocol
    #[arg(long, requires = "protocol")]
    pub mutant: Option<String>,
    /// Run every mutant under every engine and print executions to kill
    #[arg(long, conflicts_with_all = ["mutant", "engine", "scenario", "executions"])]
    pub mutants: bool,
    /// Weaken every memory order of the scheme, one at a time, and print what then breaks
    #[arg(long, conflicts_with_all = ["mutant", "mutants", "engine", "scenario"])]
    pub orders: bool,
    /// Explore every program of so many threads and operations of each, up to 4x6, or a sample:
    /// 4x2~1000@7 are 1000 programs after each set-up, from seed 7
    #[arg(long, value_name = "BOUND", conflicts_with_all = ["mutants", "orders", "engine", "scenario"])]
    pub enumerate: Option<Which>,
    /// Engine: explorer, loom, shuttle-dfs, shuttle-random, shuttle-pct, native; all when absent
    #[arg(long, value_parser = engine)]
    pub engine: Option<Engine>,
    /// Scenario; all of the protocol when absent
    #[arg(long, requires = "protocol")]
    pub scenario: Option<String>,
    /// Seed of random schedules
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Executions at most, per scenario and engine; the engine's default when absent
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub executions: Option<u64>,
    /// OS threads on which the explorer searches; the other engines have one
    #[arg(long, default_value_t = 1, conflicts_with_all = ["mutants", "orders"],
          value_parser = clap::value_parser!(u16).range(1..))]
    pub workers: u16,
    /// Output
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Output formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text for people
    Human,
    /// One object a line
    Json,
    /// A table of what the exhaustive engines covered
    Markdown,
}

fn engine(name: &str) -> Result<Engine, String> {
    let known: Vec<&str> = Engine::ALL.iter().map(|e| e.name()).collect();
    Engine::named(name).ok_or_else(|| format!("one of {}", known.join(", ")))
}

/// What came out of the checks so far.
#[derive(Default)]
struct Tally {
    violated: bool,
    judged: bool,
    verdicts: report::Summary,
}

/// Runs the subcommand.
///
/// # Errors
/// Names that the catalogue does not have; output that cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    if let Some(why) = unfit(&args) {
        eprintln!("threadbare: {why}");
        return Ok(exit::usage());
    }
    Ok(match checked(&args)? {
        tally if tally.violated => exit::found(),
        tally if tally.judged => exit::CLEAN,
        _ => exit::nothing(),
    })
}

/// Why these options do not go together, as far as the parser cannot tell.
fn unfit(args: &Args) -> Option<String> {
    let engine = args.engine.filter(|engine| *engine != Engine::Explorer);
    if let (Some(engine), 2..) = (engine, args.workers) {
        let name = engine.name();
        return Some(format!(
            "--workers is for the explorer, {name} searches on one OS thread"
        ));
    }
    let one_table = args.enumerate.is_some()
        || args.mutant.is_some()
        || args.mutants
        || args.orders
        || args.engine.is_some();
    (args.format == Format::Markdown && one_table).then(|| {
        "--format markdown is one table, of what each exhaustive engine covered: without \
         --mutant, --mutants, --orders and --engine"
            .to_owned()
    })
}

fn checked(args: &Args) -> anyhow::Result<Tally> {
    let chosen = match &args.protocol {
        Some(name) => vec![catalogue::find(name)?],
        None => catalogue::all(),
    };
    let mut tally = Tally::default();
    if args.format == Format::Markdown {
        print!("{}", report::BOUNDS_HEAD);
    }
    for entry in &chosen {
        if let Some(which) = args.enumerate {
            enumerate(entry, args, which, &mut tally)?;
        } else if args.orders {
            orders(entry, args, &mut tally)?;
        } else if args.mutants {
            mutants(entry, args, &mut tally)?;
        } else if args.format == Format::Markdown {
            bounds(entry, args, &mut tally)?;
        } else {
            checks(entry, args, &mut tally)?;
        }
    }
    if args.format == Format::Human {
        if args.orders {
            println!("{}", report::ORDERS_FOOT);
        } else if args.mutants {
            println!("{}", report::mutant_foot(&chosen[0]));
        } else if args.mutant.is_none() && args.enumerate.is_none() {
            println!("{}", tally.verdicts);
        }
    }
    Ok(tally)
}

fn json(record: serde_json::Result<String>) -> anyhow::Result<()> {
    println!("{}", record.context("a record as JSON")?);
    Ok(())
}

/// One scenario under one engine.
fn one(
    entry: &Entry,
    args: &Args,
    scenario: &str,
    engine: Engine,
    tally: &mut Tally,
) -> anyhow::Result<report::Checked> {
    let mut budget = report::budget(engine, args.seed);
    budget.executions = args.executions.unwrap_or(budget.executions);
    budget.workers = args.workers.into();
    let checked = report::check(entry, scenario, args.mutant.as_deref(), engine, budget)?;
    tally.verdicts.add(&checked.verdict);
    tally.violated |= checked.verdict.failure().is_some();
    tally.judged |= !matches!(checked.verdict, Verdict::Unsupported { .. });
    Ok(checked)
}

/// The engines that are expected to show a fault, the one with the plainest trace first.
pub fn engines_for(mutant: &MutantInfo) -> Vec<Engine> {
    let mut engines = Vec::new();
    if mutant.visible.by_loom() {
        engines.push(Engine::Loom);
    }
    if mutant.visible.by_shuttle() {
        engines.extend([Engine::Random, Engine::Pct, Engine::Dfs]);
    }
    engines.push(Engine::Explorer);
    engines
}

/// Scenarios under engines.
fn checks(entry: &Entry, args: &Args, tally: &mut Tally) -> anyhow::Result<()> {
    let human = args.format == Format::Human;
    let mutant = args
        .mutant
        .as_deref()
        .map(|name| entry.mutant(name))
        .transpose()?;
    let scenarios: Vec<Cow<'_, str>> = match (&args.scenario, mutant) {
        (Some(name), _) => vec![entry.scenario(name)?.name],
        (None, Some(mutant)) => vec![mutant.scenario.into()],
        (None, None) => entry.scenarios.iter().map(|s| s.name.clone()).collect(),
    };
    let engines = match (args.engine, mutant) {
        (Some(engine), _) => vec![engine],
        // A planted fault is shown once, by the first engine that finds it.
        (None, Some(mutant)) => engines_for(mutant),
        (None, None) => Engine::ALL.to_vec(),
    };
    if human {
        match mutant {
            None => println!("{}", report::describe(entry)),
            Some(mutant) => println!("{}", report::describe_mutant(entry, mutant)),
        }
    }
    for scenario in scenarios {
        for engine in &engines {
            let checked = one(entry, args, &scenario, *engine, tally)?;
            if human {
                println!("{}", report::line(&checked));
            } else {
                json(serde_json::to_string(&checked))?;
            }
            if checked.verdict.failure().is_some() {
                if human {
                    println!("\n{}", report::violation(entry, &checked));
                }
                if mutant.is_some() {
                    return Ok(());
                }
            }
        }
    }
    if let Some(mutant) = mutant
        && human
    {
        println!("\n{}", report::survival(mutant));
    } else if human {
        println!();
    }
    Ok(())
}

/// Small programs under the explorer.
fn enumerate(entry: &Entry, args: &Args, which: Which, tally: &mut Tally) -> anyhow::Result<()> {
    let mut budget = report::budget(Engine::Explorer, args.seed);
    budget.executions = args.executions.unwrap_or(budget.executions);
    budget.workers = args.workers.into();
    let coverage = entry.enumerate(which, args.mutant.as_deref(), budget)?;
    tally.judged |= coverage.executions > 0;
    tally.violated |= !coverage.violated.is_empty();
    if args.format == Format::Human {
        println!(
            "{}",
            report::coverage(entry, args.mutant.as_deref(), &coverage)
        );
        return Ok(());
    }
    json(serde_json::to_string(&report::coverage_row(
        entry, coverage,
    )))
}

/// Rows of the table of bounds.
fn bounds(entry: &Entry, args: &Args, tally: &mut Tally) -> anyhow::Result<()> {
    let scenarios = match &args.scenario {
        Some(name) => vec![entry.scenario(name)?],
        None => entry.scenarios.clone(),
    };
    for scenario in scenarios {
        let mut row = Vec::new();
        for engine in [Engine::Explorer, Engine::Loom, Engine::Dfs] {
            row.push(one(entry, args, &scenario.name, engine, tally)?.verdict);
        }
        println!("{}", report::bounds_line(entry, &scenario, &row));
    }
    Ok(())
}

/// The table of memory orders. One that no scenario needs is no violation.
fn orders(entry: &Entry, args: &Args, tally: &mut Tally) -> anyhow::Result<()> {
    let mut budget = report::budget(Engine::Explorer, args.seed);
    // Many searches, each over all scenarios.
    budget.executions = args.executions.unwrap_or(20_000);
    let rows = entry.orders(budget);
    tally.judged = true;
    if args.format != Format::Json {
        println!("{}", report::orders(entry, &rows));
        return Ok(());
    }
    for row in rows {
        json(serde_json::to_string(&report::order_row(entry, row)))?;
    }
    Ok(())
}

/// The table of mutants; a violation is one that did not come out as the catalogue expects.
fn mutants(entry: &Entry, args: &Args, tally: &mut Tally) -> anyhow::Result<()> {
    let human = args.format != Format::Json;
    if human {
        println!(
            "{} ({})\n{}",
            entry.title,
            entry.name,
            report::mutant_head()
        );
    }
    for mutant in &entry.mutants {
        let row = report::mutant_row(entry, mutant, args.seed)?;
        tally.violated |= !row.as_expected;
        tally.judged = true;
        if human {
            println!("{}", report::mutant_line(&row));
        } else {
            json(serde_json::to_string(&row))?;
        }
    }
    if human {
        for fact in threadbare_models::facts::left_out(entry) {
            let why = if fact.why.is_empty() {
                "not yet"
            } else {
                fact.why
            };
            println!("  {:<30} no mutant: {why}", fact.fault);
        }
        println!();
    }
    Ok(())
}
