//! A whole Python under control: windows around operations, batches, deadlocks, replays.
//!
//! With the `python3` of this machine, which is not instrumented: the runtime is preloaded and the
//! points are its calls of libc. What instrumented builds show is measured by
//! `ci/vm/cpython-controlled.sh` and the README's commands, not here.

use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use threadbare_control::block::{Points, Strategy, Verdict};
use threadbare_control::launch::{Orders, Program, run};

const SEED: u64 = 1;
const STRATEGIES: [Strategy; 4] = [
    Strategy::Random,
    Strategy::Sticky,
    Strategy::Pct,
    Strategy::Pos,
];

fn main() {
    let arguments = Arguments::from_args();
    let python = python();
    let kind = if python.is_some() {
        ""
    } else {
        "no python3 on this machine"
    };
    let trial = |name: &str, test: fn(&Path) -> Result<(), Failed>| {
        let python = python.clone();
        Trial::test(name, move || {
            test(python.as_deref().unwrap_or(Path::new("")))
        })
        .with_kind(kind)
        .with_ignored_flag(!kind.is_empty())
    };
    let trials = vec![
        trial(
            "windows of list and dict operations end as in some order",
            windows,
        ),
        trial("a batch opens as many windows as were ordered", batches),
        trial(
            "locks in either order are found and replayed, in one order not blamed",
            lock_order,
        ),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

/// The interpreter itself, not a wrapper of it.
fn python() -> Option<PathBuf> {
    let output = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

fn assert_that(holds: bool, otherwise: &str) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

fn program(python: &Path, script: &str, argument: Option<&str>) -> Program {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let test = std::env::current_exe().expect("this test has a path");
    let library = test.with_file_name("libthreadbare_control_runtime.so");
    assert!(library.exists(), "no runtime at {}", library.display());
    let path = |name: &str| root.join(name).display().to_string();
    let mut arguments = vec!["-I".to_owned(), path("harness/control.py"), path(script)];
    arguments.extend(argument.map(str::to_owned));
    Program {
        path: python.to_path_buf(),
        arguments,
        environment: vec![
            ("LD_PRELOAD".into(), library.display().to_string()),
            ("PYTHONDONTWRITEBYTECODE".into(), "1".into()),
        ],
    }
}

fn orders(strategy: Strategy, runs: u32) -> Orders {
    let mut orders = Orders::new(SEED, runs);
    orders.config.whole = false;
    orders.config.strategy = strategy;
    orders.config.points = Points::Sync;
    orders.config.length = 20;
    orders.processor = Some(0);
    orders
}

fn windows(python: &Path) -> Result<(), Failed> {
    for script in ["harness/examples/list.py", "harness/examples/dict.py"] {
        let program = program(python, script, None);
        let mut outcomes = BTreeSet::new();
        for strategy in STRATEGIES {
            let report = run(&program, &orders(strategy, 50))?;
            assert_that(report.runs.len() == 50, "not all runs ran")?;
            for run in &report.runs {
                assert_that(
                    run.verdict == Verdict::Finished && run.windows == 1 && run.threads == 3,
                    &format!("{strategy:?}: {run:?}\n{}\n{}", report.note, report.output),
                )?;
                outcomes.insert(run.outcome);
            }
        }
        // Nothing but whole operations can be exchanged here, and both orders were seen.
        assert_that(
            outcomes.len() == 2,
            &format!("{script}: {} outcomes", outcomes.len()),
        )?;
    }
    Ok(())
}

fn batches(python: &Path) -> Result<(), Failed> {
    let mut orders = orders(Strategy::Random, 3);
    orders.config.batch = 40;
    let report = run(&program(python, "harness/examples/list.py", None), &orders)?;
    for run in &report.runs {
        assert_that(
            run.verdict == Verdict::Finished && run.windows == 40,
            &format!("{run:?}\n{}", report.note),
        )?;
    }
    assert_that(report.runs.len() == 3, "not all runs ran")
}

fn lock_order(python: &Path) -> Result<(), Failed> {
    let repaired = run(
        &program(python, "tests/fixtures/lock-order.py", Some("repaired")),
        &orders(Strategy::Random, 200),
    )?;
    if let Some(blamed) = repaired
        .runs
        .iter()
        .find(|run| run.verdict != Verdict::Finished)
    {
        return Err(format!("{blamed:?}").into());
    }
    assert_that(repaired.runs.len() == 200, "not all runs ran")?;
    let program = program(python, "tests/fixtures/lock-order.py", None);
    let mut orders = orders(Strategy::Random, 200);
    orders.config.stop_after = 1;
    let report = run(&program, &orders)?;
    // Where a Python lock is a semaphore or a futex, nobody owns it: no circle can be told.
    assert_that(
        matches!(report.last.verdict, Verdict::Deadlock | Verdict::LostWakeUp),
        &format!("{:?}\n{}", report.last, report.output),
    )?;
    let replays = run(&program, &orders.replay(&report, 100))?;
    let key = |run: &threadbare_control::block::Run| (run.verdict, run.hash, run.events);
    let same = replays
        .runs
        .iter()
        .filter(|run| key(run) == key(&report.last))
        .count();
    assert_that(
        same == 100,
        &format!("{same} of 100 replays are the same\n{}", replays.note),
    )
}
