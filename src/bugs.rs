//! `threadbare bugs`: the known bugs, where they were measured, and what raw output shows.

mod print;

use crate::{Format, exit};
use anyhow::Context;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use threadbare_stress::bugs::attribute::{Attribution, Index};
use threadbare_stress::bugs::matrix::Matrix;
use threadbare_stress::bugs::{self, Bug, BugsError, Status, status};
use threadbare_stress::finding::store::write_atomically;
use threadbare_stress::vm::Vm;

/// Arguments.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  threadbare bugs --vm 'cpython 3.13.5' --status reproduced   # what that version is known to have
  threadbare bugs --category dict                             # by part of the VM
  threadbare bugs python/cpython#154130                       # one bug with its program
  threadbare bugs --matrix --html bugs.html                   # bugs × VMs as measured
  threadbare bugs --table                                     # counts by VM, as README holds them
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
    /// Show the counts by VM as a table in Markdown, as README holds it.
    #[arg(long, conflicts_with = "matrix")]
    table: bool,
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
        let names = status::ALL.map(Status::name).join(", ");
        format!("'{text}' is none of {names}")
    })
}

/// The catalogue: the user's or the one in the program.
pub fn catalogue(dir: Option<&Path>) -> Result<Vec<Bug>, BugsError> {
    dir.map_or_else(|| Ok(bugs::shipped()), bugs::load)
}

/// Lists bugs.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let all = catalogue(args.catalogue.as_deref())?;
    if let Some(file) = &args.attribute {
        return attribute(&all, file, args.format);
    }
    if let Some(asked) = &args.bug {
        print::show(bugs::find(&all, asked)?, args.format);
        return Ok(exit::CLEAN);
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
    if args.table && args.format == Format::Human {
        print!("{}", matrix.markdown());
        return Ok(exit::CLEAN);
    }
    match (
        args.table || args.matrix || args.html.is_some(),
        args.format,
    ) {
        (true, Format::Human) => print!("{}", matrix.text()),
        (true, Format::Json) => println!("{}", bugs::json("matrix", &matrix)),
        (false, _) => print::list(&chosen, &matrix, args.vm.as_deref(), args.format),
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
        return Some(exit::usage());
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
        let title = open.facts.title();
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
    Some(exit::usage())
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

/// Says which bug raw output shows.
fn attribute(all: &[Bug], file: &Path, format: Format) -> anyhow::Result<ExitCode> {
    let mut raw = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_end(&mut raw)?;
    } else {
        raw = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    }
    let found = Index::new(all).attribute(&String::from_utf8_lossy(&raw));
    print::attribution(all, &found, format);
    Ok(match found {
        Attribution::Unknown => exit::CLEAN,
        _ => exit::found(),
    })
}
