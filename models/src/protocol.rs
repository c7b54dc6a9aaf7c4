//! What a protocol file declares: properties, mutants, scenarios, and the world in
//! which its operations run.

mod mutant;
mod properties;

pub use self::mutant::{Faithful, Fault, MutantInfo, Mutants, Switch, Visible};

use crate::enumerate::Start;
use crate::runtime::Runtime;
use crate::verdict::Breach;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Debug;

/// How random scenarios are drawn: of so many threads, of so many operations each, where `below(n)` returns the
/// next choice below `n`.
pub type Draw<Op> = fn(usize, usize, below: &mut dyn FnMut(usize) -> usize) -> Scenario<Op>;

/// A statement that must hold in every execution.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Property {
    /// Short name, referred to by mutants.
    pub id: &'static str,
    /// The statement.
    pub states: &'static str,
    /// The misbehaviours that break it, and where.
    pub broken_by: &'static [Breach],
}

impl Property {
    /// A property by its name, its statement, and the misbehaviours that break it.
    pub const fn new(id: &'static str, states: &'static str, broken_by: &'static [Breach]) -> Self {
        Self { id, states, broken_by }
    }
}

/// How far an engine goes with a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// All executions.
    Exhaustive,
    /// As many executions as the budget allows: a sample, and reported as one.
    Sampled,
    /// All executions with at most this many preemptions.
    Preemptions(usize),
    /// Not with this engine.
    No(&'static str),
}

/// A small concurrent program: set-up, threads × operations, final observation.
#[derive(Clone, Debug, Serialize)]
pub struct Scenario<Op> {
    /// Name on the command line.
    pub name: Cow<'static, str>,
    /// The question it puts.
    pub asks: &'static str,
    /// Objects in the world.
    pub objects: usize,
    /// Operations of the main thread before the others start.
    pub setup: Vec<Op>,
    /// One script per thread; the first is the main thread's.
    pub threads: Vec<Vec<Op>>,
    /// Operations of the main thread after the others have ended.
    pub finish: Vec<Op>,
    /// How far loom goes.
    pub loom: Reach,
    /// How far shuttle's depth-first search goes; random and PCT always run.
    pub dfs: Reach,
    /// How many waits of each thread may end for no reason, under the explorer.
    pub spurious: u32,
}

impl<Op: Copy> Scenario<Op> {
    /// An empty scenario with one object.
    pub fn new(name: impl Into<Cow<'static, str>>, asks: &'static str) -> Self {
        Self {
            name: name.into(),
            asks,
            objects: 1,
            setup: Vec::new(),
            threads: Vec::new(),
            finish: Vec::new(),
            loom: Reach::Exhaustive,
            dfs: Reach::Exhaustive,
            spurious: 0,
        }
    }

    /// Threads with these scripts, main first. Loom goes as far as two preemptions with two threads, with more
    /// as far as its budget.
    pub fn of<const N: usize>(name: &'static str, asks: &'static str, threads: [&[Op]; N]) -> Self {
        let mut scenario = Self::new(name, asks);
        scenario.threads = threads.iter().map(|ops| ops.to_vec()).collect();
        scenario.loom = if N > 2 { Reach::Sampled } else { Reach::Preemptions(2) };
        scenario
    }

    /// Threads of so many operations each, drawn from `letters`; `below(n)` returns the next choice below `n`.
    pub fn random(
        letters: &[Op],
        threads: usize,
        operations: usize,
        below: &mut dyn FnMut(usize) -> usize,
    ) -> Self {
        let mut scenario = Self::new("random", "drawn");
        let mut word = || (0..operations).map(|_| letters[below(letters.len())]).collect();
        scenario.threads = (0..threads).map(|_| word()).collect();
        scenario
    }

    /// Number of objects.
    pub fn objects(mut self, n: usize) -> Self {
        self.objects = n;
        self
    }

    /// Operations before the threads start.
    pub fn setup<const N: usize>(mut self, ops: [Op; N]) -> Self {
        self.setup = ops.to_vec();
        self
    }

    /// One more thread; the first is the main thread.
    pub fn thread<const N: usize>(mut self, ops: [Op; N]) -> Self {
        self.threads.push(ops.to_vec());
        self
    }

    /// Operations after the threads ended.
    pub fn finish<const N: usize>(mut self, ops: [Op; N]) -> Self {
        self.finish = ops.to_vec();
        self
    }

    /// How far loom goes.
    pub fn loom(mut self, reach: Reach) -> Self {
        self.loom = reach;
        self
    }

    /// How far the depth-first search goes.
    pub fn dfs(mut self, reach: Reach) -> Self {
        self.dfs = reach;
        self
    }

    /// How many waits of each thread may end for no reason.
    pub fn spurious(mut self, wakeups: u32) -> Self {
        self.spurious = wakeups;
        self
    }

    /// Operations over all threads, set-up and final ones not counted.
    pub fn operations(&self) -> usize {
        self.threads.iter().map(Vec::len).sum()
    }
}

/// The result of an operation that did not apply, such as dropping a reference that the
/// thread does not have.
pub const SKIPPED: Option<i64> = Some(i64::MIN);

/// The result of an operation in which its thread hangs for ever, by design, as a daemon does that asks for
/// the lock of an interpreter which has ended: nothing more of its script is run, it does not leave, and
/// what it held stays held. Of a thread other than the main one.
pub const HANGS: Option<i64> = Some(i64::MIN + 1);

/// What a world is built for.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Objects.
    pub objects: usize,
    /// Threads, main included.
    pub threads: usize,
}

/// A scheme together with the state that a scenario's operations act on.
pub trait World: Send + Sync + 'static {
    /// The operations.
    type Op;
    /// The faults.
    type Mutant;
    /// What a thread has of its own.
    type Local;

    /// A fresh world.
    fn new(shape: Shape, faults: Switch<Self::Mutant>) -> Self;
    /// Called by each thread first.
    fn enter(&self, thread: usize) -> Self::Local;
    /// The main thread's set-up is done, the others are about to start.
    fn started(&self, _main: &mut Self::Local) {}
    /// One operation; the result ([`SKIPPED`] and [`HANGS`] among them) is shown and, where a history is checked, judged.
    fn step(&self, local: &mut Self::Local, op: Self::Op) -> Option<i64>;
    /// Called by each thread last.
    fn exit(&self, _: Self::Local) {}
    /// Called by the main thread when all have ended: the final observation.
    fn finish(&self) {}
}

/// A mechanism that replaces part of the global lock.
pub trait Protocol: Sized + 'static {
    /// Name on the command line.
    const NAME: &'static str;
    /// Name in reports.
    const TITLE: &'static str;
    /// What the scheme has to answer.
    const QUESTION: &'static str;
    /// Where the algorithm comes from.
    const SOURCE: &'static str;
    /// What must hold.
    const PROPERTIES: &'static [Property];
    /// The faults.
    type Mutant: Mutants;
    /// The operations.
    type Op: Copy + Debug + PartialEq + Send + Sync + 'static;
    /// The world over a runtime.
    type World<R: Runtime>: World<Op = Self::Op, Mutant = Self::Mutant>;

    /// Whether a fault exists in this protocol; two protocols may share a list.
    fn applies(_: Self::Mutant) -> bool {
        true
    }
    /// The scenarios.
    fn scenarios() -> Vec<Scenario<Self::Op>>;
    /// What its small programs of so many threads are made of: after each set-up all programs
    /// within a bound are explored ([`crate::enumerate`]).
    fn starts(threads: usize) -> Vec<Start<Self::Op>>;
    /// Random scenarios of another kind than [`starts`](Self::starts) has. Where there are none, random
    /// programs are larger ones of `starts`.
    const RANDOM: Option<Draw<Self::Op>> = None;

    /// A random scenario of [`RANDOM`](Self::RANDOM), or where not all sizes have one.
    fn random(
        threads: usize,
        operations: usize,
        below: &mut dyn FnMut(usize) -> usize,
    ) -> Option<Scenario<Self::Op>> {
        Self::RANDOM.map(|draw| draw(threads, operations, below))
    }
}
