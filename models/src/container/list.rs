//! Optimistic reads of a list, by version.
//!
//! # Question
//! Lists are read far more often than written. Can a read do without the list's lock, and
//! still return an item that was there, counted, and alive?
//!
//! # The seven steps
//! A reader: 1. loads the list's *version*, 2. the array, 3. the item's address;
//! 4. increments the item's count unless it is zero; 5. checks that the item is still in
//! its place; 6. checks that the version is unchanged; 7. returns the item. A reader that
//! fails gives the reference back and takes the lock.
//!
//! Step 4 may touch an object that is dead or has become another one, so its header stays
//! readable: freed blocks are only ever reused for objects, and arrays are freed with delay
//! (see [`qsbr`](crate::reclaim::qsbr)). Step 5 guards the reference: the block may have
//! become a stranger. Step 6 guards the place: the array may be a retired one, whose slots
//! compare equal for ever.
//!
//! # Obligations
//! The writer holds the lock. It makes the version odd before its first store and even
//! after its last: one step before does not cover the stores, one step after exposes
//! half-moved items to readers that begin and end in between. A reader tries once.
//!
//! # Source
//! The first public description of GIL removal (nogil, 2021) gives the reader's steps; the
//! writer's side and the orders are this project's, those of a sequence lock. CPython 3.13
//! dropped the version: that form is in [`marked`](super::marked).

mod checks;

pub use self::checks::*;

use crate::ghost::{Ghost as _, require, violation};
use crate::linear::{Call, explains};
use crate::mutants;
use crate::protocol::{Faithful, Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::refcount::Object;
use crate::refcount::atomic::{AtomicCount, Header};
use crate::runtime::{Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use std::sync::atomic::AtomicU64;

const CAPACITY: usize = 4;
const ARRAYS: usize = 6;

/// A backing array; slots hold block numbers, one-based.
struct Array<R: Runtime> {
    slots: [R::AtomicUsize; CAPACITY],
    ghost: R::Ghost,
}

/// The list, its heap, and what was asked and answered.
pub struct List<R: Runtime> {
    heap: AtomicCount<R, Faithful>,
    version: R::AtomicU64,
    size: R::AtomicUsize,
    array: R::AtomicUsize,
    arrays: Box<[Array<R>]>,
    /// The list's lock; its value is the number of the last array used.
    lock: R::Mutex<usize>,
    /// Dead blocks, reused last in, first out.
    free: R::Mutex<Vec<usize>>,
    /// Per thread: its calls, left here when it ends.
    histories: Box<[R::Mutex<Vec<Call<Op>>>]>,
    /// A clock common to all threads, where one runs at a time.
    clock: AtomicU64,
    faults: Switch<Mutant>,
}

/// A thread and its calls.
pub struct Caller {
    thread: usize,
    time: u64,
    calls: Vec<Call<Op>>,
}

/// What a thread does. Values name objects; every object ever made has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// The value of item `n`, or −1 when the list is shorter.
    Get(usize),
    /// Appends a new object.
    Append(i64),
    /// Stores a new object in place of item 0.
    SetFirst(i64),
    /// Inserts a new object at the front.
    InsertFront(i64),
    /// Removes the last item.
    Pop,
    /// Removes all items.
    Clear,
    /// Makes an object that never enters the list: a stranger.
    Make(i64),
    /// Makes an immortal stranger.
    MakeImmortal(i64),
}

/// The capacity of array number `n`.
fn capacity(n: usize) -> usize {
    [0, 1, 2, 4, 4, 4][n]
}

impl<R: Runtime> List<R> {
    fn now(&self, caller: &mut Caller) -> u64 {
        caller.time += 1;
        if R::SEQUENTIAL { self.clock.fetch_add(1, Relaxed) } else { caller.time }
    }

    fn block(&self, n: usize) -> &Object<R, Header<R>> {
        &self.heap.heap()[n - 1]
    }

    fn make(&self, value: i64) -> usize {
        let n = self.free.lock().pop().expect("enough blocks for every operation");
        let block = self.block(n);
        block.ghost.reuse(1);
        block.payload.write(value as u64);
        self.heap.first_reused(&block.header);
        n
    }

    fn release(&self, n: usize) {
        let block = self.block(n);
        block.ghost.lose();
        if self.heap.sub(&block.header) {
            block.ghost.free();
            block.payload.write(0);
            self.free.lock().push(n);
        }
    }

    fn slot(&self, array: usize, n: usize) -> &R::AtomicUsize {
        self.arrays[array].ghost.touch();
        require(n < capacity(array), Kind::TornRead, || {
            format!("slot {n} of an array of {}", capacity(array))
        });
        &self.arrays[array].slots[n]
    }

    fn same_version(&self, seen: u64) -> bool {
        let now = if self.faults.is(Mutant::RelaxedVerify) {
            self.version.load(Relaxed)
        } else {
            // Acquire fence: the loads of steps 2 to 5 come before this load; if one of
            // them read from a write under way, this load reads its odd version or later.
            R::fence(Acquire);
            self.version.load(Relaxed)
        };
        if self.faults.is(Mutant::VersionWrap) { now & 3 == seen & 3 } else { now == seen }
    }

    /// Steps 1 to 7; `None` when the lock is needed.
    fn optimistic(&self, n: usize) -> Option<i64> {
        // Acquire: pairs with the even version, everything written before it is seen.
        let version = self.version.load(Acquire);
        if version & 1 == 1 && !self.faults.is(Mutant::SingleBump) {
            return None;
        }
        let skip_version = self.faults.is(Mutant::SkipVersion);
        // Relaxed: a wrong size is caught by the version.
        let size = self.size.load(Relaxed);
        // Acquire: pairs with the publication of the array and of the item.
        let array = self.array.load(Acquire);
        let short = match self.faults.is(Mutant::SizeAsBound) {
            true => n >= size,
            false => n >= size || n >= capacity(array),
        };
        if short {
            return (skip_version || self.same_version(version)).then_some(-1);
        }
        let item = self.slot(array, n).load(Acquire);
        if item == 0 {
            return None;
        }
        let block = self.block(item);
        if self.faults.is(Mutant::UncountedUnchecked) && self.heap.is_immortal(&block.header) {
            return Some(block.payload.read() as i64);
        }
        if self.faults.is(Mutant::PlainIncref) {
            self.heap.add(&block.header);
        } else {
            // Relaxed, as for an ordinary count: if the block has become another object, its
            // maker published the count with release, and the acquire fence of step 6 lets
            // the version be at least the one that its maker saw. Without that fence the
            // increment would have to acquire.
            if !self.heap.try_add_reused(&block.header, Relaxed) {
                return None;
            }
        }
        block.ghost.gain();
        // Acquire: if the block was reused for a newer item of this slot, its contents.
        let in_place =
            self.faults.is(Mutant::SkipSlot) || self.slot(array, n).load(Acquire) == item;
        if in_place && (skip_version || self.same_version(version)) {
            let value = block.payload.read() as i64;
            self.release(item);
            return Some(value);
        }
        if !self.faults.is(Mutant::UndoLost) {
            self.release(item);
        } else {
            block.ghost.lose();
        }
        None
    }

    fn get(&self, n: usize) -> i64 {
        let mut tries = 0;
        loop {
            if let Some(value) = self.optimistic(n) {
                return value;
            }
            tries += 1;
            require(tries < 3, Kind::Starvation, || {
                "a reader was sent back three times by unrelated writes".into()
            });
            if !self.faults.is(Mutant::RetryForever) {
                break;
            }
        }
        let _lock = self.lock.lock();
        let array = self.array.load(Relaxed);
        if n >= self.size.load(Relaxed) {
            return -1;
        }
        let item = self.slot(array, n).load(Relaxed);
        self.block(item).payload.read() as i64
    }

    /// Runs a write between an odd and an even version; `lock` is the guarded number.
    fn write(&self, body: impl FnOnce(&mut usize)) {
        let mut lock = self.lock.lock();
        let version = self.version.load(Relaxed);
        let single = self.faults.is(Mutant::SingleBump) || self.faults.is(Mutant::SkipSlot);
        if !single {
            self.version.store(version + 1, Relaxed);
            // Release fence: whoever reads one of the stores below and then fences reads
            // the odd version.
            R::fence(Release);
        }
        body(&mut lock);
        // Release: pairs with step 1.
        self.version.store(version + 2, Release);
    }

    fn room(&self, lock: &mut usize, size: usize) -> usize {
        let array = self.array.load(Relaxed);
        if size <= capacity(array) {
            return array;
        }
        // A retired array is never used again here: its memory waits for its readers.
        *lock += 1;
        while capacity(*lock) < size {
            *lock += 1;
        }
        let new = *lock;
        self.arrays[new].ghost.reuse(0);
        for n in 0..capacity(new) {
            let item = if n < capacity(array) { self.slot(array, n).load(Relaxed) } else { 0 };
            self.slot(new, n).store(item, Relaxed);
        }
        // Release: the copied slots before the array.
        self.array.store(new, Release);
        if self.faults.is(Mutant::FreeArrayNow) {
            self.arrays[array].ghost.free();
        }
        new
    }

    fn insert(&self, at: Option<usize>, value: i64) {
        let item = self.make(value);
        self.write(|lock| {
            let size = self.size.load(Relaxed);
            let array = self.room(lock, size + 1);
            let at = at.unwrap_or(size);
            for n in (at..size).rev() {
                let moved = self.slot(array, n).load(Relaxed);
                self.slot(array, n + 1).store(moved, Release);
            }
            // Release: the object's contents before its address.
            self.slot(array, at).store(item, Release);
            self.size.store(size + 1, Relaxed);
        });
    }

    fn set_first(&self, value: i64) -> Option<i64> {
        let item = self.make(value);
        let mut old = 0;
        self.write(|_| {
            if self.size.load(Relaxed) == 0 {
                return;
            }
            let slot = self.slot(self.array.load(Relaxed), 0);
            old = slot.load(Relaxed);
            slot.store(item, Release);
            if self.faults.is(Mutant::SkipSlot) {
                self.release(old);
            }
        });
        if old == 0 {
            self.release(item);
            return Some(-1);
        }
        if !self.faults.is(Mutant::SkipSlot) {
            self.release(old);
        }
        None
    }

    fn pop(&self) -> i64 {
        let mut item = 0;
        self.write(|_| {
            let size = self.size.load(Relaxed);
            if size > 0 {
                item = self.slot(self.array.load(Relaxed), size - 1).load(Relaxed);
                self.size.store(size - 1, Relaxed);
            }
        });
        if item == 0 {
            return -1;
        }
        let value = self.block(item).payload.read() as i64;
        self.release(item);
        value
    }

    fn clear(&self) {
        let mut items = Vec::new();
        self.write(|_| {
            let array = self.array.load(Relaxed);
            for n in 0..self.size.load(Relaxed) {
                items.push(self.slot(array, n).load(Relaxed));
            }
            self.size.store(0, Relaxed);
            self.array.store(0, Release);
        });
        for item in items {
            self.release(item);
        }
    }
}

/// The sequential specification.
fn sequential(list: &mut Vec<i64>, op: Op) -> Option<i64> {
    match op {
        Op::Get(n) => return Some(list.get(n).copied().unwrap_or(-1)),
        Op::Append(v) => list.push(v),
        Op::InsertFront(v) => list.insert(0, v),
        Op::SetFirst(v) => match list.first_mut() {
            Some(first) => *first = v,
            None => return Some(-1),
        },
        Op::Pop => return Some(list.pop().unwrap_or(-1)),
        Op::Clear => list.clear(),
        Op::Make(_) | Op::MakeImmortal(_) => {}
    }
    None
}

impl<R: Runtime> World for List<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Caller;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let array = |n: usize| Array {
            slots: std::array::from_fn(|i| {
                R::AtomicUsize::new(0, Label { field: SLOTS[n][i], index: None })
            }),
            ghost: R::Ghost::blank(Label::nth("array", n)),
        };
        let list = Self {
            heap: AtomicCount::with_faults(shape.objects, Faithful),
            version: R::AtomicU64::new(0, "version"),
            size: R::AtomicUsize::new(0, "size"),
            array: R::AtomicUsize::new(0, "array"),
            arrays: (0..ARRAYS).map(array).collect(),
            lock: R::Mutex::new(0, "list"),
            free: R::Mutex::new((1..=shape.objects).rev().collect(), "free"),
            histories: (0..shape.threads)
                .map(|n| R::Mutex::new(Vec::new(), Label::nth("history", n)))
                .collect(),
            clock: AtomicU64::new(0),
            faults,
        };
        list.arrays[0].ghost.reuse(0);
        list
    }

    fn enter(&self, thread: usize) -> Caller {
        Caller { thread, time: 0, calls: Vec::new() }
    }

    fn step(&self, caller: &mut Caller, op: Op) -> Option<i64> {
        let begin = self.now(caller);
        let mut result = None;
        match op {
            Op::Get(n) => result = Some(self.get(n)),
            Op::Append(v) => self.insert(None, v),
            Op::InsertFront(v) => self.insert(Some(0), v),
            Op::SetFirst(v) => result = self.set_first(v),
            Op::Pop => result = Some(self.pop()),
            Op::Clear => self.clear(),
            Op::Make(v) => drop(self.make(v)),
            Op::MakeImmortal(v) => {
                let n = self.make(v);
                self.heap.first_immortal(&self.block(n).header);
            }
        }
        let end = self.now(caller);
        caller.calls.push(Call { thread: caller.thread, op, result, begin, end });
        result
    }

    fn exit(&self, caller: Caller) {
        *self.histories[caller.thread].lock() = caller.calls;
    }

    fn finish(&self) {
        for (n, block) in self.heap.heap().iter().enumerate().filter(|(_, b)| !b.ghost.is_dead()) {
            block.ghost.settle();
            if self.heap.is_immortal(&block.header) {
                continue;
            }
            let (count, holders) = (self.heap.peek(&block.header), block.ghost.holders());
            require(i64::from(count) == holders, Kind::WrongCount, || {
                format!("object[{n}]: count {count}, {holders} reference(s) exist")
            });
        }
        let history: Vec<Call<Op>> =
            self.histories.iter().flat_map(|calls| calls.lock().clone()).collect();
        // Only where one thread runs at a time is there a common clock.
        if !explains(&history, Vec::new(), &sequential, R::SEQUENTIAL) {
            let calls: Vec<String> = history
                .iter()
                .map(|c| format!("T{} {:?}={}", c.thread, c.op, c.result.unwrap_or(0)))
                .collect();
            violation(Kind::NotLinearizable, || calls.join(", "));
        }
    }
}

const SLOTS: [[&str; CAPACITY]; ARRAYS] = [
    ["a0[0]", "a0[1]", "a0[2]", "a0[3]"],
    ["a1[0]", "a1[1]", "a1[2]", "a1[3]"],
    ["a2[0]", "a2[1]", "a2[2]", "a2[3]"],
    ["a3[0]", "a3[1]", "a3[2]", "a3[3]"],
    ["a4[0]", "a4[1]", "a4[2]", "a4[3]"],
    ["a5[0]", "a5[1]", "a5[2]", "a5[3]"],
];
