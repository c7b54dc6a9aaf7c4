//! See `threadbare_stress::fuzzing::vm`. What is new of an execution is what the VM showed, not what code of ours ran: each
//! place, class of outcomes and pair of operations counts in a table that libFuzzer looks at.
#![no_main]

use std::sync::atomic::{AtomicU8, Ordering};

const COUNTERS: usize = 1 << 16;

// libFuzzer reads and clears what stands in this section between two executions.
#[unsafe(link_section = "__libfuzzer_extra_counters")]
static NEW: [AtomicU8; COUNTERS] = [const { AtomicU8::new(0) }; COUNTERS];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for hash in threadbare_stress::fuzzing::vm_rustpython(bytes) {
        // Relaxed: only this thread counts.
        NEW[hash as usize % COUNTERS].store(1, Ordering::Relaxed);
    }
});
