//! Immortal objects and saturation.
//!
//! # Question
//! `None`, small integers, interned strings: counted by everybody, freed by nobody. Can an
//! object be exempt from counting, also while others are counting it?
//!
//! # Obligations
//! Immortal means: the owner's half is all ones. Every operation looks at it first and then
//! does nothing. The owner's count that reaches all ones by itself stays there: overflow
//! leaks, it never wraps. Making an object immortal writes its header with plain stores,
//! so it is for the owner, for unpublished objects, or for a stopped world. A merge that
//! was asked for before must look again, or it takes all ones for a count.
//!
//! # Orders
//! Becoming immortal needs none. Every reader may see the header half changed, or not yet, and
//! stays right: a stale one counts in a half that no longer counts, and only the owner, which
//! reads its own stores, ever frees by the sum. A mortal object has the orders of
//! [`biased`](super::biased) at the same places. CPython is stronger on the shared half, where
//! every read-modify-write is sequentially consistent, and weaker on becoming immortal: its three
//! stores are plain.
//!
//! # Source
//! CPython 3.13 free-threaded: `Include/object.h` (`_Py_IMMORTAL_REFCNT_LOCAL`),
//! `Objects/object.c` (`_Py_SetImmortal`), PEP 683; python/cpython#152276 for the queued
//! string that interning makes immortal. The rest of the header is that of
//! [`biased`](super::biased), reduced to one owner, the main thread, that never exits. The
//! owner's half has three bits, or saturation would be out of reach.

mod checks;

pub use self::checks::*;

use super::{Count, Object, Op, Workshop, destroy, random, workshop};
use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require};
use crate::protocol::{Fault, Property, Protocol, Scenario, Shape, Switch};
use crate::runtime::{Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

/// All ones in three bits.
const IMMORTAL: u32 = 7;
const ONE: i64 = 4;
const QUEUED: i64 = 2;
const MERGED: i64 = 3;

/// The scheme; thread 1 (the main thread) owns every object it makes.
pub struct Immortal<R: Runtime, F> {
    objects: Box<[Object<R, Header<R>>]>,
    inbox: R::Mutex<Vec<usize>>,
    faults: F,
}

/// As in [`biased`](super::biased).
pub struct Header<R: Runtime> {
    owner: R::AtomicUsize,
    local: R::AtomicU32,
    shared: R::AtomicI64,
    /// Written with `local`, so that two unordered writers of it are a data race.
    bias: R::Cell<u8>,
}

type Obj<R> = Object<R, Header<R>>;

impl<R: Runtime, F: Fault<Mutant>> Immortal<R, F> {
    /// A heap of `objects` blocks.
    pub fn with_faults(objects: usize, faults: F) -> Self {
        let header = |n| Header {
            owner: R::AtomicUsize::new(0, Label::part("object", "owner", n)),
            local: R::AtomicU32::new(0, Label::part("object", "local", n)),
            shared: R::AtomicI64::new(0, Label::part("object", "shared", n)),
            bias: R::Cell::new(0, Label::part("object", "bias", n)),
        };
        Self {
            objects: (0..objects).map(|n| Object::blank(n, header(n))).collect(),
            inbox: R::Mutex::new(Vec::new(), "inbox"),
            faults,
        }
    }

    fn set_local(&self, header: &Header<R>, value: u32) {
        if R::OBSERVED {
            header.bias.write(0);
        }
        // Relaxed: one writer (M5); others read it as a hint only.
        header.local.store(value & IMMORTAL, Relaxed);
    }

    /// Relaxed: may be stale; a stale reader changes `shared`, which no longer counts.
    fn is_immortal(&self, header: &Header<R>) -> bool {
        header.local.load(Relaxed) == IMMORTAL
    }

    fn make_immortal(&self, thread: usize, object: &Obj<R>, shared: i64) {
        let header = &object.header;
        // Relaxed: a thread reads its own id only if it wrote it. Of a merged object nobody is the
        // owner, and any two threads may find it merged: nobody may.
        let allowed = header.owner.load(Relaxed) == thread;
        if !allowed && !self.faults.is(Mutant::ForeignSet) {
            return;
        }
        self.set_local(header, IMMORTAL);
        // Relaxed, all three, and in any order: see the head. A decrement under way that sees
        // one and not the other is sent round once more, or leaves an entry that the merge drops.
        header.owner.store(0, Relaxed);
        header.shared.store(shared, Relaxed);
    }

    fn merge(&self, object: &Obj<R>) -> bool {
        let header = &object.header;
        if self.is_immortal(header) && !self.faults.is(Mutant::MergeBlind) {
            return false;
        }
        // Relaxed: our own half, and before the exchange as in `biased`.
        let mine = i64::from(header.local.load(Relaxed));
        self.set_local(header, 0);
        header.owner.store(0, Relaxed);
        // Relaxed here and in all loops below: a guess, which the exchange confirms.
        let mut old = header.shared.load(Relaxed);
        loop {
            let count = (old >> 2) + mine - 1;
            // Release: our uses before the free by whoever drops last. Acquire: that may be us,
            // after drops beside the queued one. Without either a use races with the free.
            let relaxed = self.faults.is(Mutant::MergeRelaxed);
            let order = if relaxed { Relaxed } else { AcqRel };
            match header.shared.compare_exchange(old, count << 2 | MERGED, order, Relaxed) {
                Ok(_) => return count == 0,
                Err(found) => old = found,
            }
        }
    }
}

/// Far from zero in a model of a few operations.
const SURPLUS: i64 = 1_000;

/// Operations of this scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// Makes object `.0` immortal, its shared half merged, so that a decrement under way finds
    /// nobody to queue for, and with a surplus that no number of them takes to zero.
    Immortalise(usize),
    /// The same as CPython has it: its shared half is zero. Then a merge that was asked for before
    /// has to look at the other half (`imm-merge-blind`).
    ImmortaliseZero(usize),
    /// Adds `.1` references of object `.0` at once, which are never dropped.
    Add(usize, u32),
}

impl<R: Runtime, F: Fault<Mutant>> Immortal<R, F> {
    /// The owner's safe point.
    fn drain(&self, thread: &mut usize) {
        if *thread != 1 {
            return;
        }
        let mut entries = std::mem::take(&mut *self.inbox.lock());
        if self.faults.is(Mutant::PollLosesOne) {
            entries.pop();
        }
        for n in entries {
            if self.merge(&self.objects[n]) {
                destroy(self, thread, &self.objects[n]);
            }
        }
    }
}

impl<R: Runtime, F: Fault<Mutant>> Count<R> for Immortal<R, F> {
    type Mutant = Mutant;
    type Faults = F;
    type Header = Header<R>;
    type Thread = usize;
    type Extra = Extra;

    fn new(shape: Shape, faults: F) -> Self {
        Self::with_faults(shape.objects, faults)
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
        self.set_local(&object.header, 1);
        object.header.shared.store(0, Relaxed);
    }
    fn incref(&self, thread: &mut usize, object: &Obj<R>) {
        let header = &object.header;
        // Relaxed: as in `is_immortal`; the owner and the increment as in `biased`.
        let local = header.local.load(Relaxed);
        if local == IMMORTAL && !self.faults.is(Mutant::NoIncrefCheck) {
            return;
        }
        if header.owner.load(Relaxed) == *thread || local == IMMORTAL {
            // Reaches all ones by itself: saturated.
            self.set_local(header, local + 1);
        } else {
            header.shared.fetch_add(ONE, Relaxed);
        }
    }
    fn decref(&self, thread: &mut usize, object: &Obj<R>) {
        let header = &object.header;
        // Relaxed: as in `incref`.
        let local = header.local.load(Relaxed);
        if local == IMMORTAL {
            if self.faults.is(Mutant::NoDecrefCheck) {
                self.set_local(header, local - 1);
            }
            return;
        }
        if header.owner.load(Relaxed) == *thread {
            self.set_local(header, local.wrapping_sub(1));
            if local == 1 {
                // Acquire: a zero may be another thread's +1 −1, whose uses come before the free.
                let mut old = header.shared.load(Acquire);
                if old != 0 {
                    // Relaxed, and before the exchange: afterwards the block may be another's.
                    header.owner.store(0, Relaxed);
                    // Release and acquire: as in `merge`.
                    while let Err(found) =
                        header.shared.compare_exchange(old, old | MERGED, AcqRel, Relaxed)
                    {
                        old = found;
                    }
                }
                if old >> 2 == 0 {
                    destroy(self, thread, object);
                }
            }
            return;
        }
        let mut old = header.shared.load(Relaxed);
        let (queue, new) = loop {
            let queue = old == 0;
            let new = if queue { QUEUED } else { old - ONE };
            // Release: our uses before the free. Acquire: if we free, after those of all others.
            match header.shared.compare_exchange(old, new, AcqRel, Relaxed) {
                Ok(_) => break (queue, new),
                Err(found) => old = found,
            }
        };
        // Relaxed: no owner is final. One that is gone and still seen gets an entry, and the
        // merge finds the object immortal.
        if queue && header.owner.load(Relaxed) == 0 {
            self.decref(thread, object);
        } else if queue {
            self.inbox.lock().push(object.index);
        } else if new == MERGED {
            destroy(self, thread, object);
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
    fn needs(extra: Extra) -> Option<usize> {
        match extra {
            Extra::Immortalise(n) | Extra::ImmortaliseZero(n) | Extra::Add(n, _) => Some(n),
        }
    }
    fn extra(&self, thread: &mut usize, extra: Extra) -> Option<i64> {
        match extra {
            Extra::Immortalise(n) => {
                self.make_immortal(*thread, &self.objects[n], SURPLUS << 2 | MERGED);
            }
            Extra::ImmortaliseZero(n) => self.make_immortal(*thread, &self.objects[n], 0),
            Extra::Add(n, by) => {
                let header = &self.objects[n].header;
                // Relaxed: the owner reads its own half.
                let local = header.local.load(Relaxed);
                let sum = local + by;
                let wraps = self.faults.is(Mutant::BulkWrap);
                self.set_local(header, if wraps { sum } else { sum.min(IMMORTAL) });
                for _ in 0..by {
                    self.objects[n].ghost.gain();
                }
            }
        }
        None
    }
    fn settle(&self) {
        self.drain(&mut 1);
        for object in self.objects.iter().filter(|object| !object.ghost.is_dead()) {
            let header = &object.header;
            // An immortal object stays immortal: it was never merged into a count. Relaxed, here
            // and in `settled`: all threads have ended and were joined.
            let merged = header.shared.load(Relaxed) & 3 == MERGED;
            let count = header.shared.load(Relaxed) >> 2;
            let fallen = merged && count >= SURPLUS / 2 && !self.is_immortal(header);
            require(!fallen, Kind::Invariant, || {
                format!("object[{}] was immortal and is mortal again", object.index)
            });
        }
    }
    fn settled(&self, object: &Obj<R>) -> Option<i64> {
        let local = object.header.local.load(Relaxed);
        (local != IMMORTAL).then(|| i64::from(local) + (object.header.shared.load(Relaxed) >> 2))
    }
}
