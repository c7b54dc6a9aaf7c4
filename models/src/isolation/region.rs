//! Objects that belong to regions, and go from one to another.
//!
//! # Question
//! Threads share objects, and the language promises that no program has a data race. Who may use an object, for how
//! long is that true, and how does it change hands?
//!
//! # Idea
//! Every object has a word that says to which *region* it belongs: a thread's own, one with a lock, or the read-only one.
//! Each access looks at the word, and whoever has not the right gets an error. A region with a lock is read by
//! several or written by one. *Migration* goes through the objects below the given one and changes their words, by
//! whoever has both regions alone. So a look is right for as long as the looker has the region. Nested locks are taken
//! in descending *precedence*. What became read-only never changes: it needs no lock.
//!
//! # Timeline
//! ```text
//!                                           region of the outer, the inner
//! T0: made                                  T0          T0
//! T0: shares: lock { both }                 shared      shared
//! T1: reads: lock, as a reader { looks;     shared      shared
//!     reads both }
//! T0: adopts: lock, alone { both }          T0          T0
//! T1: reads: lock { looks: not shared }     T0          T0
//! T0: freezes both, then publishes          read-only   read-only
//! T1: looks; reads both without a lock      read-only   read-only
//! ```
//!
//! # Obligations
//! * G1: nobody uses an object without the right. G4: what is read-only never changes.
//! * G2: who has the lock sees all of a migration or nothing.
//! * G3: nobody waits for ever.
//! * An object is in one region: that is one word.
//!
//! # Limits
//! Two objects, one below the other; two regions with locks. What a lock is made of is `sync/rwlock.rs`.
//!
//! # Orders
//! Read-only is published by a release and met by an acquire; all else is under locks, or a thread's own.
//!
//! # Source
//! HPC-GAP's regions: `ShareObj`, `AdoptObj`, `MakeReadOnlyObj`, `atomic`.

mod checks;

pub use self::checks::*;

use crate::ghost::require;
use crate::protocol::{Fault as _, Shape, Switch, World};
use crate::runtime::{Atomic as _, DataCell as _, Label, Ordering::*, Runtime};
use crate::sync::Gate;
use crate::verdict::Kind;

/// Regions with a lock, by descending precedence.
const SHARED: usize = 0;
const SECOND: usize = 1;
const LOCKED: usize = 2;
/// The region of what is read-only; a thread's own come after it.
const READ_ONLY: usize = LOCKED;

/// An access without the right, or a nested lock that is refused.
const ERROR: Option<i64> = Some(-1);
const OUTER: usize = 0;
const INNER: usize = 1;

/// An object.
struct Object<R: Runtime> {
    region: R::AtomicUsize,
    data: R::Cell<u64>,
}

/// Two objects and the locks of regions.
pub struct Regions<R: Runtime> {
    objects: [Object<R>; 2],
    locks: [Gate<R>; LOCKED],
    faults: Switch<Mutant>,
}

impl<R: Runtime> Regions<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// A thread's own region.
    fn own(n: usize) -> usize {
        READ_ONLY + 1 + n
    }

    /// Of an object, to who has the region or its lock.
    fn region(&self, object: usize) -> usize {
        // Relaxed: a lock orders it, or nobody else changes it.
        self.objects[object].region.load(Relaxed)
    }

    fn give(&self, lock: usize, alone: bool) {
        if !(alone && self.is(Mutant::GiveNothing)) {
            self.locks[lock].give(alone);
        }
    }

    fn look(&self) -> Option<i64> {
        self.objects.iter().for_each(|object| _ = object.data.read());
        None
    }

    /// Reads both.
    fn read(&self, n: usize) -> Option<i64> {
        // Acquire: with read-only, what was written before.
        let region = self.objects[OUTER].region.load(Acquire);
        // What is below something read-only is read-only: one look is enough.
        if region == READ_ONLY || region == Self::own(n) {
            return self.look();
        }
        if region != SHARED {
            return ERROR;
        }
        self.locks[SHARED].take(false);
        let found = [OUTER, INNER].map(|object| self.region(object));
        let mixed = found.contains(&SHARED) && found.iter().any(|region| *region > READ_ONLY);
        require(!mixed, Kind::Invariant, || {
            format!("region[0]: {found:?} is half a migration, and seen under the lock")
        });
        // Read-only since the look: all the better.
        let right = [SHARED, READ_ONLY].contains(&found[OUTER]) || self.is(Mutant::CheckThenUse);
        let told = if right { self.look() } else { ERROR };
        self.give(SHARED, false);
        told
    }

    /// Writes what it has the right to.
    fn write(&self, n: usize) -> Option<i64> {
        let write = |object: usize, having: usize| {
            let right = self.region(object) == having;
            if right {
                let data = &self.objects[object].data;
                data.write(data.read() + 1);
            }
            right
        };
        if self.region(OUTER) == Self::own(n) {
            [OUTER, INNER].iter().for_each(|object| _ = write(*object, Self::own(n)));
            return None;
        }
        self.locks[SHARED].take(true);
        let wrote = [OUTER, INNER].map(|object| write(object, SHARED));
        self.give(SHARED, true);
        if wrote == [true; 2] { None } else { ERROR }
    }

    /// From the thread's own region into the shared one.
    fn share(&self, n: usize) -> Option<i64> {
        if self.region(OUTER) != Self::own(n) {
            return ERROR;
        }
        self.locks[SHARED].take(true);
        for object in &self.objects {
            if self.is(Mutant::MigratePerObject) {
                self.locks[SHARED].give(true);
                self.locks[SHARED].take(true);
            }
            object.region.store(SHARED, Relaxed);
        }
        self.give(SHARED, true);
        None
    }

    /// From the shared region into the thread's own.
    fn adopt(&self, n: usize) -> Option<i64> {
        let alone = !self.is(Mutant::MigrateUnderReadLock);
        self.locks[SHARED].take(alone);
        let right = self.region(OUTER) == SHARED;
        if right {
            // Relaxed: its readers look again under the lock.
            self.objects.iter().for_each(|object| object.region.store(Self::own(n), Relaxed));
        }
        self.give(SHARED, alone);
        if right { None } else { ERROR }
    }

    /// Read-only from now on: the inner one first, since who meets the outer one looks no further.
    fn freeze(&self, n: usize) -> Option<i64> {
        let own = self.region(OUTER) == Self::own(n);
        if !own {
            self.locks[SHARED].take(true);
        }
        let right = own || self.region(OUTER) == SHARED;
        if right {
            if !self.is(Mutant::ReadOnlyShallow) {
                self.objects[INNER].region.store(READ_ONLY, Relaxed);
            }
            // Release: what is in them, for readers without a lock.
            let order = if self.is(Mutant::PublishRelaxed) { Relaxed } else { Release };
            self.objects[OUTER].region.store(READ_ONLY, order);
        }
        if !own {
            self.give(SHARED, true);
        }
        if right { None } else { ERROR }
    }

    /// Reads, and then wants to write.
    fn read_write(&self, n: usize) -> Option<i64> {
        if self.is(Mutant::Upgrade) {
            self.locks[SHARED].take(false);
            self.locks[SHARED].upgrade();
            self.give(SHARED, true);
            return None;
        }
        let told = self.read(n);
        if told == ERROR { ERROR } else { self.write(n) }
    }

    /// One region's lock inside another's.
    fn nest(&self, outer: usize, inner: usize) -> Option<i64> {
        self.locks[outer].take(true);
        let refused = outer > inner && !self.is(Mutant::PrecedenceIgnored);
        if !refused {
            self.locks[inner].take(true);
            self.give(inner, true);
        }
        self.give(outer, true);
        if refused { ERROR } else { None }
    }
}

/// What a thread does; it answers -1 where it has not the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Reads both objects.
    Read,
    /// Writes both objects.
    Write,
    /// Reads both, and then writes both.
    ReadWrite,
    /// Its own objects become shared.
    Share,
    /// The shared objects become its own.
    Adopt,
    /// The objects, its own or shared, become read-only.
    Freeze,
    /// The second region's lock inside the shared one's.
    Descend,
    /// The shared region's lock inside the second one's.
    Ascend,
}

impl<R: Runtime> World for Regions<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = usize;

    fn new(_: Shape, faults: Switch<Mutant>) -> Self {
        let object = |n| Object {
            region: R::AtomicUsize::new(Self::own(0), Label::nth("region", n)),
            data: R::Cell::new(0, Label::nth("data", n)),
        };
        let locks = [SHARED, SECOND].map(|n| Gate::new("lock", n));
        Self { objects: [OUTER, INNER].map(object), locks, faults }
    }

    fn enter(&self, n: usize) -> usize {
        n
    }

    fn step(&self, n: &mut usize, op: Op) -> Option<i64> {
        match op {
            Op::Read => self.read(*n),
            Op::Write => self.write(*n),
            Op::ReadWrite => self.read_write(*n),
            Op::Share => self.share(*n),
            Op::Adopt => self.adopt(*n),
            Op::Freeze => self.freeze(*n),
            Op::Descend => self.nest(SHARED, SECOND),
            Op::Ascend => self.nest(SECOND, SHARED),
        }
    }
}
