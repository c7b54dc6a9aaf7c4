//! Known bugs, run to their signature on VMs: one, all, or a check of what is marked.

use super::Args;
use super::regression::Checked;
use crate::{Format, bugs as known, exit, signals};
use anyhow::Context;
use std::process::ExitCode;
use std::time::Duration;
use threadbare_stress::bugs::matrix::Matrix;
use threadbare_stress::bugs::regression::{self, Budget, Verdict};
use threadbare_stress::bugs::run::{self, Attempt, Plan, Summary};
use threadbare_stress::bugs::{self, Bug, Status, record, status};
use threadbare_stress::finding::store::write_atomically;
use threadbare_stress::program::Told;
use threadbare_stress::vm::Vm;

/// Runs the bug that is asked for, or all that the VMs can show.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    signals::install()?;
    let mut all = known::catalogue(args.record.as_deref().or(args.catalogue.as_deref()))?;
    let chosen: Vec<usize> = match &args.what {
        Some(asked) => {
            let found = bugs::find(&all, asked)
                .with_context(|| format!("'{asked}' is no finding's folder"))?;
            let at = all.iter().position(|b| b.stem == found.stem);
            at.into_iter().collect()
        }
        None => (0..all.len()).collect(),
    };
    let (mut ran, mut hits, mut stopped) = (0, 0, false);
    let mut checked = Checked::default();
    let mut names = Vec::new();
    'vms: for spec in &args.vm {
        let vm = Vm::open(spec)?;
        let name = vm.facts.title();
        names.push(name.clone());
        let quick = regression::quick(&all, &name);
        // What hit before comes first: a run that is interrupted has then measured the most telling.
        let mut order = chosen.clone();
        order.sort_by_key(|&i| all[i].measured_on(&name).is_none_or(|m| m.hits == 0));
        for i in order {
            let bug = &all[i];
            let marked = bug.measured_on(&name).map(|m| m.status);
            if args.regression && !regression::checkable(marked)
                || args.untried && marked.is_some_and(|s| s != Status::BeforeSignatures)
                || args.quick && !quick.contains(&bug.stem)
            {
                continue;
            }
            if let Some(why) = run::unfit(bug, &vm.facts) {
                if !args.all {
                    eprintln!("threadbare: {} is {why}", bug.id());
                }
                continue;
            }
            let summary = match marked.filter(|_| args.regression) {
                Some(marked) => {
                    let (verdict, summary) = check(&vm, bug, args, marked)?;
                    checked.add(verdict, args.format);
                    summary
                }
                None => one(&vm, bug, args)?,
            };
            if summary.interrupted {
                stopped = true;
                break 'vms;
            }
            ran += 1;
            hits += usize::from(summary.count.hits > 0);
            if summary.broken.is_none() {
                let measured = summary.measured();
                let replaced = match &args.record {
                    Some(dir) => record::add(dir, &mut all[i], measured)?,
                    None => {
                        record::instead(&mut all[i], measured);
                        None
                    }
                };
                if let Some(old) = replaced {
                    eprintln!(
                        "threadbare: {} on {}: {} of {} runs of an earlier program or signature hit; that \
                         measurement is replaced by one without a hit",
                        all[i].id(),
                        old.vm,
                        old.hits,
                        old.runs
                    );
                }
            }
        }
    }
    let rows: Vec<&Bug> = chosen
        .iter()
        .map(|&i| &all[i])
        .filter(|b| names.iter().any(|n| b.measured_on(n).is_some()))
        .collect();
    let matrix = Matrix::on(&rows, names);
    if let Some(file) = &args.html {
        write_atomically(file, matrix.html().as_bytes())?;
        eprintln!("{}", file.display());
    }
    match args.format {
        Format::Json if args.all => println!("{}", bugs::json("matrix", &matrix)),
        Format::Human if args.regression => println!("{}", checked.line()),
        Format::Human if args.all => print!("{}", matrix.text()),
        _ => {}
    }
    Ok(match (stopped, ran) {
        (true, _) => exit::interrupted(),
        (_, 0) => exit::nothing(),
        _ if args.regression => checked.exit(),
        _ if hits > 0 => exit::found(),
        _ => exit::CLEAN,
    })
}

/// Checks the mark of one bug.
fn check(vm: &Vm, bug: &Bug, args: &Args, marked: Status) -> anyhow::Result<(Verdict, Summary)> {
    let usual = Budget::default();
    let budget = Budget {
        reproducible: args.time.unwrap_or(usual.reproducible),
        fixed: args.time.unwrap_or(usual.fixed),
        ..usual
    };
    let (verdict, summary) = regression::check(vm, bug, marked, budget, progress(bug))?;
    told(&summary, args.format);
    Ok((verdict, summary))
}

/// One bug on one VM, with its progress on stderr and its result on stdout.
fn one(vm: &Vm, bug: &Bug, args: &Args) -> anyhow::Result<Summary> {
    let usual = Duration::from_secs(if args.all { 20 } else { 60 });
    let mut total = args.time.unwrap_or(usual);
    let before = bug.measured_on(&vm.facts.title());
    match before {
        _ if !args.all => {}
        Some(before) if before.hits > 0 => total *= 3,
        // Little time is spent on what the reports say is not there.
        _ if status::said_fixed(bug, &vm.facts.title()) => total /= 4,
        _ => {}
    }
    let plan = Plan {
        total,
        run: Duration::from_secs(10),
        hits: args.hits.unwrap_or(3),
    };
    let summary = run::reproduce(vm, bug, plan, progress(bug))?;
    told(&summary, args.format);
    Ok(summary)
}

/// Says how each run of a bug ended.
fn progress(bug: &Bug) -> impl FnMut(&Attempt) {
    let (id, mut number) = (bug.id(), 0);
    move |attempt| {
        number += 1;
        let how = match attempt.told() {
            Told::Hit => "hit",
            Told::Other => "another failure",
            _ => "no hit",
        };
        let seconds = attempt.run.took.as_secs_f64();
        eprintln!(
            "{id} run {number}: {how} after {seconds:.1} s: {}",
            attempt.line()
        );
    }
}

fn told(summary: &Summary, format: Format) {
    if format == Format::Json {
        println!("{}", bugs::json("repro", summary));
    } else {
        println!("{} on {}: {}", summary.id, summary.vm, summary.line());
    }
}
