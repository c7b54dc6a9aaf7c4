//! See `threadbare_stress::fuzzing::report_html`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| threadbare_stress::fuzzing::report_html(bytes));
