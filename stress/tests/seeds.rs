//! The fuzz targets' checked-in seeds, past crash inputs and random inputs, on stable Rust.

#[path = "../../fuzz/replay.rs"]
mod replay;

use proptest::prelude::*;
use threadbare_stress::fuzzing::TARGETS;

#[test]
fn checked_in_inputs() {
    replay::checked_in_inputs(TARGETS);
}

#[test]
fn every_target_is_replayed() {
    replay::every_target_is_replayed(TARGETS, "threadbare_stress");
}

/// What is in git stays small; `ci/fuzz-corpus.sh` leaves out what adds no coverage.
#[test]
fn all_inputs_together_are_small() {
    let fuzz = replay::fuzz();
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
    differential: 60;
    harness_log: 2000;
    minimise: 500;
    oracle: 2000;
    report_html: 200;
    sanitizer: 1000;
    scenario: 2000;
    scenario_text: 1000;
    store: 20;
    subject_toml: 200;
    vm_command: 60;
    vm_rustpython: 40;
    words: 1000;
}
