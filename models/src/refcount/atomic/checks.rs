//! What is checked about the atomic count: planted faults, scenarios, properties.

use super::super::{R1, R3};
use super::*;

mutants! {
    /// Faults of the atomic count.
    pub enum Mutant {
        /// The last drop does nothing more.
        ZeroNothing = "arc-zero-nothing" breaks ["R3"] in "last-use" by Everywhere;
        /// The count changes by a load and a store instead of one step.
        PlainCount = "arc-plain-count" breaks ["R1", "R3"] in "balanced" by Everywhere;
        /// The decrement is relaxed: the last dropper does not see what others did.
        RelaxedDecr = "arc-relaxed-decr" breaks ["R4"] in "last-use" by WeakMemory;
        /// No acquire before the object is destroyed.
        NoAcquire = "arc-no-acquire" breaks ["R4"] in "last-use" by WeakMemory;
        /// The acquire fence stands before the decrement instead of after it.
        FenceBefore = "arc-fence-before" breaks ["R4"] in "last-use" by WeakMemory;
        /// Try-increment adds first and takes it back when the count was zero.
        TryAddUndo = "arc-try-incr-add" breaks ["R5", "R1"] in "two-upgrades" by Everywhere;
        /// Try-increment tests for zero and adds in two steps.
        TryCheckThenAdd = "arc-try-incr-then-check" breaks ["R5", "R1", "R4"] in "upgrade" by Everywhere;
        /// The count wraps around instead of saturating.
        Wrap = "arc-wrap" breaks ["R1"] in "leaky" by Everywhere;
    }
}

/// The protocol. Model runs use a limit of 4, or saturation would be out of reach.
pub struct Atomic;

impl Protocol for Atomic {
    const NAME: &'static str = "atomic";
    const TITLE: &'static str = "Atomic reference count";
    const QUESTION: &'static str =
        "Which orders does an atomic count need, and what may be done at zero?";
    const SOURCE: &'static str = "Rust Arc, C++ shared_ptr, Linux refcount_t";
    const PROPERTIES: &'static [Property] = PROPERTIES;
    const RANDOM: Option<Draw<Op>> = Some(random);
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Workshop<R, AtomicCount<R, Switch<Mutant>, 4>>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::new("balanced", "two threads take and drop references of one object")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([Incref(0), Decref(0), Decref(0)])
                .thread([Incref(0), Decref(0), Decref(0)]),
            Scenario::new("last-use", "each thread uses the object and drops its reference")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([Use(0), Decref(0)])
                .thread([Use(0), Decref(0)]),
            Scenario::new("upgrade", "a bare address is upgraded beside the last drop")
                .setup([New(0)])
                .thread([Decref(0)])
                .thread([TryIncref(0), Use(0), Decref(0)]),
            Scenario::new("two-upgrades", "two upgrades beside the last drop")
                .setup([New(0)])
                .thread([Decref(0)])
                .thread([TryIncref(0), Decref(0)])
                .thread([TryIncref(0), Decref(0)]),
            Scenario::new("leaky", "more references than the count can hold")
                .setup([New(0)])
                .thread([
                    Incref(0),
                    Incref(0),
                    Incref(0),
                    Incref(0),
                    Incref(0),
                    Incref(0),
                    Incref(0),
                    Incref(0),
                    Decref(0),
                    Decref(0),
                ]),
            Scenario::new("tree", "the last drop of a parent drops a shared child")
                .objects(2)
                .setup([New(0), New(1), Incref(1), Give(1, 1), Own(0, 1)])
                .thread([Decref(0)])
                .thread([Use(1), Decref(1)]),
        ]
    }

    fn starts(threads: usize) -> Vec<Start<Op>> {
        global_lock::starts(threads)
    }
}

/// Properties of every plain count.
pub const PROPERTIES: &[Property] = &[
    R1,
    R3,
    Property {
        id: "R4",
        states: "every use by any thread happens before the free",
        broken_by: &[Kind::DataRace.at(&["payload", "child"])],
    },
    Property {
        id: "R5",
        states: "a count of zero is final",
        broken_by: &[Kind::UseAfterFree.anywhere(), Kind::DoubleFree.anywhere()],
    },
];
