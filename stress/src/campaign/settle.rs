//! From a failing verdict to a kept finding: saved raw at once, minimised, its script
//! measured, saved again.

use super::budget::Budget;
use super::measure::measure;
use super::process::{Judged, execute, execute_again, in_one_thread, judge, scenario_ms};
use super::record::{finding, raw_output, save, threads};
use super::{Event, HuntError, Shared};
use crate::choice::Recorded;
use crate::finding::Finding;
use crate::history::History;
use crate::scenario::Scenario;
use crate::scenario::generate::fill;
use crate::scenario::minimise::minimise;
use crate::subject::Flavour;
use crate::verdict::grade::{Grade, grade};
use crate::verdict::{Kind, Verdict};
use crate::vm::job::Log;
use std::time::{Duration, Instant};

/// Data races kept of one subject.
const MOST_RACES: usize = 60;

/// The same until every subject had a few turns: an object without a lock has a dozen.
const FIRST_RACES: usize = 2;

/// A failing verdict to settle.
pub(crate) struct Case<'a> {
    pub scenario: &'a Scenario,
    pub number: usize,
    /// Larger than the user asked for: only what it is minimised to is a finding.
    pub storm: bool,
    pub judged: &'a Judged,
    pub grade: Grade,
    pub why: String,
    pub makes: &'a [String],
    pub log: &'a Log,
}

/// Settles one verdict.
pub(crate) fn settle(shared: &Shared<'_>, case: Case<'_>) -> Result<(), HuntError> {
    let verdict = &case.judged.verdict;
    let subject = case.scenario.context.subject.clone();
    let title = shared.vm.facts.title();
    let mut instead = None;
    // Panics of two places are two faults; of another kind's one is enough at a time.
    let place = match verdict.kind {
        Kind::Panic => verdict.kind.place(&verdict.detail),
        _ => "",
    };
    let key = (subject.clone(), verdict.kind, place.to_owned());
    {
        let mut inner = shared.lock();
        let operations = case.scenario.operations();
        let same = inner
            .store
            .same(&title, &subject, verdict.kind, &operations, &verdict.detail)
            .map(|f| f.id.clone());
        if let Some(id) = same {
            inner.store.seen(&id);
            let worthless = |f: &Finding| f.script.is_some_and(|r| r.hits == 0);
            let old = inner.store.findings().iter().find(|f| f.id == id);
            if !old.is_some_and(worthless) || !inner.try_again(&id) {
                return Ok(());
            }
            // Its script never hit: another sighting may give a better one.
            instead = Some(id);
        }
        // Breadth first: until every subject had a few turns, one finding of a kind is enough.
        let early = inner.state.position.0 < 3 && shared.options.subjects.len() > 1;
        let most = match case.grade {
            _ if early => 1,
            Grade::Forbidden => shared.options.keep,
            _ => shared.options.keep.min(2),
        };
        // Each signature of a race is another race; what bounds them is how many a VM has.
        let most = match verdict.kind {
            Kind::DataRace if early => FIRST_RACES,
            Kind::DataRace => MOST_RACES,
            _ => most,
        };
        let full = inner
            .store
            .full(&title, &subject, verdict.kind, &verdict.detail, most);
        if full && (early || instead.is_none()) || inner.settling.contains(&key) {
            return Ok(());
        }
        inner.settling.push(key.clone());
    }
    let result = settle_new(shared, &case, instead);
    shared.lock().settling.retain(|one| *one != key);
    result
}

/// `instead`: the finding whose place this one takes if it happens again.
fn settle_new(
    shared: &Shared<'_>,
    case: &Case<'_>,
    instead: Option<String>,
) -> Result<(), HuntError> {
    let started = Instant::now();
    let raw = finding(
        shared,
        case,
        case.scenario.clone(),
        &case.judged.verdict,
        &case.judged.history,
    );
    if !case.storm && instead.is_none() {
        save(shared, &raw, case.log)?;
        (shared.watch)(Event::Finding(&raw));
    }
    if shared.over() {
        put_off(shared, case);
        return Ok(());
    }
    let mut budget = Budget::of(shared, raw.kind, raw.grade);
    if case.storm {
        budget.minimise += Duration::from_secs(3);
    }
    let mut last: Option<(Verdict, History)> = None;
    let options = shared.options;
    let hang = matches!(raw.kind, Kind::Hang | Kind::Deadlock | Kind::ShutdownHang);
    // The first run that fails tells how long a candidate needs to show the failure.
    let mut ms = if raw.kind.ends_process() { 350 } else { 200 };
    ms = scenario_ms(shared.vm, ms);
    let unclear = raw.kind.ends_process() && in_one_thread(&case.judged.history);
    let mut fails = |candidate: &Scenario| {
        let attempts = if ms < 200 { 2 } else { 1 };
        for _ in 0..attempts {
            if shared.over() {
                return false;
            }
            let one = std::slice::from_ref(candidate);
            let start = Instant::now();
            // Nor does a race need what follows it.
            let run = if hang || raw.kind == Kind::DataRace {
                execute_again(shared.vm, candidate, options.seed, ms, options.sequential)
            } else {
                execute(shared.vm, one, options.seed, ms, options.sequential, false)
            };
            let Ok((log, complete)) = run else {
                return false;
            };
            let same = |v: &Verdict| {
                // What raced does not become what one thread does without the other.
                if v.alone && !unclear && !case.judged.verdict.alone {
                    false
                } else if raw.report.is_some() || matches!(raw.kind, Kind::Panic | Kind::Assertion)
                {
                    v.kind == raw.kind && v.kind.place(&v.detail) == v.kind.place(&raw.detail)
                } else if raw.kind.ends_process() {
                    v.kind.alike(raw.kind)
                } else {
                    v.kind == raw.kind
                }
            };
            if let Some(hit) = judge(&log, one, &complete)
                .into_iter()
                .find(|j| same(&j.verdict))
            {
                if matches!(
                    hit.verdict.kind,
                    Kind::Crash | Kind::Assertion | Kind::Fatal | Kind::Panic
                ) {
                    ms = (start.elapsed().as_millis() as u64 * 3).clamp(100, 350);
                }
                last = Some((hit.verdict, hit.history));
                return true;
            }
        }
        false
    };
    let mut shortest: Vec<&String> = case.makes.iter().collect();
    shortest.sort_by_key(|m| m.len());
    let makes: Vec<String> = shortest
        .into_iter()
        .take(2)
        .map(|m| fill(m, Flavour::Small, Flavour::Small, &mut Recorded(&[])))
        .collect();
    let minimised = minimise(
        case.scenario,
        &makes,
        2,
        shared.left(budget.minimise),
        &mut fails,
    );
    if instead.is_some() && !minimised.reproduced {
        shared.lock().minimising += started.elapsed();
        return Ok(());
    }
    let mut small = if minimised.reproduced {
        let (verdict, history) =
            last.unwrap_or((case.judged.verdict.clone(), case.judged.history.clone()));
        let mut small = finding(shared, case, minimised.scenario, &verdict, &history);
        // Fewer operations may promise more, and by itself it may turn out to need one thread only.
        (small.grade, small.why) = grade(&verdict, &small.scenario, shared.vm.no_promise());
        // Which of its faces a fault shows is chance: it keeps the worst one seen.
        small.kind = small.kind.min(raw.kind);
        small
    } else {
        raw.clone()
    };
    if options.limits.exceeded_by(&small.scenario) {
        // Its verdict is counted, and the same number and seed bring it back: `--only NUMBER`.
        shared.lock().minimising += started.elapsed();
        if shared.over() {
            put_off(shared, case);
        }
        return Ok(());
    }
    let spinning = case
        .log
        .outcome
        .as_ref()
        .and_then(|o| o.hang.as_ref())
        .is_some_and(|h| h.running > 0);
    if hang && spinning && !minimised.reproduced {
        small.grade = small.grade.max(Grade::Interesting);
        small.why =
            "threads were running and it did not happen again: a busy machine can look like this"
                .to_owned();
    }
    let mut small = Finding {
        minimised: minimised.reproduced,
        seen: 1,
        ..small
    };
    small.id = small.make_id();
    let duplicate = {
        let inner = shared.lock();
        let operations = small.scenario.operations();
        inner
            .store
            .same(
                &small.facts.title(),
                &small.subject,
                small.kind,
                &operations,
                &small.detail,
            )
            .filter(|f| f.id != raw.id && Some(&f.id) != instead.as_ref())
            .map(|f| f.id.clone())
    };
    if let Some(id) = duplicate {
        let mut inner = shared.lock();
        inner.store.remove(&raw.id);
        inner.store.seen(&id);
        inner.minimising += started.elapsed();
        return Ok(());
    }
    let (raw_text, threads) = (raw_output(case.log), threads(case.log));
    measure(
        shared,
        &mut small,
        &budget,
        &[("raw-output.txt", &raw_text), ("backtrace.txt", &threads)],
    )?;
    {
        let mut inner = shared.lock();
        inner.minimising += started.elapsed();
        // Only now, with the new one saved, may what it replaces go.
        for old in instead.iter().chain([&raw.id]) {
            if *old != small.id {
                inner.store.remove(old);
            }
        }
    }
    (shared.watch)(Event::Finding(&small));
    Ok(())
}

/// The time is over or the user has interrupted: a storm of which nothing is saved yet runs first
/// when the hunt is taken up again.
fn put_off(shared: &Shared<'_>, case: &Case<'_>) {
    if case.storm {
        let again = (case.scenario.context.subject.clone(), case.number);
        shared.lock().state.pending.push(again);
    }
}
