//! See `threadbare_stress::fuzzing::differential`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadbare_stress::fuzzing::differential(bytes));
