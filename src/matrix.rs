//! `threadbare matrix`: protocols × what checks them.

use crate::check::Format;
use clap::Args as ClapArgs;
use std::collections::BTreeMap;
use std::process::ExitCode;
use threadbare_models::{catalogue, report};
use threadbare_stress::bugs;

/// Print protocols × properties, mutants by engine, native stress, probes, bugs.
#[derive(ClapArgs, Debug)]
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
    // No probe is paired with a protocol yet: the column stays, empty.
    let rows: Vec<_> = catalogue::all()
        .iter()
        .map(|e| report::matrix_row(e, 0, known.remove(e.name).unwrap_or(0)))
        .collect();
    match args.format {
        Format::Human => {
            print!("{}", report::matrix(&rows));
            let rest: Vec<String> = known.iter().map(|(p, n)| format!("{p} {n}")).collect();
            if !rest.is_empty() {
                println!(
                    "Known bugs of protocols without a model: {}.",
                    rest.join(", ")
                );
            }
        }
        Format::Json => {
            for row in &rows {
                println!("{}", serde_json::to_string(row)?);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
