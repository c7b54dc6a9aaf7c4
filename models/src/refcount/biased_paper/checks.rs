//! What is checked about the published biased count: planted faults, scenarios, properties.

use super::*;

mutants! {
    /// Faults of the published scheme.
    pub enum Mutant {
        /// The owner frees at zero although the object is on its list.
        FreeListed = "paper-free-listed" breaks ["P2"] in "drop-and-return" by Everywhere;
        /// Every foreign decrement below zero queues.
        NoQueuedFlag = "paper-requeue" breaks ["P1", "P2"] in "two-foreign-drops" by Everywhere;
        /// A foreign drop does not release: what it did may come after the free.
        DropNoRelease = "paper-drop-no-release" breaks ["P4"] in "uses-and-merge" by WeakMemory;
        /// A foreign drop does not acquire: it frees beside the uses of others.
        DropNoAcquire = "paper-drop-no-acquire" breaks ["P4"] in "uses-and-merge" by WeakMemory;
        /// The owner that merges at zero does not release its uses.
        ZeroNoRelease = "paper-zero-merge-no-release" breaks ["P4"] in "uses-and-last" by WeakMemory;
        /// The owner that merges at zero does not acquire the drops of others.
        ZeroNoAcquire = "paper-zero-merge-no-acquire" breaks ["P4"] in "uses-and-last" by WeakMemory;
        /// The merge of a listed object does not release the owner's uses.
        ListNoRelease = "paper-list-merge-no-release" breaks ["P4"] in "uses-and-merge" by WeakMemory;
        /// The merge of a listed object does not acquire the drops of others.
        ListNoAcquire = "paper-list-merge-no-acquire" breaks ["P4"] in "uses-and-merge" by WeakMemory;
        /// The owner word is cleared after the merge, when the object may be gone, as published.
        #[shipped(x)]
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
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Workshop<R, Paper<R, Switch<Mutant>>>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::new("foreign-drop", "a foreign thread drops what the owner counted")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([Decref(0), Poll])
                .thread([Use(0), Decref(0)]),
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

    fn random(n: usize, ops: usize, below: &mut dyn FnMut(usize) -> usize) -> Option<Scenario<Op>> {
        Some(random(n, ops, below))
    }
}

const PROPERTIES: &[Property] = &[
    Property {
        id: "P1",
        states: "biased + shared equals the references at quiescence",
        broken_by: &[Kind::WrongCount, Kind::Leak, Kind::NegativeCount],
    },
    Property {
        id: "P2",
        states: "no free while referenced or listed, none twice, no touch after the last step",
        broken_by: &[Kind::PrematureFree, Kind::UseAfterFree, Kind::DoubleFree],
    },
    Property {
        id: "P4",
        states: "uses happen before the free; the biased half has one writer",
        broken_by: &[Kind::DataRace],
    },
];
