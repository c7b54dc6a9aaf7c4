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
//! others count in it while it grows: counts stand in *chunks* that stay where they are, and
//! what grows is the *directory* of chunks. A larger directory is filled before it is published in
//! place of the old one, which stays readable.
//!
//! # Orders
//! A count has the orders of [`atomic`](super::atomic): its place in memory changes nothing. A thread
//! that has an object's index also sees a directory with its chunk, because whoever gave it the
//! object does. It may find a newer directory, from which nothing leads to it, so that the load of
//! the directory acquires and its publication releases.
//!
//! # Source
//! Hastings' remark in the report of the 2017 Python Language Summit. It names the idea
//! only; index allocation, chunks and orders are this project's.

use super::{Count, Object, Op, Workshop, destroy, random, workshop};
use crate::enumerate::{Place, Start};
use crate::ghost::require;
use crate::protocol::{Draw, Fault, Property, Protocol, Scenario, Shape, Switch};
use crate::runtime::{Atomic as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

/// The scheme.
pub struct Table<R: Runtime, F> {
    objects: Box<[Object<R, Header<R>>]>,
    /// All chunks that there may be.
    chunks: Box<[[R::AtomicU32; CHUNK]]>,
    /// All directories that there may be: one past the number of each chunk, 0 for none.
    directories: Box<[[R::AtomicUsize; CHUNKS]]>,
    /// The current directory.
    directory: R::AtomicUsize,
    /// Unused indexes, last released first.
    free: R::Mutex<Free>,
    faults: F,
}

struct Free {
    indexes: Vec<usize>,
    /// Chunks in use.
    chunks: usize,
}

/// Counts of a chunk.
const CHUNK: usize = 2;
/// Chunks of a directory.
const CHUNKS: usize = 6;

/// An object knows its place in the table.
pub struct Header<R: Runtime> {
    index: R::AtomicUsize,
}

type Obj<R> = Object<R, Header<R>>;

impl<R: Runtime, F: Fault<Mutant>> Table<R, F> {
    /// A heap of `objects` blocks and a table of one chunk.
    pub fn with_faults(objects: usize, faults: F) -> Self {
        let header =
            |n| Header { index: R::AtomicUsize::new(0, Label::part("object", "index", n)) };
        let count = |n| R::AtomicU32::new(0, Label::nth("count", n));
        let entry = |n| R::AtomicUsize::new(usize::from(n == 0), Label::nth("chunk", n));
        let chunk = |c| std::array::from_fn(|n| count(c * CHUNK + n));
        let directory = |d| std::array::from_fn(|n| entry(d * CHUNKS + n));
        Self {
            objects: (0..objects).map(|n| Object::blank(n, header(n))).collect(),
            chunks: (0..CHUNKS).map(chunk).collect(),
            directories: (0..CHUNKS).map(directory).collect(),
            directory: R::AtomicUsize::new(0, "directory"),
            free: R::Mutex::new(Free { indexes: (0..CHUNK).rev().collect(), chunks: 1 }, "free"),
            faults,
        }
    }

    fn count(&self, index: usize) -> &R::AtomicU32 {
        // Acquire: pairs with the publication, the entries before their directory.
        let relaxed = self.faults.is(Mutant::DirectoryRelaxed);
        let directory = self.directory.load(if relaxed { Relaxed } else { Acquire });
        // Relaxed: an entry never changes.
        let chunk = self.directories[directory][index / CHUNK].load(Relaxed);
        require(chunk > 0, Kind::TornRead, || {
            format!("chunk[{}]: an entry that nobody wrote", index / CHUNK)
        });
        &self.chunks[chunk - 1][index % CHUNK]
    }

    /// The object's count. Relaxed: the index was written before the object was published
    /// and does not change while a reference exists.
    fn of(&self, object: &Obj<R>) -> &R::AtomicU32 {
        self.count(object.header.index.load(Relaxed))
    }

    /// Adds room: a chunk, in a directory of its own.
    pub fn grow(&self) {
        self.grow_locked(&mut self.free.lock());
    }

    fn grow_locked(&self, free: &mut Free) {
        if free.chunks == CHUNKS {
            return;
        }
        // Relaxed, all: only holders of the lock change directories.
        let old = self.directory.load(Relaxed);
        let new = &self.directories[old + 1];
        for (n, entry) in new.iter().enumerate().take(free.chunks) {
            entry.store(self.directories[old][n].load(Relaxed), Relaxed);
        }
        if self.faults.is(Mutant::GrowCopy) {
            self.move_counts(new, free);
        } else {
            new[free.chunks].store(free.chunks + 1, Relaxed);
            free.indexes.extend((0..CHUNK).map(|n| free.chunks * CHUNK + n));
        }
        free.chunks += 1;
        // Release: the entries before their directory.
        self.directory.store(old + 1, Release);
    }

    /// The mutant that moves the counts of the first chunk to a new one.
    #[cold]
    fn move_counts(&self, new: &[R::AtomicUsize; CHUNKS], free: &Free) {
        for (from, to) in self.chunks[0].iter().zip(&self.chunks[free.chunks]) {
            to.store(from.load(Relaxed), Relaxed);
        }
        new[0].store(free.chunks + 1, Relaxed);
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
        let order = if self.faults.is(Mutant::RelaxedChange) { Relaxed } else { AcqRel };
        self.of(object).fetch_add(by, order)
    }

    fn release_index(&self, index: usize) {
        self.free.lock().indexes.push(index);
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
        let mut free = self.free.lock();
        if free.indexes.is_empty() {
            self.grow_locked(&mut free);
        }
        let index = free.indexes.pop().expect("the table has grown");
        drop(free);
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
        if self.change(object, u32::MAX) == 1 && !self.faults.is(Mutant::ZeroNothing) {
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
        /// The last drop does nothing more.
        ZeroNothing = "side-zero-nothing" breaks ["T1"] in "last-use" by Everywhere;
        /// Growing copies the counts to a new table while others count.
        GrowCopy = "side-grow-copy" breaks ["T1", "T2"] in "grow" by Everywhere;
        /// The directory is loaded relaxed: its entries may not be there yet.
        DirectoryRelaxed = "side-directory-relaxed" breaks ["T4"] in "grow" by WeakMemory;
        /// Counts are changed relaxed: the last drop races with the uses of others.
        RelaxedChange = "side-change-relaxed" breaks ["T3"] in "last-use" by WeakMemory;
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
    const RANDOM: Option<Draw<Op<Extra>>> = Some(random);
    type Mutant = Mutant;
    type Op = Op<Extra>;
    type World<R: Runtime> = Workshop<R, Table<R, Switch<Mutant>>>;

    fn scenarios() -> Vec<Scenario<Op<Extra>>> {
        use Op::*;
        vec![
            Scenario::new("grow", "the table grows while a thread counts")
                .setup([New(0), Give(0, 1)])
                .thread([Extra(self::Extra::Grow)])
                .thread([Incref(0), Decref(0)]),
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

    fn starts(threads: usize) -> Vec<Start<Op<Extra>>> {
        fn letters(_: Place) -> Vec<Op<Extra>> {
            let mut letters = workshop::letters();
            letters.push(Op::Extra(self::Extra::Grow));
            letters
        }
        vec![Start {
            setup: workshop::each(threads),
            fits: workshop::fits,
            ..Start::new("each", "every thread has a reference", letters)
        }]
    }
}

const PROPERTIES: &[Property] = properties! {
    "T1" "at quiescence the count in the table equals the references" by [WrongCount, Leak];
    "T2" "no object is freed while a reference exists, none twice"
        by [PrematureFree, UseAfterFree, DoubleFree];
    "T3" "every use by any thread happens before the free" by [DataRace at "payload" "child"];
    "T4" "whoever has an index finds its chunk" by [TornRead];
};
