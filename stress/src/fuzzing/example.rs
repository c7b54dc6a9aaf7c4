//! A finding and a hunt's progress for targets to begin with.

use super::SUBJECTS;
use crate::campaign::state::State;
use crate::finding::Finding;
use crate::scenario::generate::{Limits, nth};
use serde_json::json;

/// A finding with most of its fields in use.
pub(super) fn finding() -> Finding {
    let mut scenario = nth(&SUBJECTS[0], 1, 0, Limits::default());
    scenario.context.check = Some("len(o) >= 0".to_owned());
    let mut finding: Finding = serde_json::from_value(json!({
        "schema": 1, "id": "", "kind": "crash", "grade": "forbidden", "why": "a race in Python code must not", "detail": "SIGSEGV", "subject": "list",
        "frames": ["list_resize"], "scenario": scenario, "vm": "python3.13t",
        "facts": {"implementation": "cpython", "version": "3.13.5 (main)", "gil_claimed": false, "speedup": 1.9, "interleaving": 0.5, "modules": ["os"], "sanitizers": []},
        "seed": 1, "number": 2, "outcome": ["1 | 1 | 0", 3], "explained": [["1 | !IndexError | 0", 7]], "minimised": true,
        "script": {"hits": 2, "runs": 3, "limit_seconds": 5.0, "mean_seconds": 0.5}, "others": [{"failure": "panic at a.rs:1", "runs": 1}], "seen": 4,
    }))
    .expect("a finding");
    finding.id = finding.make_id();
    finding
}

/// Progress of the hunt that found it.
pub(super) fn state() -> State {
    let facts = &finding().facts;
    let mut state = State {
        schema: 1,
        vm: facts.title(),
        seed: 1,
        size: (2, 2),
        seconds: 1.5,
        ..State::default()
    };
    let totals = state.subjects.entry("list".to_owned()).or_default();
    totals.scenarios = 7;
    totals.lacking = vec![("o.pop()".to_owned(), "no such method".to_owned())];
    totals.verdicts.insert("crash".to_owned(), 2);
    state
}
