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
        ClaimLate = "buf-claim-after-free" breaks ["B6", "B1"] in "upgrade" by Everywhere;
        /// "The count is one" is taken for "I am alone".
        UniqueByCount = "buf-unique-by-count" breaks ["B4"] in "in-place" by Everywhere;
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

const PROPERTIES: &[Property] = &[
    Property {
        id: "B1",
        states: "an object is freed only when every reference ever taken has been dropped",
        broken_by: &[Kind::PrematureFree, Kind::UseAfterFree, Kind::DoubleFree],
    },
    Property {
        id: "B3",
        states: "an object without references is freed within three complete rounds",
        broken_by: &[Kind::Leak],
    },
    Property {
        id: "B4",
        states: "only the commit thread looks at counts; uses happen before the free",
        broken_by: &[Kind::DataRace],
    },
    Property {
        id: "B5",
        states: "no entry is lost or applied twice",
        broken_by: &[Kind::WrongCount, Kind::Leak, Kind::PrematureFree, Kind::UseAfterFree],
    },
    Property {
        id: "B7",
        states: "a finalizer runs at most once, and an object that it brought back lives",
        broken_by: &[Kind::FinalizedTwice, Kind::PrematureFree, Kind::UseAfterFree],
    },
    Property {
        id: "B8",
        states: "no foreign code runs inside a round: no deadlock",
        broken_by: &[Kind::Deadlock],
    },
    Property {
        id: "B6",
        states: "an upgrade gives a live object or nothing",
        broken_by: &[Kind::UseAfterFree, Kind::PrematureFree],
    },
];
