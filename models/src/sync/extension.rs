//! One thread at a time in extensions that know of no threads.
//!
//! # Question
//! Thousands of extensions keep state in C globals and rely on the global lock. How do they go on without it,
//! beside objects that have locks of their own?
//!
//! # Idea
//! One lock is taken on the way into any extension that does not say it is safe, as often as calls nest. It is
//! given up, whatever its depth, when the extension calls back into Python or blocks, and taken again to
//! the same depth. A thread that waits for it has suspended its sections, so it holds no object's lock.
//!
//! # Timeline
//! ```text
//!                                          owner   depth   object
//! T0: section of an object                                 T0
//! T1: enters                               T1      1       T0
//! T0: enters: taken: suspends its section  T1      1
//! T1: takes the object's lock              T1      1       T1
//! T1: calls back into Python: gives up     T0      1       T1
//! T0: has it; resumes: waits for T1        T0      1       T1
//! T1: gives the object up                  T0      1       T0
//! ```
//!
//! # Obligations
//! * X1: between two calls back one thread at a time is in extensions.
//! * X2: no deadlock: who waits for it has no object's lock, and who leaves Python code for others does not
//!   have it.
//!
//! # Limits
//! What is passed to an extension may still change under it, by Python code and by extensions that are safe:
//! this lock protects nothing but extensions from each other. One lock, one object.
//!
//! # Orders
//! None: all is under locks.
//!
//! # Source
//! Discussions of 2015 to 2021 about extensions without a global lock; what CPython does instead is to
//! bring the global lock back (`world/gil.rs`).

use super::{Counter, HandedLock, Sleeper};
use crate::enumerate::{Place, Start};
use crate::protocol::{Draw, Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Lock as _, Native, Runtime, Signal as _};
use crate::{mutants, properties};

/// The lock, an extension's global state, and an object.
pub struct Extensions<R: Runtime> {
    /// Whether a thread is in an extension.
    taken: R::Mutex<bool>,
    free: R::Condvar,
    state: Counter<R>,
    object: HandedLock<R>,
    sleepers: Box<[Sleeper<R>]>,
    content: Counter<R>,
    /// Whether some call is over.
    called: R::Mutex<bool>,
    call: R::Condvar,
    faults: Switch<Mutant>,
}

/// A thread.
pub struct Local {
    n: usize,
    depth: usize,
    /// It is in a section of the object.
    section: bool,
    /// How often it waited for the extension in this call.
    waited: i64,
}

impl<R: Runtime> Extensions<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn enter(&self, t: &mut Local) {
        t.depth += 1;
        if t.depth > 1 {
            return;
        }
        let mut taken = self.taken.lock();
        let suspends = *taken && t.section && !self.is(Mutant::OrderInversion);
        if suspends {
            // Before it waits: who is in the extension may want the object.
            drop(taken);
            self.object.give(&self.sleepers);
            taken = self.taken.lock();
        }
        t.waited += i64::from(*taken);
        while *taken {
            taken = R::wait(&self.free, &self.taken, taken);
        }
        *taken = true;
        drop(taken);
        if suspends {
            self.lock_object(t);
        }
    }

    fn leave(&self, t: &mut Local) {
        t.depth -= 1;
        if t.depth == 0 {
            self.give_up();
        }
    }

    fn give_up(&self) {
        *self.taken.lock() = false;
        self.free.notify_one();
    }

    /// Out of the extension for a while: Python code, or a call that blocks.
    fn outside(&self, t: &mut Local, holds: Mutant, what: impl FnOnce()) {
        if self.is(holds) {
            return what();
        }
        let depth = std::mem::take(&mut t.depth);
        self.give_up();
        what();
        self.enter(t);
        t.depth = if self.is(Mutant::DepthLost) { 1 } else { depth };
    }

    fn lock_object(&self, t: &Local) {
        if !self.object.take_or_queue(t.n) {
            self.sleepers[t.n].sleep();
        }
    }

    /// Until somebody's call is over.
    fn await_call(&self) {
        let mut called = self.called.lock();
        while !*called {
            called = R::wait(&self.call, &self.called, called);
        }
    }
}

/// What a thread calls; it answers how often it waited for others in extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// An extension that counts.
    Call,
    /// One that reads, calls back into Python, and counts.
    Back,
    /// The same from inside a second call, which counts after it.
    Nested,
    /// One that calls back into Python, which waits for another thread's call.
    BackJoins,
    /// One that waits for input, which comes from another thread's call.
    Blocks,
    /// An extension, in a section of the object.
    InSection,
    /// One that counts in the object.
    WithObject,
}

impl<R: Runtime> World for Extensions<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        Self {
            taken: R::Mutex::new(false, "extension"),
            free: R::Condvar::new("free"),
            state: Counter::new(0),
            object: HandedLock::new("object"),
            sleepers: Sleeper::all(shape.threads),
            content: Counter::new(1),
            called: R::Mutex::new(false, "called"),
            call: R::Condvar::new("call"),
            faults,
        }
    }

    fn enter(&self, n: usize) -> Local {
        Local { n, depth: 0, section: false, waited: 0 }
    }

    fn step(&self, t: &mut Local, op: Op) -> Option<i64> {
        t.waited = 0;
        if op == Op::InSection {
            self.lock_object(t);
            t.section = true;
            self.content.count();
        }
        self.enter(t);
        match op {
            Op::Call | Op::InSection => self.state.count(),
            Op::Back => {
                let mut read = self.state.read();
                self.outside(t, Mutant::NoReleaseOnCallback, || ());
                if !self.is(Mutant::AssumedHeld) {
                    read = self.state.read();
                }
                self.state.store(read);
            }
            Op::Nested => {
                self.enter(t);
                self.outside(t, Mutant::NoReleaseOnCallback, || ());
                self.state.count();
                self.leave(t);
                self.state.count();
            }
            Op::BackJoins => {
                self.outside(t, Mutant::NoReleaseOnCallback, || self.await_call());
                self.state.count();
            }
            Op::Blocks => {
                self.outside(t, Mutant::BlockingHolds, || self.await_call());
                self.state.count();
            }
            Op::WithObject => {
                self.lock_object(t);
                self.content.count();
                self.object.give(&self.sleepers);
            }
        }
        if self.is(Mutant::DepthLost) && t.depth == 0 {
            return None;
        }
        if !self.is(Mutant::LeaveNothing) {
            self.leave(t);
        }
        if std::mem::take(&mut t.section) {
            self.object.give(&self.sleepers);
        }
        if op == Op::Call {
            *self.called.lock() = true;
            self.call.notify_all();
        }
        Some(t.waited)
    }

    fn finish(&self) {
        self.state.check();
        self.content.check();
    }
}

mutants! {
    /// Faults of the lock and of its users.
    pub enum Mutant {
        /// What was read before a call back is used after it.
        AssumedHeld = "ext-release-on-callback-assumed-held" breaks ["X1"] in "back" by Everywhere;
        /// The lock is kept while Python code runs.
        NoReleaseOnCallback = "ext-no-release-on-callback" breaks ["X2"] in "joins" by Everywhere;
        /// A thread waits for the lock in a section of an object.
        OrderInversion = "ext-order-inversion" breaks ["X2"] in "section" by Everywhere;
        /// After a call back the lock is taken once, however deep the calls were.
        DepthLost = "ext-depth-lost" breaks ["X1"] in "nested" by Everywhere;
        /// The lock is kept while the extension waits for input.
        BlockingHolds = "ext-blocking-io-holds" breaks ["X2"] in "blocks" by Everywhere;
        /// The way out of an extension does not give the lock up.
        LeaveNothing = "ext-leave-nothing" breaks ["X2"] in "back" by Everywhere;
    }
}

/// What small programs are made of.
const LETTERS: [Op; 5] = [Op::Call, Op::Back, Op::Nested, Op::InSection, Op::WithObject];

/// The protocol.
pub struct ExtensionLock;

impl Protocol for ExtensionLock {
    const NAME: &'static str = "extension-lock";
    const TITLE: &'static str = "One thread at a time in extensions";
    const QUESTION: &'static str =
        "How do extensions that rely on the global lock go on without it?";
    const SOURCE: &'static str = "proposals for extensions without a global lock";
    const PROPERTIES: &'static [Property] = properties! {
        "X1" "between two calls back one thread at a time is in extensions"
            by [..Counter::<Native>::BREACHES];
        "X2" "no deadlock" by [Deadlock];
    };
    const RANDOM: Option<Draw<Op>> =
        Some(|threads, operations, below| Scenario::random(&LETTERS, threads, operations, below));
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Extensions<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("back", "a call back beside a call", [&[Back], &[Call]]),
            Scenario::of("nested", "a call back from two calls deep", [&[Nested], &[Call]]),
            Scenario::of("joins", "Python code waits for another's call", [&[BackJoins], &[Call]]),
            Scenario::of("blocks", "an extension waits for another's call", [&[Blocks], &[Call]]),
            Scenario::of(
                "section",
                "object and extension in both orders",
                [&[InSection], &[WithObject]],
            ),
            Scenario::of(
                "three",
                "an object, an extension, and both",
                [&[InSection], &[WithObject], &[Back]],
            ),
        ]
    }

    /// Left out: waiting for a call, which a program without one never ends; and more than two operations other
    /// than a call, more than one among more than three.
    fn starts(_: usize) -> Vec<Start<Op>> {
        let mut start = Start::new("free", "calls of one extension", |_: Place| LETTERS.to_vec());
        start.fits = |scenario| {
            let others = scenario.threads.iter().flatten().filter(|op| **op != Op::Call).count();
            others < 2 || others == 2 && scenario.operations() < 4
        };
        vec![start]
    }
}
