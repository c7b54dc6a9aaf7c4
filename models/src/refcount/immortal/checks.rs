//! What is checked about immortal objects: planted faults, scenarios, properties.

use super::*;

mutants! {
    /// Faults of immortal objects.
    pub enum Mutant {
        /// The safe point does nothing: entries wait until the owner exits.
        PollNothing = "imm-poll-nothing" breaks ["M3"] in "polled" by Everywhere;
        /// The safe point loses one of its entries.
        PollLosesOne = "imm-poll-loses-one" breaks ["M3"] in "polled" by Everywhere;
        /// The increment does not look: all ones wrap to zero.
        NoIncrefCheck = "imm-no-incref-check" breaks ["M1", "M2"] in "counted" by Everywhere;
        /// The decrement does not look: all ones become a count.
        NoDecrefCheck = "imm-no-decref-check" breaks ["M1", "M2"] in "counted" by Everywhere;
        /// Adding many at once truncates to the width of the field.
        BulkWrap = "imm-bulk-wrap" breaks ["M2"] in "bulk" by Everywhere;
        /// A merge takes all ones for a count, as CPython 3.13's does, whose shared half of an immortal
        /// object is zero.
        #[shipped(x)]
        MergeBlind = "imm-merge-blind" breaks ["M1", "M3"] in "queued-zero" by Everywhere;
        /// The merge is relaxed: a mortal object is freed beside its last uses.
        MergeRelaxed = "imm-merge-relaxed" breaks ["M7"] in "mortal-merge" by WeakMemory;
        /// A thread that is not the owner makes the object immortal, as the winner of a race
        /// to intern a string does in CPython 3.13.
        #[shipped(x)]
        ForeignSet = "imm-foreign-set" breaks ["M1", "M5"] in "foreign" by Everywhere;
    }
}

/// The protocol.
pub struct ImmortalProtocol;

impl Protocol for ImmortalProtocol {
    const NAME: &'static str = "immortal";
    const TITLE: &'static str = "Immortal objects";
    const QUESTION: &'static str = "Can an object leave counting while others still count it?";
    const SOURCE: &'static str = "CPython 3.13 object.h, object.c; PEP 683";
    const PROPERTIES: &'static [Property] = PROPERTIES;
    type Mutant = Mutant;
    type Op = Op<Extra>;
    type World<R: Runtime> = Workshop<R, Immortal<R, Switch<Mutant>>>;

    fn scenarios() -> Vec<Scenario<Op<Extra>>> {
        use self::Extra::*;
        use crate::protocol::Reach;
        use Op::{Extra as X, *};
        vec![
            Scenario::new("polled", "the owner polls after a foreign drop, and goes on")
                .setup([New(0), Give(0, 1)])
                .thread([Poll])
                .thread([Decref(0)])
                .finish([Poll, Settled]),
            Scenario::new("counted", "an immortal object is counted on")
                .setup([New(0), Incref(0), X(Immortalise(0))])
                .thread([Incref(0), Decref(0), Decref(0), Decref(0)]),
            Scenario::new("saturated", "the owner's count reaches all ones by itself")
                .setup([New(0)])
                .thread([
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
            Scenario::new("bulk", "many references are added at once")
                .setup([New(0), X(Add(0, 8))])
                .thread([Decref(0)]),
            Scenario::new("queued", "an object becomes immortal while queued")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([X(Immortalise(0)), Poll, Decref(0)])
                .thread([Decref(0)]),
            Scenario::new("queued-zero", "the same with CPython's zero in the shared half")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([X(ImmortaliseZero(0)), Poll, Decref(0)])
                .thread([Decref(0)]),
            Scenario::new("foreign", "another thread makes the object immortal")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([Incref(0), Decref(0), Decref(0), Poll])
                .thread([X(Immortalise(0)), Decref(0)]),
            Scenario::new("beside-drop", "made immortal beside a foreign drop")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([X(Immortalise(0)), Poll])
                .thread([Incref(0), Decref(0), Decref(0)])
                .loom(Reach::Sampled),
            Scenario::new("mortal", "a mortal object's shared half goes up and back to zero")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([Recv(0), Use(0), Decref(0), Decref(0)])
                .thread([Incref(0), Send(0), Use(0), Decref(0)]),
            Scenario::new("mortal-merge", "a mortal object is used before and after its merge")
                .setup([New(0), Incref(0), Incref(0), Give(0, 1), Give(0, 1)])
                .thread([Use(0), Decref(0), Poll])
                .thread([Use(0), Decref(0), Use(0), Decref(0)])
                .loom(Reach::Preemptions(3)),
        ]
    }

    fn starts(threads: usize) -> Vec<Start<Op<Extra>>> {
        use self::Extra::*;
        use Op::{Extra as X, *};
        fn letters(place: Place) -> Vec<Op<self::Extra>> {
            let mut letters = workshop::letters();
            letters.extend([X(Immortalise(0)), X(ImmortaliseZero(0))]);
            if place.thread == 0 {
                letters.extend([Poll, X(Add(0, 5))]);
            }
            letters
        }
        let start = |name, asks, setup| Start {
            setup,
            alike: 1,
            fits: workshop::fits,
            ..Start::new(name, asks, letters)
        };
        vec![
            start("each", "every thread has a reference", workshop::each(threads)),
            start(
                "abroad",
                "every thread but the owner has a reference",
                workshop::abroad(threads),
            ),
        ]
    }

    fn random(
        n: usize,
        ops: usize,
        below: &mut dyn FnMut(usize) -> usize,
    ) -> Option<Scenario<Op<Extra>>> {
        let mut scenario = random(n, ops, below);
        scenario.threads[0].push(Op::Extra(Extra::Immortalise(0)));
        Some(scenario)
    }
}

const PROPERTIES: &[Property] = properties! {
    "M1" "an immortal object is never freed and never mortal again"
        by [PrematureFree, UseAfterFree, DoubleFree, Invariant, WrongCount, Leak];
    "M2" "no sequence of increments makes a count smaller: at the limit it leaks"
        by [PrematureFree, WrongCount, UseAfterFree];
    "M3" "late operations on the shared half are harmless"
        by [PrematureFree, UseAfterFree, Deadlock, Starvation, Leak, WrongCount];
    "M5" "no two threads write the header without an order between them" by [DataRace at "bias"];
    "M7" "every use of a mortal object happens before its free"
        by [DataRace at "payload" "child", UseAfterFree at "object" "payload"];
};
