//! Every test of the catalogue on every engine, each as its own line:
//! `cargo test --release -p threadbare-litmus --test catalogue IRIW`.
//!
//! On hardware an outcome that the machine's model forbids is a failure and
//! nothing else is: absence proves nothing. The hardware lines run few times
//! here; `threadbare litmus --engine hardware` runs long.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use threadbare_litmus::Model;
use threadbare_litmus::catalogue::{self, Entry};
use threadbare_litmus::hardware;
use threadbare_litmus::lang::reference::{Machine, outcomes};
use threadbare_litmus::lang::{Code, Coverage, Engine, Limits, Verdict, judge, run};

/// More machine states than any test of the catalogue has.
const MANY: usize = 2_000_000;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // The hardware lines want the cores for themselves as far as possible.
    arguments.test_threads.get_or_insert(2);
    let mut trials = vec![
        Trial::test("the list names every file, once", the_list_is_complete),
        Trial::test("published verdicts", published_verdicts),
        Trial::test("loom counts as recorded", loom_counts),
    ];
    for entry in catalogue::all() {
        for engine in Engine::ALL {
            let name = format!("{}::{}", entry.name, engine.name());
            trials.push(Trial::test(name, move || on_engine(entry, engine)));
        }
        trials.push(Trial::test(
            format!("{}::machines", entry.name),
            move || on_machines(entry),
        ));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn limits(code: &Code, engine: Engine) -> Limits {
    // Up to two threads loom is exhaustive in no time; beyond, two preemptions
    // still show every outcome of these tests, and all of them takes minutes.
    let preemptions = (engine == Engine::Loom && code.threads.len() > 2).then_some(2);
    Limits {
        preemptions,
        schedules: 3_000,
        ..Limits::default()
    }
}

fn on_engine(entry: &Entry, engine: Engine) -> Result<(), Failed> {
    let test = entry.test();
    let code = test.lower();
    if engine == Engine::Hardware {
        return on_hardware(&code);
    }
    let judged = judge(&test, engine, &limits(&code, engine))?;
    let expectation = judged
        .expectation
        .clone()
        .ok_or("the test expects nothing of this engine")?;
    let verdict = &judged.verdict;
    if verdict.states.is_empty() && verdict.race.is_none() {
        return Err("no outcome at all: that is a failure of the engine, never a verdict".into());
    }
    match judged.is_finding() {
        false => Ok(()),
        true => Err(format!("expected {}, got\n{verdict}", expectation.expected).into()),
    }
}

fn on_hardware(code: &Code) -> Result<(), Failed> {
    let mut options = hardware::Options::new(20_000, 1);
    options.max_time = Duration::from_millis(100);
    let observation = hardware::run(code, &options)?;
    if observation.states.is_empty() {
        return Err("no outcome at all".into());
    }
    if !cfg!(any(target_arch = "x86_64", target_arch = "x86")) {
        return Ok(());
    }
    let allowed = outcomes(code, Machine::StoreBuffers, MANY).ok_or("too many states")?;
    match observation
        .states
        .keys()
        .find(|outcome| !allowed.contains(*outcome))
    {
        None => Ok(()),
        Some(outcome) => {
            let verdict = Verdict::new(code, &observation);
            Err(format!(
                "{} is forbidden under TSO\n{verdict}",
                verdict.state(outcome)
            )
            .into())
        }
    }
}

/// The explorer under SC and TSO against machines that know nothing of graphs:
/// exactly the same outcomes; and SC ⊆ TSO ⊆ RC11. Racing executions have no
/// outcome, so for racy tests the explorer may show less.
fn on_machines(entry: &Entry) -> Result<(), Failed> {
    let code = entry.test().lower();
    let explored = |model| -> Result<(BTreeSet<Vec<i64>>, bool), Failed> {
        let observation = run(&code, Engine::Explorer(model), &Limits::default())?;
        Ok((
            observation.states.into_keys().collect(),
            observation.race.is_some(),
        ))
    };
    let machine = |machine| outcomes(&code, machine, MANY).ok_or("too many states");
    let (sc, tso) = (
        machine(Machine::Interleaving)?,
        machine(Machine::StoreBuffers)?,
    );
    for (model, expected) in [(Model::Sc, &sc), (Model::Tso, &tso)] {
        let (seen, race) = explored(model)?;
        if !seen.is_subset(expected) || !race && seen != *expected {
            return Err(format!("{model:?}: explorer {seen:?}\nmachine {expected:?}").into());
        }
    }
    let (rc11, race) = explored(Model::Rc11)?;
    if !sc.is_subset(&tso) || !race && !tso.is_subset(&rc11) {
        return Err(format!("not SC ⊆ TSO ⊆ RC11:\n{sc:?}\n{tso:?}\n{rc11:?}").into());
    }
    Ok(())
}

fn the_list_is_complete() -> Result<(), Failed> {
    let mut listed: Vec<String> = catalogue::all()
        .iter()
        .map(|e| format!("{}.litmus", e.name))
        .collect();
    listed.sort();
    let mut files: Vec<String> =
        std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/catalogue/tests"))?
            .map(|file| Ok(file?.file_name().to_string_lossy().into_owned()))
            .collect::<std::io::Result<_>>()?;
    files.sort();
    if listed != files {
        return Err(format!("listed {listed:?}\nfiles {files:?}").into());
    }
    for entry in catalogue::all() {
        let test = entry.test();
        if test.name != entry.name || test.doc.is_none() || test.info("Family").is_none() {
            return Err(
                format!("{}: name, text or family is missing or differs", entry.name).into(),
            );
        }
    }
    Ok(())
}

/// The verdicts of herd 7.58 with rc11.cat, and of the literature, written
/// down here a second time so that no edit of a file can move them.
fn published_verdicts() -> Result<(), Failed> {
    let table = [
        ("SB+rlx", "Sometimes"),
        ("SB+rel-acq", "Sometimes"),
        ("SB+sc", "Never"),
        ("SB+fences-sc", "Never"),
        ("MP+rlx", "Sometimes"),
        ("MP+rel-acq", "Never"),
        ("MP+sc", "Never"),
        ("LB+rlx", "Never"),
        ("LB+acq-rel", "Never"),
        ("IRIW+rlx", "Sometimes"),
        ("IRIW+rel-acq", "Sometimes"),
        ("IRIW+sc", "Never"),
        ("IRIW+fences-sc", "Never"),
        ("CoRR+2w", "Never"),
        ("2+2W+rlx", "Sometimes"),
        ("2+2W+rel", "Sometimes"),
        ("2+2W+sc", "Never"),
        ("R+rlx", "Sometimes"),
        ("R+rel-acq", "Sometimes"),
        ("R+sc", "Never"),
        ("S+rlx", "Sometimes"),
        ("S+rel-acq", "Never"),
        ("S+sc", "Never"),
        ("Z6.U", "Sometimes"),
    ];
    let states = [
        ("SB+rlx", 4),
        ("SB+sc", 3),
        ("MP+rlx", 4),
        ("MP+rel-acq", 3),
        ("LB+rlx", 3),
        ("IRIW+rlx", 16),
        ("IRIW+sc", 15),
        ("CoRR+2w", 7),
    ];
    let verdict = |name: &str| -> Result<Verdict, Failed> {
        let entry = catalogue::find(name).ok_or_else(|| format!("no test {name}"))?;
        let code = entry.test().lower();
        Ok(Verdict::new(
            &code,
            &run(&code, "rc11".parse()?, &Limits::default())?,
        ))
    };
    for (name, expected) in table {
        let verdict = verdict(name)?;
        if verdict.frequency.to_string() != expected {
            return Err(format!("{name}: published {expected}, got\n{verdict}").into());
        }
    }
    for (name, expected) in states {
        let verdict = verdict(name)?;
        if verdict.states.len() != expected {
            return Err(format!("{name}: published {expected} states, got\n{verdict}").into());
        }
    }
    Ok(())
}

/// The programs are loom's own: the counts recorded for it come out again.
fn loom_counts() -> Result<(), Failed> {
    for (name, expected) in [("SB+rlx", 60), ("MP+rlx", 57), ("LB+rlx", 33)] {
        let code = catalogue::find(name).ok_or("no such test")?.test().lower();
        let observation = run(&code, Engine::Loom, &Limits::default())?;
        let executions: u64 = observation.states.values().sum();
        if observation.coverage != Coverage::Exhaustive || executions != expected {
            return Err(
                format!("{name}: {executions} executions of loom, recorded {expected}").into(),
            );
        }
    }
    Ok(())
}
