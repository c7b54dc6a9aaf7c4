//! Reads of a list without its lock, by a second look at the slot.
//!
//! # Question
//! CPython 3.13 dropped the version of the [first design](super::list). A read looks at the
//! slot again after it has counted the item, and nothing else. Which storage may be freed
//! at once, and what does an unchanged slot prove?
//!
//! # The idea
//! A list belongs to the thread that made it until another thread reads it; then it is
//! *marked*. Unmarked lists are read by their owner without the lock, by others with it, and
//! their retired arrays are freed at once. Retired arrays of marked lists wait for readers.
//!
//! # Obligations
//! * The mark is set under the lock, so no resize is under way, and is read with acquire:
//!   whoever sees it also sees the array that was current when it was set. CPython reads it
//!   relaxed (`or-mark-relaxed`).
//! * A thread that is not the owner marks the list before it retires an array.
//! * An array is published after its slots were copied and its tail was cleared.
//! * The increment acquires: if the block has become another object, the second look must
//!   see at least what that object's maker saw.
//! * An unchanged slot proves that the item was still in the list *only if a slot that no
//!   longer holds its item is overwritten, and the array is still the list's*. CPython leaves
//!   the address in a popped slot and does not look at the array again: a reader can return
//!   a stranger that now lives in the item's block (`or-slot-check-only`,
//!   `or-array-unchecked`). Here pop clears the slot and the array is compared.
//!
//! # Source
//! CPython 3.13 `Objects/listobject.c` (`list_get_item_ref`, `list_resize`, `list_pop_impl`),
//! `Include/internal/pycore_object.h` (`_Py_TryIncrefCompare`). Retired arrays that wait are
//! kept for ever here: [`qsbr`](crate::reclaim::qsbr) says when they may go.

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
const ARRAYS: usize = 5;
/// What memory holds before anybody wrote to it.
const GARBAGE: usize = 999;

struct Array<R: Runtime> {
    slots: [R::AtomicUsize; CAPACITY],
    ghost: R::Ghost,
}

/// The list of thread 0, its heap, and what was asked and answered.
pub struct List<R: Runtime> {
    heap: AtomicCount<R, Faithful>,
    mark: R::AtomicU8,
    size: R::AtomicUsize,
    array: R::AtomicUsize,
    arrays: Box<[Array<R>]>,
    /// The list's lock; its value is the number of the last array used.
    lock: R::Mutex<usize>,
    free: R::Mutex<Vec<usize>>,
    histories: Box<[R::Mutex<Vec<Call<Op>>>]>,
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
    /// Removes the last item.
    Pop,
    /// Removes all items.
    Clear,
    /// Makes an object that never enters the list: a stranger.
    Make(i64),
    /// Some other thread has read the list.
    Mark,
}

/// The capacity of array number `n`.
fn capacity(n: usize) -> usize {
    [0, 1, 2, 4, 4][n]
}

impl<R: Runtime> List<R> {
    fn now(&self, caller: &mut Caller) -> u64 {
        caller.time += 1;
        if R::SEQUENTIAL { self.clock.fetch_add(1, Relaxed) } else { caller.time }
    }

    fn block(&self, n: usize) -> &Object<R, Header<R>> {
        require(n <= self.heap.heap().len(), Kind::TornRead, || {
            "an address that nobody wrote".into()
        });
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
        &self.arrays[array].slots[n]
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// The read without the lock; `None` when the lock is needed.
    fn optimistic(&self, thread: usize, n: usize) -> Option<i64> {
        if thread != 0 {
            // Acquire: pairs with the store under the lock; the array below is then the one
            // of that moment or newer, and was not freed at once.
            let order = if self.is(Mutant::MarkRelaxed) { Relaxed } else { Acquire };
            if self.mark.load(order) == 0 {
                if !self.is(Mutant::MarkUnlocked) {
                    return None;
                }
                self.mark.store(1, Release);
            }
        }
        // Relaxed: size and array are different facts; both bounds are checked.
        if n >= self.size.load(Relaxed) {
            return Some(-1);
        }
        // Acquire: pairs with the publication.
        let array = self.array.load(Acquire);
        if n >= capacity(array) {
            return Some(-1);
        }
        let item = self.slot(array, n).load(Acquire);
        if item == 0 {
            return None;
        }
        let block = self.block(item);
        if self.is(Mutant::PlainIncref) {
            self.heap.add(&block.header);
        } else {
            // Acquire: see the obligations.
            let order = if self.is(Mutant::RelaxedIncref) { Relaxed } else { Acquire };
            if !self.heap.try_add_reused(&block.header, order) {
                return None;
            }
        }
        block.ghost.gain();
        let same_slot = self.is(Mutant::NoRecheck) || self.slot(array, n).load(Acquire) == item;
        let unchecked = self.is(Mutant::ArrayUnchecked) || self.is(Mutant::NoRecheck);
        let same_array = unchecked || self.array.load(Acquire) == array;
        let value = (same_slot && same_array).then(|| block.payload.read() as i64);
        self.release(item);
        value
    }

    fn get(&self, thread: usize, n: usize) -> i64 {
        if let Some(value) = self.optimistic(thread, n) {
            return value;
        }
        let _lock = self.lock.lock();
        if thread != 0 {
            self.set_mark();
        }
        if n >= self.size.load(Relaxed) {
            return -1;
        }
        let item = self.slot(self.array.load(Relaxed), n).load(Relaxed);
        self.block(item).payload.read() as i64
    }

    /// Under the lock.
    fn set_mark(&self) {
        // Release: see `optimistic`.
        let order = if self.is(Mutant::MarkRelaxed) { Relaxed } else { Release };
        self.mark.store(1, order);
    }

    /// Under the lock: an array is no longer the list's.
    fn retire(&self, thread: usize, array: usize) {
        if thread != 0 && !self.is(Mutant::ForeignUnmarked) {
            self.set_mark();
        }
        // Relaxed: others set it under the lock, which we hold.
        if array != 0 && self.mark.load(Relaxed) == 0 {
            self.arrays[array].ghost.free();
        }
    }

    fn append(&self, thread: usize, value: i64) {
        let item = self.make(value);
        let mut lock = self.lock.lock();
        let size = self.size.load(Relaxed);
        let mut array = self.array.load(Relaxed);
        if size == capacity(array) {
            let old = array;
            *lock += 1;
            while capacity(*lock) <= size {
                *lock += 1;
            }
            array = *lock;
            self.arrays[array].ghost.reuse(0);
            let early = self.is(Mutant::PublishEarly);
            if early {
                self.array.store(array, Release);
            }
            for n in 0..capacity(array) {
                let item = if n < size { self.slot(old, n).load(Relaxed) } else { 0 };
                self.slot(array, n).store(item, Relaxed);
            }
            if !early {
                // Release: slots and tail before the array.
                self.array.store(array, Release);
            }
            self.retire(thread, old);
        }
        // Release: the object's contents before its address.
        self.slot(array, size).store(item, Release);
        self.size.store(size + 1, Relaxed);
    }

    fn set_first(&self, value: i64) -> Option<i64> {
        let item = self.make(value);
        let lock = self.lock.lock();
        if self.size.load(Relaxed) == 0 {
            drop(lock);
            self.release(item);
            return Some(-1);
        }
        let slot = self.slot(self.array.load(Relaxed), 0);
        let old = slot.load(Relaxed);
        slot.store(item, Release);
        drop(lock);
        self.release(old);
        None
    }

    fn pop(&self) -> i64 {
        let lock = self.lock.lock();
        let size = self.size.load(Relaxed);
        if size == 0 {
            return -1;
        }
        let slot = self.slot(self.array.load(Relaxed), size - 1);
        let item = slot.load(Relaxed);
        self.size.store(size - 1, Relaxed);
        if !self.is(Mutant::SlotCheckOnly) {
            // Release: pairs with the second look; the reference goes afterwards.
            slot.store(0, Release);
        }
        drop(lock);
        let value = self.block(item).payload.read() as i64;
        self.release(item);
        value
    }

    fn clear(&self, thread: usize) {
        let lock = self.lock.lock();
        let array = self.array.load(Relaxed);
        let items: Vec<usize> =
            (0..self.size.load(Relaxed)).map(|n| self.slot(array, n).load(Relaxed)).collect();
        self.size.store(0, Relaxed);
        self.array.store(0, Release);
        self.retire(thread, array);
        drop(lock);
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
        Op::SetFirst(v) => match list.first_mut() {
            Some(first) => *first = v,
            None => return Some(-1),
        },
        Op::Pop => return Some(list.pop().unwrap_or(-1)),
        Op::Clear => list.clear(),
        Op::Make(_) | Op::Mark => {}
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
                R::AtomicUsize::new(GARBAGE, Label { field: SLOTS[n][i], index: None })
            }),
            ghost: R::Ghost::blank(Label::nth("array", n)),
        };
        let list = Self {
            heap: AtomicCount::with_faults(shape.objects, Faithful),
            mark: R::AtomicU8::new(0, "mark"),
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
        let thread = caller.thread;
        let mut result = None;
        match op {
            Op::Get(n) => result = Some(self.get(thread, n)),
            Op::Append(v) => self.append(thread, v),
            Op::SetFirst(v) => result = self.set_first(v),
            Op::Pop => result = Some(self.pop()),
            Op::Clear => self.clear(thread),
            Op::Make(v) => drop(self.make(v)),
            Op::Mark => {
                let _lock = self.lock.lock();
                self.set_mark();
            }
        }
        let end = self.now(caller);
        caller.calls.push(Call { thread, op, result, begin, end });
        result
    }

    fn exit(&self, caller: Caller) {
        *self.histories[caller.thread].lock() = caller.calls;
    }

    fn finish(&self) {
        for (n, block) in self.heap.heap().iter().enumerate().filter(|(_, b)| !b.ghost.is_dead()) {
            block.ghost.settle();
            let (count, holders) = (self.heap.peek(&block.header), block.ghost.holders());
            require(i64::from(count) == holders, Kind::WrongCount, || {
                format!("object[{n}]: count {count}, {holders} reference(s) exist")
            });
        }
        let calls: Vec<Call<Op>> =
            self.histories.iter().flat_map(|calls| calls.lock().clone()).collect();
        let is_read = |call: &&Call<Op>| matches!(call.op, Op::Get(_));
        // Each read alone beside all writes: size and slots are different places, so several
        // reads together need not fit into one order.
        for read in calls.iter().filter(is_read) {
            let mut history: Vec<Call<Op>> =
                calls.iter().filter(|call| !is_read(call)).copied().collect();
            history.push(*read);
            if !explains(&history, Vec::new(), &sequential, R::SEQUENTIAL) {
                let shown: Vec<String> = history
                    .iter()
                    .map(|c| format!("T{} {:?}={}", c.thread, c.op, c.result.unwrap_or(0)))
                    .collect();
                violation(Kind::NotLinearizable, || shown.join(", "));
            }
        }
    }
}

const SLOTS: [[&str; CAPACITY]; ARRAYS] = [
    ["a0[0]", "a0[1]", "a0[2]", "a0[3]"],
    ["a1[0]", "a1[1]", "a1[2]", "a1[3]"],
    ["a2[0]", "a2[1]", "a2[2]", "a2[3]"],
    ["a3[0]", "a3[1]", "a3[2]", "a3[3]"],
    ["a4[0]", "a4[1]", "a4[2]", "a4[3]"],
];
