//! `threadbare matrix`: protocols × what checks them.

use crate::Format;
use crate::probe::unpaired;
use clap::Args as ClapArgs;
use std::collections::BTreeMap;
use std::process::ExitCode;
use threadbare_models::{catalogue, report};
use threadbare_stress::{bugs, probe};

/// Print protocols × properties, mutants by engine, native stress, probes, bugs.
#[derive(ClapArgs, Debug)]
#[command(after_help = "\
Examples:
  threadbare matrix
  threadbare matrix --format json | head -1     # one object per protocol")]
pub struct Args {
    /// Output
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Runs the subcommand.
///
/// # Errors
/// Output that cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for bug in bugs::shipped()
        .into_iter()
        .filter(|b| !b.protocol.is_empty())
    {
        *known.entry(bug.protocol).or_default() += 1;
    }
    let probes = probe::shipped();
    let paired = |protocol: &str| -> Vec<&str> {
        let of = probes.iter().filter(|p| p.stands_for(protocol));
        of.map(|p| p.name.as_str()).collect()
    };
    let mut rows: Vec<_> = catalogue::all()
        .iter()
        .map(|e| {
            let probes = paired(e.name).len();
            report::matrix_row(e, probes, known.remove(e.name).unwrap_or(0))
        })
        .collect();
    // Protocols that have shown bugs and are not modelled: rows of empty cells.
    rows.extend(
        known
            .iter()
            .map(|(name, bugs)| report::empty_row(name, paired(name).len(), *bugs)),
    );
    match args.format {
        Format::Human => {
            print!("{}", report::matrix(&rows));
            println!("\nVM probes (`threadbare probe`):");
            for row in &rows {
                match paired(&row.protocol).as_slice() {
                    [] => println!(
                        "  {:<16} · {}",
                        row.protocol,
                        unpaired(&row.protocol).unwrap_or("none yet")
                    ),
                    names => println!("  {:<16} {}", row.protocol, names.join(" ")),
                }
            }
        }
        Format::Json => {
            for row in &rows {
                let mut row_with_names = serde_json::to_value(row)?;
                row_with_names["probe_names"] = paired(&row.protocol).into();
                println!("{row_with_names}");
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
