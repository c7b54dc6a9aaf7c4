//! See `threadbare_stress::fuzzing::harness_log`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadbare_stress::fuzzing::harness_log(bytes));
