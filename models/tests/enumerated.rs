//! Every small program of every protocol through the explorer, as a test of its own.
//!
//! `MODELS_BOUNDS` holds what is explored, by default what fits into every run of the tests;
//! `ci/nightly.sh enumerate` sets a larger one. Its last part is a sample: `4x2~1000@7` are 1000 programs
//! of each set-up, from seed 7.

use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeSet;
use threadbare_models::catalogue::{self, Entry};
use threadbare_models::engine::{self, Budget, Engine};
use threadbare_models::enumerate::{Bound, EVERY_RUN, Which};

/// Executions of one program at most; a program that needs more fails the test.
const EXECUTIONS: u64 = 300_000;

/// As many planted faults of a protocol as show that its small programs find any.
const ENOUGH: usize = 3;

fn enumerated(entry: &Entry, which: Which) -> Result<(), Failed> {
    let budget = Budget { executions: EXECUTIONS, ..Budget::default() };
    let coverage = entry.enumerate(which, None, budget)?;
    println!("{}: {coverage}", entry.name);
    if coverage.is_clean() {
        return Ok(());
    }
    let mut text = coverage.to_string();
    for (name, failure) in coverage.violated.iter().take(20) {
        let violation = &failure.violation;
        text += &format!("\n  {name}: {}: {}", violation.kind.name(), violation.text);
    }
    if let Some((name, failure)) = coverage.violated.first() {
        text += &format!("\n\n{}\n", failure.trace);
        text += &format!("threadbare check {} --engine explorer --scenario '{name}'", entry.name);
    }
    for name in coverage.unfinished.iter().take(20) {
        text += &format!("\n  not explored to the end: {name}");
    }
    Err(text.into())
}

/// What is explored is all that there is: no program twice, each built again from its name, and of
/// every choice of words for threads that are alike, one.
fn complete(entry: &Entry) -> Result<(), Failed> {
    let bound = Bound { threads: 2, operations: 2 };
    let programs = entry.programs(Which { bound, sample: None }, None)?;
    let names: BTreeSet<String> = programs.map(|program| program.name().to_owned()).collect();
    let explored = entry.programs(Which { bound, sample: None }, None)?.count();
    if names.len() != explored {
        return Err(format!("{explored} programs with {} names", names.len()).into());
    }
    for name in &names {
        if *entry.scenario(name)?.name != **name {
            return Err(format!("{name} is built as another program").into());
        }
    }
    // Larger bounds have all programs of the smaller ones.
    let smaller = Bound { threads: 2, operations: 1 };
    for program in entry.programs(Which { bound: smaller, sample: None }, None)? {
        if !names.contains(program.name()) {
            return Err(format!("{bound} has no program {}", program.name()).into());
        }
    }
    // A sample is the same again by its seed, and another by another.
    let sample = |seed| -> Result<Vec<String>, Failed> {
        let which = Which { bound, sample: Some((20, seed)) };
        Ok(entry.programs(which, None)?.map(|program| program.name().to_owned()).collect())
    };
    if sample(1)? != sample(1)? || sample(1)? == sample(2)? {
        return Err("a sample does not follow its seed".into());
    }
    Ok(())
}

/// Small programs show faults: of these planted ones, each by some program of the bound. Program by
/// program, with every fault not yet found, so that one which no program shows costs little.
fn finds(entry: &Entry) -> Result<(), Failed> {
    let budget = Budget { executions: EXECUTIONS, ..Budget::default() };
    let which = Which { bound: Bound { threads: 2, operations: 2 }, sample: None };
    let mut left: Vec<_> = Vec::new();
    for mutant in &entry.mutants {
        left.push((mutant.name, entry.programs(which, Some(mutant.name))?));
    }
    let mut found = 0;
    while found < ENOUGH && !left.is_empty() {
        let mut next = Vec::new();
        for (mutant, mut programs) in left {
            // One program each: of a fault that this shows, no further ones.
            let Some(program) = programs.next() else { continue };
            let name = program.name().to_owned();
            match engine::check(Engine::Explorer, program, budget).failure() {
                None => next.push((mutant, programs)),
                Some(failure) => {
                    let kind = failure.violation.kind.name();
                    println!("{} {mutant}: {name}: {kind}", entry.name);
                    found += 1;
                }
            }
        }
        left = next;
    }
    println!("{}: {found} of {} mutants", entry.name, entry.mutants.len());
    if found == 0 { Err("no planted fault is found".into()) } else { Ok(()) }
}

fn main() {
    let arguments = Arguments::from_args();
    let bounds = std::env::var("MODELS_BOUNDS")
        .unwrap_or_else(|_| EVERY_RUN.map(|bound| bound.to_string()).join(" "));
    let mut trials = Vec::new();
    for text in bounds.split_whitespace() {
        let which: Which = text.parse().expect(text);
        // Those of most programs, which take longest, first: what begins last runs beside nothing.
        let programs = |entry: &Entry| entry.programs(which, None).map_or(0, Iterator::count);
        let mut entries = catalogue::all();
        entries.sort_by_cached_key(|entry| std::cmp::Reverse(programs(entry)));
        for entry in entries {
            let line = format!("{}::{text}", entry.name);
            trials.push(Trial::test(line, move || enumerated(&entry, which)));
        }
    }
    for entry in catalogue::all() {
        let e = entry.clone();
        trials.push(Trial::test(format!("{}::complete", entry.name), move || complete(&e)));
        trials.push(Trial::test(format!("{}::finds", entry.name), move || finds(&entry)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}
