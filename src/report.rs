//! `threadbare report`: one HTML file of hunts and campaigns, from what is saved.

use crate::{counterexample, exit, findings};
use std::path::PathBuf;
use std::process::ExitCode;
use threadbare_stress::finding::store::write_atomically;
use threadbare_stress::report;
use threadbare_stress::report::collect::Collected;

/// Arguments.
#[derive(clap::Args)]
#[command(after_help = "\
Of one hunt everything; of several their findings, each failure once and where it was seen, the hunts, subjects on
VMs, and curves. A campaign's folder stands for all its hunts. Failures are one as `findings merge` tells them apart;
marks of all the folders hold. The file needs no network, and without its script the tables are plain ones.

Examples:
  threadbare report                                    # threadbare-out/report.html
  threadbare report campaign-out                       # campaign-out/report.html, over all hunts of a campaign
  threadbare report out-3.13.5 campaign-out --into all.html

Exit codes: 0 written, 3 something cannot be read or written; what cannot be read is named, and the report shows
the rest.")]
pub struct Args {
    /// Output folders of hunts and campaigns.
    #[arg(default_value = "threadbare-out")]
    outs: Vec<PathBuf>,
    /// The file to write [default: report.html in the folder, of several threadbare-report.html here].
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
}

/// Writes the report.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let collected = Collected::read(&args.outs)?;
    findings::tell(&collected.unreadable);
    let html = report::html(&collected, &counterexample::beside(&collected.marks));
    let file = args.into.unwrap_or_else(|| match &args.outs[..] {
        [out] => out.join("report.html"),
        _ => PathBuf::from("threadbare-report.html"),
    });
    write_atomically(&file, html.as_bytes())?;
    println!("{}", file.display());
    Ok(match collected.unreadable.is_empty() {
        true => exit::CLEAN,
        false => exit::environment(),
    })
}
