//! Strong getters: references read out of a container.
//!
//! # Question
//! With a global lock a getter could return a *borrowed* reference: the container kept the
//! item alive until the next bytecode. Without one, what must a getter and a setter do?
//!
//! # Obligations
//! The getter increments while it holds the container's lock, since only the container's
//! own reference keeps the item alive. The setter stores the new item before it drops the
//! old one, so that nobody finds an item without a reference, and drops it after the
//! unlock, since the destructor may come back to the container.
//!
//! # Source
//! Stein's repair of the list and dict getters, as described by Beazley; the counts are
//! those of [`atomic`].

use super::atomic::{self, AtomicCount};
use crate::enumerate::{Place, Start};
use crate::ghost::Ghost as _;
use crate::protocol::SKIPPED;
use crate::protocol::{Faithful, Fault, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{DataCell as _, Lock as _, Runtime};
use crate::{mutants, properties};

/// A container of one item.
pub struct Slot<R: Runtime> {
    heap: AtomicCount<R, Faithful>,
    item: R::Mutex<usize>,
    faults: Switch<Mutant>,
}

/// What a thread got out of the container.
pub struct Reader {
    item: Option<usize>,
    counted: bool,
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Gets the item.
    Get,
    /// Reads the item got.
    Use,
    /// Drops the item got.
    Drop,
    /// Stores a new object in the container. Its destructor, like every destructor here,
    /// looks into the container.
    Replace(usize),
}

type Obj<R> = super::Object<R, atomic::Header<R>>;

impl<R: Runtime> Slot<R> {
    fn object(&self, n: usize) -> &Obj<R> {
        &self.heap.heap()[n]
    }

    fn release(&self, n: usize) {
        let object = self.object(n);
        object.ghost.lose();
        if self.heap.sub(&object.header) {
            // The destructor may run anything; here it looks into the container.
            drop(self.item.lock());
            object.payload.write(0);
            object.ghost.free();
        }
    }

    fn create(&self, n: usize) {
        self.object(n).ghost.reuse(1);
        self.heap.first(&self.object(n).header);
        self.object(n).payload.write(1);
    }

    fn get(&self) -> Reader {
        let item = self.item.lock();
        let n = *item;
        let object = self.object(n);
        if self.faults.is(Mutant::BorrowedGet) {
            return Reader { item: Some(n), counted: false };
        }
        if self.faults.is(Mutant::IncrAfterUnlock) {
            drop(item);
        }
        self.heap.add(&object.header);
        object.ghost.gain();
        Reader { item: Some(n), counted: true }
    }

    fn replace(&self, new: usize) {
        self.create(new);
        if self.faults.is(Mutant::ReplaceDecrFirst) {
            let old = *self.item.lock();
            self.release(old);
            *self.item.lock() = new;
            return;
        }
        let mut item = self.item.lock();
        let old = std::mem::replace(&mut *item, new);
        if self.faults.is(Mutant::ReplaceForgets) {
            drop(item);
            return self.object(old).ghost.lose();
        }
        if !self.faults.is(Mutant::DecrInsideLock) {
            drop(item);
        }
        self.release(old);
    }
}

impl<R: Runtime> World for Slot<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Reader;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let heap = AtomicCount::with_faults(shape.objects, Faithful);
        let slot = Self { heap, item: R::Mutex::new(0, "item"), faults };
        slot.create(0);
        slot
    }
    fn enter(&self, _: usize) -> Reader {
        Reader { item: None, counted: false }
    }
    fn step(&self, reader: &mut Reader, op: Op) -> Option<i64> {
        match (op, reader.item) {
            (Op::Get, None) => *reader = self.get(),
            (Op::Use, Some(n)) => {
                self.object(n).ghost.touch();
                self.object(n).payload.read();
            }
            (Op::Drop, Some(n)) => {
                reader.item = None;
                if reader.counted {
                    self.release(n);
                }
            }
            (Op::Replace(n), _) => self.replace(n),
            _ => return SKIPPED,
        }
        reader.item.map(|n| n as i64)
    }
    fn finish(&self) {
        for object in self.heap.heap().iter().filter(|o| !o.ghost.is_dead()) {
            object.ghost.settle();
        }
    }
}

mutants! {
    /// Faults of getters and setters.
    pub enum Mutant {
        /// The getter returns a borrowed reference.
        BorrowedGet = "arc-borrowed-get" breaks ["G1"] in "get-beside-set" by Everywhere;
        /// The getter increments after leaving the container's lock.
        IncrAfterUnlock = "arc-incr-after-unlock" breaks ["G1"] in "get-beside-set" by Everywhere;
        /// The setter drops the old item before it stores the new one.
        ReplaceDecrFirst = "arc-replace-decr-first" breaks ["G1"] in "get-beside-set" by Everywhere;
        /// The setter forgets the old item.
        ReplaceForgets = "arc-replace-forgets" breaks ["G3"] in "get-beside-set" by Everywhere;
        /// The old item's destructor runs while the container is locked.
        DecrInsideLock = "arc-decr-inside-container-lock" breaks ["G2"] in "reentrant" by Everywhere;
    }
}

/// The protocol.
pub struct StrongGetter;

impl Protocol for StrongGetter {
    const NAME: &'static str = "strong-getter";
    const TITLE: &'static str = "Strong getters and setters of a container";
    const QUESTION: &'static str = "How is a reference read out of a container that others change?";
    const SOURCE: &'static str = "Stein's 1996 patch, list and dict getters";
    const PROPERTIES: &'static [Property] = PROPERTIES;
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Slot<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::new("get-beside-set", "a reader beside a writer")
                .objects(2)
                .thread([Get, Use, Drop])
                .thread([Replace(1)]),
            Scenario::new("reentrant", "the replaced item's destructor looks into the container")
                .objects(2)
                .thread([Replace(1)]),
            Scenario::new("two-writers", "two writers and a reader")
                .objects(3)
                .thread([Get, Use, Drop])
                .thread([Replace(1)])
                .thread([Replace(2)]),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |place: Place| vec![Op::Get, Op::Use, Op::Drop, Op::Replace(1 + place.fresh)];
        let mut start = Start::new("item", "readers and writers of one container", letters);
        start.grows = true;
        start.fits = |scenario| {
            // A thread uses and drops what it has got, and gets nothing beside it.
            scenario.threads.iter().all(|script| {
                let mut has = false;
                script.iter().all(|op| match op {
                    Op::Get => !std::mem::replace(&mut has, true),
                    Op::Use => has,
                    Op::Drop => std::mem::take(&mut has),
                    Op::Replace(_) => true,
                })
            })
        };
        vec![start]
    }
}

const PROPERTIES: &[Property] = properties! {
    "G1" "a getter returns a live object, and the caller's reference keeps it alive"
        by [UseAfterFree, PrematureFree, DataRace at "payload" "child", DoubleFree];
    "G2" "destructors run outside the container's lock: no deadlock" by [Deadlock];
    "G3" "every replaced item is freed once" by [Leak, DoubleFree];
};
