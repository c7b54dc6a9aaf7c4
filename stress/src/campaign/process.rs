//! One process of a VM: the job of a few scenarios, its limits, and the verdicts on what came back.

use crate::choice::Seeded;
use crate::history::History;
use crate::identity::{Failure, InFlight, flight};
use crate::scenario::Scenario;
use crate::scenario::company::environment;
use crate::scenario::orders::{count, orders};
use crate::scenario::render::{entry, source};
use crate::verdict::{self, ALONE, Verdict};
use crate::vm::child::Limits;
use crate::vm::job::{self, Log};
use crate::vm::{Vm, VmError};
use std::time::Duration;

/// Sequential orders that are run before the race: all of a scenario where they are so few. Others are
/// run as observed outcomes ask for them (`harness/orders.py`).
const LISTED_ORDERS: usize = 70;

/// Orders that are run of others, to learn what one thread gives and breaks.
const FEW_ORDERS: usize = 16;

/// Text of a job over these scenarios.
pub fn text(vm: &Vm, scenarios: &[Scenario], seed: u64, ms: u64, sequential: bool) -> String {
    let threads = scenarios.iter().map(|s| s.threads.len()).max().unwrap_or(2);
    let how = format!("'control': {}, 'threads': {threads}", u8::from(sequential));
    text_with(vm, scenarios, seed, ms, &how)
}

/// The same with these entries of its own: what its threads do and how many the harness starts.
pub(super) fn text_with(vm: &Vm, scenarios: &[Scenario], seed: u64, ms: u64, how: &str) -> String {
    let mut entries = Vec::new();
    for (id, scenario) in scenarios.iter().enumerate() {
        let name = scenario.hash().to_string();
        let all = scenario.has_outcomes() && count(&scenario.lens()) <= LISTED_ORDERS as u64;
        let most = if all { LISTED_ORDERS } else { FEW_ORDERS };
        let mut choices = Seeded::new(seed, &["orders", &name]);
        let orders = orders(&scenario.lens(), most, &mut choices);
        entries.push(entry(scenario, id, ms, &orders));
    }
    format!(
        "{{'mode': 'run', 'seed': {}, 'gil': {}, 'free': {}, 'marks': {}, {how}, 'real_time': {}, 'scenarios': [{}]}}",
        seed % 1_000_000,
        u8::from(vm.facts.has_gil()),
        // The threads keep in step by plainly reading each other's lists: races of our own, which
        // the sanitizer would report; and it needs no overlap in time, only accesses without order.
        u8::from(vm.facts.sanitized("thread")),
        u8::from(!vm.facts.sanitizers.is_empty()),
        // What is read from a list tells nothing of the order of memory where a VM promises nothing of lists.
        u8::from(vm.no_promise().is_none()),
        entries.join(", ")
    )
}

/// Time of a scenario on this VM: a slow one needs more for as many turns, though not as many more
/// as it is slower, for a sanitizer sees a race at its first turn.
pub fn scenario_ms(vm: &Vm, ms: u64) -> u64 {
    ms * u64::from(vm.facts.slowness().div_ceil(4))
}

/// The VM as the company of these scenarios wants it started; all of them want the same.
fn started(vm: &Vm, scenarios: &[Scenario]) -> Vm {
    let variables = scenarios.first().map(|s| environment(&s.company));
    let set = |vm: Vm, (name, value)| vm.with_environment(name, value);
    variables.into_iter().flatten().fold(vm.clone(), set)
}

/// Runs scenarios in one process, whose company wants it started alike; `debugger`: a hang is taken apart with it, which takes seconds.
pub fn execute(
    vm: &Vm,
    scenarios: &[Scenario],
    seed: u64,
    ms: u64,
    sequential: bool,
    debugger: bool,
) -> Result<Log, VmError> {
    let job = text(vm, scenarios, seed, ms, sequential);
    let limits = Limits {
        debugger,
        unbound: scenarios.first().is_some_and(Scenario::starts_threads),
        ..limits(scenarios.len(), ms)
    };
    job::run(&started(vm, scenarios), &job, limits)
}

/// Time that a process may take for its scenarios: generous, for the machine may be busy.
pub fn limits(scenarios: usize, ms: u64) -> Limits {
    Limits {
        silence: Duration::from_millis(3000 + 3 * ms),
        total: Duration::from_millis(30_000 + scenarios as u64 * 4 * ms),
        ..Limits::default()
    }
}

/// Runs one scenario again to see whether it hangs or races once more: a hang that was taken apart
/// before needs neither the long wait nor the debugger.
pub fn execute_again(
    vm: &Vm,
    scenario: &Scenario,
    seed: u64,
    ms: u64,
    sequential: bool,
) -> Result<Log, VmError> {
    let job = text(vm, std::slice::from_ref(scenario), seed, ms, sequential);
    let limits = Limits {
        silence: Duration::from_millis(1000 + 2 * ms),
        idle: Some(Duration::from_millis(500)),
        debugger: false,
        unbound: scenario.starts_threads(),
        ..limits(1, ms)
    };
    let vm = started(vm, std::slice::from_ref(scenario));
    job::run(&vm, &job, limits)
}

/// A verdict on one scenario of a batch.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Position in the batch.
    pub index: usize,
    /// What was seen.
    pub verdict: Verdict,
    /// The history, as far as it got.
    pub history: History,
    /// The failure that it is.
    pub failure: Failure,
    /// The operations that were in flight when the process ended.
    pub flight: InFlight,
}

impl Judged {
    fn new(scenario: &Scenario, verdict: Verdict, history: History, flight: InFlight) -> Self {
        Self {
            index: history.id,
            failure: Failure::in_scenario(&verdict, scenario, &flight),
            verdict,
            history,
            flight,
        }
    }
}

/// Whether a scenario had got no further than what one thread does of it.
pub fn in_one_thread(history: &History) -> bool {
    matches!(history.phase.as_str(), "" | "alone" | "seq")
}

/// All verdicts on the scenarios of one process, worst first within a scenario.
pub fn judge(log: &Log, scenarios: &[Scenario]) -> Vec<Judged> {
    let mut judged = Vec::new();
    for history in &log.histories {
        let Some(scenario) = scenarios.get(history.id) else {
            continue;
        };
        for mut verdict in verdict::of_history(history, scenario) {
            if let Some(panic) = verdict::panic_behind(&verdict.detail, log.stderr()) {
                verdict.detail = format!("raised PanicException at {panic}");
            }
            let (history, flight) = (history.clone(), InFlight::default());
            judged.push(Judged::new(scenario, verdict, history, flight));
        }
    }
    for reported in verdict::reported::of_log(log) {
        // What is printed before the first scenario begins is the VM's own; see `baseline`.
        let Some((id, scenario)) = reported.scenario.and_then(|i| Some((i, scenarios.get(i)?)))
        else {
            continue;
        };
        let history = log.histories.iter().find(|h| h.id == id).cloned();
        let history = history.unwrap_or_else(|| History::new(id));
        let flight = InFlight::default();
        judged.push(Judged::new(scenario, reported.verdict, history, flight));
    }
    let last = log.histories.last().cloned().unwrap_or_default();
    if let Some(mut verdict) = verdict::of_process(log)
        && let Some(scenario) = scenarios.get(last.id)
    {
        // Only of the first scenario is it certain that no race came before: memory that one broke may
        // end the process in the next. What follows is run by itself as it is minimised.
        let first = log.histories.len() == 1;
        if !log.finished && !last.complete && in_one_thread(&last) && first {
            verdict.alone = true;
            verdict.detail = format!("{ALONE}{}", verdict.detail);
        }
        let flight = flight::read(log.stderr(), &flight::Lines::of(&source(scenario)));
        let mut one = Judged::new(scenario, verdict, last, flight);
        if !log.backtrace.is_empty() {
            one.failure = one.failure.with_backtrace(&log.backtrace);
        }
        judged.push(one);
    }
    judged
}

/// Runs one scenario alone, as the minimiser does; for tools and tests.
pub fn run_alone(vm: &Vm, scenario: &Scenario, seed: u64, ms: u64) -> Result<Vec<Judged>, VmError> {
    let one = std::slice::from_ref(scenario);
    let log = execute(vm, one, seed, ms, false, true)?;
    Ok(judge(&log, one))
}
