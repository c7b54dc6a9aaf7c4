//! See `threadbare_models::fuzzing::recording_text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadbare_models::fuzzing::recording_text(bytes));
