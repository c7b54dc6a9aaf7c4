//! `threadbare matrix`: protocols × what checks them.

use crate::check::Format;
use clap::Args as ClapArgs;
use std::process::ExitCode;
use threadbare_models::{catalogue, report};

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
    let rows: Vec<_> = catalogue::all()
        .iter()
        .map(|e| report::matrix_row(e, 0, 0))
        .collect();
    match args.format {
        Format::Human => print!("{}", report::matrix(&rows)),
        Format::Json => {
            for row in &rows {
                println!("{}", serde_json::to_string(row)?);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
