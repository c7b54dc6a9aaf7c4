//! `threadbare replay`: one recorded execution of a model, or of a VM under control, again.

use crate::{Format, exit};
use anyhow::Context;
use clap::Args as ClapArgs;
use std::process::ExitCode;
use threadbare_models::replay::Recording;
use threadbare_models::verdict::Verdict;
use threadbare_models::{catalogue, report};

/// Repeat exactly one recorded execution: of a model, or of a VM under control.
#[derive(ClapArgs, Debug)]
#[command(after_help = "\
Examples:
  threadbare check biased --mutant merge-ignores-shared > found.txt
  threadbare replay found.txt        # the first recording in the file
  threadbare control 154130 --vm PYTHON
  threadbare replay threadbare-control/154130 --trace 40   # a schedule of a VM, with its last steps
  threadbare replay threadbare-out/findings/ID             # a finding's schedule, held to the finding's failure

Exit codes: 1 the failure came again, 2 a model's recording is refused, 3 a schedule is refused, each with the
reason, 5 a schedule came out otherwise or shows another failure than its finding's.")]
pub struct Args {
    /// The line that `threadbare check` printed, or a file that holds it; or a finding's folder, or a folder or
    /// schedule.json of `threadbare control`
    pub recording: String,
    /// Repetitions of a schedule
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub times: u32,
    /// Print so many last steps of a schedule, with what they read and wrote
    #[arg(long, default_value_t = 0)]
    pub trace: usize,
    /// Open gdb on the core that one repetition of a schedule leaves
    #[arg(long)]
    pub gdb: bool,
    /// Output
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// Runs the subcommand: 1 when the violation came again, 2 when the recording is refused.
///
/// # Errors
/// Output that cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    if let Some(schedule) = crate::control::schedule(&args.recording) {
        if args.gdb {
            return crate::control::debug(&schedule);
        }
        return crate::control::replay(&schedule, args.times, args.trace);
    }
    let text = match args.recording.starts_with("tb") && args.recording.contains('/') {
        true => args.recording,
        false => match std::fs::read_to_string(&args.recording) {
            Ok(text) => text,
            Err(error) => {
                let path = args.recording;
                eprintln!("threadbare: neither a recording (`tb1/…`) nor a file: {path}: {error}");
                return Ok(exit::usage());
            }
        },
    };
    let again = text
        .parse::<Recording>()
        .and_then(|r| r.run().map(|failure| (r, failure)));
    let (recording, failure) = match again {
        Ok(both) => both,
        Err(refused) => {
            eprintln!("threadbare: {refused}");
            return Ok(exit::usage());
        }
    };
    let entry = catalogue::find(&recording.protocol)?;
    let checked = report::Checked {
        schema: "threadbare.check/1",
        protocol: entry.name,
        scenario: recording.scenario.clone(),
        mutant: recording.mutant.clone(),
        engine: recording.engine,
        replay: Some(recording.to_string()),
        verdict: Verdict::Violated(failure),
    };
    match args.format {
        Format::Human => {
            print!("{}", report::violation(&entry, &checked));
            println!(
                "the same execution as recorded: trace {:x}",
                recording.trace
            );
        }
        Format::Json => {
            println!(
                "{}",
                serde_json::to_string(&checked).context("a check as JSON")?
            );
        }
    }
    Ok(exit::found())
}
