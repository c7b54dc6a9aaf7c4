//! Primitives that no protocol uses yet: a choice, a wait with a time limit, a wait that ends for no
//! reason, a thread that begins and ends inside a scenario, one that hangs for ever. Each in every
//! backend that has it, and each outcome of it is reached: a fault that denies one is found.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use threadbare_models::engine::{self, Budget, Engine, Program};
use threadbare_models::enumerate::Start;
use threadbare_models::ghost::require;
use threadbare_models::mutants;
use threadbare_models::protocol::{
    Fault as _, HANGS, Property, Protocol, Reach, Scenario, Shape, Switch, World,
};
use threadbare_models::runtime::{DataCell as _, Join as _, Lock as _, Runtime, Signal as _};
use threadbare_models::verdict::{Kind, Verdict};

mutants! {
    /// What is denied, or done wrong.
    pub enum Mutant {
        /// The choice is never 0.
        Never0 = "never-0" breaks ["P"] in "chooses" by Everywhere;
        /// The choice is never 1.
        Never1 = "never-1" breaks ["P"] in "chooses" by Everywhere;
        /// The choice is never 2.
        Never2 = "never-2" breaks ["P"] in "chooses" by Everywhere;
        /// A limit never expires.
        NeverExpires = "never-expires" breaks ["P"] in "expires" by Everywhere;
        /// A limit always expires.
        AlwaysExpires = "always-expires" breaks ["P"] in "signalled" by Everywhere;
        /// A wait that has ended is not looked at again.
        Once = "once" breaks ["P"] in "for-no-reason" by Everywhere;
        /// What another thread did is looked at before it has ended.
        Early = "early" breaks ["P"] in "forks" by Everywhere;
        /// The thread does not hang.
        Leaves = "leaves" breaks ["P"] in "hangs" by Everywhere;
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Op {
    /// One of three.
    Choose,
    /// Waits for a signal, with a limit.
    Expect,
    /// Waits for a signal, without one.
    Await,
    /// Parks with a limit.
    Park,
    /// Signals.
    Signal,
    /// Has another thread do something.
    Fork,
    /// Hangs for ever.
    Hang,
}

struct Bed<R: Runtime> {
    signalled: R::Mutex<bool>,
    condvar: R::Condvar,
    /// One for each thread.
    done: Arc<[R::Cell<u64>]>,
    /// Threads that have left.
    left: AtomicUsize,
    threads: usize,
    faults: Switch<Mutant>,
}

impl<R: Runtime> Bed<R> {
    fn denies(&self, mutant: Mutant, holds: bool) {
        require(!(holds && self.faults.is(mutant)), Kind::Invariant, || format!("{mutant:?}"));
    }
}

impl<R: Runtime> World for Bed<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = usize;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        Self {
            signalled: R::Mutex::new(false, "signalled"),
            condvar: R::Condvar::new("condvar"),
            done: (0..shape.threads).map(|_| R::Cell::new(0, "done")).collect(),
            left: AtomicUsize::new(0),
            threads: shape.threads,
            faults,
        }
    }
    fn enter(&self, n: usize) -> usize {
        n
    }
    fn step(&self, n: &mut usize, op: Op) -> Option<i64> {
        match op {
            Op::Choose => {
                let chosen = R::choose(3);
                let never = [Mutant::Never0, Mutant::Never1, Mutant::Never2];
                self.denies(never[chosen], true);
                return Some(chosen as i64);
            }
            Op::Expect => {
                let guard = self.signalled.lock();
                if *guard {
                    return None;
                }
                let (guard, expired) = R::wait_timeout(&self.condvar, &self.signalled, guard);
                self.denies(Mutant::NeverExpires, expired);
                self.denies(Mutant::AlwaysExpires, !expired && *guard);
                return Some(i64::from(expired));
            }
            Op::Await => {
                let mut guard = self.signalled.lock();
                while !*guard {
                    guard = R::wait(&self.condvar, &self.signalled, guard);
                    self.denies(Mutant::Once, !*guard);
                }
            }
            Op::Park => R::park_timeout(),
            Op::Signal => {
                *self.signalled.lock() = true;
                self.condvar.notify_one();
            }
            Op::Fork => {
                let (done, n) = (self.done.clone(), *n);
                let child = R::spawn(move || done[n].write(1));
                if self.faults.is(Mutant::Early) {
                    self.done[n].read();
                    child.join();
                } else {
                    child.join();
                    require(self.done[n].read() == 1, Kind::Invariant, || "not done".into());
                }
            }
            Op::Hang if self.faults.is(Mutant::Leaves) => {}
            Op::Hang => return HANGS,
        }
        None
    }
    fn exit(&self, n: usize) {
        // The observer's: it orders nothing.
        self.left.fetch_add(usize::from(n > 0), Relaxed);
    }
    fn finish(&self) {
        // Of the others only those that hang stay.
        let hanging = usize::from(self.threads == 3);
        let left = self.left.load(Relaxed);
        require(left + hanging + 1 == self.threads, Kind::Invariant, || format!("{left} left"));
    }
}

struct Choices;

impl Protocol for Choices {
    const NAME: &'static str = "choices";
    const TITLE: &'static str = "Choices";
    const QUESTION: &'static str = "Does every backend have them?";
    const SOURCE: &'static str = "this test";
    const PROPERTIES: &'static [Property] = &[Property {
        id: "P",
        states: "what is denied does not come",
        broken_by: &[Kind::Invariant.anywhere(), Kind::DataRace.anywhere()],
    }];
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Bed<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        let new = |name: &'static str, asks| Scenario::new(name, asks).dfs(Reach::Sampled);
        vec![
            new("chooses", "one thread chooses").thread([Op::Choose]),
            new("expires", "nobody signals").thread([Op::Expect]),
            new("parks", "nobody unparks").thread([Op::Park]),
            new("signalled", "a signal, or the limit").thread([Op::Expect]).thread([Op::Signal]),
            new("for-no-reason", "a wait may end for no reason")
                .thread([Op::Await])
                .thread([Op::Signal])
                .spurious(1),
            new("forks", "threads that start others").thread([Op::Fork]).thread([Op::Fork]),
            // Three threads: the last hangs.
            new("hangs", "a thread hangs beside others")
                .thread([Op::Choose])
                .thread([Op::Signal])
                .thread([Op::Signal, Op::Hang, Op::Choose]),
        ]
    }
    fn starts(_: usize) -> Vec<Start<Op>> {
        Vec::new()
    }
}

fn check(engine: Engine, scenario: &Scenario<Op>, mutant: Option<Mutant>) -> Verdict {
    let program = Program::new::<Choices>(scenario.clone(), mutant);
    let executions = if engine == Engine::Native { 100 } else { 5_000 };
    engine::check(engine, program, Budget { executions, ..Budget::default() })
}

fn named(name: &str) -> Scenario<Op> {
    let found = Choices::scenarios().into_iter().find(|s| s.name == name);
    found.expect("listed")
}

#[test]
fn every_engine_runs_them_to_their_end() {
    for scenario in Choices::scenarios() {
        for engine in Engine::ALL {
            let verdict = check(engine, &scenario, None);
            assert!(verdict.is_pass(), "{} {}: {verdict}", scenario.name, engine.name());
        }
    }
}

#[test]
fn every_outcome_is_reached_in_every_engine() {
    use Mutant::*;
    let all = [Never0, Never1, Never2, NeverExpires, AlwaysExpires, Early, Leaves];
    for mutant in all {
        let scenario = named(threadbare_models::protocol::Mutants::info(mutant).scenario);
        for engine in Engine::ALL {
            // Real threads see no race, and need not meet within a limit.
            if matches!(mutant, Early | AlwaysExpires) && engine == Engine::Native {
                continue;
            }
            let verdict = check(engine, &scenario, Some(mutant));
            let kind = verdict.failure().map(|failure| failure.violation.kind);
            let expected = if mutant == Early { Kind::DataRace } else { Kind::Invariant };
            assert_eq!(kind, Some(expected), "{mutant:?} {}: {verdict}", engine.name());
        }
    }
}

/// The explorer alone has waits that end for no reason, where the scenario asks for them.
#[test]
fn a_wait_that_is_not_looked_at_again_is_found_where_it_may_end_for_no_reason() {
    let scenario = named("for-no-reason");
    let kind = |verdict: Verdict| verdict.failure().map(|failure| failure.violation.kind);
    let asked = check(Engine::Explorer, &scenario, Some(Mutant::Once));
    assert_eq!(kind(asked), Some(Kind::Invariant));
    for engine in [Engine::Explorer, Engine::Loom, Engine::Random] {
        let verdict = check(engine, &scenario.clone().spurious(0), Some(Mutant::Once));
        assert!(verdict.is_pass(), "{}: {verdict}", engine.name());
    }
}

#[test]
fn a_choice_is_as_many_executions_as_it_has_ways() {
    let verdict = check(Engine::Explorer, &named("chooses"), None);
    assert!(matches!(&verdict, Verdict::Exhausted(b) if b.executions == 3), "{verdict}");
}
