//! Deferred and per-thread counts.
//!
//! # Question
//! Functions, classes and modules are touched by every thread at every call. Could most
//! references to them not be counted at all?
//!
//! # The idea
//! A *deferred* object is freed by the collector only. Its count carries a large surplus, so
//! that counting alone never reaches zero. A reference on a thread's evaluation stack is
//! then a *tagged word* that counts nothing. A few more edges are counted in a slot of the
//! thread, without atomics. The collector stops the world, adds up header, slots and tagged
//! words, and frees what comes out as zero.
//!
//! # Obligations
//! * The tag travels with the reference: a counted word stays counted when its object
//!   becomes deferred, and the other way round.
//! * Between loading a tagged word and any point where the thread can be stopped, the word
//!   is in a place that the collector scans.
//! * Slots are merged before an id is reused and before a thread ends.
//! * The surplus exceeds what all slots together can subtract from the header, and is taken
//!   away exactly once.
//!
//! # Orders
//! All are relaxed: every operation holds the world's lock, which orders it after those before,
//! so that each order stronger than relaxed was found to change nothing. The faults of this
//! protocol are ones of bookkeeping, and show under sequential consistency. CPython is stronger
//! where it works beside other threads, and not for deferral's sake: it counts in the header as
//! in [`biased`](super::biased), and reads names as [`marked`](crate::container::marked) reads
//! slots. The load of a *tagged* word is weaker there than both, without a second look: see
//! `or-uncounted-unchecked` of [`list`](crate::container::list).
//!
//! # Source
//! PEP 703; CPython 3.14 `Include/internal/pycore_stackref.h`, `Python/uniqueid.c`,
//! `Python/gc_free_threading.c`. The stopped world is a lock here that every operation
//! holds: a protocol of its own replaces it.

mod checks;
mod operations;

pub use self::checks::*;
pub use self::operations::Op;

use super::{Object, destroy_block};
use crate::enumerate::Start;
use crate::ghost::{Ghost as _, require};
use crate::protocol::{
    Fault as _, Property, Protocol, SKIPPED, Scenario, Shape, Switch, World as Worldly,
};
use crate::runtime::{Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

/// Above what two threads' slots can take away in a model.
const SURPLUS: i64 = 100;

/// A word on an evaluation stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Word {
    object: usize,
    /// Not counted on the object.
    tagged: bool,
}

/// What the collector reads of a thread when the world is stopped.
#[derive(Default)]
struct Frame {
    stack: Vec<Word>,
    slots: Vec<i64>,
    finalised: bool,
}

/// What an object carries.
pub struct Header<R: Runtime> {
    count: R::AtomicI64,
    deferred: R::AtomicU8,
}

/// Threads, objects, one global name, and the collector.
pub struct Deferred<R: Runtime> {
    objects: Box<[Object<R, Header<R>>]>,
    /// Held by every operation; the collector holding it is the stopped world.
    world: R::Mutex<Loose>,
    frames: Box<[R::Mutex<Frame>]>,
    /// The object that the global name refers to, one-based; 0 for none.
    name: R::AtomicUsize,
    /// Objects that have not been freed: what the collector walks over.
    live: R::Mutex<Vec<usize>>,
    /// Which object uses which id; ids are slot numbers.
    ids: R::Mutex<Vec<Option<usize>>>,
    faults: Switch<Mutant>,
}

/// References that slots were raised for, by object: any thread may drop them.
type Loose = Vec<usize>;

/// A running thread.
pub struct Local {
    n: usize,
    /// A word in a register, out of the collector's sight.
    register: Option<Word>,
}

impl<R: Runtime> Deferred<R> {
    fn id(&self, object: usize) -> Option<usize> {
        self.ids.lock().iter().position(|o| *o == Some(object))
    }

    fn is_deferred(&self, n: usize) -> bool {
        self.objects[n].header.deferred.load(Relaxed) == 1
    }

    fn surplus(&self) -> i64 {
        if self.faults.is(Mutant::SmallSurplus) { 1 } else { SURPLUS }
    }

    fn decref(&self, n: usize) {
        // Relaxed, as everywhere in this file: the world's lock.
        let left = self.objects[n].header.count.fetch_sub(1, Relaxed) - 1;
        if left == 0 {
            self.free(n);
        }
    }

    fn free(&self, n: usize) {
        self.live.lock().retain(|live| *live != n);
        destroy_block(&self.objects[n]);
    }

    fn push(&self, local: &mut Local, word: Word) {
        let mut frame = self.frames[local.n].lock();
        frame.stack.push(word);
    }

    fn load(&self, local: &mut Local) -> Option<i64> {
        let n = self.name.load(Relaxed);
        if n == 0 {
            return Some(-1);
        }
        let n = n - 1;
        self.objects[n].ghost.touch();
        let tagged = self.is_deferred(n);
        if !tagged {
            self.objects[n].header.count.fetch_add(1, Relaxed);
        }
        self.objects[n].ghost.gain();
        let word = Word { object: n, tagged };
        if self.faults.is(Mutant::Unspilled) {
            local.register = Some(word);
        } else {
            self.push(local, word);
        }
        Some(n as i64)
    }

    fn close(&self, local: &mut Local) -> bool {
        let word = match local.register.take() {
            Some(word) => Some(word),
            None => self.frames[local.n].lock().stack.pop(),
        };
        let Some(word) = word else { return false };
        self.objects[word.object].ghost.lose();
        let uncounted = match self.faults.is(Mutant::CloseByObject) {
            true => self.is_deferred(word.object),
            false => word.tagged,
        };
        if !uncounted {
            self.decref(word.object);
        }
        true
    }

    fn top(&self, local: &Local) -> Option<usize> {
        let top = self.frames[local.n].lock().stack.last().copied();
        local.register.or(top).map(|w| w.object)
    }

    /// Adds a thread's slots to the headers.
    fn merge(&self, frame: &mut Frame) {
        for (id, slot) in frame.slots.iter_mut().enumerate() {
            let object = self.ids.lock().get(id).copied().flatten();
            if let Some(n) = object
                && *slot != 0
            {
                self.objects[n].header.count.fetch_add(*slot, Relaxed);
                *slot = 0;
            }
        }
    }

    fn collect(&self) {
        if !self.faults.is(Mutant::DirtyId) {
            for frame in &self.frames {
                self.merge(&mut frame.lock());
            }
        }
        let live = self.live.lock().clone();
        for n in live {
            let object = &self.objects[n];
            if !self.is_deferred(n) {
                continue;
            }
            let mut references = object.header.count.load(Relaxed) - self.surplus();
            if !self.faults.is(Mutant::NoStackScan) {
                for frame in &self.frames {
                    let words = |w: &&Word| w.tagged && w.object == n;
                    references += frame.lock().stack.iter().filter(words).count() as i64;
                }
            }
            if references > 0 {
                continue;
            }
            // Unreachable: deferral ends, ordinary counting takes over.
            object.header.deferred.store(0, Relaxed);
            if let Some(id) = self.id(n) {
                self.ids.lock()[id] = None;
            }
            if self.faults.is(Mutant::SurplusKept) {
                continue;
            }
            object.header.count.store(references, Relaxed);
            self.free(n);
        }
    }

    fn bind(&self, n: usize, deferred: bool) {
        self.objects[n].ghost.reuse(1);
        self.objects[n].payload.write(1);
        self.live.lock().push(n);
        let count = if deferred { 1 + self.surplus() } else { 1 };
        self.objects[n].header.count.store(count, Relaxed);
        self.objects[n].header.deferred.store(u8::from(deferred), Relaxed);
        if deferred {
            let mut ids = self.ids.lock();
            match ids.iter().position(Option::is_none) {
                Some(free) => ids[free] = Some(n),
                None => ids.push(Some(n)),
            }
        }
        self.name.store(n + 1, Relaxed);
    }

    /// The name no longer refers to its object.
    fn unbind(&self) -> Option<i64> {
        let n = self.name.swap(0, Relaxed);
        if n == 0 {
            return SKIPPED;
        }
        self.objects[n - 1].ghost.lose();
        self.decref(n - 1);
        None
    }

    /// The top's object becomes deferred while words refer to it: those are counted and stay so.
    fn defer(&self, local: &Local) -> Option<i64> {
        let Some(n) = self.top(local) else { return SKIPPED };
        if !self.is_deferred(n) {
            let header = &self.objects[n].header;
            header.deferred.store(1, Relaxed);
            header.count.fetch_add(self.surplus(), Relaxed);
        }
        None
    }

    /// One more reference to the name's object, in the thread's slot, or in the header once
    /// the thread has given up its slots.
    fn slot_incref(&self, local: &Local, loose: &mut Loose) -> Option<i64> {
        let n = self.name.load(Relaxed);
        let Some(id) = (n > 0).then(|| self.id(n - 1)).flatten() else { return SKIPPED };
        let mut frame = self.frames[local.n].lock();
        if frame.finalised {
            self.objects[n - 1].header.count.fetch_add(1, Relaxed);
        } else {
            let len = frame.slots.len().max(id + 1);
            frame.slots.resize(len, 0);
            frame.slots[id] += 1;
        }
        self.objects[n - 1].ghost.gain();
        loose[n - 1] += 1;
        None
    }

    /// The thread ends: what its slots count moves to the headers.
    fn leave(&self, local: &Local) {
        let mut frame = self.frames[local.n].lock();
        if !self.faults.is(Mutant::ExitLosesSlot) {
            self.merge(&mut frame);
        }
        frame.slots.clear();
        frame.finalised = true;
    }
}
