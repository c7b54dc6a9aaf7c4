//! Target `minimise`: minimising a failure that comes and goes.

use super::chosen;
use crate::choice::{Bytes, Choices};
use crate::scenario::Scenario;
use crate::scenario::minimise::{self, smaller};
use std::time::Duration;

/// How large a scenario is: threads, operations, set-up.
fn size(s: &Scenario) -> (usize, usize, usize) {
    (s.threads.len(), s.calls().count(), s.make.len())
}

/// Whatever the runs show: the result is the last scenario that was seen to fail, it is nowhere larger
/// than the original and has no call that the original lacks; every run is counted; and where it is
/// called minimal, every smaller scenario was run after it and passed.
///
/// # Panics
/// When one of these does not hold.
pub fn minimise(bytes: &[u8]) {
    let mut choices = Bytes(bytes);
    let original = chosen(&mut choices);
    let makes = [
        "[]".to_owned(),
        "a_set_up_longer_than_any_other_there_is()".to_owned(),
    ];
    let attempts = 1 + choices.below(3);
    let needs = choices.below(original.calls().count() + 1);
    let starts: Vec<Scenario> = smaller(&original, &[])
        .into_iter()
        .take(choices.below(3))
        .collect();
    // Some operation is needed at least, and then it is luck.
    let needed = original.calls().nth(needs).map(|c| c.code.clone());
    let mut runs: Vec<(Scenario, bool)> = Vec::new();
    let got = minimise::minimise(
        &original,
        &makes,
        &starts,
        attempts,
        Duration::from_secs(3600),
        &mut |s: &Scenario| {
            let can = needed
                .as_ref()
                .is_none_or(|code| s.calls().any(|c| &c.code == code));
            let failed = can && choices.below(4) != 0;
            runs.push((s.clone(), failed));
            failed
        },
    );
    let last = runs.iter().rposition(|(_, failed)| *failed);
    assert_eq!(got.tried, runs.len());
    assert_eq!(got.reproduced, last.is_some());
    let Some(last) = last else {
        assert_eq!((got.scenario, got.minimal), (original, false));
        return;
    };
    assert_eq!(
        got.scenario, runs[last].0,
        "not the last that was seen to fail"
    );
    let (most, least) = (size(&original), size(&got.scenario));
    assert!(
        least.0 <= most.0 && least.1 <= most.1 && least.2 <= most.2,
        "{least:?} of {most:?}"
    );
    let known = |call| original.calls().any(|c| c == call);
    assert!(got.scenario.calls().all(known));
    assert!(got.scenario.threads.iter().all(|t| !t.is_empty()) && got.scenario.shapes.len() == 1);
    assert!(got.minimal, "time was not over");
    for candidate in smaller(&got.scenario, &makes) {
        let passed = runs[last..]
            .iter()
            .any(|(s, failed)| *s == candidate && !failed);
        assert!(passed, "{candidate} was not tried");
    }
}
