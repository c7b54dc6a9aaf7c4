//! Biased reference counts, as free-threaded CPython has them.
//!
//! # Question
//! Most objects are used by the thread that made them. Can that thread count without
//! atomic read-modify-writes, and still agree with everybody else on the last reference?
//!
//! # The idea
//! The count is split. `local` belongs to the *owner*, the thread that made the object,
//! which changes it with plain loads and stores. Everybody else changes `shared`, with
//! atomic steps. The true count is `local + shared`. Neither half alone tells whether the
//! object is dead, so the owner *merges*: when its half reaches zero it marks `shared` as
//! merged, and from then on whoever takes `shared` to zero frees the object.
//!
//! A foreign thread may drop a reference that the owner counted. The shared half would go
//! below zero, and the owner might never look again. So the thread that finds `shared` at
//! zero does not subtract: it leaves its reference to a *queue* and asks the owner, which
//! takes the entry at its next safe point and merges. If the owner has exited, the
//! queueing thread merges in its place.
//!
//! `shared` is four times its count plus a flag, and flags only grow: [`INITIAL`], then
//! [`MAYBE_WEAK`] (some place that lock-free readers use holds the address), [`QUEUED`],
//! [`MERGED`].
//!
//! # Obligations
//! * While unmerged, `local` is written by one thread; the owner of record never changes
//!   hands without an order between the two.
//! * A queue entry owns a reference: a listed object cannot die.
//! * A reader with a bare address may raise `shared` only where the owner will see it:
//!   not from the initial zero, where the owner frees after a load, and not from merged
//!   zero, where the object is dead already.
//! * An exiting owner leaves the thread table in the same critical section in which it
//!   finds its inbox empty, and afterwards touches no count.
//! * A collector that stops the world may give an object to another owner. A thread that
//!   read the owner before such a stop has to read it again under the table's lock:
//!   CPython 3.13 does not (`brc-stale-tid`).
//!
//! # Source
//! Choi, Shull, Torrellas: Biased Reference Counting, PACT 2018 (their form is in
//! [`biased_paper`](super::biased_paper)); CPython 3.13 `Include/object.h`,
//! `Objects/object.c` (`_Py_DecRefShared`, `_Py_MergeZeroLocalRefcount`,
//! `_Py_ExplicitMergeRefcount`), `Python/brc.c`. CPython makes every step on `shared`
//! sequentially consistent; here each has the weakest order that the checks accept.

mod after_zero;
mod checks;
mod operations;

pub use self::checks::*;
pub use self::operations::Extra;

use super::{Count, LastRites, Object, Op, Workshop, destroy, random};
use crate::ghost::{Ghost as _, require};
use crate::mutants;
use crate::protocol::{Fault, Property, Protocol, Scenario, Shape, Switch};
use crate::runtime::{Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use std::sync::OnceLock;

/// Only the owner has ever touched the count, or others balanced what they took.
pub const INITIAL: i64 = 0;
/// The address may be in a place that lock-free readers upgrade from.
pub const MAYBE_WEAK: i64 = 1;
/// An entry in the owner's inbox owns a reference.
pub const QUEUED: i64 = 2;
/// `local` is part of `shared`; there is no owner any more.
pub const MERGED: i64 = 3;
/// One reference in `shared`.
const ONE: i64 = 4;
const FLAGS: i64 = 3;

/// The two halves of the count.
pub struct Header<R: Runtime> {
    owner: R::AtomicUsize,
    local: R::AtomicU32,
    shared: R::AtomicI64,
    /// Written with `local`, so that two unordered writers of it are a data race.
    bias: R::Cell<u8>,
}

/// A thread in the table of owners.
struct Entry {
    id: usize,
    slot: usize,
    inbox: Vec<usize>,
}

/// What a thread carries.
pub struct Thread {
    id: usize,
    slot: usize,
    registered: bool,
    outbox: Vec<usize>,
}

/// The scheme.
pub struct Biased<R: Runtime, F: Fault<Mutant>> {
    objects: Box<[Object<R, Header<R>>]>,
    /// CPython has 257 such tables, chosen by thread id; one suffices for the algorithm.
    table: R::Mutex<Vec<Entry>>,
    /// Per thread: somebody left work, look at the next safe point.
    breaker: Box<[R::AtomicU8]>,
    /// Held where a thread cannot be stopped, by those whom a stop would have to wait for.
    world: R::Mutex<()>,
    rites: OnceLock<LastRites<R, Self>>,
    faults: F,
}

type Obj<R> = Object<R, Header<R>>;

impl<R: Runtime, F: Fault<Mutant>> Biased<R, F> {
    /// A heap of `shape.objects` blocks for `shape.threads` threads.
    pub fn with_faults(shape: Shape, faults: F) -> Self {
        let header = |n| Header {
            owner: R::AtomicUsize::new(0, Label::nth("owner", n)),
            local: R::AtomicU32::new(0, Label::nth("local", n)),
            shared: R::AtomicI64::new(0, Label::nth("shared", n)),
            bias: R::Cell::new(0, Label::nth("bias", n)),
        };
        let breaker = |n| R::AtomicU8::new(0, Label::nth("breaker", n));
        Self {
            objects: (0..shape.objects).map(|n| Object::blank(n, header(n))).collect(),
            table: R::Mutex::new(Vec::new(), "table"),
            world: R::Mutex::new((), "world"),
            breaker: (0..shape.threads).map(breaker).collect(),
            rites: OnceLock::new(),
            faults,
        }
    }

    #[inline]
    fn set_local(&self, header: &Header<R>, value: u32) {
        if R::OBSERVED {
            header.bias.write(0);
        }
        // Relaxed: read by its owner, and by others after an order only (B5).
        header.local.store(value, Relaxed);
    }

    /// One more reference; the caller has one.
    #[inline]
    pub fn add(&self, thread: &Thread, object: &Obj<R>) {
        let header = &object.header;
        // Relaxed loads: a thread reads its own id here only if it wrote it, or an id
        // that was handed to it with an order.
        if header.owner.load(Relaxed) == thread.id {
            self.set_local(header, header.local.load(Relaxed) + 1);
        } else {
            // Relaxed: the caller's reference keeps the object, nothing is decided.
            header.shared.fetch_add(ONE, Relaxed);
        }
    }

    /// One reference less.
    #[inline]
    pub fn sub(&self, thread: &mut Thread, object: &Obj<R>) {
        let header = &object.header;
        // Relaxed: as in `add`.
        if header.owner.load(Relaxed) == thread.id {
            let local = header.local.load(Relaxed) - 1;
            self.set_local(header, local);
            if local == 0 {
                self.merge_zero(thread, object);
            }
        } else {
            self.sub_shared(thread, object);
        }
    }

    /// One foreign reference less. Out of line here and below, as in CPython.
    #[inline(never)]
    fn sub_shared(&self, thread: &mut Thread, object: &Obj<R>) {
        let shared = &object.header.shared;
        // Relaxed here and in all loops below: a guess, which the exchange confirms.
        let mut old = shared.load(Relaxed);
        let (queue, new) = loop {
            let unqueued = match self.faults.is(Mutant::Requeue) {
                true => old & FLAGS != MERGED,
                false => old & FLAGS < QUEUED,
            };
            let queue = old >> 2 == 0 && unqueued;
            let new = match queue {
                // Not a decrement: our reference becomes the queue's.
                true if !self.faults.is(Mutant::QueueNoRef) => QUEUED,
                true => QUEUED - ONE,
                false => old - ONE,
            };
            // Release: what we did to the object comes before its end. Acquire: if this
            // is the end, it comes after what all others did.
            match shared.compare_exchange(old, new, AcqRel, Relaxed) {
                Ok(_) => break (queue, new),
                Err(found) => old = found,
            }
        };
        if queue {
            self.queue(thread, object);
        } else if new == MERGED {
            destroy(self, thread, object);
        }
    }

    /// The owner's half has just become zero.
    #[cold]
    #[inline(never)]
    fn merge_zero(&self, thread: &mut Thread, object: &Obj<R>) {
        let Header { owner, shared, .. } = &object.header;
        let relaxed = self.faults.is(Mutant::RelaxedZeroLoad);
        // Acquire: a zero may be another thread's +1 −1; what it did in between must be
        // visible to the destructor (python/cpython#118111). No read-modify-write: from
        // the initial flag nobody can raise the count without our knowledge.
        let mut old = shared.load(if relaxed { Relaxed } else { Acquire });
        let free = if self.faults.is(Mutant::IgnoreShared) {
            true
        } else if self.faults.is(Mutant::IgnoreFlags) {
            old >> 2 == 0
        } else {
            old == 0
        };
        if free {
            return destroy(self, thread, object);
        }
        if !self.faults.is(Mutant::OwnerAfterMerge) {
            // Relaxed, and before the exchange: afterwards the block may be another's.
            owner.store(0, Relaxed);
        }
        // Release: our uses come before the free by whoever drops last. Acquire: that
        // may be us, right here.
        while let Err(found) = shared.compare_exchange(old, old | MERGED, AcqRel, Relaxed) {
            old = found;
        }
        if old >> 2 == 0 {
            destroy(self, thread, object);
        } else if self.faults.is(Mutant::OwnerAfterMerge) {
            owner.store(0, Relaxed);
            object.ghost.touch();
        }
    }

    /// Adds the owner's half and `extra` to the shared half and ends the bias. By the
    /// owner, or in place of an owner that has left the table. True when the count is
    /// zero: the caller destroys.
    fn merge(&self, object: &Obj<R>, extra: i64) -> bool {
        object.ghost.touch();
        let Header { owner, local, shared, .. } = &object.header;
        // Relaxed: we are the owner, or the table's section comes after the owner's last step.
        let mine = i64::from(local.load(Relaxed));
        if !self.faults.is(Mutant::OwnerAfterMerge) {
            // Both before the exchange (python/cpython#119999).
            self.set_local(&object.header, 0);
            owner.store(0, Relaxed);
        }
        let mut old = shared.load(Relaxed);
        let count = loop {
            let others = match self.faults.is(Mutant::LogicalShift) {
                // The sign is lost; 28 bits, so that the model's sums do not overflow.
                true => ((old as u32) >> 2) as i64,
                false => old >> 2,
            };
            let count = others + mine + extra;
            // Acquire and release: as in `merge_zero`; drops that others made beside the queued
            // one, before or after, are ordered by this step alone.
            match shared.compare_exchange(old, count << 2 | MERGED, AcqRel, Relaxed) {
                Ok(_) => break count,
                Err(found) => old = found,
            }
        };
        if self.faults.is(Mutant::OwnerAfterMerge) {
            self.set_local(&object.header, 0);
            owner.store(0, Relaxed);
            object.ghost.touch();
        }
        count == 0
    }

    /// Leaves the caller's reference to the owner.
    #[cold]
    #[inline(never)]
    fn queue(&self, thread: &mut Thread, object: &Obj<R>) {
        // Relaxed: read again in the section below.
        let owner = object.header.owner.load(Relaxed);
        if owner == 0 {
            // A merge is under way or done; the flag is past initial, so this cannot
            // queue again.
            return self.sub(thread, object);
        }
        // Here CPython may detach, and a stopped world may change the owner.
        let mut table = self.table.lock();
        let owner = match self.faults.is(Mutant::StaleOwner) {
            true => owner,
            // Relaxed: the section orders it after a change of owner.
            false => object.header.owner.load(Relaxed),
        };
        if owner == 0 {
            drop(table);
            return self.sub(thread, object);
        }
        let Some(entry) = table.iter_mut().find(|e| e.id == owner) else {
            if self.faults.is(Mutant::AbandonUnlocked) {
                drop(table);
                if self.merge(object, -1) {
                    destroy(self, thread, object);
                }
                return;
            }
            // Inside the section: a new thread with this id registers either before,
            // and is found, or after, and then sees the owner gone.
            let dead = self.merge(object, -1);
            drop(table);
            if dead {
                destroy(self, thread, object);
            }
            return;
        };
        require(!entry.inbox.contains(&object.index), Kind::Invariant, || {
            format!("object[{}]: two entries in one inbox", object.index)
        });
        entry.inbox.push(object.index);
        // Inside the section, which keeps the thread registered. Relaxed: the bit only
        // says "look", the section orders what is found.
        self.breaker[entry.slot].store(1, Relaxed);
    }

    /// The owner's safe point.
    pub fn drain(&self, thread: &mut Thread) {
        // Relaxed: a missed bit is seen at the next safe point.
        if self.breaker[thread.slot].load(Relaxed) == 0 || !thread.registered {
            return;
        }
        if !self.faults.is(Mutant::ClearLate) {
            // First the bit, then the inbox: an entry that comes later sets it again.
            self.breaker[thread.slot].store(0, Relaxed);
        }
        let _world = self.world.lock();
        let mut table = self.table.lock();
        if let Some(entry) = table.iter_mut().find(|e| e.id == thread.id) {
            thread.outbox.append(&mut entry.inbox);
        }
        drop(table);
        if self.faults.is(Mutant::ClearLate) {
            self.breaker[thread.slot].store(0, Relaxed);
        }
        self.empty(thread);
    }

    fn empty(&self, thread: &mut Thread) {
        // Popped before merged: a destructor may come back here.
        while let Some(n) = thread.outbox.pop() {
            if self.merge(&self.objects[n], -1) {
                destroy(self, thread, &self.objects[n]);
            }
        }
    }

    /// The world is stopped, and the collector makes this thread the owner: it goes by the
    /// memory segment of the object, which need not be its maker's. Entries that wait are
    /// merged first. Threads between two steps of an operation cannot be stopped, except
    /// where they are about to take the table's lock.
    fn adopt(&self, thread: &mut Thread, object: &Obj<R>) {
        let _world = self.world.lock();
        let mut table = self.table.lock();
        let entry = table.iter_mut().find(|e| e.inbox.contains(&object.index));
        if let Some(entry) = entry {
            entry.inbox.retain(|n| *n != object.index);
            let dead = self.merge(object, -1);
            drop(table);
            if dead {
                destroy(self, thread, object);
            }
        } else if object.header.owner.load(Relaxed) != 0 {
            // Relaxed: the stopped world orders all before and all after it.
            object.header.owner.store(thread.id, Relaxed);
        }
    }

    fn register(&self, slot: usize, id: usize) -> Thread {
        self.table.lock().push(Entry { id, slot, inbox: Vec::new() });
        Thread { id, slot, registered: true, outbox: Vec::new() }
    }

    /// The thread leaves the table; afterwards it touches no count.
    fn unregister(&self, thread: &mut Thread) {
        while thread.registered {
            let mut table = self.table.lock();
            let Some(at) = table.iter().position(|e| e.id == thread.id && e.slot == thread.slot)
            else {
                break;
            };
            thread.outbox.append(&mut table[at].inbox);
            let leave = thread.outbox.is_empty() || self.faults.is(Mutant::UnlinkFirst);
            if leave {
                if self.faults.is(Mutant::ExitGap) {
                    drop(table);
                    table = self.table.lock();
                }
                table.retain(|e| e.slot != thread.slot);
                thread.registered = false;
            }
            drop(table);
            self.empty(thread);
        }
        thread.id = usize::MAX;
    }

    /// A reference from an address, without a lock. From the initial flag it may refuse
    /// a live object: callers need a fallback.
    pub fn try_add(&self, thread: &Thread, object: &Obj<R>) -> bool {
        let header = &object.header;
        if header.owner.load(Relaxed) == thread.id {
            self.set_local(header, header.local.load(Relaxed) + 1);
            return true;
        }
        let mut old = header.shared.load(Relaxed);
        loop {
            let dead = old == INITIAL && !self.faults.is(Mutant::TryZero)
                || old == MERGED && !self.faults.is(Mutant::TryDead);
            if dead {
                return false;
            }
            // Relaxed, as in `atomic`: whoever published the address published the object, and
            // an increment decides nothing. The decrements before it pass through it to the
            // last one (a release sequence).
            match header.shared.compare_exchange(old, old + ONE, Relaxed, Relaxed) {
                Ok(_) => return true,
                Err(found) => old = found,
            }
        }
    }

    /// Before the address enters a place that [`Self::try_add`] reads from.
    pub fn set_maybe_weak(&self, object: &Obj<R>) {
        let shared = &object.header.shared;
        let mut old = shared.load(Relaxed);
        while old & FLAGS == INITIAL {
            if self.faults.is(Mutant::FlagStore) {
                return shared.store(old | MAYBE_WEAK, Relaxed);
            }
            // Relaxed: who finds the address in that place found it published after this, and
            // an owner whose half is zero holds the caller's reference already.
            match shared.compare_exchange(old, old | MAYBE_WEAK, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(found) => old = found,
            }
        }
    }
}
