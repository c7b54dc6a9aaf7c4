//! `threadbare control` and `threadbare replay` of a schedule: what they refuse, and by which exit code.
//!
//! What they find needs a VM that is built for control, which takes minutes: `ci/control-bugs.sh` does that. That
//! schedules are found, minimised and replayed is tested on programs, in stress/control.

use std::path::Path;
use std::process::Command;

/// Exit code and stderr.
fn run(folder: &Path, args: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_threadbare"))
        .args(args)
        .current_dir(folder)
        .output()
        .expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout) + &text(&output.stderr);
    (output.status.code().unwrap_or(-1), said)
}

#[test]
fn a_vm_that_does_not_obey_is_named_with_the_next_step() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, said) = run(folder.path(), &["control", "154130", "--vm", "python3"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("python3 is not built for control"), "{said}");
    assert!(said.contains("ci/vm/cpython-controlled.sh"), "{said}");
    let (code, said) = run(
        folder.path(),
        &["control", "154130", "--vm", "no-such-python"],
    );
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("no-such-python"), "{said}");
}

#[test]
fn what_is_no_bug_or_no_schedule_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, said) = run(folder.path(), &["control", "15413", "--vm", "python3"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("no bug '15413'"), "{said}");
    let (code, said) = run(folder.path(), &["control", "154130"]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("--vm"), "{said}");
    std::fs::write(folder.path().join("schedule.json"), "{}").expect("written");
    let (code, said) = run(folder.path(), &["replay", "schedule.json"]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("is no replay bundle"), "{said}");
    let (code, said) = run(folder.path(), &["replay", "nothing-here"]);
    assert_eq!(code, 2, "{said}");
}

#[test]
fn a_bug_of_another_vm_is_nothing_to_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = Command::new(env!("CARGO_BIN_EXE_threadbare"))
        .args(["bugs", "--format", "json"])
        .output()
        .expect("the program starts");
    let all = String::from_utf8_lossy(&all.stdout).into_owned();
    let other = all
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let other = other
        .filter(|bug: &serde_json::Value| bug["vm"] == "rustpython")
        .find_map(|bug| bug["id"].as_str().map(str::to_owned))
        .expect("a bug of RustPython");
    let (code, said) = run(folder.path(), &["control", &other, "--vm", "python3"]);
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("is a bug of rustpython"), "{said}");
}
