//! `threadbare replay`: one recorded execution of a model, again.

use clap::Args as ClapArgs;
use std::process::ExitCode;
use threadbare_models::replay::Recording;
use threadbare_models::{catalogue, report};

/// Repeat exactly one recorded execution.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The line that `threadbare check` printed, or a file that holds it
    pub recording: String,
}

/// Runs the subcommand: 1 when the violation came again, 2 when the recording is refused.
///
/// # Errors
/// A file that cannot be read.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let text = match args.recording.starts_with("tb1/") {
        true => args.recording,
        false => std::fs::read_to_string(&args.recording)?,
    };
    let again = text
        .parse::<Recording>()
        .and_then(|r| r.run().map(|failure| (r, failure)));
    let (recording, failure) = match again {
        Ok(both) => both,
        Err(refused) => {
            eprintln!("{refused}");
            return Ok(ExitCode::from(2));
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
        verdict: threadbare_models::verdict::Verdict::Violated(failure),
    };
    print!("{}", report::violation(&entry, &checked));
    Ok(ExitCode::from(1))
}
