//! What is checked about weak references and finalizers: planted faults, scenarios, properties.

use super::*;

mutants! {
    /// Faults of weak references and finalizers.
    pub enum Mutant {
        /// The upgrade increments without testing for zero.
        PlainIncref = "wr-plain-incref" breaks ["W1", "W2"] in "upgrade" by Everywhere;
        /// The upgrade tests for zero and increments in two steps.
        TestThenIncref = "wr-test-then-incref" breaks ["W1"] in "upgrade" by Everywhere;
        /// The upgrade refuses an object with one reference.
        RefusesLast = "wr-refuses-last" breaks ["W3"] in "held" by Everywhere;
        /// The target is not read again under the lock.
        NoRecheck = "wr-no-recheck" breaks ["W1"] in "upgrade" by Everywhere;
        /// The lock is found by reading the target.
        LockViaTarget = "wr-lock-via-target" breaks ["W1"] in "upgrade" by Everywhere;
        /// Creation does not announce the address (biased counts).
        NoMaybeFlag = "wr-no-maybe-flag" breaks ["W3"] in "held" by Everywhere;
        /// A death clears no weak reference.
        ClearNothing = "wr-clear-nothing" breaks ["W6"] in "one-callback" by Everywhere;
        /// A callback is called while other weak references are still linked.
        CallbackEarly = "wr-callback-early" breaks ["W4"] in "callbacks" by Everywhere;
        /// A callback is called inside the lock.
        CallbackUnderLock = "wr-callback-under-lock" breaks ["W8", "W4"] in "one-callback" by Everywhere;
        /// A dying weak reference that finds itself cleared does not wait for the lock.
        UnlinkSkipsLock = "wr-dealloc-skip-lock" breaks ["W6"] in "two-deaths" by Everywhere;
        /// The dead object stays owned, so that its thread can upgrade it (CPython 3.13).
        #[shipped(x)]
        OwnedZero = "fin-owned-zero" breaks ["W2"] in "dying-weakref" by Everywhere;
        /// The temporary reference is given up by a load and a store.
        EndPlain = "fin-end-plain" breaks ["F2"] in "resurrection" by Everywhere;
        /// The finalized mark is set after the temporary reference was given up.
        BitAfterRelease = "fin-bit-after-release" breaks ["F1"] in "resurrection" by Everywhere;
        /// The finalized mark is set by a load and a store beside another bit (CPython 3.13).
        #[shipped(x)]
        BitLost = "fin-bit-lost" breaks ["F1"] in "shared-resurrection" by Everywhere;
    }
}

fn scenarios() -> Vec<Scenario<Op>> {
    use crate::protocol::Reach::Preemptions;
    use Op::*;
    use Plain::{Decref, Incref, New, Poll, Recv, Use};
    vec![
        Scenario::new("upgrade", "an upgrade beside the last drop")
            .setup([Do(New(0)), Link(0, 0, Callback::None)])
            .thread([Do(Decref(0)), Do(Poll)])
            .thread([Upgrade(0), Do(Use(0)), Do(Decref(0))])
            .loom(Preemptions(3)),
        Scenario::new("held", "an upgrade of an object that the owner keeps")
            .setup([Do(New(0)), Link(0, 0, Callback::None)])
            .thread([Do(Incref(0)), Do(Decref(0))])
            .thread([MustUpgrade(0), Do(Decref(0))])
            .loom(Preemptions(3)),
        Scenario::new("one-callback", "a callback that upgrades")
            .setup([Do(New(0)), Link(0, 0, Callback::Upgrades)])
            .thread([Do(Decref(0))]),
        Scenario::new("callbacks", "two weak references with callbacks")
            .setup([Do(New(0)), Link(0, 0, Callback::Upgrades), Link(1, 0, Callback::Upgrades)])
            .thread([Do(Decref(0))]),
        Scenario::new("two-deaths", "a weak reference dies beside its target")
            .setup([Do(New(0)), Link(0, 0, Callback::None)])
            .thread([Do(Decref(0))])
            .thread([Unlink(0)])
            .loom(Preemptions(3)),
        Scenario::new("dying-weakref", "a dying weak reference's callback upgrades another")
            .setup([
                Do(New(0)),
                Finalizer(0, self::Finalizer::Plain),
                Link(0, 0, Callback::None),
                Link(1, 0, Callback::DropUpgrades),
            ])
            .thread([Do(Decref(0))]),
        Scenario::new("resurrection", "the resurrected object is dropped by another thread")
            .setup([Do(New(0)), Finalizer(0, self::Finalizer::Resurrects)])
            .thread([Do(Decref(0)), Do(Poll)])
            .thread([Do(Recv(0)), Do(Use(0)), Do(Decref(0))])
            .loom(Preemptions(3)),
        Scenario::new("shared-resurrection", "and marked as shared by that thread")
            .setup([Do(New(0)), Finalizer(0, self::Finalizer::Resurrects)])
            .thread([Do(Decref(0)), Do(Poll)])
            .thread([Do(Recv(0)), Share(0), Do(Decref(0))])
            .loom(Preemptions(3)),
        Scenario::new("upgrade-in-finalizer", "an upgrade while the finalizer resurrects")
            .setup([
                Do(New(0)),
                Link(0, 0, Callback::Upgrades),
                Finalizer(0, self::Finalizer::Resurrects),
            ])
            .thread([Do(Decref(0)), Do(Poll)])
            .thread([Upgrade(0), Do(Use(0)), Do(Decref(0))])
            .loom(Preemptions(2)),
    ]
}

/// Left out: the death of a weak reference, which nobody may upgrade afterwards.
fn starts(threads: usize) -> Vec<Start<Op>> {
    use Op::*;
    use Plain::New;
    fn letters(_: Place) -> Vec<Op> {
        let mut letters: Vec<Op> = workshop::letters().into_iter().map(Do).collect();
        letters.extend([Do(Plain::Poll), Upgrade(0), Share(0)]);
        letters
    }
    fn fits(scenario: &Scenario<Op>) -> bool {
        let sends = |op: &Op| matches!(op, Finalizer(_, self::Finalizer::Resurrects));
        // What a finalizer sends can be received.
        let resurrects = scenario.setup.iter().any(sends);
        workshop::may_hold(scenario, |op| match op {
            Do(Plain::Recv(n)) if resurrects => Plain::TryIncref(n),
            Do(op) => op,
            Upgrade(_) | MustUpgrade(_) => Plain::TryIncref(0),
            Link(..) | Finalizer(..) | Unlink(_) | Share(_) => Plain::Poll,
        })
    }
    let start = |name, asks, linked: &[Op]| Start {
        setup: [Do(New(0))].iter().chain(linked).copied().collect(),
        alike: 1,
        fits,
        ..Start::new(name, asks, letters)
    };
    let link = Link(0, 0, Callback::Upgrades);
    let mut all = vec![
        start("own", "one thread has the object, all a weak reference", &[link]),
        start(
            "finalizer",
            "the object has a finalizer",
            &[link, Finalizer(0, self::Finalizer::Plain)],
        ),
        start(
            "resurrection",
            "the finalizer stores a reference",
            &[link, Finalizer(0, self::Finalizer::Resurrects)],
        ),
    ];
    let each = workshop::each(threads).into_iter().map(Do).chain([link]).collect();
    all.push(Start { setup: each, ..start("each", "every thread has the object", &[]) });
    all
}

macro_rules! protocol {
    ($(#[$doc:meta])* $type:ident, $count:ident, $name:literal, $title:literal, $applies:expr) => {
        $(#[$doc])*
        pub struct $type;

        impl Protocol for $type {
            const NAME: &'static str = $name;
            const TITLE: &'static str = $title;
            const QUESTION: &'static str =
                "Who decides whether a dying object lives: the drop, the upgrade, the finalizer?";
            const SOURCE: &'static str = "CPython 3.13 weakrefobject.c, object.c; PEP 442";
            const PROPERTIES: &'static [Property] = PROPERTIES;
            type Mutant = Mutant;
            type Op = Op;
            type World<R: Runtime> = Weak<R, $count<R>>;

            fn applies(mutant: Mutant) -> bool {
                $applies(mutant)
            }
            fn scenarios() -> Vec<Scenario<Op>> {
                scenarios()
            }
            fn starts(threads: usize) -> Vec<Start<Op>> {
                starts(threads)
            }
        }
    };
}

protocol!(
    /// Weak references on atomic counts.
    WeakAtomic,
    OnAtomic,
    "weakref-atomic",
    "Weak references and finalizers on atomic counts",
    |m| !matches!(m, Mutant::NoMaybeFlag | Mutant::OwnedZero)
);
protocol!(
    /// Weak references on biased counts.
    WeakBiased,
    OnBiased,
    "weakref-biased",
    "Weak references and finalizers on biased counts",
    |_| true
);

const PROPERTIES: &[Property] = properties! {
    "W1" "an upgrade gives a live object or nothing, and touches no freed memory"
        by [UseAfterFree, PrematureFree, DoubleFree, DataRace at "payload" "child", UpgradedDead];
    "W2" "after the death nobody gets the object" by [UpgradedDead, UseAfterFree];
    "W3" "the upgrade of an object that is held succeeds" by [Invariant];
    "W4" "when a callback runs, every weak reference to the dead is cleared"
        by [Invariant, UpgradedDead];
    "W6" "no list node refers to freed memory"
        by [UseAfterFree at "weakref" "target" "links", UpgradedDead, DataRace at "links"];
    "W8" "no foreign code under the lock: no deadlock" by [Deadlock];
    "F1" "the finalizer runs at most once" by [FinalizedTwice];
    "F2" "resurrected exactly when a reference is left; then alive, else freed once"
        by [Leak, WrongCount, DoubleFree, PrematureFree, UseAfterFree];
};
