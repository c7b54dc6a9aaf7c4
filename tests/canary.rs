//! The canary: where a race that must show is not found, a hunt fails, whatever else it found.

use std::process::Command;

#[test]
fn a_vm_on_which_the_canary_cannot_be_lost_gives_5_and_the_reason() {
    let out = tempfile::tempdir().unwrap();
    let vm = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/stress/tests/fixtures/claims-no-gil.sh"
    );
    let output = Command::new(env!("CARGO_BIN_EXE_threadbare"))
        .args(["hunt", "--vm", vm, "--subject", "list", "--iterations", "2"])
        .args(["--time", "30s", "--format", "json", "--out"])
        .arg(out.path())
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{stdout}\n{stderr}");
    assert!(
        stderr.contains("the canary was not found") && stderr.contains("none was seen to get lost"),
        "{stderr}"
    );
    let events: Vec<serde_json::Value> = stdout
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let event = |name: &str| events.iter().find(|e| e["event"] == name);
    let canary = event("canary").expect("an event");
    assert!(canary["found"].is_null() && canary["runs"].as_u64() > Some(0));
    assert!(canary["reason"].as_str().unwrap().contains("get lost"));
    // The hunt itself went on, and the canary is none of its subjects and findings.
    let summary = event("summary").expect("an event");
    assert!(summary["scenarios"].as_u64() >= Some(2), "{summary}");
    assert!(summary["subjects"]["canary"].is_null(), "{summary}");
    assert!(out.path().join("canary/hunt.json").is_file());
}
