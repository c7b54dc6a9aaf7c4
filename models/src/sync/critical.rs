//! Critical sections: locks of objects that a thread gives up whenever it blocks.
//!
//! # Question
//! Operations on lists and dicts call each other, in any order and on any objects. How does every object have
//! a lock of its own without anybody thinking of an order of locks?
//!
//! # Idea
//! A thread keeps its sections in a stack. When it detaches, for a lock, a system call or a stopped world,
//! all locks of the stack are given up: its sections are *suspended*. When it is back it takes those of the
//! *top* section again; the ones below when they become the top. So who waits has no lock, and nobody waits
//! for him. The exception are two locks in one section: they are taken in the order of their addresses, and
//! the first is kept while waiting for the second.
//!
//! The price: a section is exclusive only between two calls that may block, and what was read before such
//! a call has to be read again.
//!
//! # Timeline
//! ```text
//!                                             T0's stack                     locks of T0
//! T0: begin a                                 a                              a
//! T1: begin b
//! T0: begin b: pushed without a lock          a, (b)                         a
//! T0: b is taken: enters its queue
//! T0: detaches: suspends from the top down    a suspended, (b) suspended     none
//! T1: end b: handed to T0
//! T0: attaches: resumes the top, no lock yet  a suspended, (b)               b
//! T0: b is filled in                          a suspended, b                 b
//! T0: end b; a is the top: taken again        a                              a
//! ```
//!
//! # Obligations
//! * C1: two threads are never in sections of one object.
//! * C3: whoever ends a section has its locks.
//! * C4: whoever is detached has no lock, unless it is the lower one of the two that it is taking.
//! * C5: no deadlock.
//! * G2: what was read before a call that may block is read again after it.
//!
//! # Limits
//! A lock is always handed to its first waiter (`handed.rs`); addresses are the objects' numbers;
//! that a stopped world suspends too is `world/stop.rs`.
//!
//! # Orders
//! None: a thread's stack is its own, and all else is under locks.
//!
//! # Source
//! CPython 3.13 `Python/critical_section.c`, `pystate.c` (`detach_thread`); a section of the object that is at
//! the top already takes no lock, as in later versions.

use super::{Counter, HandedLock, Sleeper};
use crate::enumerate::{Place, Start};
use crate::ghost::require;
use crate::protocol::{Draw, Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Label, Native, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

/// A section: what it has locked, and whether it is suspended.
#[derive(Clone, Copy, Default)]
struct Section {
    first: Option<usize>,
    second: Option<usize>,
    active: bool,
}

/// A thread: its sections, the innermost last. Nobody else reads them.
pub struct Local {
    n: usize,
    stack: Vec<Section>,
    /// For the checks: the locks that it has, and the lower one of a pair of which it takes the second.
    has: Vec<usize>,
    lower: Option<usize>,
    /// How often it slept in this operation.
    slept: i64,
    /// What else becomes of it when it has detached, false, and before it attaches, true.
    beside: Option<Beside>,
}

/// See [`Local::with`].
pub(crate) type Beside = Box<dyn Fn(bool)>;

impl Local {
    fn new(n: usize) -> Self {
        Self { n, stack: Vec::new(), has: Vec::new(), lower: None, slept: 0, beside: None }
    }

    /// A thread of which other schemes are told, too, when it detaches and attaches.
    pub(crate) fn with(n: usize, beside: Beside) -> Self {
        Self { beside: Some(beside), ..Self::new(n) }
    }

    /// Whether it is in a section.
    pub(crate) fn is_inside(&self) -> bool {
        !self.stack.is_empty()
    }
}

/// Objects with their locks, and a number in each.
pub struct Objects<R: Runtime> {
    locks: Box<[HandedLock<R>]>,
    sleepers: Box<[Sleeper<R>]>,
    data: Box<[Counter<R>]>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> Objects<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// Begins a section of one object; false when the top section has it already, so that none is pushed.
    pub(crate) fn begin(&self, t: &mut Local, object: usize) -> bool {
        // The top alone: what is below may be suspended.
        let looked_at = if self.is(Mutant::SkipAnyDepth) { t.stack.len() } else { 1 };
        let has = |s: &Section| s.first == Some(object) || s.second == Some(object);
        if t.stack.iter().rev().take(looked_at).any(has) {
            return false;
        }
        if self.is(Mutant::PushAfterLock) {
            self.lock(t, object);
            t.stack.push(Section { first: Some(object), second: None, active: true });
            return true;
        }
        self.push(t, Some(object), None);
        true
    }

    /// Begins a section of two objects.
    fn begin_two(&self, t: &mut Local, a: usize, b: usize) -> bool {
        if a == b && !self.is(Mutant::SameObject) {
            return self.begin(t, a);
        }
        let swaps = a > b && !self.is(Mutant::Unsorted);
        let (a, b) = if swaps { (b, a) } else { (a, b) };
        self.push(t, Some(a), Some(b));
        true
    }

    /// Pushed first and without locks: while it waits for them, it has none to give up, and those below it
    /// are suspended.
    fn push(&self, t: &mut Local, first: Option<usize>, second: Option<usize>) {
        t.stack.push(Section { first: None, second: None, active: true });
        self.fill(t, t.stack.len() - 1, first, second);
    }

    /// Takes the locks of a section.
    fn fill(&self, t: &mut Local, at: usize, first: Option<usize>, second: Option<usize>) {
        if let Some(object) = first {
            self.lock(t, object);
        }
        if let Some(object) = second {
            t.lower = first;
            self.lock(t, object);
            t.lower = None;
        }
        t.stack[at] = Section { first, second, active: true };
    }

    /// Ends the top section, and resumes the one below.
    pub(crate) fn end(&self, t: &mut Local) {
        let ended = t.stack.pop().expect("one was begun");
        for object in [ended.second, ended.first].into_iter().flatten() {
            self.unlock(t, object);
        }
        if !self.is(Mutant::NoResumeOnEnd) {
            self.resume_top(t);
        }
    }

    /// Before it blocks: gives up all locks.
    pub(crate) fn detach(&self, t: &mut Local) {
        for at in (0..t.stack.len()).rev() {
            let Section { first, second, active } = t.stack[at];
            // Below a suspended section all are suspended.
            if !active || self.is(Mutant::SuspendNothing) {
                break;
            }
            let second = second.filter(|_| !self.is(Mutant::SuspendIgnoresSecond));
            for object in [second, first].into_iter().flatten() {
                self.unlock(t, object);
            }
            t.stack[at].active = false;
            if self.is(Mutant::SuspendTopOnly) {
                break;
            }
        }
        let keeps = t.has.iter().find(|object| t.lower != Some(**object));
        require(keeps.is_none(), Kind::Invariant, || {
            format!("detached[{}]: has the lock of object {}", t.n, keeps.unwrap_or(&0))
        });
        if let Some(beside) = &t.beside {
            beside(false);
        }
    }

    /// After it has blocked: takes the locks of the top section again, and may block for them.
    pub(crate) fn attach(&self, t: &mut Local) {
        if let Some(beside) = &t.beside {
            beside(true);
        }
        if self.is(Mutant::ResumeAll) {
            (0..t.stack.len()).for_each(|at| self.resume(t, at));
        }
        self.resume_top(t);
    }

    fn resume_top(&self, t: &mut Local) {
        if let Some(at) = t.stack.len().checked_sub(1) {
            self.resume(t, at);
        }
    }

    fn resume(&self, t: &mut Local, at: usize) {
        let Section { first, second, active } = t.stack[at];
        if active {
            return;
        }
        if self.is(Mutant::ResumeKeepsMutex) {
            t.stack[at].active = true;
        } else {
            // While it waits for the first there is nothing to give up.
            t.stack[at] = Section::default();
        }
        self.fill(t, at, first, second);
    }

    fn lock(&self, t: &mut Local, object: usize) {
        if self.locks[object].take_or_queue(t.n) {
            t.has.push(object);
            return;
        }
        t.slept += 1;
        self.detach(t);
        self.sleepers[t.n].sleep();
        // Handed over.
        t.has.push(object);
        self.attach(t);
    }

    fn unlock(&self, t: &mut Local, object: usize) {
        let at = t.has.iter().position(|has| *has == object);
        require(at.is_some(), Kind::Invariant, || {
            format!("lock[{object}]: unlocked by a thread that does not have it")
        });
        at.map(|at| t.has.remove(at));
        self.locks[object].give(&self.sleepers);
    }
}

/// What a thread does: counts in objects, in sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// In one object.
    In(usize),
    /// In the second inside a section of the first, then in the first.
    Nest(usize, usize),
    /// The same, with a call that blocks inside the inner section.
    NestBlock(usize, usize),
    /// In the first, inside a section of the second inside another of the first.
    Deep(usize, usize),
    /// In both, in one section.
    Both(usize, usize),
    /// The same, with a call that blocks inside.
    BothBlock(usize, usize),
}

impl<R: Runtime> World for Objects<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        Self {
            locks: (0..2).map(|n| HandedLock::new(Label::nth("lock", n))).collect(),
            sleepers: Sleeper::all(shape.threads),
            data: (0..2).map(Counter::new).collect(),
            faults,
        }
    }

    fn enter(&self, n: usize) -> Local {
        Local::new(n)
    }

    fn step(&self, t: &mut Local, op: Op) -> Option<i64> {
        t.slept = 0;
        match op {
            Op::In(a) => {
                self.begin(t, a);
                self.data[a].count();
            }
            Op::Nest(a, b) | Op::NestBlock(a, b) => {
                self.begin(t, a);
                let mut read = self.data[a].read();
                self.begin(t, b);
                if matches!(op, Op::NestBlock(..)) {
                    self.detach(t);
                    self.attach(t);
                }
                self.data[b].count();
                self.end(t);
                // The inner section may have suspended this one.
                if !self.is(Mutant::AssumeOuterHeld) {
                    read = self.data[a].read();
                }
                self.data[a].store(read);
            }
            Op::Deep(a, b) => {
                self.begin(t, a);
                self.begin(t, b);
                if self.begin(t, a) {
                    self.data[a].count();
                    self.end(t);
                } else {
                    self.data[a].count();
                }
                self.end(t);
            }
            Op::Both(a, b) | Op::BothBlock(a, b) => {
                self.begin_two(t, a, b);
                self.data[a].count();
                if op == Op::BothBlock(a, b) {
                    self.detach(t);
                    self.attach(t);
                }
                self.data[b].count();
            }
        }
        self.end(t);
        Some(t.slept)
    }

    fn finish(&self) {
        self.data.iter().for_each(Counter::check);
    }
}

mutants! {
    /// Faults of critical sections.
    pub enum Mutant {
        /// A section is pushed after its lock was taken: on the way back the section below is resumed, with a lock that no section records.
        PushAfterLock = "cs-push-after-lock" breaks ["C4"] in "opposite" by Everywhere;
        /// Two locks are taken in the order in which they are named.
        Unsorted = "cs2-unsorted" breaks ["C5"] in "pairs" by Everywhere;
        /// One object named twice is locked twice.
        SameObject = "cs2-same-object" breaks ["C5"] in "same" by Everywhere;
        /// Back from blocking, all sections are resumed from the bottom up.
        ResumeAll = "cs-resume-all" breaks ["C4"] in "opposite-blocking" by Everywhere;
        /// The end of a section does not resume the one below.
        NoResumeOnEnd = "cs-no-resume-on-end" breaks ["C1", "C3"] in "blocking" by Everywhere;
        /// A section is marked as resumed, its locks on record, before it has them.
        ResumeKeepsMutex = "cs-resume-keeps-mutex" breaks ["C3"] in "blocking" by Everywhere;
        /// Only the top section is suspended.
        SuspendTopOnly = "cs-suspend-top-only" breaks ["C4"] in "opposite" by Everywhere;
        /// Of two locks only the first is given up.
        SuspendIgnoresSecond = "cs-suspend-ignores-second" breaks ["C4"] in "pair-blocking" by Everywhere;
        /// What was read before a nested section is used after it.
        AssumeOuterHeld = "cs-assume-outer-held" breaks ["G2"] in "opposite" by Everywhere;
        /// A section takes no lock when any section of the stack has it.
        SkipAnyDepth = "cs-skip-any-depth" breaks ["C1"] in "deep" by Everywhere;
        /// Who blocks gives up nothing.
        SuspendNothing = "cs-suspend-nothing" breaks ["C4"] in "opposite" by Everywhere;
    }
}

/// What small programs are made of.
const LETTERS: [Op; 4] = [Op::In(0), Op::Nest(0, 1), Op::Both(1, 0), Op::NestBlock(1, 0)];

/// The protocol.
pub struct CriticalSections;

impl Protocol for CriticalSections {
    const NAME: &'static str = "critical-sections";
    const TITLE: &'static str = "Critical sections, suspended on blocking";
    const QUESTION: &'static str =
        "How does every object have a lock without anybody thinking of an order of locks?";
    const SOURCE: &'static str = "CPython 3.13 critical_section.c";
    const PROPERTIES: &'static [Property] = properties! {
        "C1" "two threads are never in sections of one object" by [..Counter::<Native>::BREACHES];
        "C3" "whoever ends a section has its locks" by [Invariant at "lock"];
        "C4" "whoever is detached has no lock but the lower one of two"
            by [Invariant at "detached"];
        "C5" "no deadlock" by [Deadlock];
        "G2" "what was read before a call that may block is read again" by [LostUpdate at "data"];
    };
    const RANDOM: Option<Draw<Op>> =
        Some(|threads, operations, below| Scenario::random(&LETTERS, threads, operations, below));
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Objects<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("opposite", "nested in opposite orders", [&[Nest(0, 1)], &[Nest(1, 0)]]),
            Scenario::of("pairs", "pairs named in opposite orders", [&[Both(0, 1)], &[Both(1, 0)]]),
            Scenario::of("same", "an object beside itself", [&[Both(0, 0)], &[In(0)]]),
            Scenario::of(
                "blocking",
                "a call blocks in a nested section",
                [&[NestBlock(0, 1)], &[In(0)]],
            ),
            Scenario::of(
                "opposite-blocking",
                "calls block in opposite orders",
                [&[NestBlock(0, 1)], &[NestBlock(1, 0)]],
            ),
            Scenario::of(
                "pair-blocking",
                "a call blocks with two locks",
                [&[BothBlock(0, 1)], &[In(1)]],
            ),
            Scenario::of(
                "deep",
                "an object of a suspended section once more",
                [&[Deep(0, 1)], &[In(1), In(0)]],
            ),
            Scenario::of(
                "three",
                "two pairs beside a nested section",
                [&[Both(0, 1)], &[Both(1, 0)], &[Nest(1, 0)]],
            ),
        ]
    }

    /// Left out: an object beside itself and two locks with a blocking call, which differ from one lock and
    /// from two in their own scenarios only; and more than two sections of two locks, more than one among more
    /// than three operations (a call that blocks counts for two).
    fn starts(_: usize) -> Vec<Start<Op>> {
        let mut start = Start::new("free", "all want two objects", |_: Place| LETTERS.to_vec());
        start.fits = |scenario| {
            let weight = |op: &Op| match op {
                Op::In(_) => 0,
                Op::NestBlock(..) => 2,
                _ => 1,
            };
            let weight: usize = scenario.threads.iter().flatten().map(weight).sum();
            weight < 2 || weight == 2 && scenario.operations() < 4
        };
        vec![start]
    }
}
