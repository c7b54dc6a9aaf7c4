//! Better scripts for findings whose scripts seldom hit, in time that the hunt has left over.

use super::{HuntError, Shared};
use crate::finding::Finding;
use crate::triage::improve::{SHARE, adopted, improve};
use crate::triage::{rank, statement};
use std::time::{Duration, Instant};

/// Improves scripts, the worst findings' first, for at most `most` and not beyond the hunt's end.
pub(super) fn run(shared: &Shared<'_>, most: Duration) {
    // A hunt without a time limit promises no time either.
    if shared.deadline.is_none() {
        return;
    }
    let began = Instant::now();
    let mut weak: Vec<Finding> = {
        let inner = shared.lock();
        inner
            .store
            .findings()
            .iter()
            .filter(|f| is_weak(shared, f))
            .cloned()
            .collect()
    };
    weak.sort_by(|a, b| rank(a).cmp(&rank(b)));
    let count = weak.len() as u32;
    for (done, finding) in weak.into_iter().enumerate() {
        let left = shared.left(most.saturating_sub(began.elapsed()));
        let share = left / (count - done as u32);
        // Less says nothing about a script that seldom hits.
        if shared.over() || share < Duration::from_secs(5) {
            return;
        }
        if let Err(error) = one(shared, &finding, share) {
            shared.lock().error.get_or_insert(error);
            return;
        }
    }
}

/// A finding of this VM whose script was run and hit in fewer runs than wanted.
fn is_weak(shared: &Shared<'_>, finding: &Finding) -> bool {
    let seldom = |r: crate::finding::Rate| f64::from(r.hits) < SHARE * f64::from(r.runs);
    finding.facts.title() == shared.vm.facts.title()
        && finding.minimised
        && finding.script.is_some_and(seldom)
}

fn one(shared: &Shared<'_>, finding: &Finding, time: Duration) -> Result<(), HuntError> {
    let improved = improve(shared.vm, finding, time)?;
    if improved.rate.hits > 0 {
        let better = adopted(finding, &improved);
        let files = [("repro.py", better.script_text())];
        let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
        let mut inner = shared.lock();
        inner.store.save(&better, &files)?;
        statement::write(&inner.store.folder(&better.id), &better)?;
    }
    Ok(())
}
