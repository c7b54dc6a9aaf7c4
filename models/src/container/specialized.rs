//! An instruction that remembers what it found, executed by several threads.
//!
//! # Question
//! `o.x` finds out each time that `o`'s class has `x` in a slot of the instance, and in which. How does the
//! instruction remember it, while another thread executes it, changes the class, or takes the values out of the instance?
//!
//! # Idea
//! The instruction has a *cache* beside it: the class's tag, and the slot. Who executes the general form finds both
//! under the class's lock, *claims* the instruction, writes the cache, and only then publishes the special
//! form. Who executes that compares the class's tag with the cache's. No tag is given twice, so what is
//! cached for a tag holds while the class has it. A cache that was published is never written again: when the
//! tags differ the instruction becomes general for good.
//!
//! The tag says where the value is, and not what is there. The values are the instance's own while it says so, or
//! they are in a dictionary; an object that leaves its slot may be freed, and its block be another's. So
//! the reader takes what it finds by an increment that refuses zero, and looks again at all it relied on.
//!
//! # Timeline
//! ```text
//!                                            instruction        class's tag   slots
//! x is in slot 0                             general            7             a, b
//! T0: finds: tag 7, slot 0; claims           claimed            7             a, b
//! T0: writes the cache; publishes            special: 7, 0      7             a, b
//! T1: the tag agrees; loads slot 0: a
//! T0: x moves to slot 1: the tag goes        special: 7, 0      none          a, b
//! T1: increments a: alive; the tag is gone
//! T1: gives a back; general for good         general            none          a, b
//! T1: finds: tag 8, slot 1: b                general            8             a, b
//! ```
//!
//! # Obligations
//! * T1: an answer was that of the attribute at some moment of the call.
//! * T2: an object is alive when a reader takes a reference.
//! * T3: what a change has replaced is answered to nobody who comes after it.
//!
//! # Limits
//! One instruction, one class, one instance of two slots, whose values leave it once. A class's own value is
//! never cached: CPython caches those that are immortal, or counted late. CPython 3.14 gives every thread a copy of the
//! instruction, and specialises that again and again; the class's tag and the instance are shared as here.
//!
//! # Source
//! CPython 3.14 `Python/specialize.c`, `Python/bytecodes.c` (`LOAD_ATTR_INSTANCE_VALUE`), for one copy of the code.

use super::heap::{ALIVE, Attempt, Caller, Heap, History};
use crate::enumerate::{Place, Start};
use crate::ghost::Ghost as _;
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::{Breach, Kind};
use crate::{mutants, properties};

/// Forms of the instruction. General, and never claimed yet.
const GENERAL: u8 = 0;
const CLAIMED: u8 = 1;
const SPECIAL: u8 = 2;
/// General for good.
const SETTLED: u8 = 3;
/// A form that only a fault has: the cache has the class's own value.
const CONSTANT: u8 = 4;

/// What the class has for the name.
#[derive(Clone, Copy)]
enum Found {
    /// A slot of the instance.
    Slot(usize),
    /// A value of its own, by its block.
    Value(usize),
}

/// What the class's lock guards.
struct Class {
    last_tag: u32,
    x: Found,
    /// The values when they have left the instance, by their blocks.
    dictionary: [usize; 2],
}

/// The instruction, and what it is about.
pub struct Specialized<R: Runtime> {
    form: R::AtomicU8,
    /// The cache: a tag, and a slot.
    version: R::AtomicU32,
    index: R::AtomicUsize,
    class: R::Mutex<Class>,
    tag: R::AtomicU32,
    /// Whether the values are the instance's own.
    inline: R::AtomicU8,
    slots: [R::AtomicUsize; 2],
    heap: Heap<R>,
    history: History<R, Op>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> Specialized<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// Executes the instruction.
    fn execute(&self) -> i64 {
        // Acquire: the cache.
        let found = match self.form.load(Acquire) {
            SPECIAL => self.special(),
            CONSTANT => self.constant(),
            _ => None,
        };
        found.unwrap_or_else(|| self.general())
    }

    /// The special form; `None` where what it relies on does not hold.
    fn special(&self) -> Option<i64> {
        // Relaxed, both: written before the form was published.
        let (version, index) = (self.version.load(Relaxed), self.index.load(Relaxed));
        // Relaxed: whoever has to know that the tag was taken away comes after it in another way.
        let same_tag = || self.tag.load(Relaxed) == version;
        if !same_tag() {
            self.settle();
            return None;
        }
        // Relaxed, both: looked at again below.
        let inline = || self.inline.load(Relaxed) == 1;
        let item = self.slots[index].load(Relaxed);
        if !inline() || item == 0 {
            return None;
        }
        // Acquire: an object that took a freed block comes after what freed it, and that after what took the
        // object out of its slot.
        let how = Attempt { order: Acquire, plain: false, undo_lost: false };
        self.heap.attempt(item, how, || {
            let same = || self.slots[index].load(Relaxed) == item && inline() && same_tag();
            self.is(Mutant::GuardThenUse) || same()
        })
    }

    /// The cache holds no longer.
    fn settle(&self) {
        if !self.is(Mutant::RespecialiseInPlace) {
            // Relaxed: the general form relies on nothing.
            let _ = self.form.compare_exchange(SPECIAL, SETTLED, Relaxed, Relaxed);
        }
    }

    /// The form of a fault: the value itself is cached, as if it were there for ever.
    fn constant(&self) -> Option<i64> {
        let (version, item) = (self.version.load(Relaxed), self.index.load(Relaxed));
        let how = Attempt { order: Acquire, plain: true, undo_lost: false };
        if self.tag.load(Relaxed) != version { None } else { self.heap.attempt(item, how, || true) }
    }

    /// The general form.
    fn general(&self) -> i64 {
        let mut class = self.class.lock();
        // Relaxed, here and wherever the lock is held: stored under it.
        if self.tag.load(Relaxed) == 0 {
            class.last_tag += 1;
            self.tag.store(class.last_tag, Relaxed);
        }
        let tag = self.tag.load(Relaxed);
        let inline = self.inline.load(Relaxed) == 1;
        let item = match class.x {
            Found::Value(item) => item,
            Found::Slot(n) if inline => self.slots[n].load(Relaxed),
            Found::Slot(n) => class.dictionary[n],
        };
        self.keep(item);
        let x = class.x;
        drop(class);
        match x {
            Found::Slot(n) if inline => self.specialise(tag, n, SPECIAL),
            Found::Value(item) if self.is(Mutant::CachedMortal) => {
                self.specialise(tag, item, CONSTANT);
            }
            _ => {}
        }
        let value = self.heap.value(item);
        self.heap.release(item);
        value
    }

    /// Publishes the special form, if nobody has done so yet.
    fn specialise(&self, tag: u32, index: usize, form: u8) {
        // Relaxed: one thread claims it, ever.
        let claimed = self.form.compare_exchange(GENERAL, CLAIMED, Relaxed, Relaxed);
        let again = claimed == Err(SPECIAL) && self.is(Mutant::RespecialiseInPlace);
        if claimed.is_err() && !again {
            return;
        }
        if self.is(Mutant::OpcodeBeforeCache) {
            self.form.store(form, Release);
        }
        let reread = self.is(Mutant::RereadVersion);
        // Relaxed, all: published below.
        self.version.store(if reread { self.tag.load(Relaxed) } else { tag }, Relaxed);
        self.index.store(index, Relaxed);
        // Release: the cache.
        self.form.store(form, Release);
    }

    /// One more reference, under the lock.
    fn keep(&self, item: usize) {
        let block = self.heap.block(item);
        self.heap.counts.add(&block.header);
        block.ghost.gain();
    }

    /// The class has something else for the name.
    fn change(&self, to: impl FnOnce(Found) -> Found) {
        let mut class = self.class.lock();
        if !self.is(Mutant::ModifiedNothing) {
            // Relaxed: the lock, or the count of an object that is freed, carries it.
            self.tag.store(0, Relaxed);
        }
        let old = class.x;
        class.x = to(old);
        drop(class);
        if let Found::Value(item) = old {
            self.heap.release(item);
        }
    }

    /// Stores a value in a slot, or in the dictionary.
    fn set(&self, n: usize, item: usize) {
        let mut class = self.class.lock();
        let old = if self.inline.load(Relaxed) == 1 {
            // Relaxed: who reads it acquires by the object's count.
            self.slots[n].swap(item, Relaxed)
        } else {
            std::mem::replace(&mut class.dictionary[n], item)
        };
        drop(class);
        if old != 0 {
            self.heap.release(old);
        }
    }

    /// Another dictionary takes the place of all values.
    fn replace(&self, item: usize) {
        self.keep(item);
        let mut class = self.class.lock();
        let inline = self.inline.swap(0, Relaxed) == 1;
        let dictionary = std::mem::replace(&mut class.dictionary, [item; 2]);
        let slots = [0, 1].map(|n| self.slots[n].load(Relaxed));
        drop(class);
        let old = if inline { slots } else { dictionary };
        old.into_iter().rev().filter(|item| *item != 0).for_each(|item| self.heap.release(item));
    }
}

/// What a thread does. Values name objects; every object ever made has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Executes the instruction.
    Get,
    /// The attribute moves to the other slot.
    Move,
    /// The class has this value for the name.
    Constant(i64),
    /// Stores a value in a slot.
    Set(usize, i64),
    /// The instance gets another dictionary, which has this value for both slots.
    Replace(i64),
    /// Makes an object that is never an attribute.
    Stranger(i64),
}

impl<R: Runtime> World for Specialized<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Caller<Op>;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        Self {
            form: R::AtomicU8::new(GENERAL, "form"),
            version: R::AtomicU32::new(0, "version"),
            index: R::AtomicUsize::new(0, "index"),
            class: R::Mutex::new(
                Class { last_tag: 0, x: Found::Slot(0), dictionary: [0; 2] },
                "class",
            ),
            tag: R::AtomicU32::new(0, "tag"),
            inline: R::AtomicU8::new(1, "inline"),
            slots: [0, 1].map(|n| R::AtomicUsize::new(0, Label::nth("slot", n))),
            heap: Heap::new(shape),
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
                Op::Get => return Some(self.execute()),
                Op::Move => self.change(|x| match x {
                    Found::Slot(0) => Found::Slot(1),
                    _ => Found::Slot(0),
                }),
                Op::Constant(v) => {
                    let item = self.heap.make(v);
                    self.change(|_| Found::Value(item));
                }
                Op::Set(n, v) => self.set(n, self.heap.make(v)),
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
        History::<R, Op>::judge_reads(&setup, &calls, |op| *op == Op::Get, sequential);
    }
}

/// Class and instance without threads.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
struct Attributes {
    constant: Option<i64>,
    slot: usize,
    values: [i64; 2],
}

fn sequential(state: &mut Attributes, op: Op) -> Option<i64> {
    match op {
        Op::Get => return Some(state.constant.unwrap_or(state.values[state.slot])),
        Op::Move if state.constant.take().is_some() => state.slot = 0,
        Op::Move => state.slot = 1 - state.slot,
        Op::Constant(v) => state.constant = Some(v),
        Op::Set(n, v) => state.values[n] = v,
        Op::Replace(v) => state.values = [v; 2],
        Op::Stranger(_) => {}
    }
    None
}

mutants! {
    /// Faults of who specialises, of who executes, and of who changes the class.
    pub enum Mutant {
        /// The special form is published before its cache is written.
        OpcodeBeforeCache = "spec-opcode-before-cache" breaks ["T1"] in "moved" by Everywhere;
        /// The tag is read once more when the cache is written.
        RereadVersion = "spec-reread-version" breaks ["T1", "T3"] in "moves" by Everywhere;
        /// A cache that holds no longer is written anew while the special form is executed.
        RespecialiseInPlace = "spec-respecialise-in-place" breaks ["T1"] in "again" by Everywhere;
        /// Nothing that the reader relied on is looked at again.
        GuardThenUse = "spec-guard-then-use" breaks ["T1"] in "replaced" by Everywhere;
        /// The class's own value is cached, which is not there for ever.
        CachedMortal = "spec-cached-mortal" breaks ["T2"] in "constant" by Everywhere;
        /// A change of the class takes no tag away.
        ModifiedNothing = "spec-modified-nothing" breaks ["T3"] in "moves" by Everywhere;
    }
}

/// Answers that nothing explains.
const UNEXPLAINED: &[Breach] = &[Kind::NotLinearizable.at(&["calls", "reads"])];

/// The protocol.
pub struct InlineCache;

impl Protocol for InlineCache {
    const NAME: &'static str = "inline-cache";
    const TITLE: &'static str = "An instruction that remembers what it found";
    const QUESTION: &'static str =
        "How does an instruction remember where an attribute is, while others execute it?";
    const SOURCE: &'static str = "CPython 3.14 specialize.c, for one copy of the code";
    const PROPERTIES: &'static [Property] = properties! {
        "T1" "an answer was that of the attribute at some moment of the call" by [..UNEXPLAINED];
        "T2" "an object is alive when a reader takes a reference" by [..ALIVE];
        "T3" "what a change replaced is answered to nobody after it" by [..UNEXPLAINED];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Specialized<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        let of = |name, asks, threads| Scenario::of::<2>(name, asks, threads).objects(5);
        let (a, b) = (Set(0, 10), Set(1, 20));
        vec![
            of("moved", "two execute it for the first time", [&[Get], &[Get]]).setup([a, b, Move]),
            of("moves", "the first time beside a change", [&[Get, Get], &[Move, Get]])
                .setup([a, b]),
            of("special", "the special form beside a change", [&[Get, Get], &[Move]])
                .setup([a, b, Get]),
            of("again", "two find that the cache holds no longer", [&[Get], &[Get]])
                .setup([a, b, Get, Move]),
            of("set", "a slot is stored into", [&[Get], &[Set(0, 11)]]).setup([a, b, Get]),
            of("replaced", "the values leave the instance", [&[Get], &[Replace(11), Stranger(9)]])
                .setup([a, b, Get]),
            of("constant", "a value of the class", [&[Get], &[Constant(11)]]).setup([
                a,
                b,
                Constant(30),
                Get,
            ]),
        ]
    }

    /// Left out: a value of the class, which is not cached; more than two executions, of four operations more than one,
    /// which take too long; and a stranger where no block is freed.
    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        let letters = |place: Place| {
            let value = 11 + place.fresh as i64;
            vec![Get, Move, Set(0, value), Replace(value), Stranger(value)]
        };
        let start = |name, asks, setup| Start {
            grows: true,
            objects: 3,
            setup,
            fits: |scenario| {
                let all = || scenario.threads.iter().flatten();
                let reads = all().filter(|op| **op == Get).count();
                let frees = all().any(|op| matches!(op, Set(..) | Replace(_)));
                let strangers = all().any(|op| matches!(op, Stranger(_)));
                let most = if scenario.operations() < 4 { 2 } else { 1 };
                (1..=most).contains(&reads) && (frees || !strangers)
            },
            ..Start::new(name, asks, letters)
        };
        vec![
            start("general", "the first time", vec![Set(0, 10), Set(1, 20)]),
            start("special", "beside a cache", vec![Set(0, 10), Set(1, 20), Get]),
        ]
    }
}
