//! `threadbare hunt`: races in a real VM, minimised.

mod inventory;
pub(crate) mod progress;
pub(crate) mod summary;

use self::progress::Printer;
use self::summary::summary;
use crate::control::Chooser;
use crate::{Format, counterexample, exit, signals, time};
use anyhow::Context;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use threadbare_stress::campaign::controlled::Control;
use threadbare_stress::campaign::learn::FIRST_MUTANT;
use threadbare_stress::campaign::shard::{Shard, ShardError};
use threadbare_stress::campaign::state::State;
use threadbare_stress::campaign::{Options, archive, canary, hunt};
use threadbare_stress::choice::{Choices, Seeded};
use threadbare_stress::finding::Finding;
use threadbare_stress::finding::store::{self, Store, StoreError};
use threadbare_stress::introspect;
use threadbare_stress::report;
use threadbare_stress::report::collect::Collected;
use threadbare_stress::scenario::company::Company;
use threadbare_stress::scenario::generate::Limits;
use threadbare_stress::subject::{Subject, builtin};
use threadbare_stress::triage::marks::{self, Marks};
use threadbare_stress::verdict::sanitizer::suppress::{self, Suppression};
use threadbare_stress::vm::child::interrupted;
use threadbare_stress::vm::{EMBEDDED, Vm};

/// Arguments.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  threadbare hunt --time 10m                                   # the embedded RustPython
  threadbare hunt --vm python3.14t --subject dict --subject list
  threadbare hunt --vm python3.14t --subject 'mypackage.cache:LRU' --out lru
  threadbare hunt --vm python3 --no-callbacks --sequential     # controls: nothing may be found
  threadbare hunt --threads 3 --ops 3 --seed 7 --format json
  threadbare hunt --vm python3.14t --shard 3/8 --out shared    # one of eight machines; then `findings merge`
  threadbare hunt --vm CONTROLLED --control --subject list     # each finding with a schedule; then `replay FINDING`
  threadbare hunt --list-subjects
  threadbare hunt --vm python3.14t --list-subjects --coverage  # which native types and functions they reach
  threadbare hunt --vm python3.14t --subject generic           # only those that introspection finds")]
pub struct Args {
    /// VM: `rustpython` (embedded), a path, a name on PATH or a quoted command.
    #[arg(long, default_value = EMBEDDED)]
    vm: String,
    /// Subject, family, prefix*, FILE.toml, package.module:Type, or `generic`: the types and functions of the VM's
    /// native modules, found by introspection; may be repeated. Default: all.
    #[arg(long = "subject", value_name = "SUBJECT")]
    subjects: Vec<String>,
    /// Time for the whole hunt, minimising included (60, 60s, 10m, 2h).
    #[arg(long, env = "THREADBARE_TIME", default_value = "60s", value_parser = time::parse)]
    time: Duration,
    /// Stop after this many scenarios, whatever the time.
    #[arg(long)]
    iterations: Option<u64>,
    /// Seed of all scenarios; the same seed gives the same scenarios in the same order.
    #[arg(long, env = "THREADBARE_SEED", default_value_t = 1)]
    seed: u64,
    /// VM processes at once [default: one for each two cores; more keep threads from overlapping].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Shard I of N, from 0: scenarios K with K mod N = I, in the folder OUT/shard-I-of-N. `auto`: the task of a
    /// Slurm job array or an indexed Kubernetes Job that this process is.
    #[arg(long, value_name = "I/N", env = "THREADBARE_SHARD", value_parser = shard, conflicts_with = "only")]
    shard: Option<Shard>,
    /// Folder for findings and progress; a hunt with the same options resumes there.
    #[arg(long, env = "THREADBARE_OUT", default_value = "threadbare-out")]
    out: PathBuf,
    /// Most threads of a scenario.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(2..=4))]
    threads: u8,
    /// Most operations of a thread.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=4))]
    ops: u8,
    /// Milliseconds for each scenario.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(5..=60_000))]
    scenario_ms: u64,
    /// Only scenario number K of each subject: replays one case of a finding.
    #[arg(long, value_name = "K", value_parser = number)]
    only: Option<usize>,
    /// What runs beside every scenario, or the mode that the VM is in, by name; `none`: nothing; may be
    /// repeated. Default: drawn for one scenario in four.
    #[arg(long, value_name = "NAME", value_parser = company)]
    company: Vec<Option<Company>>,
    /// Control: run the same scenarios in one thread, where nothing may be found.
    #[arg(long)]
    sequential: bool,
    /// Schedule the threads of a VM that ci/vm/cpython-controlled.sh has built: each scenario with so many --schedules,
    /// each finding with one that `threadbare replay` repeats. By whom is chosen: the portfolio takes all by turns.
    #[arg(long, value_name = "STRATEGY", num_args = 0..=1, default_missing_value = "portfolio", value_enum,
          conflicts_with_all = ["sequential", "feedback", "company"])]
    control: Option<Chooser>,
    /// With --control: schedules of each scenario.
    #[arg(long, default_value_t = 200, requires = "control", value_parser = clap::value_parser!(u32).range(1..))]
    schedules: u32,
    /// With --control: a store stays in its thread's buffer for a while, as on x86.
    #[arg(long, requires = "control")]
    tso: bool,
    /// Sanitizer reports that are no faults, by exact top frame, beside the shipped ones (TOML).
    #[arg(long, value_name = "FILE")]
    suppressions: Option<PathBuf>,
    /// Let what was seen decide what runs next: mutants of scenarios that showed something new, and more time for
    /// subjects and kinds of scenarios that yield. What runs when then depends on time, not on the seed alone.
    #[arg(long, overrides_with = "no_feedback", conflicts_with_all = ["only", "sequential"])]
    feedback: bool,
    /// The plain hunt, a function of the seed (the default).
    #[arg(long)]
    no_feedback: bool,
    /// Leave out subjects whose operations run Python code in the middle, and those that introspection finds.
    #[arg(long)]
    no_callbacks: bool,
    /// Most MiB of saved histories, which `threadbare judge` reads; 0 saves none.
    #[arg(long, value_name = "MIB", default_value_t = archive::MOST_BYTES >> 20)]
    histories: u64,
    /// List the subjects and their operations, run nothing.
    #[arg(long)]
    list_subjects: bool,
    /// With --list-subjects: what the VM has that is written in C or Rust, and which share of it the operations
    /// of subjects reach; the rest with the reasons. Takes a minute or two.
    #[arg(long, requires = "list_subjects")]
    coverage: bool,
    /// How results are printed.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// Names the types and functions of the VM's native modules, whose operations are found by introspection.
const GENERIC: &str = "generic";

impl Args {
    /// Whether a hunt of everything has generic subjects too: what their operations call nobody knows beforehand, a
    /// sanitizer's build is too slow for them, and a search that learns gives each subject a first turn.
    fn has_generic(&self, vm: &Vm) -> bool {
        !self.list_subjects
            && !self.no_callbacks
            && !self.feedback
            && self.only.is_none()
            && vm.facts.sanitizers.is_empty()
    }
}

/// Hunts.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (types, mut names): (Vec<String>, Vec<String>) = args
        .subjects
        .iter()
        .cloned()
        .partition(|s| introspect::names(s));
    let generic = names.iter().any(|n| n == GENERIC);
    names.retain(|n| n != GENERIC);
    let mut subjects = if names.is_empty() && (generic || !types.is_empty()) {
        Vec::new()
    } else {
        builtin::select(&names)?
    };
    if args.no_callbacks {
        subjects.retain(|s| !s.callbacks);
    }
    // What a type has, only a VM can tell.
    if args.list_subjects && types.is_empty() && !generic && !args.coverage {
        list(&subjects, args.format);
        return Ok(exit::CLEAN);
    }
    let mut suppressions = suppress::shipped();
    if let Some(file) = &args.suppressions {
        suppressions.extend(suppress::read(file)?);
    }
    signals::install()?;
    let vm = Vm::open(&args.vm)?;
    for name in &types {
        subjects.push(introspect::introspect(&vm, name)?);
    }
    if args.coverage {
        return inventory::covered(&vm, &subjects, args.format);
    }
    if generic {
        subjects.extend(introspect::generic(&vm)?);
    } else if args.subjects.is_empty() && args.has_generic(&vm) {
        match introspect::generic(&vm) {
            Ok(found) => subjects.extend(found),
            Err(error) => eprintln!("note: no generic subjects: {error}"),
        }
    }
    if args.list_subjects {
        list(&subjects, args.format);
        return Ok(exit::CLEAN);
    }
    if subjects.is_empty() {
        eprintln!("threadbare: no subject is left; `threadbare hunt --list-subjects` lists them");
        return Ok(exit::nothing());
    }
    let options = options(&args, subjects, suppressions);
    announce(&vm, &options, args.time);
    // Before anything runs: whether the folder is this hunt's, and can be written.
    State::open(&vm, &options)?;
    Store::open(&options.out)?;
    let sings = !vm.facts.has_gil() && !options.sequential;
    let silent = match sings {
        true => canary(&vm, &options, args.format)?,
        false => None,
    };
    let code = hunted(&vm, &options, args.format)?;
    match silent {
        Some(why) if !interrupted() => {
            eprintln!(
                "threadbare: the canary was not found, so that nothing was found proves nothing: {why}; what was found \
                 is kept"
            );
            Ok(exit::ours())
        }
        _ => Ok(code),
    }
}

/// A company of the command line; `none`: no company.
fn company(name: &str) -> Result<Option<Company>, String> {
    if name == "none" {
        return Ok(None);
    }
    let names = || Company::ALL.map(Company::name).join(", ");
    Company::of(name)
        .map(Some)
        .ok_or_else(|| format!("it is none of: none, {}", names()))
}

/// The number of a scenario that a seed gives.
fn number(text: &str) -> Result<usize, String> {
    let number: usize = text.parse().map_err(|e| format!("{e}"))?;
    if number < FIRST_MUTANT {
        return Ok(number);
    }
    Err("this is a mutant's number, and no seed gives it; its scenario is in its finding (`threadbare repro`), \
         and as it was run in OUT/search/corpus.jsonl"
        .to_owned())
}

/// A shard of the command line.
pub fn shard(text: &str) -> Result<Shard, ShardError> {
    match text {
        "auto" => Shard::of_environment(&|name| std::env::var(name).ok()),
        text => text.parse(),
    }
}

/// What the hunt is to do.
fn options(args: &Args, mut subjects: Vec<Subject>, suppressions: Vec<Suppression>) -> Options {
    // One order for a seed: what a short hunt reaches is then a fair sample of all families.
    let mut order = Seeded::new(args.seed, &["subjects"]);
    for i in (1..subjects.len()).rev() {
        subjects.swap(i, order.below(i + 1));
    }
    // What ordinary programs do comes first: maintainers ask for it first. What nobody wrote comes last.
    subjects.sort_by_key(|s| (s.generic, !s.name.starts_with("ordinary.")));
    // Shards may share a folder, as on the file system of a cluster.
    let shard = args.shard.unwrap_or_default();
    let out = match args.shard {
        Some(shard) => args.out.join(shard.folder()),
        None => args.out.clone(),
    };
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    Options {
        subjects,
        seed: args.seed,
        time: Some(args.time),
        shard,
        iterations: args.iterations,
        jobs: args.jobs.map_or((cores / 2).max(1), usize::from),
        out,
        limits: Limits {
            threads: args.threads.into(),
            ops: args.ops.into(),
        },
        scenario_ms: args.scenario_ms,
        company: (!args.company.is_empty())
            .then(|| args.company.iter().copied().flatten().collect()),
        batch: 8,
        sequential: args.sequential,
        only: args.only,
        keep: 3,
        suppressions,
        histories: args.histories << 20,
        feedback: args.feedback && !args.no_feedback,
        control: args.control.map(|chooser| Control {
            strategies: chooser.strategies(),
            schedules: args.schedules,
            tso: args.tso,
        }),
    }
}

/// Says what is going to happen, and what the VM lets one expect of it.
fn announce(vm: &Vm, options: &Options, time: Duration) {
    eprintln!(
        "hunting in {} ({} subjects, seed {}, {} s, {} at once), findings in {}",
        vm.facts.title(),
        options.own(),
        options.seed,
        time.as_secs(),
        options.jobs,
        options.out.join("findings").display()
    );
    if vm.facts.has_gil() {
        eprintln!(
            "note: this VM has a GIL: threads switch only between bytecodes, so little can be found"
        );
    }
    if !vm.facts.sanitizers.is_empty() {
        eprintln!(
            "note: built with the {} sanitizer: {:.1} million loop turns a second and thread, limits of time × {}; \
             races that need no operation are looked for first and told of no scenario",
            vm.facts.sanitizers.join(" and "),
            vm.facts.speed,
            vm.facts.slowness()
        );
    }
}

/// The hunt itself, its report and its summary.
fn hunted(vm: &Vm, options: &Options, format: Format) -> anyhow::Result<ExitCode> {
    // Hours later would be too late to learn that they cannot be read.
    let before = Marks::open(&options.out)?;
    let watch = Printer::new(format);
    let result = hunt(vm, options, &|event| watch.event(event))?;
    watch.clear();
    let found = result
        .findings
        .iter()
        .filter(|f| result.found.contains(&f.id));
    let again = marks::note_found(&options.out, found);
    let written = reported(&options.out).map(|_| ());
    let marks = Marks::open(&options.out).unwrap_or(before);
    summary(vm, options, &result, &marks, format);
    for finding in again.as_deref().unwrap_or_default() {
        if format == Format::Json {
            println!(
                "{}",
                serde_json::json!({"schema": 1, "event": "marked-fixed-but-found", "id": finding.id})
            );
        } else {
            println!("MARKED FIXED, BUT FOUND AGAIN: {}", finding.line());
        }
    }
    if let Some(error) = result.error {
        return Err(error.into());
    }
    again?;
    written.context("the findings are saved, the report is not")?;
    let none_ran = result.state.subjects.is_empty();
    let all_skipped = result.state.subjects.values().all(|t| t.skipped.is_some());
    Ok(if interrupted() {
        exit::interrupted()
    } else if none_ran {
        eprintln!("threadbare: no scenario ran: the time or the iterations were over at once");
        exit::nothing()
    } else if all_skipped {
        eprintln!("threadbare: every subject was skipped on this VM; the reasons stand above");
        exit::nothing()
    } else if result.findings.is_empty() {
        exit::CLEAN
    } else {
        exit::found()
    })
}

/// Hunts the canary first and says what became of it; the reason when it was not found.
fn canary(vm: &Vm, options: &Options, format: Format) -> anyhow::Result<Option<String>> {
    let canary = canary::sing(vm, options)?;
    let found = match canary.found {
        Ok(finding) if !is_reported(&canary.out, &finding)? => {
            Err("it was found, and the report does not show it".to_owned())
        }
        found => found,
    };
    if format == Format::Json {
        let id = found.as_ref().ok().map(|f| &f.id);
        println!(
            "{}",
            serde_json::json!({
                "schema": 1, "event": "canary", "runs": canary.runs, "found": id, "reason": found.as_ref().err(),
                "folder": canary.out,
            })
        );
    }
    match found {
        Ok(finding) => {
            eprintln!("canary: found as it must be: {}", finding.line());
            Ok(None)
        }
        Err(why) => {
            if !interrupted() {
                eprintln!("canary: WARNING: not found: {why}");
            }
            Ok(Some(why))
        }
    }
}

/// Whether the canary's finding stands in the report of its folder, which is written there.
fn is_reported(out: &Path, finding: &Finding) -> anyhow::Result<bool> {
    Ok(reported(out)?.contains(&finding.id))
}

/// Writes the report of a hunt's folder.
fn reported(out: &Path) -> Result<String, StoreError> {
    let collected = Collected::read(&[out.to_owned()])?;
    let html = report::html(&collected, &counterexample::beside(&collected.marks));
    store::write_atomically(&out.join("report.html"), html.as_bytes())?;
    Ok(html)
}

fn list(subjects: &[Subject], format: Format) {
    for s in subjects {
        if format == Format::Json {
            let ops: Vec<_> = s
                .ops
                .iter()
                .map(|o| serde_json::json!({"code": o.code, "guarantee": o.guarantee}))
                .collect();
            println!(
                "{}",
                serde_json::json!({"schema": 1, "event": "subject", "name": s.name, "doc": s.doc, "callbacks": s.callbacks, "ops": ops})
            );
        } else {
            match s.generic {
                true => println!("{:<28}     {}", s.name, s.doc),
                false => println!("{:<28} {:>3} operations  {}", s.name, s.ops.len(), s.doc),
            }
        }
    }
}
