//! What explores the schedules of a scenario, and the one body they all execute.

pub(crate) mod explorer;
mod hook;
mod loom;
pub(crate) mod native;
pub(crate) mod orders;
pub(crate) mod outcomes;
mod program;
pub mod render;
mod shuttle;

pub use self::loom::explore_loom;
pub use self::orders::Weakened;
pub use self::outcomes::Outcomes;
pub use self::program::Program;

use crate::protocol::{HANGS, Scenario, Shape, Switch, World};
use crate::runtime::Runtime;
use crate::runtime::trace::{Action, Event, record};
use crate::verdict::{Failure, Kind, Schedule, Verdict, Violation};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// loom: exhaustive, C11 without load buffering, SeqCst accesses as acquire-release.
    Loom,
    /// shuttle, depth-first over all interleavings of sequentially consistent steps.
    Dfs,
    /// shuttle, uniformly random choices.
    Random,
    /// shuttle, probabilistic concurrency testing.
    Pct,
    /// Our own explorer: exhaustive, RC11.
    Explorer,
    /// Real threads.
    Native,
}

impl Engine {
    /// All engines, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Explorer, Self::Loom, Self::Dfs, Self::Random, Self::Pct, Self::Native];

    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Loom => "loom",
            Self::Dfs => "shuttle-dfs",
            Self::Random => "shuttle-random",
            Self::Pct => "shuttle-pct",
            Self::Explorer => "explorer",
            Self::Native => "native",
        }
    }

    /// The engine of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|e| e.name() == name)
    }

    /// What its schedules mean: engine and version, so that a replay under another
    /// version is refused.
    pub fn version(self) -> &'static str {
        match self {
            Self::Loom => "loom 0.7",
            Self::Dfs | Self::Random | Self::Pct => "shuttle 0.9",
            Self::Explorer => "explorer 0.1",
            Self::Native => "native",
        }
    }
}

/// How much an engine may spend on one scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Executions at most; an exhaustive search cut short is reported as a sample.
    pub executions: u64,
    /// Seed of samples.
    pub seed: u64,
    /// OS threads that search; the explorer's alone, others have one. A search that ends by
    /// itself comes to the same verdict and count with any number; one that is cut short has
    /// seen other executions.
    pub workers: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { executions: 100_000, seed: 1, workers: 1 }
    }
}

/// Executes one scenario once: the body that every engine repeats.
///
/// The main thread is thread 0 of the scenario; it runs the set-up, starts the others,
/// runs its own script, joins them, and makes the final observation.
pub fn execute<R: Runtime, W>(scenario: &Arc<Scenario<W::Op>>, faults: Switch<W::Mutant>)
where
    W: World,
    W::Op: Copy + Send + Sync,
    W::Mutant: Copy,
{
    let shape = Shape { objects: scenario.objects, threads: scenario.threads.len() };
    let world = Arc::new(W::new(shape, faults));
    let mut main = world.enter(0);
    for op in &scenario.setup {
        world.step(&mut main, *op);
    }
    world.started(&mut main);
    // Real threads wait for each other here, or the first would end before the last
    // was started. In a model every order is explored anyway.
    let ready = Arc::new(AtomicUsize::new(0));
    let meet = move |ready: &AtomicUsize| {
        if !R::is_model() {
            ready.fetch_add(1, Ordering::Relaxed);
            R::await_until(|| ready.load(Ordering::Relaxed) >= shape.threads);
        }
    };
    let handles: Vec<_> = (1..shape.threads)
        .map(|n| {
            let (world, scenario, ready) = (world.clone(), scenario.clone(), ready.clone());
            R::spawn(move || {
                let mut local = world.enter(n);
                meet(&ready);
                match script(&*world, &mut local, &scenario.threads[n]) {
                    Done::All => world.exit(local),
                    // What it holds is never given back.
                    Done::Hangs => std::mem::forget(local),
                }
            })
        })
        .collect();
    meet(&ready);
    let done = script(&*world, &mut main, &scenario.threads[0]);
    assert!(done == Done::All, "the main thread has to end");
    for handle in handles {
        crate::runtime::Join::join(handle);
    }
    for op in &scenario.finish {
        world.step(&mut main, *op);
    }
    world.exit(main);
    world.finish();
}

/// How far a thread has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    /// To the end of its script.
    All,
    /// It hangs for ever.
    Hangs,
}

fn script<W: World>(world: &W, local: &mut W::Local, ops: &[W::Op]) -> Done
where
    W::Op: Copy,
{
    for (n, op) in ops.iter().enumerate() {
        record(Action::Begin(n as u16));
        let result = world.step(local, *op);
        record(Action::End(n as u16, result));
        if result == HANGS {
            return Done::Hangs;
        }
    }
    Done::All
}

/// Checks a program.
pub fn check(engine: Engine, program: Program, budget: Budget) -> Verdict {
    apart(move || match engine {
        Engine::Explorer => explorer::check(&program, budget),
        Engine::Loom => loom::check(&program, budget),
        Engine::Dfs | Engine::Random | Engine::Pct => shuttle::check(engine, &program, budget),
        Engine::Native => native::check(&program, budget),
    })
}

/// Runs an engine on an OS thread of its own: an abandoned execution leaves coroutines
/// behind, and with them thread-local state that no later check may see.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    hook::install();
    let result = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("engine".into()).spawn_scoped(scope, work);
        thread.expect("the system starts a thread").join()
    });
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Explores programs one after another, as long as `wants_more` of what came out. On one OS thread: the
/// explorer leaves nothing behind, and finds the stacks there that it has used before.
pub(crate) fn explore_each(
    programs: impl Iterator<Item = Program> + Send,
    budget: Budget,
    mut wants_more: impl FnMut(&Program, &Verdict) -> bool + Send,
) {
    apart(move || {
        for program in programs {
            if !wants_more(&program, &explorer::check(&program, budget)) {
                break;
            }
        }
    });
}

/// One sequentially consistent execution under the schedule that bytes choose, and its events: for a
/// fuzzer.
pub fn chosen(program: Program, bytes: &[u8]) -> (Verdict, Vec<Event>) {
    let bytes = bytes.to_vec();
    apart(move || shuttle::chosen(&program, &bytes))
}

/// Repeats exactly one execution.
///
/// # Errors
/// The reason when the schedule does not fit the program any more.
pub fn replay(engine: Engine, program: Program, schedule: &Schedule) -> Result<Verdict, String> {
    let schedule = schedule.clone();
    apart(move || match (engine, &schedule) {
        (Engine::Explorer, Schedule::Nth(n)) => Ok(explorer::replay(&program, *n)),
        (Engine::Loom, Schedule::Nth(n)) => Ok(loom::replay(&program, *n)),
        (Engine::Dfs | Engine::Random | Engine::Pct, Schedule::Threads(order)) => {
            shuttle::replay(&program, order)
        }
        _ => Err(format!("{} has no schedule to repeat", engine.name())),
    })
}

/// The failure that an abandoned execution left behind.
fn failure(
    program: &Program,
    panic: Option<&(dyn std::any::Any + Send)>,
    events: &[Event],
    execution: u64,
    schedule: Schedule,
) -> Box<Failure> {
    let violation = crate::ghost::take_violation().unwrap_or_else(|| classify(panic));
    let trace = render::columns(program, events);
    let trace_hash = fnv(render::fingerprint(events).as_bytes());
    Box::new(Failure { violation, execution, schedule, trace, trace_hash })
}

/// The kind of a panic that no property raised: the engines report races, deadlocks and
/// exhausted budgets in this way.
fn classify(panic: Option<&(dyn std::any::Any + Send)>) -> Violation {
    let text = panic
        .and_then(|p| {
            p.downcast_ref::<String>()
                .cloned()
                .or_else(|| p.downcast_ref::<&str>().map(|s| (*s).to_owned()))
        })
        .unwrap_or_else(|| "unknown panic".into());
    let has = |needle: &str| text.contains(needle);
    let kind = if has("Causality violation")
        || has("currently writing to cell")
        || has("currently reading from cell")
    {
        Kind::DataRace
    } else if has("deadlock") || has("already holds") {
        Kind::Deadlock
    } else if has("maximum number of branches") || has("max_steps bound") || has("exceeded") {
        Kind::StepBudget
    } else {
        Kind::Internal
    };
    // Loom's words for it.
    let text = text.trim().lines().next().unwrap_or_default();
    let text = text.trim_start_matches("Causality violation: ");
    let text = unnamed(kind, text);
    let text = text.replace("`UnsafeCell`", "plain memory");
    Violation { kind, text }
}

/// An engine's words without the name of the kind, which is said before them anyway.
fn unnamed(kind: Kind, text: &str) -> &str {
    text.trim_start_matches(kind.name()).trim_start_matches([';', '!', ':', ' '])
}

/// FNV-1a, stable across runs and versions.
pub(crate) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
