//! Reads of an attribute inside its instance, beside writers that move it into a dictionary.
//!
//! # Question
//! Attributes lie in slots of the instance (*inline values*) until something asks for a dictionary. How are
//! they read without a lock while they may be leaving?
//!
//! # Idea
//! A byte says whether the slots are *valid*. Whoever moves the attributes out does so under the instance's lock:
//! dictionary first, then *valid* is taken back, then slots may be cleared. A reader looks at the byte, takes the
//! slot's item with an increment that refuses zero, and looks at slot and byte once more. What it has found is
//! then what the attribute was; where a second look differs, or the item is dying, it takes the lock.
//!
//! An empty slot has to be looked at in the same way: it says that there is no such attribute only if
//! the slots are still valid afterwards.
//!
//! # Timeline
//! ```text
//!                                            valid   slot   dictionary
//! o.x is 1                                   1       1      none
//! T0: reads o.x: valid                       1       1      none
//! T1: o.__dict__ = {x: 2}: lock { dictionary 1       1      2
//! T1:   no longer valid                      0       1      2
//! T1:   clears the slot }                    0       none   2
//! T0: an empty slot; looks again: not valid
//! T0: lock { the dictionary's: 2 }
//! ```
//!
//! # Obligations
//! * R1: an answer was the attribute's value at some moment of the call.
//! * R2: an object is alive when a reader takes a reference.
//! * R4: *absent* is answered only if the attribute was absent at some moment of the call.
//! * R5: a failed attempt leaves no reference behind.
//!
//! # Limits
//! One attribute; its index in the class's keys is known. Counts are `refcount/atomic.rs`, and freed blocks are
//! reused at once. The reads of one attribute by each thread are judged together, beside all writes.
//!
//! # Orders
//! CPython's loads of *valid* and its stores to dictionary and *valid* are sequentially consistent. Here the slot
//! carries them: whoever sees it cleared, or an object that took a freed block, sees *valid* taken back.
//!
//! # Source
//! CPython 3.13 `Objects/dictobject.c` (`_PyObject_TryGetInstanceAttribute`, `_PyDict_DetachFromObject`,
//! `set_or_clear_managed_dict`). Its reader believes an empty slot, and does not look at *valid* again.

use super::heap::{ALIVE, Attempt, COUNTED, Caller, Heap, History};
use crate::enumerate::{Place, Start};
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, Lock as _, Ordering::*, Runtime};
use crate::{mutants, properties};

/// Who asks for an attribute that there is not.
const ABSENT: i64 = -1;

/// An instance with one attribute; items are numbers of blocks, 0 is none.
pub struct Instance<R: Runtime> {
    heap: Heap<R>,
    valid: R::AtomicU8,
    slot: R::AtomicUsize,
    /// The instance's lock, and the dictionary's item.
    dictionary: R::Mutex<usize>,
    history: History<R, Op>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> Instance<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn is_valid(&self) -> bool {
        // Relaxed, before the slot: a hint. After it: the slot's load, or the increment, has acquired.
        self.valid.load(Relaxed) == 1
    }

    /// The read without the lock; `None` when the lock is needed.
    fn optimistic(&self) -> Option<i64> {
        if !self.is_valid() {
            return None;
        }
        // Acquire: a slot that was cleared comes after *valid* was taken back.
        let order = if self.is(Mutant::SlotRelaxed) { Relaxed } else { Acquire };
        let item = self.slot.load(order);
        if item == 0 {
            return (self.is(Mutant::NullBelieved) || self.is_valid()).then_some(ABSENT);
        }
        let how = Attempt {
            // Acquire: an object that took a freed block comes after what freed it.
            order: Acquire,
            plain: self.is(Mutant::PlainIncref),
            undo_lost: self.is(Mutant::UndoLost),
        };
        self.heap.attempt(item, how, || {
            // Relaxed: after the acquiring increment.
            let same = self.is(Mutant::NoSlotRecheck) || self.slot.load(Relaxed) == item;
            same && (self.is(Mutant::StaleInline) || self.is_valid())
        })
    }

    fn read(&self) -> i64 {
        if let Some(value) = self.optimistic() {
            return value;
        }
        let dictionary = self.dictionary.lock();
        // Relaxed, here and in all writers: written under this lock.
        let valid = self.is_valid() || self.is(Mutant::FallbackNothing);
        match if valid { self.slot.load(Relaxed) } else { *dictionary } {
            0 => ABSENT,
            item => self.heap.value(item),
        }
    }

    /// Stores an item, or none.
    fn set(&self, item: usize) {
        let mut dictionary = self.dictionary.lock();
        let old = if self.is_valid() {
            let old = self.slot.load(Relaxed);
            // Relaxed: readers acquire the object's count, and none of an empty one.
            self.slot.store(item, Relaxed);
            old
        } else {
            std::mem::replace(&mut *dictionary, item)
        };
        drop(dictionary);
        self.drop(old);
    }

    /// The attribute moves into a dictionary. The slot keeps what it had.
    fn materialise(&self) {
        let mut dictionary = self.dictionary.lock();
        if self.is_valid() {
            *dictionary = self.slot.load(Relaxed);
            // Relaxed: the count of an object that is freed, and of one that takes its block, carries it.
            self.valid.store(0, Relaxed);
        }
    }

    /// Another dictionary takes the place of all attributes.
    fn replace(&self, item: usize) {
        let mut dictionary = self.dictionary.lock();
        let mut old = std::mem::replace(&mut *dictionary, item);
        if self.is_valid() {
            old = self.slot.load(Relaxed);
            if self.is(Mutant::ClearFirst) {
                self.slot.store(0, Release);
            }
            self.valid.store(0, Relaxed);
            // Release: after *valid* was taken back.
            self.slot.store(0, Release);
        }
        drop(dictionary);
        self.drop(old);
    }

    fn drop(&self, item: usize) {
        if item != 0 {
            self.heap.release(item);
        }
    }
}

/// What a thread does. Values name objects; every object ever made has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// `o.x`, or −1.
    Read,
    /// `o.x = v`.
    Set(i64),
    /// `del o.x`, if there is one.
    Delete,
    /// `o.__dict__` is asked for.
    Materialise,
    /// `o.__dict__ = {x: v}`.
    Replace(i64),
    /// Makes an object that never is the attribute.
    Stranger(i64),
}

impl<R: Runtime> World for Instance<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Caller<Op>;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        Self {
            heap: Heap::new(shape),
            valid: R::AtomicU8::new(1, "valid"),
            slot: R::AtomicUsize::new(0, "slot"),
            dictionary: R::Mutex::new(0, "dictionary"),
            history: History::new(shape),
            faults,
        }
    }

    fn enter(&self, thread: usize) -> Caller<Op> {
        self.history.enter(thread)
    }

    fn started(&self, main: &mut Caller<Op>) {
        main.started();
    }

    fn step(&self, caller: &mut Caller<Op>, op: Op) -> Option<i64> {
        self.history.call(caller, op, |op| {
            match op {
                Op::Read => return Some(self.read()),
                Op::Set(v) => self.set(self.heap.make(v)),
                Op::Delete => self.set(0),
                Op::Materialise => self.materialise(),
                Op::Replace(v) => self.replace(self.heap.make(v)),
                Op::Stranger(v) => drop(self.heap.make(v)),
            }
            None
        })
    }

    fn exit(&self, caller: Caller<Op>) {
        self.history.exit(caller);
    }

    fn finish(&self) {
        self.heap.settle();
        let (setup, calls) = self.history.all();
        History::<R, Op>::judge_reads(&setup, &calls, |op| *op == Op::Read, sequential);
    }
}

/// The attribute without threads.
fn sequential(attribute: &mut Option<i64>, op: Op) -> Option<i64> {
    match op {
        Op::Read => return Some(attribute.unwrap_or(ABSENT)),
        Op::Set(v) | Op::Replace(v) => *attribute = Some(v),
        Op::Delete => *attribute = None,
        Op::Materialise | Op::Stranger(_) => {}
    }
    None
}

mutants! {
    /// Faults of readers and of those who move the attribute.
    pub enum Mutant {
        /// An empty slot is believed without another look at *valid* (CPython 3.13).
        #[shipped(x)]
        NullBelieved = "attr-null-believed" breaks ["R4"] in "replace" by Everywhere;
        /// The slot of values that are no longer valid is trusted, which nobody overwrites (CPython 3.13).
        #[shipped(x)]
        StaleInline = "attr-stale-inline" breaks ["R1"] in "stranger" by Everywhere;
        /// The slot is not looked at again.
        NoSlotRecheck = "attr-no-slot-recheck" breaks ["R1"] in "set-stranger" by Everywhere;
        /// The reader increments without a test for zero.
        PlainIncref = "attr-plain-incref" breaks ["R2"] in "set" by Everywhere;
        /// The slot is cleared before *valid* is taken back.
        ClearFirst = "attr-clear-first" breaks ["R4"] in "replace" by Everywhere;
        /// The load of the slot orders nothing.
        SlotRelaxed = "attr-slot-relaxed" breaks ["R4"] in "replace" by WeakMemory;
        /// A failed attempt keeps its reference.
        UndoLost = "attr-undo-lost" breaks ["R5"] in "set" by Everywhere;
        /// Who has the lock looks at the slot only.
        FallbackNothing = "attr-fallback-nothing" breaks ["R4"] in "replace" by Everywhere;
    }
}

/// The protocol.
pub struct InlineAttribute;

impl Protocol for InlineAttribute {
    const NAME: &'static str = "inline-attribute";
    const TITLE: &'static str = "Attribute reads inside the instance";
    const QUESTION: &'static str = "How is an attribute read while it may be leaving its instance?";
    const SOURCE: &'static str = "CPython 3.13 dictobject.c, repaired";
    const PROPERTIES: &'static [Property] = properties! {
        "R1" "an answer was the attribute's value at some moment of the call"
            by [NotLinearizable at "calls" "reads"];
        "R2" "an object is alive when a reader takes a reference" by [..ALIVE];
        "R4" "absent is answered only if the attribute was absent"
            by [NotLinearizable at "calls" "reads"];
        "R5" "a failed attempt leaves no reference behind" by [..COUNTED];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Instance<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        let with_one = |scenario: Scenario<Op>| scenario.objects(4).setup([Set(1)]);
        let all = [
            Scenario::of("replace", "a read beside a new dictionary", [&[Read], &[Replace(2)]]),
            Scenario::of("set", "a read beside a store", [&[Read], &[Set(2)]]),
            Scenario::of(
                "set-stranger",
                "the old value's block is another object",
                [&[Read], &[Set(2), Stranger(9)]],
            ),
            Scenario::of(
                "stranger",
                "the same, after the attribute has left",
                [&[Read], &[Materialise, Set(2), Stranger(9)]],
            ),
            Scenario::of(
                "delete",
                "two reads beside a removal",
                [&[Read, Read], &[Materialise, Delete]],
            ),
            Scenario::of(
                "two-readers",
                "two threads read beside a new dictionary",
                [&[Read], &[Read], &[Replace(2)]],
            ),
        ];
        all.into_iter().map(with_one).collect()
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |place: Place| {
            let value = 2 + place.fresh as i64;
            vec![
                Op::Read,
                Op::Set(value),
                Op::Delete,
                Op::Materialise,
                Op::Replace(value),
                Op::Stranger(value),
            ]
        };
        let mut start = Start::new("one", "readers and writers of one attribute", letters);
        start.grows = true;
        start.setup = vec![Op::Set(1)];
        // Without a reader all is done under the lock.
        start.fits = |scenario| scenario.threads.iter().flatten().any(|op| *op == Op::Read);
        vec![start]
    }
}
