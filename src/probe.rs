//! `threadbare probe`: programs on real VMs that stand for a protocol's properties.

use crate::control::Chooser;
use crate::{Format, exit, signals, time};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use threadbare_models::catalogue;
use threadbare_stress::bugs;
use threadbare_stress::controlled::{self, ControlError, Searched};
use threadbare_stress::probe::run::{Plan, Summary, repeat};
use threadbare_stress::probe::{self, Probe, UNPAIRED, keep};
use threadbare_stress::vm::{EMBEDDED, Vm};

/// Arguments.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  threadbare probe --list                                      # protocols × probes, empty ones too
  threadbare probe --vm python3.13t --vm rustpython            # all probes on two VMs, 10 s each
  threadbare probe --protocol biased --vm python3.13t --time 1m
  threadbare probe biased/foreign-drop --vm python3 --time 3s  # one probe, one run
  threadbare probe marked-list/popped-slot --vm CONTROLLED --control --schedules 5000 --time 2m")]
pub struct Args {
    /// Probes: PROTOCOL/NAME, or NAME alone. Default: all.
    probes: Vec<String>,
    /// Only probes that stand for this protocol (`threadbare matrix` lists them).
    #[arg(long)]
    protocol: Option<String>,
    /// VM: `rustpython` (embedded), a path, a name on PATH or a quoted command; may be repeated.
    #[arg(long, default_value = EMBEDDED)]
    vm: Vec<String>,
    /// Time for each probe on each VM (10, 10s, 2m).
    #[arg(long, default_value = "10s", value_parser = time::parse)]
    time: Duration,
    /// Time of one run; each is a process of its own.
    #[arg(long, default_value = "3s", value_parser = time::parse)]
    run: Duration,
    /// Seed of the first run; each further one takes the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder for failures: program, output, stacks, the command that repeats it.
    #[arg(long, default_value = "threadbare-out")]
    out: PathBuf,
    /// Schedule the threads of a VM that ci/vm/cpython-controlled.sh has built: each probe with so many --schedules. By
    /// whom is chosen: the portfolio takes all by turns.
    #[arg(long, value_name = "STRATEGY", num_args = 0..=1, default_missing_value = "portfolio", value_enum)]
    control: Option<Chooser>,
    /// With --control: schedules of each probe.
    #[arg(long, default_value_t = 1000, requires = "control", value_parser = clap::value_parser!(u32).range(1..))]
    schedules: u32,
    /// With --control: a store stays in its thread's buffer for a while, as on x86.
    #[arg(long, requires = "control")]
    tso: bool,
    /// List the probes and the protocols without one, run nothing.
    #[arg(long)]
    list: bool,
    /// How results are printed.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// Runs probes.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let protocol = args.protocol.as_deref();
    protocol.map(catalogue::find).transpose()?;
    let chosen = probe::select(probe::shipped(), &args.probes, protocol)?;
    if args.list {
        list(&chosen, &args);
        return Ok(exit::CLEAN);
    }
    if chosen.is_empty() {
        let why = protocol.and_then(unpaired);
        eprintln!(
            "threadbare: no probe: {}",
            why.unwrap_or("none is like that")
        );
        return Ok(exit::nothing());
    }
    signals::install()?;
    if let Some(chooser) = args.control {
        return controlled(&chosen, chooser, &args);
    }
    let mut all = Vec::new();
    'vms: for spec in &args.vm {
        let vm = Vm::open(spec)?;
        for probe in &chosen {
            let summary = one(&vm, probe, &args)?;
            let stop = summary.interrupted;
            all.push(summary);
            if stop {
                break 'vms;
            }
        }
    }
    let count = |test: &dyn Fn(&Summary) -> bool| all.iter().filter(|s| test(s)).count();
    let failing = |s: &Summary| s.count.hits + s.count.others > 0;
    let failed = count(&failing);
    let passed = count(&|s| !failing(s) && s.passed > 0);
    if args.format == Format::Human {
        println!(
            "{} probes on {} VMs: {passed} passed, {failed} failed, {} skipped, {} inconclusive",
            chosen.len(),
            args.vm.len(),
            count(&|s| s.skipped.is_some()),
            count(&|s| s.skipped.is_none() && !s.conclusive()),
        );
    }
    Ok(match (all.iter().any(|s| s.interrupted), failed, passed) {
        (true, ..) => exit::interrupted(),
        (_, 0, 0) => exit::nothing(),
        (_, 0, _) => exit::CLEAN,
        _ => exit::found(),
    })
}

/// Probes under control: schedules of each, and which showed something.
fn controlled(chosen: &[Probe], chooser: Chooser, args: &Args) -> anyhow::Result<ExitCode> {
    let plan = controlled::Plan {
        strategies: chooser.strategies(),
        runs: args.schedules,
        seed: args.seed,
        time: args.time,
        tso: args.tso,
    };
    let (mut shown, mut silent, mut unfit) = (0, 0, 0);
    for spec in &args.vm {
        let vm = Vm::open(spec)?;
        for probe in chosen {
            let searched = match controlled::probe::find(&vm, probe, &plan) {
                Err(ControlError::Unfit(why)) => Searched {
                    unfit: Some(why),
                    ..Searched::default()
                },
                other => other?,
            };
            let folder = args.out.join("control").join(probe.name.replace('/', "-"));
            let is_unfit = searched.unfit.is_some();
            match crate::control::tell(&probe.name, searched, &folder, false)? {
                true => shown += 1,
                false if is_unfit => unfit += 1,
                false => silent += 1,
            }
            if threadbare_stress::vm::child::interrupted() {
                return Ok(exit::interrupted());
            }
        }
    }
    println!("under control: {shown} probes failed, {silent} did not, {unfit} cannot be run so");
    Ok(match (shown, silent) {
        (0, 0) => exit::nothing(),
        (0, _) => exit::CLEAN,
        _ => exit::found(),
    })
}

/// One probe on one VM, with its progress on stderr and its result on stdout.
fn one(vm: &Vm, probe: &Probe, args: &Args) -> anyhow::Result<Summary> {
    let plan = Plan {
        total: args.time,
        run: args.run,
        seed: args.seed,
    };
    let (mut kept, mut shown) = (Ok(()), BTreeSet::new());
    let summary = repeat(vm, probe, plan, |attempt| {
        let Some(kind) = attempt.failure() else {
            return;
        };
        match keep::save(&args.out, vm, probe, attempt, kind) {
            Ok((folder, _)) if shown.insert(kind) => eprintln!(
                "{} on {}, seed {}: {}\n  again: {}\n  kept: {}",
                probe.name,
                vm.facts.title(),
                attempt.seed,
                attempt.run.ended.line(),
                attempt.command(probe, vm),
                folder.display()
            ),
            Ok(_) => {}
            Err(error) => kept = Err(error),
        }
    })?;
    kept?;
    match args.format {
        Format::Json => println!("{}", bugs::json("probe-summary", &summary)),
        Format::Human => println!("{} on {}: {}", probe.name, summary.vm, summary.line()),
    }
    Ok(summary)
}

/// Why no probe stands for a protocol, where that is known.
pub fn unpaired(protocol: &str) -> Option<&'static str> {
    let found = UNPAIRED.iter().find(|(name, _)| *name == protocol);
    found.map(|(_, why)| *why)
}

/// Protocols × probes; a protocol without one is shown with the reason.
fn list(chosen: &[Probe], args: &Args) {
    if args.format == Format::Json {
        for probe in chosen {
            println!("{}", bugs::json("probe", probe));
        }
        return;
    }
    let narrowed = !args.probes.is_empty() || args.protocol.is_some();
    for entry in catalogue::all() {
        let of: Vec<&Probe> = chosen.iter().filter(|p| p.stands_for(entry.name)).collect();
        let asked = args.protocol.as_deref().is_none_or(|p| p == entry.name);
        if !asked || of.is_empty() && narrowed && args.protocol.is_none() {
            continue;
        }
        println!("{}", entry.name);
        if of.is_empty() {
            println!("  · {}", unpaired(entry.name).unwrap_or("none yet"));
        }
        for probe in of {
            let other = probe.also.get(entry.name);
            let properties = other.unwrap_or(&probe.properties).join(" ");
            println!("  {:<36} {properties:<10} {}", probe.name, probe.title);
        }
    }
    println!("{} probes", chosen.len());
}
