//! `threadbare-control`: searches the schedules of an instrumented program and replays what it finds.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use threadbare_control::block::{Engine, Memory, Points, Run, Strategy, Verdict};
use threadbare_control::bundle::{Bundle, Error};
use threadbare_control::directed;
use threadbare_control::isolate::isolate;
use threadbare_control::launch::{Orders, Program, Report, run};
use threadbare_control::table;

/// Schedules of instrumented programs: linked with the runtime by ci/vm/controlled-cc.
///
/// Exit codes: 0 no fault, 1 a fault was found or replayed, 3 a run could not be controlled or a
/// replay was refused, 5 a replay was not the same.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a program under many schedules, one forked child each
    Search(Box<Search>),
    /// Repeats a run that `search --bundle` kept
    Replay {
        /// The file
        bundle: PathBuf,
        /// Repetitions
        #[arg(long, default_value_t = 100)]
        times: u32,
        /// Print so many last events
        #[arg(long, default_value_t = 0)]
        trace: usize,
    },
    /// Finds the fewest switches by which a kept run still fails in the same way, and keeps that run
    Minimise {
        /// The file
        bundle: PathBuf,
        /// Where the shorter run is kept; in place of the other if left out
        #[arg(long)]
        to: Option<PathBuf>,
    },
}

#[derive(Args)]
struct Search {
    /// Schedules
    #[arg(long, default_value_t = 1000)]
    runs: u32,
    /// Seed of the first; the others follow
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Who chooses the next thread
    #[arg(long, value_enum, default_value_t = Chooser::Random)]
    strategy: Chooser,
    /// Where threads may be switched
    #[arg(long, value_enum, default_value_t = Where::All)]
    points: Where,
    /// Runs before the search that learn addresses in conflict (for --points conflicts)
    #[arg(long, default_value_t = 0)]
    learning: u32,
    /// Sticky: a switch at one point in so many
    #[arg(long, default_value_t = 8)]
    stickiness: u32,
    /// Depth-first: switches of one schedule at most, beside those of threads that wait or end
    #[arg(long, default_value_t = 2)]
    bound: u32,
    /// PCT: change points plus one
    #[arg(long, default_value_t = 3)]
    depth: u32,
    /// PCT: points among which they are drawn
    #[arg(long, default_value_t = 100)]
    length: u32,
    /// Directed: the two sides, each FUNCTION or FUNCTION:LINE
    #[arg(long, num_args = 2, value_names = ["SIDE", "SIDE"], required_if_eq("strategy", "directed"))]
    race: Vec<String>,
    /// The program opens windows itself; without this it is under control from before `main`
    #[arg(long)]
    windows: bool,
    /// Windows of one child; of a batch that fails --bundle keeps the window by itself
    #[arg(long, default_value_t = 1)]
    batch: u32,
    /// Which writes of others a read may miss
    #[arg(long, value_enum, default_value_t = Model::Sequential)]
    memory: Model,
    /// Report touches of freed memory
    #[arg(long)]
    freed: bool,
    /// Tell data races: accesses that nothing orders
    #[arg(long)]
    races: bool,
    /// Stop at the first fault and keep it in this file, for `replay`
    #[arg(long)]
    bundle: Option<PathBuf>,
    /// Stop at the first fault
    #[arg(long)]
    first: bool,
    /// Print so many last events of the last run
    #[arg(long, default_value_t = 0)]
    trace: usize,
    /// Keep each thread on a kernel thread of its own
    #[arg(long)]
    futex: bool,
    /// Bind the program to this processor
    #[arg(long)]
    processor: Option<usize>,
    /// NAME=VALUE for the program's environment, which is empty otherwise
    #[arg(long = "env")]
    environment: Vec<String>,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true)]
    program: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Chooser {
    Random,
    Sticky,
    Pct,
    Pos,
    Surw,
    DepthFirst,
    /// Threads stop before the two sides of --race until both are there
    Directed,
}

#[derive(Clone, Copy, ValueEnum)]
enum Model {
    /// None
    Sequential,
    /// Those that wait in store buffers, as on x86
    Tso,
}

#[derive(Clone, Copy, ValueEnum)]
enum Where {
    Sync,
    Conflicts,
    All,
}

fn main() -> ExitCode {
    let answer = match &Arguments::parse().command {
        Command::Search(arguments) => search(arguments),
        Command::Replay {
            bundle,
            times,
            trace,
        } => replay(bundle, *times, *trace),
        Command::Minimise { bundle, to } => minimise(bundle, to.as_deref()),
    };
    match answer {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("threadbare-control: {error}");
            ExitCode::from(3)
        }
    }
}

fn search(arguments: &Search) -> Result<u8, Error> {
    let program = Program {
        path: PathBuf::from(&arguments.program[0]),
        arguments: arguments.program[1..].to_vec(),
        environment: arguments
            .environment
            .iter()
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    };
    let mut orders = Orders::new(arguments.seed, arguments.runs);
    orders.processor = arguments.processor;
    let config = &mut orders.config;
    config.whole = !arguments.windows;
    config.strategy = match arguments.strategy {
        Chooser::Random => Strategy::Random,
        Chooser::Sticky => Strategy::Sticky,
        Chooser::Pct => Strategy::Pct,
        Chooser::Pos => Strategy::Pos,
        Chooser::Surw => Strategy::Surw,
        Chooser::DepthFirst => Strategy::DepthFirst,
        Chooser::Directed => Strategy::Directed,
    };
    config.points = match arguments.points {
        Where::Sync => Points::Sync,
        Where::Conflicts => Points::Conflicts,
        Where::All => Points::All,
    };
    config.memory = match arguments.memory {
        Model::Sequential => Memory::Sequential,
        Model::Tso => Memory::Tso,
    };
    if arguments.futex {
        config.engine = Engine::Futex;
    }
    config.learning = arguments.learning;
    config.stickiness = arguments.stickiness;
    config.bound = arguments.bound;
    config.races = arguments.races;
    config.depth = arguments.depth;
    config.length = arguments.length;
    config.batch = arguments.batch;
    config.freed = arguments.freed;
    config.trace = arguments.trace > 0;
    config.stop_after = u32::from(arguments.first || arguments.bundle.is_some());
    if let [a, b] = arguments.race.as_slice()
        && config.strategy == Strategy::Directed
    {
        orders = directed::aim(&program, &orders, [a, b])?;
    }
    let began = Instant::now();
    let report = run(&program, &orders)?;
    print(&report, began.elapsed().as_secs_f64());
    print!("{}", table::last(&report, arguments.trace));
    print!("{}", table::races(&report.loaded, &report.races));
    if report.race_count as usize > report.races.len() {
        println!(
            "{} data races, of which the first are told",
            report.race_count
        );
    }
    if report.exhausted {
        println!(
            "every schedule of these points with at most {} switches was run",
            arguments.bound
        );
    }
    let found = report.last.verdict.is_fault();
    if let Some(path) = arguments.bundle.as_ref().filter(|_| found) {
        let alone = match arguments.batch {
            0 | 1 => None,
            _ => isolate(&program, &orders, &report)?,
        };
        if let Some((_, window)) = &alone {
            println!(
                "window {} of its batch fails by itself: {} events, {} choices",
                report.last.windows + 1,
                window.last.events,
                window.last.choices
            );
        }
        let (orders, kept) = alone.as_ref().map_or((&orders, &report), |(o, r)| (o, r));
        Bundle::new(&program, orders, kept)?.save(path)?;
        println!("kept: threadbare-control replay {}", path.display());
    }
    Ok(code(&report))
}

/// 1 where a fault was found; without one 3 where a run says nothing about the program.
fn code(report: &Report) -> u8 {
    let any = |which: fn(Verdict) -> bool| report.runs.iter().any(|run| which(run.verdict));
    match () {
        () if any(Verdict::is_fault) || !report.races.is_empty() => 1,
        () if any(|verdict| verdict != Verdict::Finished) || report.runs.is_empty() => 3,
        () => 0,
    }
}

fn replay(path: &Path, times: u32, trace: usize) -> Result<u8, Error> {
    let bundle = Bundle::load(path)?;
    println!("{}", bundle.title());
    println!("{}", bundle.note.trim_end());
    let replayed = bundle.replay(times, trace > 0)?;
    println!(
        "{} of {times} are the same to the last event and address",
        replayed.same
    );
    if let Some(divergence) = replayed.divergence() {
        println!("the last one is not: {divergence}");
    }
    print!("{}", table::last(&replayed.report, trace));
    Ok(if replayed.same == times as usize {
        1
    } else {
        5
    })
}

fn minimise(path: &Path, to: Option<&Path>) -> Result<u8, Error> {
    let bundle = Bundle::load(path)?;
    println!("{}", bundle.title());
    let (small, left) = bundle.minimise()?;
    println!(
        "{} switches of {} are needed, {} preemptions among them; none can be left out ({} schedules tried){}:",
        left.report.switches.len(),
        left.before,
        left.report.last.preemptions,
        left.tried,
        if left.fewest {
            ", and no schedule with fewer switches fails so"
        } else {
            ""
        }
    );
    print!("{}", table::switches(&left.report));
    let to = to.unwrap_or(path);
    small.save(to)?;
    println!("kept: threadbare-control replay {}", to.display());
    Ok(1)
}

/// A verdict in words, with its number where it has one.
fn name(run: &Run) -> String {
    match run.verdict {
        Verdict::Signal => format!("Signal {}", run.signal),
        Verdict::Exit => format!("Exit {}", run.code),
        other => format!("{other:?}"),
    }
}

fn print(report: &Report, seconds: f64) {
    let mut verdicts: BTreeMap<String, u32> = BTreeMap::new();
    for run in &report.runs {
        *verdicts.entry(name(run)).or_default() += 1;
    }
    let of = |f: fn(&Run) -> u64| {
        report.runs.iter().map(f).sum::<u64>() / report.runs.len().max(1) as u64
    };
    println!(
        "{} runs in {seconds:.2} s, learning included; {} conflicts known; a run has {} events, {} steps, {} choices, {} switches",
        report.runs.len(),
        report.conflicts,
        of(|r| r.events),
        of(|r| r.steps),
        of(|r| r.choices.into()),
        of(|r| r.switches.into()),
    );
    for (verdict, count) in verdicts {
        println!("{count:>8} {verdict}");
    }
    let mut outcomes: BTreeMap<u64, u32> = BTreeMap::new();
    for run in report.runs.iter().filter(|run| run.outcome != 0) {
        *outcomes.entry(run.outcome).or_default() += 1;
    }
    for (outcome, count) in outcomes {
        println!("{count:>8} outcome {outcome:x}");
    }
    if let Some(first) = report.runs.iter().find(|run| run.verdict.is_fault()) {
        println!(
            "first fault: seed {}, {} in thread {} of {} at {:#x}; {} events, {} choices, {} switches; hash {:016x}",
            first.seed,
            name(first),
            first.thread,
            first.threads,
            first.pc,
            first.events,
            first.choices,
            first.switches,
            first.hash,
        );
        if report.last.seed == first.seed {
            println!("{}", report.note.trim_end());
            if !report.output.trim().is_empty() {
                println!("it said: {}", report.output.trim_end());
            }
        }
    }
}
