//! Stopping the world: one thread alone in Python, without a lock that all others take.
//!
//! # Question
//! A cycle collection, a fork, a change of a class's layout need all other threads to stand still. How are
//! they stopped when some run, some are in system calls, and some are just being made?
//!
//! # Idea
//! Every thread has a word: *detached* (not in Python), *attached*, *suspended*. It attaches by an exchange
//! from *detached*, so whoever changes *detached* to *suspended* first keeps it out. The requester does that
//! to all who are detached, asks those who are attached, and counts down. Who is asked suspends itself at its
//! next safe point, and says so. One that detaches instead says nothing: the requester has to look again.
//!
//! # Timeline
//! ```text
//!                                         requested   count   T1          T2
//! T1 runs; T2 is in a system call                             attached    detached
//! T0: stop: head { requests; counts }     yes         2
//! T0: head { T2 by exchange; asks T1 }    yes         1       attached    suspended
//! T0: waits for the event
//! T1: safe point: suspended                                   suspended
//! T1: head { counts down; event }         yes         0
//! T0: alone
//! T2: back; no exchange; waits
//! T0: start: head { all detached }        no          0       detached    detached
//! T1, T2: attach by exchange                                  attached    attached
//! ```
//!
//! # Obligations
//! * S1: while the world is stopped no other thread is in Python.
//! * S3: the count is that of those counted who are not yet suspended, and never below zero.
//! * S4: what a thread did before it was stopped comes before what the requester does, and that before what
//!   the thread does next.
//! * L1: every stop comes to its end. L2: after it, all who were suspended go on. L3: requesters do not wait
//!   for each other in a circle.
//!
//! # Limits
//! One domain. The requester's limit of a millisecond is a wait until there is something to find: the event, or
//! a thread that is detached. Threads are detached between their operations.
//!
//! # Orders
//! CPython's steps on the words are sequentially consistent; here each has the weakest order that the checks
//! accept.
//!
//! # Source
//! CPython 3.13 `Python/pystate.c` (`stop_the_world`, `park_detached_threads`, `tstate_wait_attach`),
//! `ceval_gil.c`; Go's `runtime/proc.go`.

use crate::enumerate::{Place, Start};
use crate::ghost::require;
use crate::protocol::{Fault as _, Property, Protocol, SKIPPED, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, DataCell as _, Guard, Label, Lock as _, Ordering::*, Runtime};
use crate::sync::{HandedLock, Sleeper};
use crate::verdict::Kind;
use crate::{mutants, properties};
use std::sync::atomic::AtomicI64;

/// Why loom kills no fault whose thread waits for ever.
const SPINS: &str = "loom waits by looking again, up to its step budget, which is no verdict";
const DETACHED: u8 = 0;
const ATTACHED: u8 = 1;
const SUSPENDED: u8 = 2;

/// What is under the lock of the list of threads.
struct Head {
    requested: bool,
    countdown: i64,
    linked: Vec<usize>,
}

/// A thread's part.
struct Thread<R: Runtime> {
    state: R::AtomicU8,
    /// It is asked to stop at its next safe point.
    asked: R::AtomicU8,
    /// What it does in Python, and the requester may look at: plain memory.
    heap: R::Cell<u64>,
}

/// An interpreter.
pub struct Interpreter<R: Runtime> {
    head: R::Mutex<Head>,
    threads: Box<[Thread<R>]>,
    /// The last one to be suspended says so.
    event: R::AtomicU8,
    /// One requester at a time.
    requesters: HandedLock<R>,
    /// The lock of an object, in a critical section.
    object: HandedLock<R>,
    sleepers: Box<[Sleeper<R>]>,
    /// Pauses that have come to their end.
    paused: R::AtomicU32,
    /// How often each thread was kept out of Python: told, and no step of the scheme.
    kept_out: Box<[AtomicI64]>,
    faults: Switch<Mutant>,
}

/// A thread.
pub struct Local {
    n: usize,
    /// It has ended itself.
    left: bool,
}

impl<R: Runtime> Interpreter<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// A new thread.
    fn create(&self, n: usize) {
        let early = self.is(Mutant::NewUnlocked).then(|| self.head.lock().requested);
        let mut head = self.head.lock();
        // Not counted: it begins where a stop would bring it.
        let stopped = early.unwrap_or(head.requested) && !self.is(Mutant::NewAttached);
        // Relaxed: all others find the thread by way of the list.
        self.threads[n].state.store(if stopped { SUSPENDED } else { DETACHED }, Relaxed);
        head.linked.push(n);
    }

    /// A thread ends, attached or detached.
    fn delete(&self, n: usize) {
        let mut head = self.head.lock();
        head.linked.retain(|other| *other != n);
        // Relaxed: who suspends it has the lock.
        let suspended = self.threads[n].state.load(Relaxed) == SUSPENDED;
        let counted = !suspended || self.is(Mutant::ExitDoubleCount);
        if head.requested && counted && !self.is(Mutant::ExitNotCounted) {
            self.count_itself(head);
        }
    }

    /// A thread is out of Python by itself.
    fn count_itself(&self, mut head: Guard<'_, R, Head>) {
        if self.is(Mutant::NotifyOutsideLock) {
            return self.count_late(head);
        }
        self.count_down(&mut head, 1);
    }

    /// The fault's form: the last one says so when it has let the lock go.
    fn count_late(&self, mut head: Guard<'_, R, Head>) {
        head.countdown -= 1;
        let last = head.countdown == 0;
        drop(head);
        if last {
            self.event.store(1, Release);
        }
    }

    /// Some who were counted are out of Python; the last one says so.
    fn count_down(&self, head: &mut Head, by: i64) {
        head.countdown -= by;
        let count = head.countdown;
        require(count >= 0, Kind::Invariant, || format!("countdown: {count}"));
        if count == 0 {
            // Release: with what all did who took the lock before. Where the requester takes the lock once more
            // before it looks, as here for the list, that orders it too.
            self.event.store(1, Release);
        }
    }

    fn attach(&self, n: usize) {
        let state = &self.threads[n].state;
        // Acquire: what was done while it was suspended.
        while state.compare_exchange(DETACHED, ATTACHED, Acquire, Relaxed).is_err() {
            self.kept_out[n].fetch_add(1, Relaxed);
            // Relaxed: the exchange decides.
            R::await_until(|| state.load(Relaxed) != SUSPENDED);
            if self.is(Mutant::AttachNoRecheck) {
                return state.store(ATTACHED, Relaxed);
            }
        }
    }

    fn detach(&self, n: usize) {
        // Release: for who suspends it.
        let order = if self.is(Mutant::RelaxedState) { Relaxed } else { Release };
        self.threads[n].state.store(DETACHED, order);
    }

    /// Between two instructions.
    fn safe_point(&self, n: usize) {
        // Relaxed, here and below: a hint. What it is about is under the lock.
        if self.threads[n].asked.load(Relaxed) == 0 {
            return;
        }
        self.threads[n].asked.store(0, Relaxed);
        if !self.head.lock().requested {
            return;
        }
        if self.is(Mutant::DecrementFirst) {
            self.count_down(&mut self.head.lock(), 1);
        }
        // The last it does: gives up its sections.
        self.work(n);
        // Relaxed: the lock below orders it.
        self.threads[n].state.store(SUSPENDED, Relaxed);
        if !self.is(Mutant::DecrementFirst) && !self.is(Mutant::SuspendNothing) {
            self.count_itself(self.head.lock());
        }
        self.attach(n);
    }

    /// Stops all others. `section`: while it has the lock of the object.
    fn stop(&self, n: usize, section: bool) {
        if !self.is(Mutant::NoRequesterMutex) {
            self.lock(&self.requesters, n);
        }
        let mut head = self.head.lock();
        head.requested = true;
        head.countdown = head.linked.len() as i64 - 1;
        // Relaxed: stored again under this lock only.
        self.event.store(0, Relaxed);
        let mut expired = false;
        while head.countdown > 0 {
            let others: Vec<_> = head.linked.iter().copied().filter(|other| *other != n).collect();
            let suspended = others.iter().filter(|other| self.suspend(**other)).count();
            if suspended > 0 {
                self.count_down(&mut head, suspended as i64);
            }
            // Nobody else says so then.
            if head.countdown == 0 {
                break;
            }
            drop(head);
            if self.is(Mutant::TimeoutProceeds) {
                return;
            }
            if section && self.is(Mutant::RequesterDetaches) {
                self.detach(n);
                self.object.give(&self.sleepers);
            }
            // The wait's time limit, once. It shows nothing where the event is set in the section that ends the count.
            let expires =
                self.is(Mutant::NotifyOutsideLock) && !std::mem::replace(&mut expired, true);
            let mut all = false;
            R::await_until(|| {
                // Acquire: pairs with the release, of which the same is true.
                all = self.event.load(Acquire) == 1;
                // Relaxed: a guess; the exchange decides.
                let found = |other: &usize| self.threads[*other].state.load(Relaxed) == DETACHED;
                all || expires || !self.is(Mutant::NoRepoll) && others.iter().any(found)
            });
            if section && self.is(Mutant::RequesterDetaches) {
                self.attach(n);
                self.lock(&self.object, n);
            }
            if all {
                return;
            }
            head = self.head.lock();
        }
    }

    /// Suspends a thread that is detached; asks one that is attached.
    fn suspend(&self, n: usize) -> bool {
        let Thread { state, asked, .. } = &self.threads[n];
        // Acquire: what it did before it was detached.
        let detached = match self.is(Mutant::ParkWithoutExchange) {
            true if state.load(Acquire) == DETACHED => {
                state.store(SUSPENDED, Relaxed);
                Ok(DETACHED)
            }
            true => Err(ATTACHED),
            false => state.compare_exchange(DETACHED, SUSPENDED, Acquire, Relaxed),
        };
        if detached == Err(ATTACHED) {
            asked.store(1, Relaxed);
        }
        detached.is_ok()
    }

    fn start(&self, n: usize) {
        let mut head = self.head.lock();
        head.requested = self.is(Mutant::ClearRequestedLate);
        for other in head.linked.iter().filter(|other| **other != n) {
            let state = &self.threads[*other].state;
            // Relaxed: suspended before, as the count says.
            let found = state.load(Relaxed);
            require(found == SUSPENDED, Kind::Invariant, || {
                format!("state[{other}]: {found} while the world is stopped")
            });
            // Release: what was done while it was suspended.
            state.store(DETACHED, Release);
        }
        drop(head);
        if self.is(Mutant::ClearRequestedLate) {
            self.head.lock().requested = false;
        }
        // Relaxed: nothing is read by way of it.
        self.paused.fetch_add(1, Relaxed);
        if !self.is(Mutant::NoRequesterMutex) {
            self.requesters.give(&self.sleepers);
        }
    }

    /// Stops the world and looks at what all have done.
    fn pause(&self, n: usize, section: bool) {
        self.stop(n, section);
        let linked = self.head.lock().linked.clone();
        linked.iter().for_each(|other| self.work(*other));
        if self.is(Mutant::LockInPause) {
            self.lock(&self.object, n);
            self.object.give(&self.sleepers);
        }
        self.start(n);
    }

    /// Python, or the pause's look at it.
    fn work(&self, n: usize) {
        let heap = &self.threads[n].heap;
        heap.write(heap.read() + 1);
    }

    /// Waits detached.
    fn lock(&self, lock: &HandedLock<R>, n: usize) {
        if !lock.take_or_queue(n) {
            self.detach(n);
            self.sleepers[n].sleep();
            self.attach(n);
        }
    }
}

/// What a thread does, attached; it answers how often it was kept out of Python meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Works, passes a safe point, and works.
    Run,
    /// Works, is in a system call, and works.
    Block,
    /// Is in a system call until a pause is over.
    Await,
    /// Works in a section of the object.
    Section,
    /// Stops the world.
    Pause,
    /// Stops the world in a section of the object.
    SectionPause,
    /// Ends the thread, which is attached.
    Leave,
}

impl<R: Runtime> World for Interpreter<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let thread = |n| Thread {
            state: R::AtomicU8::new(DETACHED, Label::nth("state", n)),
            asked: R::AtomicU8::new(0, Label::nth("asked", n)),
            heap: R::Cell::new(0, Label::nth("heap", n)),
        };
        Self {
            head: R::Mutex::new(
                Head { requested: false, countdown: 0, linked: Vec::new() },
                "head",
            ),
            threads: (0..shape.threads).map(thread).collect(),
            event: R::AtomicU8::new(0, "event"),
            requesters: HandedLock::new("requesters"),
            object: HandedLock::new("object"),
            sleepers: Sleeper::all(shape.threads),
            paused: R::AtomicU32::new(0, "paused"),
            kept_out: (0..shape.threads).map(|_| AtomicI64::new(0)).collect(),
            faults,
        }
    }

    fn enter(&self, n: usize) -> Local {
        self.create(n);
        Local { n, left: false }
    }

    fn step(&self, local: &mut Local, op: Op) -> Option<i64> {
        let n = local.n;
        if local.left {
            return SKIPPED;
        }
        let before = self.kept_out[n].load(Relaxed);
        self.attach(n);
        match op {
            Op::Run => {
                self.work(n);
                self.safe_point(n);
                self.work(n);
            }
            Op::Block => {
                self.work(n);
                self.detach(n);
                self.attach(n);
                self.work(n);
            }
            Op::Await => {
                self.detach(n);
                R::await_until(|| self.paused.load(Relaxed) > 0);
                self.attach(n);
            }
            Op::Section => {
                self.lock(&self.object, n);
                self.work(n);
                self.object.give(&self.sleepers);
            }
            Op::Pause => self.pause(n, false),
            Op::SectionPause => {
                self.lock(&self.object, n);
                self.pause(n, true);
                self.object.give(&self.sleepers);
            }
            Op::Leave => {
                self.delete(n);
                local.left = true;
            }
        }
        if !local.left {
            self.detach(n);
        }
        Some(self.kept_out[n].load(Relaxed) - before)
    }

    fn exit(&self, local: Local) {
        if !local.left {
            self.delete(local.n);
        }
    }

    fn finish(&self) {
        let head = self.head.lock();
        require(!head.requested && head.countdown == 0, Kind::Invariant, || {
            format!("countdown: {} when all have ended", head.countdown)
        });
    }
}

mutants! {
    /// Faults of requesters and of those whom they stop.
    pub enum Mutant {
        /// The requester waits for the event alone, which one that detaches does not set.
        NoRepoll = "stw-no-repoll" breaks ["L1"] in "system-call" by ShuttleOnly(SPINS);
        /// A thread counts down before it is suspended.
        DecrementFirst = "stw-decrement-before-suspend" breaks ["S1"] in "safe-point" by Everywhere;
        /// The requester looks whether a thread is detached, and then stores that it is suspended.
        ParkWithoutExchange = "stw-park-without-cas" breaks ["S1", "S3"] in "blocking" by Everywhere;
        /// A new thread does not ask whether the world is stopped.
        NewAttached = "stw-new-thread-attached" breaks ["S1", "S3"] in "safe-point" by Everywhere;
        /// A new thread asks before it has the lock.
        NewUnlocked = "stw-new-thread-unlocked" breaks ["S1", "L2"] in "safe-point" by ShuttleOnly(SPINS);
        /// A thread that ends attached is not counted down.
        ExitNotCounted = "stw-exit-not-counted" breaks ["L1"] in "leaving" by ShuttleOnly(SPINS);
        /// A thread that ends suspended is counted down once more.
        ExitDoubleCount = "stw-exit-double-count" breaks ["S3"] in "blocking"
            by ShuttleOnly("needs three preemptions, loom is given two here");
        /// The request is taken back after the threads were let go, in a section of its own.
        ClearRequestedLate = "stw-clear-requested-late" breaks ["L2"] in "safe-point" by ShuttleOnly(SPINS);
        /// The requester detaches while it waits: its section is suspended, and the lock handed to a thread that is.
        RequesterDetaches = "stw-requester-detaches" breaks ["L3"] in "section" by ShuttleOnly(SPINS);
        /// The last one to be counted says so after it has let the lock go, and the next stop hears it.
        NotifyOutsideLock = "stw-notify-outside-lock" breaks ["S1"] in "rounds"
            by Explorer("a thread sleeps through a whole round: no 20,000 samples met it; and loom spins");
        /// A lock is taken while the world is stopped: it may have been handed to a thread that is suspended.
        LockInPause = "stw-lock-in-pause" breaks ["L3"] in "lock" by ShuttleOnly(SPINS);
        /// Two requesters share one domain.
        NoRequesterMutex = "stw-no-requester-mutex" breaks ["S1", "S3", "L3"] in "two-pauses" by ShuttleOnly(SPINS);
        /// A thread that was let go attaches without an exchange.
        AttachNoRecheck = "stw-attach-no-recheck" breaks ["S1", "S3"] in "twice" by Everywhere;
        /// The requester gives up waiting, and goes on.
        TimeoutProceeds = "stw-timeout-proceeds" breaks ["S1"] in "safe-point" by Everywhere;
        /// Detaching orders nothing.
        RelaxedState = "stw-relaxed-state" breaks ["S4"] in "blocking" by WeakMemory;
        /// A thread is suspended and does not count down.
        SuspendNothing = "stw-suspend-nothing" breaks ["L1"] in "safe-point" by ShuttleOnly(SPINS);
    }
}

/// The protocol.
pub struct StopTheWorld;

impl Protocol for StopTheWorld {
    const NAME: &'static str = "stop-the-world";
    const TITLE: &'static str = "Stopping the world";
    const QUESTION: &'static str =
        "How does one thread come to be alone in Python without a global lock?";
    const SOURCE: &'static str = "CPython 3.13 pystate.c, after Go's runtime";
    const PROPERTIES: &'static [Property] = properties! {
        "S1" "while the world is stopped no other thread is in Python"
            by [DataRace at "heap", Invariant at "state"];
        "S3" "the count is that of those who are not yet suspended" by [Invariant at "countdown"];
        "S4" "a pause comes after what was before it and before what is after it"
            by [DataRace at "heap"];
        "L1" "every stop comes to its end" by [Deadlock];
        "L2" "all who were suspended go on" by [Deadlock];
        "L3" "no circle of requesters and locks" by [Deadlock];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Interpreter<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("safe-point", "a thread that runs", [&[Pause], &[Run]]),
            Scenario::of("blocking", "a thread in a system call", [&[Pause], &[Block]]),
            Scenario::of("system-call", "a system call as long as the pause", [&[Pause], &[Await]]),
            Scenario::of("leaving", "a thread that ends", [&[Pause], &[Leave]]),
            Scenario::of("twice", "two pauses, one after the other", [&[Pause, Pause], &[Run]]),
            Scenario::of("two-pauses", "two requesters", [&[Pause], &[Pause]]),
            Scenario::of(
                "section",
                "a requester in a section, for which another thread waits",
                [&[SectionPause], &[Section], &[Run]],
            ),
            Scenario::of("lock", "two sections beside a pause", [&[Pause], &[Section], &[Section]]),
            Scenario::of(
                "three",
                "a thread that runs and one that ends",
                [&[Pause], &[Run], &[Leave]],
            ),
            Scenario::of(
                "rounds",
                "two pauses beside two threads that end",
                [&[Pause, Pause], &[Leave], &[Leave]],
            ),
        ]
    }

    /// Left out: waiting for a pause, which a program without one never ends; and sections, which show nothing
    /// that a system call does not; and of three threads, more than one requester.
    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        let letters = |_: Place| vec![Run, Block, Pause, Leave];
        let mut start =
            Start::new("free", "threads that run, block, end, and stop the others", letters);
        start.fits = |scenario| {
            let pauses = scenario.threads.iter().flatten().filter(|op| **op == Pause).count();
            // Nothing after the end.
            let ends = |script: &Vec<Op>| script.iter().rev().skip(1).any(|op| *op == Leave);
            !scenario.threads.iter().any(ends) && (scenario.threads.len() < 3 || pauses < 2)
        };
        vec![start]
    }
}
