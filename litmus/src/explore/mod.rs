//! The explorer: a stateless model checker that visits every consistent execution graph
//! once (TruSt: Kokologiannakis, Marmanis, Gladstein, Vafeiadis, POPL 2022).

pub mod program;

use program::{Location, Program, Value};
use std::ops::ControlFlow;
use std::time::Duration;

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
}

impl Default for Explorer {
    fn default() -> Self {
        Self::new()
    }
}

impl Explorer {
    /// Exhaustive exploration under RC11, stopping at the first fault.
    pub fn new() -> Self {
        Self { model: Model::Rc11, keep_going: false }
    }

    /// The memory model; RC11 unless set.
    pub fn model(mut self, model: Model) -> Self {
        self.model = model;
        self
    }

    /// Whether to visit the remaining executions after a fault; off unless set. Only the
    /// first fault is reported.
    pub fn keep_going(mut self, keep_going: bool) -> Self {
        self.keep_going = keep_going;
        self
    }

    /// Explores a [`Program`]; each complete or blocked execution goes to `visit`, which
    /// may end the exploration.
    pub fn run<P: Program>(
        &self,
        program: &P,
        visit: impl FnMut(&Execution<'_>) -> ControlFlow<()> + Send,
    ) -> Report {
        let _ = (program, visit, self.model, self.keep_going);
        todo!("the engine follows in the next commits; code against the types")
    }
}

/// One execution graph, as shown to the visitor of [`Explorer::run`].
pub struct Execution<'a> {
    _engine: &'a (),
}

impl Execution<'_> {
    /// Whether every thread has ended; otherwise one is blocked.
    pub fn is_complete(&self) -> bool {
        todo!()
    }

    /// The answers that `thread` received, in program order, 0 for operations without:
    /// what [`Program::step`] got for its last operation.
    pub fn answers(&self, thread: usize) -> Vec<Value> {
        let _ = thread;
        todo!()
    }

    /// The value of the last write in coherence order.
    pub fn final_value(&self, location: Location) -> Value {
        let _ = location;
        todo!()
    }

    /// One column per thread, one row per event, in an order that explains the reads.
    pub fn table(&self) -> String {
        todo!()
    }

    /// The graph in the DOT language: sb, rf, co and fr edges.
    pub fn dot(&self) -> String {
        todo!()
    }
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
    /// The program breaks a rule of the explorer: nondeterminism, endless loop.
    Program,
}
