//! What an exploration is to do, whatever it explores.

pub(crate) use super::parallel::Shard;

use super::cache::Source;
use super::direct::Direct;
use super::drive::Visit;
use super::program::Program;
use super::{Model, Progress, Report, model};
use std::fmt;
use std::sync::Arc;

/// Settings that are not the program's.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub model: Model,
    pub max_events: usize,
    pub max_executions: u64,
    pub reduce: bool,
    pub workers: usize,
    pub shard: Option<Shard>,
    /// Choices that a split should leave for each worker.
    pub share: u64,
    pub revisits: Option<usize>,
    pub preemptions: Option<u32>,
    pub sample: Option<(u64, u64)>,
    pub survey: bool,
    /// Operations known from which on some are forgotten.
    pub known: usize,
    pub progress: Option<Callback>,
    /// How often a thread may time out, to be said in the report.
    pub time_outs: u32,
}

#[derive(Clone)]
pub(crate) struct Callback(pub Arc<dyn Fn(&Progress) + Send + Sync>);

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback")
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            model: Model::Rust,
            max_events: 10_000,
            max_executions: u64::MAX,
            reduce: false,
            workers: 1,
            shard: None,
            share: 64,
            revisits: None,
            preemptions: None,
            sample: None,
            survey: false,
            known: 1 << 15,
            progress: None,
            time_outs: 1,
        }
    }
}

// Nothing here is generic in the program or the observer: the search is compiled once, in this
// crate, and not once more for each program that is explored.
impl Plan {
    pub fn program(
        &self,
        program: &dyn Program,
        reducible: bool,
        visit: Option<&mut Visit<'_>>,
    ) -> Report {
        self.under_model(|| Direct::new(program), reducible, visit)
    }

    pub fn under_model<S: Source>(
        &self,
        make: impl Fn() -> S + Sync,
        reducible: bool,
        visit: Option<&mut Visit<'_>>,
    ) -> Report {
        match self.model {
            Model::Rust => self.explore::<model::Rust, _>(make, reducible, visit),
            Model::Rc11 => self.explore::<model::Rc11, _>(make, reducible, visit),
            Model::Sc => self.explore::<model::Sc, _>(make, reducible, visit),
            Model::Tso => self.explore::<model::Tso, _>(make, reducible, visit),
        }
    }
}
