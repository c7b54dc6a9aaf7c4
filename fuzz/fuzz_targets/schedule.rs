//! See `threadbare_models::fuzzing::schedule`. What is new of an execution is less its code than who
//! read what from whom: each pair of source lines counts in a table that libFuzzer looks at.
#![no_main]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU8, Ordering};

const COUNTERS: usize = 1 << 14;

// libFuzzer reads and clears what stands in this section between two executions.
#[unsafe(link_section = "__libfuzzer_extra_counters")]
static PAIRS: [AtomicU8; COUNTERS] = [const { AtomicU8::new(0) }; COUNTERS];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let chosen = threadbare_models::fuzzing::schedule(bytes);
    for pair in chosen.reads_from {
        let mut hash = DefaultHasher::new();
        (chosen.protocol, chosen.mutant, pair).hash(&mut hash);
        // Relaxed: only this thread counts.
        PAIRS[hash.finish() as usize % COUNTERS].store(1, Ordering::Relaxed);
    }
});
