//! The explorer against brute force on random programs: the same executions, each once.

mod support;

use proptest::prelude::*;
use support::random::program;
use support::{Straight, visited};
use threadbare_litmus::explore::Model;
use threadbare_litmus::explore::oracle::enumerate;

fn agree(program: &Straight, model: Model) -> Result<(), TestCaseError> {
    let expected = enumerate(program, model);
    let (found, _, failed) = visited(program, model);
    prop_assert_eq!(failed, expected.race, "race under {:?}", model);
    if !failed {
        for (key, times) in &found {
            prop_assert_eq!(*times, 1, "visited twice under {:?}: {}", model, key);
            prop_assert!(
                expected.complete.contains(key),
                "extra under {:?}: {}",
                model,
                key
            );
        }
        let missing = expected
            .complete
            .iter()
            .find(|key| !found.contains_key(*key));
        prop_assert_eq!(missing, None, "missing under {:?}", model);
    }
    Ok(())
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1500);
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn rc11(program in program(false)) {
        agree(&program, Model::Rc11)?;
    }

    #[test]
    fn sc(program in program(false)) {
        agree(&program, Model::Sc)?;
    }

    #[test]
    fn tso(program in program(false)) {
        agree(&program, Model::Tso)?;
    }

    #[test]
    fn races(program in program(true)) {
        agree(&program, Model::Rc11)?;
    }
}
