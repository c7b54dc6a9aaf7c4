//! What comes of a scenario: what its operations answer, and which thread ends which life.

use super::explorer::{Ended, Judge, search};
use super::program::{Program, Shown};
use super::{Budget, apart};
use crate::protocol::{HANGS, SKIPPED};
use crate::runtime::causal::{GhostStep, Step};
use crate::runtime::trace::{Action, Event};
use crate::verdict::Verdict;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use threadbare_litmus::explore::Execution;

/// What comes of some execution.
pub type Outcomes = BTreeSet<String>;

/// What the explorer says of a program, and its outcomes: all of them where that is *exhausted*.
pub(crate) fn outcomes(program: Program, budget: Budget) -> (Verdict, Outcomes) {
    let found = Arc::new(Mutex::new(Outcomes::new()));
    let ended: Ended = {
        let (found, shown) = (found.clone(), program.shown.clone());
        Arc::new(move |execution: &Execution<'_>| {
            let outcome = outcome(&shown, execution);
            found.lock().unwrap_or_else(PoisonError::into_inner).insert(outcome);
        })
    };
    let verdict = apart(move || search(&program, budget, true, Judge::telling(ended)));
    let outcomes = std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
    (verdict, outcomes)
}

fn outcome(shown: &Shown, execution: &Execution<'_>) -> String {
    let events = execution.notes::<Event>();
    let mut parts = Vec::new();
    for (thread, ops) in shown.threads.iter().enumerate() {
        for event in events.iter().filter(|event| event.thread == thread) {
            let Action::End(n, Some(answer)) = event.what.action else { continue };
            let op = &ops[usize::from(n)];
            parts.push(match Some(answer) {
                SKIPPED => format!("T{thread} {op} skipped"),
                HANGS => format!("T{thread} {op} hangs"),
                _ => format!("T{thread} {op} = {answer}"),
            });
        }
    }
    let mut ends: Vec<(String, &str, usize, bool)> = Vec::new();
    for life in execution.notes::<GhostStep>() {
        let what = match life.what.step {
            Step::Free => "freed",
            Step::Finalize => "finalized",
            _ => continue,
        };
        // After the last operation of its script: by a thread that ends.
        let mut script = events
            .iter()
            .filter(|e| e.thread == life.thread && matches!(e.what.action, Action::End(..)));
        let late = script.next_back().is_none_or(|last| last.before(&life));
        ends.push((life.what.label.to_string(), what, life.thread, late));
    }
    ends.sort();
    parts.extend(ends.into_iter().map(|(object, what, thread, late)| {
        let when = if late { " in the end" } else { "" };
        format!("{object} {what} by T{thread}{when}")
    }));
    if parts.is_empty() { "nothing is told".to_owned() } else { parts.join("; ") }
}
