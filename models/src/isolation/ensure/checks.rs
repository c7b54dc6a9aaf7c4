//! What is checked about calls into an interpreter: planted faults, scenarios, properties.

use super::*;
use crate::enumerate::{Place, Start};
use crate::protocol::{Draw, Property, Protocol, Scenario};
use crate::{mutants, properties};

mutants! {
    /// Faults of who calls in, and of who ends an interpreter.
    pub enum Mutant {
        /// Whether the interpreter is finalizing is asked in one section, and the guard counted in the next.
        CheckThenInc = "guard-check-then-inc" breaks ["P4"] in "end" by Everywhere;
        /// A thread without a state comes into the main interpreter, whatever is meant (CPython 3.13).
        #[shipped(x)]
        DefaultMain = "gs-default-main" breaks ["P1"] in "call" by Everywhere;
        /// A thread that asks again comes into the interpreter that it was in first.
        FirstBindingWins = "gs-first-binding-wins" breaks ["P1"] in "nested" by Everywhere;
        /// A state that is being cleared counts as unused.
        ReleaseDeletesEarly = "gs-release-deletes-early" breaks ["P3"] in "call" by Everywhere;
        /// A thread has one counter for its states in all interpreters.
        CounterShared = "gs-counter-shared" breaks ["P3"] in "nested" by Everywhere;
        /// A state's memory is asked for under the head lock.
        AllocUnderHeadLock = "gs-ensure-allocs-under-head-lock" breaks ["P5"] in "hooked" by Everywhere;
        /// A call that comes too late never comes back, with what its thread holds (CPython 3.13).
        #[shipped(x)]
        HangHoldingLock = "gs-hang-holding-lock" breaks ["P5"] in "locked" by Everywhere;
        /// Releasing does nothing.
        ReleaseNothing = "gs-release-nothing" breaks ["P2"] in "call" by Everywhere;
    }
}

/// The protocol.
pub struct ForeignCalls;

impl Protocol for ForeignCalls {
    const NAME: &'static str = "foreign-calls";
    const TITLE: &'static str = "Calls into an interpreter";
    const QUESTION: &'static str =
        "Into which interpreter does a foreign thread's call go, and what if that is ending?";
    const SOURCE: &'static str = "PEP 788; CPython 3.13 pystate.c";
    const PROPERTIES: &'static [Property] = properties! {
        "P1" "who calls in works in the interpreter that is meant" by [Invariant at "current"];
        "P2" "after a release the thread is where it was" by [Invariant at "before"];
        "P3" "a state is freed once, at its last release" by [DoubleFree at "state", Leak at "state"];
        "P4" "nobody is in an interpreter that has ended"
            by [UseAfterFree at "heap", DataRace at "heap"];
        "P5" "nobody waits for ever" by [Deadlock];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Calls<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("call", "two call in", [&[Call], &[Call]]),
            Scenario::of("nested", "calls within calls", [&[Nested], &[Call]]),
            Scenario::of("hooked", "a call where allocations are watched", [&[Hooked]]),
            Scenario::of("end", "a call beside the end", [&[Finalize], &[Call]]),
            Scenario::of("twice", "nested calls beside the end", [&[Finalize], &[Nested, Call]]),
            Scenario::of("locked", "a call with a mutex beside the end", [&[Finalize], &[Locked]]),
        ]
    }

    /// Left out: more than two calls, which take too long.
    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        let letters = |place: Place| {
            let own = if place.thread == 0 { Finalize } else { Locked };
            vec![Call, Hooked, Nested, own]
        };
        let fits = |scenario: &Scenario<Op>| {
            scenario.threads.iter().flatten().filter(|op| **op != Finalize).count() <= 2
        };
        vec![Start { alike: 1, fits, ..Start::new("outside", "threads of a library", letters) }]
    }

    /// Without that limit; in some of them the interpreter ends.
    const RANDOM: Option<Draw<Op>> = Some(|threads, operations, below| {
        let calls = [Op::Call, Op::Hooked, Op::Nested];
        let mut scenario = Scenario::random(&calls, threads, operations, below);
        let at = below(2 * operations);
        if let Some(op) = scenario.threads[0].get_mut(at) {
            *op = Op::Finalize;
        }
        scenario
    });
}
