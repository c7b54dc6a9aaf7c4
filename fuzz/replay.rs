//! What the tests of each crate ask of its fuzz targets, on stable Rust: `litmus/`, `models/` and
//! `stress/` have it as a module of their `tests/seeds.rs`.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Name and body of a target.
type Target = (&'static str, fn(&[u8]));

/// This folder, seen from any crate.
pub fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// Files of a target, of all that libFuzzer is given or has found.
fn inputs(target: &str) -> Vec<PathBuf> {
    let files = |folder| {
        let folder = fuzz().join(folder).join(target);
        std::fs::read_dir(folder).into_iter().flatten()
    };
    let all = ["seeds", "crashes"].into_iter().flat_map(files);
    all.map(|f| f.expect("a file").path()).collect()
}

/// Every seed and every input that once made a target fail.
pub fn checked_in_inputs(targets: &[Target]) {
    for (target, body) in targets {
        let inputs = inputs(target);
        assert!(inputs.len() >= 3, "{target} has its seeds");
        for file in inputs {
            let bytes = std::fs::read(&file).expect("a seed");
            let passed = catch_unwind(AssertUnwindSafe(|| body(&bytes)));
            assert!(passed.is_ok(), "{target} fails on {}", file.display());
        }
    }
}

/// The targets that are compiled for libFuzzer from functions of this crate are those that its list has:
/// none is compiled for libFuzzer alone, and none is left out there.
pub fn every_target_is_replayed(targets: &[Target], of_crate: &str) {
    let calls = |file: &Path| {
        let text = std::fs::read_to_string(file).expect("a target");
        text.contains(&format!("{of_crate}::fuzzing::"))
    };
    let files = std::fs::read_dir(fuzz().join("fuzz_targets")).expect("the targets");
    let files = files.map(|f| f.expect("a target").path());
    let stem = |f: PathBuf| {
        let stem = f.file_stem().expect("a name");
        stem.to_string_lossy().into_owned()
    };
    let compiled: BTreeSet<String> = files.filter(|f| calls(f)).map(stem).collect();
    let listed: BTreeSet<String> = targets.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(compiled, listed);
}
