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
//! * A retired array that waits gets its goal after the list has let go of it: who comes online
//!   later finds the new one.
//! * An array is published after its slots were copied and its tail was cleared.
//! * The increment acquires: if the block has become another object, the second look must
//!   see at least what that object's maker saw.
//! * An unchanged slot proves that the item was still in the list *only if a slot that no
//!   longer holds its item is overwritten, and the array is still the list's*. CPython leaves
//!   the address in a popped slot and does not look at the array again: a reader can return
//!   a stranger that now lives in the item's block (`or-slot-check-only`,
//!   `or-array-unchecked`). Here pop clears the slot and the array is compared.
//! * Size and slot are two places, and the item may be younger than the size that was read. The
//!   size is looked at again, so that the thread's next read does not find the size of a time
//!   before that item. CPython does not (`or-size-unchecked`): beside `l.pop(); l.append(5)` a
//!   thread may read `l[0]` twice and get 5, then an IndexError.
//!
//! # Source
//! CPython 3.13 `Objects/listobject.c` (`list_get_item_ref`, `list_resize`, `list_pop_impl`),
//! `Include/internal/pycore_object.h` (`_Py_TryIncrefCompare`). CPython loads array and slots
//! sequentially consistent and stores items with release; here each step has the weakest order
//! that the checks accept. Retired arrays that wait are kept for ever, or, where all threads are
//! *online*, until [`qsbr`](crate::reclaim::qsbr) says that nobody can read them any more.

mod checks;
mod operations;

pub use self::checks::*;
pub use super::calls::Op;

use super::calls::{fits, sequential};
use super::heap::{ALIVE, Arrays, Attempt, Caller, Heap, History, capacity};
use crate::enumerate::{Place, Start};
use crate::protocol::{Faithful, Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::reclaim::qsbr::Qsbr;
use crate::runtime::{Atomic as _, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

/// What memory holds before anybody wrote to it.
const GARBAGE: usize = 999;

/// The list of thread 0, its heap, and what was asked and answered.
pub struct List<R: Runtime> {
    heap: Heap<R>,
    mark: R::AtomicU8,
    size: R::AtomicUsize,
    array: R::AtomicUsize,
    arrays: Arrays<R>,
    /// The list's lock; its value is the number of the last array used.
    lock: R::Mutex<usize>,
    history: History<R, Op>,
    /// When retired arrays may go.
    clock: Qsbr<R, Faithful>,
    /// Whether the main thread was online, and what ended threads have retired.
    orphans: R::Mutex<(bool, Retired)>,
    faults: Switch<Mutant>,
}

/// Arrays that wait, each with its goal.
type Retired = Vec<(usize, u64)>;

/// A thread's part in the reclamation.
pub struct Reader {
    thread: usize,
    online: bool,
    retired: Retired,
}

impl<R: Runtime> List<R> {
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
        // Relaxed: the increment below acquires what the item's maker wrote.
        let item = self.arrays.slot(array, n).load(Relaxed);
        if item == 0 {
            return None;
        }
        let how = Attempt {
            // Acquire: see the obligations.
            order: if self.is(Mutant::RelaxedIncref) { Relaxed } else { Acquire },
            plain: self.is(Mutant::PlainIncref),
            undo_lost: self.is(Mutant::UndoLost),
        };
        self.heap.attempt(item, how, || {
            // Relaxed, all three: after the acquiring increment they see at least what the maker of
            // the object in this block saw, the store that took the old item out among it.
            let same_slot =
                self.is(Mutant::NoRecheck) || self.arrays.slot(array, n).load(Relaxed) == item;
            let unchecked = self.is(Mutant::ArrayUnchecked) || self.is(Mutant::NoRecheck);
            let same_array = unchecked || self.array.load(Relaxed) == array;
            let unchecked = self.is(Mutant::SizeUnchecked)
                || self.is(Mutant::SlotCheckOnly)
                || self.is(Mutant::NoRecheck);
            let still_inside = unchecked || n < self.size.load(Relaxed);
            same_slot && same_array && still_inside
        })
    }

    fn get(&self, thread: usize, n: usize) -> i64 {
        if self.is(Mutant::AlwaysShort) {
            return -1;
        }
        if let Some(value) = self.optimistic(thread, n) {
            return value;
        }
        // Relaxed from here, and in all writers: only holders of the lock write.
        let _lock = self.lock.lock();
        if thread != 0 {
            self.set_mark();
        }
        if n >= self.size.load(Relaxed) {
            return -1;
        }
        let item = self.arrays.slot(self.array.load(Relaxed), n).load(Relaxed);
        self.heap.value(item)
    }

    /// Under the lock.
    fn set_mark(&self) {
        // Release: see `optimistic`.
        let order = if self.is(Mutant::MarkRelaxed) { Relaxed } else { Release };
        self.mark.store(1, order);
    }

    /// Under the lock: an array is no longer the list's. Its goal, where it was given one before.
    fn retire(&self, reader: &mut Reader, array: usize, goal: Option<u64>) {
        if reader.thread != 0 && !self.is(Mutant::ForeignUnmarked) {
            self.set_mark();
        }
        if array == 0 {
            return;
        }
        // Relaxed: others set it under the lock, which we hold.
        if self.mark.load(Relaxed) == 0 {
            self.arrays.free(array);
        } else if reader.online {
            let goal = goal.unwrap_or_else(|| self.clock.advance());
            reader.retired.push((array, goal));
        }
    }

    /// Frees the arrays that nobody can read any more.
    fn reclaim(&self, retired: &mut Retired) {
        retired.retain(|(array, goal)| {
            let waits = !self.clock.poll(*goal);
            if !waits {
                self.arrays.free(*array);
            }
            waits
        });
    }

    fn append(&self, reader: &mut Reader, value: i64) {
        let item = self.heap.make(value);
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
            self.arrays.allocate(array);
            let goal = self.is(Mutant::GoalEarly).then(|| self.clock.advance());
            let early = self.is(Mutant::PublishEarly);
            if early {
                self.array.store(array, Release);
            }
            for n in 0..capacity(array) {
                let item = if n < size { self.arrays.slot(old, n).load(Relaxed) } else { 0 };
                self.arrays.slot(array, n).store(item, Relaxed);
            }
            if !early {
                // Release: slots and tail before the array.
                self.array.store(array, Release);
            }
            self.retire(reader, old, goal);
        }
        // Relaxed: the count was published with release after the object's contents, and
        // readers acquire the count. So too for the stores of items below.
        self.arrays.slot(array, size).store(item, Relaxed);
        self.size.store(size + 1, Relaxed);
    }

    fn set_first(&self, value: i64) -> Option<i64> {
        let item = self.heap.make(value);
        let lock = self.lock.lock();
        if self.size.load(Relaxed) == 0 {
            drop(lock);
            self.heap.release(item);
            return Some(-1);
        }
        let slot = self.arrays.slot(self.array.load(Relaxed), 0);
        let old = slot.load(Relaxed);
        slot.store(item, Relaxed);
        drop(lock);
        self.heap.release(old);
        None
    }

    fn pop(&self) -> i64 {
        let lock = self.lock.lock();
        let size = self.size.load(Relaxed);
        if size == 0 {
            return -1;
        }
        let slot = self.arrays.slot(self.array.load(Relaxed), size - 1);
        let item = slot.load(Relaxed);
        self.size.store(size - 1, Relaxed);
        if !self.is(Mutant::SlotCheckOnly) {
            // Relaxed: the reference goes afterwards, with release, and only then may the
            // block become another object.
            slot.store(0, Relaxed);
        }
        drop(lock);
        let value = self.heap.value(item);
        self.heap.release(item);
        value
    }

    fn clear(&self, reader: &mut Reader) {
        let lock = self.lock.lock();
        let array = self.array.load(Relaxed);
        let items: Vec<usize> = (0..self.size.load(Relaxed))
            .map(|n| self.arrays.slot(array, n).load(Relaxed))
            .collect();
        self.size.store(0, Relaxed);
        // Relaxed: array 0 has no contents to publish.
        self.array.store(0, Relaxed);
        self.retire(reader, array, None);
        drop(lock);
        for item in items {
            self.heap.release(item);
        }
    }
}
