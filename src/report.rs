//! `threadbare report`: the HTML file again, from what is saved.

use crate::{counterexample, exit, findings};
use std::path::PathBuf;
use std::process::ExitCode;
use threadbare_stress::campaign::state::State;
use threadbare_stress::finding::Finding;
use threadbare_stress::finding::store::{Store, write_atomically};
use threadbare_stress::report;

/// Arguments.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  threadbare report
  threadbare report out-3.13.5

Exit codes: 0 written, 3 something cannot be read or written; a finding that cannot is named, and the report shows
the others.")]
pub struct Args {
    /// A hunt's output folder.
    #[arg(default_value = "threadbare-out")]
    out: PathBuf,
}

/// Writes OUT/report.html.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let state = State::read(&args.out)?;
    let contents = Store::contents(&args.out)?;
    findings::tell(&contents.unreadable);
    let found: Vec<Finding> = contents.found.into_iter().map(|f| f.finding).collect();
    let file = args.out.join("report.html");
    let html = report::html(&state, &found, &counterexample::beside(&args.out)?);
    write_atomically(&file, html.as_bytes())?;
    println!("{}", file.display());
    Ok(match contents.unreadable.is_empty() {
        true => exit::CLEAN,
        false => exit::environment(),
    })
}
