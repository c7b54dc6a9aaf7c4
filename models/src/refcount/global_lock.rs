//! Counts under one global reference mutex.
//!
//! # Question
//! The first patch that removed the lock (Stein, 1996) kept the counts plain integers and
//! put one process-wide mutex around every change. What has to stay outside that mutex?
//!
//! # Obligations
//! The count is touched only inside the section, and the decision to free is taken on the
//! value computed *inside*: a second look is a second opinion. The destructor runs
//! *outside*: it drops further references, which take the same mutex, and it runs code
//! that nobody knows.
//!
//! # Source
//! Beazley's description of the patch (`pymutex.c`, `object.h` of Python 1.4). Where the
//! patch's text is not quoted there, this is the obvious reading.

use super::{Count, Nothing, Object, Op, R1, R3, Workshop, destroy, random, workshop};
use crate::enumerate::{Place, Start};
use crate::mutants;
use crate::protocol::{Draw, Fault, Property, Protocol, Scenario, Shape, Switch};
use crate::runtime::{DataCell as _, Label, Lock as _, Runtime};
use crate::verdict::Kind;

/// The scheme.
pub struct LockedCount<R: Runtime, F> {
    objects: Box<[Object<R, Header<R>>]>,
    mutex: R::Mutex<()>,
    /// Only the mutant with two mutexes takes this one.
    other: R::Mutex<()>,
    faults: F,
}

/// A plain integer.
pub struct Header<R: Runtime> {
    count: R::Cell<u32>,
}

type Obj<R> = Object<R, Header<R>>;

impl<R: Runtime, F: Fault<Mutant>> LockedCount<R, F> {
    /// A heap of `objects` blocks.
    pub fn with_faults(objects: usize, faults: F) -> Self {
        let header = |n| Header { count: R::Cell::new(0, Label::part("object", "count", n)) };
        Self {
            objects: (0..objects).map(|n| Object::blank(n, header(n))).collect(),
            mutex: R::Mutex::new((), "ref_mutex"),
            other: R::Mutex::new((), "other_mutex"),
            faults,
        }
    }

    /// One more reference.
    #[inline]
    pub fn add(&self, header: &Header<R>) {
        let two = self.faults.is(Mutant::TwoMutexes);
        let _section = if two { self.other.lock() } else { self.mutex.lock() };
        header.count.write(header.count.read() + 1);
    }

    /// One reference less; the new count, remembered inside the section.
    #[inline]
    fn sub(&self, header: &Header<R>) -> u32 {
        let section = self.mutex.lock();
        let old = header.count.read();
        let count = old - 1;
        header.count.write(count);
        drop(section);
        if self.faults.is(Mutant::OldValue) {
            return old;
        }
        if self.faults.is(Mutant::UnlockBeforeCopy) {
            return header.count.read();
        }
        if self.faults.is(Mutant::RereadZero) {
            let _section = self.mutex.lock();
            return header.count.read();
        }
        count
    }

    /// The mutant that calls the destructor inside the section.
    #[cold]
    fn sub_inside(&self, object: &Obj<R>) {
        let _section = self.mutex.lock();
        let count = object.header.count.read() - 1;
        object.header.count.write(count);
        if count == 0 {
            destroy(self, &mut (), object);
        }
    }
}

impl<R: Runtime, F: Fault<Mutant>> Count<R> for LockedCount<R, F> {
    type Mutant = Mutant;
    type Faults = F;
    type Header = Header<R>;
    type Thread = ();
    type Extra = Nothing;

    fn new(shape: Shape, faults: F) -> Self {
        Self::with_faults(shape.objects, faults)
    }
    fn objects(&self) -> &[Obj<R>] {
        &self.objects
    }
    fn attach(&self, _: usize) {}
    fn detach(&self, (): ()) {}
    fn init(&self, (): &mut (), object: &Obj<R>) {
        object.header.count.write(1);
    }
    #[inline]
    fn incref(&self, (): &mut (), object: &Obj<R>) {
        self.add(&object.header);
    }
    #[inline]
    fn decref(&self, thread: &mut (), object: &Obj<R>) {
        if self.faults.is(Mutant::DeallocInside) {
            return self.sub_inside(object);
        }
        // Decided on the value remembered inside, acted upon outside.
        if self.sub(&object.header) == 0 {
            destroy(self, thread, object);
        }
    }
    fn try_incref(&self, (): &mut (), object: &Obj<R>) -> bool {
        let _section = self.mutex.lock();
        let count = object.header.count.read();
        if count > 0 {
            object.header.count.write(count + 1);
        }
        count > 0
    }
    fn extra(&self, (): &mut (), extra: Nothing) -> Option<i64> {
        match extra {}
    }
    fn settled(&self, object: &Obj<R>) -> Option<i64> {
        Some(i64::from(object.header.count.read()))
    }
}

mutants! {
    /// Faults of the locked count.
    pub enum Mutant {
        /// The decrement decides by looking at the count again, in a second section.
        RereadZero = "arc-reread-zero" breaks ["R1", "R3"] in "last-use" by Everywhere;
        /// The decision is taken on the value from before the decrement.
        OldValue = "arc-old-value" breaks ["R3"] in "last-use" by Everywhere;
        /// The destructor runs inside the section.
        DeallocInside = "arc-dealloc-inside" breaks ["R6"] in "tree" by Everywhere;
        /// The result is copied after the unlock.
        UnlockBeforeCopy = "arc-unlock-before-copy" breaks ["R1", "R4"] in "last-use" by Everywhere;
        /// Increment and decrement take different mutexes.
        TwoMutexes = "arc-two-mutexes" breaks ["R1", "R3", "R4"] in "balanced" by Everywhere;
    }
}

/// The protocol.
pub struct GlobalLock;

impl Protocol for GlobalLock {
    const NAME: &'static str = "global-lock";
    const TITLE: &'static str = "Counts under a global reference mutex";
    const QUESTION: &'static str = "What has to stay outside the one mutex around all counts?";
    const SOURCE: &'static str = "Stein's 1996 patch for Python 1.4, as described by Beazley";
    const PROPERTIES: &'static [Property] = PROPERTIES;
    const RANDOM: Option<Draw<Op>> = Some(random);
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Workshop<R, LockedCount<R, Switch<Mutant>>>;

    fn scenarios() -> Vec<Scenario<Op>> {
        scenarios()
    }

    fn starts(threads: usize) -> Vec<Start<Op>> {
        starts(threads)
    }
}

/// The set-ups of a count that has no owner and is reached by a bare address.
pub(super) fn starts(threads: usize) -> Vec<Start<Op>> {
    fn letters(_: Place) -> Vec<Op> {
        let mut letters = workshop::letters();
        letters.push(Op::TryIncref(0));
        letters
    }
    let start = |name, asks| Start { fits: workshop::fits, ..Start::new(name, asks, letters) };
    vec![
        Start { setup: workshop::each(threads), ..start("each", "every thread has a reference") },
        Start {
            setup: vec![Op::New(0)],
            alike: 1,
            ..start("own", "one thread has a reference, the others an address")
        },
    ]
}

/// The scenarios of a count without any state beside it.
pub(super) fn scenarios() -> Vec<Scenario<Op>> {
    use Op::*;
    vec![
        Scenario::new("balanced", "two threads take and drop references of one object")
            .setup([New(0), Incref(0), Give(0, 1)])
            .thread([Incref(0), Decref(0), Decref(0)])
            .thread([Incref(0), Decref(0), Decref(0)]),
        Scenario::new("last-use", "each thread uses the object and drops its reference")
            .setup([New(0), Incref(0), Give(0, 1)])
            .thread([Use(0), Decref(0)])
            .thread([Use(0), Decref(0)]),
        Scenario::new("tree", "the last drop of a parent drops a child")
            .objects(2)
            .setup([New(0), New(1), Own(0, 1)])
            .thread([Decref(0)]),
        Scenario::new("upgrade", "a bare address is upgraded beside the last drop")
            .setup([New(0)])
            .thread([Decref(0)])
            .thread([TryIncref(0), Use(0), Decref(0)]),
    ]
}

const PROPERTIES: &[Property] = &[
    R1,
    R3,
    Property {
        id: "R4",
        states: "counts are touched only inside the section; uses happen before the free",
        broken_by: &[Kind::DataRace.at(&["payload", "child", "count"])],
    },
    Property {
        id: "R6",
        states: "destructors run outside the section: no deadlock",
        broken_by: &[Kind::Deadlock.anywhere()],
    },
];
