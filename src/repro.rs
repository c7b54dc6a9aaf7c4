//! `threadbare repro`: runs a finding's script, or known bugs, and says how often they hit.

mod finding;
mod known;
mod regression;

use crate::{Format, exit, time};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Arguments.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  threadbare repro threadbare-out/findings/ID                      # a finding's script
  threadbare repro threadbare-out/findings/ID --improve --time 60s # look for a script that hits more often
  threadbare repro python/cpython#154130 --vm python3.13t          # a known bug, to its signature
  threadbare repro --all --vm python3.13t --vm rustpython          # the version matrix
  threadbare repro --all --vm python3.13t --regression             # fails when a mark no longer holds")]
pub struct Args {
    /// A finding's folder, OUT/findings/ID, or a known bug: python/cpython#154130, 154130, a file's name.
    #[arg(required_unless_present = "all")]
    what: Option<String>,
    /// All known bugs that the VMs can show.
    #[arg(long, conflicts_with = "what", requires = "vm")]
    all: bool,
    /// VM to run on; default: the one a finding was found on. Known bugs need one, and take several.
    #[arg(long)]
    vm: Vec<String>,
    /// How often to run a finding's script.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Vary iterations, lags, objects and environment of a finding's script, and keep what hits
    /// most often.
    #[arg(long, conflicts_with = "all")]
    improve: bool,
    /// Time limit (10, 10s, 2m): of one run of a finding, default 10s; of the search of
    /// --improve, default 60s; of all runs of a known bug, default 60s, with --all 20s,
    /// and with --all three times as much for what hit before, a quarter for what is said to be absent.
    #[arg(long, value_parser = time::parse)]
    time: Option<Duration>,
    /// Known bugs: stop after so many hits (default 3).
    #[arg(long, conflicts_with = "regression", value_parser = clap::value_parser!(u32).range(1..))]
    hits: Option<u32>,
    /// Known bugs: only a few of every category, those that show soon and are hardly ever missed.
    #[arg(long, requires = "all")]
    quick: bool,
    /// Known bugs: only those that were not yet measured on the VM since signatures decide; with --record
    /// an interrupted run goes on.
    #[arg(long, requires = "all")]
    untried: bool,
    /// Known bugs: run what is marked for the VM; exit 1 when a bug marked fixed is back (twice) or
    /// one marked reproducible does not show (in 90 s, and then in 270 s).
    #[arg(long, requires = "all")]
    regression: bool,
    /// Known bugs: write the measurements into the files of this catalogue; runs of one program on one VM are
    /// counted together, those of another program or signature replaced.
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Known bugs: write the matrix as a page.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Known bugs: a catalogue of your own.
    #[arg(long, value_name = "DIR")]
    catalogue: Option<PathBuf>,
    /// How results are printed.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// Runs a finding's script, or known bugs.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match &args.what {
        // A folder's name may hold anything.
        Some(what) if Path::new(what).exists() => finding::run(&args, Path::new(what)),
        Some(what) if what.contains('/') && !names_a_bug(what) => {
            finding::run(&args, Path::new(what))
        }
        _ if args.improve => {
            eprintln!("threadbare: --improve is for a finding's folder, OUT/findings/ID");
            Ok(exit::usage())
        }
        _ => {
            if args.vm.is_empty() {
                eprintln!("threadbare: a known bug needs --vm, such as --vm python3.13t");
                return Ok(exit::usage());
            }
            known::run(&args)
        }
    }
}

/// `python/cpython#154130`, or a number alone.
pub fn names_a_bug(what: &str) -> bool {
    what.contains('#') || what.bytes().all(|b| b.is_ascii_digit())
}
