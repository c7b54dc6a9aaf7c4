//! Canonical weak references, each with a count of its own.
//!
//! # Question
//! `ref(o)` gives the same weak reference as long as somebody has it, so weak references are
//! counted themselves, and are found again through a list that does not count them. Who decides
//! whether one that is being dropped is used once more, and who calls its callback?
//!
//! # Idea
//! Whoever finds a weak reference in the list may find it dying: its count is zero, and its
//! deallocator is still on the way to the lock. Two do: `ref(o)`, which would give it out again,
//! and the death of `o`, which would hand it to its callback. Both take it by an increment that
//! refuses zero, under the lock that its deallocator needs before it may free it; refused, the
//! one makes a new weak reference, and the other drops the callback uncalled.
//!
//! # Timeline
//! ```text
//! T0: drops w, the last                    T1: drops o, the last
//! w.count 1 → 0
//!                                          o.count 1 → 0
//!                                          lock; unlinks w, takes its callback;
//!                                          try-increment of w: zero, refused; unlock
//!                                          the callback is dropped, never called
//! lock; w is unlinked already; unlock
//! frees w                                  frees o
//! ```
//!
//! # Obligations
//! * W3: a weak reference that somebody has gives its object as long as that is held.
//! * W5: a callback is called once when its weak reference outlives the object, never after
//!   somebody has begun to free the weak reference, and belongs to who unlinked it.
//! * W6: a weak reference is unlinked before it is freed, and freed once.
//! * W7: while somebody has the canonical weak reference, `ref(o)` gives that one.
//!
//! Upgrades of an address, finalizers and what callbacks may see are in
//! [`weakref`](super::weakref), where weak references live until the end.
//!
//! # Orders
//! The lock orders everything but the counts, which bring their own
//! ([`atomic`]). Nothing needs these here: every end takes the lock.
//!
//! # Source
//! CPython 3.13 `Objects/weakrefobject.c`: `get_or_create_weakref`, `weakref_dealloc`,
//! `PyObject_ClearWeakRefs`.

mod checks;

pub use self::checks::*;

use super::mortal::OnAtomic;
use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require};
use crate::protocol::{Fault as _, Property, Protocol, SKIPPED, Scenario, Shape, Switch, World};
use crate::refcount::{Count as _, Nothing, Op as Plain, Worker, Workshop, atomic, workshop};
use crate::runtime::{Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};
use std::sync::Arc;

/// Object 0 is what the weak references refer to; every other object is a weak reference.
const TARGET: usize = 0;

type Object<R> = crate::refcount::Object<R, atomic::Header<R>>;

/// What a weak reference has beside its count.
struct WeakRef<R: Runtime> {
    /// 1 when it has no callback and so nothing of its own: `ref(o)` gives it out again.
    canonical: R::Cell<u8>,
    /// 1 until the object dies.
    target: R::AtomicUsize,
    /// Its links in the list: plain memory under the lock.
    links: R::Cell<u8>,
    /// 1 while there is a callback that nobody has taken: plain memory under the lock.
    callback: R::Cell<u8>,
    /// How often it was called.
    calls: R::Cell<u8>,
}

/// The weak references of one object, and the lock on their list.
struct Table<R: Runtime> {
    /// The canonical one first.
    list: R::Mutex<Vec<usize>>,
    refs: Box<[WeakRef<R>]>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> Table<R> {
    fn weak(&self, w: usize) -> &WeakRef<R> {
        &self.refs[w - 1]
    }

    fn is_canonical(&self, w: usize) -> bool {
        self.weak(w).canonical.read() == 1
    }

    /// `ref(o)`, by who has `o`: the canonical weak reference, or block `new` as one.
    fn get_or_create(&self, count: &OnAtomic<R>, new: usize) -> usize {
        let mut list = self.list.lock();
        // 1. The canonical one stands first. It may be dying.
        if let Some(&first) = list.first()
            && self.is_canonical(first)
            && self.take(count, first, Mutant::ReuseDying)
        {
            return first;
        }
        if self.faults.is(Mutant::CreateNoRecheck) {
            drop(list);
            list = self.list.lock();
        }
        // 2. A new one, before a dying one.
        self.link(count, &mut list, 0, new, true);
        new
    }

    /// `ref(o, callback)`: always a new one, behind the canonical one.
    fn create(&self, count: &OnAtomic<R>, new: usize) {
        let mut list = self.list.lock();
        let at = list.iter().take_while(|w| self.is_canonical(**w)).count();
        self.link(count, &mut list, at, new, false);
    }

    /// A new weak reference with one reference to it.
    fn link(
        &self,
        count: &OnAtomic<R>,
        list: &mut Vec<usize>,
        at: usize,
        new: usize,
        canonical: bool,
    ) {
        let (object, weak) = (&count.objects()[new], self.weak(new));
        object.ghost.reuse(1);
        count.init(&mut (), object);
        object.payload.write(1);
        weak.canonical.write(u8::from(canonical));
        weak.callback.write(u8::from(!canonical));
        weak.calls.write(0);
        weak.links.write(1);
        // Relaxed: under the lock, as every look at it is.
        weak.target.store(1, Relaxed);
        list.insert(at, new);
    }

    /// A reference to a weak reference that was found in the list, under the lock: linked, so not
    /// freed, but perhaps dying. `fault` takes it even then.
    fn take(&self, count: &OnAtomic<R>, w: usize, fault: Mutant) -> bool {
        let object = &count.objects()[w];
        if self.faults.is(fault) {
            count.incref(&mut (), object);
        } else if !count.try_incref(&mut (), object) {
            return false;
        }
        object.ghost.gain();
        true
    }

    /// `w()`, by who has `w`.
    fn upgrade(&self, count: &OnAtomic<R>, w: usize) -> bool {
        let _list = self.list.lock();
        // Relaxed: under the lock. Not cleared, so the object is not freed, but perhaps dying.
        let object = &count.objects()[TARGET];
        let got = self.weak(w).target.load(Relaxed) != 0 && count.try_incref(&mut (), object);
        if got {
            object.ghost.gain();
        }
        got
    }

    /// Takes a weak reference out of the list; whoever does may take the callback.
    fn unlink(&self, list: &mut Vec<usize>, at: usize) -> usize {
        let w = list.remove(at);
        // Relaxed: under the lock.
        self.weak(w).target.store(0, Relaxed);
        self.weak(w).links.write(0);
        w
    }

    /// Whether there was a callback, which now belongs to who asks: under the lock.
    fn take_callback(&self, w: usize) -> bool {
        let callback = &self.weak(w).callback;
        let there = callback.read() == 1;
        callback.write(0);
        there
    }

    /// The object has died: unlinks all its weak references, one in each section, then calls the
    /// callbacks of those that still live.
    fn clear(&self, count: &OnAtomic<R>) {
        let mut called = Vec::new();
        loop {
            let mut list = self.list.lock();
            if list.is_empty() {
                break;
            }
            let w = self.unlink(&mut list, 0);
            if !self.take_callback(w) {
                continue;
            }
            if self.faults.is(Mutant::BorrowAfterUnlock) {
                drop(list);
            }
            // Before the unlock: after it a dying weak reference may be freed.
            if self.take(count, w, Mutant::BorrowDying) {
                called.push(w);
            } else if self.faults.is(Mutant::CallbackOfDying) {
                self.call(count, w);
            }
        }
        for w in called {
            if !self.faults.is(Mutant::CallsNothing) {
                self.call(count, w);
            }
            self.release(count, &count.objects()[w]);
        }
    }

    /// The callback, which is handed its weak reference.
    fn call(&self, count: &OnAtomic<R>, w: usize) {
        let holders = count.objects()[w].ghost.holders();
        require(!R::OBSERVED || holders > 0, Kind::Invariant, || {
            format!("callback[{w}]: called for a weak reference that nobody has any more")
        });
        let weak = self.weak(w);
        weak.calls.write(weak.calls.read() + 1);
    }

    fn release(&self, count: &OnAtomic<R>, object: &Object<R>) {
        object.ghost.lose();
        count.decref(&mut (), object);
    }

    /// The last reference to a weak reference is gone.
    fn dealloc(&self, count: &OnAtomic<R>, object: &Object<R>) {
        let (w, weak) = (object.index, self.weak(object.index));
        // 1. Its own attributes, whose destructors may be any code: it is still in the list.
        let attribute = object.child.read();
        if attribute != 0 {
            object.child.write(0);
            self.release(count, &count.objects()[attribute - 1]);
        }
        if self.faults.is(Mutant::UnlinkNothing) {
            return;
        }
        if self.faults.is(Mutant::DeallocSkipsLock) && weak.target.load(Relaxed) == 0 {
            return;
        }
        if self.faults.is(Mutant::CallbackUnlocked) {
            self.take_callback(w);
        }
        // 2. The lock, even for one that is cleared: who cleared it may still use it.
        let mut list = self.list.lock();
        let at = if self.faults.is(Mutant::UnlinkFirst) && self.is_canonical(w) {
            (!list.is_empty()).then_some(0)
        } else {
            list.iter().position(|other| *other == w)
        };
        if let Some(at) = at {
            let unlinked = self.unlink(&mut list, at);
            // Dropped uncalled.
            self.take_callback(unlinked);
        }
    }

    /// What the end of an object does before its memory goes.
    fn bury(&self, count: &OnAtomic<R>, object: &Object<R>) -> bool {
        if object.index == TARGET {
            self.clear(count)
        } else {
            self.dealloc(count, object)
        }
        true
    }
}

/// Threads, the object, its weak references.
pub struct Canonical<R: Runtime> {
    shop: Workshop<R, OnAtomic<R>>,
    table: Arc<Table<R>>,
}

/// What a thread does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// An operation on counts, of the object or of a weak reference.
    Do(Plain),
    /// `ref(o)`; in block `.0` when a new one is needed.
    Ref(usize),
    /// `ref(o, callback)` in block `.0`.
    Watch(usize),
    /// Drops a weak reference, of several the one of the lowest number.
    DropRef,
    /// `w()`, of a weak reference that the thread has.
    Upgrade,
}

impl std::fmt::Debug for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Do(op) => write!(f, "{op:?}"),
            Self::Ref(_) => write!(f, "ref(o0)"),
            Self::Watch(w) => write!(f, "o{w} = ref(o0, callback)"),
            Self::DropRef => write!(f, "drop the weak reference"),
            Self::Upgrade => write!(f, "upgrade"),
        }
    }
}

impl<R: Runtime> World for Canonical<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Worker<R, OnAtomic<R>>;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let shop: Workshop<R, OnAtomic<R>> = Workshop::new(shape, Switch(None));
        let weak = |w| WeakRef {
            canonical: R::Cell::new(0, Label::part("object", "canonical", w)),
            target: R::AtomicUsize::new(0, Label::part("object", "target", w)),
            links: R::Cell::new(0, Label::part("object", "links", w)),
            callback: R::Cell::new(0, Label::part("object", "callback", w)),
            calls: R::Cell::new(0, Label::part("object", "calls", w)),
        };
        let table = Arc::new(Table {
            list: R::Mutex::new(Vec::new(), "list"),
            refs: (1..shape.objects).map(weak).collect(),
            faults,
        });
        let rites = table.clone();
        shop.count.set_rites(Box::new(move |count, (), object| rites.bury(count, object)));
        Self { shop, table }
    }

    fn enter(&self, n: usize) -> Self::Local {
        self.shop.enter(n)
    }

    fn step(&self, worker: &mut Self::Local, op: Op) -> Option<i64> {
        let (count, table) = (&self.shop.count, &self.table);
        let weakrefs = 1..count.objects().len();
        let mut mine = weakrefs.filter(|w| worker.holds(*w));
        match op {
            Op::Do(op) => self.shop.step(worker, op.lift(|never: Nothing| match never {})),
            Op::Ref(new) if worker.holds(TARGET) => {
                let known = mine.find(|w| table.is_canonical(*w));
                let got = table.get_or_create(count, new);
                worker.receive(got);
                require(known.is_none_or(|w| w == got), Kind::Invariant, || {
                    format!("canonical[{got}]: given out beside another one that is held")
                });
                Some(i64::from(got == new))
            }
            Op::Watch(new) if worker.holds(TARGET) => {
                table.create(count, new);
                worker.receive(new);
                None
            }
            Op::DropRef => match mine.next() {
                Some(w) => self.shop.step(worker, Plain::Decref(w)),
                None => SKIPPED,
            },
            Op::Upgrade => {
                let Some(w) = mine.next() else { return SKIPPED };
                let got = table.upgrade(count, w);
                require(got || !worker.holds(TARGET), Kind::Invariant, || {
                    format!("target[{w}]: gives nothing although its object is held")
                });
                if got {
                    worker.receive(TARGET);
                }
                Some(i64::from(got))
            }
            Op::Ref(_) | Op::Watch(_) => SKIPPED,
        }
    }

    fn exit(&self, worker: Self::Local) {
        self.shop.exit(worker);
    }

    fn finish(&self) {
        self.shop.finish();
        let objects = self.shop.count.objects();
        if !objects[TARGET].ghost.is_dead() {
            return;
        }
        for w in (1..objects.len()).filter(|w| !objects[*w].ghost.is_dead()) {
            let weak = self.table.weak(w);
            // Relaxed: all threads have ended and were joined.
            require(weak.target.load(Relaxed) == 0, Kind::Invariant, || {
                format!("links[{w}]: still in the list of a freed object")
            });
            let calls = weak.calls.read();
            let once = u8::from(!self.table.is_canonical(w));
            require(!R::OBSERVED || calls == once, Kind::Invariant, || {
                format!(
                    "callback[{w}]: called {calls} times, its weak reference outlives the object"
                )
            });
        }
    }
}
