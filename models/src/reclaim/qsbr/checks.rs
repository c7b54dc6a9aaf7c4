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
            Scenario::new("wrap", "the clock wraps around")
                .objects(2)
                .setup([NearWrap, Attach])
                .thread([Load, Use, Quiescent, Detach])
                .thread([Replace(1), Process]),
        ]
    }

    fn random(
        threads: usize,
        operations: usize,
        below: &mut dyn FnMut(usize) -> usize,
    ) -> Option<Scenario<Op>> {
        let mut scenario = Scenario::new("random", "readers and writers of one pointer");
        for thread in 0..threads {
            let mut script = vec![Op::Attach];
            for _ in 0..operations {
                script.push(match below(if thread == 0 { 5 } else { 8 }) {
                    0 | 1 => Op::Load,
                    2 => Op::Use,
                    3 => Op::Quiescent,
                    4 => Op::Advance,
                    5 => Op::Process,
                    n => {
                        scenario.objects += 1;
                        let block = scenario.objects - 1;
                        if n == 6 { Op::Replace(block) } else { Op::ReplaceNext(block) }
                    }
                });
            }
            script.push(Op::Detach);
            scenario.threads.push(script);
        }
        Some(scenario)
    }
}

const PROPERTIES: &[Property] = &[
    Property {
        id: "Q1",
        states: "memory is freed only when no reader can still hold the pointer",
        broken_by: &[Kind::UseAfterFree, Kind::PrematureFree],
    },
    Property {
        id: "Q2",
        states: "the read sequence never passes the write sequence",
        broken_by: &[Kind::Invariant],
    },
    Property {
        id: "Q4",
        states: "all reads of those readers happen before the free",
        broken_by: &[Kind::DataRace],
    },
    Property {
        id: "Q5",
        states: "each retired block is freed exactly once: it is queued until then, whoever retired it",
        broken_by: &[Kind::DoubleFree, Kind::Leak],
    },
    Property {
        id: "Q6",
        states: "when all threads are offline or quiescent since, one advance frees everything older",
        broken_by: &[Kind::Leak],
    },
];
