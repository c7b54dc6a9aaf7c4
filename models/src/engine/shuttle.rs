//! Random, PCT and depth-first exploration by shuttle; recorded schedules and replay.

use super::program::Program;
use super::{Budget, Engine, Schedule, failure, hook};
use crate::choice::Choices;
use crate::protocol::Reach;
use crate::runtime::trace::Event;
use crate::runtime::{Backend, Shuttle, arm, forget_waiters, is_abandoned, trace};
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

/// One execution whose choices are bytes: where more than one thread can run, the next byte says which.
/// Once they are used up the threads take turns, so that every wait comes to its end.
struct Chosen {
    bytes: Vec<u8>,
    next: usize,
    started: bool,
}

impl Scheduler for Chosen {
    fn new_execution(&mut self) -> Option<::shuttle::scheduler::Schedule> {
        let first = !std::mem::replace(&mut self.started, true);
        first.then(|| ::shuttle::scheduler::Schedule::new(0))
    }

    fn next_task(&mut self, runnable: &[&Task], me: Option<TaskId>, _: bool) -> Option<TaskId> {
        if let [only] = runnable {
            return Some(only.id());
        }
        if let Some(byte) = self.bytes.get(self.next) {
            self.next += 1;
            return Some(runnable[usize::from(*byte) % runnable.len()].id());
        }
        let after = me.and_then(|me| runnable.iter().find(|t| usize::from(t.id()) > me.into()));
        Some(after.unwrap_or(&runnable[0]).id())
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
struct Recorder {
    inner: Box<dyn Scheduler + Send>,
    record: Arc<Mutex<Record>>,
}

impl Scheduler for Recorder {
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

/// Runs the program under a scheduler; the executions run, and the failure if any.
fn run(program: &Program, scheduler: impl Scheduler + Send + 'static) -> (u64, Option<Verdict>) {
    let (executions, verdict, _) = run_boxed(program, Box::new(scheduler));
    (executions, verdict)
}

/// Apart from [`run`], so that shuttle's runner is compiled once and not for every scheduler.
fn run_boxed(
    program: &Program,
    inner: Box<dyn Scheduler + Send>,
) -> (u64, Option<Verdict>, Vec<Event>) {
    let record = Arc::new(Mutex::new(Record::default()));
    let recorder = Recorder { inner, record: record.clone() };
    let body = {
        let body = program.over(Backend::Shuttle);
        move || {
            forget_waiters();
            trace::start(Shuttle::index);
            body();
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
        Verdict::Violated(failure(program, panic.as_deref(), &events, record.executions, schedule))
    });
    (record.executions, verdict, events)
}

/// One execution under the schedule that bytes choose, and its events.
pub(super) fn chosen(program: &Program, bytes: &[u8]) -> (Verdict, Vec<Event>) {
    let scheduler = Chosen { bytes: bytes.to_vec(), next: 0, started: false };
    let (runs, found, events) = run_boxed(program, Box::new(scheduler));
    let passed = || Verdict::Passed { runs, seed: 0, sampled: "one chosen schedule".into() };
    (found.unwrap_or_else(passed), events)
}

pub(super) fn check(engine: Engine, program: &Program, budget: Budget) -> Verdict {
    let limit = budget.executions;
    let (executions, found) = match engine {
        Engine::Dfs => {
            if let Reach::No(reason) = program.dfs {
                return Verdict::Unsupported { reason: reason.into() };
            }
            run(program, DfsScheduler::new(Some(limit as usize), false))
        }
        // PCT has nothing to decide for a single thread, and says so by panicking.
        Engine::Pct if program.threads > 1 => {
            let scheduler = PctScheduler::new_from_seed(budget.seed, DEPTH, limit as usize);
            match run(program, scheduler) {
                (_, Some(Verdict::Violated(f))) if f.violation.text.contains(IDLE) => {
                    run(program, Walk::new(budget))
                }
                other => other,
            }
        }
        _ => run(program, Walk::new(budget)),
    };
    if let Some(violated) = found {
        return violated;
    }
    if engine == Engine::Dfs && executions < limit {
        return Verdict::Exhausted(Bounds {
            threads: program.threads,
            operations: program.operations,
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

pub(super) fn replay(program: &Program, order: &[u8]) -> Result<Verdict, String> {
    let diverged = Arc::new(Mutex::new(None));
    let scheduler =
        Recorded { order: order.to_vec(), next: 0, started: false, diverged: diverged.clone() };
    let (runs, found) = run(program, scheduler);
    if let Some(why) = diverged.lock().expect("single engine thread").take() {
        return Err(why);
    }
    Ok(found.unwrap_or(Verdict::Passed { runs, seed: 0, sampled: "one recorded schedule".into() }))
}
