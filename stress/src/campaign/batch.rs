//! One batch of the hunt: a few scenarios of one subject, run in a process, judged and handed on.

use super::again::verdicts;
use super::archive::{self, Saved};
use super::case::{Case, Evidence};
use super::learn::FIRST_MUTANT;
use super::process::{Judged, execute, judge, scenario_ms};
use super::state::Batch;
use super::support::{self, Supported};
use super::{Event, HuntError, Shared, explain, sanitized, settle};
use crate::oracle::{self, poison};
use crate::scenario::company::environment;
use crate::scenario::{Scenario, generate};
use crate::subject::Subject;
use crate::verdict::grade::{Grade, grade};
use crate::verdict::{Kind, from_outside};
use crate::vm::child::{End, interrupted};
use crate::vm::job::Log;
use std::time::Instant;

/// Runs one batch of the hunt and settles what it shows: a process for all scenarios that it may be started
/// alike for.
pub(crate) fn run(shared: &Shared<'_>, batch: &Batch) -> Result<(), HuntError> {
    let start = Instant::now();
    let Some(supported) = supported(shared, batch)? else {
        return Ok(());
    };
    let options = shared.options;
    // The thread sanitizer sees a race of two operations whenever both run; a storm of all of them
    // gives a dozen reports at once, each of which takes minutes to trace to its operations.
    // Under control a storm is a window of thousands of steps, of which schedules reach next to nothing.
    let storms =
        !shared.vm.facts.sanitized("thread") && options.control.is_none() || options.only.is_some();
    let (numbers, scenarios): (Vec<usize>, Vec<Scenario>) = batch
        .numbers
        .iter()
        .filter_map(|&k| Some((k, scenario(shared, &supported.subject, k)?)))
        .filter(|(_, scenario)| storms || !options.limits.exceeded_by(scenario))
        .map(|(k, scenario)| (k, in_company(shared, scenario)))
        .unzip();
    let mut alike: Vec<(Batch, Vec<Scenario>)> = Vec::new();
    for (k, scenario) in numbers.into_iter().zip(scenarios) {
        let wants = environment(&scenario.company);
        match alike
            .iter_mut()
            .find(|(_, s)| environment(&s[0].company) == wants)
        {
            Some((batch, scenarios)) => {
                batch.numbers.push(k);
                scenarios.push(scenario);
            }
            None => alike.push((
                Batch {
                    numbers: vec![k],
                    ..*batch
                },
                vec![scenario],
            )),
        }
    }
    let mut start = Some(start);
    for (batch, scenarios) in alike {
        // What was tried of the subject before counts for the first.
        let start = start.take().unwrap_or_else(Instant::now);
        process(shared, &batch, &scenarios, &supported, start)?;
    }
    Ok(())
}

/// The scenario of this number; `None` for a mutant that is nowhere kept.
fn scenario(shared: &Shared<'_>, subject: &Subject, k: usize) -> Option<Scenario> {
    let options = shared.options;
    if k < FIRST_MUTANT {
        return Some(generate::nth(subject, options.seed, k, options.limits));
    }
    let inner = shared.lock();
    inner.learning.as_ref()?.mutant(&subject.name, k)
}

/// A scenario in the company that the user asks for. A sanitizer would report the company's own races.
fn in_company(shared: &Shared<'_>, mut scenario: Scenario) -> Scenario {
    if let Some(company) = &shared.options.company {
        scenario.company.clone_from(company);
    }
    // Under control nothing runs beside.
    if !shared.vm.facts.sanitizers.is_empty() || shared.options.control.is_some() {
        scenario.company.clear();
    }
    scenario
}

/// Runs scenarios in one process and settles what it shows.
fn process(
    shared: &Shared<'_>,
    batch: &Batch,
    scenarios: &[Scenario],
    supported: &Supported,
    start: Instant,
) -> Result<(), HuntError> {
    let options = shared.options;
    let subject = &options.subjects[batch.subject];
    let debugger = {
        let (inner, title) = (shared.lock(), shared.vm.facts.title());
        let known = |kind| inner.store.count(&title, &subject.name, kind) > 0;
        let stands = |case: &Case| case.failure().kind.stands_still();
        let hangs_known =
            known(Kind::Hang) || known(Kind::Deadlock) || inner.waiting.has(&subject.name, stands);
        // Of a large VM it takes longer than the turn of another subject.
        let enough = shared.early(&inner) && inner.taken_apart >= FIRST_TAKEN_APART;
        !hangs_known && !enough
    };
    let ms = scenario_ms(shared.vm, options.scenario_ms);
    let log = shared.execute(scenarios, ms, debugger)?;
    if log.end() == End::Hang && debugger {
        shared.lock().taken_apart += 1;
    }
    if log.end() == End::Interrupted {
        put_back(shared, batch, 0);
        return Ok(());
    }
    let gil_after = log.facts.get("gil_after").map(String::as_str);
    if gil_after == Some("True") && !shared.vm.facts.has_gil() {
        let reason = "importing it turned the GIL on, so nothing of it ran at once; declare the module \
                      Py_MOD_GIL_NOT_USED, or set PYTHON_GIL=0";
        skip(shared, subject, reason);
        return Ok(());
    }
    let judged = judge(&log, scenarios);
    // Where it cannot be written, what the process showed is settled all the same.
    let saved = save(shared, batch, scenarios, &log, &judged);
    learn(shared, batch, scenarios, &log, &judged, start)?;
    {
        let mut inner = shared.lock();
        inner.state.processes += 1;
        if let Some(who) = log.outcome.as_ref().and_then(from_outside) {
            *inner.state.outside.entry(who).or_default() += 1;
        }
        let totals = inner.state.of(subject);
        for history in &log.histories {
            totals.scenarios += 1;
            totals.unsupported += u64::from(history.unsupported.is_some());
            totals.runs += history.runs;
            totals.sampled += history.sampled;
            totals.overlapped += history.overlapped;
            totals.slot_turns += history.slot_turns;
            let (excused, contention) = oracle::excused(history);
            totals.excused += excused;
            totals.contention += contention;
            totals.undecided += history.undecided.len() as u64;
            let judged = scenarios
                .get(history.id)
                .and_then(|s| oracle::is_judged(history, s, &|_| false));
            totals.observed += u64::from(judged.is_some());
            totals.judged += u64::from(judged == Some(true));
        }
    }
    // Whatever did not begin because the process died is run next. A process that dies before
    // its first scenario begins is counted against that scenario, or it would come back for ever.
    put_back(shared, batch, log.histories.len().max(1));
    for one in judged {
        let scenario = &scenarios[one.index.min(scenarios.len() - 1)];
        if !sanitized::is_told(shared, &one.verdict) {
            continue;
        }
        let one = proved(shared, scenario, one)?;
        let (mut grade, mut why) = grade(&one.verdict, scenario, shared.vm.no_promise());
        let mut one = one;
        if grade == Grade::Accepted
            && let Some(raised) = explain::accepted(shared, scenario, &one)?
        {
            (one, grade, why) = raised;
        }
        {
            let mut inner = shared.lock();
            let totals = inner.state.of(subject);
            if grade == Grade::Accepted {
                totals.accepted += one.verdict.count;
                continue;
            }
            *totals
                .verdicts
                .entry(one.verdict.kind.name().to_owned())
                .or_default() += 1;
        }
        let number = batch.numbers[one.index.min(batch.numbers.len() - 1)];
        let makes = &supported.subject.make;
        settle::settle(
            shared,
            Case {
                scenario: scenario.clone(),
                number,
                storm: options.limits.exceeded_by(scenario),
                judged: one,
                grade,
                why,
                put_back: false,
                makes: makes.clone(),
                evidence: Evidence::of(&log),
            },
        )?;
    }
    saved
}

/// Hangs that are taken apart with a debugger while subjects wait for their first turn.
const FIRST_TAKEN_APART: u32 = 2;

/// Runs with poisoned memory of one subject at most: where nothing proves it three times, what looks
/// like memory that nobody wrote is what the operations make.
const MOST_POISONED: u64 = 3;

/// Milliseconds of such a run.
const POISONED_MS: u64 = 600;

/// Puts a verdict to the proof whose outcome looks like memory that nobody wrote: with poison the same
/// scenario tells it, or it is an outcome as any other.
fn proved(shared: &Shared<'_>, scenario: &Scenario, one: Judged) -> Result<Judged, HuntError> {
    let outcome = one.verdict.outcome.as_deref();
    let looks = outcome.is_some_and(|o| poison::suspicious(o, &one.history.sequential));
    // With poison in its environment a schedule would be another.
    let controlled = shared.options.control.is_some();
    if !looks || controlled || shared.vm.facts.implementation != "cpython" || shared.over() {
        return Ok(one);
    }
    {
        let mut inner = shared.lock();
        let totals = inner.state.of_name(&scenario.context.subject);
        if totals.poisoned >= MOST_POISONED {
            return Ok(one);
        }
        totals.poisoned += 1;
    }
    let vm = poison::vm(shared.vm);
    let (only, seed) = (std::slice::from_ref(scenario), shared.options.seed);
    let ms = scenario_ms(&vm, POISONED_MS);
    let log = execute(&vm, only, seed, ms, shared.options.sequential, false)?;
    let unwritten = |j: &Judged| j.verdict.kind == Kind::Uninitialised;
    let proof = judge(&log, only).into_iter().find(unwritten);
    Ok(proof.map_or(one.clone(), |proof| Judged {
        index: one.index,
        ..proof
    }))
}

/// Saves what the process left and what is made of it.
fn save(
    shared: &Shared<'_>,
    batch: &Batch,
    scenarios: &[Scenario],
    log: &Log,
    judged: &[Judged],
) -> Result<(), HuntError> {
    let Some(outcome) = log.outcome.clone() else {
        return Ok(());
    };
    if !shared.lock().archive.is_kept() {
        return Ok(());
    }
    let given = |_: &Log, _: &[Scenario]| judged.to_vec();
    let saved = Saved {
        schema: archive::SCHEMA,
        facts: shared.vm.facts.clone(),
        seed: shared.options.seed,
        numbers: batch.numbers.clone(),
        verdicts: verdicts(&given, log, scenarios, shared.vm.no_promise()),
        scenarios: scenarios.to_vec(),
        outcome,
    };
    // Without the lock: it takes a while.
    let packed = saved.packed();
    let mut inner = shared.lock();
    let dropped = inner.archive.add(&packed, saved.is_failing())?;
    inner.state.dropped_histories += dropped;
    inner.state.saved_histories = inner.archive.saved();
    Ok(())
}

/// With feedback: takes in what the process showed. Outcomes that are accepted are no failures.
fn learn(
    shared: &Shared<'_>,
    batch: &Batch,
    scenarios: &[Scenario],
    log: &Log,
    judged: &[Judged],
    start: Instant,
) -> Result<(), HuntError> {
    let fails = |j: &&Judged| {
        let scenario = &scenarios[j.index.min(scenarios.len() - 1)];
        grade(&j.verdict, scenario, shared.vm.no_promise()).0 != Grade::Accepted
    };
    let inner = &mut *shared.lock();
    let Some(learning) = &mut inner.learning else {
        return Ok(());
    };
    let failing: Vec<&Judged> = judged.iter().filter(fails).collect();
    let (state, seconds) = (&mut inner.state, start.elapsed().as_secs_f64());
    learning.take(state, &batch.numbers, scenarios, log, &failing, seconds)?;
    Ok(())
}

fn skip(shared: &Shared<'_>, subject: &Subject, reason: &str) {
    shared.lock().state.of(subject).skipped = Some(reason.to_owned());
    if subject.generic {
        return; // what introspection cannot build is in the state, and no news
    }
    (shared.watch)(Event::Skipped {
        subject: &subject.name,
        reason,
    });
}

/// The subject as this VM supports it; `None` when it is skipped.
fn supported(shared: &Shared<'_>, batch: &Batch) -> Result<Option<Supported>, HuntError> {
    let subject = &shared.options.subjects[batch.subject];
    if let Some(known) = shared.lock().support.get(&subject.name) {
        return Ok(Some(known.clone()));
    }
    let supported = support::of(shared.vm, subject)?;
    if interrupted() {
        // What was interrupted says nothing about the subject.
        put_back(shared, batch, 0);
        return Ok(None);
    }
    let lacking = supported.lacking.clone();
    shared.lock().state.of(subject).lacking = lacking;
    if let Some(reason) = &supported.skipped {
        skip(shared, subject, reason);
        return Ok(None);
    }
    shared
        .lock()
        .support
        .insert(subject.name.clone(), supported.clone());
    Ok(Some(supported))
}

fn put_back(shared: &Shared<'_>, batch: &Batch, begun: usize) {
    let name = &shared.options.subjects[batch.subject].name;
    let rest = batch.numbers.iter().skip(begun).map(|&k| (name.clone(), k));
    shared.lock().state.pending.extend(rest);
}
