//! What is checked about the parts together: planted faults, scenarios, properties.

use super::*;

mutants! {
    /// Faults of what lies between the parts.
    pub enum Mutant {
        /// Places of items are written and read relaxed, as suffices where counts acquire.
        ValueRelaxed = "sub-value-relaxed" breaks ["R2"] in "overwrite" by WeakMemory;
        /// An object's memory is given back as soon as its count is zero.
        ObjectNow = "sub-object-now" breaks ["R2"] in "overwrite" by Everywhere;
        /// A table is freed as soon as the next one is published.
        TableNow = "sub-table-now" breaks ["R3"] in "resize" by Everywhere;
        /// A table is retired before the next one is published.
        RetireFirst = "sub-retire-first" breaks ["R3"] in "resize" by Everywhere;
        /// Back from a call that blocks, a thread is not online again.
        StaysOffline = "sub-stays-offline" breaks ["R2", "R3"] in "blocks" by Everywhere;
        /// A safe point is passed between finding a value and taking it.
        SafePointInside = "sub-safe-point-inside" breaks ["R2"] in "overwrite" by
            ShuttleOnly("it takes three preemptions, and loom is given two");
        /// An old value is released in the section, and before the new one is stored.
        ReleaseFirst = "sub-release-first" breaks ["R1", "R2"] in "two-writers" by Everywhere;
        /// What dies at the end of a thread waits in a list that nobody has.
        ExitDrops = "sub-exit-drops" breaks ["R5"] in "owner-ends" by Everywhere;
        /// Safe points free nothing.
        ReclaimNothing = "sub-reclaim-nothing" breaks ["R6"] in "alone" by Everywhere;
    }
}

/// Makes a full table of the dict's own.
const OWN: [Op; 4] = [Op::Set(2, 20), Op::Set(1, 10), Op::Set(3, 30), Op::Delete(3)];

/// The protocol.
pub struct ComposedSubscript;

impl Protocol for ComposedSubscript {
    const NAME: &'static str = "subscript";
    const TITLE: &'static str = "d[k] beside d[k] = v: counts, sections and reclamation together";
    const QUESTION: &'static str =
        "What does each part of a VM rely on that another part has to give?";
    const SOURCE: &'static str = "CPython 3.13, its parts composed";
    const PROPERTIES: &'static [Property] = properties! {
        "R1" "an answer was the value of that key at some moment of the call"
            by [NotLinearizable at "calls" "reads"];
        "R2" "objects are memory while anybody looks at them"
            by [
                UseAfterFree at "object" "payload" "owner" "local" "shared" "bias",
                DataRace at "payload" "child" "bias",
                PrematureFree,
                DoubleFree
            ];
        "R3" "so are tables" by [UseAfterFree at "table" "content", DataRace at "content"];
        "R5" "what nobody refers to is freed" by [Leak, WrongCount];
        "R6" "memory waits for readers alone" by [Unbounded at "backlog"];
    };
    const RANDOM: Option<Draw<Op>> = Some(|threads, operations, below| {
        let letters = [Op::Get(1), Op::Set(1, 11), Op::Set(3, 31), Op::Blocks];
        let drawn = Scenario::random(&letters, threads, operations, below);
        drawn.objects(OWN.len() + threads * operations).setup(OWN)
    });
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Subscript<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        let split = |scenario: Scenario<Op>| scenario.objects(6).setup([Set(2, 20), Set(1, 10)]);
        let own = |scenario: Scenario<Op>| scenario.objects(6).setup(OWN);
        vec![
            split(Scenario::of(
                "overwrite",
                "a look-up beside a store",
                [&[Set(1, 11)], &[Get(1)]],
            )),
            own(Scenario::of(
                "resize",
                "a look-up beside an insertion into a full table",
                [&[Set(3, 31)], &[Get(1)]],
            )),
            split(Scenario::of(
                "blocks",
                "a look-up after a call that blocks, beside a removal",
                [&[Delete(1)], &[Blocks, Get(1)]],
            )),
            split(
                Scenario::of(
                    "two-writers",
                    "a store beside an insertion that makes a table",
                    [&[Set(1, 11)], &[Set(3, 31)]],
                )
                .finish([Get(1)]),
            ),
            split(Scenario::of(
                "owner-ends",
                "another removes a value of a thread that ends",
                [&[], &[Delete(1)]],
            )),
            split(Scenario::of("alone", "memory without readers", [&[Set(1, 11), Reclaimed]])),
        ]
    }

    /// Left out: more than two operations, and programs without a reader, in which all is done in sections.
    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |place: Place| {
            let seen = place.fresh as i64;
            vec![
                Op::Get(1),
                Op::Set(1, 11 + seen),
                Op::Set(3, 31 + seen),
                Op::Delete(1),
                Op::Blocks,
            ]
        };
        let mut start = Start::new("own", "readers and writers of a full table", letters);
        start.grows = true;
        start.objects = 4;
        start.setup = OWN.to_vec();
        start.fits = |scenario| {
            let mut all = scenario.threads.iter().flatten();
            scenario.operations() < 3 && all.any(|op| matches!(op, Op::Get(_)))
        };
        vec![start]
    }
}
