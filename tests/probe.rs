//! Probes against the models' catalogue, and `threadbare probe` as a user meets it.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use threadbare_models::catalogue;
use threadbare_stress::probe::{UNPAIRED, UNREACHED, shipped};

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

#[test]
fn probes_name_what_the_catalogue_has() {
    for probe in shipped() {
        let first = (probe.protocol().to_owned(), probe.properties.clone());
        let mut mutants: Vec<&str> = Vec::new();
        for (protocol, properties) in probe.also.clone().into_iter().chain([first]) {
            let entry = catalogue::find(&protocol).expect(&probe.name);
            for property in properties {
                let known = entry.properties.iter().any(|p| p.id == property);
                assert!(known, "{}: {protocol} has no {property}", probe.name);
            }
            mutants.extend(entry.mutants.iter().map(|m| m.name));
        }
        for mutant in &probe.mutants {
            assert!(
                mutants.contains(&mutant.as_str()),
                "{}: no {mutant}",
                probe.name
            );
        }
    }
}

#[test]
fn every_protocol_has_a_probe_or_a_reason_and_never_both() {
    for entry in catalogue::all() {
        let paired = shipped().iter().any(|p| p.stands_for(entry.name));
        let reason = UNPAIRED.iter().any(|(name, _)| *name == entry.name);
        assert!(paired != reason, "{}", entry.name);
    }
}

#[test]
fn every_confirmed_suspicion_has_a_probe_or_a_reason_and_never_both() {
    let probed: BTreeSet<String> = shipped().into_iter().flat_map(|p| p.mutants).collect();
    for entry in catalogue::all() {
        for mutant in entry.mutants.iter().filter(|m| m.shipped) {
            let reason = UNREACHED.iter().any(|(name, _)| *name == mutant.name);
            assert!(probed.contains(mutant.name) != reason, "{}", mutant.name);
        }
    }
    // Confirmed as properties of a design, or read in a VM: not marked as shipped in the models.
    for name in [
        "wr-dealloc-skip-lock",
        "wr-callback-under-lock",
        "qsbr-fence-before-wr",
    ] {
        assert!(probed.contains(name), "{name}");
    }
}

#[test]
fn the_list_and_the_matrix_show_empty_cells() {
    let (code, list, _) = run(&["probe", "--list"]);
    assert_eq!(code, 0);
    let (_, matrix, _) = run(&["matrix"]);
    for (protocol, why) in UNPAIRED {
        assert!(list.contains(&format!("{protocol}\n  · {why}")), "{list}");
        assert!(matrix.contains(why), "{matrix}");
    }
    assert!(matrix.contains("biased/foreign-drop"), "{matrix}");
    let (_, json, _) = run(&["probe", "--list", "--protocol", "gil", "--format", "json"]);
    for line in json.lines() {
        let probe: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            probe["event"] == "probe" && probe["schema"].is_u64(),
            "{line}"
        );
    }
    assert_eq!(json.lines().count(), 3);
}

#[test]
fn exit_codes() {
    let (code, _, err) = run(&["probe", "no-such-probe", "--vm", "python3"]);
    assert!(code == 2 && err.contains("--list"), "{err}");
    let (code, _, err) = run(&["probe", "--protocol", "no-such", "--vm", "python3"]);
    assert!(code == 2 && err.contains("no-such"), "{err}");
    let (code, _, err) = run(&["probe", "foreign-drop", "--vm", "no-such-python"]);
    assert!(code == 3, "{err}");
    let (code, _, err) = run(&["probe", "--protocol", "buffered", "--vm", "python3"]);
    assert!(code == 4 && err.contains("was ever shipped"), "{err}");
    // Everything skipped is no success.
    let skips = ["probe", "header-states", "--vm", "python3", "--time", "1s"];
    let (code, out, _) = run(&skips);
    assert!(
        code == 4 && out.contains("skipped: this VM has a GIL"),
        "{out}"
    );
}

#[test]
fn the_help_s_example_passes_and_a_fault_of_the_vm_is_found_kept_and_repeated() {
    let (_, help, _) = run(&["probe", "--help"]);
    let example = help
        .lines()
        .find(|l| l.contains("--vm python3 "))
        .expect(&help);
    let example = example.split('#').next().unwrap();
    let words: Vec<&str> = example.split_whitespace().skip(1).collect();
    let (code, out, err) = run(&words);
    assert!(
        code == 0 && out.contains("1 passed, 0 failed"),
        "{out}{err}"
    );

    // A VM that plants a fault into whatever it runs.
    let dir = tempfile::tempdir().unwrap();
    let vm = dir.path().join("faulty");
    std::fs::write(&vm, "#!/bin/sh\nexec python3 \"$@\" leak\n").unwrap();
    std::fs::set_permissions(&vm, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (vm, out) = (vm.to_str().unwrap(), dir.path().join("out"));
    let out = out.to_str().unwrap();
    let args = [
        "probe",
        "foreign-drop",
        "--vm",
        vm,
        "--time",
        "1s",
        "--out",
        out,
    ];
    let (code, text, err) = run(&args);
    assert!(
        code == 1 && text.contains("FAILED") && text.contains("never freed"),
        "{text}"
    );
    let again = err
        .lines()
        .find_map(|l| l.trim().strip_prefix("again: threadbare "));
    let mut again: Vec<&str> = again.expect(&err).split(' ').collect();
    again.extend(["--out", out]);
    assert_eq!(run(&again).0, 1, "{again:?}");
    let kept = std::fs::read_dir(dir.path().join("out/probes"))
        .unwrap()
        .count();
    assert_eq!(kept, 1, "one probe, one VM, one kind");
}
