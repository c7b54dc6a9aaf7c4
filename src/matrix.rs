//! `threadbare matrix`: protocols × what checks them, and mutants beside the bugs that they are.

use crate::counterexample::counterexample;
use crate::probe::unpaired;
use crate::{Format, exit};
use clap::Args as ClapArgs;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use threadbare_models::report::{self, MatrixRow};
use threadbare_models::{catalogue, facts};
use threadbare_stress::bugs::{self, Bug};
use threadbare_stress::finding::store::write_atomically;
use threadbare_stress::probe::{self, Probe};
use threadbare_stress::report::pair::{self, Pair};

/// Print protocols × properties, mutants by engine, native stress, probes, bugs.
#[derive(ClapArgs, Debug)]
#[command(after_help = "\
Examples:
  threadbare matrix
  threadbare matrix biased                      # the model's counterexamples beside the VMs' crashes
  threadbare matrix --html matrix.html          # all of them as a page
  threadbare matrix --format json | head -1     # one object per protocol, then one per mechanism")]
pub struct Args {
    /// This protocol, with every mutant that is a known bug beside that bug
    pub protocol: Option<String>,
    /// Write the matrix and all such pairs as a page to this file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Output
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// What meets in the matrix.
struct Met {
    bugs: Vec<Bug>,
    probes: Vec<Probe>,
}

impl Met {
    /// Names of the probes that stand for a protocol.
    fn probes(&self, protocol: &str) -> Vec<&str> {
        let of = self.probes.iter().filter(|p| p.stands_for(protocol));
        of.map(|p| p.name.as_str()).collect()
    }

    /// Every protocol's row; those that have shown bugs and are not modelled come last, empty.
    fn rows(&self) -> Vec<MatrixRow> {
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        for bug in self.bugs.iter().filter(|b| !b.protocol.is_empty()) {
            *known.entry(&bug.protocol).or_default() += 1;
        }
        let mut rows = Vec::new();
        for entry in catalogue::all() {
            let bugs = known.remove(entry.name).unwrap_or(0);
            rows.push(report::matrix_row(
                &entry,
                self.probes(entry.name).len(),
                bugs,
            ));
        }
        for (name, bugs) in known {
            rows.push(report::empty_row(name, self.probes(name).len(), bugs));
        }
        rows
    }

    /// Mutants of a protocol that known bugs name, and by how many.
    fn mutants(&self, protocol: &str) -> BTreeMap<&str, usize> {
        let mut named = BTreeMap::new();
        let of = |b: &&Bug| b.protocol == protocol && !b.mutant.is_empty();
        for bug in self.bugs.iter().filter(of) {
            *named.entry(bug.mutant.as_str()).or_default() += 1;
        }
        named
    }

    /// Each of these mutants under a model engine, beside its bugs.
    fn pairs(&self, protocol: &str) -> Vec<Pair<'_>> {
        let mutants = self.mutants(protocol).into_keys();
        mutants
            .filter_map(|mutant| counterexample(protocol, mutant))
            .map(|model| Pair::new(model, &self.bugs))
            .collect()
    }
}

/// Runs the subcommand.
///
/// # Errors
/// Output that cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let met = Met {
        bugs: bugs::shipped(),
        probes: probe::shipped(),
    };
    let mut rows = met.rows();
    if let Some(asked) = &args.protocol {
        rows.retain(|row| row.protocol == *asked);
        if rows.is_empty() {
            eprintln!("threadbare: no protocol '{asked}'; `threadbare matrix` lists them");
            return Ok(exit::usage());
        }
    }
    if let Some(file) = &args.html {
        write_atomically(file, page(&met, &rows).as_bytes())?;
        eprintln!("{}", file.display());
    }
    match args.format {
        Format::Human => human(&met, &rows, args.protocol.is_some()),
        Format::Json => {
            for row in &rows {
                let mut value = serde_json::to_value(row)?;
                value["probe_names"] = met.probes(&row.protocol).into();
                let named = met.mutants(&row.protocol).into_keys().collect::<Vec<_>>();
                value["mutants_that_are_bugs"] = named.into();
                println!("{value}");
            }
            if args.protocol.is_none() {
                for sheet in facts::sheets(&catalogue::all()) {
                    println!("{}", serde_json::to_string(&sheet)?);
                }
            }
        }
    }
    Ok(exit::CLEAN)
}

/// `one`: the rows are of one protocol that was asked for.
fn human(met: &Met, rows: &[MatrixRow], one: bool) {
    let sheets = if one {
        Vec::new()
    } else {
        facts::sheets(&catalogue::all())
    };
    print!("{}", report::matrix(rows, &sheets));
    println!("\nVM probes (`threadbare probe`):");
    for row in rows {
        let name = &row.protocol;
        match met.probes(name).as_slice() {
            [] => println!("  {name:<16} · {}", unpaired(name).unwrap_or("none yet")),
            names => println!("  {name:<16} {}", names.join(" ")),
        }
    }
    println!(
        "\nMutants that are known bugs (`threadbare matrix PROTOCOL` shows both side by side):"
    );
    for row in rows {
        let name = &row.protocol;
        let named: Vec<String> = met
            .mutants(name)
            .into_iter()
            .map(|(mutant, bugs)| format!("{mutant} ({bugs})"))
            .collect();
        match named.as_slice() {
            [] => println!("  {name:<16} ·"),
            named => println!("  {name:<16} {}", named.join(" ")),
        }
    }
    if one {
        for pair in rows.iter().flat_map(|row| met.pairs(&row.protocol)) {
            println!("\n{}", pair.text());
        }
    }
}

fn page(met: &Met, rows: &[MatrixRow]) -> String {
    let cells = |row| report::matrix_cells(row).to_vec();
    let table: Vec<Vec<String>> = rows.iter().map(cells).collect();
    let pairs = rows.iter().flat_map(|row| met.pairs(&row.protocol));
    pair::html(&report::MATRIX_HEAD, &table, &pairs.collect::<Vec<_>>())
}
