//! `threadbare bisect`: on which VMs a finding or known bug fails, and since which version.

use crate::{Format, exit, signals, time};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use threadbare_stress::bugs;
use threadbare_stress::finding::store::{self, script};
use threadbare_stress::program::Told;
use threadbare_stress::triage::bisect::{self, Trial};
use threadbare_stress::vm::Vm;

/// Arguments.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  threadbare bisect threadbare-out/findings/ID --vm python3.13t --vm python3.14t
  threadbare bisect python/cpython#154130 --vm A --vm B --vm C --rounds 40
  threadbare bisect 154130 --vm python3.13t --vm python3.14t --time 5s --format json

The VMs take turns. A silent one counts as good only when it would have been silent so long with
a chance of at most 5 % if it failed as often as the one that fails.
Exit codes: 0 no VM fails, 1 one does, 2 usage, 3 a VM is missing, 4 none could run it.")]
pub struct Args {
    /// A finding's folder, OUT/findings/ID, or a known bug such as python/cpython#154130.
    what: String,
    /// VMs, at least two; ordered by version when all are of one family.
    #[arg(long, required = true)]
    vm: Vec<String>,
    /// Most runs on each VM; it stops earlier when everything is decided.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Time limit of one run (10, 10s, 2m).
    #[arg(long, default_value = "10s", value_parser = time::parse)]
    time: Duration,
    /// Known bugs: a catalogue of your own.
    #[arg(long, value_name = "DIR")]
    catalogue: Option<PathBuf>,
    /// How results are printed.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// Bisects.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    signals::install()?;
    if args.vm.len() < 2 {
        eprintln!(
            "threadbare: bisect compares at least two VMs: give --vm once more; `threadbare vms` names what it finds here"
        );
        return Ok(exit::usage());
    }
    let path = Path::new(&args.what);
    let folder = if path.is_dir() {
        path.to_owned()
    } else {
        path.with_file_name("")
    };
    let finding = (path.exists() || !crate::repro::names_a_bug(&args.what))
        .then(|| store::read(path))
        .transpose()?;
    let all = crate::bugs::catalogue(args.catalogue.as_deref())?;
    let bug = match &finding {
        Some(_) => None,
        None => Some(bugs::find(&all, &args.what)?),
    };
    let id = match (&finding, bug) {
        (Some(finding), _) => finding.id.clone(),
        (None, bug) => bug.map(bugs::Bug::id).unwrap_or_default(),
    };
    let vms: Vec<Vm> = args
        .vm
        .iter()
        .map(|spec| Vm::open(spec))
        .collect::<Result<_, _>>()?;
    let names: Vec<_> = vms
        .iter()
        .map(|vm| (vm.spec.clone(), vm.facts.clone()))
        .collect();
    let trial = |at: usize| match (&finding, bug) {
        (Some(finding), _) => bisect::of_script(&vms[at], finding, &script(&folder), args.time),
        (None, Some(bug)) => bisect::of_bug(&vms[at], bug, args.time),
        (None, None) => unreachable!("it is a finding or a bug"),
    };
    let each = |vm: &str, (told, seconds): &Trial| match told {
        Told::Hit => eprintln!("{vm}: hit after {seconds:.1} s"),
        Told::Clean => eprintln!("{vm}: no hit in {seconds:.1} s"),
        Told::Other => eprintln!("{vm}: failed in another way or did not end in time, not counted"),
        Told::Outside(who) => eprintln!("{vm}: ended by {who}, not counted"),
        Told::Unfit(why) => eprintln!("{vm}: not run: {why}"),
        Told::Interrupted => eprintln!("{vm}: interrupted"),
    };
    let result = bisect::bisect(&id, &names, args.rounds, args.time, trial, each)?;
    if args.format == Format::Json {
        println!("{}", bugs::json("bisect", &result));
    } else {
        print!("{}", result.text());
    }
    Ok(if result.interrupted {
        exit::interrupted()
    } else if result.fails() {
        exit::found()
    } else if result.ran() {
        exit::CLEAN
    } else {
        exit::nothing()
    })
}
