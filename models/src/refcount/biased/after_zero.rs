//! Life after zero, for finalizers: a temporary reference to an object whose count has
//! reached zero, and its end. Whoever finds the count zero calls `destroy`; with rites set, that
//! revives the object, runs its finalizer and ends the revival: if nobody has taken another
//! reference meanwhile the object is freed, else it lives on. Used by
//! [`weakref`](crate::weak::weakref).

use super::*;

/// Life after zero: what finalizers need.
impl<R: Runtime, F: Fault<Mutant>> Biased<R, F> {
    /// Sets what happens to an object without references; once.
    pub fn set_rites(&self, rites: LastRites<R, Self>) {
        let _ = self.rites.set(rites);
    }

    /// A temporary reference to an object whose count has reached zero: it belongs to the
    /// running thread now, whoever made it. Others cannot raise it from the initial zero.
    pub fn revive(&self, thread: &Thread, object: &Obj<R>) {
        // Relaxed: nobody else has a reference; who gets one from the finalizer gets it by
        // way of some lock.
        object.header.owner.store(thread.id, Relaxed);
        self.set_local(&object.header, 1);
        object.header.shared.store(INITIAL, Relaxed);
    }

    /// Ends the temporary reference; true when it was the only one. `keep_owner` leaves
    /// the dead object owned, as CPython 3.13 does.
    pub fn end_revival(&self, thread: &mut Thread, object: &Obj<R>, keep_owner: bool) -> bool {
        let Header { owner, local, shared, .. } = &object.header;
        // Relaxed: our own id, which only we or a merge by us could have changed, or another's.
        let mine = owner.load(Relaxed) == thread.id;
        // Acquire: as in `merge_zero`, for a finalizer that lends its reference to another thread
        // and has it back. No scenario needs it: a finalizer here keeps what it makes.
        if mine && local.load(Relaxed) == 1 && shared.load(Acquire) == INITIAL {
            self.set_local(&object.header, 0);
            if !keep_owner {
                // Relaxed, both: nobody else has a reference, and upgrades fail before and after.
                owner.store(0, Relaxed);
                shared.store(MERGED, Relaxed);
            }
            return true;
        }
        if mine { self.merge(object, -1) } else { self.drop_merged(object) }
    }

    /// The mutant end of a revival (`fin-end-plain` of `weakref`): the shared half is loaded and
    /// stored.
    pub fn end_plain(&self, object: &Obj<R>) -> bool {
        let Header { owner, local, shared, .. } = &object.header;
        let count = i64::from(local.load(Relaxed)) + (shared.load(Acquire) >> 2) - 1;
        self.set_local(&object.header, 0);
        owner.store(0, Relaxed);
        shared.store(count << 2 | MERGED, Release);
        count == 0
    }

    /// The temporary reference of an object that was merged meanwhile.
    fn drop_merged(&self, object: &Obj<R>) -> bool {
        // Release and acquire: an ordinary decrement, which may be the last.
        object.header.shared.fetch_sub(ONE, AcqRel) - ONE == MERGED
    }

    /// The true count, as far as a concurrent look can tell.
    pub fn peek(&self, object: &Obj<R>) -> i64 {
        // Relaxed: a look, from which only a mutant concludes anything.
        let local = i64::from(object.header.local.load(Relaxed));
        local + (object.header.shared.load(Relaxed) >> 2)
    }
}
