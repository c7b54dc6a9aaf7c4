//! See `threadbare_litmus::fuzzing::litmus_explore`. An explored thread that panics is a result, so that
//! libFuzzer's hook, which aborts at once, must go; a panic that nobody catches aborts all the same.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: std::panic::set_hook(Box::new(|info| eprintln!("{info}"))),
    |bytes: &[u8]| threadbare_litmus::fuzzing::litmus_explore(bytes)
);
