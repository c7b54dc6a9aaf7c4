//! Thread states in one list, found by the thread's number and moved to the front.
//!
//! # Question
//! What the interpreter kept in global variables, one exception, one comparison function of the sort under way, becomes a
//! thread's own. How does a thread find what is its own, and what of it is left when the thread has ended?
//!
//! # Idea
//! A list of states, each with the number of its thread. Who asks goes through it to its own number, moves that state to
//! the front, since it will ask again, and keeps its address; who finds none makes one at the front. A thread that ends
//! takes its state out. All that is under one lock: moving to the front makes every look a write. The address is used
//! without the lock, since nobody but its thread frees it.
//!
//! # Timeline
//! ```text
//!                                               list
//! T0: list { not found; makes one }             T0
//! T1: list { not found; makes one }             T1 → T0
//! T0: list { second; to the front }             T0 → T1
//! T0: raises: in its own state                  T0 → T1
//! T1: ends: list { out; freed }                 T0
//! T2, with T1's number: list { not found;
//!     makes one, with nothing in it }           T2 → T0
//! ```
//!
//! # Obligations
//! * T1: what a thread keeps in its state is there when it asks again.
//! * T2: one state for each thread. T3: all states are in the list, once, and only who has the lock changes it.
//! * T4: nobody looks at a state that is freed. T5: a thread inherits nothing from an earlier one with its number.
//!
//! # Limits
//! A thread that has ended and the next one with its number are one thread of the scenario. Of a state's fields an
//! exception and a comparison function are here. Whether the list had a lock is not recorded; without one it is wrong.
//!
//! # Orders
//! None: all is under the lock, or of one thread.
//!
//! # Source
//! Stein's 1996 patch (`threadstate.c`), after Beazley's description.

use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require, violation};
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{DataCell as _, Guard, Label, Lock as _, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

const NOBODY: usize = 0;

/// A thread's state. Links and numbers count from one.
struct State<R: Runtime> {
    thread: R::Cell<usize>,
    next: R::Cell<usize>,
    exception: R::Cell<u64>,
    comparison: R::Cell<u64>,
    ghost: R::Ghost,
}

/// The list, and blocks for its states.
pub struct ThreadList<R: Runtime> {
    /// The lock of the list; in it, blocks that are no state now.
    lock: R::Mutex<Vec<usize>>,
    head: R::Cell<usize>,
    states: Box<[State<R>]>,
    /// A global variable that was forgotten: of no thread.
    comparison: R::Cell<u64>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> ThreadList<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn state(&self, n: usize) -> &State<R> {
        &self.states[n - 1]
    }

    /// The state of a thread, and the one before it; nobody's where there is none.
    fn find(&self, thread: usize) -> (usize, usize) {
        let (mut before, mut at) = (NOBODY, self.head.read());
        for _ in 0..=self.states.len() {
            if at == NOBODY || self.state(at).thread.read() == thread {
                return (before, at);
            }
            (before, at) = (at, self.state(at).next.read());
        }
        violation(Kind::Invariant, || "list: it has no end".into())
    }

    fn link(&self, n: usize) {
        self.state(n).next.write(self.head.read());
        self.head.write(n);
    }

    fn unlink(&self, before: usize, n: usize) {
        let next = self.state(n).next.read();
        match before {
            NOBODY => self.head.write(next),
            _ => self.state(before).next.write(next),
        }
    }

    /// The caller's state, from now on the first; made where there is none.
    fn get(&self, thread: usize) -> &State<R> {
        let locked = (!self.is(Mutant::UnlockedScan)).then(|| self.lock.lock());
        let (before, found) = self.find(thread);
        if found == NOBODY {
            return self.make(thread, locked);
        }
        if before != NOBODY {
            if self.is(Mutant::UnlinkAfterInsert) {
                self.link(found);
                self.unlink(before, found);
            } else {
                self.unlink(before, found);
                self.link(found);
            }
        }
        self.state(found)
    }

    fn make<'a>(&'a self, thread: usize, locked: Option<Guard<'a, R, Vec<usize>>>) -> &'a State<R> {
        let mut free = locked.unwrap_or_else(|| self.lock.lock());
        let made = free.pop().expect("a block for each thread");
        let locked =
            (!self.is(Mutant::CreateUnlocked) && !self.is(Mutant::UnlockedScan)).then_some(free);
        let state = self.state(made);
        state.ghost.reuse(0);
        state.thread.write(thread);
        state.exception.write(0);
        self.link(made);
        drop(locked);
        state
    }

    /// The thread ends.
    fn leave(&self, thread: usize) {
        if self.is(Mutant::ExitNoUnlink) {
            return;
        }
        let mut free = self.lock.lock();
        let (mut before, mut found) = self.find(thread);
        if found == NOBODY {
            return;
        }
        if self.is(Mutant::FreeBeforeUnlink) {
            drop(free);
            self.state(found).ghost.free();
            free = self.lock.lock();
            (before, found) = self.find(thread);
        }
        self.unlink(before, found);
        if !self.is(Mutant::FreeBeforeUnlink) {
            self.state(found).ghost.free();
        }
        free.push(found);
    }

    /// Raises an exception, and looks for it.
    fn raise(&self, thread: usize) -> u64 {
        let state = self.get(thread);
        let (before, own) = (state.exception.read(), thread as u64);
        require(before == 0, Kind::Invariant, || {
            format!("exception: T{} begins with that of T{}", thread - 1, before - 1)
        });
        if !self.is(Mutant::CachedByValue) {
            state.exception.write(own);
        }
        let state = self.get(thread);
        let found = state.exception.read();
        require(found == own, Kind::LostUpdate, || format!("exception: {found} after {own}"));
        // Handled only if the thread goes on.
        found
    }

    /// Sorts by a comparison function of its own.
    fn sort(&self, thread: usize) {
        let own = thread as u64;
        let of_state = &self.get(thread).comparison;
        let comparison = if self.is(Mutant::StaleStatic) { &self.comparison } else { of_state };
        comparison.write(own);
        let found = comparison.read();
        require(found == own, Kind::Invariant, || {
            format!("comparison: T{} sorts by that of T{}", own - 1, found - 1)
        });
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Raises an exception, finds it, and handles it.
    Raise,
    /// Sorts.
    Sort,
    /// Ends by an exception; what comes next is another thread with its number.
    Leave,
}

impl<R: Runtime> World for ThreadList<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = usize;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let state = |n| State {
            thread: R::Cell::new(0, Label::part("state", "thread", n)),
            next: R::Cell::new(0, Label::part("state", "next", n)),
            exception: R::Cell::new(0, Label::part("state", "exception", n)),
            comparison: R::Cell::new(0, Label::part("state", "comparison", n)),
            ghost: R::Ghost::blank(Label::nth("state", n)),
        };
        Self {
            lock: R::Mutex::new((1..=shape.threads).rev().collect(), "list"),
            head: R::Cell::new(NOBODY, "head"),
            states: (0..shape.threads).map(state).collect(),
            comparison: R::Cell::new(0, "comparison"),
            faults,
        }
    }

    fn enter(&self, n: usize) -> usize {
        n + 1
    }

    fn step(&self, thread: &mut usize, op: Op) -> Option<i64> {
        match op {
            Op::Raise => {
                self.raise(*thread);
                self.get(*thread).exception.write(0);
            }
            Op::Sort => self.sort(*thread),
            Op::Leave => {
                self.raise(*thread);
                self.leave(*thread);
            }
        }
        None
    }

    fn exit(&self, thread: usize) {
        self.leave(thread);
    }

    fn finish(&self) {
        let head = self.head.read();
        require(head == NOBODY, Kind::Leak, || {
            format!("list: state {head} is left when all have ended")
        });
    }
}

mutants! {
    /// Faults of the list and of who uses it.
    pub enum Mutant {
        /// The list is gone through, and changed, without its lock.
        UnlockedScan = "tsl-unlocked-scan" breaks ["T3"] in "two" by Everywhere;
        /// A state is put first before it is taken out of its place: the list has no end.
        UnlinkAfterInsert = "tsl-unlink-after-insert" breaks ["T3", "T4"] in "again" by Everywhere;
        /// The lock is given up between the look and the new state.
        CreateUnlocked = "tsl-create-unlocked" breaks ["T3"] in "two" by Everywhere;
        /// A thread that ends leaves its state in the list.
        ExitNoUnlink = "tsl-exit-no-unlink" breaks ["T5"] in "number" by Everywhere;
        /// A thread that ends frees its state before it takes it out.
        FreeBeforeUnlink = "tsl-exit-free-before-unlink" breaks ["T4"] in "leaving" by Everywhere;
        /// A thread works on a copy of its state.
        CachedByValue = "tsl-cached-by-value" breaks ["T1"] in "two" by Everywhere;
        /// The comparison function of a sort stayed a global variable.
        StaleStatic = "tsl-stale-static" breaks ["T2"] in "sorts" by Everywhere;
    }
}

/// The protocol.
pub struct ThreadListProtocol;

impl Protocol for ThreadListProtocol {
    const NAME: &'static str = "thread-list";
    const TITLE: &'static str = "List of thread states, moved to the front";
    const QUESTION: &'static str = "How does a thread find what is its own?";
    const SOURCE: &'static str = "Stein's 1996 patch, threadstate.c";
    const PROPERTIES: &'static [Property] = properties! {
        "T1" "what a thread keeps in its state is there when it asks again"
            by [LostUpdate at "exception"];
        "T2" "each thread has a state of its own"
            by [Invariant at "comparison", DataRace at "comparison"];
        "T3" "all states are in the list, once, and only who has the lock changes it"
            by [DataRace at "head" "next" "thread", Invariant at "list", Leak at "list"];
        "T4" "nobody looks at a state that is freed"
            by [UseAfterFree at "state" "thread" "next" "exception" "comparison"];
        "T5" "a thread inherits nothing from an earlier one with its number"
            by [Invariant at "exception"];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = ThreadList<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("two", "two threads, each with an exception", [&[Raise], &[Raise]]),
            Scenario::of("again", "each looks twice", [&[Raise, Sort], &[Raise]]),
            Scenario::of("sorts", "two sorts", [&[Sort], &[Sort]]),
            Scenario::of("leaving", "a thread ends beside another", [&[Raise], &[Leave]]),
            Scenario::of(
                "number",
                "the next thread has the same number",
                [&[Leave, Raise], &[Sort]],
            ),
            Scenario::of("three", "three threads", [&[Raise], &[Leave], &[Sort]]),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |_: Place| vec![Op::Raise, Op::Sort, Op::Leave];
        vec![Start::new("empty", "threads that come and go", letters)]
    }
}
