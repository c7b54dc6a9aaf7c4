//! The explorer: a stateless model checker that visits every consistent execution graph
//! once (TruSt: Kokologiannakis, Marmanis, Gladstein, Vafeiadis, POPL 2022).

pub(crate) mod cache;
mod direct;
mod drive;
pub(crate) mod execution;
pub(crate) mod graph;
mod model;
pub(crate) mod observer;
pub mod oracle;
mod parallel;
pub(crate) mod plan;
mod preemptions;
pub mod program;
mod report;
mod rerun;
pub(crate) mod search;
pub(crate) mod trace;

pub use execution::Execution;
pub use report::{Estimate, Failure, FailureKind, Progress, Report};

use plan::Plan;

/// The memory model under which executions are judged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Model {
    /// What Rust promises: C++20's model, as far as `sb ∪ rf` is acyclic. Seq_cst operations are
    /// in one order that agrees with the coherence orders, also as far as relaxed accesses tell of
    /// these. What load buffering adds (a store that comes before an earlier load of its thread)
    /// is not visited.
    #[default]
    Rust,
    /// Repaired C11 (Lahav, Vafeiadis, Kang, Hur, Dreyer, PLDI 2017) with C++20's
    /// release sequences, for comparison with other tools. Weaker than C++20 where seq_cst
    /// loads read from weaker stores.
    Rc11,
    /// Interleavings: the orders of accesses are ignored, but not for data races.
    Sc,
    /// x86: a store may be delayed past later loads of other locations.
    Tso,
}

impl Model {
    /// Its usual name: `C++20`, `RC11`, `SC`, `TSO`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rust => "C++20",
            Self::Rc11 => "RC11",
            Self::Sc => "SC",
            Self::Tso => "TSO",
        }
    }
}
