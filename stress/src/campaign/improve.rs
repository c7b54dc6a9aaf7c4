//! Better scripts for findings whose scripts seldom hit, in time that the hunt has left over: smaller ones of those
//! that hit, more and other tries for those that never did.

use super::budget::Budget;
use super::measure::{Measured, measure};
use super::trace::{self, Untraced};
use super::{HuntError, Shared, smaller};
use crate::finding::store::SCRIPT;
use crate::finding::{Finding, Rate};
use crate::scenario::tuning::Tuning;
use crate::triage::improve::{SHARE, adopted, improve, ways};
use crate::triage::{rank, statement};
use crate::verdict::grade::{Grade, grade};
use crate::verdict::{ALONE, Verdict};
use std::time::{Duration, Instant};

/// Time of the second chance of a script that has not hit; each further one is twice as long.
const AGAIN: Duration = Duration::from_secs(2);

/// Time that is kept for each such script.
pub(super) const SECOND_CHANCE: Duration = Duration::from_secs(4);

/// The ways of a script that are tried one after another lie so far apart in their list, in which those of one knob
/// lie together.
const STEP: usize = 5;

/// What ending a run takes at most beside its time.
const ENDING: Duration = Duration::from_secs(1);

/// Makes findings smaller that are large, gives scripts that have not hit more and longer runs, as they are and in
/// other ways in turn, until all have, then improves scripts, the worst findings' first, for at most `most` and not
/// beyond the hunt's end.
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
    let left = || shared.left(most.saturating_sub(began.elapsed()));
    let large = worst_first(shared, smaller::is_large);
    let silent = worst_first(shared, never_hit).len() as u32;
    for (done, finding) in large.iter().enumerate() {
        // What is left is shared out, the silent ones' part once.
        let share = left() / (large.len() - done) as u32 / if silent > 0 { 2 } else { 1 };
        if let Some(small) = smaller::one(shared, finding, share.min(smaller::MOST))? {
            keep(shared, small)?;
        }
    }
    let mut time = AGAIN;
    for round in 0.. {
        let silent = worst_first(shared, never_hit);
        if silent.is_empty() {
            break;
        }
        for finding in silent {
            if left() < time + ENDING {
                return Ok(());
            }
            match other_way(&finding, round) {
                Some(other) => {
                    if let Some(better) = in_another_way(shared, &finding, other, time)? {
                        keep(shared, better)?;
                    }
                }
                None => again(shared, &finding, time)?,
            }
        }
        if round % 2 == 1 {
            time *= 2;
        }
    }
    let weak = worst_first(shared, is_weak);
    let count = weak.len() as u32;
    for (done, finding) in weak.into_iter().enumerate() {
        let share = left() / (count - done as u32);
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

/// Every second round a script is run in another way than before; `None`: as it is.
fn other_way(finding: &Finding, round: usize) -> Option<Tuning> {
    let from = finding.tuning.clone().unwrap_or_default();
    let ways = ways(finding, &from);
    let at = round / 2 * STEP % ways.len().max(1);
    ways.into_iter().nth(at).filter(|_| round % 2 == 1)
}

/// What a script run in another way comes to, where it hits: a second run of it says whether that was luck.
fn in_another_way(
    shared: &Shared<'_>,
    finding: &Finding,
    way: Tuning,
    time: Duration,
) -> Result<Option<Measured>, HuntError> {
    let other = Finding {
        tuning: Some(way),
        ..finding.clone()
    };
    let budget = |runs| Budget {
        minimise: Duration::ZERO,
        script_seconds: time.as_secs_f64(),
        script_runs: runs,
        thorough: false,
    };
    let mut measured = measure(shared, other, &budget(1))?;
    let Some(first) = measured.finding.script.filter(|rate| rate.hits > 0) else {
        return Ok(None);
    };
    if let Some(second) = measure(shared, measured.finding.clone(), &budget(1))?
        .finding
        .script
    {
        let seconds = |r: Rate| r.mean_seconds * f64::from(r.hits);
        let hits = first.hits + second.hits;
        measured.finding.script = Some(Rate {
            hits,
            runs: first.runs + second.runs,
            mean_seconds: (seconds(first) + seconds(second)) / f64::from(hits),
            ..first
        });
    }
    Ok(Some(measured))
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
    let mut better = measured;
    better.finding.script = Some(Rate {
        runs: before.runs + now.runs,
        ..now
    });
    keep(shared, better)
}

/// Keeps a finding whose script ran again.
fn keep(shared: &Shared<'_>, measured: Measured) -> Result<(), HuntError> {
    let mut better = measured.finding;
    if better.hits() {
        seen_again(shared, &mut better);
    }
    let script = better.script_text();
    let mut files = vec![(SCRIPT, script.as_str())];
    if better.hits() {
        files.push(("output.txt", measured.output.as_str()));
    }
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
        let mut inner = shared.lock();
        inner
            .store
            .save(&better, &[(SCRIPT, &better.script_text())])?;
        statement::write(&inner.store.folder(&better.id), &better)?;
    }
    Ok(())
}
