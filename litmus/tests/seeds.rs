//! The fuzz targets' checked-in seeds, past crash inputs and random inputs, on stable Rust.

#[path = "support/cases.rs"]
mod cases;

use cases::cases;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use threadbare_litmus::fuzzing::{TARGETS, litmus_explore, trace_text};

/// Files of a target, of all that libFuzzer is given or has found.
fn inputs(target: &str) -> Vec<PathBuf> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let files = |folder| {
        let folder = fuzz.join(folder).join(target);
        std::fs::read_dir(folder).into_iter().flatten()
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
        text.contains("threadbare_litmus::fuzzing::")
    };
    let files = std::fs::read_dir(dir).expect("the targets");
    let files = files.map(|f| f.expect("a target").path());
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

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn explore(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        litmus_explore(&bytes);
    }

    #[test]
    fn traces(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        trace_text(&bytes);
    }
}
