//! The fuzz targets' checked-in seeds and random inputs, on stable Rust; and the sequential run of
//! scenarios on a real interpreter, which a fuzz target is too quick for.

use proptest::prelude::*;
use std::path::Path;
use threadbare_stress::fuzzing;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/seeds")
        .join(target);
    let files = std::fs::read_dir(dir).expect("fuzz/seeds is checked in");
    files
        .map(|f| std::fs::read(f.expect("a seed").path()).expect("a seed"))
        .collect()
}

#[test]
fn checked_in_seeds() {
    for (target, body) in [
        ("scenario", fuzzing::scenario as fn(&[u8])),
        ("oracle", fuzzing::oracle),
    ] {
        let seeds = seeds(target);
        assert!(seeds.len() >= 10, "{target} has its seeds");
        seeds.iter().for_each(|bytes| body(bytes));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn scenario(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        fuzzing::scenario(&bytes);
    }

    #[test]
    fn oracle(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        fuzzing::oracle(&bytes);
    }
}
