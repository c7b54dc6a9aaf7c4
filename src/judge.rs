//! `threadbare judge`: a saved hunt judged again, without any VM.

use crate::{Format, exit};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use threadbare_stress::campaign::again::{Again, Difference, again};
use threadbare_stress::campaign::archive::{self, Recorded, Saved};
use threadbare_stress::campaign::process;
use threadbare_stress::campaign::state::State;
use threadbare_stress::finding::store::StoreError;

/// Arguments.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  threadbare judge                        # what would this program say of the hunt in threadbare-out?
  threadbare judge out-3.13.5 --format json

With --format json one object a line, by its `event`: differs (file, subject, number, was and now: the
scenario's position, grade and verdict), unreadable (file, reason), summary (processes, scenarios, same,
changed, new, gone, unreadable, missing, dropped). A saved process, OUT/histories/*.json.gz, is one object: schema,
facts (the VM), seed, numbers, scenarios, outcome (end, stdout, stderr), verdicts. Files of schema 1 are read
too, unless they say (complete) that a scenario was run in some of its orders only.

Exit codes: 0 the verdicts are those of the hunt, 1 some differ, 3 a file is damaged or of a hunt of another VM, seed or shard (named) or
missing (its number is a gap that the hunt did not make; nothing tells of one after the last); the others are judged, 4 no process is saved.")]
pub struct Args {
    /// A hunt's output folder.
    #[arg(default_value = "threadbare-out")]
    out: PathBuf,
    /// How results are printed.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// What all files came to.
#[derive(Default)]
struct Sums {
    processes: usize,
    scenarios: usize,
    same: usize,
    changed: usize,
    new: usize,
    gone: usize,
    unreadable: usize,
    missing: u64,
    dropped: u64,
}

impl Sums {
    fn differing(&self) -> usize {
        self.changed + self.new + self.gone
    }

    fn add(&mut self, saved: &Saved, again: &Again) {
        self.processes += 1;
        self.scenarios += saved.scenarios.len();
        self.same += again.same;
        for difference in &again.differences {
            match (&difference.was, &difference.now) {
                (Some(_), Some(_)) => self.changed += 1,
                (None, _) => self.new += 1,
                (_, None) => self.gone += 1,
            }
        }
    }
}

/// Judges OUT again.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let files = archive::files(&args.out)?;
    // A hunt that was killed before its first process ended has no state yet, and nobody knows what it dropped.
    let state = State::find(&args.out)?;
    let of = |count: fn(&State) -> u64| state.as_ref().map_or(0, count);
    let (dropped, saved) = (of(|s| s.dropped_histories), of(|s| s.saved_histories));
    let mut sums = Sums {
        dropped,
        missing: archive::gone(&files, dropped, saved),
        ..Sums::default()
    };
    if sums.missing > 0 {
        let why = match &state {
            Some(_) => format!("it saved more than are there, and dropped {dropped} only"),
            None => "their numbers are gaps, and hunt.json, which says how many it dropped, is missing too"
                .to_owned(),
        };
        eprintln!(
            "threadbare: {} of the hunt's processes are missing in {}: {why}; what is there is judged, and a new hunt \
             saves all",
            sums.missing,
            args.out.join("histories").display(),
        );
    }
    for file in &files {
        let saved = Saved::read(file).and_then(|saved| match &state {
            Some(hunt) if !saved.is_of(hunt) => Err(StoreError::Read {
                path: file.clone(),
                reason: format!(
                    "a process of another hunt ({}, seed {}, scenarios {:?}; this one is of {}, seed {}, shard {}); move \
                     it to its own",
                    saved.facts.title(),
                    saved.seed,
                    saved.numbers,
                    hunt.vm,
                    hunt.seed,
                    hunt.shard
                ),
            }),
            _ => Ok(saved),
        });
        match saved {
            Ok(saved) => {
                let again = again(&saved, &process::judge);
                for difference in &again.differences {
                    told(file, &saved, difference, args.format);
                }
                sums.add(&saved, &again);
            }
            Err(error) => {
                sums.unreadable += 1;
                unreadable(file, &error, args.format);
            }
        }
    }
    summary(&sums, args.format);
    Ok(if sums.differing() > 0 {
        exit::found()
    } else if sums.unreadable + sums.missing as usize > 0 {
        exit::environment()
    } else if sums.processes == 0 {
        eprintln!("threadbare: no process of a hunt is saved there");
        exit::nothing()
    } else {
        exit::CLEAN
    })
}

fn told(file: &Path, saved: &Saved, difference: &Difference, format: Format) {
    let at = difference.scenario;
    let number = saved.numbers.get(at);
    let scenario = saved.scenarios.get(at);
    let subject = scenario.map_or("", |s| s.context.subject.as_str());
    if format == Format::Json {
        println!(
            "{}",
            serde_json::json!({
                "schema": 1, "event": "differs", "file": file, "subject": subject, "number": number,
                "was": difference.was, "now": difference.now,
            })
        );
        return;
    }
    let number = number.map_or("?".to_owned(), usize::to_string);
    let line = |one: &Option<Recorded>| one.as_ref().map_or("none".to_owned(), Recorded::line);
    println!("{subject} #{number} ({})", file.display());
    if let Some(scenario) = scenario {
        println!("  {scenario}");
    }
    println!("  was  {}", line(&difference.was));
    println!("  now  {}", line(&difference.now));
}

fn unreadable(file: &Path, error: &StoreError, format: Format) {
    eprintln!("threadbare: {error}");
    if format == Format::Json {
        println!(
            "{}",
            serde_json::json!({"schema": 1, "event": "unreadable", "file": file, "reason": error.to_string()})
        );
    }
}

fn summary(sums: &Sums, format: Format) {
    if format == Format::Json {
        println!(
            "{}",
            serde_json::json!({
                "schema": 1, "event": "summary", "processes": sums.processes, "scenarios": sums.scenarios, "same": sums.same,
                "changed": sums.changed, "new": sums.new, "gone": sums.gone, "unreadable": sums.unreadable,
                "missing": sums.missing, "dropped": sums.dropped,
            })
        );
        return;
    }
    let dropped = match sums.dropped {
        0 => String::new(),
        n => format!("; {n} more processes were not kept"),
    };
    let unreadable = match sums.unreadable {
        0 => String::new(),
        n => format!("; {n} files cannot be read"),
    };
    println!(
        "judged again: {} processes, {} scenarios; {} verdicts are the same, {} differ ({} changed, {} new, {} gone){unreadable}{dropped}",
        sums.processes,
        sums.scenarios,
        sums.same,
        sums.differing(),
        sums.changed,
        sums.new,
        sums.gone
    );
}
