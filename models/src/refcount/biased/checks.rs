//! What is checked about the biased count: planted faults, scenarios, properties.

use super::*;

mutants! {
    /// Faults of the biased count.
    pub enum Mutant {
        /// The owner reads the shared half relaxed before it frees.
        RelaxedZeroLoad = "brc-relaxed-zero-load" breaks ["B4"] in "zero-by-others" by WeakMemory;
        /// The owner frees as soon as its own half is zero.
        IgnoreShared = "brc-merge-ignores-shared" breaks ["B2", "B4"] in "held-abroad" by Everywhere;
        /// The owner frees when the shared count is zero, whatever the flag.
        IgnoreFlags = "brc-fastpath-ignores-flags" breaks ["B2", "B6", "B4"] in "weak-upgrade" by Everywhere;
        /// The owner word is cleared after the merge, when the block may be another's.
        OwnerAfterMerge = "brc-tid-after-merge" breaks ["B2"] in "merge-then-last" by Everywhere;
        /// A foreign thread subtracts and queues: the entry owns no reference.
        QueueNoRef = "brc-queue-no-ref" breaks ["B2", "B1"] in "drop-and-return" by Everywhere;
        /// Queues whenever the shared count is zero, even if queued already.
        Requeue = "brc-requeue" breaks ["B1", "B3"] in "two-foreign-drops" by Everywhere;
        /// Try-increment accepts the initial zero.
        TryZero = "brc-try-zero" breaks ["B2", "B6"] in "bare-upgrade" by Everywhere;
        /// Try-increment accepts merged zero.
        TryDead = "brc-try-dead" breaks ["B6"] in "merged-upgrade" by Everywhere;
        /// The maybe-weak flag is set by a load and a store.
        FlagStore = "brc-flag-store" breaks ["B1", "B2"] in "flag-beside-incref" by Everywhere;
        /// The merge shifts the shared count as an unsigned number.
        LogicalShift = "brc-logical-shift" breaks ["B1", "B7"] in "two-foreign-drops" by Everywhere;
        /// An exiting owner leaves the table, then works off its entries.
        UnlinkFirst = "brc-unlink-first" breaks ["B5", "B1"] in "exit-with-tree" by Everywhere;
        /// An exiting owner finds its inbox empty in one section and leaves in the next.
        ExitGap = "brc-exit-gap" breaks ["B7"] in "exit" by Everywhere;
        /// The safe point clears the breaker after it emptied the inbox.
        ClearLate = "brc-clear-late" breaks ["B7"] in "told" by Everywhere;
        /// The safe point does nothing: entries wait until the owner exits.
        DrainNothing = "brc-drain-nothing" breaks ["B7"] in "polled" by Everywhere;
        /// The safe point loses one of its entries.
        DrainLosesOne = "brc-drain-loses-one" breaks ["B7"] in "polled" by Everywhere;
        /// The merge for an owner that left happens after unlocking the table.
        AbandonUnlocked = "brc-abandon-unlocked" breaks ["B5", "B1", "B2"] in "id-reuse" by Everywhere;
        /// The queueing thread destroys an abandoned object inside the table's section.
        DestroyLocked = "brc-destroy-locked" breaks ["B10"] in "exit-with-tree" by Everywhere;
        /// The owner read before a detach is still believed after it (CPython 3.13).
        #[shipped(x)]
        StaleOwner = "brc-stale-tid" breaks ["B5", "B1", "B2"] in "adoption"
            by ShuttleOnly("needs three preemptions, loom is given two here");
    }
}

/// The protocol.
pub struct BiasedCpython;

impl Protocol for BiasedCpython {
    const NAME: &'static str = "biased";
    const TITLE: &'static str = "Biased reference count";
    const QUESTION: &'static str =
        "Can the owner count without atomic read-modify-writes and still agree on the last drop?";
    const SOURCE: &'static str = "CPython 3.13 brc.c, object.c; Choi, Shull, Torrellas, PACT 2018";
    const PROPERTIES: &'static [Property] = PROPERTIES;
    const RANDOM: Option<Draw<Op<Extra>>> = Some(random);
    type Mutant = Mutant;
    type Op = Op<Extra>;
    type World<R: Runtime> = Workshop<R, Biased<R, Switch<Mutant>>>;

    fn scenarios() -> Vec<Scenario<Op<Extra>>> {
        use self::Extra::*;
        use crate::protocol::Reach::{self, Preemptions};
        use Op::{Extra as X, *};
        vec![
            Scenario::new("zero-by-others", "the shared half goes up and back to zero")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([Recv(0), Use(0), Decref(0), Decref(0)])
                .thread([Incref(0), Send(0), Use(0), Decref(0)]),
            Scenario::new("uses-and-merge", "everybody uses the object before the merge")
                .setup([New(0), Incref(0), Incref(0), Give(0, 1), Give(0, 2)])
                .thread([Use(0), Decref(0), Poll])
                .thread([Use(0), Decref(0)])
                .thread([Use(0), Decref(0)])
                .loom(Reach::Sampled),
            Scenario::new("foreign-drop", "a foreign thread drops what the owner counted")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([Decref(0), Poll])
                .thread([Use(0), Decref(0)]),
            Scenario::new("two-foreign-drops", "the shared half falls below zero")
                .setup([New(0), Incref(0), Incref(0), Give(0, 1), Give(0, 1)])
                .thread([Poll, Decref(0)])
                .thread([Decref(0), Incref(0), Decref(0), Decref(0)]),
            Scenario::new("merge-then-last", "the owner merges while another drops the last")
                .setup([New(0), Incref(0), Incref(0), Give(0, 1), Give(0, 2)])
                .thread([Decref(0), Poll])
                .thread([Decref(0)])
                .thread([Decref(0)])
                .loom(Reach::Sampled),
            Scenario::new("held-abroad", "the owner's half reaches zero, another thread holds on")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([Recv(0), Decref(0), Decref(0), Poll])
                .thread([Incref(0), Send(0), Use(0), Decref(0)])
                .loom(Preemptions(3)),
            Scenario::new("drop-and-return", "a foreign drop, then references come home")
                .setup([New(0), Incref(0), Incref(0), Give(0, 1), Give(0, 1)])
                .thread([Recv(0), Recv(0), Decref(0), Decref(0), Decref(0), Poll])
                .thread([Decref(0), Incref(0), Send(0), Send(0)]),
            Scenario::new("weak-upgrade", "an upgrade beside the owner's last drop")
                .setup([New(0), X(MaybeWeak(0))])
                .thread([Decref(0), Poll])
                .thread([TryIncref(0), Use(0), Decref(0)]),
            Scenario::new("bare-upgrade", "an upgrade of an object nobody announced")
                .setup([New(0)])
                .thread([Decref(0)])
                .thread([TryIncref(0), Use(0), Decref(0)]),
            Scenario::new("merged-upgrade", "an upgrade beside the last drop of a merged object")
                .setup([New(0), X(Merge(0)), Give(0, 1)])
                .thread([TryIncref(0), Use(0), Decref(0)])
                .thread([Decref(0)]),
            Scenario::new("flag-beside-incref", "an announcement beside a foreign increment")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([X(MaybeWeak(0)), Decref(0), Poll])
                .thread([Incref(0), Decref(0), Decref(0)]),
            Scenario::new("exit", "the owner exits beside a foreign drop")
                .setup([New(0), Give(0, 1)])
                .thread([X(Exit)])
                .thread([Decref(0)]),
            Scenario::new("exit-with-tree", "the exiting owner's entries have destructors")
                .objects(2)
                .setup([New(0), New(1), Incref(1), Own(0, 1), Give(0, 1), Give(1, 1)])
                .thread([X(Exit)])
                .thread([Decref(0), Decref(1)]),
            Scenario::new("told", "the owner reaches its safe point beside a foreign drop")
                .setup([New(0), New(1), Give(0, 1), Give(1, 1)])
                .objects(2)
                .thread([Poll, Poll])
                .thread([Decref(0), Decref(1)])
                .finish([X(Pending)]),
            Scenario::new("polled", "the owner polls once after foreign drops, and goes on")
                .setup([New(0), New(1), Give(0, 1), Give(1, 1)])
                .objects(2)
                .thread([Poll])
                .thread([Decref(0), Decref(1)])
                .finish([Poll, Settled]),
            Scenario::new("adoption", "the collector changes the owner beside a foreign drop")
                .setup([New(0), Incref(0), Incref(0), Give(0, 1), Give(0, 2)])
                .thread([Poll])
                .thread([Decref(0)])
                .thread([X(Adopt(0)), Incref(0), Decref(0), Decref(0)])
                .finish([Poll, Decref(0), Poll])
                .loom(Preemptions(2)),
            Scenario::new("id-reuse", "a new thread has the id of the owner that exited")
                .setup([New(0), Incref(0), Give(0, 1), Give(0, 2), X(Exit)])
                .thread([])
                .thread([Decref(0)])
                .thread([X(Become(0)), Incref(0), Decref(0), Decref(0)]),
        ]
    }

    /// Left out: `Adopt`, which needs a stopped world, `Become`, which needs an ended thread, and
    /// upgrades by the owner, which must not find the address of what it has taken to zero.
    fn starts(threads: usize) -> Vec<Start<Op<Extra>>> {
        use self::Extra::*;
        use Op::{Extra as X, *};
        fn letters(place: Place) -> Vec<Op<self::Extra>> {
            let mut letters = workshop::letters();
            letters.push(X(MaybeWeak(0)));
            match place.thread {
                0 => letters.extend([Poll, X(Merge(0)), X(Exit)]),
                _ => letters.push(TryIncref(0)),
            }
            letters
        }
        let start = |name, asks, setup| Start {
            setup,
            finish: vec![X(Pending)],
            alike: 1,
            fits: workshop::fits,
            ..Start::new(name, asks, letters)
        };
        fn slot(place: Place) -> Vec<Op<self::Extra>> {
            let mut letters = vec![Incref(0), Decref(0), Use(0)];
            letters.extend([X(TryCompare(0)), X(Unpublish(0)), X(NewRefWithLock(0))]);
            letters.extend((place.thread == 0).then_some(Poll));
            letters
        }
        let slotted = Start {
            setup: vec![New(0), X(Publish(0))],
            alike: 1,
            finish: vec![X(Pending)],
            fits: |scenario| {
                workshop::may_hold(scenario, |op| match op {
                    X(TryCompare(n) | Unpublish(n)) => TryIncref(n),
                    X(NewRefWithLock(n)) => Incref(n),
                    op => op,
                })
            },
            ..Start::new("slot", "a slot has the reference, and is read without a lock", slot)
        };
        vec![
            slotted,
            start("each", "every thread has a reference", workshop::each(threads)),
            start(
                "abroad",
                "every thread but the owner has a reference",
                workshop::abroad(threads),
            ),
            start(
                "own",
                "the owner has a reference, the others an address",
                vec![New(0), X(MaybeWeak(0))],
            ),
        ]
    }
}

const PROPERTIES: &[Property] = properties! {
    "B1" "local + shared equals the references whenever no operation is under way"
        by [WrongCount, Leak, PrematureFree, NegativeCount];
    "B2" "no free while a reference exists, no second free, no touch after the last step"
        by [PrematureFree, UseAfterFree at "object" "payload" "owner" "local" "shared" "bias", DoubleFree];
    "B3" "an object has at most one queue entry in its life" by [Invariant];
    "B4" "every use by any thread happens before the destructor" by [DataRace at "payload" "child"];
    "B5" "no two threads write the local half without an order between them"
        by [DataRace at "bias"];
    "B6" "an upgrade never succeeds on a dead object"
        by [UseAfterFree at "object" "payload", PrematureFree, DoubleFree];
    "B7" "an object without references is freed once its owner polls or exits"
        by [Leak, Starvation, WrongCount];
    "B10" "destructors run outside the table's lock: no deadlock" by [Deadlock];
};
