//! See `threadbare_stress::fuzzing::oracle`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadbare_stress::fuzzing::oracle(bytes));
