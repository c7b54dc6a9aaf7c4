//! Borrowed references: what a read of a container may give out, and for how long.
//!
//! # Question
//! `PyList_GetItem` gives the address of an item and no reference of the caller's own. With a global lock the
//! container kept the item alive until the caller let others run. What is a read to do without one?
//!
//! # Idea
//! The read takes a reference of its own, unless the count is zero, and then looks at the place once more: if the item
//! is still there, it was there when it was counted, and is alive. Otherwise the reference goes back, and the read is
//! done under the container's lock. Size and item are of one moment: an empty place counts as too short.
//!
//! # Timeline
//! ```text
//!                                    place   count of a
//! T0: reads the place: a             a       1
//! T1: replaces a: b                  b       1
//! T1: drops a: freed                 b       0
//! T0: a reference, unless zero: no   b       0
//! T0: lock { b; a reference }        b       0
//! T0: uses b                         b       0
//! ```
//!
//! # Obligations
//! * R1: what a read gives out is alive, for as long as it is used. R2: it was in the container during the read.
//! * R3: every reference is given back.
//!
//! # Limits
//! A list of one place, emptied and filled; of several places `marked.rs` has more to say. The callback is the
//! reader's own: it empties the list, as an `__eq__` may.
//!
//! # Orders
//! None beyond those of the counts, but the increment's: its acquire makes the second look current.
//!
//! # Source
//! CPython 3.13 `PyList_GetItem`, `PyList_GetItemRef`.

use super::heap::{ALIVE, Attempt, COUNTED, Heap};
use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require};
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

const NONE: usize = 0;

/// A list of one place.
pub struct List<R: Runtime> {
    heap: Heap<R>,
    place: R::AtomicUsize,
    size: R::AtomicUsize,
    lock: R::Mutex<()>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> List<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// The item's value, read by a reference of one's own; `meanwhile` is code of others that runs before.
    fn get(&self, meanwhile: impl Fn()) -> Option<i64> {
        // Relaxed, here and below: guesses, which the second look confirms.
        if self.size.load(Relaxed) == 0 {
            return None;
        }
        let n = self.place.load(Relaxed);
        if n == NONE {
            require(!self.is(Mutant::SizeThenItem), Kind::TornRead, || {
                "item: none, in a list that has one".into()
            });
            return None;
        }
        if self.is(Mutant::AcrossCallback) {
            meanwhile();
            self.heap.block(n).ghost.touch();
            return Some(self.heap.value(n));
        }
        if self.is(Mutant::BorrowThenIncref) {
            return Some(self.hold(n, meanwhile));
        }
        let how = Attempt {
            // Acquire: what the last reference before it was given up after, a change of the place among it.
            order: Acquire,
            plain: self.is(Mutant::Unconditional),
            undo_lost: self.is(Mutant::UndoLost),
        };
        let still = || {
            let same = self.place.load(Relaxed) == n || self.is(Mutant::NoRecheck);
            if same {
                meanwhile();
            }
            same
        };
        self.heap.attempt(n, how, still).or_else(|| {
            let lock = self.lock.lock();
            let n = self.place.load(Relaxed);
            (n != NONE).then(|| {
                // The container's reference keeps it alive, as long as nobody changes the container.
                self.heap.block(n).ghost.gain();
                self.heap.counts.add(&self.heap.block(n).header);
                drop(lock);
                self.use_and_release(n, &meanwhile)
            })
        })
    }

    /// A reference to what may be gone by now.
    fn hold(&self, n: usize, meanwhile: impl Fn()) -> i64 {
        self.heap.counts.add(&self.heap.block(n).header);
        self.heap.block(n).ghost.gain();
        self.use_and_release(n, meanwhile)
    }

    fn use_and_release(&self, n: usize, meanwhile: impl Fn()) -> i64 {
        meanwhile();
        let value = self.heap.value(n);
        self.heap.release(n);
        value
    }

    /// Another item, or none.
    fn set(&self, value: Option<i64>) {
        let new = value.map_or(NONE, |value| self.heap.make(value));
        let lock = self.lock.lock();
        let old = self.place.load(Relaxed);
        // Relaxed: a reader goes by the count of what it finds.
        self.place.store(new, Relaxed);
        self.size.store(usize::from(new != NONE), Relaxed);
        drop(lock);
        if old != NONE && !self.is(Mutant::ReplaceForgets) {
            self.heap.release(old);
        } else if old != NONE {
            self.heap.block(old).ghost.lose();
        }
    }
}

/// What a thread does. Values of [`Op::Private`] are above all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Reads the item, or that there is none: -1.
    Get,
    /// The same, and code of others runs before it is used, which empties the list.
    GetAcross,
    /// Puts another item there.
    Set(i64),
    /// Empties the list.
    Clear,
    /// Makes an object that is never in the list, and drops it.
    Private(i64),
}

const PRIVATE: i64 = 100;

impl<R: Runtime> World for List<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = ();

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        Self {
            heap: Heap::new(shape),
            place: R::AtomicUsize::new(NONE, "place"),
            size: R::AtomicUsize::new(0, "size"),
            lock: R::Mutex::new((), "lock"),
            faults,
        }
    }

    fn enter(&self, _: usize) {}

    fn step(&self, (): &mut (), op: Op) -> Option<i64> {
        let read = match op {
            Op::Get => self.get(|| ()),
            Op::GetAcross => self.get(|| self.set(None)),
            Op::Set(value) => {
                self.set(Some(value));
                return None;
            }
            Op::Clear => {
                self.set(None);
                return None;
            }
            Op::Private(value) => {
                self.heap.release(self.heap.make(value));
                return None;
            }
        };
        if let Some(value) = read {
            require(value < PRIVATE, Kind::Invariant, || {
                format!("item: {value}, which never was in the list")
            });
        }
        Some(read.unwrap_or(-1))
    }

    fn exit(&self, (): ()) {}

    fn finish(&self) {
        self.set(None);
        self.heap.settle();
    }
}

mutants! {
    /// Faults of readers, and of who changes the list.
    pub enum Mutant {
        /// A reference is taken of what was read without one.
        BorrowThenIncref = "borrow-then-incref" breaks ["R1"] in "set" by Everywhere;
        /// The place is not looked at once more.
        NoRecheck = "incref-no-recheck" breaks ["R2"] in "another" by Everywhere;
        /// The reference is taken although the count may be zero.
        Unconditional = "incref-unconditional" breaks ["R1"] in "set" by Everywhere;
        /// An item is used without a reference after code of others has run.
        AcrossCallback = "borrow-across-callback" breaks ["R1"] in "callback" by Everywhere;
        /// The size is believed for a place that was read after it.
        SizeThenItem = "size-then-item" breaks ["R2"] in "clear" by Everywhere;
        /// A reference in vain is not given back.
        UndoLost = "borrow-undo-lost" breaks ["R3"] in "set" by Everywhere;
        /// What was replaced keeps the list's reference.
        ReplaceForgets = "borrow-replace-forgets" breaks ["R3"] in "set" by Everywhere;
    }
}

/// The protocol.
pub struct BorrowedItems;

impl Protocol for BorrowedItems {
    const NAME: &'static str = "borrowed";
    const TITLE: &'static str = "References read out of a list of one place";
    const QUESTION: &'static str = "What may a read of a container give out, and for how long?";
    const SOURCE: &'static str = "CPython 3.13, PyList_GetItem and PyList_GetItemRef";
    const PROPERTIES: &'static [Property] = properties! {
        "R1" "what a read gives out is alive while it is used" by [..ALIVE];
        "R2" "it was in the container during the read" by [Invariant at "item", TornRead at "item"];
        "R3" "every reference is given back" by [..COUNTED];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = List<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("set", "the item is replaced", [&[Get], &[Set(2)]])
                .setup([Set(1)])
                .objects(2),
            Scenario::of("clear", "the list is emptied", [&[Get], &[Clear]]).setup([Set(1)]),
            Scenario::of(
                "another",
                "the item's memory becomes another object",
                [&[Get], &[Clear, Private(PRIVATE)]],
            )
            .setup([Set(1)])
            .objects(2),
            Scenario::of("callback", "the reader empties the list", [&[GetAcross]]).setup([Set(1)]),
            Scenario::of("readers", "two read and one replaces", [&[Get], &[Get], &[Set(2)]])
                .setup([Set(1)])
                .objects(2),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |place: Place| {
            let value = 2 + place.fresh as i64;
            vec![Op::Get, Op::GetAcross, Op::Set(value), Op::Clear, Op::Private(PRIVATE + value)]
        };
        let start = Start::new("one", "readers and writers of one place", letters);
        vec![Start { grows: true, setup: vec![Op::Set(1)], ..start }]
    }
}
