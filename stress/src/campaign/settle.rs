//! From a failing verdict to a kept finding: saved raw at once, minimised, its script
//! measured, its backtrace taken, saved again.

use super::batch::{execute, execute_again, in_one_thread, judge};
use super::{Event, HuntError, Shared};
use crate::choice::Recorded;
use crate::finding::{Finding, Rate, SCHEMA, reproduce};
use crate::history::History;
use crate::scenario::Scenario;
use crate::scenario::generate::{Limits, fill};
use crate::scenario::minimise::minimise;
use crate::subject::Flavour;
use crate::verdict::grade::{Grade, grade};
use crate::verdict::{Kind, Verdict, stack, waits};
use crate::vm::Vm;
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
    pub judged: &'a super::batch::Judged,
    pub grade: Grade,
    pub why: String,
    pub makes: &'a [String],
    pub log: &'a Log,
}

/// How long the steps of settling may take.
struct Budget {
    minimise: Duration,
    script_seconds: f64,
    script_runs: u32,
}

/// Whether two kinds may be the same fault seen twice: heap corruption ends by one signal
/// or another, as a fatal error, or as an endless loop.
pub fn alike(a: Kind, b: Kind) -> bool {
    let class = |k: Kind| match k {
        Kind::Crash | Kind::Assertion | Kind::Fatal | Kind::Exit => 1,
        Kind::Hang | Kind::Deadlock => 2,
        Kind::ShutdownCrash | Kind::ShutdownHang => 3,
        other => 10 + other as u8,
    };
    class(a) == class(b)
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
    let mut budget = budget(shared, raw.kind, raw.grade);
    if case.storm {
        budget.minimise += Duration::from_secs(3);
    }
    let mut last: Option<(Verdict, History)> = None;
    let options = shared.options;
    let hang = matches!(raw.kind, Kind::Hang | Kind::Deadlock | Kind::ShutdownHang);
    // The first run that fails tells how long a candidate needs to show the failure.
    let mut ms = if raw.kind.ends_process() { 350 } else { 200 };
    ms = super::batch::scenario_ms(shared.vm, ms);
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
                    alike(v.kind, raw.kind)
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

/// Runs the script of a finding, saves what it shows, and asks for the backtrace of a crash.
fn measure(
    shared: &Shared<'_>,
    small: &mut Finding,
    budget: &Budget,
    seen: &[(&str, &str)],
) -> Result<(), HuntError> {
    shared
        .lock()
        .store
        .save(small, &[("repro.py", &small.script_text())])?;
    let script = shared.lock().store.folder(&small.id).join("repro.py");
    let mut output = String::new();
    if !shared.over() {
        let (rate, attempts) = reproduce::rate(
            shared.vm,
            &script,
            &*small,
            budget.script_runs,
            budget.script_seconds,
            true,
        )?;
        if let Some(attempt) = attempts.iter().find(|a| a.hit).or(attempts.first()) {
            output = ends_of(&format!(
                "{}\n--- stderr ---\n{}",
                attempt.outcome.stdout.join("\n"),
                attempt.outcome.stderr
            ));
        }
        if small.kind == Kind::Panic {
            let hit = attempts.iter().find(|a| a.hit);
            let frames = hit.map(|a| stack::panic_frames(&a.outcome.stderr));
            small.frames = frames.into_iter().flatten().take(5).collect();
        }
        // Interrupted before any run ended: nothing is known.
        small.script = (rate.runs > 0).then_some(rate);
    }
    let mut files = vec![("output.txt", output.as_str())];
    files.extend(seen.iter().filter(|(_, text)| !text.is_empty()));
    let report = small.report.as_ref().map(|r| r.text(usize::MAX));
    files.extend(report.as_deref().map(|text| ("report.txt", text)));
    let mut inner = shared.lock();
    inner.store.save(small, &files)?;
    if small.wants_backtrace() {
        inner.untraced.push_back(small.id.clone());
    }
    Ok(())
}

/// Less time for each finding when minimising has taken much of the hunt, never none.
fn budget(shared: &Shared<'_>, kind: Kind, grade: Grade) -> Budget {
    let spent = shared.lock().minimising.as_secs_f64() / shared.options.jobs as f64;
    let elapsed = shared.deadline.map_or(f64::MAX, |d| {
        let total = shared.options.time.unwrap_or_default();
        (total.saturating_sub(d.saturating_duration_since(Instant::now()))).as_secs_f64()
    });
    let late = spent > 10.0 + elapsed * 0.4;
    let hang = matches!(kind, Kind::Hang | Kind::Deadlock | Kind::ShutdownHang);
    // The process alone takes seconds there.
    let slow = f64::from(shared.vm.facts.slowness().div_ceil(4));
    // Breadth first: while most subjects have not had their first turn, time is theirs.
    let early = shared.lock().state.position.0 == 0 && shared.options.subjects.len() > 1;
    let minimise = match grade {
        _ if late || early => 2.0,
        Grade::Interesting => 2.0,
        _ => 3.0,
    };
    // A race shows at its first turn or after a few, and the process goes on to its time's end.
    let race = kind == Kind::DataRace;
    let script_runs = if late || hang || race { 1 } else { 3 };
    let script_seconds = if late || hang { 2.0 } else { 3.0 };
    let script_seconds = if race {
        script_seconds
    } else {
        script_seconds * slow
    };
    Budget {
        minimise: Duration::from_secs_f64(minimise * slow),
        script_seconds,
        script_runs,
    }
}

fn finding(
    shared: &Shared<'_>,
    case: &Case<'_>,
    scenario: Scenario,
    verdict: &Verdict,
    history: &History,
) -> Finding {
    let mut explained: Vec<(String, u64)> = history
        .outcomes
        .iter()
        .filter(|(o, _)| history.sequential.contains(o))
        .cloned()
        .collect();
    for outcome in &history.sequential {
        if !explained.iter().any(|(o, _)| o == outcome) {
            explained.push((outcome.clone(), 0));
        }
    }
    let mut finding = Finding {
        schema: SCHEMA,
        id: String::new(),
        kind: verdict.kind,
        grade: case.grade,
        why: case.why.clone(),
        detail: verdict.detail.clone(),
        subject: scenario.context.subject.clone(),
        frames: Vec::new(),
        scenario,
        vm: shared.vm.spec.clone(),
        facts: shared.vm.facts.clone(),
        seed: shared.options.seed,
        number: case.number,
        outcome: verdict.outcome.clone().map(|o| (o, verdict.count)),
        explained,
        minimised: false,
        script: None::<Rate>,
        seen: 1,
        tuning: None,
        report: verdict.report.clone(),
    };
    finding.id = finding.make_id();
    finding
}

/// Bytes of output kept of each end of a text.
const END: usize = 32 << 10;

/// The beginning and the end of a text: a store of many findings must not fill a disk.
fn ends_of(text: &str) -> String {
    if text.len() <= 2 * END {
        return text.to_owned();
    }
    let (head, tail) = (
        text.floor_char_boundary(END),
        text.ceil_char_boundary(text.len() - END),
    );
    format!(
        "{}\n… {} bytes left out …\n{}",
        &text[..head],
        tail - head,
        &text[tail..]
    )
}

/// What the process printed, and the backtrace of a hang; lines of absurd length are cut.
fn raw_output(log: &Log) -> String {
    let Some(outcome) = &log.outcome else {
        return String::new();
    };
    let hang = outcome.hang.as_ref().map_or("", |h| h.backtrace.as_str());
    let text = format!(
        "{}\n--- stderr ---\n{}\n{hang}",
        outcome.stdout.join("\n"),
        outcome.stderr
    );
    let cut = |line: &str| line.chars().take(400).collect::<String>();
    ends_of(&text.lines().map(cut).collect::<Vec<_>>().join("\n"))
}

/// Every thread of a hung process; empty for other ends.
fn threads(log: &Log) -> String {
    let hang = log.outcome.as_ref().and_then(|o| o.hang.as_ref());
    hang.map_or_else(String::new, |h| {
        waits::table(&waits::read(&h.backtrace, log.stderr()))
    })
}

/// Saves a finding as it was seen, with the raw output of the process.
fn save(shared: &Shared<'_>, finding: &Finding, log: &Log) -> Result<(), HuntError> {
    let (script, raw, threads) = (finding.script_text(), raw_output(log), threads(log));
    let mut files = vec![
        ("repro.py", script.as_str()),
        ("raw-output.txt", raw.as_str()),
    ];
    if !threads.is_empty() {
        files.push(("backtrace.txt", threads.as_str()));
    }
    shared.lock().store.save(finding, &files)?;
    Ok(())
}

/// Runs one scenario alone, as the minimiser does; for tools and tests.
pub fn run_alone(
    vm: &Vm,
    scenario: &Scenario,
    seed: u64,
    ms: u64,
) -> Result<Vec<super::batch::Judged>, crate::vm::VmError> {
    let one = std::slice::from_ref(scenario);
    let (log, complete) = execute(vm, one, seed, ms, false, true)?;
    Ok(judge(&log, one, &complete))
}

/// Default size of generated scenarios.
pub const SIZE: Limits = Limits { threads: 2, ops: 2 };
