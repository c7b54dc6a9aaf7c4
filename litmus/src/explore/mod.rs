//! The explorer: a stateless model checker that visits every consistent execution graph
//! once (TruSt: Kokologiannakis, Marmanis, Gladstein, Vafeiadis, POPL 2022).

pub(crate) mod cache;
mod execution;
pub(crate) mod graph;
mod model;
pub mod oracle;
pub mod program;
mod rerun;
pub(crate) mod search;

pub use execution::Execution;

use cache::{Direct, Fault, Source};
use model::MemoryModel;
use program::Program;
use search::{End, Search, Stop};
use std::ops::ControlFlow;
use std::time::Duration;
use std::time::Instant;

/// The memory model under which executions are judged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Model {
    /// Repaired C11 (Lahav, Vafeiadis, Kang, Hur, Dreyer, PLDI 2017) with C++20's
    /// release sequences.
    #[default]
    Rc11,
    /// Interleavings: the orders of accesses are ignored, but not for data races.
    Sc,
    /// x86: a store may be delayed past later loads of other locations.
    Tso,
}

/// Settings of an exploration.
#[derive(Clone, Debug)]
pub struct Explorer {
    model: Model,
    keep_going: bool,
    max_events: usize,
    max_executions: u64,
    spurious: u32,
}

impl Default for Explorer {
    fn default() -> Self {
        Self::new()
    }
}

impl Explorer {
    /// Exhaustive exploration under RC11, stopping at the first fault.
    pub fn new() -> Self {
        Self {
            model: Model::Rc11,
            keep_going: false,
            max_events: 10_000,
            max_executions: u64::MAX,
            spurious: 0,
        }
    }

    /// The memory model; RC11 unless set.
    pub fn model(mut self, model: Model) -> Self {
        self.model = model;
        self
    }

    /// Whether to visit the remaining executions after a fault. Not acted on yet: an
    /// exploration ends at its first fault, and [`Report::exhaustive`] says so.
    pub fn keep_going(mut self, keep_going: bool) -> Self {
        self.keep_going = keep_going;
        self
    }

    /// The number of operations after which a thread is taken to loop without end; 10 000
    /// unless set, at most 65 000.
    pub fn max_events(mut self, events: usize) -> Self {
        self.max_events = events.min(65_000);
        self
    }

    /// The number of executions, complete and blocked, after which the exploration ends
    /// without being exhaustive; no limit unless set.
    pub fn max_executions(mut self, executions: u64) -> Self {
        self.max_executions = executions;
        self
    }

    /// How many weak compare-exchanges of each thread may fail in an execution although
    /// they find what they expect; 0 unless set. Each is a choice, so executions multiply.
    pub fn spurious_failures(mut self, failures: u32) -> Self {
        self.spurious = failures;
        self
    }

    /// Explores a [`Program`]; each complete or blocked execution goes to `visit`, which
    /// may end the exploration.
    pub fn run<P: Program>(
        &self,
        program: &P,
        visit: impl FnMut(&Execution<'_>) -> ControlFlow<()> + Send,
    ) -> Report {
        let source = Direct::new(program);
        match self.model {
            Model::Rc11 => self.search::<model::Rc11, _>(source, visit),
            Model::Sc => self.search::<model::Sc, _>(source, visit),
            Model::Tso => self.search::<model::Tso, _>(source, visit),
        }
    }

    /// Explores a closure, as [`Self::observe`] without an observer.
    pub fn check(&self, program: impl Fn() + Send + Sync + 'static) -> Report {
        self.observe(program, crate::observe::Silent)
    }

    /// Explores a closure, which is run afresh for what it has not been seen to do yet; it
    /// must be deterministic but for what it reads from the explored types. The observer
    /// judges each execution as a whole.
    pub fn observe(
        &self,
        program: impl Fn() + Send + Sync + 'static,
        observer: impl crate::observe::Observer,
    ) -> Report {
        let source =
            crate::session::Closure::new(program, std::sync::Arc::new(observer), self.spurious);
        let visit = |_: &Execution<'_>| ControlFlow::Continue(());
        match self.model {
            Model::Rc11 => self.search::<model::Rc11, _>(source, visit),
            Model::Sc => self.search::<model::Sc, _>(source, visit),
            Model::Tso => self.search::<model::Tso, _>(source, visit),
        }
    }

    fn search<M: MemoryModel, S: Source>(
        &self,
        source: S,
        mut visit: impl FnMut(&Execution<'_>) -> ControlFlow<()>,
    ) -> Report {
        let begun = Instant::now();
        let mut report = Report {
            complete: 0,
            blocked: 0,
            exhaustive: false,
            failure: None,
            spins: Vec::new(),
            elapsed: Duration::ZERO,
        };
        let mut search = Search::<M, S>::new(source, self.max_events);
        let result = search.run(|search, end| {
            match end {
                End::Complete => report.complete += 1,
                End::Blocked => report.blocked += 1,
            }
            if report.complete + report.blocked == 1 {
                search.source.verify(&search.cache, &search.graph)?;
            }
            let execution =
                Execution::new(&search.graph, &search.cache, &search.source, end).under(self.model);
            if let Some(complaint) = search.source.judge(&execution) {
                return Err(Stop::Fault(Fault::property(complaint)));
            }
            let spent = report.complete + report.blocked >= self.max_executions;
            match visit(&execution) {
                ControlFlow::Continue(()) if !spent => Ok(()),
                _ => Err(Stop::Ended),
            }
        });
        match result {
            Ok(()) => report.exhaustive = true,
            Err(Stop::Ended) => {}
            Err(Stop::Fault(fault)) => {
                if fault.kind != FailureKind::Program {
                    search.look_ahead();
                }
                let execution =
                    Execution::new(&search.graph, &search.cache, &search.source, End::Blocked)
                        .under(self.model);
                let fault =
                    fault_of(&search.source, &execution, Some(fault.clone())).unwrap_or(fault);
                let failure = execution.failure(&fault);
                search.source.failed(&execution, &failure);
                report.failure = Some(failure);
            }
        }
        report.spins = search.source.spins();
        report.elapsed = begun.elapsed();
        report
    }
}

/// The fault to report of an execution. What the observer has to say of it is closer to
/// the program's meaning than a race or a deadlock.
fn fault_of<S: Source>(
    source: &S,
    execution: &Execution<'_>,
    fault: Option<Fault>,
) -> Option<Fault> {
    if fault
        .as_ref()
        .is_some_and(|f| f.kind == FailureKind::Program)
    {
        return fault;
    }
    source.judge(execution).map(Fault::property).or(fault)
}

/// What an exploration found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Executions in which every thread ended.
    pub complete: u64,
    /// Executions in which a thread stayed blocked.
    pub blocked: u64,
    /// Whether every execution was visited.
    pub exhaustive: bool,
    /// The first fault.
    pub failure: Option<Failure>,
    /// Places where a thread was taken to wait, because it did nothing but three equal
    /// turns of reads. A loop that gives up after more turns than that must be written
    /// otherwise.
    pub spins: Vec<String>,
    /// Time spent.
    pub elapsed: Duration,
}

/// A fault of the program under exploration.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What went wrong.
    pub kind: FailureKind,
    /// One sentence with the places.
    pub message: String,
    /// The failing execution, one column per thread.
    pub table: String,
    /// Its graph in the DOT language.
    pub dot: String,
    /// Its graph as a picture.
    pub svg: String,
    /// The line that [`Explorer::replay`] repeats it from.
    pub trace: String,
}

/// The kinds of fault.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FailureKind {
    /// An assertion failed or a thread panicked.
    Assertion,
    /// Two conflicting accesses, one plain, without happens-before.
    DataRace,
    /// Every thread that has not ended waits for ever.
    Deadlock,
    /// An [`Observer`](crate::observe::Observer) objected.
    Property,
    /// The program breaks a rule of the explorer: nondeterminism, endless loop.
    Program,
}
