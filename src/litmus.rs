//! `threadbare litmus`: litmus tests in herd's C format on any engine.

mod print;
mod source;

use self::print::{human, json, progress};
use self::source::texts;
use crate::{Format, exit};
use anyhow::Context as _;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use threadbare_litmus::explore::Progress;
use threadbare_litmus::lang::{Engine, Limits, Test, judge, printable};

/// Arguments.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  threadbare litmus SB.litmus                              # under RC11, as herd does
  threadbare litmus tests/ --engine rc11,tso,hardware      # every *.litmus file in a folder
  threadbare litmus --catalogue IRIW --engine loom         # our own tests by part of the name
  threadbare litmus --catalogue SB+rlx --print > SB.litmus # one to start from
  threadbare litmus big.litmus --workers 2                 # both cores
  threadbare litmus big.litmus --shard 1/3                 # a third; 2/3 and 3/3 elsewhere
  threadbare litmus big.litmus --time 60                   # as much of it as a minute shows
  threadbare litmus big.litmus --bound 2                   # executions of at most 2 preemptions
  threadbare litmus big.litmus --sample 10000 --seed 7     # random executions, and how many there are

`exists` is a question: no answer to it is a fault. A false `~exists` or `forall`, a data race
(the states are shown all the same, and Undef beside the condition's Ok or No), or
a verdict other than the one a test's own info lines expect is a finding (exit code 1).")]
pub struct Args {
    /// Tests: files, or folders with *.litmus files.
    #[arg(value_name = "FILE", required_unless_present = "catalogue")]
    files: Vec<PathBuf>,
    /// Tests of the built-in catalogue whose name contains this; all without a value.
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    catalogue: Option<String>,
    /// What runs them: rust (C++20's seq_cst), rc11, sc, tso, loom, shuttle, hardware; several with commas.
    #[arg(long, value_delimiter = ',', default_value = "rc11")]
    engine: Vec<Engine>,
    /// Print the tests in canonical form instead of running them.
    #[arg(long)]
    print: bool,
    /// Show one execution in which the proposition holds (rust, rc11, sc, tso).
    #[arg(long)]
    witness: bool,
    /// Write that execution to FOLDER/TEST.ENGINE.dot and .svg; makes the folder.
    #[arg(long, value_name = "FOLDER")]
    dot: Option<PathBuf>,
    /// hardware: runs of each test.
    #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
    /// shuttle: interleavings to enumerate before random ones.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    schedules: u32,
    /// rust, rc11, sc, tso, loom: most preemptions in one execution; no bound without it.
    #[arg(long, alias = "preemptions", value_name = "PREEMPTIONS")]
    bound: Option<usize>,
    /// rust, rc11, sc, tso: most backward revisits on the way to an execution; no bound without it.
    #[arg(long)]
    revisits: Option<usize>,
    /// rust, rc11, sc, tso: random descents instead of every execution.
    #[arg(long, value_name = "DESCENTS", value_parser = clap::value_parser!(u64).range(1..))]
    sample: Option<u64>,
    /// rust, rc11, sc, tso: turns that a loop gets, unless it only waits for what it reads.
    #[arg(long, value_name = "TURNS", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    unroll: u32,
    /// Seconds for one test; what was seen by then is reported, as part of the whole.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    time: Option<u32>,
    /// rust, rc11, sc, tso: OS threads that search.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    workers: u16,
    /// rust, rc11, sc, tso: search part I of N only, as `1/3`; states and counts of all parts add up to
    /// the whole's, if their `tree` is the same.
    #[arg(long, value_name = "I/N", value_parser = part)]
    shard: Option<(u64, u64)>,
    /// Seed of samples, random schedules and delays.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How results are printed.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// How often each thing happened.
#[derive(Default)]
struct Tally {
    judged: u32,
    found: u32,
    skipped: u32,
    /// Files that cannot be read, or are no tests.
    refused: u32,
}

/// Runs tests.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let limits = Limits {
        preemptions: args.bound,
        revisits: args.revisits,
        sample: args.sample,
        shard: args.shard,
        workers: args.workers.into(),
        progress: std::io::stderr()
            .is_terminal()
            .then_some(progress as fn(&Progress)),
        schedules: args.schedules as usize,
        seed: args.seed,
        runs: args.runs,
        turns: args.unroll,
        time: args.time.map(|seconds| Duration::from_secs(seconds.into())),
    };
    let mut tally = Tally::default();
    if let Some(folder) = &args.dot
        && let Err(error) = std::fs::create_dir_all(folder)
    {
        eprintln!(
            "threadbare: cannot make the folder {} for --dot: {error}",
            folder.display()
        );
        return Ok(exit::usage());
    }
    for engine in &args.engine {
        for option in ignored(*engine, &args) {
            eprintln!("threadbare: {option} means nothing to {}", engine.name());
        }
    }
    for (name, text) in texts(&args, &mut tally) {
        match Test::parse_with_warnings(&text) {
            Ok((test, _)) if args.print => {
                print!("{test}");
                tally.judged += 1;
            }
            Ok((test, warnings)) => {
                for warning in warnings {
                    eprint!("{}", warning.render(&name, &text));
                }
                for engine in &args.engine {
                    one(&test, *engine, &limits, &args, &mut tally)?;
                }
            }
            Err(error) => {
                eprint!("{}", error.render(&name, &text));
                tally.refused += 1;
            }
        }
    }
    Ok(match tally {
        Tally { refused: 1.., .. } => exit::usage(),
        Tally { found: 1.., .. } => exit::found(),
        Tally { judged: 0, .. } => {
            eprintln!("threadbare: no test was run ({} skipped)", tally.skipped);
            exit::nothing()
        }
        _ => exit::CLEAN,
    })
}

fn one(
    test: &Test,
    engine: Engine,
    limits: &Limits,
    args: &Args,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let judged = judge(test, engine, limits);
    if limits.progress.is_some() {
        eprint!("\x1b[K");
    }
    let judged = match judged {
        Ok(judged) => judged,
        Err(error) => {
            eprintln!("threadbare: skipped: {}", printable(&error.to_string()));
            tally.skipped += 1;
            return Ok(());
        }
    };
    tally.judged += 1;
    tally.found += u32::from(judged.is_finding());
    if let (Some(folder), Some(witness)) = (&args.dot, &judged.verdict.witness) {
        let name = test.name.replace(['/', '\\'], "_");
        for (kind, text) in [("dot", &witness.dot), ("svg", &witness.svg)] {
            let path = folder.join(format!("{name}.{}.{kind}", engine.name()));
            std::fs::write(&path, text)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    if (args.witness || args.dot.is_some())
        && judged.verdict.positive > 0
        && judged.verdict.witness.is_none()
    {
        eprintln!(
            "threadbare: {} has no execution of {} to show",
            engine.name(),
            test.name
        );
    }
    match args.format {
        Format::Human => human(&judged, engine, args.witness),
        Format::Json => json(&judged, engine),
    }
    Ok(())
}

/// A part of a search.
fn part(text: &str) -> Result<(u64, u64), String> {
    let numbers = text
        .split_once('/')
        .map(|(index, of)| (index.parse(), of.parse()));
    match numbers {
        Some((Ok(index), Ok(of))) if (1..=of).contains(&index) => Ok((index, of)),
        _ => Err("parts are written I/N, with I from 1 to N: 1/3, 2/3, 3/3".into()),
    }
}

/// Options that were given although the engine has no use for them.
fn ignored(engine: Engine, args: &Args) -> Vec<&'static str> {
    let explores = matches!(engine, Engine::Explorer(_));
    [
        (
            "--bound",
            args.bound.is_some() && !explores && engine != Engine::Loom,
        ),
        ("--revisits", args.revisits.is_some() && !explores),
        ("--sample", args.sample.is_some() && !explores),
        ("--workers", args.workers > 1 && !explores),
        ("--shard", args.shard.is_some() && !explores),
        ("--unroll", args.unroll != 4 && !explores),
    ]
    .into_iter()
    .filter_map(|(option, given)| given.then_some(option))
    .collect()
}
