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
mod operations;

pub use self::checks::*;
pub use super::calls::Op;

use super::calls::{fits, sequential};
use super::heap::{ALIVE, Arrays, Attempt, COUNTED, Caller, Heap, History, capacity};
use crate::enumerate::{Place, Start};
use crate::ghost::require;
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::trace::type_stable;
use crate::runtime::{Atomic as _, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

/// The list, its heap, and what was asked and answered.
pub struct List<R: Runtime> {
    heap: Heap<R>,
    version: R::AtomicU64,
    size: R::AtomicUsize,
    array: R::AtomicUsize,
    arrays: Arrays<R>,
    /// The list's lock; its value is the number of the last array used.
    lock: R::Mutex<usize>,
    history: History<R, Op>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> List<R> {
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
        // Relaxed here and in the next steps, as in any sequence lock: what was written
        // before the version is seen already, and what is written after it is given away by
        // the fence and the second look at the version.
        let array = self.array.load(Relaxed);
        let short = match self.faults.is(Mutant::SizeAsBound) {
            true => n >= size,
            false => n >= size || n >= capacity(array),
        };
        if short {
            return (skip_version || self.same_version(version)).then_some(-1);
        }
        let item = self.arrays.slot(array, n).load(Relaxed);
        if item == 0 {
            return None;
        }
        let immortal = || self.heap.counts.is_immortal(&self.heap.block(item).header);
        if self.faults.is(Mutant::UncountedUnchecked) && type_stable(immortal) {
            return Some(self.heap.value(item));
        }
        let how = Attempt {
            // Relaxed, as for an ordinary count: if the block has become another object, its
            // maker published the count with release, and the acquire fence of step 6 lets
            // the version be at least the one that its maker saw. Without that fence the
            // increment would have to acquire.
            order: Relaxed,
            plain: self.faults.is(Mutant::PlainIncref),
            undo_lost: self.faults.is(Mutant::UndoLost),
        };
        self.heap.attempt(item, how, || {
            let in_place = self.faults.is(Mutant::SkipSlot)
                || self.arrays.slot(array, n).load(Relaxed) == item;
            in_place && (skip_version || self.same_version(version))
        })
    }

    fn get(&self, n: usize) -> i64 {
        if self.faults.is(Mutant::AlwaysShort) {
            return -1;
        }
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
        // Relaxed from here: only holders of the lock write.
        let _lock = self.lock.lock();
        let array = self.array.load(Relaxed);
        if n >= self.size.load(Relaxed) {
            return -1;
        }
        let item = self.arrays.slot(array, n).load(Relaxed);
        self.heap.value(item)
    }

    /// Runs a write between an odd and an even version; `lock` is the guarded number. All
    /// steps of `body` are relaxed: the lock orders writers, the version readers.
    fn write(&self, body: impl FnOnce(&mut usize)) {
        let mut lock = self.lock.lock();
        let version = self.version.load(Relaxed);
        let single = self.faults.is(Mutant::SingleBump) || self.faults.is(Mutant::SkipSlot);
        if !single {
            // Relaxed: the fence carries it.
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
        self.arrays.allocate(new);
        for n in 0..capacity(new) {
            let item =
                if n < capacity(array) { self.arrays.slot(array, n).load(Relaxed) } else { 0 };
            self.arrays.slot(new, n).store(item, Relaxed);
        }
        self.array.store(new, Relaxed);
        if self.faults.is(Mutant::FreeArrayNow) {
            self.arrays.free(array);
        }
        new
    }

    fn insert(&self, at: Option<usize>, value: i64) {
        let item = self.heap.make(value);
        self.write(|lock| {
            let size = self.size.load(Relaxed);
            let array = self.room(lock, size + 1);
            let at = at.unwrap_or(size);
            for n in (at..size).rev() {
                let moved = self.arrays.slot(array, n).load(Relaxed);
                self.arrays.slot(array, n + 1).store(moved, Relaxed);
            }
            self.arrays.slot(array, at).store(item, Relaxed);
            self.size.store(size + 1, Relaxed);
        });
    }

    fn set_first(&self, value: i64) -> Option<i64> {
        let item = self.heap.make(value);
        let mut old = 0;
        self.write(|_| {
            if self.size.load(Relaxed) == 0 {
                return;
            }
            let slot = self.arrays.slot(self.array.load(Relaxed), 0);
            old = slot.load(Relaxed);
            slot.store(item, Relaxed);
            if self.faults.is(Mutant::SkipSlot) {
                self.heap.release(old);
            }
        });
        if old == 0 {
            self.heap.release(item);
            return Some(-1);
        }
        if !self.faults.is(Mutant::SkipSlot) {
            self.heap.release(old);
        }
        None
    }

    fn pop(&self) -> i64 {
        let mut item = 0;
        self.write(|_| {
            let size = self.size.load(Relaxed);
            if size > 0 {
                item = self.arrays.slot(self.array.load(Relaxed), size - 1).load(Relaxed);
                self.size.store(size - 1, Relaxed);
            }
        });
        if item == 0 {
            return -1;
        }
        let value = self.heap.value(item);
        self.heap.release(item);
        value
    }

    fn clear(&self) {
        let mut items = Vec::new();
        self.write(|_| {
            let array = self.array.load(Relaxed);
            for n in 0..self.size.load(Relaxed) {
                items.push(self.arrays.slot(array, n).load(Relaxed));
            }
            self.size.store(0, Relaxed);
            self.array.store(0, Relaxed);
        });
        for item in items {
            self.heap.release(item);
        }
    }
}
