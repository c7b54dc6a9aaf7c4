//! The explorer against brute force on random programs: the same executions, each once.

mod support;

use proptest::prelude::*;
use support::cases::cases;
use support::random::program;
use support::{Straight, parse, visited};
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

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn rust(program in program(false)) {
        agree(&program, Model::Rust)?;
    }

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
        for model in [Model::Rust, Model::Rc11, Model::Sc, Model::Tso] {
            agree(&program, model)?;
        }
    }
}

/// The racing update takes the place of another in the only graph that has it.
#[test]
fn the_write_of_a_revisiting_update_is_looked_at_for_races() {
    let program = parse("Rxn;Wx1;Ax | Cx1>1");
    for model in [Model::Rust, Model::Rc11, Model::Sc, Model::Tso] {
        assert!(enumerate(&program, model).race);
        assert!(visited(&program, model).2, "missed under {model:?}");
    }
}

/// Which reads an update may displace is a matter of what is before it, and not of what has
/// been tried for it: with that, graphs of this program were visited twice.
#[test]
fn conflicts_are_judged_without_what_was_tried_before() {
    let program = parse("Ax | Ax | Wx2 | Ax");
    for model in [Model::Rust, Model::Rc11, Model::Sc, Model::Tso] {
        let (found, ..) = visited(&program, model);
        assert!(found.values().all(|&times| times == 1), "under {model:?}");
        assert_eq!(found.len(), enumerate(&program, model).complete.len());
    }
}
