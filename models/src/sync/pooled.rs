//! Locks of containers from a pool: as many as are in use.
//!
//! # Question
//! Every list and dict is to be locked by every method, and nearly none is in use. How few locks suffice?
//!
//! # Idea
//! A container has a pointer to a lock, normally none. Whoever wants the container takes a lock from the pool, or
//! the one that is attached already, and counts itself among that lock's *users* before it waits. The last
//! user detaches the lock and gives it back. The pool's own lock protects pointers and numbers of users, and
//! is never held while waiting or while anybody's code runs.
//!
//! # Timeline
//! ```text
//!                                       container's   users   pool
//! T0: pool { takes L; 1 user }          L             1       M
//! T0: locks L
//! T1: pool { finds L; 2 users }         L             2       M
//! T1: waits for L
//! T0: unlocks L; pool { 1 user }        L             1       M
//! T1: has L
//! T1: unlocks L; pool { none: back }    none          0       M L
//! ```
//!
//! # Obligations
//! * P1: two threads are never inside one container.
//! * P3: a lock in the pool has no users, and nobody holds it.
//! * P4: when nobody is inside any container, all locks are in the pool.
//! * P5: no code of others runs under the pool's lock or under the one lock for the interpreter's own
//!   short sections: no deadlock.
//! * P6: who waits for a container has a reference to it.
//!
//! # Limits
//! Two containers, two locks, not recursive; threads lock one container at a time, since two in opposite orders
//! would wait for each other for ever: `critical.rs` answers that. The original text of the patch's pool was
//! not to be had: this is a reconstruction.
//!
//! # Orders
//! None: all is under locks.
//!
//! # Source
//! Stein's 1996 patch (`pypooledlock.c`, `Py_CRIT_LOCK`), after Beazley's description.

use super::Counter;
use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require};
use crate::protocol::{Fault as _, Property, Protocol, SKIPPED, Scenario, Shape, Switch, World};
use crate::runtime::{Label, Lock as _, Native, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

const LOCKS: usize = 2;
const CONTAINERS: usize = 2;

/// What is under the pool's lock.
struct Pool {
    free: Vec<usize>,
    users: [usize; LOCKS],
    /// The lock of each container.
    attached: [Option<usize>; CONTAINERS],
    /// References to each; a variable has one at first.
    references: [usize; CONTAINERS],
    variable: [bool; CONTAINERS],
}

/// Containers and their locks.
pub struct Containers<R: Runtime> {
    pool: R::Mutex<Pool>,
    locks: Box<[R::Mutex<()>]>,
    data: Box<[Counter<R>]>,
    ghosts: Box<[R::Ghost]>,
    /// One lock for the interpreter's own short sections: free lists, imports, signals.
    critical: R::Mutex<()>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> Containers<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// A reference to the container, and the lock that everybody in it has.
    fn attach(&self, container: usize) -> Option<usize> {
        let racing = self.is(Mutant::AttachRace).then(|| self.pool.lock().attached[container]);
        let mut pool = self.pool.lock();
        if !pool.variable[container] {
            return None;
        }
        if !self.is(Mutant::DeallocWhileUsers) {
            pool.references[container] += 1;
        }
        let found = racing.unwrap_or(pool.attached[container]);
        // More users than locks, and the pool makes one: never here, with one lock for each container.
        let lock = found.unwrap_or_else(|| pool.free.remove(0));
        pool.attached[container] = Some(lock);
        if !self.is(Mutant::ReturnWithWaiters) {
            pool.users[lock] += 1;
        }
        Some(lock)
    }

    /// One user less; the last one gives the lock back, which it does not hold any more.
    fn detach(&self, container: usize, lock: usize, holds: bool) {
        let mut pool = self.pool.lock();
        pool.users[lock] -= 1;
        if pool.users[lock] == 0 && !self.is(Mutant::ReturnsNothing) {
            let back = pool.free.contains(&lock);
            require(!holds && !back, Kind::Invariant, || {
                format!("pool: lock {lock} is given back, but held, or back already")
            });
            pool.attached[container] = None;
            pool.free.push(lock);
        }
    }

    /// Counts in the container, and answers by which lock; `fails` is an error on the way.
    fn count(&self, container: usize, fails: bool) -> Option<i64> {
        let Some(lock) = self.attach(container) else { return SKIPPED };
        self.inside(container, lock);
        if !(fails && self.is(Mutant::LeakOnError) || self.is(Mutant::ReleaseBeforeUnlock)) {
            self.detach(container, lock, false);
        }
        if !self.is(Mutant::DeallocWhileUsers) {
            self.drop_reference(container);
        }
        Some(lock as i64)
    }

    /// With the lock.
    fn inside(&self, container: usize, lock: usize) {
        let guard = (!self.is(Mutant::GoesIn)).then(|| self.locks[lock].lock());
        if self.is(Mutant::ReturnWithWaiters) {
            let mut pool = self.pool.lock();
            let back = pool.free.contains(&lock);
            require(!back, Kind::Invariant, || format!("pool: lock {lock} is used and back"));
            pool.users[lock] += 1;
        }
        self.ghosts[container].touch();
        self.data[container].count();
        if self.is(Mutant::ReleaseBeforeUnlock) {
            self.detach(container, lock, true);
        }
        drop(guard);
    }

    fn drop_reference(&self, container: usize) {
        let mut pool = self.pool.lock();
        pool.references[container] -= 1;
        let last = pool.references[container] == 0;
        drop(pool);
        if last {
            self.destroy(container);
        }
    }

    /// Removes it from the interpreter's tables, and runs its destructor, which makes a number.
    fn destroy(&self, container: usize) {
        let section = self.critical.lock();
        self.ghosts[container].free();
        let section = self.is(Mutant::CallsUserCode).then_some(section);
        drop(self.critical.lock());
        drop(section);
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Counts in a container.
    Count(usize),
    /// The same, and comes out by an error.
    Fail(usize),
    /// Removes the variable that keeps a container.
    Clear(usize),
}

impl<R: Runtime> World for Containers<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = ();

    fn new(_: Shape, faults: Switch<Mutant>) -> Self {
        let ghost = |n| R::Ghost::living(Label::nth("container", n));
        let pool = Pool {
            free: (0..LOCKS).collect(),
            users: [0; LOCKS],
            attached: [None; CONTAINERS],
            references: [1; CONTAINERS],
            variable: [true; CONTAINERS],
        };
        Self {
            pool: R::Mutex::new(pool, "pool"),
            locks: (0..LOCKS).map(|n| R::Mutex::new((), Label::nth("lock", n))).collect(),
            data: (0..CONTAINERS).map(Counter::new).collect(),
            ghosts: (0..CONTAINERS).map(ghost).collect(),
            critical: R::Mutex::new((), "critical"),
            faults,
        }
    }

    fn enter(&self, _: usize) {}

    fn step(&self, (): &mut (), op: Op) -> Option<i64> {
        match op {
            Op::Count(container) => self.count(container, false),
            Op::Fail(container) => self.count(container, true),
            Op::Clear(container) => {
                if !std::mem::replace(&mut self.pool.lock().variable[container], false) {
                    return SKIPPED;
                }
                self.drop_reference(container);
                None
            }
        }
    }

    fn finish(&self) {
        self.data.iter().for_each(Counter::check);
        let pool = self.pool.lock();
        require(pool.free.len() == LOCKS, Kind::Leak, || {
            format!("pool: {} of {LOCKS} locks are back", pool.free.len())
        });
    }
}

mutants! {
    /// Faults of the pool and of its users.
    pub enum Mutant {
        /// A user is counted when it has the lock: one that waits keeps nothing from going back.
        ReturnWithWaiters = "pool-return-with-waiters" breaks ["P3"] in "two" by Everywhere;
        /// Whether a container has a lock is looked at before the pool is locked.
        AttachRace = "pool-attach-race" breaks ["P1", "P3"] in "two" by Everywhere;
        /// A lock goes back before it is unlocked.
        ReleaseBeforeUnlock = "pool-release-before-unlock" breaks ["P3"] in "two" by Everywhere;
        /// The way out by an error does not give the lock back.
        LeakOnError = "pool-leak-on-error" breaks ["P4"] in "error" by Everywhere;
        /// Who waits for a container has no reference to it.
        DeallocWhileUsers = "pool-dealloc-while-users" breaks ["P6"] in "clear"
            by ShuttleOnly("the free is the observer's step, which loom does not turn round");
        /// A destructor runs in one of the interpreter's own sections.
        CallsUserCode = "crit-calls-user-code" breaks ["P5"] in "clear" by Everywhere;
        /// Who has counted itself among the users does not wait for the lock.
        GoesIn = "pool-user-goes-in" breaks ["P1"] in "two" by Everywhere;
        /// No lock ever goes back.
        ReturnsNothing = "pool-returns-nothing" breaks ["P4"] in "two" by Everywhere;
    }
}

/// The protocol.
pub struct PooledLocks;

impl Protocol for PooledLocks {
    const NAME: &'static str = "pooled-locks";
    const TITLE: &'static str = "Locks of containers from a pool";
    const QUESTION: &'static str = "How few locks suffice when every container has to be locked?";
    const SOURCE: &'static str = "Stein's 1996 patch, pooled locks and the critical lock";
    const PROPERTIES: &'static [Property] = properties! {
        "P1" "two threads are never inside one container" by [..Counter::<Native>::BREACHES];
        "P3" "a lock in the pool is nobody's" by [Invariant at "pool"];
        "P4" "in the end all locks are in the pool" by [Leak at "pool"];
        "P5" "no code of others runs under the interpreter's own locks" by [Deadlock];
        "P6" "who waits for a container has a reference to it" by [UseAfterFree at "container"];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Containers<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of(
                "two",
                "two threads in one container",
                [&[Count(0), Count(0)], &[Count(0)]],
            ),
            Scenario::of("error", "an error inside", [&[Fail(0)], &[Count(0)]]),
            Scenario::of(
                "clear",
                "a container that goes while another is in it",
                [&[Clear(0)], &[Count(0)]],
            ),
            Scenario::of(
                "others",
                "two containers and two locks",
                [&[Count(0)], &[Count(0), Count(1)]],
            ),
            Scenario::of(
                "three",
                "three threads in two containers",
                [&[Count(0)], &[Count(0)], &[Count(1)]],
            ),
        ]
    }

    /// Left out: errors, which are a way out like any other.
    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |_: Place| vec![Op::Count(0), Op::Count(1), Op::Clear(0)];
        vec![Start::new("free", "users of two containers", letters)]
    }
}
