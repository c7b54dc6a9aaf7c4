//! What is checked about the mutex: planted faults, scenarios, properties.

use super::*;

mutants! {
    /// Faults of the mutex and of the parking lot.
    pub enum Mutant {
        /// Looks at the byte before it has the bucket's lock.
        CheckBeforeLock = "park-check-before-lock" breaks ["M3"] in "two" by Everywhere;
        /// A waiter whose limit expires does not ask whether somebody is waking it.
        TimeoutDropsWake = "park-timeout-drops-wake" breaks ["M3", "M6"] in "limit" by Everywhere;
        /// A waiter whose limit expires hangs before it has left the queue (CPython 3.13).
        #[shipped(x)]
        HangsInQueue = "park-reattach-before-cleanup" breaks ["M3"] in "hangs" by Everywhere;
        /// The new byte is stored after the bucket's section.
        StoreOutside = "unpark-store-outside-bucket" breaks ["M3", "M1"] in "three" by Everywhere;
        /// The new byte never says that somebody else sleeps.
        NoHasMore = "unpark-no-has-more" breaks ["M3"] in "three" by Everywhere;
        /// The lock is handed over, but the byte says that it is free.
        HandsOverFree = "handoff-without-locked" breaks ["M1", "M2"] in "three-old" by Everywhere;
        /// The waiter is told that it has the lock after it was woken.
        FlagAfterWake = "handoff-flag-after-wake" breaks ["M6"] in "old" by Everywhere;
        /// Who takes a free lock forgets that others sleep.
        ClearsParked = "mutex-lock-clears-parked" breaks ["M3"] in "three" by Everywhere;
        /// An old waiter is woken for a free lock.
        NeverFair = "mutex-never-fair" breaks ["F1"] in "old" by Everywhere;
        /// Who is given the lock stays in the queue, and is given it a second time.
        NotDequeued = "mutex-handoff-not-dequeued" breaks ["M6", "M1"] in "old" by Everywhere;
        /// The unlock orders nothing.
        UnlockRelaxed = "mutex-unlock-relaxed" breaks ["M2"] in "two" by WeakMemory;
        /// The unlock takes a waiter out of the queue and does not wake it.
        WakesNobody = "unpark-nothing" breaks ["M3"] in "two" by Everywhere;
        /// An unlock that finds nobody leaves the mark of sleepers.
        KeepsParked = "unpark-keeps-parked" breaks ["M4"] in "two" by Everywhere;
    }
}

/// The protocol.
pub struct ParkingMutex;

impl Protocol for ParkingMutex {
    const NAME: &'static str = "parking-mutex";
    const TITLE: &'static str = "Mutex of one byte over a parking lot";
    const QUESTION: &'static str =
        "Where do the waiters of a lock of one byte sleep, and who wakes them?";
    const SOURCE: &'static str = "WebKit WTF::Lock; CPython 3.13 lock.c, parking_lot.c";
    const PROPERTIES: &'static [Property] = PROPERTIES;
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Lot<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use crate::protocol::Reach::{self, Preemptions};
        use Op::*;
        vec![
            Scenario::new("two", "two threads count")
                .thread([Count])
                .thread([Count])
                .loom(Preemptions(2)),
            Scenario::new("again", "a thread that unlocks locks again beside a waiter")
                .thread([Count, Count])
                .thread([Count])
                .loom(Preemptions(2)),
            Scenario::new("old", "the waiter has waited too long")
                .thread([Count, Count])
                .thread([CountOld])
                .loom(Preemptions(2)),
            Scenario::new("three", "two waiters")
                .thread([Count])
                .thread([Count])
                .thread([Count])
                .loom(Reach::Sampled),
            Scenario::new("three-old", "one of two waiters has waited too long")
                .thread([Count])
                .thread([CountOld])
                .thread([Count])
                .loom(Reach::Sampled),
            Scenario::new("limit", "a waiter's limit expires while it is woken")
                .thread([Count])
                .thread([CountTimed])
                .loom(Preemptions(2)),
            Scenario::new("hangs", "a waiter's limit expires, and its thread hangs")
                .thread([Count])
                .thread([CountOrHang])
                .loom(Preemptions(2)),
        ]
    }

    /// Left out: a second wait with a limit in a thread, since the explorer lets one expire in each; and
    /// the thread that hangs, which differs from one that goes on in its own scenario only.
    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |_: Place| vec![Op::Count, Op::CountOld, Op::CountTimed];
        let fits = |scenario: &Scenario<Op>| {
            let timed = |op: &&Op| op.patience().timed;
            scenario.threads.iter().all(|script| script.iter().filter(timed).count() < 2)
        };
        vec![Start { fits, ..Start::new("free", "all want one lock", letters) }]
    }
}

const PROPERTIES: &[Property] = properties! {
    "M1" "one thread has the lock at a time" by [LostUpdate at "data", DataRace at "data"];
    "M2" "what a thread did under the lock happens before what the next one does"
        by [DataRace at "data"];
    "M3" "no wake-up is lost" by [Deadlock];
    "M4" "when nobody waits any more the next unlock leaves zero" by [Invariant at "byte"];
    "M6" "nobody touches a waiter's record after it was woken"
        by [UseAfterFree at "waiter" "old" "handed_over", DataRace at "old" "handed_over"];
    "F1" "a waiter that has waited too long is given the lock" by [Starvation at "waiter"];
};
