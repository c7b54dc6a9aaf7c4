//! What an engine is given: a program to run, without the types of its protocol.

use super::execute;
use crate::protocol::{Protocol, Reach, Scenario, Switch};
use crate::runtime::{Backend, Model};
use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

/// A scenario of a protocol, faithful or with a fault planted.
///
/// Engines are compiled once for all protocols, and each protocol once for all engines.
#[derive(Clone)]
pub struct Program {
    /// The scenario's name.
    pub(crate) name: Cow<'static, str>,
    /// The number of threads, main included.
    pub(crate) threads: usize,
    /// Operations over all threads.
    pub(crate) operations: usize,
    /// How far loom goes.
    pub(crate) loom: Reach,
    /// How far the depth-first search goes.
    pub(crate) dfs: Reach,
    /// How many waits of each thread may end for no reason.
    pub(crate) spurious: u32,
    /// The scripts as text.
    pub(crate) shown: Arc<Shown>,
    body: Arc<dyn Fn() + Send + Sync>,
}

/// A scenario as it is printed above a failing execution.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The question that it puts.
    pub asks: &'static str,
    /// Operations before the threads start.
    pub setup: String,
    /// Every thread's operations.
    pub threads: Vec<Vec<String>>,
    /// Operations after the threads ended.
    pub finish: Vec<String>,
}

impl Program {
    /// Erases a protocol's types.
    pub fn new<P: Protocol>(scenario: Scenario<P::Op>, mutant: Option<P::Mutant>) -> Self {
        let text = |ops: &[P::Op]| ops.iter().map(|op| format!("{op:?}")).collect::<Vec<_>>();
        let scenario = Arc::new(scenario);
        Self {
            name: scenario.name.clone(),
            threads: scenario.threads.len(),
            operations: scenario.operations(),
            loom: scenario.loom,
            dfs: scenario.dfs,
            spurious: scenario.spurious,
            shown: Arc::new(Shown {
                asks: scenario.asks,
                setup: format!("{:?}", scenario.setup),
                threads: scenario.threads.iter().map(|ops| text(ops)).collect(),
                finish: text(&scenario.finish),
            }),
            body: Arc::new(move || execute::<Model, P::World<Model>>(&scenario, Switch(mutant))),
        }
    }

    /// The scenario's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One execution over a backend, to be repeated as often as an engine wants.
    pub(super) fn over(&self, backend: Backend) -> impl Fn() + Send + Sync + 'static + use<> {
        let body = self.body.clone();
        move || {
            backend.choose();
            body();
        }
    }
}
