//! Weak references, `__del__`, and resurrection, on atomic and on biased counts.
//!
//! # Question
//! A weak reference is an address without a count. Somebody upgrades it while somebody else
//! drops the last reference; a finalizer may store a new reference to the dying object.
//! Who decides whether the object lives?
//!
//! # Obligations
//! * One step decides: the upgrade's conditional increment against the last decrement.
//! * The lock that orders upgrade against clearing is found without touching the object,
//!   which may be gone; the address is read again under it.
//! * At a death all weak references are unlinked before the first callback, callbacks run
//!   outside the lock, and the memory is freed last.
//! * A finalizer runs once in a life. It works on a temporary reference; when that was not
//!   the last one, the object lives on, and after giving it up the thread does not touch
//!   the object again.
//!
//! # Source
//! CPython 3.13 `Objects/weakrefobject.c`, `Objects/object.c`
//! (`PyObject_CallFinalizerFromDealloc`, `_PyObject_ResurrectEnd`); PEP 442. CPython keeps
//! a dead object owned by the finalizing thread, which can then upgrade it: shipped form
//! `fin-owned-zero`. Here the object is left merged.

mod checks;

pub use self::checks::*;

use crate::ghost::{Ghost as _, require, violation};
use crate::mutants;
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::refcount::atomic::{self, AtomicCount};
use crate::refcount::biased::{self, Biased};
use crate::refcount::{Count, LastRites, Nothing, Object, Op as Plain, Worker, Workshop};
use crate::runtime::{Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use std::sync::Arc;

/// How a revival ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As it should.
    Proper,
    /// The dead object stays owned by the thread (biased counts only).
    KeepOwner,
    /// By a load and a store.
    Plain,
}

/// A count that knows a life after zero.
pub trait Mortal<R: Runtime>: Count<R> {
    /// Sets what happens at zero.
    fn set_rites(&self, rites: LastRites<R, Self>);
    /// The address is about to be stored where it is not counted.
    fn announce(&self, object: &Object<R, Self::Header>);
    /// A temporary reference at zero.
    fn revive(&self, thread: &mut Self::Thread, object: &Object<R, Self::Header>);
    /// Ends it; true when it was the last.
    fn end(&self, t: &mut Self::Thread, o: &Object<R, Self::Header>, how: Ending) -> bool;
    /// The count as a concurrent look sees it.
    fn peek(&self, object: &Object<R, Self::Header>) -> i64;
}

type OnAtomic<R> = AtomicCount<R, Switch<atomic::Mutant>>;
type OnBiased<R> = Biased<R, Switch<biased::Mutant>>;

impl<R: Runtime> Mortal<R> for OnAtomic<R> {
    fn set_rites(&self, rites: LastRites<R, Self>) {
        self.set_rites(rites);
    }
    fn announce(&self, _: &Object<R, Self::Header>) {}
    fn revive(&self, (): &mut (), object: &Object<R, Self::Header>) {
        self.revive(&object.header);
    }
    fn end(&self, (): &mut (), object: &Object<R, Self::Header>, how: Ending) -> bool {
        if how == Ending::Plain { self.end_plain(&object.header) } else { self.sub(&object.header) }
    }
    fn peek(&self, object: &Object<R, Self::Header>) -> i64 {
        i64::from(self.peek(&object.header))
    }
}

impl<R: Runtime> Mortal<R> for OnBiased<R> {
    fn set_rites(&self, rites: LastRites<R, Self>) {
        self.set_rites(rites);
    }
    fn announce(&self, object: &Object<R, Self::Header>) {
        self.set_maybe_weak(object);
    }
    fn revive(&self, thread: &mut biased::Thread, object: &Object<R, Self::Header>) {
        self.revive(thread, object);
    }
    fn end(&self, t: &mut biased::Thread, o: &Object<R, Self::Header>, how: Ending) -> bool {
        if how == Ending::Plain {
            return self.end_plain(o);
        }
        self.end_revival(t, o, how == Ending::KeepOwner)
    }
    fn peek(&self, object: &Object<R, Self::Header>) -> i64 {
        self.peek(object)
    }
}

/// What a finalizer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finalizer {
    /// Nothing that outlives it.
    Plain,
    /// Sends a reference of its object to the mailbox.
    Resurrects,
}

/// What hangs on a weak reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callback {
    /// Nothing.
    None,
    /// Called at the death; upgrades all weak references.
    Upgrades,
    /// The weak reference itself is dying: its callback is dropped uncalled at the death,
    /// and the callback's own destructor upgrades all weak references.
    DropUpgrades,
}

const FINALIZED: u8 = 1;
const SHARED: u8 = 2;

/// A weak reference.
struct WeakRef<R: Runtime> {
    /// One past the object's number; 0 when cleared, for ever.
    target: R::AtomicUsize,
    /// Its links in the list of its target: plain memory under the lock.
    links: R::Cell<u8>,
    callback: std::sync::Mutex<Callback>,
    ghost: R::Ghost,
}

/// All weak references, their lock, and what the dying go through.
struct Table<R: Runtime> {
    /// One stripe: the linked weak references, newest first.
    stripe: R::Mutex<Vec<usize>>,
    refs: Box<[WeakRef<R>]>,
    bits: Box<[R::AtomicU8]>,
    finalizers: std::sync::Mutex<Vec<Option<Finalizer>>>,
    mailbox: Arc<[R::Mutex<usize>]>,
    faults: Switch<Mutant>,
}

fn look<T: Copy>(cell: &std::sync::Mutex<T>) -> T {
    *cell.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl<R: Runtime> Table<R> {
    fn upgrade<C: Mortal<R>>(&self, count: &C, thread: &mut C::Thread, w: usize) -> Option<usize> {
        self.refs[w].ghost.touch();
        // Acquire: pairs with the link; zero is final.
        let target = self.refs[w].target.load(Acquire);
        if target == 0 {
            return None;
        }
        let object = &count.objects()[target - 1];
        if self.faults.is(Mutant::LockViaTarget) {
            object.payload.read();
            object.ghost.touch();
        }
        let _stripe = self.stripe.lock();
        // Again under the lock: clearing holds it too.
        if !self.faults.is(Mutant::NoRecheck) && self.refs[w].target.load(Relaxed) == 0 {
            return None;
        }
        // Linked, so not freed.
        object.ghost.touch();
        let got = if self.faults.is(Mutant::PlainIncref) {
            count.incref(thread, object);
            true
        } else if self.faults.is(Mutant::TestThenIncref) {
            let alive = count.peek(object) > 0;
            R::yield_now();
            if alive {
                count.incref(thread, object);
            }
            alive
        } else {
            count.try_incref(thread, object)
        };
        if got {
            object.ghost.gain();
        }
        got.then(|| target - 1)
    }

    /// Code of the dying object's surroundings: nobody must get the object any more.
    fn intrude<C: Mortal<R>>(&self, count: &C, thread: &mut C::Thread, dead: usize) {
        for w in 0..self.refs.len() {
            if self.refs[w].ghost.is_dead() {
                continue;
            }
            if self.upgrade(count, thread, w) == Some(dead) {
                violation(Kind::UpgradedDead, || {
                    format!("weakref[{w}] gives object[{dead}] after its death")
                });
            }
        }
    }

    fn clear<C: Mortal<R>>(&self, count: &C, thread: &mut C::Thread, n: usize) {
        let mut calls = 0;
        loop {
            let mut stripe = self.stripe.lock();
            let mine = |w: &usize| self.refs[*w].target.load(Relaxed) == n + 1;
            let Some(at) = stripe.iter().position(mine) else { break };
            let w = stripe.remove(at);
            let weak = &self.refs[w];
            // Relaxed: readers look again under the lock.
            weak.target.store(0, Relaxed);
            weak.links.write(0);
            weak.ghost.touch();
            let callback = look(&weak.callback);
            let inside = self.faults.is(Mutant::CallbackUnderLock);
            let early = inside || self.faults.is(Mutant::CallbackEarly);
            if !inside {
                drop(stripe);
            }
            match callback {
                Callback::None => {}
                Callback::DropUpgrades => self.intrude(count, thread, n),
                Callback::Upgrades if early => self.call(count, thread, n),
                Callback::Upgrades => calls += 1,
            }
        }
        for _ in 0..calls {
            self.call(count, thread, n);
        }
    }

    fn call<C: Mortal<R>>(&self, count: &C, thread: &mut C::Thread, n: usize) {
        let linked = self.refs.iter().position(|w| w.target.load(Relaxed) == n + 1);
        require(linked.is_none(), Kind::Invariant, || {
            format!("a callback runs while weakref[{}] is linked", linked.unwrap_or_default())
        });
        // A callback is any code: it may make a weak reference to another object of this
        // stripe, which takes the lock.
        drop(self.stripe.lock());
        self.intrude(count, thread, n);
    }

    fn set_bit(&self, n: usize, bit: u8) {
        if self.faults.is(Mutant::BitLost) {
            self.bits[n].store(self.bits[n].load(Relaxed) | bit, Relaxed);
        } else {
            // Relaxed: ordered by the count's own steps.
            self.bits[n].fetch_or(bit, Relaxed);
        }
    }

    /// The last reference is gone. False when the finalizer brought the object back.
    fn bury<C: Mortal<R>>(
        &self,
        count: &C,
        thread: &mut C::Thread,
        object: &Object<R, C::Header>,
    ) -> bool {
        let n = object.index;
        let finalizer =
            self.finalizers.lock().unwrap_or_else(std::sync::PoisonError::into_inner)[n];
        if let Some(finalizer) = finalizer
            && self.bits[n].load(Relaxed) & FINALIZED == 0
        {
            count.revive(thread, object);
            object.ghost.finalize();
            if finalizer == Finalizer::Resurrects {
                count.incref(thread, object);
                object.ghost.gain();
                *self.mailbox[n].lock() += 1;
            }
            let late = self.faults.is(Mutant::BitAfterRelease);
            if !late {
                // Before the release: whoever drops last afterwards must see it.
                self.set_bit(n, FINALIZED);
            }
            let how = if self.faults.is(Mutant::OwnedZero) {
                Ending::KeepOwner
            } else if self.faults.is(Mutant::EndPlain) {
                Ending::Plain
            } else {
                Ending::Proper
            };
            let dead = count.end(thread, object, how);
            if late {
                self.set_bit(n, FINALIZED);
            }
            if !dead {
                return false;
            }
        }
        self.clear(count, thread, n);
        true
    }
}

/// Threads, objects, weak references.
pub struct Weak<R: Runtime, C: Mortal<R>> {
    shop: Workshop<R, C>,
    table: Arc<Table<R>>,
}

/// Weak references on atomic counts, on real threads.
pub type WeakAtomicWorld = Weak<crate::runtime::Watched, OnAtomic<crate::runtime::Watched>>;
/// Weak references on biased counts, on real threads.
pub type WeakBiasedWorld = Weak<crate::runtime::Watched, OnBiased<crate::runtime::Watched>>;

/// What a thread does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// An operation on counts.
    Do(Plain),
    /// Makes weak reference `.0` of object `.1`.
    Link(usize, usize, Callback),
    /// Gives object `.0` a finalizer.
    Finalizer(usize, Finalizer),
    /// Upgrades weak reference `.0`.
    Upgrade(usize),
    /// Upgrades weak reference `.0` while somebody surely holds the object.
    MustUpgrade(usize),
    /// Deallocates weak reference `.0`.
    Unlink(usize),
    /// Marks object `.0` as seen by other threads, a bit beside `FINALIZED`.
    Share(usize),
}

impl std::fmt::Debug for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Do(op) => write!(f, "{op:?}"),
            Self::Link(w, o, Callback::None) => write!(f, "w{w} = ref(o{o})"),
            Self::Link(w, o, callback) => write!(f, "w{w} = ref(o{o}, {callback:?})"),
            Self::Finalizer(o, what) => write!(f, "o{o}.__del__ = {what:?}"),
            Self::Upgrade(w) => write!(f, "upgrade w{w}"),
            Self::MustUpgrade(w) => write!(f, "upgrade w{w} of a held object"),
            Self::Unlink(w) => write!(f, "drop w{w}"),
            Self::Share(o) => write!(f, "share o{o}"),
        }
    }
}

impl<R: Runtime, C> World for Weak<R, C>
where
    C: Mortal<R> + Count<R, Faults = Switch<<C as Count<R>>::Mutant>>,
    C::Mutant: Copy + Send + Sync + 'static,
{
    type Op = Op;
    type Mutant = Mutant;
    type Local = Worker<R, C>;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let shop: Workshop<R, C> = Workshop::new(shape, Switch(None));
        let weak = |n| WeakRef {
            target: R::AtomicUsize::new(0, Label::nth("weakref", n)),
            links: R::Cell::new(0, Label::nth("links", n)),
            callback: std::sync::Mutex::new(Callback::None),
            ghost: R::Ghost::blank(Label::nth("weakref", n)),
        };
        let table = Arc::new(Table {
            stripe: R::Mutex::new(Vec::new(), "stripe"),
            refs: (0..2).map(weak).collect(),
            bits: (0..shape.objects)
                .map(|n| R::AtomicU8::new(0, Label::nth("gc_bits", n)))
                .collect(),
            finalizers: std::sync::Mutex::new(vec![None; shape.objects]),
            mailbox: shop.mailbox(),
            faults,
        });
        let rites = table.clone();
        shop.count
            .set_rites(Box::new(move |count, thread, object| rites.bury(count, thread, object)));
        Self { shop, table }
    }

    fn enter(&self, n: usize) -> Worker<R, C> {
        self.shop.enter(n)
    }

    fn step(&self, worker: &mut Worker<R, C>, op: Op) -> Option<i64> {
        let count = &self.shop.count;
        let table = &self.table;
        match op {
            Op::Do(op) => return self.shop.step(worker, op.lift(|never: Nothing| match never {})),
            Op::Link(w, n, callback) => {
                if !table.faults.is(Mutant::NoMaybeFlag) {
                    count.announce(&count.objects()[n]);
                }
                table.refs[w].ghost.reuse(0);
                *table.refs[w].callback.lock().unwrap() = callback;
                let mut stripe = table.stripe.lock();
                stripe.insert(0, w);
                table.refs[w].links.write(1);
                // Release: the object before its address, for the load outside the lock.
                table.refs[w].target.store(n + 1, Release);
            }
            Op::Finalizer(n, what) => table.finalizers.lock().unwrap()[n] = Some(what),
            Op::Upgrade(w) | Op::MustUpgrade(w) => {
                let got = table.upgrade(count, worker.thread(), w);
                if let Some(n) = got {
                    worker.receive(n);
                }
                let must = matches!(op, Op::MustUpgrade(_));
                require(got.is_some() || !must, Kind::Invariant, || {
                    format!("weakref[{w}] gives nothing although its object is held")
                });
                return Some(i64::from(got.is_some()));
            }
            Op::Unlink(w) => {
                let weak = &table.refs[w];
                if table.faults.is(Mutant::UnlinkSkipsLock) && weak.target.load(Acquire) == 0 {
                    weak.ghost.free();
                    weak.links.write(0);
                    return None;
                }
                let mut stripe = table.stripe.lock();
                stripe.retain(|other| *other != w);
                weak.target.store(0, Relaxed);
                weak.links.write(0);
                drop(stripe);
                weak.ghost.free();
            }
            Op::Share(n) => table.set_bit(n, SHARED),
        }
        None
    }

    fn exit(&self, worker: Worker<R, C>) {
        self.shop.exit(worker);
    }

    fn finish(&self) {
        self.shop.finish();
        for (w, weak) in self.table.refs.iter().enumerate() {
            let target = weak.target.load(Relaxed);
            let dangles = target != 0 && self.shop.count.objects()[target - 1].ghost.is_dead();
            require(!dangles, Kind::UpgradedDead, || {
                format!("weakref[{w}] is linked to freed memory")
            });
        }
    }
}
