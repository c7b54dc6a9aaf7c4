//! `threadbare check`: protocols under the model engines.

use anyhow::Context;
use clap::{Args as ClapArgs, ValueEnum};
use std::process::ExitCode;
use threadbare_models::catalogue::{self, Entry};
use threadbare_models::engine::Engine;
use threadbare_models::report;

/// Check protocols: properties, scenarios, engines, bounds, results.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// Protocol; all when absent
    pub protocol: Option<String>,
    /// Plant this fault and show how it breaks the protocol
    #[arg(long, requires = "protocol")]
    pub mutant: Option<String>,
    /// Run every mutant under every engine and print executions to kill
    #[arg(long, conflicts_with = "mutant")]
    pub mutants: bool,
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
    #[arg(long)]
    pub executions: Option<u64>,
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
}

fn engine(name: &str) -> Result<Engine, String> {
    let known: Vec<&str> = Engine::ALL.iter().map(|e| e.name()).collect();
    Engine::named(name).ok_or_else(|| format!("one of {}", known.join(", ")))
}

/// Runs the subcommand.
///
/// # Errors
/// Unknown names, and output that cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let chosen = match &args.protocol {
        Some(name) => match catalogue::find(name) {
            Ok(entry) => vec![entry],
            Err(unknown) => {
                eprintln!("{unknown}");
                return Ok(ExitCode::from(2));
            }
        },
        None => catalogue::all(),
    };
    let mut found = false;
    for entry in &chosen {
        let one = if args.mutants {
            mutants(entry, &args)
        } else {
            checks(entry, &args)
        };
        found |= match one {
            Ok(found) => found,
            Err(error) if error.is::<catalogue::Unknown>() => {
                eprintln!("{error}");
                return Ok(ExitCode::from(2));
            }
            Err(error) => return Err(error),
        };
    }
    Ok(ExitCode::from(u8::from(found)))
}

/// Scenarios under engines; true when something was violated.
fn checks(entry: &Entry, args: &Args) -> anyhow::Result<bool> {
    let human = args.format == Format::Human;
    let mutant = args.mutant.as_deref();
    let scenarios: Vec<&str> = match (&args.scenario, mutant) {
        (Some(name), _) => vec![entry.scenario(name)?.name],
        (None, Some(name)) => vec![entry.mutant(name)?.scenario],
        (None, None) => entry.scenarios.iter().map(|s| s.name).collect(),
    };
    let engines = match (args.engine, mutant) {
        (Some(engine), _) => vec![engine],
        // A planted fault is shown once, by the first engine that finds it.
        (None, Some(_)) => vec![Engine::Loom, Engine::Random, Engine::Pct, Engine::Dfs],
        (None, None) => Engine::ALL.to_vec(),
    };
    if human {
        println!("{}", report::describe(entry));
        if let Some(name) = mutant {
            let info = entry.mutant(name)?;
            println!("mutant {name}: {}", info.fault);
            println!(
                "  expected to break {}, {}\n",
                info.breaks.join(", "),
                info.visible.reason()
            );
        }
    }
    let mut found = false;
    'all: for scenario in scenarios {
        for engine in &engines {
            let mut budget = report::budget(*engine, args.seed);
            budget.executions = args.executions.unwrap_or(budget.executions);
            let checked = report::check(entry, scenario, mutant, *engine, budget)?;
            if human {
                println!("{}", report::line(&checked));
            } else {
                println!(
                    "{}",
                    serde_json::to_string(&checked).context("a check as JSON")?
                );
            }
            if checked.verdict.failure().is_some() {
                found = true;
                if human {
                    println!("\n{}", report::violation(entry, &checked));
                }
                if mutant.is_some() {
                    break 'all;
                }
            }
        }
    }
    Ok(found)
}

/// The table of mutants; true when one did not come out as the catalogue expects.
fn mutants(entry: &Entry, args: &Args) -> anyhow::Result<bool> {
    let human = args.format == Format::Human;
    if human {
        println!(
            "{} ({})\n{}",
            entry.title,
            entry.name,
            report::mutant_head()
        );
    }
    let mut unexpected = false;
    for mutant in &entry.mutants {
        let row = report::mutant_row(entry, mutant, args.seed)?;
        unexpected |= !row.as_expected;
        if human {
            println!("{}", report::mutant_line(&row));
        } else {
            println!(
                "{}",
                serde_json::to_string(&row).context("a mutant as JSON")?
            );
        }
    }
    if human {
        for (name, why) in entry.not_expressed {
            println!("  {name:<30} not expressed: {why}");
        }
        println!();
    }
    Ok(unexpected)
}
