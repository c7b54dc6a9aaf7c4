//! What is checked about the global lock: planted faults, scenarios, properties.

use super::*;

mutants! {
    /// Faults of the global lock.
    pub enum Mutant {
        /// The dropper does not wait for a switch.
        NoForcedSwitch = "gil-no-forced-switch" breaks ["L2"] in "forced-switch" by Everywhere;
        /// The safe point does not look at requests: a waiter waits for the holder's own release.
        IgnoresRequest = "gil-ignores-request" breaks ["L2"] in "forced-switch" by Everywhere;
        /// The last holder is tested before the mutex of the switch is held for the wait.
        CheckOutside = "gil-switch-check-outside" breaks ["L4"] in "forced-switch" by Everywhere;
        /// The lock is signalled before it is free, outside its mutex.
        LostSignal = "gil-lost-signal" breaks ["L4"] in "counts" by Everywhere;
        /// Bits of the eval breaker are set by a load and a store.
        BitPlainStore = "gil-bit-plain-store" breaks ["L7"] in "two-bits" by Everywhere;
        /// The bit is cleared after the calls were run.
        ClearLate = "gil-pending-clear-late" breaks ["L7"] in "calls" by Everywhere;
        /// Counts are changed without the lock.
        UnlockedCount = "gil-unlocked-count" breaks ["L1"] in "implicit" by Everywhere;
        /// The request goes to the thread that held the lock when the wait began.
        WrongThread = "gil-request-wrong-thread" breaks ["L9"] in "three-takers" by Everywhere;
        /// A thread that finalization stops leaves its request behind.
        KeepsRequest = "gil-exit-keeps-request" breaks ["L8"] in "finalize" by Everywhere;
        /// It withdraws its request after the section, when the holder may be honouring it
        /// (CPython 3.12 to 3.14).
        #[shipped(x)]
        WithdrawUnlocked = "gil-withdraw-unlocked" breaks ["L8"] in "finalize" by Everywhere;
        /// The last release looks for a request, and waits for a switch, like any other.
        FinalTouches = "gil-final-touches" breaks ["L9"] in "delete"
            by ShuttleOnly("only the observer sees the touch; loom turns round what it sees");
    }
}

/// The protocol.
pub struct GilProtocol;

impl Protocol for GilProtocol {
    const NAME: &'static str = "gil";
    const TITLE: &'static str = "Global interpreter lock";
    const QUESTION: &'static str = "How does a thread that never blocks give way to others?";
    const SOURCE: &'static str = "CPython 3.13 ceval_gil.c";
    const PROPERTIES: &'static [Property] = PROPERTIES;
    type Mutant = Mutant;
    type Op = Op<Extra>;
    type World<R: Runtime> = Workshop<R, Gil<R, Switch<Mutant>>>;

    fn scenarios() -> Vec<Scenario<Op<Extra>>> {
        use self::Extra::*;
        use crate::protocol::Reach::Preemptions;
        use Op::{Extra as X, *};
        vec![
            Scenario::new("counts", "two threads count under the lock")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([X(Take), Use(0), Decref(0), X(Release)])
                .thread([X(Take), Use(0), Decref(0), X(Release)])
                .loom(Preemptions(3)),
            Scenario::new("implicit", "two threads count, each step takes the lock")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([Incref(0), Decref(0), Decref(0)])
                .thread([Incref(0), Decref(0), Decref(0)])
                .loom(Preemptions(2)),
            Scenario::new("forced-switch", "a holder is asked to give way")
                .setup([New(0), Incref(0), Give(0, 1), X(Take)])
                .thread([Poll, Decref(0), X(Release)])
                .thread([X(Take), Decref(0), X(Release)])
                .loom(Preemptions(3)),
            Scenario::new("two-bits", "a request and a call are announced together")
                .setup([New(0), X(Take)])
                .thread([Decref(0), X(Release)])
                .thread([X(Take), X(Release)])
                .thread([X(Post)])
                .finish([X(Pending)])
                .loom(Preemptions(3)),
            Scenario::new("calls", "a call is queued while others are run")
                .setup([New(0), X(Post), X(Take)])
                .thread([Poll, Decref(0)])
                .thread([X(Post)])
                .finish([X(Pending)]),
            Scenario::new("three-takers", "a holder ends while two wait")
                .thread([X(Take), X(Release)])
                .thread([X(Take), X(Leave)])
                .thread([X(Take), X(Release)])
                .loom(Preemptions(3)),
            Scenario::new("finalize", "the holder ends the interpreter while another waits")
                .setup([New(0), X(Take)])
                .thread([X(Finalize), Poll, Decref(0)])
                .thread([X(Take), X(Release)])
                .loom(Preemptions(3)),
            Scenario::new("delete", "a thread leaves, the owner deletes the interpreter")
                .setup([New(0)])
                .thread([X(Take), Decref(0), X(Delete)])
                .thread([X(Take), X(Leave)])
                .loom(Preemptions(3)),
        ]
    }

    fn starts(threads: usize) -> Vec<Start<Op<Extra>>> {
        use self::Extra::*;
        use Op::{Extra as X, *};
        fn counting(_: Place) -> Vec<Op<self::Extra>> {
            let mut letters = workshop::letters();
            letters.extend([X(Take), X(Release), Poll, X(Post)]);
            letters
        }
        // The main thread owns the interpreter; the others leave it.
        fn ending(place: Place) -> Vec<Op<self::Extra>> {
            let end = if place.thread == 0 { Delete } else { Leave };
            vec![X(Take), X(Release), Poll, X(Post), X(Finalize), X(end)]
        }
        // Whether every operation does something: whoever has the lock does not take it again, a safe point
        // and an end are the holder's, and nothing comes after the end of a thread.
        fn applies(script: &[Op<self::Extra>]) -> bool {
            let (mut holds, mut left) = (false, false);
            let (_, script) = script.split_last().expect("the last release");
            script.iter().all(|op| {
                let had = holds;
                match op {
                    X(Take) => holds = true,
                    X(Release | Leave | Delete) => holds = false,
                    _ => {}
                }
                !std::mem::replace(&mut left, *op == X(Leave))
                    && match op {
                        X(Take) => !had,
                        X(Release | Leave | Finalize) | Poll => had,
                        _ => true,
                    }
            })
        }
        // The main thread waits for the others at the end, and must not hold the lock then.
        let last = vec![X(Release)];
        vec![
            Start {
                setup: workshop::each(threads),
                last: last.clone(),
                finish: vec![X(Pending)],
                alike: 1,
                fits: |scenario| {
                    workshop::fits(scenario)
                        && scenario.threads.iter().all(|script| applies(script))
                },
                ..Start::new("counts", "threads count, take and drop the lock", counting)
            },
            Start {
                last,
                alike: 1,
                fits: |scenario| scenario.threads.iter().all(|script| applies(script)),
                ..Start::new("ends", "threads leave, the interpreter is ended and deleted", ending)
            },
        ]
    }

    fn random(
        n: usize,
        ops: usize,
        below: &mut dyn FnMut(usize) -> usize,
    ) -> Option<Scenario<Op<Extra>>> {
        let mut scenario = random(n, ops, below);
        for script in &mut scenario.threads {
            // Uses are plain reads under the lock. The main thread waits for the others at
            // the end, and must not hold it then.
            script.insert(0, Op::Extra(Extra::Take));
            script.push(Op::Extra(Extra::Release));
        }
        Some(scenario)
    }
}

const PROPERTIES: &[Property] = properties! {
    "L1" "plain memory is touched by the holder only"
        by [DataRace at "count" "payload" "child", WrongCount, PrematureFree, Leak];
    "L2" "a holder that is asked drops at its next safe point, and somebody else runs before it again"
        by [Starvation];
    "L4" "no wake-up is lost" by [Deadlock];
    "L7" "a queued call is announced until it has run" by [LostUpdate];
    "L8" "a thread that finalization stops never counts and keeps nobody waiting"
        by [Deadlock, Invariant];
    "L9" "nobody touches a thread's state or the interpreter after its end"
        by [UseAfterFree at "interpreter" "state"];
};
