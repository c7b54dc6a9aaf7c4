//! `threadbare findings`: what hunts found, clustered and marked.

use crate::counterexample::breaks;
use crate::{Format, exit};
use std::path::PathBuf;
use std::process::ExitCode;
use threadbare_models::catalogue;
use threadbare_stress::bugs;
use threadbare_stress::finding::store::StoreError;
use threadbare_stress::report::export::{self, Hunt};
use threadbare_stress::triage::marks::{Marks, State};
use threadbare_stress::triage::promise::Promise;
use threadbare_stress::triage::{self, Entry, known, list, merge, promise};

/// Arguments.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  threadbare findings                                        # of threadbare-out: clusters, worst first
  threadbare findings out-3.13.5 out-3.13.15 --format json   # of several hunts
  threadbare findings show ID                                # what was run, how often it failed, why it must not
  threadbare findings mark ID known python/cpython#154130    # also: accepted, fixed, new
  threadbare findings mark ID fixed --note 'in 3.13.15'      # found again, it is said loudly
  threadbare findings merge out1 out2 --into all             # best reproducers, all marks
  threadbare findings --format sarif > threadbare.sarif      # for code-scanning services; also: junit, github

With --format json one object a line, by its `event`: finding, unreadable (reason).

Exit codes: 0 no finding (mark: done), 1 findings (merge: marks that contradict each other, or a
finding marked fixed that is there), 2 usage, 3 a folder or a finding cannot be read or written: each is
named, and the list shows the others."
)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// Output folders of hunts.
    #[arg(default_value = "threadbare-out")]
    outs: Vec<PathBuf>,
    /// How results are printed.
    #[arg(long, value_enum, default_value = "human")]
    format: Listing,
}

/// Formats of the list.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Listing {
    /// For people.
    Human,
    /// One JSON object a line, each with a `schema` field.
    Json,
    /// SARIF 2.1.0, for code-scanning services.
    Sarif,
    /// JUnit's XML: a suite for each hunt, a test case for each subject.
    Junit,
    /// GitHub's annotations.
    Github,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Decide what a finding is; a later hunt does not forget it.
    Mark {
        /// The finding, or the beginning of its id.
        id: String,
        /// known, accepted, fixed or new.
        #[arg(value_enum)]
        state: Word,
        /// The bug, for `known`: python/cpython#154130.
        #[arg(required_if_eq("state", "known"))]
        bug: Option<String>,
        /// Why.
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
        /// The hunt's output folder.
        #[arg(long, default_value = "threadbare-out")]
        out: PathBuf,
    },
    /// Everything about one finding.
    Show {
        /// The finding, or the beginning of its id.
        id: String,
        /// The hunt's output folder.
        #[arg(long, default_value = "threadbare-out")]
        out: PathBuf,
        /// How results are printed.
        #[arg(long, value_enum, default_value = "human")]
        format: Format,
    },
    /// Several output folders as one: the best reproducer of each finding, and all marks.
    Merge {
        /// Output folders of hunts.
        #[arg(required = true)]
        outs: Vec<PathBuf>,
        /// The folder to merge them into; what it holds takes part.
        #[arg(long)]
        into: PathBuf,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Word {
    New,
    Known,
    Accepted,
    Fixed,
}

/// Lists, shows, marks or merges findings.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.action {
        None => listing(&args.outs, args.format),
        Some(Action::Show { id, out, format }) => show(&id, &out, format),
        Some(Action::Mark {
            id,
            state,
            bug,
            note,
            out,
        }) => mark(&id, state, bug, &note, &out),
        Some(Action::Merge { outs, into }) => merged(&outs, &into),
    }
}

fn listing(outs: &[PathBuf], format: Listing) -> anyhow::Result<ExitCode> {
    let read = outs.iter().map(|out| Hunt::read(out));
    let (hunts, unreadable): (Vec<Hunt>, Vec<Vec<StoreError>>) =
        read.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    let unreadable: Vec<StoreError> = unreadable.into_iter().flatten().collect();
    tell(&unreadable);
    let none = hunts.iter().all(|h| h.entries.is_empty());
    let rows = || {
        let entries: Vec<Entry> = hunts
            .iter()
            .flat_map(|h| h.entries.iter().cloned())
            .collect();
        list::rows(&entries)
    };
    match format {
        // Whether there are findings it is not known then.
        Listing::Human if none && !unreadable.is_empty() => {}
        Listing::Human => print!("{}", list::text(&rows())),
        Listing::Json => {
            for row in rows() {
                println!("{}", bugs::json("finding", &row));
            }
            for error in &unreadable {
                let reason = serde_json::json!({"reason": error.to_string()});
                println!("{}", bugs::json("unreadable", &reason));
            }
        }
        Listing::Sarif => print!("{}", export::sarif(&hunts)),
        Listing::Junit => print!("{}", export::junit(&hunts)),
        Listing::Github => print!("{}", export::annotations(&hunts)),
    }
    Ok(match none {
        _ if !unreadable.is_empty() => exit::environment(),
        true => exit::CLEAN,
        false => exit::found(),
    })
}

/// Says why findings cannot be read: the others are worked on.
pub fn tell(unreadable: &[StoreError]) {
    for error in unreadable {
        eprintln!("threadbare: {error}");
    }
}

/// The finding whose id this is or begins.
fn find(id: &str, out: &std::path::Path) -> Result<Result<Entry, ExitCode>, StoreError> {
    let triage::Loaded {
        mut entries,
        unreadable,
    } = triage::load(out)?;
    tell(&unreadable);
    if let Some(at) = entries.iter().position(|e| e.finding.id == id) {
        return Ok(Ok(entries.swap_remove(at)));
    }
    entries.retain(|e| e.finding.id.starts_with(id));
    Ok(match entries.len() {
        1 => Ok(entries.swap_remove(0)),
        n => {
            let what = if n == 0 {
                "no finding"
            } else {
                "several findings"
            };
            eprintln!(
                "threadbare: {what} '{id}' in {}; `threadbare findings {0}` lists them",
                out.display()
            );
            Err(match n {
                // It may be one of those.
                0 if !unreadable.is_empty() => exit::environment(),
                _ => exit::usage(),
            })
        }
    })
}

fn show(id: &str, out: &std::path::Path, format: Format) -> anyhow::Result<ExitCode> {
    let entry = match find(id, out)? {
        Ok(entry) => entry,
        Err(code) => return Ok(code),
    };
    if format == Format::Json {
        let rows = list::rows(std::slice::from_ref(&entry));
        println!("{}", bugs::json("finding", &rows[0]));
    } else {
        print!("{}", list::show(&entry));
        if let Some(line) = promise::of(&entry.finding, &entry.known).and_then(|p| model(&p)) {
            println!("  {line}");
        }
    }
    Ok(exit::found())
}

/// What the model says of the mutant that a known bug names.
fn model(promise: &Promise) -> Option<String> {
    let protocol = catalogue::find(&promise.protocol).ok()?;
    let mutant = protocol.mutant(&promise.mutant).ok()?;
    let breaks = breaks(&protocol, mutant);
    Some(format!(
        "{} ({}) breaks {breaks}",
        mutant.name, mutant.fault
    ))
}

fn mark(
    id: &str,
    state: Word,
    bug: Option<String>,
    note: &str,
    out: &std::path::Path,
) -> anyhow::Result<ExitCode> {
    let state = match (state, bug) {
        (Word::Known, Some(bug)) => {
            // A bug that the catalogue lacks is as good; a slip in one that it has is told.
            if let Err(error) = bugs::find(known::catalogue(), &bug) {
                eprintln!("note: {error}");
            }
            State::Known(bug)
        }
        (_, Some(_)) => {
            eprintln!("threadbare: only `known` takes a bug");
            return Ok(exit::usage());
        }
        (Word::New, None) => State::New,
        (Word::Fixed, None) => State::Fixed,
        (Word::Accepted | Word::Known, None) => State::Accepted,
    };
    let entry = match find(id, out)? {
        Ok(entry) => entry,
        Err(code) => return Ok(code),
    };
    let mut marks = Marks::change(out)?;
    marks.set(&entry.finding, state, note);
    marks.save()?;
    for mark in marks.of(&entry.finding) {
        println!("{}: {}", entry.finding.id, mark.line());
    }
    Ok(exit::CLEAN)
}

fn merged(outs: &[PathBuf], into: &std::path::Path) -> anyhow::Result<ExitCode> {
    let merged = merge::merge(outs, into)?;
    println!(
        "{}: {} findings of {} read, {} marks",
        into.display(),
        merged.kept,
        merged.read,
        merged.marks
    );
    for group in &merged.conflicts {
        println!("CONFLICT: {} is marked", group[0].id);
        for mark in group {
            println!("  {} (on {})", mark.line(), mark.vm);
        }
        println!(
            "  all are kept; `threadbare findings mark {} … --out {}` decides",
            group[0].id,
            into.display()
        );
    }
    for finding in &merged.fixed_but_found {
        println!(
            "MARKED FIXED, BUT FOUND on {}: {}",
            finding.facts.title(),
            finding.id
        );
    }
    let clean = merged.conflicts.is_empty() && merged.fixed_but_found.is_empty();
    Ok(if clean { exit::CLEAN } else { exit::found() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table from subjects to properties says what the models say.
    #[test]
    fn promises_are_those_of_the_models() {
        for row in promise::ROWS {
            let protocol = catalogue::find(row.protocol).unwrap();
            let mut properties = protocol.properties.iter();
            let property = properties.find(|p| p.id == row.property);
            let property = property.unwrap_or_else(|| panic!("{} {}", row.protocol, row.property));
            assert_eq!(
                property.states, row.states,
                "{} {}",
                row.protocol, row.property
            );
        }
    }

    /// Every protocol and mutant that a known bug names can be shown.
    #[test]
    fn mutants_of_known_bugs_are_in_the_models() {
        for bug in known::catalogue().iter().filter(|b| !b.mutant.is_empty()) {
            let promise = Promise {
                protocol: bug.protocol.clone(),
                property: String::new(),
                states: String::new(),
                mutant: bug.mutant.clone(),
            };
            assert!(model(&promise).is_some(), "{}: {promise:?}", bug.id());
        }
    }
}
