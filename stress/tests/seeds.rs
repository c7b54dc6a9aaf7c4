//! The fuzz targets' checked-in seeds, past crash inputs and random inputs, on stable Rust.

use proptest::prelude::*;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use threadbare_stress::fuzzing::TARGETS;

/// Files of a target, of all that libFuzzer is given or has found.
fn inputs(target: &str) -> Vec<PathBuf> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let files = |folder| {
        std::fs::read_dir(fuzz.join(folder).join(target))
            .into_iter()
            .flatten()
    };
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
        text.contains("threadbare_stress::fuzzing::")
    };
    let files = std::fs::read_dir(dir)
        .expect("the targets")
        .map(|f| f.expect("a target").path());
    let stem = |f: PathBuf| {
        f.file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    };
    let compiled: BTreeSet<String> = files.filter(|f| calls(f)).map(stem).collect();
    let listed: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(compiled, listed);
}

/// What is in git stays small; `ci/fuzz-corpus.sh` leaves out what adds no coverage.
#[test]
fn all_inputs_together_are_small() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let mut bytes = 0;
    for folder in ["seeds", "crashes"] {
        for target in std::fs::read_dir(fuzz.join(folder)).expect("in git") {
            let files = std::fs::read_dir(target.expect("a target").path()).expect("a folder");
            let sizes = files.map(|f| f.expect("a file").metadata().expect("its size").len());
            bytes += sizes.sum::<u64>();
        }
    }
    assert!(bytes > 0 && bytes <= 2 << 20, "{bytes} bytes");
}

/// Random inputs of one target; the slow ones get fewer.
fn random(target: &str, cases: u32) {
    let body = TARGETS
        .iter()
        .find(|(name, _)| *name == target)
        .expect("a target")
        .1;
    let bytes = prop::collection::vec(any::<u8>(), 0..120);
    // A failing input is kept in fuzz/crashes once it is mended, like those of libFuzzer.
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    };
    proptest!(config, |(bytes in bytes)| body(&bytes));
}

macro_rules! targets {
    ($($name:ident: $cases:expr;)*) => {
        $(#[test]
        fn $name() {
            random(stringify!($name), $cases);
        })*

        #[test]
        fn all_have_random_inputs() {
            assert_eq!([$(stringify!($name)),*], *TARGETS.iter().map(|t| t.0).collect::<Vec<_>>());
        }
    };
}

targets! {
    cluster: 1000;
    harness_log: 2000;
    minimise: 500;
    oracle: 2000;
    report_html: 200;
    sanitizer: 1000;
    scenario: 2000;
    scenario_text: 1000;
    store: 20;
    subject_toml: 200;
    words: 1000;
}
