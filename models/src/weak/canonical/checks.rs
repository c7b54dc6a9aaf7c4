//! What is checked about counted weak references: planted faults, scenarios, properties.

use super::*;

mutants! {
    /// Faults of weak references that are counted themselves.
    pub enum Mutant {
        /// `ref(o)` gives out the weak reference that it finds without looking whether it is dying.
        ReuseDying = "wr-reuse-dying" breaks ["W6"] in "dropped" by Everywhere;
        /// A death takes the weak references that it finds without looking whether they are dying.
        BorrowDying = "wr-borrow-dying" breaks ["W6"] in "two-deaths" by Everywhere;
        /// A death takes a weak reference after the section in which it found it.
        BorrowAfterUnlock = "wr-borrow-after-unlock" breaks ["W6"] in "two-deaths" by Everywhere;
        /// A dying weak reference that finds itself cleared does not wait for the lock.
        DeallocSkipsLock = "wr-dealloc-skip-lock" breaks ["W6"] in "two-deaths" by Everywhere;
        /// A dying weak reference stays in the list.
        UnlinkNothing = "wr-unlink-nothing" breaks ["W6"] in "two-deaths" by Everywhere;
        /// A dying canonical weak reference unlinks the one that stands first, its successor.
        UnlinkFirst = "wr-unlink-first" breaks ["W3"] in "dropped" by Everywhere;
        /// The lock is given up between the look for a canonical weak reference and its making.
        CreateNoRecheck = "wr-create-no-recheck" breaks ["W7"] in "two-creators" by Everywhere;
        /// A death calls no callback.
        CallsNothing = "wr-calls-nothing" breaks ["W5"] in "outlives" by Everywhere;
        /// The callback of a dying weak reference is called.
        CallbackOfDying = "wr-callback-of-dying" breaks ["W5"] in "owns-its-object" by Everywhere;
        /// A dying weak reference takes its callback before it has the lock.
        CallbackUnlocked = "wr-callback-unlocked" breaks ["W5"] in "two-deaths" by Everywhere;
    }
}

fn scenarios() -> Vec<Scenario<Op>> {
    use Op::*;
    use Plain::{Decref, Give, Incref, New, Own};
    vec![
        Scenario::new(
            "dropped",
            "the canonical weak reference is dropped while another thread wants it",
        )
        .objects(3)
        .setup([Do(New(0)), Ref(1), Do(Incref(0)), Do(Give(0, 1))])
        .thread([DropRef])
        .thread([Ref(2), Upgrade]),
        Scenario::new("two-creators", "two threads make the first weak reference")
            .objects(5)
            .setup([Do(New(0)), Do(Incref(0)), Do(Give(0, 1))])
            .thread([Ref(1), Ref(2)])
            .thread([Ref(3)]),
        Scenario::new("two-deaths", "a weak reference dies beside its object")
            .objects(2)
            .setup([Do(New(0)), Watch(1), Do(Give(1, 1))])
            .thread([Do(Decref(0))])
            .thread([DropRef]),
        Scenario::new("outlives", "a weak reference outlives its object")
            .objects(3)
            .setup([Do(New(0)), Ref(1), Watch(2)])
            .thread([Do(Decref(0)), Upgrade]),
        Scenario::new("owns-its-object", "a weak reference whose attribute is the last reference")
            .objects(2)
            .setup([Do(New(0)), Watch(1), Do(Own(1, 0))])
            .thread([DropRef]),
    ]
}

fn letters(place: Place) -> Vec<Op> {
    // Blocks 1 and 2 are the set-up's.
    let new = 3 + place.fresh;
    vec![Op::Ref(new), Op::Watch(new), Op::DropRef, Op::Upgrade, Op::Do(Plain::Decref(TARGET))]
}

/// Whether every operation may apply, by what the thread may have of the object and of any weak reference.
fn fits(scenario: &Scenario<Op>) -> bool {
    let weakrefs = |op| match op {
        Op::Do(Plain::Give(w, to)) if w != TARGET => Plain::<Nothing>::Give(1, to),
        Op::Do(Plain::Incref(w)) if w != TARGET => Plain::Incref(1),
        Op::Do(_) => Plain::Poll,
        Op::Ref(_) | Op::Watch(_) => Plain::TryIncref(1),
        Op::DropRef => Plain::Decref(1),
        Op::Upgrade => Plain::Use(1),
    };
    let object = |op| match op {
        Op::Do(Plain::Give(w, _) | Plain::Incref(w)) if w != TARGET => Plain::<Nothing>::Poll,
        Op::Do(op) => op,
        Op::Ref(_) | Op::Watch(_) => Plain::Use(TARGET),
        Op::DropRef => Plain::Poll,
        Op::Upgrade => Plain::TryIncref(TARGET),
    };
    workshop::may_hold(scenario, weakrefs) && workshop::may_hold(scenario, object)
}

fn starts(threads: usize) -> Vec<Start<Op>> {
    let start = |name, asks, setup| Start {
        objects: 3,
        grows: true,
        fits,
        setup,
        ..Start::new(name, asks, letters)
    };
    let each = || workshop::each(threads).into_iter().map(Op::Do);
    // Object 0 stays with the main thread; the others have weak references alone.
    let to_others = |w| (1..threads).flat_map(move |to| [Plain::Incref(w), Plain::Give(w, to)]);
    let abroad = |w| to_others(w).map(Op::Do);
    vec![
        start("each", "every thread has the object", each().collect()),
        start(
            "all",
            "every thread has the object and the canonical weak reference",
            each().chain([Op::Ref(1)]).chain(abroad(1)).collect(),
        ),
        Start {
            alike: 1,
            ..start(
                "refs",
                "one thread has the object, all others the canonical weak reference",
                [Op::Do(Plain::New(TARGET)), Op::Ref(1)].into_iter().chain(abroad(1)).collect(),
            )
        },
        Start {
            alike: 1,
            ..start(
                "callbacks",
                "one thread has the object, all others a weak reference with a callback",
                [Op::Do(Plain::New(TARGET)), Op::Watch(2)].into_iter().chain(abroad(2)).collect(),
            )
        },
    ]
}

/// Counted weak references.
pub struct CanonicalRefs;

impl Protocol for CanonicalRefs {
    const NAME: &'static str = "weakref-canonical";
    const TITLE: &'static str = "Canonical weak references with counts of their own";
    const QUESTION: &'static str =
        "Who decides whether a dying weak reference is used once more, and who calls its callback?";
    const SOURCE: &'static str = "CPython 3.13 weakrefobject.c";
    const PROPERTIES: &'static [Property] = properties! {
        "W3" "a weak reference that somebody has gives its object as long as that is held"
            by [Invariant at "target"];
        "W5" "a callback is called once when its weak reference outlives the object, and never of a \
                     dying one"
            by [Invariant at "callback", DataRace at "callback"];
        "W6" "a weak reference is unlinked before it is freed, and freed once"
            by [PrematureFree at "object", DoubleFree at "object", UseAfterFree, DataRace at "links" "payload", Invariant at "links"];
        "W7" "while somebody has the canonical weak reference, it is the one that is given out"
            by [Invariant at "canonical"];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Canonical<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        scenarios()
    }
    fn starts(threads: usize) -> Vec<Start<Op>> {
        starts(threads)
    }
}
