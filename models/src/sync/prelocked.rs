//! Objects that are locked by their creator from the beginning, until somebody else shows interest.
//!
//! # Question
//! Most objects are used by the thread that made them. Can that thread do without a lock, and still give the object
//! up when another wants it, wherever it is at that moment?
//!
//! # Idea
//! An object's word names its *owner*, which has it locked for ever by that. The owner *marks* that it is inside an
//! operation, looks at the word, and needs no lock while it is still named there. Another thread first *revokes* the
//! object: it says so in the word, and then looks at the owner's mark. Either the mark shows that the owner is
//! inside, or the owner, whenever it goes in, finds the word changed: both store first and look then, with a full fence
//! between. From then on the object is *shared*, an ordinary lock protects it, and it never gets an owner again.
//!
//! Is the owner inside, the other registers its *interest* with it and sleeps. The owner grants at its next *safe
//! point*: between two operations, before it blocks, and at its end. Who blocks gives up all that it is inside of.
//! An owner that is blocked or gone grants nothing: who finds it so helps itself.
//!
//! # Timeline
//! ```text
//!                                               word        T0's mark   T0's interest
//! T0: inside, by its mark and name              T0's        1           none
//! T1: revokes: T0 is inside                     revoking    1           none
//! T1: registers its interest; sleeps            revoking    1           T1
//! T0: out                                       revoking    0           T1
//! T0: safe point: grants; wakes T1              shared      0           none
//! T1: takes the lock                            shared      0           none
//! T0: wants in: not its own; waits for the lock shared      0           none
//! ```
//!
//! # Obligations
//! * B1: two threads are never inside one object.
//! * B2: revoking ends, whatever the owner does meanwhile.
//! * B3: an object that is shared stays so.
//!
//! # Limits
//! Two objects, and no operation on one inside of one on the same. What an operation was inside of before it blocked
//! is given up for good: it would have to begin anew.
//!
//! # Orders
//! The two fences, and release and acquire for the end of the owner's last operation: by its mark, or by the word.
//!
//! # Source
//! Only sketched in public, as an answer to what `furtex.rs` costs; this is one consistent form of it.

mod checks;

pub use self::checks::*;

use super::{Counter, HandedLock, Sleeper};
use crate::enumerate::{Place, Start};
use crate::ghost::require;
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, Label, Lock as _, Native, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

/// An object's word: shared, or twice its owner's number, odd while it is revoked.
const SHARED: usize = 0;

/// A thread in the registry.
struct Owner {
    id: usize,
    slot: usize,
    attached: bool,
    /// Who wants which object of it.
    interest: Vec<(usize, usize)>,
}

/// The registry: who may own, and the number that is given next.
struct Registry {
    owners: Vec<Owner>,
    next: usize,
}

/// Objects, of which thread `n` has made number `n`.
pub struct Objects<R: Runtime> {
    words: Box<[R::AtomicUsize]>,
    locks: Box<[HandedLock<R>]>,
    data: Box<[Counter<R>]>,
    /// Per thread: how many operations it is inside of by its name alone.
    marks: Box<[R::AtomicUsize]>,
    /// Per thread: somebody has registered interest, look at the next safe point.
    breakers: Box<[R::AtomicU8]>,
    registry: R::Mutex<Registry>,
    sleepers: Box<[Sleeper<R>]>,
    faults: Switch<Mutant>,
}

/// A thread.
pub struct Local {
    n: usize,
    /// Its number, from one; that of a thread which begins anew is another.
    id: usize,
    mark: usize,
    /// What it is inside of, and whether by its name alone.
    inside: Vec<(usize, bool)>,
    /// It has ended.
    ended: bool,
    /// How often it slept in this operation.
    slept: i64,
}

impl<R: Runtime> Objects<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn set_mark(&self, t: &mut Local, mark: usize) {
        t.mark = mark;
        // Release: what was done inside comes before its end.
        self.marks[t.n].store(mark, Release);
    }

    /// Goes inside an object.
    fn begin(&self, t: &mut Local, object: usize) {
        // 1. As the owner: the mark, then the look.
        self.set_mark(t, t.mark + 1);
        if !self.is(Mutant::NoFence) {
            // SeqCst, against the fence in `revoke`: the mark is seen there, or the word changed here.
            R::fence(SeqCst);
        }
        // Relaxed: if it names us, all that was done inside was done by us.
        if self.words[object].load(Relaxed) == 2 * t.id {
            return t.inside.push((object, true));
        }
        self.set_mark(t, t.mark - 1);
        // 2. As one of many.
        while !self.revoke(t, object) {}
        if !self.locks[object].take_or_queue(t.n) {
            self.sleep(t);
        }
        // Relaxed: a check. We have seen it shared.
        let word = self.words[object].load(Relaxed);
        require(word == SHARED, Kind::Invariant, || {
            format!("word[{object}]: {word} after it was shared")
        });
        t.inside.push((object, false));
    }

    /// Out of what was begun last, unless it was given up.
    fn end(&self, t: &mut Local, object: usize) {
        if let Some((_, by_name)) = t.inside.pop_if(|inside| inside.0 == object) {
            self.out(t, object, by_name);
        }
    }

    fn out(&self, t: &mut Local, object: usize, by_name: bool) {
        match by_name {
            true => self.set_mark(t, t.mark - 1),
            false => self.locks[object].give(&self.sleepers),
        }
    }

    /// Makes an object shared; false when its word changed meanwhile.
    fn revoke(&self, t: &mut Local, object: usize) -> bool {
        let word = &self.words[object];
        // Acquire: what its owner did inside.
        let seen = word.load(Acquire);
        if seen == SHARED {
            return true;
        }
        // Release, here and below: what its owner did inside, for all who find it shared.
        let share = || word.store(SHARED, Release);
        let owner = seen / 2;
        // 1. One's own, which another revokes: nobody is inside.
        if owner == t.id {
            share();
            return true;
        }
        // 2. Its owner is gone: nobody is inside, nor will be, since no number is given twice.
        let slot = self.registry.lock().owners.iter().find(|o| o.id == owner).map(|o| o.slot);
        let Some(slot) = slot else {
            return word.compare_exchange(seen, SHARED, Release, Relaxed).is_ok();
        };
        // 3. The word, then the look. Relaxed: the fence carries it.
        let revoking = 2 * owner + 1;
        if self.is(Mutant::RevokeStores) {
            word.store(revoking, Relaxed);
        } else if seen != revoking
            && word.compare_exchange(seen, revoking, Relaxed, Relaxed).is_err()
        {
            return false;
        }
        // SeqCst, against the fence in `begin`.
        R::fence(SeqCst);
        // Acquire: pairs with the owner's end.
        if self.marks[slot].load(Acquire) == 0 {
            share();
            return true;
        }
        // 4. Its owner is inside, of this or of another: it is told, unless it has blocked or gone since.
        let mut registry = self.registry.lock();
        let found = registry.owners.iter_mut().find(|o| o.id == owner && o.attached);
        let Some(found) = found else {
            share();
            return true;
        };
        found.interest.push((object, t.n));
        // Relaxed: the bit only says *look*.
        self.breakers[slot].store(1, Relaxed);
        drop(registry);
        self.sleep(t);
        true
    }

    /// The owner shares what others want, and wakes them. Not while it is inside.
    fn grant(&self, owner: &mut Owner) {
        for (object, n) in owner.interest.drain(..) {
            if !self.is(Mutant::GrantNothing) {
                // Release: as in `revoke`.
                self.words[object].store(SHARED, Release);
                self.sleepers[n].wake();
            }
        }
    }

    /// Between two operations, and now and then inside of one.
    fn safe_point(&self, t: &Local) {
        // Relaxed: a missed bit is seen at the next safe point, or at the end.
        if self.breakers[t.n].load(Relaxed) == 0
            || t.mark > 0 && !self.is(Mutant::GrantMidOperation)
        {
            return;
        }
        self.breakers[t.n].store(0, Relaxed);
        self.registered(t, |owner| self.grant(owner));
    }

    fn registered(&self, t: &Local, change: impl FnOnce(&mut Owner)) {
        let mut registry = self.registry.lock();
        change(registry.owners.iter_mut().find(|o| o.id == t.id).expect("it is registered"));
    }

    /// Before it blocks: gives up all that it is inside of, and grants.
    fn detach(&self, t: &mut Local) {
        for (object, by_name) in std::mem::take(&mut t.inside) {
            self.out(t, object, by_name);
        }
        self.registered(t, |owner| {
            owner.attached = false;
            self.grant(owner);
        });
    }

    fn attach(&self, t: &Local) {
        self.registered(t, |owner| owner.attached = true);
    }

    /// Until it is woken.
    fn sleep(&self, t: &mut Local) {
        t.slept += 1;
        if self.is(Mutant::CrossWait) {
            return self.sleepers[t.n].sleep();
        }
        self.detach(t);
        self.sleepers[t.n].sleep();
        self.attach(t);
    }

    /// The end of a thread: grants, and leaves, in one step.
    fn leave(&self, t: &mut Local) {
        if std::mem::replace(&mut t.ended, true) || self.is(Mutant::OwnerExit) {
            return;
        }
        if self.is(Mutant::LostInterest) {
            self.registered(t, |owner| self.grant(owner));
            return self.registry.lock().owners.retain(|o| o.id != t.id);
        }
        let mut registry = self.registry.lock();
        let at = registry.owners.iter().position(|o| o.id == t.id).expect("it is registered");
        self.grant(&mut registry.owners.remove(at));
    }
}

/// What a thread does; it answers how often it slept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Counts in an object.
    In(usize),
    /// The same, with a safe point inside.
    Long(usize),
    /// Counts in the second inside of the first.
    Nest(usize, usize),
    /// Counts in an object, blocks inside, and counts once more.
    Blocks(usize),
    /// Ends, and a new thread begins in its place.
    Anew,
    /// Ends: the main thread, which ends last else, and waits for the others before.
    End,
}

impl<R: Runtime> World for Objects<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let owner = |n| Owner { id: n + 1, slot: n, attached: true, interest: Vec::new() };
        let registry =
            Registry { owners: (0..shape.threads).map(owner).collect(), next: shape.threads + 1 };
        let word = |n| R::AtomicUsize::new(2 * (n + 1), Label::nth("word", n));
        Self {
            words: (0..2).map(word).collect(),
            locks: (0..2).map(|n| HandedLock::new(Label::nth("lock", n))).collect(),
            data: (0..2).map(Counter::new).collect(),
            marks: (0..shape.threads)
                .map(|n| R::AtomicUsize::new(0, Label::nth("mark", n)))
                .collect(),
            breakers: (0..shape.threads)
                .map(|n| R::AtomicU8::new(0, Label::nth("breaker", n)))
                .collect(),
            registry: R::Mutex::new(registry, "registry"),
            sleepers: Sleeper::all(shape.threads),
            faults,
        }
    }

    fn enter(&self, n: usize) -> Local {
        Local { n, id: n + 1, mark: 0, inside: Vec::new(), ended: false, slept: 0 }
    }

    fn step(&self, t: &mut Local, op: Op) -> Option<i64> {
        t.slept = 0;
        match op {
            Op::In(a) => {
                self.begin(t, a);
                self.data[a].count();
                self.end(t, a);
            }
            Op::Long(a) => {
                self.begin(t, a);
                let read = self.data[a].read();
                self.safe_point(t);
                self.data[a].store(read);
                self.end(t, a);
            }
            Op::Nest(a, b) => {
                self.begin(t, a);
                self.data[a].count();
                // Here it may lose the first.
                self.begin(t, b);
                self.data[b].count();
                self.end(t, b);
                self.end(t, a);
            }
            Op::Blocks(a) => {
                self.begin(t, a);
                self.data[a].count();
                self.detach(t);
                self.attach(t);
                self.begin(t, a);
                self.data[a].count();
                self.end(t, a);
            }
            Op::End => {
                self.leave(t);
                return None;
            }
            Op::Anew => {
                self.leave(t);
                t.ended = false;
                let mut registry = self.registry.lock();
                if !self.is(Mutant::TidReuse) {
                    t.id = registry.next;
                    registry.next += 1;
                }
                let owner = Owner { id: t.id, slot: t.n, attached: true, interest: Vec::new() };
                registry.owners.push(owner);
                return None;
            }
        }
        self.safe_point(t);
        Some(t.slept)
    }

    fn exit(&self, mut t: Local) {
        self.leave(&mut t);
    }

    fn finish(&self) {
        self.data.iter().for_each(Counter::check);
    }
}
