//! Stops of one interpreter and of all, and the end, when daemon threads are still there.
//!
//! # Question
//! An interpreter's collector stops the threads of its own; a fork stops all; and the end of everything stops all and never
//! lets them go. How do these not get into each other's way, and what is left of threads that never go on?
//!
//! # Idea
//! Each interpreter is a *domain* with a mutex for its requesters, and so are all together. Before that, all take one readers–writer lock: shared by
//! who stops one interpreter, alone by who stops all. So who stops all knows that nobody else holds any of these
//! locks, and that is why the end may leave all others where they are: *ended* is what they find when they want
//! to attach, and hang for ever. Their memory stays, since they may be looking at it.
//!
//! # Timeline
//! ```text
//!                                        readers–writer   A's mutex   T1
//! T0: stops all: alone                   T0                           detached
//! T1: wants to stop A: waits, detached   T0                           detached
//! T0: suspends all others                T0                           suspended
//! T0: the end                            T0                           ended
//! T0: lets the lock go                                                ended
//! T1: may try again: attaches: hangs                                  hangs
//! T0: stops A                            T0, shared       T0          hangs
//! ```
//!
//! # Obligations
//! * S1: while a domain is stopped, and after the end, no other thread of it is in Python.
//! * S5: nobody looks at a thread's state that is freed.
//! * L2: all who were suspended go on, or hang after the end. L3: no circle of requesters and locks, nor a lock that
//!   is left held.
//!
//! # Limits
//! Threads 0 and 1 are of one interpreter, 2 and 3 of another; thread 0 is the one that ends everything. How a thread
//! is asked to suspend itself, and the counting, is `stop.rs`: here a requester waits until it is detached. Waits
//! are for a free lock, none is handed over.
//!
//! # Orders
//! CPython's steps are sequentially consistent; here each has the weakest order that the checks accept. The locks
//! of requesters order nothing: what one requester did with a thread, the next one learns by that thread's word.
//!
//! # Source
//! CPython 3.13 `Python/pystate.c` (`stop_the_world`, `_PyThreadState_DeleteList`), `pylifecycle.c`; the repair
//! of python/cpython#137433.

use crate::enumerate::{Place, Start};
use crate::ghost::Ghost as _;
use crate::protocol::{
    Draw, Fault as _, HANGS, Property, Protocol, Scenario, Shape, Switch, World,
};
use crate::runtime::{Atomic as _, Label, Native, Ordering::*, Runtime};
use crate::sync::Counter;
use crate::{mutants, properties};

/// Why loom kills no fault whose thread waits for ever.
const SPINS: &str = "loom waits by looking again, up to its step budget, which is no verdict";
const DETACHED: u8 = 0;
const ATTACHED: u8 = 1;
const SUSPENDED: u8 = 2;
const ENDED: u8 = 3;

/// The domain of all interpreters.
const ALL: usize = 2;

/// Of the readers–writer lock: somebody is alone.
const ALONE: u32 = 1;
/// One who shares it.
const SHARED: u32 = 2;

/// A thread's state.
struct Thread<R: Runtime> {
    word: R::AtomicU8,
    /// What it does in Python, and a requester looks at.
    heap: Counter<R>,
    ghost: R::Ghost,
}

/// All interpreters.
pub struct Domains<R: Runtime> {
    threads: Box<[Thread<R>]>,
    /// The readers–writer lock.
    all: R::AtomicU32,
    /// One requester of each interpreter at a time, and one of all.
    requesters: [R::AtomicU8; 3],
    faults: Switch<Mutant>,
}

/// The thread hangs: its operation is at its end.
struct Hangs;

impl<R: Runtime> Domains<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn attach(&self, n: usize) -> Result<(), Hangs> {
        let word = &self.threads[n].word;
        loop {
            // Acquire: what was done while it was suspended.
            match word.compare_exchange(DETACHED, ATTACHED, Acquire, Relaxed) {
                Ok(_) => return Ok(()),
                Err(ENDED) => return Err(Hangs),
                // Relaxed: the exchange decides.
                Err(_) => R::await_until(|| word.load(Relaxed) != SUSPENDED),
            }
        }
    }

    fn detach(&self, n: usize) {
        // Release: for who suspends it.
        self.threads[n].word.store(DETACHED, Release);
    }

    /// Tries, and waits detached until it is worth another try.
    fn acquire(
        &self,
        n: usize,
        take: impl Fn() -> bool,
        free: impl Fn() -> bool,
    ) -> Result<(), Hangs> {
        while !take() {
            self.detach(n);
            R::await_until(&free);
            self.attach(n)?;
        }
        Ok(())
    }

    /// The readers–writer lock.
    fn lock_all(&self, n: usize, alone: bool) -> Result<(), Hangs> {
        let (blocks, adds) = if alone { (!0, ALONE) } else { (ALONE, SHARED) };
        // Relaxed, here and below: a guess, which the exchange confirms; and that only decides who is next.
        let free = || self.all.load(Relaxed) & blocks == 0;
        let exchange = |old| self.all.compare_exchange(old, old + adds, Relaxed, Relaxed).is_ok();
        let take = || {
            let old = self.all.load(Relaxed);
            old & blocks == 0 && exchange(old)
        };
        self.acquire(n, take, free)
    }

    fn lock_domain(&self, n: usize, domain: usize) -> Result<(), Hangs> {
        let mutex = &self.requesters[domain];
        // Relaxed: as above.
        let take = || mutex.compare_exchange(0, 1, Relaxed, Relaxed).is_ok();
        self.acquire(n, take, || mutex.load(Relaxed) == 0)
    }

    /// Stops the threads of one interpreter, or all, and looks at what they did; `ends`: for ever.
    fn pause(&self, n: usize, alone: bool, ends: bool) -> Result<(), Hangs> {
        // 1. The common lock, then the domain's: who has the first alone knows that nobody has another.
        let (domain, alone_here) =
            (if alone { ALL } else { n / 2 }, alone && !self.is(Mutant::GlobalShared));
        if self.is(Mutant::MutexBeforeLock) {
            self.lock_domain(n, domain)?;
            self.lock_all(n, alone_here)?;
        } else {
            self.lock_all(n, alone_here)?;
            self.lock_domain(n, domain)?;
        }
        // 2. Suspends all others.
        let global = alone && !self.is(Mutant::OwnOnly);
        let others = |other: &usize| *other != n && (global || other / 2 == n / 2);
        let others: Vec<_> = (0..self.threads.len()).filter(others).collect();
        for other in &others {
            let word = &self.threads[*other].word;
            let suspends =
                // Acquire: what it did before.
                || word.compare_exchange(DETACHED, SUSPENDED, Acquire, Relaxed).is_ok();
            while !suspends() {
                let stays = word.load(Relaxed);
                if stays == ENDED {
                    break;
                }
                R::await_until(|| word.load(Relaxed) == DETACHED);
            }
        }
        // 3. Alone.
        self.look(alone, n);
        // 4. Lets them go, or not.
        let ended = ends && !self.is(Mutant::EndLetsGo);
        for other in &others {
            let thread = &self.threads[*other];
            if ended && self.is(Mutant::GhostWaiter) {
                thread.ghost.free();
            } else if !self.is(Mutant::StartNothing) && thread.word.load(Relaxed) == SUSPENDED {
                // Release: what was done while it was suspended.
                thread.word.store(if ended { ENDED } else { DETACHED }, Release);
            }
        }
        // Relaxed, both: see there.
        self.requesters[domain].store(0, Relaxed);
        self.all.fetch_sub(if alone_here { ALONE } else { SHARED }, Relaxed);
        // 5. Takes the rest down.
        if ends {
            self.look(true, n);
        }
        Ok(())
    }

    /// At all threads, or those of one interpreter.
    fn look(&self, all: bool, n: usize) {
        let of = |other: &usize| all || other / 2 == n / 2;
        (0..self.threads.len()).filter(of).for_each(|other| self.threads[other].heap.count());
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Works.
    Work,
    /// Stops its own interpreter, and looks at it.
    Pause,
    /// Stops all, and looks at all.
    PauseAll,
    /// Ends everything. Of thread 0.
    End,
}

impl<R: Runtime> World for Domains<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = usize;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let thread = |n| {
            let ghost = R::Ghost::living(Label::nth("thread", n));
            let word = R::AtomicU8::new(DETACHED, Label::part("thread", "word", n));
            Thread { word, heap: Counter::new(n), ghost }
        };
        Self {
            threads: (0..shape.threads).map(thread).collect(),
            all: R::AtomicU32::new(0, "all"),
            requesters: [0, 1, ALL].map(|n| R::AtomicU8::new(0, Label::nth("requesters", n))),
            faults,
        }
    }

    fn enter(&self, n: usize) -> usize {
        n
    }

    fn step(&self, n: &mut usize, op: Op) -> Option<i64> {
        let n = *n;
        let done = self.attach(n).and_then(|()| match op {
            Op::Work => {
                self.threads[n].heap.count();
                Ok(())
            }
            Op::Pause => self.pause(n, false, false),
            Op::PauseAll => self.pause(n, true, false),
            Op::End => self.pause(n, true, true),
        });
        if done.is_err() {
            return HANGS;
        }
        self.detach(n);
        None
    }

    fn finish(&self) {
        self.threads.iter().for_each(|thread| thread.heap.check());
    }
}

mutants! {
    /// Faults of requesters, and of who ends everything.
    pub enum Mutant {
        /// The interpreter's mutex before the common lock: a daemon may hang with it (CPython 3.13).
        #[shipped(x)]
        MutexBeforeLock = "stw-mutex-before-rwlock" breaks ["L3"] in "daemon" by ShuttleOnly(SPINS);
        /// The end frees the states of threads that look at them.
        GhostWaiter = "stw-ghost-waiter" breaks ["S5"] in "end" by Everywhere;
        /// Who stops all shares the common lock.
        GlobalShared = "stw-global-shared" breaks ["S1", "L3"] in "all" by ShuttleOnly(SPINS);
        /// Who stops all stops its own interpreter.
        OwnOnly = "stw-global-own-only" breaks ["S1"] in "across" by Everywhere;
        /// The end lets all others go.
        EndLetsGo = "stw-end-lets-go" breaks ["S1"] in "end" by Everywhere;
        /// Nobody is let go after a stop.
        StartNothing = "stw-start-nothing" breaks ["L2"] in "two" by ShuttleOnly(SPINS);
    }
}

/// The protocol.
pub struct StopDomains;

impl Protocol for StopDomains {
    const NAME: &'static str = "stop-domains";
    const TITLE: &'static str = "Stops of one interpreter and of all, and the end";
    const QUESTION: &'static str =
        "How do stops of one interpreter, of all, and the end not get into each other's way?";
    const SOURCE: &'static str = "CPython 3.13 pystate.c, pylifecycle.c";
    const PROPERTIES: &'static [Property] = properties! {
        "S1" "while a domain is stopped, and after the end, no other thread of it is in Python"
            by [..Counter::<Native>::BREACHES];
        "S5" "nobody looks at a thread's state that is freed" by [UseAfterFree at "word" "thread"];
        "L2" "all who were suspended go on, or hang after the end" by [Deadlock];
        "L3" "no circle of requesters and locks, nor a lock that is left held" by [Deadlock];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Domains<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("two", "a stop beside a thread", [&[Pause], &[Work]]),
            Scenario::of("all", "two requesters, one of all", [&[PauseAll], &[Pause]]),
            Scenario::of("end", "a thread that works at the end", [&[End], &[Work]]),
            Scenario::of(
                "daemon",
                "a daemon that stops the world at the end",
                [&[End, Pause], &[Pause]],
            ),
            Scenario::of("across", "a thread of another interpreter", [&[PauseAll], &[], &[Work]]),
            Scenario::of("apart", "each stops its own", [&[Pause], &[Work], &[Pause]]),
        ]
    }

    /// Left out: more than two stops, of three threads more than one, which take too long.
    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        let letters = |place: Place| match place.thread {
            0 => vec![Work, Pause, PauseAll, End],
            _ => vec![Work, Pause, PauseAll],
        };
        let fits = |scenario: &Scenario<Op>| {
            let stops = scenario.threads.iter().flatten().filter(|op| **op != Work).count();
            stops <= if scenario.threads.len() > 2 { 1 } else { 2 }
        };
        vec![Start {
            fits,
            alike: 1,
            ..Start::new("running", "threads of two interpreters", letters)
        }]
    }

    /// Without that limit.
    const RANDOM: Option<Draw<Op>> = Some(|threads, operations, below| {
        Scenario::random(&[Op::Work, Op::Pause, Op::PauseAll], threads, operations, below)
    });
}
