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
//! last may free the block. As recalled, the paper clears it after: the shipped form
//! `paper-owner-after-merge`, a write to freed memory in four steps of two threads.
//!
//! # Source
//! Choi, Shull, Torrellas: Biased Reference Counting, PACT 2018, recalled rather than
//! quoted. The owner's check of the queued flag is this project's reading: without it
//! (`paper-free-listed`) the object dies while listed.

use super::{Count, Nothing, Object, Op, Workshop, destroy, random};
use crate::ghost::Ghost as _;
use crate::mutants;
use crate::protocol::{Fault, Property, Protocol, Reach, Scenario, Shape, Switch};
use crate::runtime::{Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;

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
    bias: R::Cell<u8>,
}

type Obj<R> = Object<R, Header<R>>;

impl<R: Runtime, F: Fault<Mutant>> Paper<R, F> {
    fn with_faults(shape: Shape, faults: F) -> Self {
        let header = |n| Header {
            owner: R::AtomicUsize::new(0, Label::nth("owner", n)),
            biased: R::AtomicU32::new(0, Label::nth("biased", n)),
            shared: R::AtomicI64::new(0, Label::nth("shared", n)),
            bias: R::Cell::new(0, Label::nth("bias", n)),
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
        let mut old = header.shared.load(Relaxed);
        loop {
            let new = (old + add * ONE) | MERGED;
            // Release: our uses come before the free by whoever drops last. Acquire: that may
            // be us.
            match header.shared.compare_exchange(old, new, AcqRel, Relaxed) {
                Ok(_) => return old + add * ONE,
                Err(found) => old = found,
            }
        }
    }

    fn sub_biased(&self, thread: &mut usize, object: &Obj<R>) {
        let header = &object.header;
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
            object.ghost.touch();
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
            match header.shared.compare_exchange(old, new, AcqRel, Relaxed) {
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
        self.poll(&mut thread);
    }
    fn init(&self, thread: &mut usize, object: &Obj<R>) {
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
        let entries = std::mem::take(&mut *self.lists[*thread - 1].lock());
        for n in entries {
            let object = &self.objects[n];
            object.ghost.touch();
            let header = &object.header;
            let mine = i64::from(header.biased.load(Relaxed));
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
    fn extra(&self, _: &mut usize, extra: Nothing) -> Option<i64> {
        match extra {}
    }
    fn settle(&self) {
        for n in 0..self.lists.len() {
            self.poll(&mut (n + 1));
        }
    }
    fn settled(&self, object: &Obj<R>) -> Option<i64> {
        let biased = i64::from(object.header.biased.load(Relaxed));
        Some(biased + (object.header.shared.load(Relaxed) >> 2))
    }
}

mutants! {
    /// Faults of the published scheme.
    pub enum Mutant {
        /// The owner frees at zero although the object is on its list.
        FreeListed = "paper-free-listed" breaks ["P2"] in "drop-and-return" by Everywhere;
        /// Every foreign decrement below zero queues.
        NoQueuedFlag = "paper-requeue" breaks ["P1", "P2"] in "two-foreign-drops" by Everywhere;
        /// The owner word is cleared after the merge, when the object may be gone, as published.
        #[shipped(x)]
        OwnerAfterMerge = "paper-owner-after-merge" breaks ["P2"] in "merge-beside-last" by Everywhere;
    }
}

/// The protocol.
pub struct BiasedPaper;

impl Protocol for BiasedPaper {
    const NAME: &'static str = "biased-paper";
    const TITLE: &'static str = "Biased reference count, as published";
    const QUESTION: &'static str = "Is an object on its owner's list kept alive by anything?";
    const SOURCE: &'static str = "Choi, Shull, Torrellas, PACT 2018";
    const PROPERTIES: &'static [Property] = PROPERTIES;
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Workshop<R, Paper<R, Switch<Mutant>>>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::new("foreign-drop", "a foreign thread drops what the owner counted")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([Decref(0), Poll])
                .thread([Use(0), Decref(0)]),
            Scenario::new("two-foreign-drops", "the shared half falls to minus two")
                .setup([New(0), Incref(0), Incref(0), Give(0, 1), Give(0, 1)])
                .thread([Poll, Decref(0)])
                .thread([Decref(0), Decref(0)]),
            Scenario::new("drop-and-return", "a foreign drop, then the references come home")
                .setup([New(0), Incref(0), Incref(0), Give(0, 1), Give(0, 1)])
                .thread([Recv(0), Recv(0), Decref(0), Decref(0), Decref(0), Poll])
                .thread([Decref(0), Incref(0), Send(0), Send(0)]),
            Scenario::new("uses-and-merge", "everybody uses the object before the merge")
                .setup([New(0), Incref(0), Incref(0), Give(0, 1), Give(0, 2)])
                .thread([Use(0), Decref(0), Poll])
                .thread([Use(0), Decref(0)])
                .thread([Use(0), Decref(0)])
                .loom(Reach::Sampled),
            Scenario::new("uses-and-last", "the owner's last drop beside another's, after uses")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([Recv(0), Use(0), Decref(0), Decref(0), Poll])
                .thread([Incref(0), Send(0), Use(0), Decref(0)])
                .loom(Reach::Preemptions(3)),
            Scenario::new("merge-beside-last", "the owner merges beside the last foreign drop")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([Recv(0), Decref(0), Decref(0), Poll])
                .thread([Incref(0), Send(0), Decref(0)]),
        ]
    }

    fn random(n: usize, ops: usize, below: &mut dyn FnMut(usize) -> usize) -> Option<Scenario<Op>> {
        Some(random(n, ops, below))
    }
}

const PROPERTIES: &[Property] = &[
    Property {
        id: "P1",
        states: "biased + shared equals the references at quiescence",
        broken_by: &[Kind::WrongCount, Kind::Leak, Kind::NegativeCount],
    },
    Property {
        id: "P2",
        states: "no free while referenced or listed, none twice, no touch after the last step",
        broken_by: &[Kind::PrematureFree, Kind::UseAfterFree, Kind::DoubleFree],
    },
    Property {
        id: "P4",
        states: "uses happen before the free; the biased half has one writer",
        broken_by: &[Kind::DataRace],
    },
];
