//! What is checked about the marked list read: planted faults, scenarios, properties.

use super::*;

mutants! {
    /// Faults of the read by a second look.
    pub enum Mutant {
        /// A read always answers that the list is shorter.
        AlwaysShort = "or-always-short" breaks ["R1"] in "replace" by Everywhere;
        /// The increment does not test for zero.
        PlainIncref = "or-plain-incref" breaks ["R2"] in "replace" by Everywhere;
        /// The increment is relaxed.
        RelaxedIncref = "or-relaxed-incref" breaks ["R1", "R2"] in "replace" by WeakMemory;
        /// No second look.
        NoRecheck = "or-no-slot-recheck" breaks ["R1", "R2"] in "replace" by Everywhere;
        /// A popped slot keeps its address (CPython 3.13): it compares equal for ever.
        #[shipped(x)]
        SlotCheckOnly = "or-slot-check-only" breaks ["R1", "R2"] in "pop" by Everywhere;
        /// The size is not looked at again (CPython 3.13): an item is read under the size before a
        /// pop, and the next read finds the size after it.
        #[shipped(x)]
        SizeUnchecked = "or-size-unchecked" breaks ["R8"] in "pop-append" by Everywhere;
        /// The array is not compared (CPython 3.13): slots of a retired one never change.
        #[shipped(x)]
        ArrayUnchecked = "or-array-unchecked" breaks ["R1", "R2"] in "retired" by Everywhere;
        /// A failed attempt does not give its reference back.
        UndoLost = "or-undo-lost" breaks ["R5"] in "replace" by Everywhere;
        /// The new array is published before it is filled.
        PublishEarly = "or-publish-early" breaks ["R3"] in "grow" by Everywhere;
        /// A foreign reader marks the list without its lock: store buffering against a resize
        /// that looks at the mark after it has published the new array.
        MarkUnlocked = "or-mark-unlocked" breaks ["R3"] in "first-read" by WeakMemory;
        /// The mark is stored and loaded relaxed (CPython 3.13).
        #[shipped(x)]
        MarkRelaxed = "or-mark-relaxed" breaks ["R3"] in "second-read" by WeakMemory;
        /// A retired array gets its goal before the list has let go of it.
        GoalEarly = "or-goal-before-unlink" breaks ["R3"] in "reclaimed" by Everywhere;
        /// A quiescent point frees nothing.
        ReclaimNothing = "or-reclaim-nothing" breaks ["R9"] in "stays-online" by Everywhere;
        /// A thread that ends forgets the arrays that it has retired.
        ExitDrop = "or-exit-drop" breaks ["R9"] in "reclaimed" by Everywhere;
        /// A thread that is not the owner retires an array without marking the list.
        ForeignUnmarked = "or-foreign-resize-unmarked" breaks ["R3"] in "owner-reads" by Everywhere;
    }
}

/// The protocol.
pub struct MarkedList;

impl Protocol for MarkedList {
    const NAME: &'static str = "marked-list";
    const TITLE: &'static str = "Optimistic list read by a second look at the slot";
    const QUESTION: &'static str = "What does an unchanged slot prove?";
    const SOURCE: &'static str = "CPython 3.13 listobject.c, with three repairs";
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
                .setup([Append(1), Mark])
                .thread([SetFirst(2), Make(9)])
                .thread([Get(0)])
                .loom(Preemptions(3)),
            Scenario::new("pop", "a read beside pop")
                .objects(2)
                .setup([Append(1), Mark])
                .thread([Pop, Make(9)])
                .thread([Get(0)])
                .loom(Preemptions(3)),
            Scenario::new("pop-append", "two reads beside pop and append")
                .objects(2)
                .setup([Append(1)])
                .thread([Get(0), Get(0)])
                .thread([Pop, Append(2)])
                .loom(Preemptions(2)),
            Scenario::new("retired", "the array is replaced, then the item")
                .objects(4)
                .setup([Append(1), Mark])
                .thread([Append(2), SetFirst(3), Make(9)])
                .thread([Get(0)])
                .loom(Preemptions(3)),
            Scenario::new("grow", "a read beside a growing list")
                .objects(2)
                .setup([Append(1), Mark])
                .thread([Append(2)])
                .thread([Get(0)])
                .loom(Preemptions(3)),
            Scenario::new("clear", "a read beside clear and append")
                .objects(3)
                .setup([Append(1), Mark])
                .thread([Clear, Append(2)])
                .thread([Get(0)])
                .loom(Preemptions(3)),
            Scenario::new("first-read", "the first foreign read beside the owner's resize")
                .objects(2)
                .setup([Append(1)])
                .thread([Append(2)])
                .thread([Get(0)])
                .loom(Preemptions(3)),
            Scenario::new("second-read", "a foreign read marks, another sees the mark")
                .objects(2)
                .setup([Append(1)])
                .thread([Append(2)])
                .thread([Get(0)])
                .thread([Get(0)])
                .loom(Preemptions(2)),
            Scenario::new("reclaimed", "a read beside a resize whose old array goes by QSBR")
                .objects(2)
                .setup([Append(1), Mark])
                .thread([Online, Append(2), Quiescent])
                .thread([Online, Get(0)])
                .loom(Preemptions(2)),
            Scenario::new("stays-online", "the thread that has retired an array reads on")
                .objects(2)
                .setup([Append(1), Mark])
                .thread([Online, Append(2)])
                .thread([Online, Get(0), Quiescent])
                .finish([Quiescent, Reclaimed])
                .loom(Preemptions(2)),
            Scenario::new("owner-reads", "the owner reads beside a foreign resize")
                .objects(2)
                .setup([Append(1)])
                .thread([Get(0)])
                .thread([Append(2)])
                .loom(Preemptions(3)),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        fn letters(place: Place) -> Vec<Op> {
            let value = 2 + place.fresh as i64;
            let writes = [Append(value), SetFirst(value), Make(value)];
            [Get(0), Get(1), Pop, Clear].into_iter().chain(writes).collect()
        }
        let start = |name, asks, setup| Start {
            objects: 2,
            grows: true,
            fits,
            setup,
            alike: 1,
            ..Start::new(name, asks, letters)
        };
        // Retired arrays go by QSBR: the letters that read, retire and reclaim.
        fn reclaiming(place: Place) -> Vec<Op> {
            vec![Get(0), Append(2 + place.fresh as i64), Quiescent]
        }
        let reclaimed = Start {
            first: vec![Online],
            letters: reclaiming,
            ..start(
                "online",
                "a marked list of one item, and all threads online",
                vec![Append(1), Mark],
            )
        };
        vec![
            reclaimed,
            start("unmarked", "a list of one item that its owner alone has read", vec![Append(1)]),
            start("marked", "a list of one item that others have read", vec![Append(1), Mark]),
        ]
    }
}

const PROPERTIES: &[Property] = properties! {
    "R1" "the item returned was in its place at an instant of the call"
        by [NotLinearizable at "calls"];
    "R2" "the item returned is alive and counted" by [..ALIVE];
    "R3" "no access to a freed array, no address that nobody wrote"
        by [UseAfterFree at "array", TornRead];
    "R5" "a failed attempt leaves the counts as they were" by [Leak at "object", WrongCount];
    "R8" "the reads of a thread, taken together, never go back" by [NotLinearizable at "reads"];
    "R9" "an array that was retired while all were online is freed, once"
        by [Leak at "array", DoubleFree at "array"];
};
