//! Blocks of objects that threads keep for themselves, and a collector that sweeps all.
//!
//! # Question
//! Each thread allocates from a block of its own, without a lock. What does the collector have to know of these
//! blocks, and when may it sweep them?
//!
//! # Idea
//! Threads run under a lock of readers and writers, the collector alone. The block that a thread keeps stands in a table
//! which the collector reads: whether a number in a thread's registers is an object at all, it finds out by the
//! blocks that it knows. Sweeping takes the blocks out of all caches and puts them into the common list, from
//! which threads take them again, under a lock of its own.
//!
//! # Timeline
//! ```text
//!                                       T0's block    list    objects
//! T0: allocates a, b, which has a       0: a, b       1       T0 → b → a
//! T0: allocates c: its block is full    1: c          0       T0 → c → b → a
//! T1: alone: c is an object of block 1
//! T1: a is none that T0 can reach       -             0, 1    T0 → c → b
//! T0: allocates d: takes block 0        0: d, b       1       T0 → d → c
//! ```
//!
//! # Obligations
//! * C1: a block is in one cache, or in the list.
//! * C2: while a thread runs, nobody else looks at its registers and at the block that it keeps.
//! * C3: the collector frees nothing that a thread can reach.
//! * C5: it frees all else.
//!
//! # Limits
//! Blocks of two objects; a thread reaches the object that it allocated last, and that one the one before.
//! Preferring a block that the thread used last is in `classes.rs`; how the collector gets alone, and finds
//! registers, in `world/grwl.rs`.
//!
//! # Orders
//! None: all is under locks.
//!
//! # Source
//! Pyston's notes on its experiments without a GIL, 2015; `src/gc/heap.cpp` of that branch.

use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require};
use crate::protocol::{Fault as _, Property, Protocol, SKIPPED, Scenario, Shape, Switch, World};
use crate::runtime::{DataCell as _, Label, Lock as _, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

/// Objects of a block.
const SIZE: usize = 2;
/// Blocks for each thread.
const EACH: usize = 3;

/// An object's place in a block.
struct Object<R: Runtime> {
    live: R::Cell<u8>,
    /// What it refers to, from one.
    refers: R::Cell<usize>,
    ghost: R::Ghost,
}

/// All blocks.
pub struct Caches<R: Runtime> {
    /// The lock of readers and writers: each thread reads under a lock of its own, and who writes has all of them.
    readers: Box<[R::Mutex<()>]>,
    objects: Box<[Object<R>]>,
    /// Blocks that nobody keeps.
    list: R::Mutex<Vec<usize>>,
    /// The block that each thread keeps, from one.
    caches: Box<[R::Cell<usize>]>,
    /// The object in each thread's registers, from one.
    registers: Box<[R::Cell<usize>]>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> Caches<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn as_reader<T>(&self, n: usize, what: impl FnOnce() -> T) -> T {
        let _reads = self.readers[n].lock();
        what()
    }

    fn alone<T>(&self, what: impl FnOnce() -> T) -> T {
        let _alone: Vec<_> = self.readers.iter().map(|reader| reader.lock()).collect();
        what()
    }

    /// A free place in a block.
    fn room(&self, block: usize) -> Option<usize> {
        (block * SIZE..(block + 1) * SIZE).find(|n| self.objects[*n].live.read() == 0)
    }

    /// A free place for a thread: in the block that it keeps, or in one of the list, which it keeps from then on.
    fn place(&self, n: usize) -> Option<usize> {
        let kept = self.caches[n].read().checked_sub(1);
        if let Some(place) = kept.and_then(|block| self.room(block)) {
            return Some(place);
        }
        let mut list = self.list.lock();
        let at = list.iter().position(|block| self.room(*block).is_some())?;
        let block = list.remove(at);
        list.extend(kept);
        self.caches[n].write(block + 1);
        self.room(block)
    }

    /// A new object, which refers to the thread's last one, and which that one's is forgotten by.
    fn allocate(&self, n: usize) -> Option<i64> {
        let place = self.place(n)?;
        let object = &self.objects[place];
        object.ghost.reuse(0);
        object.live.write(1);
        let last = self.registers[n].read();
        object.refers.write(last);
        if last != 0 {
            self.objects[last - 1].refers.write(0);
        }
        self.registers[n].write(place + 1);
        Some(place as i64)
    }

    /// The objects that a thread can reach.
    fn reach(&self, n: usize, is_object: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut reached = Vec::new();
        let mut at = self.registers[n].read();
        while at != 0 && is_object(at - 1) {
            reached.push(at - 1);
            at = self.objects[at - 1].refers.read();
        }
        reached
    }

    /// Frees what nobody can reach, and empties the caches; answers how many objects.
    fn collect(&self) -> i64 {
        // 1. The blocks: those of the list, and those that threads keep.
        let mut blocks = self.list.lock().clone();
        let kept: Vec<_> = self.caches.iter().filter_map(|c| c.read().checked_sub(1)).collect();
        if !self.is(Mutant::InvisibleToCollector) {
            blocks.extend(&kept);
        }
        // 2. What can be reached, as far as it lies in these.
        let is_object = |n: usize| blocks.contains(&(n / SIZE));
        let threads = 0..self.registers.len();
        let reached: Vec<_> = threads.flat_map(|n| self.reach(n, is_object)).collect();
        // 3. All else.
        let garbage =
            |n: &usize| is_object(*n) && self.objects[*n].live.read() == 1 && !reached.contains(n);
        let all = 0..self.objects.len();
        let garbage: Vec<_> =
            all.filter(|n| garbage(n) && !self.is(Mutant::SweepNothing)).collect();
        for n in &garbage {
            self.objects[*n].live.write(0);
            self.objects[*n].ghost.free();
        }
        // 4. Caches begin anew.
        self.caches.iter().for_each(|cache| cache.write(0));
        if !self.is(Mutant::SweepDrops) {
            self.list.lock().extend(kept);
        }
        garbage.len() as i64
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Allocates an object, and answers which.
    Allocate,
    /// Uses what it can reach.
    Use,
    /// Forgets all its objects.
    Forget,
    /// Frees all that nobody can reach, and answers how many objects.
    Collect,
}

impl<R: Runtime> World for Caches<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = usize;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let blocks = shape.threads * EACH;
        let object = |n| Object {
            live: R::Cell::new(0, Label::nth("live", n)),
            refers: R::Cell::new(0, Label::nth("refers", n)),
            ghost: R::Ghost::blank(Label::nth("object", n)),
        };
        let cells =
            |field| (0..shape.threads).map(|n| R::Cell::new(0, Label::nth(field, n))).collect();
        Self {
            readers: (0..shape.threads)
                .map(|n| R::Mutex::new((), Label::nth("reader", n)))
                .collect(),
            objects: (0..blocks * SIZE).map(object).collect(),
            list: R::Mutex::new((0..blocks).collect(), "list"),
            caches: cells("cache"),
            registers: cells("registers"),
            faults,
        }
    }

    fn enter(&self, n: usize) -> usize {
        n
    }

    fn step(&self, n: &mut usize, op: Op) -> Option<i64> {
        match op {
            Op::Allocate => self.as_reader(*n, || self.allocate(*n)).or(SKIPPED),
            Op::Use => {
                let touch = |o: &usize| self.objects[*o].ghost.touch();
                self.as_reader(*n, || self.reach(*n, |_| true).iter().for_each(touch));
                None
            }
            Op::Forget => {
                self.as_reader(*n, || self.registers[*n].write(0));
                None
            }
            Op::Collect if self.is(Mutant::SweepRacesAllocation) => {
                Some(self.as_reader(*n, || self.collect()))
            }
            Op::Collect => Some(self.alone(|| self.collect())),
        }
    }

    /// A thread that ends gives its block back.
    fn exit(&self, n: usize) {
        self.as_reader(n, || {
            let kept = self.caches[n].read().checked_sub(1);
            self.caches[n].write(0);
            self.list.lock().extend(kept);
        });
    }

    fn finish(&self) {
        self.collect();
        let list = self.list.lock();
        for block in 0..self.objects.len() / SIZE {
            let times = list.iter().filter(|other| **other == block).count();
            require(times == 1, Kind::Leak, || {
                format!("block[{block}]: {times} times in the list")
            });
        }
        let threads = 0..self.registers.len();
        let reached: Vec<_> = threads.flat_map(|n| self.reach(n, |_| true)).collect();
        for (n, object) in self.objects.iter().enumerate() {
            let garbage = object.live.read() == 1 && !reached.contains(&n);
            require(!garbage, Kind::Leak, || format!("object[{n}]: nobody can reach it"));
        }
    }
}

mutants! {
    /// Faults of the collector.
    pub enum Mutant {
        /// The collector does not know the blocks that threads keep.
        InvisibleToCollector = "cache-invisible-to-gc" breaks ["C3"] in "kept" by Everywhere;
        /// The collector sweeps beside threads that allocate.
        SweepRacesAllocation = "cache-sweep-races-alloc" breaks ["C2"] in "allocates" by Everywhere;
        /// Nothing is freed.
        SweepNothing = "cache-sweep-nothing" breaks ["C5"] in "garbage" by Everywhere;
        /// Blocks that are taken out of caches come into no list.
        SweepDrops = "cache-sweep-drops" breaks ["C1"] in "kept" by Everywhere;
    }
}

/// The protocol.
pub struct BlockCaches;

impl Protocol for BlockCaches {
    const NAME: &'static str = "block-caches";
    const TITLE: &'static str = "Blocks that threads keep, and a collector";
    const QUESTION: &'static str =
        "What does the collector have to know of blocks that threads keep?";
    const SOURCE: &'static str = "Pyston's notes on its experiments without a GIL";
    const PROPERTIES: &'static [Property] = properties! {
        "C1" "a block is in one cache, or in the list" by [Leak at "block"];
        "C2" "while a thread runs, nobody else looks at its registers and its block"
            by [DataRace at "live" "refers" "registers" "cache"];
        "C3" "the collector frees nothing that a thread can reach" by [UseAfterFree at "object"];
        "C5" "the collector frees all else" by [Leak at "object"];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Caches<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of(
                "allocates",
                "a collection beside an allocation",
                [&[Allocate], &[Collect]],
            ),
            Scenario::of(
                "kept",
                "what is reached by way of a block that a thread keeps",
                [&[Use], &[Collect]],
            )
            .setup([Allocate, Allocate, Allocate]),
            Scenario::of(
                "garbage",
                "a thread forgets its objects",
                [&[Forget, Allocate], &[Collect]],
            )
            .setup([Allocate]),
            Scenario::of("three", "two allocate", [&[Allocate], &[Allocate], &[Collect]]),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |_: Place| vec![Op::Allocate, Op::Use, Op::Forget, Op::Collect];
        let mut start = Start::new("kept", "objects in blocks that are kept", letters);
        start.setup = vec![Op::Allocate, Op::Allocate, Op::Allocate];
        start.alike = 1;
        vec![start]
    }
}
