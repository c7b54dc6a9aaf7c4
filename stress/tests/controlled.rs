//! Hunts whose schedules are ours: planted faults are found with a schedule that repeats, repaired twins are not
//! blamed, and rare findings of other hunts are handed over.
//!
//! With the `python3` of this machine and the runtime preloaded: its points are the calls of libc, so that threads
//! are switched where the GIL is let go. What instrumented builds show, README's commands measure.

use libtest_mimic::{Arguments, Failed, Trial};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use threadbare_control::bundle::Bundle;
use threadbare_stress::campaign::again::again;
use threadbare_stress::campaign::archive::{self, Saved};
use threadbare_stress::campaign::controlled::{Control, SCHEDULE, shows};
use threadbare_stress::campaign::{HuntError, Options, Report, hunt, process};
use threadbare_stress::controlled::PORTFOLIO;
use threadbare_stress::finding::store::{SCRIPT, Store};
use threadbare_stress::finding::{Finding, Rate};
use threadbare_stress::scenario::generate::Limits;
use threadbare_stress::subject::parse;
use threadbare_stress::verdict::Kind;
use threadbare_stress::vm::Vm;
use threadbare_stress::vm::child::hold;

/// Two steps of which another thread may come between, and the same under a lock.
const LOST_UPDATE: [&str; 2] = [
    "import time\ndef ADD(o):\n    n = o[0]\n    time.sleep(0)\n    o[0] = n + 1\n",
    "import time, _thread\nLOCK = _thread.allocate_lock()\ndef ADD(o):\n    with LOCK:\n        n = o[0]\n        time.sleep(0)\n        o[0] = n + 1\n",
];

/// Two locks taken in either order, and in one.
const LOCK_ORDER: [&str; 2] = [
    "import time, _thread\ndef BOTH(a, b):\n    with a:\n        time.sleep(0)\n        with b:\n            pass\n",
    "import time, _thread\ndef BOTH(a, b):\n    a, b = sorted((a, b), key=id)\n    with a:\n        time.sleep(0)\n        with b:\n            pass\n",
];

fn main() {
    let mut arguments = Arguments::from_args();
    // A process that another trial starts has the lock of a hunt's folder until it runs its own program.
    arguments.test_threads = Some(1);
    let python = python();
    let missing = match python {
        Some(_) => "",
        None => "no python3 on this machine",
    };
    let cache = tempfile::tempdir().expect("a folder");
    // SAFETY: no other thread runs yet.
    unsafe { std::env::set_var("THREADBARE_VM_CACHE", cache.path()) };
    let cache = cache.path().to_owned();
    let trial = |name: &str, test: fn(&Path, &Path) -> Result<(), Failed>| {
        let (python, cache) = (python.clone().unwrap_or_default(), cache.clone());
        Trial::test(name, move || test(&python, &cache))
            .with_kind(missing)
            .with_ignored_flag(!missing.is_empty())
    };
    let trials = vec![
        trial(
            "a lost update is found with its schedule, and not where a lock is held",
            lost_update,
        ),
        trial(
            "locks in either order are found with their schedule, and not in one order",
            lock_order,
        ),
        trial(
            "a VM that does not obey, or other options, are refused",
            refused,
        ),
        trial(
            "a rare finding is handed over, or it is said why not",
            handed_over,
        ),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

/// The interpreter itself, not a wrapper of it.
fn python() -> Option<PathBuf> {
    let asked = Command::new("python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .output();
    let output = asked.ok().filter(|o| o.status.success())?;
    Some(PathBuf::from(
        String::from_utf8_lossy(&output.stdout).trim(),
    ))
}

/// How a Python is started with the runtime, which cargo has put beside this test.
fn preloaded(python: &Path) -> String {
    let test = std::env::current_exe().expect("this test has a path");
    let runtime = test.with_file_name("libthreadbare_control_runtime.so");
    assert!(runtime.exists(), "no {}", runtime.display());
    format!("env LD_PRELOAD={} {}", runtime.display(), python.display())
}

fn subject(name: &str, prelude: &str, make: &str, operations: &str) -> String {
    let last = if make == "[0]" { "o[0]" } else { "0" };
    format!(
        "[[subject]]\nname = \"{name}\"\ndoc = \"planted\"\nprelude = '''\n{prelude}'''\nmake = [\"{make}\"]\nfinal = \"{last}\"\n\
         shapes = \"t\"\natomic = [{operations}]\nsource = \"planted\"\n"
    )
}

fn options(out: &Path, subject: &str, iterations: u64) -> Options {
    Options {
        subjects: parse("planted", subject).expect("it parses"),
        seed: 1,
        // It ends when all is done; the time is only what a busy machine may take.
        time: Some(Duration::from_secs(600)),
        shard: Default::default(),
        iterations: Some(iterations),
        jobs: 1,
        out: out.to_owned(),
        limits: Limits { threads: 2, ops: 1 },
        company: None,
        scenario_ms: 100,
        batch: 4,
        sequential: false,
        only: None,
        keep: 3,
        suppressions: Vec::new(),
        histories: 1 << 20,
        control: Some(Control {
            strategies: PORTFOLIO.to_vec(),
            schedules: 120,
            tso: false,
        }),
        feedback: false,
    }
}

fn hunted(vm: &Vm, options: &Options) -> Result<Report, Failed> {
    let report = hunt(vm, options, &|_| ())?;
    assert!(report.error.is_none(), "{:?}", report.error);
    assert_eq!(report.state.sum(|t| t.unsupported), 0, "{:?}", report.state);
    Ok(report)
}

/// A fault is found as this kind, with a schedule that repeats and shows it; of its twin nothing is told.
fn planted(
    python: &Path,
    kind: Kind,
    name: &str,
    preludes: [&str; 2],
    make: &str,
    operations: &str,
) -> Result<(), Failed> {
    let vm = Vm::open(&preloaded(python))?;
    let [faulty, repaired] = preludes.map(|prelude| subject(name, prelude, make, operations));
    let out = tempfile::tempdir()?;
    let report = hunted(&vm, &options(out.path(), &faulty, 3))?;
    let finding = report.findings.iter().find(|f| f.kind == kind);
    let finding = finding.ok_or(format!("not found: {:#?}", report.findings))?;
    let schedule = finding.schedule.as_ref().ok_or(finding.line())?;
    assert_eq!(schedule.same, schedule.replays, "{}", finding.line());
    assert!(
        finding.line().contains("repeats 10 of 10"),
        "{}",
        finding.line()
    );
    let folder = out.path().join("findings").join(&finding.id);
    let bundle = Bundle::load(&folder.join(SCHEDULE))?;
    let replayed = {
        let _others = hold();
        bundle.replay(3, false)?
    };
    assert_eq!(replayed.same, 3);
    assert!(shows(&vm, finding, &bundle)?);
    let other = Finding {
        kind: Kind::Exception,
        ..finding.clone()
    };
    assert!(!shows(&vm, &other, &bundle)?, "another failure is not it");
    let mut foreign = finding.clone();
    foreign.scenario.make = "[7]".to_owned();
    let refused = shows(&vm, &foreign, &bundle).unwrap_err().to_string();
    assert!(refused.contains("of another scenario"), "{refused}");
    judged_again_alike(out.path())?;
    let steps = std::fs::read_to_string(folder.join("schedule.txt"))?;
    // Where the threads wait by themselves no switch is needed, and none told.
    assert!(
        steps.contains("window") && steps.contains("unlock"),
        "{steps}"
    );
    let out = tempfile::tempdir()?;
    let report = hunted(&vm, &options(out.path(), &repaired, 3))?;
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert!(
        report.state.sum(|t| t.runs) >= 3 * 120,
        "schedules were left out"
    );
    judged_again_alike(out.path())
}

/// What was saved reads the same as what was judged, quiet schedules too.
fn judged_again_alike(out: &Path) -> Result<(), Failed> {
    let files = archive::files(out)?;
    assert!(!files.is_empty());
    for file in files {
        let again = again(&Saved::read(&file)?, &process::judge);
        assert!(again.differences.is_empty(), "{:#?}", again.differences);
    }
    Ok(())
}

fn lost_update(python: &Path, _: &Path) -> Result<(), Failed> {
    let operations = "\"do: ADD(o)\"";
    planted(
        python,
        Kind::Outcome,
        "counter",
        LOST_UPDATE,
        "[0]",
        operations,
    )
}

fn lock_order(python: &Path, _: &Path) -> Result<(), Failed> {
    let operations = "\"do: BOTH(o[0], o[1])\", \"do: BOTH(o[1], o[0])\"";
    let make = "(_thread.allocate_lock(), _thread.allocate_lock())";
    planted(
        python,
        Kind::Deadlock,
        "locks",
        LOCK_ORDER,
        make,
        operations,
    )
}

fn refused(python: &Path, _: &Path) -> Result<(), Failed> {
    let out = tempfile::tempdir()?;
    let text = subject("counter", LOST_UPDATE[1], "[0]", "\"do: ADD(o)\"");
    let options = options(out.path(), &text, 1);
    let plain = Vm::open(&python.display().to_string())?;
    let error = hunt(&plain, &options, &|_| ()).expect_err("nobody controls it");
    assert!(
        error.to_string().contains("is not built for control"),
        "{error}"
    );
    let vm = Vm::open(&preloaded(python))?;
    hunted(&vm, &options)?;
    let other = Options {
        control: None,
        ..options
    };
    let error = hunt(&vm, &other, &|_| ()).expect_err("a hunt with other options");
    assert!(matches!(error, HuntError::Other { .. }), "{error}");
    assert!(
        error.to_string().contains("--control of 120 schedules"),
        "{error}"
    );
    Ok(())
}

fn handed_over(python: &Path, cache: &Path) -> Result<(), Failed> {
    let vm = Vm::open(&preloaded(python))?;
    let found = tempfile::tempdir()?;
    let text = subject("counter", LOST_UPDATE[0], "[0]", "\"do: ADD(o)\"");
    let finding = hunted(&vm, &options(found.path(), &text, 1))?
        .findings
        .remove(0);
    // As a hunt without control keeps it, which found it by chance.
    let plain = Vm::open(&python.display().to_string())?;
    let script = |hits| {
        Some(Rate {
            hits,
            runs: 3,
            limit_seconds: 1.0,
            mean_seconds: 0.5,
        })
    };
    let rare = Finding {
        facts: plain.facts.clone(),
        schedule: None,
        script: script(1),
        ..finding
    };
    let handed = |rare: &Finding| -> Result<Finding, Failed> {
        let out = tempfile::tempdir()?;
        Store::open(out.path())?.save(rare, &[(SCRIPT, "pass\n")])?;
        let options = Options {
            control: None,
            time: Some(Duration::from_secs(60)),
            ..options(out.path(), &text, 0)
        };
        let report = hunt(&plain, &options, &|_| ())?;
        assert!(report.error.is_none(), "{:?}", report.error);
        let finding = report.findings.into_iter().find(|f| f.id == rare.id);
        let finding = finding.ok_or("the finding is gone")?;
        let file = out.path().join("findings").join(&rare.id).join(SCHEDULE);
        assert_eq!(file.exists(), finding.schedule.is_some());
        Ok(finding)
    };
    let none = handed(&rare)?;
    let line = none.line();
    assert!(
        line.contains("under control: skipped: no CPython 3."),
        "{line}"
    );
    assert!(line.contains("ci/vm/cpython-controlled.sh 3."), "{line}");
    let version = plain.facts.version.split_whitespace().next().unwrap_or("");
    let bin = cache.join(format!("cpython-{version}-controlled/bin"));
    std::fs::create_dir_all(&bin)?;
    let program = bin.join("python3.13t");
    // `exec` keeps the process, which the runtime's orders are for.
    std::fs::write(
        &program,
        format!("#!/bin/sh\nexec {} \"$@\"\n", preloaded(python)),
    )?;
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))?;
    let often = Finding {
        script: script(2),
        ..rare.clone()
    };
    let often = handed(&often)?;
    assert_eq!(
        (often.schedule, often.no_schedule),
        (None, None),
        "two of three is not rare"
    );
    let shown = handed(&rare)?;
    let schedule = shown.schedule.as_ref().ok_or(shown.line())?;
    assert_eq!(schedule.same, schedule.replays, "{}", shown.line());
    Ok(())
}
