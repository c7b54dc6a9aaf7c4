//! How many random programs, and the seed they come from.

use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;
use std::env;

/// Random cases, `PROPTEST_CASES` or so many a test. A failure shows the command that repeats
/// them: `PROPTEST_RNG_SEED`, or a fresh seed.
pub fn cases(many: u32) -> ProptestConfig {
    let number = |name| env::var(name).ok()?.parse::<u64>().ok();
    let cases = number("PROPTEST_CASES").map_or(many, |cases| cases as u32);
    let seed = number("PROPTEST_RNG_SEED").unwrap_or_else(rand);
    let (exe, thread) = (env::current_exe(), std::thread::current());
    let suite = exe.as_ref().ok().and_then(|exe| exe.file_stem()?.to_str());
    // The test's output is shown only when it fails.
    println!(
        "replay: PROPTEST_RNG_SEED={seed} PROPTEST_CASES={cases} cargo test --release \
         -p threadbare-litmus --test {} {}",
        suite.map_or("", |name| name
            .rsplit_once('-')
            .map_or(name, |(name, _)| name)),
        thread.name().unwrap_or(""),
    );
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn rand() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(())
}
