//! Random, PCT and depth-first exploration by shuttle; recorded schedules and replay.

use super::{Budget, Engine, Schedule, execute, failure, hook};
use crate::choice::Choices;
use crate::protocol::{Protocol, Reach, Scenario, Switch};
use crate::runtime::{Shuttle, arm, forget_waiters, is_abandoned, trace};
use crate::verdict::{Bounds, Verdict};
use ::shuttle::scheduler::{DfsScheduler, PctScheduler, Scheduler, Task, TaskId};
use ::shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use std::sync::{Arc, Mutex};

const MODEL: &str = "sequential consistency";
/// Depth of the bugs that PCT aims at.
const DEPTH: usize = 3;
/// How PCT complains, by a panic, when a program never leaves it a choice.
const IDLE: &str = "did not exercise any concurrency";

/// Shuttle without files, messages and warnings.
pub(super) fn config() -> Config {
    let mut config = Config::new();
    config.failure_persistence = FailurePersistence::None;
    config.max_steps = MaxSteps::FailAfter(50_000);
    config.silence_warnings = true;
    config.stack_size = 0x10000;
    config
}

/// Uniform choice among the runnable threads; run `n` draws from stream `n` of the seed.
struct Walk {
    seed: u64,
    runs: u64,
    limit: u64,
    choices: Choices,
}

impl Walk {
    fn new(budget: Budget) -> Self {
        let Budget { seed, executions: limit, .. } = budget;
        Self { seed, runs: 0, limit, choices: Choices::seeded(seed, 0) }
    }
}

impl Scheduler for Walk {
    fn new_execution(&mut self) -> Option<::shuttle::scheduler::Schedule> {
        if self.runs == self.limit {
            return None;
        }
        self.choices = Choices::seeded(self.seed, self.runs);
        self.runs += 1;
        Some(::shuttle::scheduler::Schedule::new(0))
    }

    fn next_task(&mut self, runnable: &[&Task], _: Option<TaskId>, _: bool) -> Option<TaskId> {
        Some(runnable[self.choices.below(runnable.len())].id())
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}

/// Repeats a recorded order.
struct Recorded {
    order: Vec<u8>,
    next: usize,
    started: bool,
    diverged: Arc<Mutex<Option<String>>>,
}

impl Scheduler for Recorded {
    fn new_execution(&mut self) -> Option<::shuttle::scheduler::Schedule> {
        let first = !std::mem::replace(&mut self.started, true);
        first.then(|| ::shuttle::scheduler::Schedule::new(0))
    }

    fn next_task(&mut self, runnable: &[&Task], _: Option<TaskId>, _: bool) -> Option<TaskId> {
        let wanted = self.order.get(self.next).map(|t| TaskId::from(usize::from(*t)));
        self.next += 1;
        // Past the recording: stay with a fixed rule, never fresh randomness.
        let Some(wanted) = wanted else {
            return Some(runnable[0].id());
        };
        if runnable.iter().any(|t| t.id() == wanted) {
            return Some(wanted);
        }
        let enabled: Vec<usize> = runnable.iter().map(|t| t.id().into()).collect();
        let mut diverged = self.diverged.lock().expect("single engine thread");
        *diverged = Some(format!(
            "step {}: thread {} was recorded, threads {enabled:?} can run",
            self.next,
            usize::from(wanted)
        ));
        None
    }

    fn next_u64(&mut self) -> u64 {
        0
    }
}

/// What the recorder saw of the current execution.
#[derive(Default)]
struct Record {
    executions: u64,
    order: Vec<u8>,
}

/// Passes on another scheduler's choices and keeps them.
struct Recorder<S> {
    inner: S,
    record: Arc<Mutex<Record>>,
}

impl<S: Scheduler> Scheduler for Recorder<S> {
    fn new_execution(&mut self) -> Option<::shuttle::scheduler::Schedule> {
        if is_abandoned() {
            return None;
        }
        let next = self.inner.new_execution()?;
        let mut record = self.record.lock().expect("single engine thread");
        record.executions += 1;
        record.order.clear();
        Some(next)
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        me: Option<TaskId>,
        yields: bool,
    ) -> Option<TaskId> {
        if is_abandoned() {
            return None;
        }
        let chosen = self.inner.next_task(runnable, me, yields)?;
        let mut record = self.record.lock().expect("single engine thread");
        record.order.push(usize::from(chosen) as u8);
        Some(chosen)
    }

    fn next_u64(&mut self) -> u64 {
        self.inner.next_u64()
    }
}

/// Runs the scenario under a scheduler; the executions run, and the failure if any.
fn run<P: Protocol, S: Scheduler + 'static>(
    scheduler: S,
    scenario: &Arc<Scenario<P::Op>>,
    mutant: Option<P::Mutant>,
) -> (u64, Option<Verdict>) {
    let record = Arc::new(Mutex::new(Record::default()));
    let recorder = Recorder { inner: scheduler, record: record.clone() };
    let body = {
        let scenario = scenario.clone();
        move || {
            forget_waiters();
            trace::start(Shuttle::index);
            execute::<Shuttle, P::World<Shuttle>>(&scenario, Switch(mutant));
        }
    };
    arm(true);
    let result = hook::quietly(|| Runner::new(recorder, config()).run(body));
    let abandoned = is_abandoned();
    arm(false);
    let events = trace::take();
    forget_waiters();
    let record = record.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let panic = result.err();
    let verdict = (abandoned || panic.is_some()).then(|| {
        let schedule = Schedule::Threads(record.order.clone());
        Verdict::Violated(failure(scenario, panic.as_deref(), &events, record.executions, schedule))
    });
    (record.executions, verdict)
}

pub(super) fn check<P: Protocol>(
    engine: Engine,
    scenario: &Arc<Scenario<P::Op>>,
    mutant: Option<P::Mutant>,
    budget: Budget,
) -> Verdict {
    let limit = budget.executions;
    let (executions, found) = match engine {
        Engine::Dfs => {
            if let Reach::No(reason) = scenario.dfs {
                return Verdict::Unsupported { reason: reason.into() };
            }
            run::<P, _>(DfsScheduler::new(Some(limit as usize), false), scenario, mutant)
        }
        // PCT has nothing to decide for a single thread, and says so by panicking.
        Engine::Pct if scenario.threads.len() > 1 => {
            let scheduler = PctScheduler::new_from_seed(budget.seed, DEPTH, limit as usize);
            match run::<P, _>(scheduler, scenario, mutant) {
                (_, Some(Verdict::Violated(f))) if f.violation.text.contains(IDLE) => {
                    run::<P, _>(Walk::new(budget), scenario, mutant)
                }
                other => other,
            }
        }
        _ => run::<P, _>(Walk::new(budget), scenario, mutant),
    };
    if let Some(violated) = found {
        return violated;
    }
    if engine == Engine::Dfs && executions < limit {
        return Verdict::Exhausted(Bounds {
            threads: scenario.threads.len(),
            operations: scenario.operations(),
            executions,
            preemptions: None,
            model: MODEL.into(),
        });
    }
    let sampled = match engine {
        Engine::Dfs => format!("depth-first search stopped at its budget, {MODEL}"),
        Engine::Pct => format!("PCT of depth {DEPTH}, seed {}, {MODEL}", budget.seed),
        _ => format!("random walk, seed {}, {MODEL}", budget.seed),
    };
    Verdict::Passed { runs: executions, seed: budget.seed, sampled }
}

pub(super) fn replay<P: Protocol>(
    scenario: &Arc<Scenario<P::Op>>,
    mutant: Option<P::Mutant>,
    order: &[u8],
) -> Result<Verdict, String> {
    let diverged = Arc::new(Mutex::new(None));
    let scheduler =
        Recorded { order: order.to_vec(), next: 0, started: false, diverged: diverged.clone() };
    let (runs, found) = run::<P, _>(scheduler, scenario, mutant);
    if let Some(why) = diverged.lock().expect("single engine thread").take() {
        return Err(why);
    }
    Ok(found.unwrap_or(Verdict::Passed { runs, seed: 0, sampled: "one recorded schedule".into() }))
}
