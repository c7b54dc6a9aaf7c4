//! What is checked about QSBR: planted faults, scenarios, properties.

use super::*;

mutants! {
    /// Faults of QSBR.
    pub enum Mutant {
        /// The goal is the sequence from before the advance.
        OldGoal = "qsbr-old-goal" breaks ["Q1", "Q4"] in "online-reader" by Everywhere;
        /// The deferred goal comes from a plain load, as CPython ships it.
        #[shipped(x)]
        NextWithoutFence = "qsbr-next-without-fence" breaks ["Q1", "Q4"] in "next-goal" by WeakMemory;
        /// Attaching stores the sequence without a full fence.
        AttachRelaxed = "qsbr-attach-relaxed" breaks ["Q1", "Q4"] in "attach-beside-free" by WeakMemory;
        /// Attaching is a sequentially consistent store, the first load relaxed.
        #[shipped(x)]
        AttachUnfenced = "qsbr-attach-unfenced" breaks ["Q1", "Q4"] in "attach-beside-free"
            by Explorer("loom takes the SeqCst store as a release and would flag the correct pairing too");
        /// The scan has no full fence.
        ScanUnfenced = "qsbr-scan-unfenced" breaks ["Q1", "Q4"] in "attach-beside-free" by WeakMemory;
        /// Going offline is a relaxed store.
        DetachRelaxed = "qsbr-detach-relaxed" breaks ["Q4"] in "attach-beside-free" by WeakMemory;
        /// The scan's fence stands before its load of the write sequence, as CPython ships it:
        /// a third thread that scans for others has not ordered their unlinks.
        #[shipped(x)]
        FenceBeforeWrite = "qsbr-fence-before-wr" breaks ["Q1", "Q4"] in "scanner" by WeakMemory;
        /// The scan reads the write sequence after the threads.
        WriteAfterScan = "qsbr-wr-after-scan" breaks ["Q1", "Q4"] in "scanner" by Everywhere;
        /// A reader keeps a pointer across a quiescent point.
        QuiesceMidRead = "qsbr-quiesce-mid-read" breaks ["Q1", "Q4"] in "online-reader" by Everywhere;
        /// A quiescent point publishes nothing: memory waits until its reader goes offline.
        QuiescentNothing = "qsbr-quiescent-nothing" breaks ["Q6"] in "stays-online" by Everywhere;
        /// A thread that is offline counts as one that has seen nothing.
        OfflineCounts = "qsbr-offline-counts" breaks ["Q6"] in "stays-online" by Everywhere;
        /// The scan takes the goal that it was asked for as reached.
        ReadPastWrite = "qsbr-read-past-write" breaks ["Q2"] in "waits" by Everywhere;
        /// Processing frees one block: a thread that retires faster has a backlog without bound.
        ProcessOne = "qsbr-process-one" breaks ["Q7"] in "backlog" by Everywhere;
        /// A thread that ends forgets the blocks that it retired.
        ExitDrop = "delayed-exit-drop" breaks ["Q5"] in "exit-with-queue" by Everywhere;
        /// Sequences are compared as plain numbers.
        UnsignedCompare = "qsbr-unsigned-compare" breaks ["Q1", "Q4", "Q6"] in "wrap" by Everywhere;
    }
}

/// The protocol.
pub struct QsbrProtocol;

impl Protocol for QsbrProtocol {
    const NAME: &'static str = "qsbr";
    const TITLE: &'static str = "Quiescent-state based reclamation";
    const QUESTION: &'static str =
        "When may memory be freed that lock-free readers may still look at?";
    const SOURCE: &'static str = "FreeBSD subr_smr.c; CPython 3.13 qsbr.c";
    const PROPERTIES: &'static [Property] = PROPERTIES;
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Pointer<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use crate::protocol::Reach;
        use Op::*;
        vec![
            Scenario::new("online-reader", "an online reader passes quiescent points")
                .objects(2)
                .setup([Attach])
                .thread([Load, Use, Quiescent, Use, Load, Use, Detach])
                .thread([Replace(1), Process]),
            Scenario::new("attach-beside-free", "a reader comes online beside a free")
                .objects(2)
                .thread([Attach, Load, Use, Detach])
                .thread([Replace(1), Process]),
            Scenario::new("next-goal", "the goal waits for another thread's advance")
                .objects(2)
                .setup([Attach])
                .thread([Quiescent, Load, Use, Detach])
                .thread([ReplaceNext(1), Process])
                .thread([Advance]),
            Scenario::new("scanner", "a third thread scans while a reader comes online")
                .objects(2)
                .thread([Attach, Load, Use, Detach])
                .thread([Replace(1), Process])
                .thread([Scan])
                .loom(Reach::Sampled),
            Scenario::new(
                "stays-online",
                "a reader passes a quiescent point and never goes offline",
            )
            .objects(2)
            .setup([Attach])
            .thread([Load, Use, Quiescent])
            .thread([Replace(1)])
            .finish([Quiescent, ProcessAll, Settled]),
            Scenario::new("exit-with-queue", "a thread ends while what it retired has to wait")
                .objects(2)
                .setup([Attach])
                .thread([Load, Use])
                .thread([Replace(1), Process]),
            Scenario::new("two-writers", "one retires what another published, a third scans")
                .objects(3)
                .thread([Replace(1)])
                .thread([Scan])
                .thread([Replace(2), Process])
                .loom(Reach::Preemptions(2)),
            Scenario::new("backlog", "three blocks are retired, then processed twice")
                .objects(4)
                .thread([Replace(1), Replace(2), Replace(3), Process, Process]),
            Scenario::new("waits", "a goal waits for an advance that does not come")
                .objects(2)
                .thread([ReplaceNext(1), Process]),
            Scenario::new("wrap", "the clock wraps around")
                .objects(2)
                .setup([NearWrap, Attach])
                .thread([Load, Use, Quiescent, Detach])
                .thread([Replace(1), Process]),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        fn letters(place: Place) -> Vec<Op> {
            let block = 1 + place.fresh;
            let writes = [Replace(block), ReplaceNext(block), Advance, Process, Scan];
            [Attach, Load, Use, Quiescent, Detach].into_iter().chain(writes).collect()
        }
        let start = |name, asks, first| Start {
            first,
            grows: true,
            finish: vec![ProcessAll],
            fits: |scenario: &Scenario<Op>| {
                // A thread that is online loads, is quiescent or goes offline, and uses what it
                // has loaded.
                scenario.threads.iter().all(|script| {
                    let (mut online, mut has) = (false, false);
                    script.iter().all(|op| match op {
                        Attach => !std::mem::replace(&mut online, true),
                        Load => {
                            has = true;
                            online
                        }
                        Use => has,
                        Quiescent => {
                            has = false;
                            online
                        }
                        Detach => {
                            has = false;
                            std::mem::take(&mut online)
                        }
                        _ => true,
                    })
                })
            },
            ..Start::new(name, asks, letters)
        };
        vec![
            start("offline", "nobody is online", vec![]),
            start("online", "every thread is online", vec![Attach]),
        ]
    }
}

const PROPERTIES: &[Property] = properties! {
    "Q1" "memory is freed only when no reader can still hold the pointer"
        by [UseAfterFree at "block" "payload", PrematureFree];
    "Q2" "the read sequence never passes the write sequence" by [Invariant];
    "Q4" "all reads of those readers happen before the free" by [DataRace at "payload"];
    "Q5" "each retired block is freed exactly once: it is queued until then, whoever retired it"
        by [DoubleFree, Leak];
    "Q7" "after a thread has processed its queue no block of it waits whose goal had been reached before: \
                 the backlog is bounded"
        by [Unbounded at "backlog"];
    "Q6" "when all threads are offline or quiescent since, one advance frees everything older"
        by [Leak];
};
