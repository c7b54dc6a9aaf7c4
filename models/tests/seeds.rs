//! The fuzz targets' checked-in seeds, past crash inputs and random inputs, on stable Rust.

#[path = "../../fuzz/replay.rs"]
mod replay;

use proptest::prelude::*;
use std::collections::BTreeSet;
use threadbare_models::fuzzing::{TARGETS, recording_text, schedule};

#[test]
fn checked_in_inputs() {
    replay::checked_in_inputs(TARGETS);
}

#[test]
fn every_target_is_replayed() {
    replay::every_target_is_replayed(TARGETS, "threadbare_models");
}

/// Some schedules are wrong for some faults, and no schedule is for all: else the target could not
/// tell a faithful scheme from a fault.
#[test]
fn schedules_kill_some_mutants() {
    let (mut killed, mut survived) = (BTreeSet::new(), 0);
    let protocols = threadbare_models::catalogue::all().len() as u32;
    for n in 0..3000u32 {
        // Protocol, an even number of a mutant, scenario, then pseudo-random choices.
        let mut bytes = vec![(n % protocols) as u8, (n / protocols % 13) as u8, 0];
        let mut state = n.wrapping_mul(2_654_435_761).wrapping_add(1);
        bytes.extend((0..96).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        }));
        let chosen = schedule(&bytes);
        match chosen.mutant {
            Some(mutant) if chosen.killed => drop(killed.insert((chosen.protocol, mutant))),
            _ => survived += 1,
        }
    }
    assert!(killed.len() >= 20, "only {killed:?}");
    assert!(survived > 500, "{survived}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn recordings(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        recording_text(&bytes);
    }

    #[test]
    fn schedules(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        schedule(&bytes);
    }
}
