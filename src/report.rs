//! `threadbare report`: the HTML file again, from what is saved.

use crate::{counterexample, exit};
use std::path::PathBuf;
use std::process::ExitCode;
use threadbare_stress::campaign::state::State;
use threadbare_stress::finding::store::{Store, write_atomically};
use threadbare_stress::report;

/// Arguments.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  threadbare report
  threadbare report out-3.13.5")]
pub struct Args {
    /// A hunt's output folder.
    #[arg(default_value = "threadbare-out")]
    out: PathBuf,
}

/// Writes OUT/report.html.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let state = State::read(&args.out)?;
    let store = Store::open(&args.out)?;
    let file = args.out.join("report.html");
    let html = report::html(
        &state,
        store.findings(),
        &counterexample::beside(&args.out)?,
    );
    write_atomically(&file, html.as_bytes())?;
    println!("{}", file.display());
    Ok(exit::CLEAN)
}
