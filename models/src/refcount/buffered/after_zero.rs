//! Life after zero: the finalizer of an object that the commit thread has claimed, and the
//! way back to ordinary counting.

use super::*;
use crate::ghost::Ghost as _;

impl<R: Runtime, F: Fault<Mutant>> Buffered<R, F> {
    /// The finalizer of a claimed object: any code, outside the commit lock.
    pub(super) fn finalize(&self, thread: &mut Thread, n: usize) {
        let object = &self.objects[n];
        let Header { count, pins, finalizer } = &object.header;
        object.ghost.finalize();
        let stores = finalizer.read() == STORES;
        finalizer.write(FINALIZED);
        // A finalizer may wait for a round, as one that empties a cache does.
        drop(self.commit.lock());
        // A temporary reference, which puts the object back under ordinary counting.
        self.log(thread, n, true, false);
        if stores {
            self.log(thread, n, true, false);
            object.ghost.gain();
        }
        self.log(thread, n, false, false);
        if self.faults.is(Mutant::ResurrectLost) && count.read() == 0 {
            return destroy(self, thread, object);
        }
        // The temporary reference is logged by this thread before it is at a safe point again, so
        // upgrades may succeed from here on. Release: they find the object as the finalizer left
        // it. Equivalent to relaxed here, where a finalizer writes nothing to its object.
        pins.store(0, Release);
    }
}
