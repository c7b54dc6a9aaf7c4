//! Counts in separate storage.
//!
//! # Question
//! A count inside its object dirties the cache line of the object at every reference,
//! also for objects that nobody changes. Hastings' later idea is to keep the counts apart,
//! in a side table indexed by object. What does the table owe the objects?
//!
//! # Obligations
//! An index belongs to one object from its first reference until its destructor has
//! finished; only then may it be given to another. Neighbouring counts are independent:
//! changing one never rewrites another. The table grows without moving counts, because
//! others count in it while it grows: it is a list of chunks that stay where they are.
//!
//! # Orders
//! Those of [`atomic`](super::atomic): the count's place in memory changes nothing, as long as
//! the index reaches every thread with the object. What is in a new chunk reaches them the same
//! way, so that publishing a chunk needs no order of its own.
//!
//! # Source
//! Hastings' remark in the report of the 2017 Python Language Summit. It names the idea
//! only; index allocation, chunks and orders are this project's.

use super::{Count, Object, Op, Workshop, destroy, random};
use crate::mutants;
use crate::protocol::{Fault, Property, Protocol, Scenario, Shape, Switch};
use crate::runtime::{Atomic as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;

/// The scheme. Four chunks of the table exist; a chunk is published when first needed.
pub struct Table<R: Runtime, F> {
    objects: Box<[Object<R, Header<R>>]>,
    chunks: Box<[[R::AtomicU32; CHUNK]]>,
    /// Unused indexes, last released first.
    free: R::Mutex<Vec<usize>>,
    /// Which copy of the counts is current; only the mutant that moves them changes it.
    moved: R::AtomicUsize,
    faults: F,
}

const CHUNK: usize = 2;

/// An object knows its place in the table.
pub struct Header<R: Runtime> {
    index: R::AtomicUsize,
}

type Obj<R> = Object<R, Header<R>>;

impl<R: Runtime, F: Fault<Mutant>> Table<R, F> {
    /// A heap of `objects` blocks and a table with room for each, twice.
    pub fn with_faults(objects: usize, faults: F) -> Self {
        let header = |n| Header { index: R::AtomicUsize::new(0, Label::nth("index", n)) };
        let size = objects.next_multiple_of(CHUNK);
        let count = |n| R::AtomicU32::new(0, Label::nth("count", n));
        let chunk = |c| std::array::from_fn(|n| count(c * CHUNK + n));
        Self {
            objects: (0..objects).map(|n| Object::blank(n, header(n))).collect(),
            // Twice the room, for the mutant that moves the counts.
            chunks: (0..2 * size / CHUNK).map(chunk).collect(),
            free: R::Mutex::new((0..size).rev().collect(), "free"),
            moved: R::AtomicUsize::new(0, "moved"),
            faults,
        }
    }

    fn count(&self, index: usize) -> &R::AtomicU32 {
        &self.chunks[index / CHUNK][index % CHUNK]
    }

    /// The object's count. Relaxed: the index was written before the object was published
    /// and does not change while a reference exists.
    fn of(&self, object: &Obj<R>) -> &R::AtomicU32 {
        let index = object.header.index.load(Relaxed);
        if self.faults.is(Mutant::GrowCopy) {
            // Acquire, and release in `grow`: the copied counts before their new place. It does
            // not help this mutant.
            return self.count(index + self.moved.load(Acquire));
        }
        self.count(index)
    }

    /// Adds room. The faithful table publishes a further chunk, which moves nothing.
    pub fn grow(&self) {
        if self.faults.is(Mutant::GrowCopy) {
            let half = self.chunks.len() * CHUNK / 2;
            for index in 0..half {
                let count = self.count(index).load(Relaxed);
                self.count(half + index).store(count, Relaxed);
            }
            self.moved.store(half, Release);
        } else {
            // Relaxed: the chunk is used first by whoever puts an object there, and known to
            // others by way of that object.
            self.moved.store(1, Relaxed);
        }
    }

    fn change(&self, object: &Obj<R>, by: u32) -> u32 {
        if self.faults.is(Mutant::PackedPlain) {
            // Two counts share a word, which is read and written as a whole.
            let index = object.header.index.load(Relaxed);
            let neighbour = self.count(index ^ 1).load(Relaxed);
            let old = self.count(index).fetch_add(by, AcqRel);
            self.count(index ^ 1).store(neighbour, Relaxed);
            return old;
        }
        // Release: our uses before the last drop. Acquire: all uses before the free. Less than
        // both and the last drop races with a use, as in `arc-relaxed-decr` and
        // `arc-no-acquire`. An increment needs neither; one step serves both, for brevity.
        self.of(object).fetch_add(by, AcqRel)
    }

    fn release_index(&self, index: usize) {
        self.free.lock().push(index);
    }
}

/// Operations of this scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// The table grows.
    Grow,
}

impl<R: Runtime, F: Fault<Mutant>> Count<R> for Table<R, F> {
    type Mutant = Mutant;
    type Faults = F;
    type Header = Header<R>;
    type Thread = ();
    type Extra = Extra;

    fn new(shape: Shape, faults: F) -> Self {
        Self::with_faults(shape.objects, faults)
    }
    fn objects(&self) -> &[Obj<R>] {
        &self.objects
    }
    fn attach(&self, _: usize) {}
    fn detach(&self, (): ()) {}
    fn init(&self, (): &mut (), object: &Obj<R>) {
        let index = self.free.lock().pop().expect("as many places as objects");
        // Relaxed, both: whoever publishes the object orders them before its readers. An earlier
        // user of the place is ordered by the lock of the free list.
        self.count(index).store(1, Relaxed);
        object.header.index.store(index, Relaxed);
    }
    fn incref(&self, (): &mut (), object: &Obj<R>) {
        self.change(object, 1);
    }
    fn decref(&self, thread: &mut (), object: &Obj<R>) {
        // Read before the last step: afterwards the object may be gone. Relaxed: as in `of`.
        let index = object.header.index.load(Relaxed);
        if self.faults.is(Mutant::ReleaseEarly) {
            // Released as soon as the count looks like one, before the last decrement.
            if self.of(object).load(Relaxed) == 1 {
                self.release_index(index);
            }
            if self.change(object, u32::MAX) == 1 {
                destroy(self, thread, object);
            }
            return;
        }
        if self.change(object, u32::MAX) == 1 {
            destroy(self, thread, object);
            self.release_index(index);
        }
    }
    fn try_incref(&self, (): &mut (), _: &Obj<R>) -> bool {
        // The index of a dead object may be another's: an address alone says nothing.
        false
    }
    fn extra(&self, (): &mut (), Extra::Grow: Extra) -> Option<i64> {
        self.grow();
        None
    }
    fn settled(&self, object: &Obj<R>) -> Option<i64> {
        // Relaxed: all threads have ended and were joined.
        Some(i64::from(self.of(object).load(Relaxed)))
    }
}

mutants! {
    /// Faults of the side table.
    pub enum Mutant {
        /// Growing copies the counts to a new table while others count.
        GrowCopy = "side-grow-copy" breaks ["T1", "T2"] in "grow" by Everywhere;
        /// Two counts share a word that is rewritten as a whole.
        PackedPlain = "side-packed-plain" breaks ["T1", "T2"] in "neighbours" by Everywhere;
        /// An index is released before the last decrement in its place.
        ReleaseEarly = "buf-index-reuse" breaks ["T1", "T2"] in "reuse" by Everywhere;
    }
}

/// The protocol.
pub struct SideTable;

impl Protocol for SideTable {
    const NAME: &'static str = "side-table";
    const TITLE: &'static str = "Counts in separate storage";
    const QUESTION: &'static str = "What does a table of counts owe the objects it counts?";
    const SOURCE: &'static str = "Hastings, Python Language Summit 2017 (idea only)";
    const PROPERTIES: &'static [Property] = PROPERTIES;
    type Mutant = Mutant;
    type Op = Op<Extra>;
    type World<R: Runtime> = Workshop<R, Table<R, Switch<Mutant>>>;

    fn scenarios() -> Vec<Scenario<Op<Extra>>> {
        use Op::*;
        vec![
            Scenario::new("grow", "the table grows while a thread counts")
                .setup([New(0)])
                .thread([Incref(0), Decref(0)])
                .thread([Extra(self::Extra::Grow)]),
            Scenario::new("neighbours", "two threads count two objects side by side")
                .objects(2)
                .setup([New(0), New(1), Give(1, 1)])
                .thread([Incref(0), Decref(0)])
                .thread([Incref(1), Decref(1)]),
            Scenario::new("reuse", "one object dies while another is made")
                .objects(2)
                .setup([New(0), Give(0, 1)])
                .thread([New(1), Incref(1)])
                .thread([Decref(0)]),
            Scenario::new("last-use", "each thread uses the object and drops its reference")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([Use(0), Decref(0)])
                .thread([Use(0), Decref(0)]),
        ]
    }

    fn random(
        n: usize,
        ops: usize,
        below: &mut dyn FnMut(usize) -> usize,
    ) -> Option<Scenario<Op<Extra>>> {
        Some(random(n, ops, below))
    }
}

const PROPERTIES: &[Property] = &[
    Property {
        id: "T1",
        states: "at quiescence the count in the table equals the references",
        broken_by: &[Kind::WrongCount, Kind::Leak],
    },
    Property {
        id: "T2",
        states: "no object is freed while a reference exists, none twice",
        broken_by: &[Kind::PrematureFree, Kind::UseAfterFree, Kind::DoubleFree],
    },
    Property {
        id: "T3",
        states: "every use by any thread happens before the free",
        broken_by: &[Kind::DataRace],
    },
];
