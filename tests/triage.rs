//! `findings` and `bisect` as a user meets them: exit codes, messages, marks that stay.

use std::path::Path;
use std::process::Command;
use threadbare_stress::choice::Seeded;
use threadbare_stress::finding::store::{SCRIPT, Store, script};
use threadbare_stress::finding::{Finding, SCHEMA};
use threadbare_stress::scenario::generate::{Limits, generate};
use threadbare_stress::subject::builtin;
use threadbare_stress::verdict::Kind;
use threadbare_stress::verdict::grade::Grade;
use threadbare_stress::vm::Facts;

fn run(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_threadbare"))
        .args(args)
        .output()
        .expect("the program starts");
    let utf8 = |bytes: Vec<u8>| String::from_utf8(bytes).expect("own output is UTF-8");
    (
        output.status.code().unwrap_or(-1),
        utf8(output.stdout),
        utf8(output.stderr),
    )
}

/// An output folder with one finding on CPython of this version.
fn folder(out: &Path, version: &str) -> String {
    let list = builtin::select(&["list".to_owned()]).unwrap().remove(0);
    let limits = Limits { threads: 2, ops: 1 };
    let mut finding = Finding {
        schema: SCHEMA,
        id: String::new(),
        kind: Kind::Crash,
        grade: Grade::Forbidden,
        why: "a test".into(),
        detail: "SIGSEGV".into(),
        subject: list.name.clone(),
        place: Default::default(),
        schedule: None,
        no_schedule: None,
        others: Vec::new(),
        frames: Vec::new(),
        scenario: generate(&list, limits, &mut Seeded::new(5, &[])),
        vm: "python3".into(),
        facts: Facts {
            implementation: "cpython".into(),
            version: version.into(),
            ..Facts::default()
        },
        seed: 1,
        number: 0,
        outcome: None,
        explained: Vec::new(),
        minimised: true,
        script: None,
        seen: 1,
        report: None,
        bytecode: None,
        tuning: None,
    };
    finding.id = finding.make_id();
    let mut store = Store::open(out).unwrap();
    // Stands for a race that the machine's own python3 does not have.
    store.save(&finding, &[(SCRIPT, "pass\n")]).unwrap();
    finding.id
}

#[test]
fn findings_are_listed_shown_and_marked() {
    let out = tempfile::tempdir().unwrap();
    let id = folder(out.path(), "3.13.5");
    let dir = out.path().to_str().unwrap();
    let (code, text, err) = run(&["findings", dir]);
    assert_eq!(code, 1, "{err}");
    assert!(
        text.contains(&id) && text.contains("1 findings in 1 clusters"),
        "{text}"
    );

    let mark = |words: &[&str]| {
        let base = ["findings", "mark", &id[..id.len() - 2]];
        run(&[&base, words, &["--out", dir]].concat())
    };
    assert_eq!(mark(&["known"]).0, 2, "which bug?");
    assert_eq!(mark(&["fixed", "python/cpython#1"]).0, 2, "no bug there");
    let (code, text, err) = mark(&["known", "python/cpython#154130", "--note", "as reported"]);
    assert_eq!(code, 0, "{err}");
    assert!(
        text.contains("known python/cpython#154130 (as reported)"),
        "{text}"
    );
    let (code, text, _) = run(&["findings", "show", &id, "--out", dir]);
    assert_eq!(code, 1);
    for part in [
        "what was run",
        "how often it failed",
        "why it must not",
        "mark: known",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let (_, json, _) = run(&["findings", dir, "--format", "json"]);
    let row: serde_json::Value = serde_json::from_str(json.trim()).unwrap();
    assert_eq!(row["marks"][0]["bug"], "python/cpython#154130");
    assert_eq!(row["severity"], "crash");

    let (code, _, err) = run(&["findings", "show", "nothing", "--out", dir]);
    assert_eq!(code, 2);
    assert!(err.contains("no finding 'nothing'"), "{err}");
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(run(&["findings", empty.path().to_str().unwrap()]).0, 3);
}

#[test]
fn merging_says_which_marks_contradict_each_other() {
    let root = tempfile::tempdir().unwrap();
    let dirs = ["a", "b", "all"].map(|d| root.path().join(d).to_str().unwrap().to_owned());
    for (dir, state) in dirs.iter().zip(["accepted", "fixed"]) {
        let id = folder(Path::new(dir), "3.13.5");
        assert_eq!(
            run(&["findings", "mark", &id, state, "--out", dir]).0,
            0,
            "{state}"
        );
    }
    let merge = || run(&["findings", "merge", &dirs[0], &dirs[1], "--into", &dirs[2]]);
    let (code, text, err) = merge();
    assert_eq!(code, 1, "{text}{err}");
    for part in [
        "1 findings of 2 read, 2 marks",
        "CONFLICT",
        "accepted",
        "fixed",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(merge().1.matches("CONFLICT").count(), 1);
}

#[test]
fn a_finding_is_improved_on_its_own_vm_only() {
    let out = tempfile::tempdir().unwrap();
    let id = folder(out.path(), "3.13.5");
    let path = out.path().join("findings").join(id);
    let before = std::fs::read(path.join("finding.json")).unwrap();
    // The machine's python3 is another version.
    let call = [
        "repro",
        path.to_str().unwrap(),
        "--improve",
        "--vm",
        "python3",
    ];
    let (code, _, err) = run(&call);
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("is a finding on cpython 3.13.5") && err.contains("without --improve"),
        "{err}"
    );
    assert_eq!(std::fs::read(path.join("finding.json")).unwrap(), before);
    assert!(!path.join("repro.py").exists());
}

#[test]
fn bisect_wants_two_vms_and_says_what_it_could_not_run() {
    let out = tempfile::tempdir().unwrap();
    let id = folder(out.path(), "3.13.5");
    let path = out.path().join("findings").join(id);
    let finding = path.to_str().unwrap();
    let (code, _, err) = run(&["bisect", finding, "--vm", "python3"]);
    assert!(code == 2 && err.contains("give --vm once more"), "{err}");
    let (code, _, err) = run(&[
        "bisect",
        "python/cpython#0",
        "--vm",
        "python3",
        "--vm",
        "python3",
    ]);
    assert_eq!(code, 2, "{err}");
    let (code, _, err) = run(&["bisect", finding, "--vm", "python3", "--vm", "no-such-vm"]);
    assert_eq!(code, 3, "{err}");
    let twice = ["bisect", finding, "--vm", "python3", "--vm", "python3"];
    let (code, text, err) = run(&[&twice[..], &["--rounds", "2", "--time", "1s"]].concat());
    assert_eq!(code, 0, "{text}{err}");
    assert!(text.contains("no VM failed"), "{text}");
    std::fs::write(script(&path), "import no_such_module\n").unwrap();
    let (code, text, err) = run(&[&twice[..], &["--rounds", "2", "--time", "1s"]].concat());
    assert_eq!(code, 4, "{text}{err}");
    assert!(text.contains("no VM could run it"), "{text}");
}

/// What cannot be read hides nothing, and is not taken for nothing.
#[test]
fn a_damaged_finding_is_named_and_the_others_are_shown() {
    let out = tempfile::tempdir().unwrap();
    let id = folder(out.path(), "3.13.5");
    let dir = out.path().to_str().unwrap();
    let damaged = out.path().join("findings/damaged");
    std::fs::create_dir(&damaged).unwrap();
    std::fs::write(damaged.join("finding.json"), "{\"schema\":").unwrap();
    let named = |err: &str| err.contains("damaged/finding.json") && err.contains("move its folder");
    let (code, text, err) = run(&["findings", dir]);
    assert_eq!(code, 3, "{err}");
    assert!(text.contains(&id) && named(&err), "{text}{err}");
    let (code, json, _) = run(&["findings", dir, "--format", "json"]);
    let events: Vec<serde_json::Value> = json
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let events: Vec<_> = events
        .iter()
        .map(|e| e["event"].as_str().unwrap())
        .collect();
    assert_eq!((code, events), (3, vec!["finding", "unreadable"]), "{json}");
    let (code, text, err) = run(&["findings", "show", &id, "--out", dir]);
    assert_eq!(code, 1, "{err}");
    assert!(text.contains(&id) && named(&err), "{text}{err}");
    assert_eq!(run(&["findings", "show", "damaged", "--out", dir]).0, 3);
    let into = out.path().join("into");
    let (code, _, err) = run(&["findings", "merge", dir, "--into", into.to_str().unwrap()]);
    assert!(code == 3 && named(&err) && !into.exists(), "{code} {err}");

    // None can be read: that is not none.
    std::fs::remove_dir_all(out.path().join("findings").join(&id)).unwrap();
    let (code, text, _) = run(&["findings", dir]);
    assert_eq!((code, text.as_str()), (3, ""));
}
