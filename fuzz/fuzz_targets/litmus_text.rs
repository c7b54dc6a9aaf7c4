//! See `threadbare_litmus::fuzzing::litmus_text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadbare_litmus::fuzzing::litmus_text(bytes));
