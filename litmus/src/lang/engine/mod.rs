//! The engines that can run a test.

use std::cell::Cell;
use std::str::FromStr;
use std::sync::Once;
use std::time::Duration;

use super::code::{Access, Code, Reply};
use super::outcome::Observation;
use crate::explore::{Model, Progress};
use crate::hardware;

mod explorer;
mod loom;
mod shuttle;

/// What runs a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// Our explorer under a model: every consistent execution graph.
    Explorer(Model),
    /// loom: exhaustive up to its own reductions; reads seq_cst accesses as acquire-release.
    Loom,
    /// shuttle: interleavings only, exhaustive if they are few, else random.
    Shuttle,
    /// Real threads on this machine.
    Hardware,
}

impl Engine {
    /// Every engine, in the order of reports.
    pub const ALL: [Engine; 7] = [
        Engine::Explorer(Model::Rust),
        Engine::Explorer(Model::Rc11),
        Engine::Explorer(Model::Sc),
        Engine::Explorer(Model::Tso),
        Engine::Loom,
        Engine::Shuttle,
        Engine::Hardware,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Explorer(Model::Rust) => "rust",
            Engine::Explorer(Model::Rc11) => "rc11",
            Engine::Explorer(Model::Sc) => "sc",
            Engine::Explorer(Model::Tso) => "tso",
            Engine::Loom => "loom",
            Engine::Shuttle => "shuttle",
            Engine::Hardware => "hardware",
        }
    }
}

impl FromStr for Engine {
    type Err = String;

    fn from_str(name: &str) -> Result<Engine, String> {
        let names = Engine::ALL.map(Engine::name);
        Engine::ALL
            .into_iter()
            .find(|engine| engine.name() == name)
            .ok_or_else(|| format!("no engine `{name}`; there are {}", names.join(", ")))
    }
}

/// How long an engine may go on.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Our explorer and loom: most preemptions in one execution; default none. Two lose few
    /// outcomes and make four threads feasible under loom.
    pub preemptions: Option<usize>,
    /// Our explorer: most backward revisits on the way to an execution; default none.
    pub revisits: Option<usize>,
    /// Our explorer: random descents instead of an exhaustive search; default none.
    pub sample: Option<u64>,
    /// Our explorer: the part of the search, from 1, and how many there are; default the whole.
    pub shard: Option<(u64, u64)>,
    /// Our explorer: OS threads that search; default 1.
    pub workers: usize,
    /// Our explorer: called every few thousand executions.
    pub progress: Option<fn(&Progress)>,
    /// shuttle: interleavings enumerated before it turns to random ones; default 20,000.
    pub schedules: usize,
    /// Seed of samples, schedules and phases; default 1.
    pub seed: u64,
    /// Hardware: runs of the test; default 200,000.
    pub runs: u64,
    /// Our explorer: turns that a loop gets, unless it only waits; default 4.
    pub turns: u32,
    /// Most time for one test; default none, on hardware a minute. What has been seen by then
    /// is reported, and as how much.
    pub time: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            preemptions: None,
            revisits: None,
            sample: None,
            shard: None,
            workers: 1,
            progress: None,
            schedules: 20_000,
            seed: 1,
            runs: 200_000,
            turns: crate::lang::lower::TURNS,
            time: None,
        }
    }
}

/// An engine cannot run this test: never to be read as a pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{engine} cannot run {test}: {reason}")]
pub struct Unsupported {
    /// The engine.
    pub engine: &'static str,
    /// The test.
    pub test: String,
    /// Why, and what to do.
    pub reason: String,
}

/// Runs a test.
///
/// # Errors
///
/// When the engine has no way to express the test.
pub fn run(code: &Code, engine: Engine, limits: &Limits) -> Result<Observation, Unsupported> {
    let refused = code
        .beyond_threads()
        .filter(|_| !matches!(engine, Engine::Explorer(_)));
    let result = match engine {
        _ if refused.is_some() => Err(refused.unwrap_or_default().to_string()),
        Engine::Explorer(model) => explorer::run(code, model, limits),
        Engine::Loom => loom::run(code, limits),
        Engine::Shuttle => shuttle::run(code, limits),
        Engine::Hardware => {
            let mut options = hardware::Options::new(limits.runs, limits.seed);
            options.max_time = limits.time.unwrap_or(options.max_time);
            hardware::run(code, &options).map_err(|error| error.to_string())
        }
    };
    result.map_err(|reason| Unsupported {
        engine: engine.name(),
        test: code.name.clone(),
        reason,
    })
}

/// An access to locations that are [cells](crate::lang::ast::IntType::to_cell) 64 bits wide.
fn in_cells(code: &Code, access: Access, perform: impl FnOnce(Access) -> Reply) -> Reply {
    let to = |location: usize, value| code.types[location].to_cell(value);
    let (location, access) = match access {
        Access::Load { location, .. } => (location, access),
        Access::Store {
            location,
            value,
            order,
        } => {
            let value = to(location, value);
            let access = Access::Store {
                location,
                value,
                order,
            };
            (location, access)
        }
        Access::Rmw {
            location,
            op,
            operand,
            order,
        } => {
            let operand = to(location, operand);
            let access = Access::Rmw {
                location,
                op,
                operand,
                order,
            };
            (location, access)
        }
        Access::Cas {
            location,
            expected,
            desired,
            success,
            failure,
            weak,
        } => {
            let (expected, desired) = (to(location, expected), to(location, desired));
            let access = Access::Cas {
                location,
                expected,
                desired,
                success,
                failure,
                weak,
            };
            (location, access)
        }
        other => return perform(other),
    };
    let reply = perform(access);
    Reply {
        found: code.types[location].from_cell(reply.found),
        ..reply
    }
}

thread_local! {
    /// Whether panics of this thread are part of an engine's normal course.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `f`, whose panics the caller catches and reports itself, without the
/// default message on stderr. Other threads keep theirs.
fn quietly<T>(f: impl FnOnce() -> T) -> T {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                previous(info);
            }
        }));
    });
    struct Loud(bool);
    impl Drop for Loud {
        fn drop(&mut self) {
            QUIET.set(self.0);
        }
    }
    let _loud = Loud(QUIET.replace(true));
    f()
}

/// The words of a caught panic.
fn words(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or(payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without words")
        .to_string()
}
