//! See `threadbare_litmus::lang::fuzzing::litmus_text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadbare_litmus::lang::fuzzing::litmus_text(bytes));
