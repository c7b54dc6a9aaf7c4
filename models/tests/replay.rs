//! Replays as text, and the choices that they repeat.

use threadbare_models::choice::Choices;
use threadbare_models::engine::Engine;
use threadbare_models::replay::{Recording, Refused};
use threadbare_models::verdict::Schedule;

fn recording(schedule: Schedule) -> Recording {
    Recording {
        protocol: "biased".into(),
        scenario: "exit".into(),
        mutant: None,
        engine: Engine::Random,
        version: "shuttle-0.9".into(),
        program: 0xabc,
        schedule,
        trace: 7,
    }
}

#[test]
fn text_round_trip() {
    for schedule in
        [Schedule::Nth(12), Schedule::Threads(vec![0, 0, 0, 1, 2, 2, 0]), Schedule::Threads(vec![])]
    {
        let recording = recording(schedule);
        for text in [
            format!("# a comment\n\n{recording}\n"),
            format!("biased (tb)\nagain: threadbare replay '{recording}'\n"),
            format!("{{\"replay\":\"{recording}\"}}"),
        ] {
            assert_eq!(text.parse::<Recording>().unwrap(), recording, "{text}");
        }
    }
}

#[test]
fn damaged_text_is_refused() {
    for text in
        ["", "tb2/a/b/-/loom@loom-0.7/1/n1/1", "tb1/a/b", "tb1/a/b/-/loom@x/1/t0x99999999/1"]
    {
        assert!(text.parse::<Recording>().is_err(), "{text}");
    }
}

#[test]
fn another_program_is_refused() {
    let refused = recording(Schedule::Threads(vec![0])).run().unwrap_err();
    assert!(matches!(refused, Refused::Program(..)), "{refused}");
}

#[test]
fn streams_are_reproducible_and_distinct() {
    let draw = |stream| -> Vec<usize> {
        let mut choices = Choices::seeded(7, stream);
        (0..32).map(|_| choices.below(5)).collect()
    };
    assert_eq!(draw(0), draw(0));
    assert_ne!(draw(0), draw(1));
    assert!(draw(3).iter().all(|n| *n < 5));
}
