//! Containment: scripts that pose as a Python VM and misbehave while they run scenarios.
//!
//! Each must give the right verdict or an error that names the cause, leave no process
//! behind, and leave every earlier finding as it was.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use threadbare_stress::campaign::{Options, Report, hunt};
use threadbare_stress::finding::Finding;
use threadbare_stress::finding::store::{SCRIPT, Store};
use threadbare_stress::scenario::generate::{self, Limits};
use threadbare_stress::subject::builtin;
use threadbare_stress::verdict::{self, Kind};
use threadbare_stress::vm::child::{self, End};
use threadbare_stress::vm::{Facts, Vm, VmError, job};

/// The command of a fixture.
fn fixture(command: &str) -> String {
    format!("{}/tests/fixtures/{command}", env!("CARGO_MANIFEST_DIR"))
}

/// A finding of an earlier hunt on another VM.
fn earlier() -> Finding {
    let list = builtin::select(&["list".to_owned()]).unwrap().remove(0);
    let mut finding = Finding {
        schema: threadbare_stress::finding::SCHEMA,
        id: String::new(),
        kind: Kind::Outcome,
        grade: verdict::grade::Grade::Forbidden,
        why: "a test".into(),
        detail: "seen before".into(),
        subject: list.name.clone(),
        place: Default::default(),
        schedule: None,
        no_schedule: None,
        others: Vec::new(),
        frames: Vec::new(),
        scenario: generate::nth(&list, 1, 0, Limits::default()),
        vm: "elsewhere".into(),
        facts: Facts {
            implementation: "earlier".into(),
            version: "1.0".into(),
            ..Facts::default()
        },
        seed: 1,
        number: 0,
        outcome: None,
        explained: Vec::new(),
        minimised: true,
        script: None,
        seen: 3,
        tuning: None,
        report: None,
        bytecode: None,
    };
    finding.id = finding.make_id();
    finding
}

/// All files below a folder with their bytes.
fn files(dir: &Path) -> BTreeSet<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    entries
        .flat_map(|p| {
            if p.is_dir() {
                files(&p)
            } else {
                [(p.clone(), std::fs::read(&p).unwrap())].into()
            }
        })
        .collect()
}

/// Hunts two scenarios on a fixture, beside an earlier finding that must stay as it is.
fn hunted(command: &str) -> Report {
    let out = tempfile::tempdir().unwrap();
    let before = earlier();
    let mut store = Store::open(out.path()).unwrap();
    store
        .save(&before, &[(SCRIPT, "print('earlier')\n")])
        .unwrap();
    let folder = store.folder(&before.id);
    let saved = files(&folder);
    let vm = Vm::open(&fixture(command)).unwrap();
    let options = Options {
        subjects: builtin::select(&["list".to_owned()]).unwrap(),
        seed: 1,
        // Nothing depends on it but the end of minimising.
        time: Some(Duration::from_secs(6)),
        shard: Default::default(),
        iterations: Some(2),
        jobs: 1,
        out: out.path().to_owned(),
        limits: Limits::default(),
        company: Some(Vec::new()),
        scenario_ms: 10,
        batch: 2,
        sequential: false,
        only: None,
        keep: 3,
        suppressions: Vec::new(),
        histories: 0,
        control: None,
        feedback: false,
    };
    let mut report = hunt(&vm, &options, &|_| ()).unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    assert_eq!(files(&folder), saved, "the earlier finding changed");
    let again = Store::open(out.path()).unwrap();
    assert!(again.findings().iter().any(|f| f.id == before.id));
    report.findings.retain(|f| f.id != before.id);
    report
}

/// Asserts that every finding is of this kind, that there is one, and what it says.
fn only(command: &str, kind: Kind, says: &str) {
    let findings = hunted(command).findings;
    assert!(!findings.is_empty(), "{command}: nothing found");
    for finding in findings {
        assert_eq!(finding.kind, kind, "{command}: {}", finding.line());
        assert!(
            finding.detail.contains(says),
            "{command}: {}",
            finding.detail
        );
    }
}

#[test]
fn a_spinning_vm_hangs() {
    only("hang.sh", Kind::Hang, "1 threads running");
}

#[test]
fn a_vm_whose_threads_all_sleep_is_deadlocked() {
    only("asleep.sh", Kind::Deadlock, "0 threads running");
}

#[test]
fn a_flood_is_stopped_and_little_of_it_kept() {
    let report = hunted("flood.sh");
    assert!(!report.findings.is_empty());
    assert!(report.findings.iter().all(|f| f.kind == Kind::Flood));
}

#[test]
fn a_segmentation_fault_is_a_crash() {
    only("die.sh SEGV", Kind::Crash, "SIGSEGV");
}

#[test]
fn an_abort_is_a_crash() {
    only("die.sh ABRT", Kind::Crash, "SIGABRT");
}

#[test]
fn a_kill_came_from_outside() {
    let report = hunted("die.sh KILL");
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let outside = &report.state.outside;
    let killed = |(who, n): (&String, &u64)| who.starts_with("SIGKILL from outside") && *n > 0;
    assert!(outside.iter().any(killed), "{outside:?}");
}

#[test]
fn half_a_result_is_no_result() {
    only("half.sh", Kind::Exit, "exit code 0");
}

/// Processes whose command line holds this text.
fn alive(mark: &str) -> Vec<String> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|p| std::fs::read_to_string(p.path().join("cmdline")).ok())
        .filter(|line| line.contains(mark))
        .collect()
}

#[test]
fn grandchildren_do_not_outlive_the_job() {
    let mark = format!("{}7", std::process::id());
    let report = hunted(&format!("grandchildren.sh {mark}"));
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert_eq!(report.state.sum(|t| t.scenarios), 2);
    assert_eq!(alive(&format!("86400.{mark}")), Vec::<String>::new());
}

/// A child that dies with the test, also a failing one: an orphan would hold the runner's pipe open.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_search_for_orphans_finds_one() {
    let mark = format!("86400.{}8", std::process::id());
    let mut sleep = std::process::Command::new("sleep");
    sleep.arg(&mark).stdout(std::process::Stdio::null());
    let child = Killed(sleep.spawn().unwrap());
    // `spawn` returns while the new program is still being loaded and has no command line yet.
    for _ in 0..1000 {
        if !alive(&mark).is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(alive(&mark).len(), 1);
    drop(child);
    assert_eq!(alive(&mark), Vec::<String>::new());
}

#[test]
fn memory_is_bounded() {
    let vm = Vm::open(&fixture("memory.sh")).unwrap();
    let limits = child::Limits {
        memory: 256 << 20,
        ..child::Limits::default()
    };
    let log = job::run(&vm, "{'mode': 'run'}", limits).unwrap();
    assert_eq!(log.end(), End::Memory);
    assert_eq!(verdict::of_process(&log).unwrap().kind, Kind::Memory);
    assert_eq!(log.histories.len(), 1, "what was printed before is kept");
}

#[test]
fn output_is_bounded() {
    let mut yes = std::process::Command::new("yes");
    let outcome = child::run(&mut yes, child::Limits::default()).unwrap();
    assert_eq!(outcome.end, End::Flood);
    assert!(outcome.stdout.len() <= 1 << 20);
}

#[test]
fn what_is_no_vm_is_refused_with_the_cause() {
    let refused = |command: &str| Vm::open(&fixture(command)).unwrap_err();
    let error = refused("not-executable.sh");
    assert!(matches!(error, VmError::NotFound { .. }));
    assert!(error.to_string().contains("not executable"), "{error}");
    let error = refused("wrong-language.sh");
    assert!(matches!(error, VmError::NotPython { .. }));
    assert!(error.to_string().contains("exited with code 2"), "{error}");
    let error = refused("no-such-file.sh");
    assert!(error.to_string().contains("does not exist"), "{error}");
    let error = refused("README.md");
    assert!(error.to_string().contains("not executable"), "{error}");
}
