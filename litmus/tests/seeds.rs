//! The fuzz targets' checked-in seeds, past crash inputs and random inputs, on stable Rust.

#[path = "support/cases.rs"]
mod cases;
#[path = "../../fuzz/replay.rs"]
mod replay;

use cases::cases;
use proptest::prelude::*;
use threadbare_litmus::fuzzing::{TARGETS, litmus_explore, trace_text};

#[test]
fn checked_in_inputs() {
    replay::checked_in_inputs(TARGETS);
}

#[test]
fn every_target_is_replayed() {
    replay::every_target_is_replayed(TARGETS, "threadbare_litmus");
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn explore(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        litmus_explore(&bytes);
    }

    #[test]
    fn traces(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        trace_text(&bytes);
    }
}
