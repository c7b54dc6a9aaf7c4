//! See `threadbare_stress::fuzzing::scenario_text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadbare_stress::fuzzing::scenario_text(bytes));
