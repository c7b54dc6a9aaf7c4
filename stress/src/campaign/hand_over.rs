//! Findings whose scripts seldom hit, handed to a VM of the same version that is built for control, where there is
//! one: what no run shows by chance a schedule may, and it repeats.

use super::controlled::kept;
use super::{HuntError, Shared};
use crate::controlled::{PORTFOLIO, Plan, obeys};
use crate::finding::Finding;
use crate::triage::statement;
use crate::vm::{Vm, controlled};
use std::time::{Duration, Instant};

/// Schedules of each finding.
const SCHEDULES: u32 = 1000;

/// Time of each finding at most.
const TIME: Duration = Duration::from_secs(30);

/// Less is no search.
const LEAST: Duration = Duration::from_secs(2);

/// Gives rare findings of a plain hunt a schedule, in half of the time that it has left over; of each it is said what
/// came of it, or why nothing could.
pub(super) fn run(shared: &Shared<'_>) {
    if shared.options.control.is_some() || shared.options.sequential || shared.deadline.is_none() {
        return;
    }
    if let Err(error) = all(shared) {
        shared.lock().error.get_or_insert(error);
    }
}

fn all(shared: &Shared<'_>) -> Result<(), HuntError> {
    let title = shared.vm.facts.title();
    let wanted = |f: &&Finding| {
        f.facts.title() == title
            && f.schedule.is_none()
            && f.script.is_some_and(|rate| rate.is_rare())
    };
    let rare: Vec<Finding> = {
        let inner = shared.lock();
        inner
            .store
            .findings()
            .iter()
            .filter(wanted)
            .cloned()
            .collect()
    };
    if rare.is_empty() {
        return Ok(());
    }
    let vm = match controlled_twin(shared.vm) {
        Ok(vm) => vm,
        Err(why) => {
            let none = |finding: Finding| keep(shared, finding.without_schedule(why.clone()), &[]);
            return rare.into_iter().try_for_each(none);
        }
    };
    let end = Instant::now() + shared.left(Duration::MAX) / 2;
    let count = rare.len() as u32;
    for (done, finding) in rare.into_iter().enumerate() {
        let share = end.saturating_duration_since(Instant::now()) / (count - done as u32);
        if share < LEAST || shared.over() {
            let why = "skipped: no time was left".to_owned();
            keep(shared, finding.without_schedule(why), &[])?;
            continue;
        }
        let plan = Plan {
            strategies: PORTFOLIO.to_vec(),
            runs: SCHEDULES,
            seed: shared.options.seed,
            time: share.min(TIME),
            tso: false,
        };
        match kept(&vm, finding, &plan, &|| shared.over())? {
            Ok(found) => {
                let files = found.files.iter().map(|(n, text)| (*n, text.as_str()));
                keep(shared, found.finding, &files.collect::<Vec<_>>())?;
            }
            Err(finding) => keep(shared, finding, &[])?,
        }
    }
    Ok(())
}

/// The VM of the same version that is built for control; else why there is none.
fn controlled_twin(vm: &Vm) -> Result<Vm, String> {
    let version = vm.facts.version.split_whitespace().next().unwrap_or("");
    if vm.facts.implementation != "cpython" {
        return Err(format!(
            "skipped: no {} is built for control",
            vm.facts.implementation
        ));
    }
    let Some(spec) = controlled(version) else {
        return Err(format!(
            "skipped: no CPython {version} built for control is at hand; ci/vm/cpython-controlled.sh {version} makes one"
        ));
    };
    let twin = Vm::open(&spec).map_err(|e| format!("skipped: {e}"))?;
    obeys(&twin).map_err(|e| format!("skipped: {e}"))?;
    Ok(twin)
}

fn keep(
    shared: &Shared<'_>,
    finding: Finding,
    files: &[(&'static str, &str)],
) -> Result<(), HuntError> {
    let mut inner = shared.lock();
    inner.store.save(&finding, files)?;
    statement::write(&inner.store.folder(&finding.id), &finding)?;
    Ok(())
}
