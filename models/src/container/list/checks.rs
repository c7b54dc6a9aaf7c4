//! What is checked about the versioned list read: planted faults, scenarios, properties.

use super::*;

mutants! {
    /// Faults of the optimistic read.
    pub enum Mutant {
        /// A read always answers that the list is shorter.
        AlwaysShort = "vc-always-short" breaks ["L1"] in "replace" by Everywhere;
        /// A thread that has found the list too short once answers so for ever.
        ShortForEver = "vc-short-for-ever" breaks ["L1"] in "remembered" by ShuttleOnly(
            "the order of each thread alone explains the answers, and loom tells no other");
        /// Step 4 increments without testing for zero.
        PlainIncref = "vc-plain-incref" breaks ["L2"] in "replace" by Everywhere;
        /// Step 5 is missing and the version moves once, after the stores.
        SkipSlot = "vc-skip-slot" breaks ["L1", "L2"] in "stranger" by Everywhere;
        /// Step 6 is missing: only the slot is checked again.
        SkipVersion = "vc-skip-version" breaks ["L1", "L2"] in "grow" by Everywhere;
        /// A stranger that is not counted (immortal in CPython 3.13, deferred in 3.14) is
        /// returned without a second look at the slot.
        #[shipped(x)]
        UncountedUnchecked = "or-uncounted-unchecked" breaks ["L1", "L2"] in "immortal-stranger" by Everywhere;
        /// The version moves once per write, after the stores.
        SingleBump = "vc-single-bump" breaks ["L1"] in "insert" by Everywhere;
        /// No acquire fence before the version is checked.
        RelaxedVerify = "vc-relaxed-verify" breaks ["L1", "L2", "L3"] in "stranger"
            by WeakMemory;
        /// The version has two bits and wraps.
        VersionWrap = "vc-version-wrap" breaks ["L1", "L2"] in "grow" by Everywhere;
        /// A reader that fails tries again without ever taking the lock.
        RetryForever = "vc-retry-forever" breaks ["L5"] in "busy-writer" by Everywhere;
        /// A reader that fails keeps the reference.
        UndoLost = "vc-undo-lost" breaks ["L4"] in "replace" by Everywhere;
        /// The index is checked against the size only, not against the array found.
        SizeAsBound = "or-size-as-bound" breaks ["L3"] in "clear" by Everywhere;
        /// A replaced array is freed at once.
        FreeArrayNow = "or-free-array-now" breaks ["L3"] in "grow" by Everywhere;
    }
}

/// The protocol.
pub struct OptimisticList;

impl Protocol for OptimisticList {
    const NAME: &'static str = "optimistic-list";
    const TITLE: &'static str = "Optimistic versioned list read";
    const QUESTION: &'static str =
        "Can a list be read without its lock and still give a live item?";
    const SOURCE: &'static str = "nogil proposal, 2021; CPython 3.13 listobject.c for today's form";
    const PROPERTIES: &'static [Property] = PROPERTIES;
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = List<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use crate::protocol::Reach::Preemptions;
        use Op::*;
        vec![
            Scenario::new("replace", "a read beside a store to the same item")
                .objects(3)
                .setup([Append(1)])
                .thread([Get(0)])
                .thread([SetFirst(2)]),
            Scenario::new("stranger", "the replaced item's block becomes another object")
                .objects(3)
                .setup([Append(1)])
                .thread([Get(0)])
                .thread([SetFirst(2)])
                .thread([Make(9)])
                .loom(Preemptions(3)),
            Scenario::new("immortal-stranger", "the replaced item's block becomes immortal")
                .objects(3)
                .setup([Append(1)])
                .thread([Get(0)])
                .thread([SetFirst(2), MakeImmortal(9)])
                .loom(Preemptions(3)),
            Scenario::new("grow", "the array is replaced, then the item")
                .objects(4)
                .setup([Append(1)])
                .thread([Get(0)])
                .thread([Append(2), SetFirst(3), Make(9)])
                .loom(Preemptions(3)),
            Scenario::new("insert", "two reads beside an insertion at the front")
                .objects(4)
                .setup([Append(1), Append(2)])
                .thread([Get(1), Get(0)])
                .thread([InsertFront(3)])
                .loom(Preemptions(3)),
            Scenario::new("clear", "a read beside clear and append")
                .objects(4)
                .setup([Append(1), Append(2)])
                .thread([Get(1)])
                .thread([Clear, Append(3)])
                .loom(Preemptions(3)),
            Scenario::new("pop", "a read beside pop and append")
                .objects(3)
                .setup([Append(1)])
                .thread([Get(0), Get(0)])
                .thread([Pop, Append(2)])
                .loom(Preemptions(2)),
            Scenario::new(
                "remembered",
                "a read that comes after the end of an append, by what the threads did since",
            )
            .objects(4)
            .setup([Append(1)])
            .thread([Append(2), Make(3)])
            .thread([Get(1), Make(4), Get(1)])
            .loom(Preemptions(2)),
            Scenario::new("busy-writer", "a read beside a writer that does not pause")
                .objects(6)
                .setup([Append(1)])
                .thread([Get(0)])
                .thread([SetFirst(2), SetFirst(3), SetFirst(4)])
                .loom(Preemptions(3)),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        fn letters(place: Place) -> Vec<Op> {
            let value = 2 + place.fresh as i64;
            let writes = [
                Append(value),
                SetFirst(value),
                InsertFront(value),
                MakeImmortal(value),
                Make(value),
            ];
            [Get(0), Get(1), Pop, Clear].into_iter().chain(writes).collect()
        }
        vec![Start {
            objects: 2,
            grows: true,
            fits,
            setup: vec![Append(1)],
            ..Start::new("item", "any operations on a list of one item", letters)
        }]
    }
}

const PROPERTIES: &[Property] = properties! {
    "L1" "results are those of some sequential order: every item was in its place"
        by [NotLinearizable];
    "L2" "a returned item is alive and counted" by [..ALIVE];
    "L3" "no access outside an array, none to a freed array, no torn item"
        by [TornRead, UseAfterFree at "array"];
    "L4" "a failed attempt leaves the counts as they were" by [..COUNTED];
    "L5" "an operation makes one optimistic attempt, then takes the lock" by [Starvation];
};
