//! Atomic reference counts with the weakest sufficient orders.
//!
//! # Question
//! The oldest answer to losing the global lock: make the count an atomic integer. Which
//! orders does it need, and what may be done to a count of zero?
//!
//! # Obligations
//! A thread that holds a reference knows that the count is at least one, so taking a
//! further reference needs no order at all. Giving one up publishes everything the thread
//! did to the object; the thread that takes the count to zero must see all of that before
//! it destroys the object. A reference made from a bare address must never revive an object
//! whose count has reached zero. A count that leaks increments must not wrap around.
//!
//! # Source
//! Rust's `Arc` and C++'s `shared_ptr` for the orders, Linux' `refcount_t` for saturation;
//! the interlocked counts of Stein's 1996 patch for Python 1.4 are the same algorithm with
//! full barriers.

mod checks;

pub use self::checks::*;

use super::{Count, LastRites, Nothing, Object, Op, Workshop, destroy, global_lock, random};
use crate::enumerate::Start;
use crate::mutants;
use crate::protocol::{Draw, Fault, Property, Protocol, Scenario, Shape, Switch};
use crate::runtime::{Atomic as _, Label, Ordering, Ordering::*, Runtime};
use crate::verdict::Kind;
use std::sync::OnceLock;

/// The scheme. `LIMIT` is half of the usable range: at or above it a count is *saturated*,
/// the object leaks rather than being freed too early. It is far below the type's maximum
/// because several threads may be between reading the count and pinning it.
pub struct AtomicCount<R: Runtime, F: Fault<Mutant>, const LIMIT: u32 = { 1 << 31 }> {
    objects: Box<[Object<R, Header<R>>]>,
    rites: OnceLock<LastRites<R, Self>>,
    faults: F,
}

/// One word per object.
pub struct Header<R: Runtime> {
    count: R::AtomicU32,
}

/// A three-bit count, for the mutant that wraps.
const NARROW: u32 = 8;

impl<R: Runtime, F: Fault<Mutant>, const LIMIT: u32> AtomicCount<R, F, LIMIT> {
    /// A heap of `objects` blocks.
    pub fn with_faults(objects: usize, faults: F) -> Self {
        let blank = |n| {
            Object::blank(
                n,
                Header { count: R::AtomicU32::new(0, Label::part("object", "count", n)) },
            )
        };
        Self { objects: (0..objects).map(blank).collect(), rites: OnceLock::new(), faults }
    }

    /// Sets what happens to an object without references; once.
    pub fn set_rites(&self, rites: LastRites<R, Self>) {
        let _ = self.rites.set(rites);
    }

    /// The count now.
    pub fn peek(&self, header: &Header<R>) -> u32 {
        // Relaxed: a look, at quiescence or by a mutant.
        header.count.load(Relaxed)
    }

    /// A temporary reference to an object whose count has reached zero, for its finalizer.
    /// Zero is final for everybody else, so nobody interferes.
    pub fn revive(&self, header: &Header<R>) {
        // Relaxed: the caller's acquire fence came before; who gets a reference from the
        // finalizer gets it by way of some lock.
        header.count.store(1, Relaxed);
    }

    /// The mutant end of a revival: a load and a store.
    pub fn end_plain(&self, header: &Header<R>) -> bool {
        let count = header.count.load(Acquire);
        header.count.store(count - 1, Release);
        count == 1
    }

    /// The blocks.
    pub fn heap(&self) -> &[Object<R, Header<R>>] {
        &self.objects
    }

    /// One reference, before publication.
    #[inline]
    pub fn first(&self, header: &Header<R>) {
        // Relaxed: whoever publishes the object orders this store before its readers.
        header.count.store(1, Relaxed);
    }

    /// One reference to an object in a block that stale readers may still look at.
    pub fn first_reused(&self, header: &Header<R>) {
        // Release: pairs with `try_add_reused`; whoever counts on this life of the block
        // also sees that the earlier one has ended.
        header.count.store(1, Release);
    }

    /// Makes a new object immortal: its count starts saturated.
    pub fn first_immortal(&self, header: &Header<R>) {
        // Release: as in `first_reused`, whose store this one hides. No scenario can show it:
        // RC11 counts a thread's later stores among the release sequence of its earlier ones.
        // C++20 does not.
        header.count.store(LIMIT + LIMIT / 2, Release);
    }

    /// Whether the count is saturated and counts nothing any more.
    pub fn is_immortal(&self, header: &Header<R>) -> bool {
        // Relaxed: for ever true once true; the list looks at its slot and version afterwards.
        header.count.load(Relaxed) >= LIMIT
    }

    /// [`Self::try_add`] for a block that may have become another object: the caller looks
    /// at the pointer again afterwards, and `order` is what makes that look current.
    pub fn try_add_reused(&self, header: &Header<R>, order: Ordering) -> bool {
        // Relaxed: a guess, which the exchange confirms.
        let mut count = header.count.load(Relaxed);
        while count != 0 {
            match header.count.compare_exchange(count, count + 1, order, Relaxed) {
                Ok(_) => return true,
                Err(found) => count = found,
            }
        }
        false
    }

    /// One more reference.
    #[inline]
    pub fn add(&self, header: &Header<R>) {
        if self.faults.is(Mutant::PlainCount) {
            let count = header.count.load(Relaxed);
            header.count.store(count + 1, Relaxed);
            return;
        }
        // Relaxed: the caller's own reference keeps the count above zero, so nothing is
        // decided here. Orders with nobody.
        let old = header.count.fetch_add(1, Relaxed);
        if self.faults.is(Mutant::Wrap) {
            if old + 1 == NARROW {
                header.count.fetch_sub(NARROW, Relaxed);
            }
        } else if old >= LIMIT {
            self.saturate(header);
        }
    }

    /// One reference less; true when the caller must destroy the object.
    #[inline]
    pub fn sub(&self, header: &Header<R>) -> bool {
        let last = if self.faults.is(Mutant::FenceBefore) {
            R::fence(Acquire);
            header.count.fetch_sub(1, Release)
        } else if self.faults.is(Mutant::RelaxedDecr) {
            header.count.fetch_sub(1, Relaxed)
        } else {
            // Release: pairs with the acquire fence of the last dropper. Each
            // read-modify-write continues the release sequences of those before it, so
            // the last one is ordered after every earlier holder.
            header.count.fetch_sub(1, Release)
        };
        if last != 1 {
            if last > LIMIT && !self.faults.is(Mutant::Wrap) {
                self.saturate(header);
            }
            return false;
        }
        if !self.faults.is(Mutant::NoAcquire) && !self.faults.is(Mutant::FenceBefore) {
            // Acquire: pairs with the release decrements of all other holders. A fence
            // instead of an acquire decrement, so that only the last dropper pays.
            R::fence(Acquire);
        }
        true
    }

    /// A reference from an address.
    #[inline]
    pub fn try_add(&self, header: &Header<R>) -> bool {
        if self.faults.is(Mutant::TryAddUndo) {
            let old = header.count.fetch_add(1, Relaxed);
            if old == 0 {
                header.count.fetch_sub(1, Relaxed);
            }
            return old != 0;
        }
        if self.faults.is(Mutant::TryCheckThenAdd) {
            let alive = header.count.load(Relaxed) != 0;
            if alive {
                header.count.fetch_add(1, Relaxed);
            }
            return alive;
        }
        // Relaxed loads and exchange: the pointer itself came from a place that was
        // published with release; the count only has to stay an exact count. Zero is
        // final, so a load of zero refuses whatever it was ordered with.
        let mut count = header.count.load(Relaxed);
        loop {
            if count == 0 {
                return false;
            }
            match header.count.compare_exchange(count, count + 1, Relaxed, Relaxed) {
                Ok(_) => return true,
                Err(found) => count = found,
            }
        }
    }

    /// Pins a count in the middle of the saturated range, so that any number of
    /// increments and decrements under way leave it there.
    #[cold]
    #[inline(never)]
    fn saturate(&self, header: &Header<R>) {
        // Relaxed: a saturated count frees nothing, so that it orders nothing.
        header.count.store(LIMIT + LIMIT / 2, Relaxed);
    }
}

impl<R: Runtime, F: Fault<Mutant>, const LIMIT: u32> Count<R> for AtomicCount<R, F, LIMIT> {
    type Mutant = Mutant;
    type Faults = F;
    type Header = Header<R>;
    type Thread = ();
    type Extra = Nothing;

    fn new(shape: Shape, faults: F) -> Self {
        Self::with_faults(shape.objects, faults)
    }
    fn objects(&self) -> &[Object<R, Header<R>>] {
        self.heap()
    }
    fn attach(&self, _: usize) {}
    fn detach(&self, (): ()) {}
    fn init(&self, (): &mut (), object: &Object<R, Header<R>>) {
        self.first(&object.header);
    }
    #[inline]
    fn incref(&self, (): &mut (), object: &Object<R, Header<R>>) {
        self.add(&object.header);
    }
    #[inline]
    fn decref(&self, thread: &mut (), object: &Object<R, Header<R>>) {
        if self.sub(&object.header) && !self.faults.is(Mutant::ZeroNothing) {
            destroy(self, thread, object);
        }
    }
    fn try_incref(&self, (): &mut (), object: &Object<R, Header<R>>) -> bool {
        self.try_add(&object.header)
    }
    fn extra(&self, (): &mut (), extra: Nothing) -> Option<i64> {
        match extra {}
    }
    fn last_rites(&self) -> Option<&LastRites<R, Self>> {
        self.rites.get()
    }
    fn settled(&self, object: &Object<R, Header<R>>) -> Option<i64> {
        let count = object.header.count.load(Relaxed);
        (count < LIMIT).then_some(i64::from(count))
    }
}
