//! Weak references, `__del__`, and resurrection, on atomic and on biased counts.
//!
//! # Question
//! A weak reference is an address without a count. Somebody upgrades it while somebody else
//! drops the last reference; a finalizer may store a new reference to the dying object.
//! Who decides whether the object lives?
//!
//! # Idea
//! The address in a weak reference leads to a lock, never to the object; under the lock it is read
//! again, and then the object's memory is still there, though the object may be dying. Whether it is,
//! its count decides: the increment that refuses zero. A death first runs the finalizer, on a
//! reference of its own, then takes every weak reference out of the list under the lock, then
//! calls the callbacks, and only then frees the memory.
//!
//! # Timeline
//! ```text
//! T0: drops the last reference            T1: upgrades w
//!                                         reads the address in w
//! count 1 → 0: dead
//! 1. the finalizer runs: 0 → 1 → 0
//!                                         lock; the address is still there; count is 0: none
//! 2. lock; clears w; unlock               (from here on: the address is gone: none)
//! 3. calls w's callback
//! 4. frees the memory
//! ```
//! With T1's section before the first line of T0 the upgrade succeeds, and T0's drop is not the last.
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
//! # Orders
//! The stripe lock orders links, addresses and clearing; the counts below bring their own. What
//! is left is relaxed or, weakened, breaks nothing. CPython is stronger: it reads the head of the
//! list sequentially consistent, and weaker: FINALIZED is set by a load and a store
//! (`fin-bit-lost`).
//!
//! # Source
//! CPython 3.13 `Objects/weakrefobject.c`, `Objects/object.c`
//! (`PyObject_CallFinalizerFromDealloc`, `_PyObject_ResurrectEnd`); PEP 442. CPython keeps
//! a dead object owned by the finalizing thread, which can then upgrade it: shipped form
//! `fin-owned-zero`. Here the object is left merged.

mod checks;
mod operations;

pub use self::checks::*;
pub use self::operations::{Op, Weak, WeakAtomicWorld, WeakBiasedWorld};

use super::mortal::{Ending, Mortal, OnAtomic, OnBiased};
use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require, violation};
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::refcount::{Count, Nothing, Object, Op as Plain, Worker, Workshop, workshop};
use crate::runtime::{Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};
use std::sync::Arc;

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
        // Acquire: pairs with the link, for a reader that would look at the object (as
        // `wr-lock-via-target` does) before it has the lock. Ours does not, zero is final, and
        // the address is read again under the lock: equivalent to relaxed here.
        let target = self.refs[w].target.load(Acquire);
        if target == 0 {
            return None;
        }
        let object = &count.objects()[target - 1];
        if self.faults.is(Mutant::LockViaTarget) {
            object.payload.read();
        }
        let _stripe = self.stripe.lock();
        // Again under the lock: clearing holds it too, so relaxed.
        if !self.faults.is(Mutant::NoRecheck) && self.refs[w].target.load(Relaxed) == 0 {
            return None;
        }
        // Linked, so not freed.
        object.ghost.touch();
        let faulty = [Mutant::RefusesLast, Mutant::PlainIncref, Mutant::TestThenIncref];
        let got = if faulty.into_iter().any(|fault| self.faults.is(fault)) {
            self.try_incref_faulty(count, thread, object)
        } else {
            count.try_incref(thread, object)
        };
        if got {
            object.ghost.gain();
        }
        got.then(|| target - 1)
    }

    /// The mutant increments of an upgrade.
    fn try_incref_faulty<C: Mortal<R>>(
        &self,
        count: &C,
        thread: &mut C::Thread,
        object: &Object<R, C::Header>,
    ) -> bool {
        if self.faults.is(Mutant::RefusesLast) && count.peek(object) <= 1 {
            return false;
        }
        if self.faults.is(Mutant::RefusesLast) {
            return count.try_incref(thread, object);
        }
        let alive = self.faults.is(Mutant::PlainIncref) || count.peek(object) > 0;
        if alive {
            count.incref(thread, object);
        }
        alive
    }

    /// Code that runs while the object dies: nobody must get it any more.
    fn upgrade_all<C: Mortal<R>>(&self, count: &C, thread: &mut C::Thread, dead: usize) {
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

    /// Clears all weak references to the dead, then calls their callbacks.
    fn clear<C: Mortal<R>>(&self, count: &C, thread: &mut C::Thread, n: usize) {
        let mut calls = 0;
        loop {
            let mut stripe = self.stripe.lock();
            // Relaxed: under the lock.
            let mine = |w: &usize| self.refs[*w].target.load(Relaxed) == n + 1;
            let Some(at) = stripe.iter().position(mine) else { break };
            let w = stripe.remove(at);
            let weak = &self.refs[w];
            // Relaxed: readers look again under the lock.
            weak.target.store(0, Relaxed);
            weak.links.write(0);
            let callback = look(&weak.callback);
            let inside = self.faults.is(Mutant::CallbackUnderLock);
            let early = inside || self.faults.is(Mutant::CallbackEarly);
            if !inside {
                drop(stripe);
            }
            match callback {
                Callback::None => {}
                Callback::DropUpgrades => self.upgrade_all(count, thread, n),
                Callback::Upgrades if early => self.call(count, thread, n),
                Callback::Upgrades => calls += 1,
            }
        }
        for _ in 0..calls {
            self.call(count, thread, n);
        }
    }

    fn call<C: Mortal<R>>(&self, count: &C, thread: &mut C::Thread, n: usize) {
        // Relaxed: the sections of this thread's own `clear` came before.
        let living = |w: &&WeakRef<R>| !w.ghost.is_dead();
        let mut linked = self.refs.iter().filter(living).map(|w| w.target.load(Relaxed));
        let linked = linked.position(|target| target == n + 1);
        require(linked.is_none(), Kind::Invariant, || {
            format!("a callback runs while weakref[{}] is linked", linked.unwrap_or_default())
        });
        // A callback is any code: it may make a weak reference to another object of this
        // stripe, which takes the lock.
        drop(self.stripe.lock());
        self.upgrade_all(count, thread, n);
    }

    fn set_bit(&self, n: usize, bit: u8) {
        if self.faults.is(Mutant::BitLost) {
            self.bits[n].store(self.bits[n].load(Relaxed) | bit, Relaxed);
        } else {
            // Relaxed: ordered by the count's own steps. A read-modify-write, because others set
            // other bits of the byte (`fin-bit-lost`).
            self.bits[n].fetch_or(bit, Relaxed);
        }
    }

    /// The last reference is gone. False when the finalizer brought the object back; else the
    /// memory goes next.
    fn dealloc<C: Mortal<R>>(
        &self,
        count: &C,
        thread: &mut C::Thread,
        object: &Object<R, C::Header>,
    ) -> bool {
        // 1. The finalizer, once in a life.
        if !self.finalize(count, thread, object) {
            return false;
        }
        // 2. Weak references, then 3. their callbacks.
        if !self.faults.is(Mutant::ClearNothing) {
            self.clear(count, thread, object.index);
        }
        true
    }

    /// Runs the finalizer, if there is one that has not run. False when the object lives on: then
    /// it belongs to others, and is not touched any more.
    fn finalize<C: Mortal<R>>(
        &self,
        count: &C,
        thread: &mut C::Thread,
        object: &Object<R, C::Header>,
    ) -> bool {
        let n = object.index;
        let finalizer =
            self.finalizers.lock().unwrap_or_else(std::sync::PoisonError::into_inner)[n];
        // Relaxed: set before the temporary reference was dropped, and dropping orders it
        // before the next last drop.
        let Some(finalizer) = finalizer.filter(|_| self.bits[n].load(Relaxed) & FINALIZED == 0)
        else {
            return true;
        };
        // 1. It works on a temporary reference.
        count.revive(thread, object);
        object.ghost.finalize();
        if finalizer == Finalizer::Resurrects {
            count.incref(thread, object);
            object.ghost.gain();
            *self.mailbox[n].lock() += 1;
        }
        // 2. Before the release: whoever drops last afterwards must see it.
        let late = self.faults.is(Mutant::BitAfterRelease);
        if !late {
            self.set_bit(n, FINALIZED);
        }
        // 3. Whether that was the last reference.
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
        dead
    }
}
