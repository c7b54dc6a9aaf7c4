//! Biased reference counts, as published.
//!
//! # Question
//! The paper's scheme differs from CPython's (see [`biased`](super::biased)) in what a
//! queue entry is. A foreign decrement always subtracts; the first that takes the shared
//! half below zero puts the object on its owner's list, and the list holds *no* reference.
//! Is a listed object kept alive by anything?
//!
//! # Obligations
//! The object on the list must not be freed before its entry is taken. The owner that
//! merges at zero therefore looks at the queued flag: a queued object is left to the list.
//! The owner clears its word before the exchange that merges, since afterwards whoever drops
//! last may free the block. As recalled, the paper clears it after: `paper-owner-after-merge`, a write to freed memory in four steps of two threads.
//!
//! # Source
//! Choi, Shull, Torrellas: Biased Reference Counting, PACT 2018, recalled rather than
//! quoted. The owner's check of the queued flag is this project's reading: without it
//! (`paper-free-listed`) the object dies while listed. The memory orders are this
//! project's too: the weakest that the checks accept, at the same places as in
//! [`biased`](super::biased).

mod checks;

pub use self::checks::*;

use super::{Count, Nothing, Object, Op, Workshop, destroy, random, workshop};
use crate::enumerate::{Place, Start};
use crate::protocol::{Draw, Fault, Property, Protocol, Reach, Scenario, Shape, Switch};
use crate::runtime::{Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime};
use crate::{mutants, properties};

const QUEUED: i64 = 1;
const MERGED: i64 = 2;
const FLAGS: i64 = 3;
const ONE: i64 = 4;

/// The scheme. Owners never exit while others hold references: the paper leaves the exit
/// to the runtime, and CPython's handshake is in [`biased`](super::biased).
pub struct Paper<R: Runtime, F> {
    objects: Box<[Object<R, Header<R>>]>,
    lists: Box<[R::Mutex<Vec<usize>>]>,
    faults: F,
}

/// The two halves.
pub struct Header<R: Runtime> {
    owner: R::AtomicUsize,
    biased: R::AtomicU32,
    shared: R::AtomicI64,
    /// Written with `biased`, so that two unordered writers of it are a data race.
    bias: R::Cell<u8>,
}

type Obj<R> = Object<R, Header<R>>;

impl<R: Runtime, F: Fault<Mutant>> Paper<R, F> {
    fn with_faults(shape: Shape, faults: F) -> Self {
        let header = |n| Header {
            owner: R::AtomicUsize::new(0, Label::part("object", "owner", n)),
            biased: R::AtomicU32::new(0, Label::part("object", "biased", n)),
            shared: R::AtomicI64::new(0, Label::part("object", "shared", n)),
            bias: R::Cell::new(0, Label::part("object", "bias", n)),
        };
        let list = |n| R::Mutex::new(Vec::new(), Label::nth("list", n));
        Self {
            objects: (0..shape.objects).map(|n| Object::blank(n, header(n))).collect(),
            lists: (0..shape.threads).map(list).collect(),
            faults,
        }
    }

    fn set_biased(&self, header: &Header<R>, value: u32) {
        if R::OBSERVED {
            header.bias.write(0);
        }
        // Relaxed: only its owner reads it (P4).
        header.biased.store(value, Relaxed);
    }

    /// Sets the merged flag; the shared word from before.
    fn mark_merged(&self, header: &Header<R>, add: i64) -> i64 {
        // Relaxed here and in all loops below: a guess, which the exchange confirms.
        let mut old = header.shared.load(Relaxed);
        loop {
            let new = (old + add * ONE) | MERGED;
            // Release: our uses come before the free by whoever drops last. Acquire: that may
            // be us. Less than both and the last drop races with a use (P4).
            match header.shared.compare_exchange(old, new, AcqRel, Relaxed) {
                Ok(_) => return old + add * ONE,
                Err(found) => old = found,
            }
        }
    }

    fn sub_biased(&self, thread: &mut usize, object: &Obj<R>) {
        let header = &object.header;
        // Relaxed: our own half.
        let left = header.biased.load(Relaxed) - 1;
        self.set_biased(header, left);
        if left > 0 {
            return;
        }
        let late = self.faults.is(Mutant::OwnerAfterMerge);
        if !late {
            // Relaxed, and before the exchange. A thread that reads no owner here finds its
            // own reference in the shared half, so it never needs one to queue for.
            header.owner.store(0, Relaxed);
        }
        let shared = self.mark_merged(header, 0);
        let listed = shared & QUEUED != 0 && !self.faults.is(Mutant::FreeListed);
        if shared >> 2 == 0 && !listed {
            return destroy(self, thread, object);
        }
        if late && !listed {
            header.owner.store(0, Relaxed);
        }
    }

    fn sub_shared(&self, thread: &mut usize, object: &Obj<R>) {
        let header = &object.header;
        // Relaxed: read before the decrement, while our reference keeps the object.
        let owner = header.owner.load(Relaxed);
        let mut old = header.shared.load(Relaxed);
        let new = loop {
            let mut new = old - ONE;
            let flag = self.faults.is(Mutant::NoQueuedFlag);
            if new < 0 && old & FLAGS == 0 && !flag {
                new |= QUEUED;
            }
            // Acquire and release: as above.
            let relaxed = self.faults.is(Mutant::DropRelaxed);
            let order = if relaxed { Relaxed } else { AcqRel };
            match header.shared.compare_exchange(old, new, order, Relaxed) {
                Ok(_) => break new,
                Err(found) => old = found,
            }
        };
        if new & QUEUED > old & QUEUED || self.faults.is(Mutant::NoQueuedFlag) && new < 0 {
            self.lists[owner - 1].lock().push(object.index);
        } else if new & MERGED != 0 && new & QUEUED == 0 && new >> 2 == 0 {
            destroy(self, thread, object);
        }
    }
}

impl<R: Runtime, F: Fault<Mutant>> Paper<R, F> {
    /// The owner's safe point.
    fn drain(&self, thread: &mut usize) {
        let mut entries = std::mem::take(&mut *self.lists[*thread - 1].lock());
        if self.faults.is(Mutant::PollLosesOne) {
            entries.pop();
        }
        for n in entries {
            let object = &self.objects[n];
            let header = &object.header;
            // Relaxed: our own half; before the exchange, as above.
            let forgets = self.faults.is(Mutant::ListForgetsBias);
            let mine = if forgets { 0 } else { i64::from(header.biased.load(Relaxed)) };
            self.set_biased(header, 0);
            header.owner.store(0, Relaxed);
            // The entry is taken: from now on zero frees.
            let mut old = header.shared.load(Relaxed);
            let count = loop {
                let new = ((old + mine * ONE) | MERGED) & !QUEUED;
                // Acquire and release: as above.
                match header.shared.compare_exchange(old, new, AcqRel, Relaxed) {
                    Ok(_) => break new >> 2,
                    Err(found) => old = found,
                }
            };
            if count == 0 {
                destroy(self, thread, object);
            }
        }
    }
}

impl<R: Runtime, F: Fault<Mutant>> Count<R> for Paper<R, F> {
    type Mutant = Mutant;
    type Faults = F;
    type Header = Header<R>;
    type Thread = usize;
    type Extra = Nothing;

    fn new(shape: Shape, faults: F) -> Self {
        Self::with_faults(shape, faults)
    }
    fn objects(&self) -> &[Obj<R>] {
        &self.objects
    }
    fn attach(&self, n: usize) -> usize {
        n + 1
    }
    fn detach(&self, mut thread: usize) {
        self.drain(&mut thread);
    }
    fn init(&self, thread: &mut usize, object: &Obj<R>) {
        // Relaxed: whoever publishes the object orders these before its readers.
        object.header.owner.store(*thread, Relaxed);
        self.set_biased(&object.header, 1);
        object.header.shared.store(0, Relaxed);
    }
    fn incref(&self, thread: &mut usize, object: &Obj<R>) {
        let header = &object.header;
        // Relaxed: a thread reads its own id here only if it wrote it.
        if header.owner.load(Relaxed) == *thread && header.biased.load(Relaxed) > 0 {
            self.set_biased(header, header.biased.load(Relaxed) + 1);
        } else {
            // Relaxed: the caller's reference keeps the object, nothing is decided.
            header.shared.fetch_add(ONE, Relaxed);
        }
    }
    fn decref(&self, thread: &mut usize, object: &Obj<R>) {
        let header = &object.header;
        // Relaxed: as in `incref`.
        if header.owner.load(Relaxed) == *thread && header.biased.load(Relaxed) > 0 {
            self.sub_biased(thread, object);
        } else {
            self.sub_shared(thread, object);
        }
    }
    fn try_incref(&self, _: &mut usize, _: &Obj<R>) -> bool {
        false
    }
    fn poll(&self, thread: &mut usize) {
        if !self.faults.is(Mutant::PollNothing) {
            self.drain(thread);
        }
    }
    fn extra(&self, _: &mut usize, extra: Nothing) -> Option<i64> {
        match extra {}
    }
    fn settle(&self) {
        for n in 0..self.lists.len() {
            self.drain(&mut (n + 1));
        }
    }
    fn settled(&self, object: &Obj<R>) -> Option<i64> {
        // Relaxed: all threads have ended and were joined.
        let biased = i64::from(object.header.biased.load(Relaxed));
        Some(biased + (object.header.shared.load(Relaxed) >> 2))
    }
}
