//! A finding's script: how often it hits, or with `--improve` one that hits more often.

use super::Args;
use crate::{Format, exit, signals};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use threadbare_stress::finding::reproduce::{self, Attempt};
use threadbare_stress::finding::{Finding, Other, store};
use threadbare_stress::program::Told;
use threadbare_stress::triage::{improve, statement};
use threadbare_stress::vm::Vm;
use threadbare_stress::vm::child::interrupted;

/// Runs the script, or with `--improve` looks for a better one.
pub fn run(args: &Args, path: &Path) -> anyhow::Result<ExitCode> {
    signals::install()?;
    let finding = store::read(path)?;
    let folder = if path.is_dir() {
        path.to_owned()
    } else {
        path.with_file_name("")
    };
    let script = store::script(&folder);
    let vm = Vm::open(args.vm.first().unwrap_or(&finding.vm))?;
    if args.improve {
        return improved(&vm, &finding, &folder, args);
    }
    // The core of a hit tells whether it died where the finding did.
    let cores = reproduce::cores(&finding)?;
    let (rate, attempts) = reproduce::rate(
        &vm,
        &script,
        &finding,
        args.runs,
        args.time.map_or(10.0, |t| t.as_secs_f64()),
        false,
        cores
            .as_ref()
            .map(|folder| reproduce::Cores::Each(folder.path())),
    )?;
    let others = reproduce::others(&attempts);
    if args.format == Format::Json {
        println!(
            "{}",
            serde_json::json!({"schema": 1, "event": "repro", "id": finding.id, "vm": vm.facts.title(), "failure": finding.failure(), "rate": rate, "others": others})
        );
    } else {
        println!("{}: {}", finding.id, finding.failure());
        println!("  {}", finding.scenario);
        println!("  {}", finding.detail);
        if let Some(told) = &finding.bytecode {
            println!("  {}", told.line());
        }
        for (i, attempt) in attempts.iter().enumerate() {
            println!(
                "  run {}: {} after {:.1} s ({:?})",
                i + 1,
                attempt.line(),
                attempt.run.took.as_secs_f64(),
                attempt.run.outcome.end
            );
        }
        let others = match Other::line(&others) {
            line if line.is_empty() => line,
            line => format!("; {line}"),
        };
        println!(
            "{} of {} runs hit on {}, at most {:.0} s each{others}",
            rate.hits,
            rate.runs,
            vm.facts.title(),
            rate.limit_seconds
        );
    }
    // A run that somebody else ended, or that was none of the script's, says nothing.
    let silent = |a: &Attempt| matches!(a.told(), Told::Unfit(_) | Told::Outside(_));
    if !interrupted() && attempts.iter().all(silent) {
        let why = attempts.first().map(|a| a.run.ended.line());
        eprintln!(
            "threadbare: no run says anything of the finding: {}; see what the script prints on this VM",
            why.unwrap_or_default()
        );
        return Ok(exit::nothing());
    }
    Ok(match (interrupted(), rate.hits) {
        (true, _) => exit::interrupted(),
        (_, 0) => exit::CLEAN,
        _ => exit::found(),
    })
}

/// Looks for a script that hits more often, and keeps it in the finding's folder.
fn improved(vm: &Vm, finding: &Finding, folder: &Path, args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(why) = improve::unfit(vm, finding) {
        eprintln!("threadbare: {why}");
        return Ok(exit::usage());
    }
    let time = args.time.unwrap_or(Duration::from_secs(60));
    let improved = improve::improve(vm, finding, time)?;
    let better = improve::adopted(finding, &improved);
    if better.tuning != finding.tuning {
        store::write_script(folder, &better.script_text())?;
    }
    if improved.rate.runs > 0 || better.tuning != finding.tuning {
        store::write(folder, &better)?;
        statement::write(folder, &better)?;
    }
    if args.format == Format::Json {
        println!(
            "{}",
            serde_json::json!({
                "schema": 1, "event": "improve", "id": finding.id, "vm": vm.facts.title(),
                "tuning": improved.tuning, "rate": improved.rate, "before": improved.before, "tried": improved.tried,
            })
        );
    } else {
        println!("{}: {}", finding.id, improved.line());
    }
    if !interrupted() && improved.rate.runs == 0 {
        eprintln!(
            "threadbare: no run says anything of the finding, which stays as it is; `threadbare repro` without --improve \
             says how its runs end"
        );
        return Ok(exit::nothing());
    }
    Ok(match (interrupted(), improved.rate.hits) {
        (true, _) => exit::interrupted(),
        (_, 0) => exit::CLEAN,
        _ => exit::found(),
    })
}
