//! What a dict stands on: counted objects, a lock, and memory for its tables.
//!
//! [`Plain`] is what a dict is checked with alone: atomic counts, a mutex that nobody gives up, and tables that are
//! never freed. [`subscript`](super::subscript) puts other schemes in their places.

use super::heap::{Attempt, Heap};
use crate::protocol::Shape;
use crate::runtime::{Lock as _, Ordering, Ordering::*, Runtime};

/// A fault of who puts the parts together, where the dict has to bend for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bend {
    /// An old value is released before the new one is stored.
    ReleaseFirst,
    /// A table is retired before the next one is published.
    RetireFirst,
}

/// See above. Items are numbers of objects, tables numbers of tables.
pub trait Ground<R: Runtime>: Send + Sync + 'static {
    /// What a thread has of its own.
    type Thread;
    /// Whether a fault is planted.
    fn is(&self, _: Bend) -> bool {
        false
    }
    /// In which orders a place of an item is read and written: relaxed where the item's count carries what its
    /// maker wrote.
    fn orders(&self) -> (Ordering, Ordering) {
        (Relaxed, Relaxed)
    }
    /// A new object with one reference.
    fn make(&self, thread: &mut Self::Thread, value: i64) -> usize;
    /// One reference less.
    fn release(&self, thread: &mut Self::Thread, item: usize);
    /// What an object holds; the caller has a reference, or the lock.
    fn value(&self, item: usize) -> i64;
    /// See `Heap::attempt`.
    fn attempt(
        &self,
        thread: &mut Self::Thread,
        item: usize,
        how: Attempt,
        still: impl FnOnce() -> bool,
    ) -> Option<i64>;
    /// With the dict's lock.
    fn locked<T>(
        &self,
        thread: &mut Self::Thread,
        inside: impl FnOnce(&mut Self::Thread) -> T,
    ) -> T;
    /// A table is about to be read or written.
    fn touch(&self, _table: usize) {}
    /// A table is about to be filled.
    fn fill(&self, _table: usize) {}
    /// Nobody finds a table any more who does not have it already.
    fn retire(&self, _thread: &mut Self::Thread, _table: usize) {}
    /// At quiescence.
    fn settle(&self);
}

/// The plain ground.
pub struct Plain<R: Runtime> {
    heap: Heap<R>,
    lock: R::Mutex<()>,
}

impl<R: Runtime> Plain<R> {
    pub(super) fn new(shape: Shape) -> Self {
        Self { heap: Heap::new(shape), lock: R::Mutex::new((), "dict") }
    }
}

impl<R: Runtime> Ground<R> for Plain<R> {
    type Thread = ();

    fn make(&self, (): &mut (), value: i64) -> usize {
        self.heap.make(value)
    }

    fn release(&self, (): &mut (), item: usize) {
        self.heap.release(item);
    }

    fn value(&self, item: usize) -> i64 {
        self.heap.value(item)
    }

    fn attempt(
        &self,
        (): &mut (),
        item: usize,
        how: Attempt,
        still: impl FnOnce() -> bool,
    ) -> Option<i64> {
        self.heap.attempt(item, how, still)
    }

    fn locked<T>(&self, thread: &mut (), inside: impl FnOnce(&mut ()) -> T) -> T {
        let _lock = self.lock.lock();
        inside(thread)
    }

    fn settle(&self) {
        self.heap.settle();
    }
}
