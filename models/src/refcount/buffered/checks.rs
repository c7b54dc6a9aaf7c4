//! What is checked about the buffered count: planted faults, scenarios, properties.

use super::*;

mutants! {
    /// Faults of the buffered count.
    pub enum Mutant {
        /// One log per thread, applied thread by thread.
        OneLog = "buf-one-log-unordered" breaks ["B1"] in "passed-on" by Everywhere;
        /// Decrements are applied in the round in which they were handed over.
        SameRound = "buf-dec-same-round" breaks ["B1"] in "passed-on" by Everywhere;
        /// Decrements are applied before increments.
        DecrementsFirst = "buf-dec-before-inc" breaks ["B1"] in "one-mutator" by Everywhere;
        /// The logs of a blocked thread are not collected.
        SkipBlocked = "buf-skip-detached" breaks ["B1"] in "blocked" by Everywhere;
        /// An exiting thread deregisters before it hands over its last logs.
        ExitDropsLog = "buf-exit-drop-log" breaks ["B1"] in "exit" by Everywhere;
        /// A log is applied twice.
        DoubleApply = "buf-double-apply" breaks ["B1", "B5"] in "one-mutator" by Everywhere;
        /// Upgrades are answered from the late count: the design without a second count.
        UpgradeByCount = "buf-free-without-inc-check" breaks ["B6", "B1"] in "upgrade" by Everywhere;
        /// The object is claimed after the decision to free it.
        ClaimLate = "buf-claim-after-free" breaks ["B6", "B1", "B4"] in "upgrade" by Everywhere;
        /// "The count is one" is taken for "I am alone".
        UniqueByCount = "buf-unique-by-count" breaks ["B4"] in "in-place" by Everywhere;
        /// The safe point does not join: rounds wait until the thread exits.
        PollNothing = "buf-poll-nothing" breaks ["B3"] in "finalized" by Everywhere;
        /// A full log is not handed over: it grows without bound.
        Unbounded = "buf-unbounded" breaks ["B9"] in "capacity-1" by Everywhere;
        /// A full log loses an entry.
        FullForgets = "buf-full-forgets" breaks ["B5"] in "capacity-1" by Everywhere;
        /// The finalizer runs inside the round, and waits for one.
        DelOnCommit = "buf-del-on-commit" breaks ["B8"] in "finalized" by Everywhere;
        /// The decision to free stands, whatever the finalizer has logged.
        ResurrectLost = "buf-resurrect-lost" breaks ["B7"] in "resurrection" by Everywhere;
    }
}

/// The protocol.
pub struct BufferedProtocol;

impl Protocol for BufferedProtocol {
    const NAME: &'static str = "buffered";
    const TITLE: &'static str = "Buffered reference count (Gilectomy)";
    const QUESTION: &'static str = "When is it safe to believe a count that is always late?";
    const SOURCE: &'static str = "Hastings, Python Language Summits 2016 and 2017";
    const PROPERTIES: &'static [Property] = PROPERTIES;
    type Mutant = Mutant;
    type Op = Op<Extra>;
    type World<R: Runtime> = Workshop<R, Buffered<R, Switch<Mutant>>>;

    fn scenarios() -> Vec<Scenario<Op<Extra>>> {
        use self::Extra::*;
        use crate::protocol::Reach::Preemptions;
        use Op::{Extra as X, *};
        vec![
            Scenario::new("one-mutator", "increments and decrements of one thread")
                .setup([New(0)])
                .thread([X(Round), X(Round), X(Round)])
                .thread([])
                .finish([Incref(0), Decref(0), X(Round), Decref(0), X(Round), X(Round), X(Round)]),
            Scenario::new("passed-on", "an increment in one log, its decrement in another")
                .setup([New(0), Give(0, 1)])
                .thread([X(Round), X(Round)])
                .thread([Poll, Incref(0), Send(0)])
                .thread([Recv(0), Decref(0), Poll])
                .loom(Preemptions(2)),
            Scenario::new("capacity-1", "logs of one entry, an increment passed on")
                .setup([New(0), X(Capacity(1)), Give(0, 1)])
                .thread([X(Round), X(Round)])
                .thread([Incref(0), Decref(0), Decref(0), Poll])
                .loom(Preemptions(2)),
            Scenario::new("capacity-2", "logs of two entries, an increment passed on")
                .setup([New(0), X(Capacity(2)), Give(0, 1)])
                .thread([Recv(0), Decref(0), X(Round), X(Round)])
                .thread([Incref(0), Send(0), Decref(0), Poll])
                .loom(Preemptions(2)),
            Scenario::new("blocked", "a thread increments, then blocks")
                .setup([New(0), Give(0, 1)])
                .thread([Recv(0), Decref(0), X(Round), X(Round)])
                .thread([Incref(0), Send(0), X(Block)])
                .loom(Preemptions(3)),
            Scenario::new("exit", "a thread increments and exits")
                .setup([New(0), Give(0, 1)])
                .thread([Recv(0), Decref(0), X(Round), X(Round)])
                .thread([Incref(0), Send(0)])
                .loom(Preemptions(3)),
            Scenario::new("upgrade", "an upgrade beside the round that frees")
                .setup([New(0), Decref(0), X(Round)])
                .thread([X(Round)])
                .thread([Poll, TryIncref(0), Use(0)])
                .loom(Preemptions(3)),
            Scenario::new("resurrection", "the finalizer stores a reference beside an upgrade")
                .setup([New(0), X(Finalizer(0, true)), Decref(0), X(Round)])
                .thread([X(Round), X(Round)])
                .thread([Poll, TryIncref(0), Use(0)])
                .loom(Preemptions(2)),
            Scenario::new("finalized", "a finalizer that stores nothing")
                .setup([New(0), X(Finalizer(0, false)), Decref(0), X(Round)])
                .thread([X(Round), X(Round), X(Round)])
                .thread([Poll, Poll])
                .loom(Preemptions(2)),
            Scenario::new("in-place", "a change in place beside a reference in a log")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([X(InPlace(0)), Decref(0)])
                .thread([Use(0), Decref(0)]),
        ]
    }

    /// Left out: `InPlace`, whose faithful answer is always no. The main thread commits, and
    /// never blocks.
    fn starts(threads: usize) -> Vec<Start<Op<Extra>>> {
        use self::Extra::*;
        use Op::{Extra as X, *};
        fn letters(place: Place) -> Vec<Op<self::Extra>> {
            let mut letters = workshop::letters();
            letters.push(TryIncref(0));
            match place.thread {
                0 => letters.push(X(Round)),
                _ => letters.extend([Poll, X(Block)]),
            }
            letters
        }
        let start = |name, asks, setup| Start {
            setup,
            alike: 1,
            fits: workshop::fits,
            ..Start::new(name, asks, letters)
        };
        let mut full = workshop::each(threads);
        full.insert(1, X(Capacity(1)));
        let dropped = [Decref(0), X(Round)];
        vec![
            start("each", "every thread has a reference", workshop::each(threads)),
            start("full", "the same, logs hold one entry", full),
            start(
                "late",
                "the last reference is dropped, its decrement waits",
                [New(0)].into_iter().chain(dropped).collect(),
            ),
            start(
                "finalizer",
                "and the finalizer will store a reference",
                [New(0), X(Finalizer(0, true))].into_iter().chain(dropped).collect(),
            ),
        ]
    }

    fn random(
        n: usize,
        ops: usize,
        below: &mut dyn FnMut(usize) -> usize,
    ) -> Option<Scenario<Op<Extra>>> {
        let mut scenario = random(n, ops, below);
        let rounds = [Op::Extra(Extra::Round); 2];
        scenario.threads[0].extend(rounds);
        Some(scenario)
    }
}

const PROPERTIES: &[Property] = properties! {
    "B1" "an object is freed only when every reference ever taken has been dropped"
        by [PrematureFree, UseAfterFree, DoubleFree];
    "B3" "a safe point joins the round that is asked for; five complete rounds free what nobody refers to"
        by [Leak, Starvation];
    "B4" "only the commit thread looks at counts; uses happen before the free"
        by [DataRace at "payload" "child" "count" "finalizer"];
    "B5" "no entry is lost or applied twice" by [WrongCount, Leak, PrematureFree, UseAfterFree];
    "B9" "no log has more entries than its capacity: a full one is handed over"
        by [Unbounded at "log"];
    "B7" "a finalizer runs at most once, and an object that it brought back lives"
        by [FinalizedTwice, PrematureFree, UseAfterFree];
    "B8" "no foreign code runs inside a round: no deadlock" by [Deadlock];
    "B6" "an upgrade gives a live object or nothing" by [UseAfterFree, PrematureFree];
};
