//! Reads of a dict whose keys are shared with other instances until it gets a table of its own.
//!
//! # Question
//! A dict is two things: a table of keys, and values, which lie in a block beside a shared (*split*) table or in the
//! entries of a table of its own (*combined*). How is it read without a lock while it changes from one to the
//! other?
//!
//! # Idea
//! A published table never changes its kind or size, and an entry never gets another key. A reader loads the
//! table, and from it alone knows where the value is; takes the value with an increment that refuses zero; and
//! looks at value and table (of a split one: at the values) once more. A retired table is frozen and its
//! entries are never overwritten, so looking at the entry again says nothing there: the look at the table does.
//!
//! # Timeline
//! ```text
//!                                             table      values
//! a split dict: b first, then a               shared     20 for b, 10 for a
//! T0: steps an iterator: shared               shared     ...
//! T1: d[c] = 30: lock { builds b a c          shared
//! T1:   publishes the table                   own        ...
//! T1:   no more values }                      own        none
//! T0: values: none: the lock: b, 20
//! ```
//!
//! # Obligations
//! * R1, R4: an answer was the value of that key at some moment of the call.
//! * R2: an object is alive when a reader takes a reference.
//! * R3: no entry is used without its key.
//! * R5: a failed attempt leaves no reference behind.
//! * R6: a step of an iterator gives a pair that existed.
//!
//! # Limits
//! Three keys, which are numbers; *a* and *b* are the class's. Comparing keys runs no code. Tables are not freed:
//! that is `reclaim/qsbr.rs`, and `subscript.rs` has both together. The look-ups of each thread are judged together,
//! beside all writes; steps of iterators by their pairs, since every value names its key.
//!
//! # Orders
//! CPython's loads of table and values are sequentially consistent. Here what is found in a table is acquired by
//! its load, and what is decided after the increment by the increment.
//!
//! # Source
//! CPython 3.13 `Objects/dictobject.c` (`_Py_dict_lookup_threadsafe`, `insert_combined_dict`, `dictresize`,
//! `dictiter_iternext_threadsafe`); its iterator asks the values, not the table, which kind it is.

use super::ground::{Bend, Ground, Plain};
use super::heap::{ALIVE, Attempt, COUNTED, Caller, History};
use crate::enumerate::{Place, Start};
use crate::ghost::require;
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, Label, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

const ABSENT: i64 = -1;
/// Keys of the class: 1 and 2, at places 0 and 1.
const SHARED: usize = 2;
/// In which order this instance has got them.
const ORDER: [usize; SHARED] = [1, 0];
const CAPACITY: usize = 3;
const TABLES: usize = 6;

/// Key and value, 0 is none; and for key `n + 1` the number of its entry, counted from 1.
struct Entry<R: Runtime> {
    key: R::AtomicUsize,
    value: R::AtomicUsize,
    index: R::AtomicUsize,
}

/// A dict. Items are numbers of objects.
pub struct Dict<R: Runtime, G> {
    pub(super) ground: G,
    /// 0 is the shared table.
    table: R::AtomicUsize,
    /// Whether there are values beside the shared table.
    values: R::AtomicU8,
    slots: Box<[R::AtomicUsize]>,
    /// Tables of its own, from 1.
    tables: Box<[Box<[Entry<R>]>]>,
    /// Entries used in the table.
    used: R::AtomicUsize,
    history: History<R, Op>,
    faults: Switch<Mutant>,
}

/// Where a value is: found without the lock.
struct Found<'a, R: Runtime> {
    key: usize,
    slot: &'a R::AtomicUsize,
    table: usize,
}

impl<R: Runtime, G: Ground<R>> Dict<R, G> {
    /// An empty dict.
    pub(super) fn on(ground: G, shape: Shape, faults: Switch<Mutant>) -> Self {
        let entry = |n| Entry {
            key: R::AtomicUsize::new(0, Label::nth("key", n)),
            value: R::AtomicUsize::new(0, Label::nth("value", n)),
            index: R::AtomicUsize::new(0, Label::nth("index", n)),
        };
        Self {
            ground,
            table: R::AtomicUsize::new(0, "table"),
            values: R::AtomicU8::new(1, "values"),
            slots: (0..SHARED).map(|n| R::AtomicUsize::new(0, Label::nth("slot", n))).collect(),
            tables: (0..TABLES).map(|_| (0..CAPACITY).map(entry).collect()).collect(),
            used: R::AtomicUsize::new(0, "used"),
            history: History::new(shape),
            faults,
        }
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn entries(&self, table: usize) -> &[Entry<R>] {
        self.ground.touch(table);
        &self.tables[table - 1]
    }

    fn entry(&self, table: usize, at: usize) -> &Entry<R> {
        &self.entries(table)[at]
    }

    /// Takes the value and looks again; `None` when the lock is needed.
    fn take(&self, t: &mut G::Thread, found: &Found<'_, R>) -> Option<i64> {
        // Relaxed: the increment acquires what the item's maker wrote, or else it is acquired here.
        let item = found.slot.load(self.ground.orders().0);
        if item == 0 {
            return None;
        }
        let how = Attempt {
            // Acquire: an object that took a freed block comes after what freed it.
            order: Acquire,
            plain: self.is(Mutant::PlainIncref),
            undo_lost: self.is(Mutant::UndoLost),
        };
        self.ground.attempt(t, item, how, || {
            // Relaxed, all: after the acquiring increment.
            if found.table != 0 {
                self.ground.touch(found.table);
            }
            let same_table = self.table.load(Relaxed) == found.table
                && (found.table != 0 || self.values.load(Relaxed) == 1);
            found.slot.load(Relaxed) == item
                && (same_table || self.is(Mutant::NoTableRecheck) || self.is(Mutant::PairMix))
        })
    }

    /// A look-up without the lock; `None` when it is needed.
    fn optimistic(&self, t: &mut G::Thread, key: usize) -> Option<i64> {
        // Acquire: what the table was filled with.
        let order = if self.is(Mutant::TableRelaxed) { Relaxed } else { Acquire };
        let table = self.table.load(order);
        if table == 0 {
            if key > SHARED {
                return Some(ABSENT);
            }
            return self.take(t, &Found { key, slot: &self.slots[key - 1], table });
        }
        // Relaxed: an entry has one key in its life, so key and value say themselves whether they are there.
        let at = self.entry(table, key - 1).index.load(Relaxed);
        if at == 0 {
            return Some(ABSENT);
        }
        let entry = self.entry(table, at - 1);
        let found = entry.key.load(Relaxed);
        if found != key && !self.is(Mutant::AssumeKey) {
            return None;
        }
        require(found != 0, Kind::TornRead, || format!("key[{}]: of an entry without one", at - 1));
        self.take(t, &Found { key, slot: &entry.value, table })
    }

    /// A step of an iterator at a position, without the lock; `None` when it is needed.
    fn optimistic_item(&self, t: &mut G::Thread, at: usize) -> Option<i64> {
        // Acquire: as above.
        let table = self.table.load(Acquire);
        // Relaxed: a hint. What counts is the look after the increment.
        let split = match self.is(Mutant::PairMix) {
            true => self.values.load(Relaxed) == 1,
            false => table == 0,
        };
        let found = if split {
            let place = *ORDER.get(at)?;
            let key =
                if table == 0 { place + 1 } else { self.entry(table, place).key.load(Relaxed) };
            Found { key, slot: &self.slots[place], table }
        } else if table == 0 {
            return None;
        } else {
            // Relaxed: as in a look-up.
            let entry = self.entries(table).get(at)?;
            Found { key: entry.key.load(Relaxed), slot: &entry.value, table }
        };
        let value = self.take(t, &found)?;
        require(value / 10 == found.key as i64, Kind::TornRead, || {
            format!("pair[{at}]: key {} with value {value}", found.key)
        });
        Some(value)
    }

    /// Under the lock: the pairs in order, each with its position.
    fn pairs(&self) -> Vec<(usize, usize, &R::AtomicUsize)> {
        // Relaxed from here: written under the lock only.
        let pair = |(at, (key, slot)): (usize, (usize, &'_ R::AtomicUsize))| {
            (key != 0 && slot.load(Relaxed) != 0).then_some((at, key))
        };
        match self.table.load(Relaxed) {
            0 => {
                let all = ORDER.iter().map(|place| (place + 1, &self.slots[*place]));
                let there = all.clone().enumerate().filter_map(pair);
                there.map(|(at, key)| (at, key, &self.slots[key - 1])).collect()
            }
            table => {
                let entries = self.entries(table);
                let all = entries.iter().map(|entry| (entry.key.load(Relaxed), &entry.value));
                let there = all.enumerate().filter_map(pair);
                there.map(|(at, key)| (at, key, &entries[at].value)).collect()
            }
        }
    }

    fn value(&self, slot: Option<&R::AtomicUsize>) -> i64 {
        slot.map_or(ABSENT, |slot| self.ground.value(slot.load(Relaxed)))
    }

    fn get(&self, t: &mut G::Thread, key: usize) -> i64 {
        if let Some(value) = self.optimistic(t, key) {
            return value;
        }
        self.ground.locked(t, |_| {
            if self.is(Mutant::FallbackNothing) {
                return ABSENT;
            }
            self.value(self.pairs().iter().find(|(_, k, _)| *k == key).map(|(.., slot)| *slot))
        })
    }

    fn item(&self, t: &mut G::Thread, at: usize) -> i64 {
        if let Some(value) = self.optimistic_item(t, at) {
            return value;
        }
        self.ground.locked(t, |_| {
            self.value(self.pairs().iter().find(|(n, ..)| *n >= at).map(|(.., slot)| *slot))
        })
    }

    /// Under the lock: a table of its own, larger or without what was deleted.
    fn resize(&self, t: &mut G::Thread) {
        let old = self.table.load(Relaxed);
        self.ground.fill(old + 1);
        let items = self.pairs().into_iter().map(|(_, key, slot)| (key, slot.load(Relaxed)));
        for (at, (key, item)) in items.enumerate() {
            self.write(old + 1, at, key, item);
            self.used.store(at + 1, Relaxed);
        }
        if old != 0 && self.ground.is(Bend::RetireFirst) {
            self.ground.retire(t, old);
        }
        // Release: with what it was filled with.
        self.table.store(old + 1, Release);
        // Relaxed: who sees an object in a block that was freed since sees it.
        self.values.store(0, Relaxed);
        if old != 0 && !self.ground.is(Bend::RetireFirst) {
            self.ground.retire(t, old);
        }
    }

    fn write(&self, table: usize, at: usize, key: usize, item: usize) {
        // Relaxed, all: see the look-up.
        self.entry(table, key - 1).index.store(at + 1, Relaxed);
        self.entry(table, at).key.store(key, Relaxed);
        self.entry(table, at).value.store(item, self.ground.orders().1);
    }

    fn set(&self, t: &mut G::Thread, key: usize, value: i64) {
        let item = self.ground.make(t, value);
        let old = self.ground.locked(t, |t| {
            let pairs = self.pairs();
            match pairs.iter().find(|(_, k, _)| *k == key) {
                Some((.., slot)) => self.replace(t, slot, item),
                None => {
                    self.insert(t, key, item);
                    0
                }
            }
        });
        // Without the lock: a destructor may do anything.
        if old != 0 {
            self.ground.release(t, old);
        }
    }

    /// Under the lock; the item that is to be released.
    fn replace(&self, t: &mut G::Thread, slot: &R::AtomicUsize, item: usize) -> usize {
        let old = slot.load(Relaxed);
        let released = self.ground.is(Bend::ReleaseFirst);
        if released {
            self.ground.release(t, old);
        }
        // Relaxed: the object's count carries it, or else it is released here.
        slot.store(item, self.ground.orders().1);
        if released { 0 } else { old }
    }

    /// Under the lock.
    fn insert(&self, t: &mut G::Thread, key: usize, item: usize) {
        if self.table.load(Relaxed) == 0 && key <= SHARED {
            return self.slots[key - 1].store(item, self.ground.orders().1);
        }
        if self.table.load(Relaxed) == 0 {
            self.resize(t);
        }
        let entries = self.entries(self.table.load(Relaxed));
        let empty = entries.iter().position(|entry| entry.key.load(Relaxed) == 0);
        let reused = empty.filter(|_| self.is(Mutant::EntryReuse));
        if reused.is_none() && self.used.load(Relaxed) == CAPACITY {
            self.resize(t);
        }
        let at = reused.unwrap_or_else(|| self.used.load(Relaxed));
        self.write(self.table.load(Relaxed), at, key, item);
        self.used.store(self.used.load(Relaxed).max(at + 1), Relaxed);
    }

    fn delete(&self, t: &mut G::Thread, key: usize) -> i64 {
        let old = self.ground.locked(t, |_| {
            let table = self.table.load(Relaxed);
            let (at, _, slot) = self.pairs().into_iter().find(|(_, k, _)| *k == key)?;
            let old = slot.load(Relaxed);
            // Relaxed, all: see the look-up.
            if table != 0 {
                self.entry(table, key - 1).index.store(0, Relaxed);
                self.entry(table, at).key.store(0, Relaxed);
            }
            slot.store(0, Relaxed);
            Some(old)
        });
        if let Some(old) = old {
            self.ground.release(t, old);
        }
        i64::from(old.is_some())
    }

    /// A thread begins.
    pub(super) fn caller(&self, thread: usize) -> Caller<Op> {
        self.history.enter(thread)
    }

    /// An operation.
    pub(super) fn perform(
        &self,
        caller: &mut Caller<Op>,
        t: &mut G::Thread,
        op: Op,
    ) -> Option<i64> {
        if let Op::Item(at) = op {
            return Some(self.item(t, at));
        }
        self.history.call(caller, op, |op| {
            match op {
                Op::Get(key) => return Some(self.get(t, key)),
                Op::Set(key, value) => self.set(t, key, value),
                Op::Delete(key) => return Some(self.delete(t, key)),
                Op::Stranger(value) => drop(self.ground.make(t, value)),
                Op::Item(_) => {}
            }
            None
        })
    }

    /// A thread ends.
    pub(super) fn leave(&self, caller: Caller<Op>) {
        self.history.exit(caller);
    }

    /// What was answered, after all have ended.
    pub(super) fn judge(&self) {
        let (setup, calls) = self.history.all();
        History::<R, Op>::judge_reads(&setup, &calls, |op| matches!(op, Op::Get(_)), sequential);
    }
}

/// What a thread does. Values name objects, and by their tens the key; every object ever made has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// `d.get(k, -1)`.
    Get(usize),
    /// The value of the pair that an iterator finds at a position, or −1.
    Item(usize),
    /// `d[k] = v`.
    Set(usize, i64),
    /// `d.pop(k, None)`, and whether there was one.
    Delete(usize),
    /// Makes an object that is never in the dict.
    Stranger(i64),
}

impl<R: Runtime> World for Dict<R, Plain<R>> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Caller<Op>;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        Self::on(Plain::new(shape), shape, faults)
    }

    fn enter(&self, thread: usize) -> Caller<Op> {
        self.caller(thread)
    }

    fn started(&self, main: &mut Caller<Op>) {
        main.started();
    }

    fn step(&self, caller: &mut Caller<Op>, op: Op) -> Option<i64> {
        self.perform(caller, &mut (), op)
    }

    fn exit(&self, caller: Caller<Op>) {
        self.leave(caller);
    }

    fn finish(&self) {
        self.ground.settle();
        self.judge();
    }
}

/// A dict without threads: the value of key `n + 1` at place `n`.
fn sequential(dict: &mut [Option<i64>; 3], op: Op) -> Option<i64> {
    match op {
        Op::Get(key) => return Some(dict[key - 1].unwrap_or(ABSENT)),
        Op::Set(key, value) => dict[key - 1] = Some(value),
        Op::Delete(key) => return Some(i64::from(dict[key - 1].take().is_some())),
        Op::Item(_) | Op::Stranger(_) => {}
    }
    None
}

mutants! {
    /// Faults of readers, and of writers on whom they rely.
    pub enum Mutant {
        /// After the increment the table is not looked at again: a retired one says nothing.
        NoTableRecheck = "dk-no-table-recheck" breaks ["R1"] in "retired" by Everywhere;
        /// A deleted entry is filled with another key.
        EntryReuse = "dk-entry-reuse" breaks ["R1"] in "reuse" by Everywhere;
        /// An entry that the index names is taken to have its key.
        AssumeKey = "dk-assume-key" breaks ["R3"] in "insert" by Everywhere;
        /// The iterator loads table and values as two facts, and asks the values which kind the table is (CPython 3.13).
        #[shipped(x)]
        PairMix = "iter-pair-mix" breaks ["R6"] in "iterate" by Everywhere;
        /// The reader increments without a test for zero.
        PlainIncref = "dk-plain-incref" breaks ["R2"] in "overwrite" by Everywhere;
        /// The load of the table orders nothing.
        TableRelaxed = "dk-table-relaxed" breaks ["R1"] in "combine" by WeakMemory;
        /// A failed attempt keeps its reference.
        UndoLost = "dk-undo-lost" breaks ["R5"] in "overwrite" by Everywhere;
        /// Who has the lock answers that there is no such key.
        FallbackNothing = "dk-fallback-nothing" breaks ["R1"] in "overwrite" by Everywhere;
    }
}

/// The protocol.
pub struct SplitDict;

impl Protocol for SplitDict {
    const NAME: &'static str = "dict";
    const TITLE: &'static str = "Dict reads beside a change of tables";
    const QUESTION: &'static str =
        "How is a dict read while its keys and values move to another table?";
    const SOURCE: &'static str = "CPython 3.13 dictobject.c, repaired";
    const PROPERTIES: &'static [Property] = properties! {
        "R1" "an answer was the value of that key at some moment of the call"
            by [NotLinearizable at "calls" "reads"];
        "R2" "an object is alive when a reader takes a reference" by [..ALIVE];
        "R3" "no entry is used without its key" by [TornRead at "key"];
        "R5" "a failed attempt leaves no reference behind" by [..COUNTED];
        "R6" "an iterator gives pairs that existed" by [TornRead at "pair"];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Dict<R, Plain<R>>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        let split = |scenario: Scenario<Op>| scenario.objects(7).setup([Set(2, 20), Set(1, 10)]);
        let own = |scenario: Scenario<Op>| {
            scenario.objects(7).setup([Set(2, 20), Set(1, 10), Set(3, 30), Delete(3)])
        };
        vec![
            split(Scenario::of(
                "overwrite",
                "a look-up beside a store",
                [&[Get(1)], &[Set(1, 11)]],
            )),
            split(Scenario::of(
                "combine",
                "a look-up beside an insertion that makes a table",
                [&[Get(1)], &[Set(3, 31)]],
            )),
            split(Scenario::of(
                "iterate",
                "an iterator beside an insertion that makes a table",
                [&[Item(0)], &[Set(3, 31)]],
            )),
            own(Scenario::of(
                "insert",
                "a look-up beside an insertion",
                [&[Get(3)], &[Set(3, 31)]],
            )),
            own(Scenario::of(
                "retired",
                "the old value's block is another object, and the table retired",
                [&[Get(1)], &[Set(3, 31), Set(1, 11), Stranger(9)]],
            )),
            own(Scenario::of(
                "reuse",
                "a look-up beside a removal and an insertion",
                [&[Get(1)], &[Delete(1), Set(3, 31)]],
            )),
            split(Scenario::of(
                "two-readers",
                "two threads read beside an insertion",
                [&[Get(1)], &[Item(1)], &[Set(3, 31)]],
            )),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        let letters = |place: Place| {
            let seen = place.fresh as i64;
            vec![
                Get(1),
                Item(0),
                Set(1, 11 + seen),
                Set(3, 31 + seen),
                Delete(1),
                Stranger(1 + seen),
            ]
        };
        let start = |name, asks, setup| {
            let mut start = Start::new(name, asks, letters);
            start.grows = true;
            start.objects = 3;
            start.setup = setup;
            // Without a reader all is done under the lock.
            start.fits = |scenario| {
                scenario.threads.iter().flatten().any(|op| matches!(op, Get(_) | Item(_)))
            };
            start
        };
        vec![
            start("split", "readers and writers of a split dict", vec![Set(2, 20), Set(1, 10)]),
            start(
                "own",
                "the same, with a table of its own that is full",
                vec![Set(2, 20), Set(1, 10), Set(3, 30), Delete(3)],
            ),
        ]
    }
}
