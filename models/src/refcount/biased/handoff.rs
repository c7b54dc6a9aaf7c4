//! The second part of the biased count: how a foreign thread leaves a reference to the
//! owner, how the owner takes it, and what happens when there is no owner any more.
//!
//! Owners stand in one *table* under a lock. An owner's entry has an *inbox* of objects; each
//! stands for one reference that the queueing thread had and the owner is to subtract. A bit
//! in the owner's *breaker*, which it polls at safe points, tells it to look. Everything is
//! decided inside the lock: an owner that is found in the table gets the entry and will see
//! it, and an owner that is not found will never count again, so that the queueing thread may
//! do its work for it.

use super::*;

/// A thread in the table of owners.
pub(super) struct Entry {
    /// Its number, from one; a later thread may get it again.
    id: usize,
    /// Where its breaker is; used again by the same thread only.
    pub(super) slot: usize,
    /// Objects of which it is to subtract a reference and to merge.
    pub(super) inbox: Vec<usize>,
}

/// What a thread carries.
pub struct Thread {
    pub(super) id: usize,
    pub(crate) slot: usize,
    /// Whether it is in the table, that is, whether it may own.
    registered: bool,
    /// Taken out of the inbox and not worked off yet.
    outbox: Vec<usize>,
}

impl<R: Runtime, F: Fault<Mutant>> Biased<R, F> {
    /// Leaves the caller's reference to the owner.
    #[cold]
    #[inline(never)]
    pub(super) fn queue(&self, thread: &mut Thread, object: &Obj<R>) {
        // Relaxed: read again in the section below.
        let owner = object.header.owner.load(Relaxed);
        if owner == 0 {
            // A merge is under way or done. Our exchange has set the flag and subtracted
            // nothing, so the reference is still ours: dropped again, it is an ordinary
            // decrement, since the flag is queued or merged and nobody queues from there.
            return self.sub(thread, object);
        }
        // Here, between the load and the lock, CPython may detach, and a stopped world may change
        // the owner.
        let mut table = self.table.lock();
        let owner = match self.faults.is(Mutant::StaleOwner) {
            true => owner,
            // Relaxed: the section orders it after a change of owner. An owner that is just
            // merging outside it may still be read: the entry then only subtracts.
            false => object.header.owner.load(Relaxed),
        };
        if owner == 0 {
            drop(table);
            return self.sub(thread, object);
        }
        let Some(entry) = table.iter_mut().find(|e| e.id == owner) else {
            if self.faults.is(Mutant::AbandonUnlocked) {
                drop(table);
                if self.merge(object, -1) {
                    destroy(self, thread, object);
                }
                return;
            }
            // Inside the section: a new thread with this id registers either before,
            // and is found, or after, and then sees the owner gone.
            let dead = self.merge(object, -1);
            if dead && self.faults.is(Mutant::DestroyLocked) {
                return destroy(self, thread, object);
            }
            // Before the destructor (B10): what it drops may have an owner that is gone, too.
            drop(table);
            if dead {
                destroy(self, thread, object);
            }
            return;
        };
        require(!entry.inbox.contains(&object.index), Kind::Invariant, || {
            format!("object[{}]: two entries in one inbox", object.index)
        });
        entry.inbox.push(object.index);
        // Inside the section, which keeps the thread registered. Relaxed: the bit only
        // says "look", the section orders what is found.
        self.breaker[entry.slot].store(1, Relaxed);
    }

    /// The owner's safe point.
    pub fn drain(&self, thread: &mut Thread) {
        // Relaxed: a missed bit is seen at the next safe point.
        if self.breaker[thread.slot].load(Relaxed) == 0 || !thread.registered {
            return;
        }
        if self.faults.is(Mutant::DrainNothing) {
            return;
        }
        if !self.faults.is(Mutant::ClearLate) {
            // First the bit, then the inbox: an entry that comes later sets it again.
            self.breaker[thread.slot].store(0, Relaxed);
        }
        let _world = self.world.lock();
        let mut table = self.table.lock();
        if let Some(entry) = table.iter_mut().find(|e| e.id == thread.id) {
            thread.outbox.append(&mut entry.inbox);
        }
        drop(table);
        if self.faults.is(Mutant::DrainLosesOne) {
            thread.outbox.pop();
        }
        if self.faults.is(Mutant::ClearLate) {
            self.breaker[thread.slot].store(0, Relaxed);
        }
        self.empty(thread);
    }

    fn empty(&self, thread: &mut Thread) {
        // Popped before merged: a destructor may drop more and have more queued for us (it does
        // not poll). An object whose owner's half has reached zero meanwhile is merged already;
        // then this only subtracts.
        while let Some(n) = thread.outbox.pop() {
            if self.merge(&self.objects[n], -1) {
                destroy(self, thread, &self.objects[n]);
            }
        }
    }

    /// The world is stopped, and the collector makes this thread the owner: it goes by the
    /// memory segment of the object, which need not be its maker's. An object with an entry that
    /// waits is merged instead, and then has no owner. Threads between two steps of an operation
    /// cannot be stopped, except where they are about to take the table's lock.
    pub(super) fn adopt(&self, thread: &mut Thread, object: &Obj<R>) {
        let _world = self.world.lock();
        let mut table = self.table.lock();
        let entry = table.iter_mut().find(|e| e.inbox.contains(&object.index));
        if let Some(entry) = entry {
            entry.inbox.retain(|n| *n != object.index);
            let dead = self.merge(object, -1);
            drop(table);
            if dead {
                destroy(self, thread, object);
            }
        } else if object.header.owner.load(Relaxed) != 0 {
            // Relaxed: the stopped world orders all before and all after it.
            object.header.owner.store(thread.id, Relaxed);
        }
    }

    pub(super) fn register(&self, slot: usize, id: usize) -> Thread {
        self.table.lock().push(Entry { id, slot, inbox: Vec::new() });
        Thread { id, slot, registered: true, outbox: Vec::new() }
    }

    /// The thread leaves the table; afterwards it owns nothing and changes no local half.
    pub(super) fn unregister(&self, thread: &mut Thread) {
        while thread.registered {
            let mut table = self.table.lock();
            let Some(at) = table.iter().position(|e| e.id == thread.id && e.slot == thread.slot)
            else {
                break;
            };
            thread.outbox.append(&mut table[at].inbox);
            let leave = thread.outbox.is_empty() || self.faults.is(Mutant::UnlinkFirst);
            if leave {
                if self.faults.is(Mutant::ExitGap) {
                    drop(table);
                    table = self.table.lock();
                }
                table.retain(|e| e.slot != thread.slot);
                thread.registered = false;
            }
            drop(table);
            self.empty(thread);
        }
        thread.id = usize::MAX;
    }
}
