//! The fuzz targets' checked-in seeds, past crash inputs and random inputs, on stable Rust.

use proptest::prelude::*;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use threadbare_models::fuzzing::{TARGETS, recording_text, schedule};

/// Files of a target, of all that libFuzzer is given or has found.
fn inputs(target: &str) -> Vec<PathBuf> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let files = |folder| std::fs::read_dir(fuzz.join(folder).join(target)).into_iter().flatten();
    let all = ["seeds", "crashes"].into_iter().flat_map(files);
    all.map(|f| f.expect("a file").path()).collect()
}

/// Every seed and every input that once made a target fail.
#[test]
fn checked_in_inputs() {
    for (target, body) in TARGETS {
        let inputs = inputs(target);
        assert!(inputs.len() >= 3, "{target} has its seeds");
        for file in inputs {
            let bytes = std::fs::read(&file).expect("a seed");
            let passed = catch_unwind(AssertUnwindSafe(|| body(&bytes)));
            assert!(passed.is_ok(), "{target} fails on {}", file.display());
        }
    }
}

/// No target is compiled for libFuzzer alone, and none is left out there.
#[test]
fn every_target_is_replayed() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/fuzz_targets");
    let calls = |file: &Path| {
        let text = std::fs::read_to_string(file).expect("a target");
        text.contains("threadbare_models::fuzzing::")
    };
    let files = std::fs::read_dir(dir).expect("the targets").map(|f| f.expect("a target").path());
    let stem = |f: PathBuf| f.file_stem().expect("a name").to_string_lossy().into_owned();
    let compiled: BTreeSet<String> = files.filter(|f| calls(f)).map(stem).collect();
    let listed: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(compiled, listed);
}

/// Some schedules are wrong for some faults, and no schedule is for all: else the target could not
/// tell a faithful scheme from a fault.
#[test]
fn schedules_kill_some_mutants() {
    let (mut killed, mut survived) = (BTreeSet::new(), 0);
    for n in 0..3000u32 {
        // Protocol, an even number of a mutant, scenario, then pseudo-random choices.
        let mut bytes = vec![(n % 16) as u8, (n / 16 % 13) as u8, 0];
        let mut state = n.wrapping_mul(2_654_435_761).wrapping_add(1);
        bytes.extend((0..96).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        }));
        let chosen = schedule(&bytes);
        match chosen.mutant {
            Some(mutant) if chosen.killed => drop(killed.insert((chosen.protocol, mutant))),
            _ => survived += 1,
        }
    }
    assert!(killed.len() >= 20, "only {killed:?}");
    assert!(survived > 500, "{survived}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn recordings(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        recording_text(&bytes);
    }

    #[test]
    fn schedules(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        schedule(&bytes);
    }
}
