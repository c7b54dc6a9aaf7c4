//! Asks of bytecodes what no order of operations gives: whose fault a finding is, and what of the accepted
//! outcomes is the VM's.

use super::case::Case;
use super::process::Judged;
use super::{HuntError, Shared};
use crate::bytecode::{Answer, Budget, Explanation, Goal, Told, explain, explain_one, owner};
use crate::finding::Finding;
use crate::history::History;
use crate::oracle::{self, Nature};
use crate::scenario::Scenario;
use crate::verdict::grade::{Grade, seen_once};
use crate::verdict::{Kind, Verdict};
use std::time::{Duration, Instant};

/// Seconds of the search for one finding.
const FOR_A_FINDING: f64 = 3.0;

/// Seconds of the search for the accepted outcomes of one scenario.
const FOR_ACCEPTED: f64 = 0.5;

/// Outcomes of one scenario that are asked about together.
const TOGETHER: usize = 8;

/// Scenarios of one subject whose accepted outcomes are asked about: the first in their order, which the
/// seed fixes.
const OF_A_SUBJECT: u64 = 6;

/// A part of the hunt's time: asking about accepted outcomes takes no more.
const SHARE: u32 = 20;

/// Whether this VM is asked at all: under a sanitizer the search would report for itself.
fn asks(shared: &Shared<'_>) -> bool {
    shared.vm.facts.sanitizers.is_empty() && !shared.over()
}

/// The finding with its owner, and the grade that follows.
pub(super) fn told(
    shared: &Shared<'_>,
    case: &Case,
    mut finding: Finding,
) -> Result<Finding, HuntError> {
    let outcome = finding.outcome.as_ref().map(|(text, _)| text.as_str());
    let asked = asks(shared) && finding.scenario.is_of_one_object();
    let Some(goal) = Goal::of(finding.kind, &finding.detail, outcome).filter(|_| asked) else {
        if finding.grade == Grade::Accepted {
            // It was asked about as it was first seen.
            (finding.grade, finding.why) = (case.grade, case.why.clone());
        }
        return Ok(finding);
    };
    let budget = Budget {
        seconds: FOR_A_FINDING,
        ..Budget::default()
    };
    let found = explain_one(shared.vm, &finding.scenario, &goal, &budget)?;
    let answer = &found.answers[0];
    finding.bytecode = Some(Told::of(answer));
    if shared.vm.no_promise().is_none() {
        regrade(case, &mut finding, &found, answer);
    }
    Ok(finding)
}

fn regrade(case: &Case, finding: &mut Finding, found: &Explanation, answer: &Answer) {
    let graded = match finding.kind {
        Kind::Deadlock | Kind::Internal | Kind::Corrupt => owner::by_itself(finding.kind, answer),
        _ => Some(owner::grade(&finding.scenario, &found.code, answer)),
    };
    let Some((grade, why)) = graded else {
        return;
    };
    if grade == Grade::Accepted {
        // What was seen first was no accepted outcome, and this one is of fewer operations.
        finding.grade = case.grade.max(Grade::Interesting);
        finding.why = format!(
            "{why}; the scenario in which it was first seen: {}",
            case.why
        );
    } else {
        (finding.grade, finding.why) = (grade, why);
    }
    // What was seen once stays that, whoever could have done it.
    if let Some(rate) = finding.script
        && let Some(doubt) = seen_once(
            finding.kind,
            finding.grade,
            finding.minimised,
            rate.hits,
            rate.runs,
        )
    {
        (finding.grade, finding.why) = doubt;
    }
}

/// The accepted outcomes of a scenario, asked of its bytecodes. What none of their orders gives and
/// nothing excuses comes back as a verdict with its grade.
pub(super) fn accepted(
    shared: &Shared<'_>,
    scenario: &Scenario,
    one: &Judged,
) -> Result<Option<(Judged, Grade, String)>, HuntError> {
    let outcomes = open(&one.history, scenario);
    let asked = asks(shared) && scenario.is_of_one_object();
    if outcomes.is_empty() || !asked || !turn(shared, scenario) {
        return Ok(None);
    }
    let goals: Vec<Goal> = outcomes
        .iter()
        .map(|(o, _)| Goal::Outcome(o.clone()))
        .collect();
    let budget = Budget {
        seconds: FOR_ACCEPTED,
        ..Budget::default()
    };
    let started = Instant::now();
    let found = explain(shared.vm, scenario, &goals, &budget)?;
    count(shared, scenario, one, &found, started.elapsed());
    let graded = |(at, answer): (usize, &Answer)| {
        let (grade, why) = owner::grade(scenario, &found.code, answer);
        (grade != Grade::Accepted).then_some((at, grade, why))
    };
    let Some((at, grade, why)) = found.answers.iter().enumerate().find_map(graded) else {
        return Ok(None);
    };
    let (outcome, count) = outcomes[at].clone();
    let verdict = Verdict {
        detail: format!("no order gives {outcome}"),
        outcome: Some(outcome),
        count,
        ..one.verdict.clone()
    };
    let judged = Judged {
        verdict,
        ..one.clone()
    };
    Ok(Some((judged, grade, why)))
}

/// Outcomes that no order of operations gives, the first ones.
fn open(history: &History, scenario: &Scenario) -> Vec<(String, u64)> {
    oracle::unexplained(history, &scenario.raises())
        .into_iter()
        .filter(|u| u.nature == Nature::Order)
        .map(|u| (u.outcome, u.count))
        .take(TOGETHER)
        .collect()
}

/// Whether there is time to ask, and the subject was not asked about enough.
fn turn(shared: &Shared<'_>, scenario: &Scenario) -> bool {
    let mut inner = shared.lock();
    let spent = inner.asking;
    let running = Duration::from_secs_f64(inner.state.running_seconds);
    let totals = inner.state.of_name(&scenario.context.subject);
    if totals.asked_scenarios >= OF_A_SUBJECT || spent * SHARE > running + Duration::from_secs(30) {
        return false;
    }
    totals.asked_scenarios += 1;
    true
}

fn count(
    shared: &Shared<'_>,
    scenario: &Scenario,
    one: &Judged,
    found: &Explanation,
    took: Duration,
) {
    let decided = |outcome: &str| {
        let outcomes = open(&one.history, scenario);
        let at = outcomes.iter().position(|(o, _)| o == outcome);
        at.and_then(|at| found.answers.get(at))
            .is_some_and(|a| owner::Owner::of(a) != owner::Owner::Undecided)
    };
    let before = oracle::is_judged(&one.history, scenario, &|_| false);
    let now = oracle::is_judged(&one.history, scenario, &decided);
    let mut inner = shared.lock();
    inner.asking += took;
    let totals = inner.state.of_name(&scenario.context.subject);
    totals.judged += u64::from(before == Some(false) && now == Some(true));
    for answer in &found.answers {
        let owner = owner::Owner::of(answer);
        *totals.asked.entry(owner).or_default() += 1;
    }
}
