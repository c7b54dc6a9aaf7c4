//! What an engine is given: a program to run, without the types of its protocol.

use super::execute;
use crate::protocol::{Protocol, Reach, Scenario, Switch};
use crate::runtime::{Allocated, Explorer, Loom, Runtime, Shuttle, Watched};
use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

/// One execution over one runtime, to be repeated as often as an engine wants.
pub(super) type Body = Arc<dyn Fn() + Send + Sync>;

/// A scenario of a protocol, faithful or with a fault planted.
///
/// Engines are compiled once for all protocols; what is compiled for each is the body, once for
/// each runtime.
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
    /// The scripts as text.
    pub(crate) shown: Arc<Shown>,
    bodies: Arc<dyn Fn(Over) -> Body + Send + Sync>,
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

/// The runtimes that engines run programs over.
#[derive(Clone, Copy, Debug)]
pub(super) enum Over {
    Explorer,
    Loom,
    Shuttle,
    Watched,
    Allocated,
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
            shown: Arc::new(Shown {
                asks: scenario.asks,
                setup: format!("{:?}", scenario.setup),
                threads: scenario.threads.iter().map(|ops| text(ops)).collect(),
                finish: text(&scenario.finish),
            }),
            bodies: Arc::new(move |over| {
                let scenario = scenario.clone();
                match over {
                    Over::Explorer => body::<P, Explorer>(scenario, mutant),
                    Over::Loom => body::<P, Loom>(scenario, mutant),
                    Over::Shuttle => body::<P, Shuttle>(scenario, mutant),
                    Over::Watched => body::<P, Watched>(scenario, mutant),
                    Over::Allocated => body::<P, Allocated>(scenario, mutant),
                }
            }),
        }
    }

    /// The scenario's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The body over a runtime.
    pub(super) fn over(&self, over: Over) -> Body {
        (self.bodies)(over)
    }
}

fn body<P: Protocol, R: Runtime>(
    scenario: Arc<Scenario<P::Op>>,
    mutant: Option<P::Mutant>,
) -> Body {
    Arc::new(move || execute::<R, P::World<R>>(&scenario, Switch(mutant)))
}
