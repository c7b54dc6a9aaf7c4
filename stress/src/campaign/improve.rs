//! Better scripts for findings whose scripts seldom hit, in time that the hunt has left over.

use super::budget::Budget;
use super::measure::measure;
use super::trace::{self, Untraced};
use super::{HuntError, Shared};
use crate::finding::{Finding, Rate};
use crate::triage::improve::{SHARE, adopted, improve};
use crate::triage::{rank, statement};
use crate::verdict::grade::{Grade, grade};
use crate::verdict::{ALONE, Verdict};
use std::time::{Duration, Instant};

/// Time of the second chance of a script that has not hit; each further one is twice as long.
const AGAIN: Duration = Duration::from_secs(2);

/// Time that is kept for each such script.
pub(super) const SECOND_CHANCE: Duration = Duration::from_secs(4);

/// What ending a run takes at most beside its time.
const ENDING: Duration = Duration::from_secs(1);

/// Gives scripts that have not hit more runs until all have, then improves scripts, the worst findings'
/// first, for at most `most` and not beyond the hunt's end.
pub(super) fn run(shared: &Shared<'_>, most: Duration) {
    // A hunt without a time limit promises no time either.
    if shared.deadline.is_none() {
        return;
    }
    if let Err(error) = scripts(shared, most) {
        shared.lock().error.get_or_insert(error);
    }
}

fn scripts(shared: &Shared<'_>, most: Duration) -> Result<(), HuntError> {
    let began = Instant::now();
    let mut time = AGAIN;
    loop {
        let silent = worst_first(shared, never_hit);
        if silent.is_empty() {
            break;
        }
        for finding in silent {
            if shared.left(most.saturating_sub(began.elapsed())) < time + ENDING {
                return Ok(());
            }
            again(shared, &finding, time)?;
        }
        time *= 2;
    }
    let weak = worst_first(shared, is_weak);
    let count = weak.len() as u32;
    for (done, finding) in weak.into_iter().enumerate() {
        let left = shared.left(most.saturating_sub(began.elapsed()));
        let share = left / (count - done as u32);
        // Less says nothing about a script that seldom hits.
        if shared.over() || share < Duration::from_secs(5) {
            break;
        }
        one(shared, &finding, share)?;
    }
    Ok(())
}

/// The findings of which this holds.
fn worst_first(shared: &Shared<'_>, holds: fn(&Shared<'_>, &Finding) -> bool) -> Vec<Finding> {
    let inner = shared.lock();
    let findings = inner.store.findings().iter();
    let mut all: Vec<Finding> = findings.filter(|f| holds(shared, f)).cloned().collect();
    all.sort_by(|a, b| rank(a).cmp(&rank(b)));
    all
}

/// A finding of this VM whose script was run and has not hit yet.
pub(super) fn never_hit(shared: &Shared<'_>, finding: &Finding) -> bool {
    finding.facts.title() == shared.vm.facts.title()
        && finding.script.is_some_and(|rate| rate.hits == 0)
}

/// One more run of a script, for longer; it counts beside those before.
fn again(shared: &Shared<'_>, finding: &Finding, time: Duration) -> Result<(), HuntError> {
    let budget = Budget {
        minimise: Duration::ZERO,
        script_seconds: time.as_secs_f64(),
        script_runs: 1,
        thorough: false,
    };
    let measured = measure(shared, finding.clone(), &budget)?;
    let (Some(before), Some(now)) = (finding.script, measured.finding.script) else {
        return Ok(());
    };
    let mut better = measured.finding;
    better.script = Some(Rate {
        runs: before.runs + now.runs,
        ..now
    });
    if now.hits > 0 {
        seen_again(shared, &mut better);
    }
    let files = if now.hits > 0 {
        vec![("output.txt", measured.output.as_str())]
    } else {
        Vec::new()
    };
    {
        let mut inner = shared.lock();
        inner.store.save(&better, &files)?;
        statement::write(&inner.store.folder(&better.id), &better)?;
    }
    match measured.core {
        None => Ok(()),
        core => trace::one(
            shared,
            &Untraced {
                id: better.id,
                core,
            },
        ),
    }
}

/// What was seen once is seen again: its grade is that of its failure, and a pair is as small as it gets.
fn seen_again(shared: &Shared<'_>, finding: &mut Finding) {
    if finding.minimised {
        return;
    }
    finding.minimised = finding.scenario.calls().count() == 2;
    if !finding.kind.ends_process() && finding.bytecode.is_none() {
        let verdict = Verdict {
            outcome: finding.outcome.clone().map(|(text, _)| text),
            report: finding.report.clone(),
            alone: finding.detail.starts_with(ALONE),
            ..Verdict::new(finding.kind, finding.detail.clone())
        };
        let graded = grade(&verdict, &finding.scenario, shared.vm.no_promise());
        if graded.0 != Grade::Accepted {
            (finding.grade, finding.why) = graded;
        }
    }
}

/// A finding of this VM whose script was run and hit in fewer runs than wanted.
fn is_weak(shared: &Shared<'_>, finding: &Finding) -> bool {
    let seldom = |r: Rate| f64::from(r.hits) < SHARE * f64::from(r.runs);
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
