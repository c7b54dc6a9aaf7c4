//! What a hunt adds on a sanitizer's build: races that need no operation, and reports not told.
//!
//! Starting threads, handing work over and filling lists races too in some VMs. So that this is
//! not laid at a scenario's door, scenarios without any operation run first, in both shapes, and
//! the reports that they show are the VM's and the harness's own: kept, listed, and told of no scenario.

use super::{HuntError, Shared, process};
use crate::scenario::{Call, Context, Scenario, Shape};
use crate::subject::{Form, Guarantee};
use crate::verdict::reported;
use crate::verdict::sanitizer::suppress::Fate;
use crate::verdict::{Kind, Verdict};
use crate::vm::Vm;

/// Processes of the baseline: rare reports need more than one.
const RUNS: u64 = 3;

/// Milliseconds of one of its scenarios.
const MS: u64 = 400;

/// Runs the baseline and remembers its reports in the state, by signature.
pub(super) fn baseline(shared: &Shared<'_>) -> Result<(), HuntError> {
    if shared.vm.facts.sanitizers.is_empty() || shared.options.sequential {
        return Ok(());
    }
    for run in 0..RUNS {
        if shared.over() {
            break;
        }
        let found = signatures(shared.vm, shared.options.seed + run)?;
        let mut inner = shared.lock();
        inner.state.baseline.extend(found);
    }
    Ok(())
}

/// Signatures of what the VM reports while no operation runs.
fn signatures(vm: &Vm, seed: u64) -> Result<Vec<String>, HuntError> {
    let scenarios = idle();
    let log = process::execute(vm, &scenarios, seed, MS, false, false)?;
    Ok(reported::of_log(&log)
        .into_iter()
        .map(|r| r.verdict.detail)
        .collect())
}

/// Scenarios whose operations do nothing, with the objects that most subjects use.
fn idle() -> Vec<Scenario> {
    let nothing = Call {
        code: "None".to_owned(),
        op: "None".to_owned(),
        form: Form::Do,
        guarantee: Guarantee::Silent,
        raises: None,
    };
    let context = Context {
        subject: "baseline".to_owned(),
        requires: Vec::new(),
        prelude: String::new(),
        observe: "None".to_owned(),
        check: None,
        reset: None,
        raises: Vec::new(),
        keeps: false,
        callbacks: false,
        size: 1000,
        source: String::new(),
    };
    ["[V[0], 1]", "object()"]
        .into_iter()
        .map(|make| Scenario {
            make: make.to_owned(),
            threads: vec![vec![nothing.clone()], vec![nothing.clone()]],
            shapes: vec![Shape::Stride, Shape::Slot],
            company: Vec::new(),
            context: context.clone(),
        })
        .collect()
}

/// Whether a verdict is told; a hidden report is counted where it was hidden.
pub(super) fn is_told(shared: &Shared<'_>, verdict: &Verdict) -> bool {
    let Some(report) = &verdict.report else {
        return true;
    };
    let fate = shared.filter.fate(report);
    let mut inner = shared.lock();
    let state = &mut inner.state;
    state.reports += verdict.count;
    let (name, new) = match fate {
        Fate::Told
            if verdict.kind == Kind::DataRace && state.baseline.contains(&verdict.detail) =>
        {
            ("without any operation".to_owned(), None)
        }
        Fate::Told => return true,
        Fate::Suppressed { top, new } => (top, new),
        Fate::False(bug) => (bug, None),
    };
    let hidden = state.hidden.entry(name).or_default();
    hidden.reports += verdict.count;
    hidden.new.extend(new);
    false
}
