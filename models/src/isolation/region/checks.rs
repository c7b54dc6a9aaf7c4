//! What is checked about regions: planted faults, scenarios, properties.

use super::*;
use crate::enumerate::{Place, Start};
use crate::protocol::{Draw, Property, Protocol, Scenario};
use crate::{mutants, properties};

mutants! {
    /// Faults of who looks, who migrates, and who locks.
    pub enum Mutant {
        /// The region is looked at before its lock is taken, and not again.
        CheckThenUse = "reg-check-then-use" breaks ["G1"] in "adopt" by Everywhere;
        /// The lock is taken for each object anew.
        MigratePerObject = "reg-migrate-per-object" breaks ["G2"] in "share" by Everywhere;
        /// One of several readers makes the objects its own.
        MigrateUnderReadLock = "reg-migrate-under-read-lock" breaks ["G1", "G2"] in "adopt" by Everywhere;
        /// A nested lock is taken against the precedence.
        PrecedenceIgnored = "reg-precedence-ignored" breaks ["G3"] in "nested" by Everywhere;
        /// Only the outer object becomes read-only.
        ReadOnlyShallow = "reg-readonly-shallow" breaks ["G4"] in "freeze" by Everywhere;
        /// A reader waits in its place until it may write.
        Upgrade = "reg-upgrade" breaks ["G3"] in "upgrade" by Everywhere;
        /// That an object is read-only may be seen before what is in it.
        PublishRelaxed = "reg-publish-relaxed" breaks ["G1"] in "publish" by WeakMemory;
        /// Who had the lock alone does not give it back.
        GiveNothing = "reg-give-nothing" breaks ["G3"] in "upgrade" by Everywhere;
    }
}

/// The protocol.
pub struct RegionProtocol;

impl Protocol for RegionProtocol {
    const NAME: &'static str = "regions";
    const TITLE: &'static str = "Objects that belong to regions";
    const QUESTION: &'static str = "Who may use an object, and how does it change hands?";
    const SOURCE: &'static str = "HPC-GAP, regions";
    const PROPERTIES: &'static [Property] = properties! {
        "G1" "nobody uses an object without the right" by [DataRace at "data"];
        "G2" "who has the lock sees all of a migration or nothing" by [Invariant at "region"];
        "G3" "nobody waits for ever" by [Deadlock];
        "G4" "what is read-only never changes" by [DataRace at "data"];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Regions<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("share", "objects are shared", [&[Share], &[Read, Write]]),
            Scenario::of("adopt", "a reader beside who adopts", [&[Adopt, Write], &[Read]])
                .setup([Share]),
            Scenario::of("freeze", "a reader and who freezes", [&[Freeze, Write], &[Read]])
                .setup([Share]),
            Scenario::of("publish", "a thread's own become read-only", [&[Write, Freeze], &[Read]]),
            Scenario::of("upgrade", "two readers who want to write", [&[ReadWrite], &[ReadWrite]])
                .setup([Share]),
            Scenario::of("nested", "locks in both orders", [&[Descend], &[Ascend]]),
            Scenario::of("hands", "from hand to hand", [&[Share], &[Adopt, Write], &[Read]]),
        ]
    }

    /// Left out with locks within locks: more than three operations, and more than one that reads and then writes, which
    /// take too long.
    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        let letters = |place: Place| {
            let mut all = vec![Read, Write, Adopt, Freeze];
            all.extend((place.thread == 0).then_some(Share));
            all
        };
        let mut shared = Start::new("shared", "objects that all may lock", letters);
        (shared.setup, shared.alike) = (vec![Share], 1);
        let own = Start::new("own", "objects of thread 0", letters);
        let nested =
            Start::new("nested", "locks within locks", |_| vec![ReadWrite, Descend, Ascend]);
        let fits = |scenario: &Scenario<Op>| {
            let both = scenario.threads.iter().flatten().filter(|op| **op == ReadWrite).count();
            both <= 1 && scenario.operations() <= 3
        };
        vec![shared, Start { alike: 1, ..own }, Start { setup: vec![Share], fits, ..nested }]
    }

    /// All operations in one program.
    const RANDOM: Option<Draw<Op>> = Some(|threads, operations, below| {
        use Op::*;
        let all = [Read, Write, ReadWrite, Share, Adopt, Freeze, Descend, Ascend];
        Scenario::random(&all, threads, operations, below)
    });
}
