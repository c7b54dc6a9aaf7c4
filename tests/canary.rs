//! The canary: where a race that must show is not found, a hunt fails, whatever else it found.

use std::path::Path;
use std::process::{Command, Output};

/// A hunt of two scenarios of lists on a fixture, however long that takes. `silent`: its sanitizer reports nothing.
fn hunt(vm: &str, out: &Path, silent: bool) -> (Output, Vec<serde_json::Value>) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("stress/tests/fixtures");
    let mut command = Command::new(env!("CARGO_BIN_EXE_threadbare"));
    command.args(["hunt", "--subject", "list", "--iterations", "2"]);
    command.args(["--time", "5m", "--format", "json", "--vm"]);
    command.arg(fixtures.join(vm)).arg("--out").arg(out);
    if silent {
        command.env("SILENT", "1");
    }
    let output = command.output().unwrap();
    let events = String::from_utf8(output.stdout.clone()).unwrap();
    let events = events.lines().map(|l| serde_json::from_str(l).unwrap());
    (output, events.collect())
}

fn event<'a>(events: &'a [serde_json::Value], name: &str) -> &'a serde_json::Value {
    let found = events.iter().find(|e| e["event"] == name);
    found.unwrap_or_else(|| panic!("no event {name} in {events:?}"))
}

#[test]
fn a_vm_on_which_the_canary_cannot_be_lost_gives_5_and_the_reason() {
    for (vm, silent, reason) in [
        ("claims-no-gil.sh", false, "none was seen to get lost"),
        (
            "claims-tsan.sh",
            true,
            "the sanitizer reported no data race",
        ),
    ] {
        let out = tempfile::tempdir().unwrap();
        let (output, events) = hunt(vm, out.path(), silent);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(5), "{events:?}\n{stderr}");
        assert!(
            stderr.contains("the canary was not found") && stderr.contains(reason),
            "{stderr}"
        );
        let canary = event(&events, "canary");
        assert!(canary["found"].is_null() && canary["runs"].as_u64() > Some(0));
        assert!(canary["reason"].as_str().unwrap().contains(reason));
        // The hunt itself went on, and the canary is none of its subjects and findings.
        let summary = event(&events, "summary");
        // With a sanitizer the first turn looks for races that need no operation: no scenario.
        assert!(summary["scenarios"].as_u64() >= Some(1), "{summary}");
        assert!(summary["subjects"]["canary"].is_null(), "{summary}");
        assert!(out.path().join("canary/hunt.json").is_file());
    }
}

/// With the same fixture reporting: as a data race of two operations whose script hits.
#[test]
fn on_a_build_with_the_thread_sanitizer_it_must_end_as_a_minimised_report() {
    let out = tempfile::tempdir().unwrap();
    let (output, events) = hunt("claims-tsan.sh", out.path(), false);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{events:?}\n{stderr}");
    let id = event(&events, "canary")["found"].as_str().expect("found");
    assert!(id.starts_with("canary-data-race-"), "{id}");
    let finding = out.path().join("canary/findings").join(id);
    let finding = std::fs::read_to_string(finding.join("finding.json")).unwrap();
    let finding: serde_json::Value = serde_json::from_str(&finding).unwrap();
    assert_eq!(finding["minimised"], true, "{finding}");
    assert!(finding["script"]["hits"].as_u64() > Some(0), "{finding}");
}
