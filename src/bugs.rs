//! `threadbare bugs`: the known bugs, where they were measured, and what raw output shows.

use crate::counterexample::counterexample;
use crate::{Format, exit, signals};
use anyhow::Context;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use threadbare_stress::bugs::attribute::{Attribution, Index};
use threadbare_stress::bugs::matrix::Matrix;
use threadbare_stress::bugs::regression::{self, Budget, Verdict};
use threadbare_stress::bugs::run::{self, Attempt, Plan, Summary};
use threadbare_stress::bugs::{self, Bug, Measured, Status, record};
use threadbare_stress::finding::store::write_atomically;
use threadbare_stress::report::pair::Pair;
use threadbare_stress::vm::Vm;

/// Arguments.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  threadbare bugs --vm 'cpython 3.13.5' --status reproduced   # what that version is known to have
  threadbare bugs --category dict                             # by part of the VM
  threadbare bugs python/cpython#154130                       # one bug with its program
  threadbare bugs --matrix --html bugs.html                   # bugs × VMs as measured
  threadbare bugs --attribute crash.txt                       # which bug does this output show?
  threadbare repro python/cpython#154130 --vm python3.13t     # run one
  threadbare repro --all --vm python3.13t --time 20s          # run all")]
pub struct Args {
    /// Show this bug with its program: python/cpython#154130, a number, or a file's name.
    bug: Option<String>,
    /// Only bugs of this protocol (`threadbare matrix` lists them).
    #[arg(long)]
    protocol: Option<String>,
    /// Only bugs of this VM: a family (cpython), one that was measured ('cpython 3.13.5'), or one at
    /// hand (python3.13t, a path).
    #[arg(long)]
    vm: Option<String>,
    /// Only bugs with this status (on the --vm measured, else on any).
    #[arg(long, value_parser = parse_status)]
    status: Option<Status>,
    /// Only bugs whose category contains this.
    #[arg(long)]
    category: Option<String>,
    /// Show the matrix of bugs and VMs as it was measured.
    #[arg(long)]
    matrix: bool,
    /// Write the matrix as a page to this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Say which bug the raw output in this file shows (- reads stdin).
    #[arg(long, value_name = "FILE")]
    attribute: Option<PathBuf>,
    /// A catalogue of your own: a folder of VM/NAME.toml and NAME.py.
    #[arg(long, value_name = "DIR")]
    catalogue: Option<PathBuf>,
    /// How results are printed.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

fn parse_status(text: &str) -> Result<Status, String> {
    serde_json::from_value(serde_json::Value::from(text)).map_err(|_| {
        format!("'{text}' is none of reproduced, fixed, not-reproduced, not-applicable")
    })
}

/// The catalogue: the user's or the one in the program.
fn catalogue(dir: Option<&Path>) -> anyhow::Result<Vec<Bug>> {
    Ok(match dir {
        Some(dir) => bugs::load(dir)?,
        None => bugs::shipped(),
    })
}

/// A bug by name; a wrong name is wrong usage.
fn find<'a>(all: &'a [Bug], asked: &str) -> Result<&'a Bug, ExitCode> {
    bugs::find(all, asked).map_err(|error| {
        eprintln!("threadbare: {error}");
        ExitCode::from(2)
    })
}

/// Lists bugs.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let all = catalogue(args.catalogue.as_deref())?;
    if let Some(file) = &args.attribute {
        return attribute(&all, file, args.format);
    }
    if let Some(asked) = &args.bug {
        return Ok(match find(&all, asked) {
            Ok(bug) => {
                show(bug, args.format);
                exit::CLEAN
            }
            Err(code) => code,
        });
    }
    let mut args = args;
    if let Some(code) = unknown(&all, &mut args) {
        return Ok(code);
    }
    let chosen: Vec<&Bug> = all.iter().filter(|b| wanted(b, &args)).collect();
    if chosen.is_empty() {
        eprintln!("threadbare: no bug is like that; `threadbare bugs` lists all");
        return Ok(exit::nothing());
    }
    let matrix = Matrix::new(&chosen);
    if let Some(file) = &args.html {
        write_atomically(file, matrix.html().as_bytes())?;
        eprintln!("{}", file.display());
    }
    match (args.matrix || args.html.is_some(), args.format) {
        (true, Format::Human) => print!("{}", matrix.text()),
        (true, Format::Json) => println!("{}", bugs::json("matrix", &matrix)),
        (false, Format::Json) => {
            for bug in &chosen {
                println!("{}", bugs::json("bug", bug));
            }
        }
        (false, Format::Human) => {
            for bug in &chosen {
                let state = state(bug, args.vm.as_deref());
                println!("{:<42} {state:<14} {}", bug.id(), bug.title);
            }
            println!("{} bugs", chosen.len());
            for totals in matrix.totals() {
                println!("{}", totals.line());
            }
        }
    }
    Ok(exit::CLEAN)
}

/// What a wrong name in the arguments is answered with. A VM at hand gets the name that it was
/// measured under.
fn unknown(all: &[Bug], args: &mut Args) -> Option<ExitCode> {
    let list = |names: Vec<&str>| {
        let mut names = names;
        names.sort_unstable();
        names.dedup();
        names.retain(|n| !n.is_empty());
        names.join(", ")
    };
    if let Some(protocol) = &args.protocol
        && !all.iter().any(|b| b.protocol == *protocol)
    {
        let known = list(all.iter().map(|b| b.protocol.as_str()).collect());
        eprintln!("threadbare: no bug of a protocol '{protocol}'; there are: {known}");
        return Some(ExitCode::from(2));
    }
    let vm = args.vm.as_ref()?;
    let named = |vm: &str| {
        all.iter()
            .any(|b| b.vm == vm || b.measured_on(vm).is_some())
    };
    if named(vm) {
        return None;
    }
    if let Ok(open) = Vm::open(vm) {
        let title = run::vm_name(&open.facts);
        if named(&title) {
            args.vm = Some(title);
            return None;
        }
        eprintln!("threadbare: nothing was measured on {title}");
        return Some(exit::nothing());
    }
    let families = all.iter().map(|b| b.vm.as_str());
    let measured = all.iter().flat_map(|b| &b.measured).map(|m| m.vm.as_str());
    let known = list(families.chain(measured).collect());
    eprintln!("threadbare: no VM '{vm}' is at hand or was measured; measured: {known}");
    Some(ExitCode::from(2))
}

fn wanted(bug: &Bug, args: &Args) -> bool {
    let family = args.vm.as_ref().is_none_or(|vm| bug.vm == *vm);
    let measured = args.vm.as_ref().and_then(|vm| bug.measured_on(vm));
    let status = args.status.is_none_or(|s| match measured {
        Some(m) => m.status == s,
        None => family && bug.measured.iter().any(|m| m.status == s),
    });
    (family || measured.is_some())
        && status
        && args.protocol.as_ref().is_none_or(|p| bug.protocol == *p)
        && args
            .category
            .as_ref()
            .is_none_or(|c| bug.category.contains(c.as_str()))
}

/// The worst news about a bug, on one VM or on any.
fn state(bug: &Bug, vm: Option<&str>) -> String {
    let measured = vm.and_then(|vm| bug.measured_on(vm));
    let any = || {
        let order = [
            Status::Reproduced,
            Status::NotReproduced,
            Status::Fixed,
            Status::NotApplicable,
        ];
        order
            .into_iter()
            .find(|s| bug.measured.iter().any(|m| m.status == *s))
    };
    let status = measured.map(|m| m.status).or_else(any);
    status.map_or_else(|| "untried".to_owned(), |s| s.to_string())
}

fn show(bug: &Bug, format: Format) {
    if format == Format::Json {
        println!("{}", bugs::json("bug", bug));
        return;
    }
    println!("{}: {}", bug.id(), bug.title);
    println!("  {}", bug.source);
    println!(
        "  {} of {}; affected: {}; fixed: {}",
        bug.category, bug.vm, bug.affected, bug.fixed
    );
    for (name, value) in [
        ("pattern", &bug.pattern),
        ("protocol", &bug.protocol),
        ("mutant", &bug.mutant),
        ("note", &bug.note),
    ] {
        if !value.is_empty() {
            println!("  {name}: {value}");
        }
    }
    for m in &bug.measured {
        println!("  {}", measured_line(m));
    }
    println!("\n{}", bug.program);
    if let Some(model) = counterexample(&bug.protocol, &bug.mutant) {
        println!("\n{}", Pair::new(model, std::slice::from_ref(bug)).text());
    } else if !bug.crash.is_empty() {
        println!("\n{}", bug.crash);
    }
}

fn measured_line(m: &Measured) -> String {
    format!(
        "{}: {}, {}/{} runs in {:.1} s; {}",
        m.vm, m.status, m.hits, m.runs, m.seconds, m.seen
    )
}

fn attribute(all: &[Bug], file: &Path, format: Format) -> anyhow::Result<ExitCode> {
    let mut raw = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_end(&mut raw)?;
    } else {
        raw = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    }
    let found = Index::new(all).attribute(&String::from_utf8_lossy(&raw));
    let title = |id: &str| bugs::find(all, id).map_or("", |b| b.title.as_str());
    match (&found, format) {
        (_, Format::Json) => println!("{}", bugs::json("attribution", &found)),
        (Attribution::Known { best }, _) => {
            println!("{} ({:.2}): {}", best.id, best.score, title(&best.id));
        }
        (Attribution::Open { matches }, _) => {
            println!("perhaps one of these:");
            for m in matches {
                println!("  {} ({:.2}): {}", m.id, m.score, title(&m.id));
            }
        }
        (Attribution::Unknown, _) => println!("no bug of the catalogue"),
    }
    Ok(match found {
        Attribution::Unknown => exit::CLEAN,
        _ => exit::found(),
    })
}

/// How `threadbare repro` runs bugs.
pub struct Repro<'a> {
    /// One bug, or all that the VMs can show.
    pub bug: Option<&'a str>,
    /// VMs as the user named them.
    pub vms: &'a [String],
    /// Time of all runs of a bug.
    pub time: Option<Duration>,
    /// Stop after so many hits.
    pub hits: Option<u32>,
    /// Only a short subset: bugs that are quick to show and hardly ever missed, two of every category.
    pub quick: bool,
    /// Only bugs that were not yet measured on the VM.
    pub untried: bool,
    /// Compare with what is marked; only what is marked is run.
    pub regression: bool,
    /// Write measurements into this catalogue.
    pub record: Option<&'a Path>,
    /// Write the matrix to this file.
    pub html: Option<&'a Path>,
    /// Another catalogue.
    pub catalogue: Option<&'a Path>,
    /// How results are printed.
    pub format: Format,
}

/// Runs bugs on VMs.
pub fn repro(args: &Repro) -> anyhow::Result<ExitCode> {
    signals::install()?;
    let mut all = catalogue(args.record.or(args.catalogue))?;
    let chosen: Vec<usize> = match args.bug {
        Some(asked) => {
            let found = match find(&all, asked) {
                Ok(bug) => bug.id(),
                Err(code) => {
                    if !crate::repro::names_a_bug(asked) {
                        eprintln!("threadbare: nor is there a finding's folder of that name");
                    }
                    return Ok(code);
                }
            };
            all.iter()
                .position(|b| b.id() == found)
                .into_iter()
                .collect()
        }
        None => (0..all.len()).collect(),
    };
    let (mut ran, mut hits, mut stopped) = (0, 0, false);
    let mut checked = Checked::default();
    let mut names = Vec::new();
    for spec in args.vms {
        let vm = Vm::open(spec)?;
        let name = run::vm_name(&vm.facts);
        names.push(name.clone());
        let quick = regression::quick(&all, &name);
        for &i in &chosen {
            let bug = &all[i];
            let marked = bug.measured_on(&name).map(|m| m.status);
            if stopped
                || args.regression && !regression::checkable(marked)
                || args.untried && marked.is_some()
                || args.quick && !quick.contains(&bug.stem)
            {
                continue;
            }
            if let Some(why) = run::unfit(bug, &vm.facts) {
                if args.bug.is_some() {
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
            stopped |= summary.interrupted;
            if summary.interrupted {
                continue;
            }
            ran += 1;
            hits += usize::from(summary.hits > 0);
            if summary.broken.is_none() {
                record::merge(&mut all[i], summary.measured());
                if let Some(dir) = args.record {
                    record::write(dir, &all[i])?;
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
    if let Some(file) = args.html {
        write_atomically(file, matrix.html().as_bytes())?;
        eprintln!("{}", file.display());
    }
    if args.bug.is_none() && args.format == Format::Human && !args.regression {
        print!("{}", matrix.text());
    } else if args.bug.is_none() && args.format == Format::Json {
        println!("{}", bugs::json("matrix", &matrix));
    }
    if args.regression && args.format == Format::Human {
        println!("{}", checked.line());
    }
    Ok(match (stopped, ran, args.regression) {
        (true, ..) => exit::interrupted(),
        (_, 0, _) => exit::nothing(),
        (_, _, true) if checked.wrong > 0 => exit::found(),
        (_, _, true) if checked.held == 0 => exit::nothing(),
        (_, _, true) => exit::CLEAN,
        _ if hits > 0 => exit::found(),
        _ => exit::CLEAN,
    })
}

/// What a regression run came to.
#[derive(Default)]
struct Checked {
    held: usize,
    wrong: usize,
    skipped: usize,
}

impl Checked {
    fn add(&mut self, verdict: Verdict, format: Format) {
        let line = match &verdict {
            Verdict::Holds => {
                self.held += 1;
                return;
            }
            Verdict::Interrupted => return,
            Verdict::Regressed(why) => {
                self.wrong += 1;
                format!("REGRESSION: {why}")
            }
            // The mark stands until it is refuted, and the reader is told.
            Verdict::Unsure(why) => {
                self.held += 1;
                format!("UNSURE: {why}")
            }
            Verdict::Skipped(why) => {
                self.skipped += 1;
                format!("skipped: {why}")
            }
        };
        if format == Format::Json {
            println!("{}", bugs::json("regression", &verdict));
        } else {
            println!("{line}");
        }
    }

    /// `ci/bugs.sh` adds these up.
    fn line(&self) -> String {
        format!(
            "{} bugs as marked, {} not, {} skipped",
            self.held, self.wrong, self.skipped
        )
    }
}

/// Checks the mark of one bug.
fn check(vm: &Vm, bug: &Bug, args: &Repro, marked: Status) -> anyhow::Result<(Verdict, Summary)> {
    let usual = Budget::default();
    let budget = Budget {
        reproducible: args.time.unwrap_or(usual.reproducible),
        fixed: args.time.unwrap_or(usual.fixed),
        ..usual
    };
    let mut number = 0;
    let (verdict, summary) = regression::check(vm, bug, marked, budget, |attempt| {
        number += 1;
        progress(bug, number, attempt);
    })?;
    told(&summary, args.format);
    Ok((verdict, summary))
}

/// One bug on one VM, with its progress on stderr and its result on stdout.
fn one(vm: &Vm, bug: &Bug, args: &Repro) -> anyhow::Result<Summary> {
    let alone = args.bug.is_some();
    let usual = Duration::from_secs(if alone { 60 } else { 20 });
    let mut total = args.time.unwrap_or(usual);
    // Little time is spent on what the reports say is not there.
    if !alone && run::said_absent(bug, &vm.facts) {
        total /= 4;
    }
    let plan = Plan {
        total,
        run: Duration::from_secs(10),
        hits: args.hits.unwrap_or(3),
    };
    let mut number = 0;
    let summary = run::reproduce(vm, bug, plan, |attempt| {
        number += 1;
        progress(bug, number, attempt);
    })?;
    told(&summary, args.format);
    if alone && args.format == Format::Human && summary.hits > 0 {
        stacks(vm, bug);
    }
    Ok(summary)
}

fn progress(bug: &Bug, number: u32, attempt: &Attempt) {
    let how = if attempt.hit { "hit" } else { "no hit" };
    let seconds = attempt.took.as_secs_f64();
    eprintln!(
        "{} run {number}: {how} after {seconds:.1} s: {}",
        bug.id(),
        attempt.ended.line()
    );
}

fn told(summary: &Summary, format: Format) {
    if format == Format::Json {
        println!("{}", bugs::json("repro", summary));
    } else {
        println!("{} on {}: {}", summary.id, summary.vm, summary.line());
    }
}

/// The native stacks of a crash, where there is a debugger and the crash comes again.
fn stacks(vm: &Vm, bug: &Bug) {
    if let Some(frames) = run::native_frames(vm, bug) {
        println!(
            "  innermost frames under the debugger: {}",
            frames.join(" < ")
        );
    }
}
