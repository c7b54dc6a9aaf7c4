//! What is checked about deferred and per-thread counts: planted faults, scenarios, properties.

use super::*;

mutants! {
    /// Faults of deferred counting.
    pub enum Mutant {
        /// The collection does nothing.
        CollectNothing = "def-collect-nothing" breaks ["D6"] in "unbound" by Everywhere;
        /// Closing asks the object whether it is deferred, not the word.
        CloseByObject = "def-close-by-object" breaks ["D4", "D1"] in "deferred-later" by Everywhere;
        /// Tagged words are not added up.
        NoStackScan = "def-no-stack-scan" breaks ["D1"] in "only-word" by Everywhere;
        /// The loaded word stays in a register across a point where the world can stop.
        Unspilled = "def-unspilled" breaks ["D1"] in "load-beside-collect" by Everywhere;
        /// The surplus is one, with counts kept elsewhere.
        SmallSurplus = "def-small-surplus" breaks ["D1"] in "slots" by Everywhere;
        /// Deferral ends, the surplus stays.
        SurplusKept = "def-no-surplus-removal" breaks ["D6"] in "unbound" by Everywhere;
        /// An id is reused before all slots were merged.
        DirtyId = "def-id-reuse-dirty" breaks ["D3", "D1"] in "id-reuse" by Everywhere;
        /// An exiting thread forgets its slots.
        ExitLosesSlot = "def-exit-lost-slot" breaks ["D3"] in "slot-and-exit" by Everywhere;
    }
}

/// The protocol.
pub struct DeferredProtocol;

impl Protocol for DeferredProtocol {
    const NAME: &'static str = "deferred";
    const TITLE: &'static str = "Deferred and per-thread counts";
    const QUESTION: &'static str = "Can the references that every thread takes go uncounted?";
    const SOURCE: &'static str = "PEP 703; CPython 3.14 stackref, uniqueid, gc_free_threading";
    const PROPERTIES: &'static [Property] = PROPERTIES;
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Deferred<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use crate::protocol::Reach::Preemptions;
        use Op::*;
        vec![
            Scenario::new("deferred-later", "a word is pushed, then its object is deferred")
                .setup([Bind(0, false)])
                .thread([Load, Defer, Close, Unbind, Collect]),
            Scenario::new("only-word", "a word on a stack is the only reference")
                .setup([Bind(0, true)])
                .thread([Load, Unbind, Collect, Use, Close, Collect]),
            Scenario::new("load-beside-collect", "a load beside unbinding and a collection")
                .setup([Bind(0, true)])
                .thread([Load, Use, Close])
                .thread([Unbind, Collect])
                .loom(Preemptions(3)),
            Scenario::new("slots", "increments in a slot, decrements in the header")
                .setup([Bind(0, true)])
                .thread([SlotIncref, SlotIncref, Load, Use])
                .thread([HeaderDecref(0), HeaderDecref(0)])
                .loom(Preemptions(3)),
            Scenario::new("unbound", "an unreachable deferred object")
                .setup([Bind(0, true)])
                .thread([Unbind, Collect, Settled]),
            Scenario::new("id-reuse", "an object dies, its id goes to another")
                .objects(2)
                .setup([Bind(0, true)])
                .thread([SlotIncref, HeaderDecref(0), Unbind, Collect, Bind(1, true), Exit]),
            Scenario::new("slot-and-exit", "a thread counts in its slot and ends")
                .setup([Bind(0, true)])
                .thread([SlotIncref, Exit]),
            Scenario::new("exit", "a thread that counted in its slot ends")
                .setup([Bind(0, true)])
                .thread([Load, Use, Collect, Use])
                .thread([SlotIncref, Exit])
                .finish([Close, Unbind, Collect])
                .loom(Preemptions(3)),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        let letters =
            |_| vec![Load, Use, Close, Unbind, Defer, SlotIncref, HeaderDecref(0), Collect, Exit];
        let start = |name, asks, deferred| Start {
            setup: vec![Bind(0, deferred)],
            fits: |scenario: &Scenario<Op>| {
                // A thread uses, closes and defers what it has loaded.
                scenario.threads.iter().all(|script| {
                    let mut words = 0;
                    script.iter().all(|op| match op {
                        Load => {
                            words += 1;
                            true
                        }
                        Close => {
                            words -= 1;
                            words >= 0
                        }
                        Use | Defer => words > 0,
                        _ => true,
                    })
                })
            },
            ..Start::new(name, asks, letters)
        };
        vec![
            start("deferred", "a name is bound to a deferred object", true),
            start("counted", "a name is bound to an object that is counted", false),
        ]
    }
}

const PROPERTIES: &[Property] = properties! {
    "D1" "no free while a word, a slot or a count refers to the object; its uses come before"
        by [DataRace at "payload", PrematureFree, UseAfterFree, DoubleFree];
    "D3" "when the world stands, the sum over all places equals the references" by [WrongCount];
    "D4" "each word is counted at most once, by its own tag" by [WrongCount, Leak];
    "D6" "an unreachable deferred object is freed by the next collection" by [Leak];
};
