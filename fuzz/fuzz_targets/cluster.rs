//! See `threadbare_stress::fuzzing::cluster`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadbare_stress::fuzzing::cluster(bytes));
