//! `threadbare repro`: runs a finding's script and says how often it hits.

use crate::hunt::parse_time;
use crate::{Format, exit, signals};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use threadbare_stress::finding::{reproduce, store};
use threadbare_stress::vm::Vm;
use threadbare_stress::vm::child::interrupted;

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// A finding's folder, OUT/findings/ID.
    finding: PathBuf,
    /// VM to run it on; default: the one it was found on.
    #[arg(long)]
    vm: Option<String>,
    /// How often to run the script.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Time limit of one run (10, 10s, 2m).
    #[arg(long, default_value = "10s", value_parser = parse_time)]
    time: Duration,
    /// How results are printed.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// Runs the script.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    signals::install()?;
    let finding = store::read(&args.finding)?;
    let folder = if args.finding.is_dir() {
        args.finding.clone()
    } else {
        args.finding.with_file_name("")
    };
    let script = folder.join("repro.py");
    let vm = Vm::open(args.vm.as_deref().unwrap_or(&finding.vm))?;
    let (rate, attempts) = reproduce::rate(
        &vm,
        &script,
        finding.kind,
        args.runs,
        args.time.as_secs_f64(),
        false,
    )?;
    if args.format == Format::Json {
        println!(
            "{}",
            serde_json::json!({"schema": 1, "event": "repro", "id": finding.id, "vm": vm.facts.title(), "rate": rate})
        );
    } else {
        println!("{}: {} of {}", finding.id, finding.kind, finding.subject);
        println!("  {}", finding.scenario);
        println!("  {}", finding.detail);
        for (i, attempt) in attempts.iter().enumerate() {
            let how = if attempt.hit { "hit" } else { "no hit" };
            println!(
                "  run {}: {how} after {:.1} s ({:?})",
                i + 1,
                attempt.took.as_secs_f64(),
                attempt.outcome.end
            );
        }
        println!(
            "{} of {} runs hit on {}, at most {:.0} s each",
            rate.hits,
            rate.runs,
            vm.facts.title(),
            rate.limit_seconds
        );
    }
    Ok(match (interrupted(), rate.hits) {
        (true, _) => exit::interrupted(),
        (_, 0) => exit::CLEAN,
        _ => exit::found(),
    })
}
