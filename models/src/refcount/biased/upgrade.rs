//! The third part of the biased count: references from a bare address, such as a weak
//! reference, a cache, or a slot that is read without a lock.
//!
//! Such a reader has no reference and no lock. It may raise `shared` only from a word that
//! its owner, or the last dropper, cannot be about to free on: the owner frees from the
//! initial zero after a mere load, so that the flag has to have left [`INITIAL`] before; and
//! [`MERGED`] with a count of zero is dead. Places that hand out bare addresses therefore
//! announce the object first ([`Biased::set_maybe_weak`]), which costs the owner one
//! read-modify-write at its death.

use super::*;

impl<R: Runtime, F: Fault<Mutant>> Biased<R, F> {
    /// A reference from an address, without a lock. From the initial flag it may refuse
    /// a live object: callers need a fallback.
    pub fn try_add(&self, thread: &Thread, object: &Obj<R>) -> bool {
        let header = &object.header;
        // Relaxed, as in `add`; and below, a guess that the exchange confirms. A refusal needs no
        // order: it gives nothing to look at.
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
        // Relaxed: a guess, which the exchange confirms.
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
