//! See `threadbare_stress::fuzzing::sanitizer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadbare_stress::fuzzing::sanitizer(bytes));
