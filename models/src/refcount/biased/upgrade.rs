//! The third part of the biased count: references from a bare address, such as a weak
//! reference, a cache, or a slot that is read without a lock.
//!
//! Such a reader has no reference and no lock. (What it reads stays readable, because blocks are
//! freed late or keep their type, and it looks afterwards whether the place still holds the same
//! object: see `optimistic-list`.) It may raise `shared` only from a word that its owner, or the
//! last dropper, cannot be about to free on: the owner frees from the initial zero, flag and
//! count, after a mere load, so that the flag has to have left [`INITIAL`] before; and [`MERGED`]
//! with a count of zero is dead. Places that hand out bare addresses therefore
//! announce the object first ([`Biased::set_maybe_weak`]), which costs the owner one
//! read-modify-write at its death.

use super::*;
use crate::ghost::Ghost as _;
use crate::runtime::trace::type_stable;

impl<R: Runtime, F: Fault<Mutant>> Biased<R, F> {
    /// A reference from an address, without a lock. At the initial zero it may refuse a live
    /// object: callers need a fallback.
    pub fn try_add(&self, thread: &Thread, object: &Obj<R>) -> bool {
        let header = &object.header;
        // Relaxed, as in `add`; and below, a guess that the exchange confirms. A refusal needs no
        // order: it gives nothing to look at.
        if header.owner.load(Relaxed) == thread.id {
            // What we own and have not taken to zero lives: only we could end it. Afterwards we
            // may still stand as its owner: code that runs while we destroy it must not find its
            // address any more, or not find us as its owner. CPython 3.13 forgets the latter
            // (mutant `fin-owned-zero` of `weakref-biased`).
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

    /// A reference to what the slot refers to, if that is object `n`: an upgrade, and a second look
    /// (`_Py_TryIncrefCompare`).
    pub fn try_compare(&self, thread: &mut Thread, n: usize) -> bool {
        // Acquire: pairs with the publication, the flag before the address.
        if self.slot.load(Acquire) != n + 1 {
            return false;
        }
        let object = &self.objects[n];
        if !type_stable(|| self.try_add(thread, object)) {
            return false;
        }
        object.ghost.gain();
        // Relaxed: an object that has left the slot is given back, whatever else has become of it.
        if self.slot.load(Relaxed) == n + 1 {
            return true;
        }
        object.ghost.lose();
        self.sub(thread, object);
        false
    }

    /// A further reference while somebody's lock keeps the object, and the announcement in the same
    /// step (`_Py_NewRefWithLock`).
    pub fn new_ref_with_lock(&self, thread: &Thread, object: &Obj<R>) {
        let header = &object.header;
        // Relaxed: as in `add`.
        if header.owner.load(Relaxed) == thread.id {
            return self.set_local(header, header.local.load(Relaxed) + 1);
        }
        // Relaxed: a guess, which the exchange confirms.
        let mut old = header.shared.load(Relaxed);
        loop {
            let flag = if old & FLAGS == INITIAL { MAYBE_WEAK } else { 0 };
            // Relaxed: the lock keeps the object, nothing is decided.
            match header.shared.compare_exchange(old, (old + ONE) | flag, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(found) => old = found,
            }
        }
    }

    /// Before the address enters a place that [`Self::try_add`] reads from; the caller has a
    /// reference.
    pub fn set_maybe_weak(&self, object: &Obj<R>) {
        let shared = &object.header.shared;
        // Relaxed: a guess, which the exchange confirms.
        let mut old = shared.load(Relaxed);
        while old & FLAGS == INITIAL {
            if self.faults.is(Mutant::FlagStore) {
                return shared.store(old | MAYBE_WEAK, Relaxed);
            }
            // Relaxed: who finds the address in that place found it published after this. And
            // the owner cannot free from a zero read before it: the caller's reference is counted
            // in `shared`, which then is not zero, or in `local`, which gets to zero only once
            // the reference has come back to the owner, and this with it.
            match shared.compare_exchange(old, old | MAYBE_WEAK, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(found) => old = found,
            }
        }
    }
}
