//! Primitives that no protocol uses yet: a thread parks and is unparked, before or after;
//! a thread waits until a word has changed; numbers of threads differ.

use std::marker::PhantomData;
use threadbare_models::engine::{self, Budget, Engine, Program};
use threadbare_models::enumerate::Start;
use threadbare_models::ghost::require;
use threadbare_models::mutants;
use threadbare_models::protocol::{
    Fault as _, Property, Protocol, Reach, Scenario, Shape, Switch, World,
};
use threadbare_models::runtime::{
    Atomic as _, Lock as _,
    Ordering::{Acquire, Release},
    Runtime, Unpark as _,
};
use threadbare_models::verdict::{Kind, Verdict};

mutants! {
    /// What goes wrong without them.
    pub enum Mutant {
        /// Nobody is unparked.
        NoUnpark = "no-unpark" breaks ["P"] in "parks" by Everywhere;
        /// The word that is waited for is not written.
        NoWrite = "no-write" breaks ["P"] in "parks" by Everywhere;
        /// The work is announced before it is done.
        Early = "early" breaks ["Q"] in "parks" by Everywhere;
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    /// Leaves a handle, announces it, parks, and finds the work done.
    Park,
    /// Waits for the handle, does the work, unparks.
    Wake,
}

struct Bed<R: Runtime> {
    handle: R::Mutex<Option<R::Thread>>,
    ready: R::AtomicU32,
    done: R::AtomicU32,
    numbers: R::Mutex<Vec<usize>>,
    faults: Switch<Mutant>,
    runtime: PhantomData<fn(R)>,
}

impl<R: Runtime> World for Bed<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = ();

    fn new(_: Shape, faults: Switch<Mutant>) -> Self {
        Self {
            handle: R::Mutex::new(None, "handle"),
            ready: R::AtomicU32::new(0, "ready"),
            done: R::AtomicU32::new(0, "done"),
            numbers: R::Mutex::new(Vec::new(), "numbers"),
            faults,
            runtime: PhantomData,
        }
    }
    fn enter(&self, _: usize) {
        self.numbers.lock().push(R::thread_id());
    }
    fn step(&self, (): &mut (), op: Op) -> Option<i64> {
        match op {
            Op::Park => {
                *self.handle.lock() = Some(R::current());
                if !self.faults.is(Mutant::NoWrite) {
                    // Release: the handle comes before it.
                    self.ready.store(1, Release);
                }
                R::park();
                // Acquire: pairs with the work.
                let done = self.done.load(Acquire);
                require(done == 1, Kind::Invariant, || "done: unparked before the work".into());
            }
            Op::Wake => {
                // Acquire: pairs with the announcement.
                R::await_until(|| self.ready.load(Acquire) == 1);
                let handle = self.handle.lock().clone();
                let handle = handle.expect("announced after it was left");
                let early = self.faults.is(Mutant::Early);
                if early {
                    handle.unpark();
                }
                // Release: the work is done.
                self.done.store(1, Release);
                if !early && !self.faults.is(Mutant::NoUnpark) {
                    handle.unpark();
                }
            }
        }
        None
    }
    fn finish(&self) {
        let numbers = self.numbers.lock();
        let differ = numbers.len() == 2 && numbers[0] != numbers[1] && !numbers.contains(&0);
        require(differ, Kind::Invariant, || format!("numbers of threads: {:?}", *numbers));
    }
}

struct Primitives;

impl Protocol for Primitives {
    const NAME: &'static str = "primitives";
    const TITLE: &'static str = "Primitives";
    const QUESTION: &'static str = "Does every backend have them?";
    const SOURCE: &'static str = "this test";
    const PROPERTIES: &'static [Property] = &[
        Property {
            id: "P",
            states: "who is unparked goes on",
            broken_by: &[Kind::Deadlock.anywhere()],
        },
        Property { id: "Q", states: "not before", broken_by: &[Kind::Invariant.anywhere()] },
    ];
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Bed<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        vec![
            Scenario::new("parks", "one thread parks, the other wakes it")
                .thread([Op::Wake])
                .thread([Op::Park])
                .dfs(Reach::Sampled),
        ]
    }
    fn starts(_: usize) -> Vec<Start<Op>> {
        Vec::new()
    }
}

fn check(engine: Engine, mutant: Option<Mutant>) -> Verdict {
    let scenario = Primitives::scenarios().remove(0);
    let program = Program::new::<Primitives>(scenario, mutant);
    let executions = if engine == Engine::Native { 200 } else { 20_000 };
    engine::check(engine, program, Budget { executions, ..Budget::default() })
}

#[test]
fn who_is_unparked_goes_on_and_nobody_else() {
    for engine in [Engine::Explorer, Engine::Loom, Engine::Native] {
        let verdict = check(engine, None);
        assert!(verdict.is_pass(), "{}: {verdict}", engine.name());
    }
}

/// A limit that is known: shuttle lets a parked thread go on without a token, and its depth-first
/// search does so for ever. No protocol waits in this way yet.
#[test]
fn shuttle_lets_parked_threads_go_on() {
    for (engine, expected) in [(Engine::Random, Kind::Invariant), (Engine::Dfs, Kind::StepBudget)] {
        let verdict = check(engine, None);
        let kind = verdict.failure().map(|failure| failure.violation.kind);
        assert_eq!(kind, Some(expected), "{}: {verdict}", engine.name());
    }
}

#[test]
fn a_thread_that_nobody_wakes_is_found() {
    for engine in [Engine::Explorer, Engine::Loom] {
        for mutant in [Mutant::NoUnpark, Mutant::NoWrite, Mutant::Early] {
            let verdict = check(engine, Some(mutant));
            let kind = verdict.failure().map(|failure| failure.violation.kind);
            let expected = match mutant {
                Mutant::Early => Kind::Invariant,
                // loom runs a wait for ever.
                Mutant::NoWrite if engine == Engine::Loom => Kind::StepBudget,
                _ => Kind::Deadlock,
            };
            assert_eq!(kind, Some(expected), "{} {mutant:?}: {verdict}", engine.name());
        }
    }
}
