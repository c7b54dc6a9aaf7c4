//! See `threadbare_stress::fuzzing::subject_toml`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadbare_stress::fuzzing::subject_toml(bytes));
