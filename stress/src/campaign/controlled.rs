//! Scenarios of a hunt on a VM whose threads we schedule ([`crate::controlled`]): the harness does what it
//! always does, up to the race; each schedule then races once on one object in a process of its own, and what
//! it tells is judged as everything ([`judge`]).
//!
//! Of a schedule nothing is told where nothing was wrong. A search is a function of seed, scenario and VM: what
//! showed a failure once shows it again, so that nothing of a schedule has to be carried from one step of
//! settling to the next.

use super::measure::Measured;
use super::process::{Judged, judge, text_with};
use super::{HuntError, Shared};
use crate::controlled::{ControlError, Look, Plan, Searched, Seen, in_arguments, search};
use crate::finding::{Finding, Schedule};
use crate::history::History;
use crate::identity::{self, Failure, Hit};
use crate::scenario::{Scenario, Shape};
use crate::verdict::grade::{Grade, grade};
use crate::verdict::stack;
use crate::vm::Vm;
use crate::vm::child::{End, Outcome, hold};
use crate::vm::job::Log;
use std::cell::RefCell;
use std::time::Duration;
use threadbare_control::block::Strategy;
use threadbare_control::bundle::Bundle;
use threadbare_control::table;

/// How schedules are searched for the scenarios of a hunt.
#[derive(Clone, Debug)]
pub struct Control {
    /// Who chooses, by turns.
    pub strategies: Vec<Strategy>,
    /// Schedules of each scenario.
    pub schedules: u32,
    /// See [`Plan::tso`].
    pub tso: bool,
}

impl Control {
    /// `200 schedules of Sticky, Pos`.
    pub fn words(&self) -> String {
        let names: Vec<String> = self.strategies.iter().map(|s| format!("{s:?}")).collect();
        let memory = if self.tso { " with store buffers" } else { "" };
        format!(
            "{} schedules{memory} by {}",
            self.schedules,
            names.join(", ")
        )
    }
}

/// The exit code of a schedule whose harness saw something wrong, as in `harness.py`.
const WRONG: i32 = 3;

/// Milliseconds of what comes before the window. Time is virtual there, so that it bounds nothing in practice.
const MS: u64 = 1000;

/// Time of one scenario, on whatever machine.
const TIME: Duration = Duration::from_secs(120);

/// The search for a finding's own schedule goes on for so many times the schedules of a scenario: two objects
/// of one failure may show it in another.
const AGAIN: u32 = 4;

/// Repetitions of a schedule that is kept.
const REPLAYS: u32 = 10;

/// Last steps that are kept as text.
const STEPS: usize = 60;

/// The file of a finding's schedule.
pub const SCHEDULE: &str = "schedule.json";

/// What a start of the program races on, and who made it: the main thread or one that races, whose references to it are
/// the cheap ones then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Way {
    shape: Shape,
    maker: Option<usize>,
}

/// The ways in which a scenario is raced.
fn ways(scenario: &Scenario) -> Result<Vec<Way>, &'static str> {
    if !scenario.company.is_empty() {
        return Err("what runs beside its operations is not under control");
    }
    let mut ways = Vec::new();
    for &shape in &scenario.shapes {
        match shape {
            Shape::Stride => {
                let makers = std::iter::once(None).chain((0..scenario.threads.len()).map(Some));
                ways.extend(makers.map(|maker| Way { shape, maker }));
            }
            Shape::Slot => ways.push(Way { shape, maker: None }),
            Shape::Wait | Shape::Process => {}
        }
    }
    match ways.is_empty() {
        true => Err("its threads wait for each other or for processes, which is no window"),
        false => Ok(ways),
    }
}

/// Where a job begins to say what is raced, the seed and what it accepts before it.
const SCENARIOS: &str = "'scenarios': [";

/// The job of a scenario that is raced in this way. `accepted`: outcomes that are none and no longer told.
fn job(vm: &Vm, scenario: &Scenario, seed: u64, way: Way, accepted: &[String]) -> String {
    let one = Scenario {
        shapes: vec![way.shape],
        ..scenario.clone()
    };
    let accepted: Vec<String> = accepted.iter().map(|a| crate::python::quote(a)).collect();
    let maker = way
        .maker
        .map_or_else(|| "None".to_owned(), |t| t.to_string());
    let how = format!(
        "'threads': 1, 'window': {{'maker': {maker}, 'accepted': [{}]}}",
        accepted.join(", ")
    );
    text_with(vm, &[one], seed, MS, &how)
}

/// Searches schedules of a scenario until `judge` says of what one told that it is what was looked for.
fn schedules(
    vm: &Vm,
    scenario: &Scenario,
    plan: &Plan,
    mut is_it: impl FnMut(&Log, &[Judged]) -> bool,
) -> Result<Searched, ControlError> {
    let ways = ways(scenario).map_err(|why| ControlError::Unfit(why.to_owned()))?;
    let accepted = RefCell::new(Vec::new());
    let program = |start: usize| {
        // Each strategy comes to each way.
        let way = ways[(start + start / plan.strategies.len()) % ways.len()];
        let job = job(vm, scenario, plan.seed, way, &accepted.borrow());
        in_arguments(vm, crate::vm::job::text(&job))
    };
    let one = std::slice::from_ref(scenario);
    search(vm, &program, plan, Look::Scenarios, |seen| {
        let log = log(seen);
        if is_it(&log, &judge(&log, one)) {
            return true;
        }
        let outcomes = log.histories.iter().flat_map(|h| &h.outcomes);
        let mut accepted = accepted.borrow_mut();
        accepted.extend(outcomes.map(|(outcome, _)| outcome.clone()));
        false
    })
}

/// What a schedule told, as the harness tells it without control.
fn log(seen: &Seen) -> Log {
    let mut outcome = seen.run.outcome.clone();
    let mut log = Log::parse(outcome.clone());
    if outcome.end == End::Exit(WRONG) && log.finished {
        outcome.end = End::Exit(0);
    }
    log.outcome = Some(outcome);
    log.backtrace.clone_from(&seen.backtrace);
    log
}

/// A plan of a hunt.
fn plan(shared: &Shared<'_>, control: &Control, times: u32) -> Plan {
    Plan {
        strategies: control.strategies.clone(),
        runs: control.schedules * times,
        seed: shared.options.seed,
        time: shared.left(TIME),
        tso: control.tso,
    }
}

/// Searches the scenarios one after the other, up to the first that fails: as of a process that dies, of those
/// behind it nothing is told.
pub(super) fn execute(
    shared: &Shared<'_>,
    scenarios: &[Scenario],
    control: &Control,
) -> Result<Log, HuntError> {
    let (mut whole, mut lines) = (Log::default(), Vec::new());
    for (id, scenario) in scenarios.iter().enumerate() {
        let (mut log, failed) = one(shared, scenario, control)?;
        for history in &mut log.histories {
            history.id = id;
        }
        // What is saved is the text, which must read the same as what is judged now.
        let of_it = log.outcome.iter().flat_map(|o| &o.stdout);
        lines.extend(of_it.filter_map(|line| numbered(line, id)));
        let mut histories = std::mem::take(&mut whole.histories);
        histories.append(&mut log.histories);
        whole = Log { histories, ..log };
        if failed || shared.over() {
            break;
        }
    }
    if let Some(outcome) = &mut whole.outcome {
        lines.extend(whole.finished.then(|| END.to_owned()));
        (outcome.stdout, outcome.complete_line) = (lines, true);
    }
    Ok(whole)
}

/// The line with which the harness ends a job that is done.
const END: &str = "X";

/// A line of a job of one scenario as one of a job in which it has this number; none where it ends the job.
fn numbered(line: &str, id: usize) -> Option<String> {
    let mut fields: Vec<&str> = line.split('\t').collect();
    let number = id.to_string();
    match fields.as_mut_slice() {
        [END] => return None,
        ["I" | "U", ..] => {}
        [letter, of @ "0", ..] if letter.len() == 1 => *of = &number,
        _ => {}
    }
    Some(fields.join("\t"))
}

/// Searches one scenario: what a schedule told that failed, or else the first that told anything; and whether it
/// failed.
fn one(
    shared: &Shared<'_>,
    scenario: &Scenario,
    control: &Control,
) -> Result<(Log, bool), HuntError> {
    let vm = shared.vm;
    let mut told: Option<Log> = None;
    let mut failed = false;
    let plan = plan(shared, control, 1);
    let searched = schedules(vm, scenario, &plan, |log, judged| {
        let breaks = |j: &Judged| grade(&j.verdict, scenario, vm.no_promise()).0 != Grade::Accepted;
        failed = judged.iter().any(breaks);
        if failed || told.is_none() && !judged.is_empty() {
            told = Some(log.clone());
        }
        failed
    });
    let (schedules, why) = match searched {
        Ok(searched) => {
            let why = unsupported(&searched.stdout).or(searched.unfit);
            (searched.schedules, why)
        }
        Err(ControlError::Unfit(why)) => (0, Some(why)),
        // The hunt goes on; of this scenario nothing is known.
        Err(error @ ControlError::NotAgain(..)) => (0, Some(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    let mut log = told.unwrap_or_else(quiet);
    if log.histories.is_empty() {
        log.histories.push(History::new(0));
    }
    if let Some(history) = log.histories.last_mut() {
        history.runs = u64::from(schedules);
        if !failed {
            history.complete = true;
            history.unsupported = why;
        }
    }
    Ok((log, failed))
}

/// Why the harness did not come to the window.
fn unsupported(stdout: &str) -> Option<String> {
    let log = Log::parse(said(stdout.lines().map(str::to_owned).collect()));
    log.histories.into_iter().find_map(|h| h.unsupported)
}

/// A process that ended well and said this.
fn said(stdout: Vec<String>) -> Outcome {
    Outcome {
        end: End::Exit(0),
        stdout,
        complete_line: true,
        stderr: String::new(),
        hang: None,
        orphans: 0,
    }
}

/// Of schedules that told nothing.
fn quiet() -> Log {
    Log::parse(said(vec!["B\t0".to_owned(), END.to_owned()]))
}

/// Searches for a schedule of a finding's scenario that shows the finding's failure.
///
/// # Errors
/// As of [`search`], and where the scenario cannot be run under control or the finding is of another VM.
pub fn find(vm: &Vm, finding: &Finding, plan: &Plan) -> Result<Searched, ControlError> {
    if finding.facts.implementation != vm.facts.implementation {
        let (there, here) = (finding.facts.title(), vm.facts.title());
        let why = format!("{}: was found on {there}, this is {here}", finding.id);
        return Err(ControlError::Unfit(why));
    }
    schedules(vm, &finding.scenario, plan, |_, judged| {
        is_shown(finding, judged)
    })
}

/// Whether what a schedule told is the finding's failure. Whether one thread would do is not asked, as of a script.
fn is_shown(finding: &Finding, judged: &[Judged]) -> bool {
    let failure = |j: &Judged| {
        let mut failure = j.failure.clone();
        failure.place.alone = None;
        failure
    };
    let failures: Vec<Failure> = judged.iter().map(failure).collect();
    identity::hit(&finding.failure(), &failures) == Hit::Same
}

/// Whether a schedule shows a finding's failure, by what one repetition of it tells.
///
/// # Errors
/// Where it does not come again, or is of another scenario.
pub fn shows(vm: &Vm, finding: &Finding, bundle: &Bundle) -> Result<bool, ControlError> {
    Ok(shown(vm, finding, bundle)?.is_some())
}

/// What one repetition tells that shows the finding's failure, if it does.
fn shown(vm: &Vm, finding: &Finding, bundle: &Bundle) -> Result<Option<Seen>, ControlError> {
    if !is_of(vm, finding, bundle) {
        let why = format!("{}: the schedule is of another scenario", finding.id);
        return Err(ControlError::Unfit(why));
    }
    let seen = Seen::of_failure(vm, bundle)?;
    let judged = judge(&log(&seen), std::slice::from_ref(&finding.scenario));
    Ok(is_shown(finding, &judged).then_some(seen))
}

/// Whether the program of a schedule races the finding's scenario, in one of the ways.
fn is_of(vm: &Vm, finding: &Finding, bundle: &Bundle) -> bool {
    let raced = bundle.program.arguments.last();
    let is = |way: Way| {
        let job = job(vm, &finding.scenario, finding.seed, way, &[]);
        let entry = job.find(SCENARIOS).map(|at| &job[at..]);
        entry
            .zip(raced)
            .is_some_and(|(entry, raced)| raced.contains(entry))
    };
    ways(&finding.scenario).is_ok_and(|ways| ways.into_iter().any(is))
}

/// A finding with its schedule.
#[derive(Debug)]
pub(super) struct Kept {
    pub finding: Finding,
    /// What the schedule showed.
    pub seen: Seen,
    /// What belongs beside the finding.
    pub files: Vec<(&'static str, String)>,
}

/// The finding with a schedule that shows it, as short as can be unless it is `over`; or the finding with the reason
/// why there is none.
///
/// # Errors
/// When the VM cannot be run.
pub(super) fn kept(
    vm: &Vm,
    finding: Finding,
    plan: &Plan,
    over: &dyn Fn() -> bool,
) -> Result<Result<Kept, Finding>, ControlError> {
    let why = match with_schedule(vm, &finding, plan, over) {
        Ok(Ok(kept)) => return Ok(Ok(kept)),
        Ok(Err(why)) => why,
        Err(error @ ControlError::NotAgain(..)) => error.to_string(),
        Err(error) => return Err(error),
    };
    Ok(Err(finding.without_schedule(why)))
}

/// [`kept`], which leaves a schedule that does not come again to it.
fn with_schedule(
    vm: &Vm,
    finding: &Finding,
    plan: &Plan,
    over: &dyn Fn() -> bool,
) -> Result<Result<Kept, String>, ControlError> {
    let searched = match find(vm, finding, plan) {
        Ok(searched) => searched,
        Err(ControlError::Unfit(why)) => return Ok(Err(format!("skipped: {why}"))),
        Err(error) => return Err(error),
    };
    let Some(hit) = searched.hit else {
        return Ok(Err(match searched.unfit {
            Some(why) => format!("skipped: {why}"),
            None => format!("not shown in {} schedules", searched.schedules),
        }));
    };
    let (mut bundle, mut minimised) = (hit.bundle, false);
    let mut seen = hit.seen;
    if !over() {
        let small = {
            let _others = hold();
            bundle.minimise()
        };
        if let Ok((small, _)) = small
            && let Some(shown) = shown(vm, finding, &small)?
        {
            (bundle, seen, minimised) = (small, shown, true);
        }
    }
    let replayed = {
        let _others = hold();
        bundle.replay(REPLAYS, true)?
    };
    let report = &replayed.report;
    let schedule = Some(Schedule {
        vm: vm.spec.clone(),
        strategy: format!("{:?}", hit.strategy),
        schedules: searched.schedules,
        switches: report.last.deviations,
        minimised,
        same: replayed.same as u32,
        replays: REPLAYS,
    });
    let text = format!(
        "{}\n{}{}",
        bundle.note.trim_end(),
        table::switches(report),
        table::shared(report, STEPS)
    );
    let json = serde_json::to_string(&bundle).expect("a bundle serialises");
    Ok(Ok(Kept {
        finding: Finding {
            schedule,
            no_schedule: None,
            ..finding.clone()
        },
        seen,
        files: vec![(SCHEDULE, json), ("schedule.txt", text)],
    }))
}

/// A finding of a hunt under control with its schedule, unless the hunt is over.
pub(super) fn measure(
    shared: &Shared<'_>,
    control: &Control,
    finding: Finding,
) -> Result<Measured, HuntError> {
    if shared.over() {
        return Ok(Measured::not_yet(finding));
    }
    let plan = plan(shared, control, AGAIN);
    let kept = match kept(shared.vm, finding, &plan, &|| shared.over())? {
        Ok(kept) => kept,
        Err(finding) => return Ok(Measured::not_yet(finding)),
    };
    let Kept {
        mut finding,
        seen,
        mut files,
    } = kept;
    let outcome = &seen.run.outcome;
    let output = format!(
        "{}\n--- stderr ---\n{}",
        outcome.stdout.join("\n"),
        outcome.stderr
    );
    if !seen.backtrace.is_empty() {
        finding.frames = stack::frames(&seen.backtrace).into_iter().take(3).collect();
        finding.place = finding.failure().with_backtrace(&seen.backtrace).place;
        files.push(("backtrace.txt", seen.backtrace));
    }
    Ok(Measured {
        finding,
        output: super::case::ends_of(&output),
        core: None,
        files,
    })
}
