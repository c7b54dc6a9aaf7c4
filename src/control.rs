//! `threadbare control`: known bugs and findings on a VM whose threads are scheduled, and their replays.

use crate::{bugs as known, exit, repro, signals, time};
use anyhow::Context;
use clap::ValueEnum;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use threadbare_control::block::{Strategy, Verdict};
use threadbare_control::bundle::Bundle;
use threadbare_control::table;
use threadbare_stress::bugs;
use threadbare_stress::campaign;
use threadbare_stress::campaign::controlled::SCHEDULE;
use threadbare_stress::controlled::{self, ControlError, PORTFOLIO, Plan, Searched, obeys};
use threadbare_stress::finding::{Finding, store};
use threadbare_stress::vm::Vm;
use threadbare_stress::vm::debugger::core_file;

/// Search the schedules of a known bug or a finding on a VM that is built for control.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  threadbare control 154130 --vm \"$(bash ci/vm/cpython-controlled.sh 3.13.15)\"
  threadbare control threadbare-out/findings/ID --vm PYTHON --strategy pos --runs 5000
  threadbare replay threadbare-control/154130              # 100 of 100, or refused with what differs

Exit codes: 0 no schedule showed it, 1 one did, 2 usage, 3 the VM is not built for control or a file cannot
be written, 4 the program cannot be run so, 130 interrupted.")]
pub struct Args {
    /// Known bugs (python/cpython#154130, 154130, a file's name) or folders of findings.
    #[arg(required = true)]
    what: Vec<String>,
    /// The VM, built by ci/vm/cpython-controlled.sh.
    #[arg(long)]
    vm: String,
    /// Who chooses the next thread; the portfolio takes all by turns.
    #[arg(long, value_enum, default_value = "portfolio")]
    strategy: Chooser,
    /// Schedules of each.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Seed of the first schedule; the others follow.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Time of each (10, 10s, 2m).
    #[arg(long, value_parser = time::parse, default_value = "5m")]
    time: Duration,
    /// A store stays in its thread's buffer for a while, as on x86.
    #[arg(long)]
    tso: bool,
    /// Folder for what was found, one folder each: what `threadbare replay` repeats.
    #[arg(long, default_value = "threadbare-control")]
    out: PathBuf,
    /// Leave the schedule as long as it was found.
    #[arg(long)]
    keep_long: bool,
}

/// Who chooses the next thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Chooser {
    Portfolio,
    Random,
    Sticky,
    Pct,
    Pos,
    Surw,
}

impl Chooser {
    /// Those that take turns.
    pub fn strategies(self) -> Vec<Strategy> {
        match self {
            Self::Portfolio => PORTFOLIO.to_vec(),
            Self::Random => vec![Strategy::Random],
            Self::Sticky => vec![Strategy::Sticky],
            Self::Pct => vec![Strategy::Pct],
            Self::Pos => vec![Strategy::Pos],
            Self::Surw => vec![Strategy::Surw],
        }
    }
}

/// Runs the subcommand.
///
/// # Errors
/// A VM that is not there or not built for control, files that cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    signals::install()?;
    let all = known::catalogue(None)?;
    let vm = Vm::open(&args.vm)?;
    let plan = Plan {
        strategies: args.strategy.strategies(),
        runs: args.runs,
        seed: args.seed,
        time: args.time,
        tso: args.tso,
    };
    let (mut hits, mut unfit) = (0, 0);
    for what in &args.what {
        let is_finding =
            Path::new(what).exists() || what.contains('/') && !repro::names_a_bug(what);
        let (name, id, searched, folder);
        if is_finding {
            let finding = store::read(Path::new(what))?;
            (name, id) = (finding.id.clone(), finding.id.clone());
            folder = args.out.join(&name);
            searched = obeys(&vm).and_then(|()| campaign::controlled::find(&vm, &finding, &plan));
        } else {
            let bug = bugs::find(&all, what)?;
            (name, id) = (bug.number.clone(), bug.id());
            folder = args.out.join(&name);
            searched = controlled::bug::find(&vm, bug, &plan, &folder);
        }
        let searched = match searched {
            Err(ControlError::Unfit(why)) => {
                println!("{id}: not searched: {why}");
                unfit += 1;
                continue;
            }
            other => other?,
        };
        unfit += usize::from(searched.unfit.is_some());
        hits += usize::from(tell(&id, searched, &folder, args.keep_long)?);
        if threadbare_stress::vm::child::interrupted() {
            return Ok(exit::interrupted());
        }
    }
    Ok(match () {
        () if hits > 0 => exit::found(),
        () if unfit == args.what.len() => exit::nothing(),
        () => exit::CLEAN,
    })
}

/// Says what a search came to, and keeps the schedule that it found in this folder; whether there is one.
pub fn tell(id: &str, searched: Searched, folder: &Path, keep_long: bool) -> anyhow::Result<bool> {
    println!("{id}: {}", line(&searched));
    let Some(hit) = searched.hit else {
        return Ok(false);
    };
    let file = folder.join(SCHEDULE);
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    hit.bundle.save(&file)?;
    // A race does no harm that a shorter schedule could be held to.
    if !keep_long && hit.bundle.found.verdict != Verdict::Finished {
        match shorter(&hit.bundle) {
            Ok(small) => small.save(&file)?,
            Err(error) => eprintln!("threadbare: {id}: kept as long as it was: {error}"),
        }
    }
    println!("  threadbare replay {}", folder.display());
    Ok(true)
}

/// Fewest switches, told by their lines.
fn shorter(bundle: &Bundle) -> Result<Bundle, threadbare_control::bundle::Error> {
    let (small, left) = bundle.minimise()?;
    println!(
        "  {} of {} switches are needed{}:",
        left.report.switches.len(),
        left.before,
        if left.fewest {
            ", fewer are not enough"
        } else {
            ", none can be left out"
        }
    );
    for line in table::switches(&left.report).lines() {
        println!("  {line}");
    }
    Ok(small)
}

/// What a search came to.
fn line(searched: &Searched) -> String {
    if let Some(why) = &searched.unfit {
        return format!("cannot be run under control: {}", why.trim_end());
    }
    let schedules = searched.schedules;
    let found = match &searched.hit {
        Some(hit) => format!(
            "reproduced in schedule {schedules} ({:?}, seed {}): {}",
            hit.strategy,
            hit.seed,
            hit.seen.line()
        ),
        None => format!("not reproduced in {schedules} schedules"),
    };
    let others = match searched.others {
        0 => String::new(),
        n => format!("; {n} other failures, the first: {}", searched.otherwise),
    };
    let endless = match searched.endless {
        0 => String::new(),
        n => format!("; {n} without an end within their steps"),
    };
    format!("{found}{others}{endless}")
}

/// The schedule that a path names: the folder that `threadbare control` made, its file, or one of another name.
pub fn schedule(path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    let inside = path.join(SCHEDULE);
    if inside.is_file() {
        return Some(inside);
    }
    // Other files may hold what `threadbare check` printed.
    let is_one = path.is_file() && (path.ends_with(SCHEDULE) || Bundle::load(path).is_ok());
    is_one.then(|| path.to_owned())
}

/// The finding that a schedule lies beside.
fn finding_of(file: &Path) -> anyhow::Result<Option<Finding>> {
    let file = file.with_file_name("finding.json");
    match file.is_file() {
        true => Ok(Some(store::read(&file)?)),
        false => Ok(None),
    }
}

/// Opens a debugger on the core that one repetition leaves: every thread stands where it stood as it failed.
///
/// # Errors
/// Where it is refused, leaves no core, or there is no gdb.
pub fn debug(file: &Path) -> anyhow::Result<ExitCode> {
    let bundle = Bundle::load(file).context("no schedule under control")?;
    core_file::usable().map_err(anyhow::Error::msg)?;
    let folder = tempfile::tempdir().context("no folder for the core")?;
    let replayed = bundle.replay_to_core(folder.path())?;
    if replayed.same != 1 {
        println!("it came out otherwise: {:?}", replayed.report.last.verdict);
        return Ok(exit::ours());
    }
    let core =
        core_file::file(folder.path()).context("it left no core: nothing died or stood still")?;
    std::process::Command::new("gdb")
        .arg("-q")
        .arg(&bundle.program.path)
        .arg(core)
        .status()
        .context("gdb does not start; install it, or use --trace")?;
    Ok(exit::found())
}

/// Repeats a schedule: 1 when every repetition was the same, and of a finding shows its failure, 5 when one was not or
/// does not.
///
/// # Errors
/// Where it is refused, with what differs.
pub fn replay(file: &Path, times: u32, trace: usize) -> anyhow::Result<ExitCode> {
    let bundle = Bundle::load(file).context("no schedule under control")?;
    println!("{}", bundle.title());
    let replayed = bundle.replay(times, trace > 0)?;
    let report = &replayed.report;
    let note = report.note.trim_end();
    if !note.is_empty() {
        println!("{note}");
    }
    print!("{}", table::switches(report));
    print!("{}", table::races(&report.loaded, &report.races));
    print!("{}", table::shared(report, trace));
    println!(
        "{} of {times} are the same to the last event and address",
        replayed.same
    );
    if let Some(divergence) = replayed.divergence() {
        println!("the last one is not: {divergence}");
    }
    let mut same = replayed.same == times as usize;
    if same && let Some(finding) = finding_of(file)? {
        let vm = match &finding.schedule {
            Some(schedule) => Vm::open(&schedule.vm)?,
            None => Vm::open(&finding.vm)?,
        };
        same = campaign::controlled::shows(&vm, &finding, &bundle)?;
        println!(
            "it shows {} failure: {}",
            if same { "the finding's" } else { "another" },
            finding.failure()
        );
    }
    Ok(if same { exit::found() } else { exit::ours() })
}
