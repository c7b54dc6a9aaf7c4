//! What is checked about the published biased count: planted faults, scenarios, properties.

use super::*;

mutants! {
    /// Faults of the published scheme.
    pub enum Mutant {
        /// A foreign drop is relaxed: it frees beside the uses of others.
        DropRelaxed = "paper-drop-relaxed" breaks ["P4"] in "uses-and-merge" by WeakMemory;
        /// The safe point does nothing: entries wait until the owner exits.
        PollNothing = "paper-poll-nothing" breaks ["P1"] in "polled" by Everywhere;
        /// The safe point loses one entry of its list.
        PollLosesOne = "paper-poll-loses-one" breaks ["P1"] in "polled" by Everywhere;
        /// The owner frees at zero although the object is on its list.
        FreeListed = "paper-free-listed" breaks ["P2"] in "drop-and-return" by Everywhere;
        /// Every foreign decrement below zero queues.
        NoQueuedFlag = "paper-requeue" breaks ["P1", "P2"] in "two-foreign-drops" by Everywhere;
        /// The merge of a listed object leaves out the owner's half.
        ListForgetsBias = "paper-list-forgets-bias" breaks ["P1"] in "one-listed" by Everywhere;
        /// The owner word is cleared after the merge, when the object may be gone, as the published
        /// form is recalled.
        OwnerAfterMerge = "paper-owner-after-merge" breaks ["P2"] in "merge-beside-last" by Everywhere;
    }
}

/// The protocol.
pub struct BiasedPaper;

impl Protocol for BiasedPaper {
    const NAME: &'static str = "biased-paper";
    const TITLE: &'static str = "Biased reference count, as published";
    const QUESTION: &'static str = "Is an object on its owner's list kept alive by anything?";
    const SOURCE: &'static str = "Choi, Shull, Torrellas, PACT 2018";
    const PROPERTIES: &'static [Property] = PROPERTIES;
    const RANDOM: Option<Draw<Op>> = Some(random);
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Workshop<R, Paper<R, Switch<Mutant>>>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::new("polled", "the owner polls after a foreign drop, and goes on")
                .setup([New(0), Give(0, 1)])
                .thread([Poll])
                .thread([Decref(0)])
                .finish([Poll, Settled]),
            Scenario::new("foreign-drop", "a foreign thread drops what the owner counted")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([Decref(0), Poll])
                .thread([Use(0), Decref(0)]),
            Scenario::new("one-listed", "the only reference is dropped by a foreign thread")
                .setup([New(0), Give(0, 1)])
                .thread([Poll])
                .thread([Decref(0)]),
            Scenario::new("two-foreign-drops", "the shared half falls to minus two")
                .setup([New(0), Incref(0), Incref(0), Give(0, 1), Give(0, 1)])
                .thread([Poll, Decref(0)])
                .thread([Decref(0), Decref(0)]),
            Scenario::new("drop-and-return", "a foreign drop, then the references come home")
                .setup([New(0), Incref(0), Incref(0), Give(0, 1), Give(0, 1)])
                .thread([Recv(0), Recv(0), Decref(0), Decref(0), Decref(0), Poll])
                .thread([Decref(0), Incref(0), Send(0), Send(0)]),
            Scenario::new("uses-and-merge", "everybody uses the object before the merge")
                .setup([New(0), Incref(0), Incref(0), Give(0, 1), Give(0, 2)])
                .thread([Use(0), Decref(0), Poll])
                .thread([Use(0), Decref(0)])
                .thread([Use(0), Decref(0)])
                .loom(Reach::Sampled),
            Scenario::new("uses-and-last", "the owner's last drop beside another's, after uses")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([Recv(0), Use(0), Decref(0), Decref(0), Poll])
                .thread([Incref(0), Send(0), Use(0), Decref(0)])
                .loom(Reach::Preemptions(3)),
            Scenario::new("merge-beside-last", "the owner merges beside the last foreign drop")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([Recv(0), Decref(0), Decref(0), Poll])
                .thread([Incref(0), Send(0), Decref(0)]),
        ]
    }

    fn starts(threads: usize) -> Vec<Start<Op>> {
        fn letters(place: Place) -> Vec<Op> {
            let mut letters = workshop::letters();
            letters.extend((place.thread == 0).then_some(Op::Poll));
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
}

const PROPERTIES: &[Property] = properties! {
    "P1" "biased + shared equals the references at quiescence" by [WrongCount, Leak, NegativeCount];
    "P2" "no free while referenced or listed, none twice, no touch after the last step"
        by [PrematureFree, UseAfterFree at "object" "payload" "owner" "biased" "shared" "bias", DoubleFree];
    "P4" "uses happen before the free; the biased half has one writer"
        by [DataRace at "payload" "child" "bias"];
};
