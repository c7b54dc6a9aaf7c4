//! Biased reference counts, as free-threaded CPython has them.
//!
//! # Question
//! Most objects are used by the thread that made them. Can that thread count without
//! atomic read-modify-writes, and still agree with everybody else on the last reference?
//!
//! # The idea
//! The count is split. `local` belongs to the *owner*, the thread that made the object,
//! which changes it with a load and a store (relaxed: as cheap as plain ones). Everybody else
//! changes `shared`, with atomic steps. The true count is `local + shared`; a reference may be
//! counted in one half and dropped in the other, so each half alone says nothing, and `shared`
//! may be negative. `local` never is: an owner that takes it to zero gives up the object, and
//! whatever it drops afterwards it drops as a stranger.
//!
//! Somebody has to add the halves up. When the owner's half reaches zero, the owner *merges*:
//! it marks `shared` as merged and gives up the object, and from then on whoever takes
//! `shared` to zero frees it. But a foreign thread may drop a reference that the owner counted
//! while the owner never looks again. So the first foreign drop that would take `shared` below
//! zero does not subtract: it leaves its reference to a *queue* and asks the owner, which
//! subtracts and merges at its next *safe point*, a place between two bytecode instructions
//! where it looks for requests. (An owner that never gets to one delays the free without
//! bound.) Later foreign drops just subtract, below zero too. If the owner has exited, the
//! queueing thread merges in its place.
//!
//! `shared` is one word, four times its count plus a flag. In the course of a life (a revival
//! begins a new one) the flag only grows:
//!
//! | flag | since | what a foreign drop does | what the owner does when `local` is zero |
//! |---|---|---|---|
//! | [`INITIAL`] | the object was made | subtracts; at count zero queues | frees if the whole word is zero, else merges |
//! | [`MAYBE_WEAK`] | its address is about to be in a place that is read without a lock | the same | merges |
//! | [`QUEUED`] | an entry in the owner's inbox owns a reference, or is about to | subtracts, below zero too | merges |
//! | [`MERGED`] | the halves were added up | subtracts; frees at zero | is no owner |
//!
//! # A life
//! Thread 1 makes an object and passes one of its two references to thread 2, without a
//! change of counts: a reference does not know who counted it.
//!
//! | step | owner | local | shared | references |
//! |---|---|---:|---|---:|
//! | 1 makes it, takes a second reference, passes it to 2 | 1 | 2 | 0 initial | 2 |
//! | 2 drops: at zero it queues; its reference is the queue's now | 1 | 2 | 0 queued | 2 |
//! | 1 drops its own | 1 | 1 | 0 queued | 1 |
//! | 1 at a safe point: 1 + 0 and the queue's one less | none | 0 | 0 merged: freed | 0 |
//!
//! # Obligations (B1 to B10 are the properties in `checks.rs`, by the names of the literature's notes)
//! * (B1) `local + shared` is the number of references, those of queue entries included.
//! * (B4) Whoever ends the object has an order after every drop by others: each change of
//!   `shared` that takes a reference away is a release, the last look an acquire.
//! * (B5) While unmerged, `local` is written by one thread; the owner of record never changes
//!   hands without an order between the two.
//! * (B2, B3) A queue entry owns a reference: a queued object cannot die; and there is one only.
//! * (B6) A reader with a bare address may raise `shared` only where the owner will see it:
//!   not from the initial zero, where the owner frees after a load, and not from merged
//!   zero, where the object is dead already.
//! * (B7) An exiting owner leaves the thread table in the same critical section in which it
//!   finds its inbox empty, and afterwards changes no local half; what it still drops, it drops
//!   as a stranger. Its objects keep its number and its half. A new thread with the same number
//!   simply goes on counting there.
//! * (B10) Destructors, which may drop more and queue it, run outside the table's lock.
//! * (B5) A collector that stops the world may give an object to another owner. A thread that
//!   read the owner before such a stop has to read it again under the table's lock:
//!   CPython 3.13 does not (`brc-stale-tid`).
//!
//! # To read on
//! This file counts and merges, [`handoff`] queues and deals with exits, [`upgrade`] makes
//! references from addresses; `after_zero.rs` is for finalizers; `checks.rs` has the planted
//! faults, the scenarios and the properties, `operations.rs` ties the scenarios' operations to
//! this interface. `faults.is(…)` plants a fault and is false in the scheme; `ghost`, `bias` and
//! `require` belong to the observer.
//!
//! # Source
//! Choi, Shull, Torrellas: Biased Reference Counting, PACT 2018 (their form is in
//! [`biased_paper`](super::biased_paper)); CPython 3.13 `Include/object.h`,
//! `Objects/object.c` (`_Py_DecRefShared`, `_Py_MergeZeroLocalRefcount`,
//! `_Py_ExplicitMergeRefcount`), `Python/brc.c`. CPython makes every
//! read-modify-write of `shared` sequentially consistent; here each has the weakest order that
//! the checks accept.

mod after_zero;
mod checks;
pub mod handoff;
mod operations;
pub mod upgrade;

pub use self::checks::*;
pub use self::handoff::Thread;
pub use self::operations::Extra;

use self::handoff::Entry;

use super::{Count, LastRites, Object, Op, Workshop, destroy, random, workshop};
use crate::enumerate::{Place, Start};
use crate::ghost::require;
use crate::protocol::{Draw, Fault, Property, Protocol, SKIPPED, Scenario, Shape, Switch};
use crate::runtime::{Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};
use std::sync::OnceLock;

/// Not announced, not queued, not merged. If the count is zero as well, only the owner has
/// references, or others have given back what they took.
pub const INITIAL: i64 = 0;
/// The address may be in a place that lock-free readers upgrade from.
pub const MAYBE_WEAK: i64 = 1;
/// An entry in the owner's inbox owns a reference, or is about to be made, or the thread that
/// was to make it found no owner and drops its reference itself.
pub const QUEUED: i64 = 2;
/// `local` is part of `shared`; there is no owner any more.
pub const MERGED: i64 = 3;
/// One reference in `shared`.
const ONE: i64 = 4;
const FLAGS: i64 = 3;

/// The two halves of the count.
pub struct Header<R: Runtime> {
    /// The number of the thread that owns `local`; 0 for none.
    owner: R::AtomicUsize,
    /// The owner's half: loaded and stored, never changed in one step.
    local: R::AtomicU32,
    /// Everybody else's half, and the flag.
    shared: R::AtomicI64,
    /// Written with `local`, so that two unordered writers of it are a data race.
    bias: R::Cell<u8>,
}

/// The scheme.
pub struct Biased<R: Runtime, F: Fault<Mutant>> {
    objects: Box<[Object<R, Header<R>>]>,
    /// CPython has 257 such tables, chosen by thread id; one suffices for the algorithm.
    table: R::Mutex<Vec<Entry>>,
    /// Per thread: somebody left work, look at the next safe point.
    breaker: Box<[R::AtomicU8]>,
    /// A stop of the world, as far as a scenario needs one: a collector holds it while it gives
    /// objects to another owner, an owner while entries are between its inbox and their merge.
    /// Counting does not take it: scenarios keep the old owner from counting beside a stop.
    world: R::Mutex<()>,
    /// A place that is read without a lock: one past the number of the object that it refers to.
    slot: R::AtomicUsize,
    /// What happens at zero instead of a plain free; for weak references and finalizers.
    rites: OnceLock<LastRites<R, Self>>,
    faults: F,
}

type Obj<R> = Object<R, Header<R>>;

impl<R: Runtime, F: Fault<Mutant>> Biased<R, F> {
    #[inline]
    fn set_local(&self, header: &Header<R>, value: u32) {
        if R::OBSERVED {
            header.bias.write(0);
        }
        // Relaxed: read by its owner, and by others after an order only (B5); `peek` is a look
        // from outside.
        header.local.store(value, Relaxed);
    }

    /// One more reference; the caller has one.
    #[inline]
    pub fn add(&self, thread: &Thread, object: &Obj<R>) {
        let header = &object.header;
        // Relaxed loads: a thread reads its own id here only if it wrote it, or an id that was
        // handed to it with an order. Whatever other value it reads, stale or not, is not its
        // own, and the shared half is always right to change.
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
        // Release: what we did to the object comes before its end. Acquire: if this is the end,
        // it comes after what all others did.
        // Relaxed here and in all loops below: a guess, which the exchange confirms.
        let mut old = shared.load(Relaxed);
        let (queue, new) = loop {
            let unqueued = match self.faults.is(Mutant::Requeue) {
                true => old & FLAGS != MERGED,
                false => old & FLAGS < QUEUED,
            };
            // Once queued, the count may fall below zero: the owner will add its half. Once
            // merged, `old` counts our reference and cannot be zero.
            let queue = old >> 2 == 0 && unqueued;
            let new = match queue {
                // Not a decrement: our reference becomes the queue's.
                true if !self.faults.is(Mutant::QueueNoRef) => QUEUED,
                true => QUEUED - ONE,
                false => old - ONE,
            };
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

    /// The owner's half has just become zero: nothing to add to the other, but its flag.
    #[cold]
    #[inline(never)]
    fn merge_zero(&self, thread: &mut Thread, object: &Obj<R>) {
        let Header { owner, shared, .. } = &object.header;
        let relaxed = self.faults.is(Mutant::RelaxedZeroLoad);
        // Acquire: a zero may be another thread's +1 −1; what it did in between must be
        // visible to the destructor (python/cpython#118111). No read-modify-write: if both
        // halves are zero no reference is left to copy, and upgrades refuse the initial zero.
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
        }
    }

    /// Adds the owner's half and `extra` to the shared half and ends the bias. By the
    /// owner, in place of an owner that has left the table, or in a stopped world; of an object
    /// that was merged already it only adds `extra`. True when the count is zero: the caller
    /// destroys.
    fn merge(&self, object: &Obj<R>, extra: i64) -> bool {
        let Header { owner, local, shared, .. } = &object.header;
        // Relaxed: we are the owner, or the table's section or the stopped world comes after the
        // owner's last step.
        let mine = i64::from(local.load(Relaxed));
        if !self.faults.is(Mutant::OwnerAfterMerge) {
            // Both before the exchange (python/cpython#119999).
            self.set_local(&object.header, 0);
            owner.store(0, Relaxed);
        }
        let mut old = shared.load(Relaxed);
        let count = loop {
            let others = match self.faults.is(Mutant::LogicalShift) {
                // The sign is lost; of 32 bits only, so that the model's sums do not overflow.
                true => ((old as u32) >> 2) as i64,
                false => old >> 2,
            };
            let count = others + mine + extra;
            // Acquire and release: as in `merge_zero`. The queued drop is ordered by the table's
            // lock, all other foreign drops by this step alone.
            match shared.compare_exchange(old, count << 2 | MERGED, AcqRel, Relaxed) {
                Ok(_) => break count,
                Err(found) => old = found,
            }
        };
        if self.faults.is(Mutant::OwnerAfterMerge) {
            self.set_local(&object.header, 0);
            owner.store(0, Relaxed);
        }
        count == 0
    }
}
