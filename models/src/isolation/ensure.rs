//! Calls into an interpreter from a thread that is not in it, beside the interpreter's end.
//!
//! # Question
//! A library calls back from a thread of its own. Into which interpreter does the call go, how often may such calls be
//! nested, and what if that interpreter is ending?
//!
//! # Idea
//! The callback has been registered with a *view* of its interpreter, which keeps nothing alive. Who is called promotes
//! the view to a *guard*: that fails once the interpreter is finalizing, and who finalizes waits for all guards. With the
//! guard the thread gets a state in that interpreter, unless it has one, and attaches it, letting the present one
//! go first: a thread never has two interpreters' locks. The state counts how often it is asked for. At the last release it is
//! cleared, which may run destructors that call in once more, and deleted; the state before is attached again.
//!
//! # Timeline
//! ```text
//!                                              guards of B   state of T1 in B
//! T1: head { not finalizing: guard; state }    1             1
//! T1: attaches it; works in B                  1             1
//! T0: head { B is finalizing }; waits          1             1
//! T1: again, nested, and back                  1             2, 1
//! T1: release: clears; deletes; lets go        1             freed
//! T1: head { guard }                           0
//! T0: frees B                                  0
//! T1: head { finalizing: fails }               0
//! ```
//!
//! # Obligations
//! * P1: who calls in works in the interpreter that is meant, under its lock.
//! * P2: after a release the thread is where it was. P3: a state is freed once, at its last release.
//! * P4: nobody is in an interpreter that has ended.
//! * P5: nobody waits for ever.
//!
//! # Limits
//! Two interpreters, of which the second may end. The head lock has guards and states in one section; the library has
//! one mutex, which a finalizer of the interpreter takes too.
//!
//! # Orders
//! All is under locks.
//!
//! # Source
//! PEP 788; what it is to replace, `PyGILState_Ensure` and `PyGILState_Release`, is CPython 3.13 `Python/pystate.c`.

mod checks;

pub use self::checks::*;

use crate::ghost::{Ghost as _, require};
use crate::protocol::{Fault as _, HANGS, SKIPPED, Shape, Switch, World};
use crate::runtime::{DataCell as _, Label, Lock as _, Runtime, Signal as _};
use crate::sync::Gate;
use crate::verdict::Kind;

const INTERPRETERS: usize = 2;
const MAIN: usize = 0;
/// The interpreter that may end.
const B: usize = 1;
/// A call that came too late.
const ENDED: Option<i64> = Some(-1);

/// What is under an interpreter's head lock.
#[derive(Default)]
struct Head {
    finalizing: bool,
    guards: usize,
    states: Vec<usize>,
}

/// An interpreter.
struct Interpreter<R: Runtime> {
    head: R::Mutex<Head>,
    /// A guard is gone.
    gone: R::Condvar,
    lock: Gate<R>,
    /// What is done in it.
    heap: R::Cell<u64>,
    ghost: R::Ghost,
}

/// All interpreters, and each thread's state in each.
pub struct Calls<R: Runtime> {
    interpreters: [Interpreter<R>; INTERPRETERS],
    states: Box<[R::Ghost]>,
    /// The library's mutex.
    mutex: Gate<R>,
    faults: Switch<Mutant>,
}

/// A thread, with what is in its thread-local storage.
pub struct Local {
    n: usize,
    current: Option<usize>,
    /// The interpreter that it was in first.
    first: Option<usize>,
    /// How often its state in each is asked for.
    counts: [u32; INTERPRETERS],
    /// Whether it has one.
    live: [bool; INTERPRETERS],
    /// Whether that has been cleared.
    cleared: [bool; INTERPRETERS],
}

/// A state that was asked for.
struct Ensured {
    interpreter: usize,
    /// Where the thread was.
    before: Option<usize>,
}

impl<R: Runtime> Calls<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// The state of a thread in an interpreter.
    fn state(&self, t: &Local, interpreter: usize) -> &R::Ghost {
        &self.states[t.n * INTERPRETERS + interpreter]
    }

    fn count<'a>(&self, t: &'a mut Local, interpreter: usize) -> &'a mut u32 {
        &mut t.counts[if self.is(Mutant::CounterShared) { MAIN } else { interpreter }]
    }

    /// Comes into an interpreter, unless that is finalizing.
    fn ensure(&self, t: &mut Local, meant: usize, hooked: bool) -> Option<Ensured> {
        let default = self.is(Mutant::DefaultMain) && t.current.is_none();
        let interpreter = if default { MAIN } else { meant };
        // 1. A guard, and a state, unless it has them.
        if !t.live[interpreter] {
            self.create(t, interpreter, hooked)?;
            (t.live[interpreter], t.cleared[interpreter]) = (true, false);
        }
        *self.count(t, interpreter) += 1;
        // 2. Goes there.
        let before = t.current;
        self.go(t, Some(interpreter));
        t.first.get_or_insert(interpreter);
        Some(Ensured { interpreter, before })
    }

    fn create(&self, t: &Local, interpreter: usize, hooked: bool) -> Option<()> {
        let Interpreter { head, .. } = &self.interpreters[interpreter];
        if self.is(Mutant::AllocUnderHeadLock) {
            let _head = head.lock();
            self.allocate(t, interpreter, hooked);
        } else {
            self.allocate(t, interpreter, hooked);
        }
        let early = self.is(Mutant::CheckThenInc).then(|| head.lock().finalizing);
        let mut head = head.lock();
        if early.unwrap_or(head.finalizing) {
            self.state(t, interpreter).free();
            return None;
        }
        head.guards += 1;
        head.states.push(t.n);
        Some(())
    }

    /// Memory for a state; who watches allocations goes through the list of states.
    fn allocate(&self, t: &Local, interpreter: usize, hooked: bool) {
        if hooked {
            drop(self.interpreters[interpreter].head.lock());
        }
        self.state(t, interpreter).reuse(0);
    }

    /// Lets the interpreter's lock go that it has, and takes that of another.
    fn go(&self, t: &mut Local, to: Option<usize>) {
        if t.current != to {
            if let Some(from) = t.current {
                self.interpreters[from].lock.give(true);
            }
            if let Some(to) = to {
                self.interpreters[to].lock.take(true);
            }
            t.current = to;
        }
    }

    fn release(&self, t: &mut Local, ensured: Ensured) {
        let Ensured { interpreter, before } = ensured;
        if self.is(Mutant::ReleaseNothing) {
            return;
        }
        *self.count(t, interpreter) -= 1;
        let last = *self.count(t, interpreter) == 0;
        if last {
            self.clear(t, interpreter);
            self.state(t, interpreter).free();
            t.live[interpreter] = false;
        }
        // Not with the lock of an interpreter of which it has no guard.
        self.go(t, if last { None } else { before });
        if last {
            let Interpreter { head, gone, .. } = &self.interpreters[interpreter];
            let mut head = head.lock();
            head.states.retain(|other| *other != t.n);
            head.guards -= 1;
            drop(head);
            gone.notify_all();
        }
        self.go(t, before);
    }

    /// What the state keeps goes; a destructor calls in.
    fn clear(&self, t: &mut Local, interpreter: usize) {
        if !std::mem::replace(&mut t.cleared[interpreter], true) {
            // In use while it is cleared.
            let kept = u32::from(!self.is(Mutant::ReleaseDeletesEarly));
            *self.count(t, interpreter) += kept;
            if let Some(nested) = self.ensure(t, interpreter, false) {
                self.release(t, nested);
            }
            *self.count(t, interpreter) -= kept;
        }
    }

    /// Works for an interpreter.
    fn work(&self, t: &Local, meant: usize) {
        require(t.current == Some(meant), Kind::Invariant, || {
            format!("current: T{} works for {meant} in {:?}", t.n, t.current)
        });
        let heap = &self.interpreters[meant].heap;
        heap.write(heap.read() + 1);
    }

    /// Comes in, works, and leaves.
    fn call(&self, t: &mut Local, interpreter: usize, hooked: bool) -> Option<i64> {
        let Some(ensured) = self.ensure(t, interpreter, hooked) else { return ENDED };
        self.work(t, interpreter);
        self.release(t, ensured);
        None
    }

    /// From the main interpreter into the other, and there once more without saying where.
    fn nested(&self, t: &mut Local) -> Option<i64> {
        let outer = self.ensure(t, MAIN, false).expect("the main interpreter does not end");
        let inner = self.ensure(t, B, false);
        let told = inner.is_none().then_some(-1);
        if let Some(inner) = inner {
            let here = if self.is(Mutant::FirstBindingWins) { t.first } else { t.current };
            let again = self.ensure(t, here.unwrap_or(B), false).expect("it is there");
            self.work(t, B);
            self.release(t, again);
            self.release(t, inner);
        }
        self.work(t, MAIN);
        self.release(t, outer);
        told
    }

    /// Calls with the library's mutex.
    fn locked(&self, t: &mut Local) -> Option<i64> {
        self.mutex.take(true);
        let told = self.call(t, B, false);
        if told == ENDED && self.is(Mutant::HangHoldingLock) {
            return HANGS;
        }
        self.mutex.give(true);
        told
    }

    /// The second interpreter ends.
    fn finalize(&self) -> Option<i64> {
        let Interpreter { head, gone, lock, heap, ghost } = &self.interpreters[B];
        // 1. Nobody comes in any more.
        if std::mem::replace(&mut head.lock().finalizing, true) {
            return SKIPPED;
        }
        // 2. Its finalizers use the library.
        self.mutex.take(true);
        self.mutex.give(true);
        // 3. All have left.
        let mut left = head.lock();
        while left.guards > 0 {
            left = R::wait(gone, head, left);
        }
        drop(left);
        // 4. The end.
        lock.take(true);
        heap.write(0);
        ghost.free();
        lock.give(true);
        None
    }
}

/// What a thread does, beginning and ending outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Calls into the second interpreter; answers -1 where that has ended, as the two below.
    Call,
    /// The same where allocations are watched.
    Hooked,
    /// The same with the library's mutex. Of other threads than 0.
    Locked,
    /// Calls into the first interpreter, from there into the second, and there once more.
    Nested,
    /// Ends the second interpreter. Of thread 0.
    Finalize,
}

impl<R: Runtime> World for Calls<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let interpreter = |n| {
            let ghost = R::Ghost::living(Label::nth("interpreter", n));
            Interpreter {
                head: R::Mutex::new(Head::default(), Label::nth("head", n)),
                gone: R::Condvar::new(Label::nth("gone", n)),
                lock: Gate::new("lock", n),
                heap: R::Cell::new(0, Label::part("interpreter", "heap", n)),
                ghost,
            }
        };
        let states = 0..shape.threads * INTERPRETERS;
        Self {
            interpreters: [MAIN, B].map(interpreter),
            states: states.map(|n| R::Ghost::blank(Label::nth("state", n))).collect(),
            mutex: Gate::new("library", 0),
            faults,
        }
    }

    fn enter(&self, n: usize) -> Local {
        let no = [false; INTERPRETERS];
        Local { n, current: None, first: None, counts: [0; INTERPRETERS], live: no, cleared: no }
    }

    fn step(&self, t: &mut Local, op: Op) -> Option<i64> {
        t.first = None;
        let told = match op {
            Op::Call => self.call(t, B, false),
            Op::Hooked => self.call(t, B, true),
            Op::Locked => self.locked(t),
            Op::Nested => self.nested(t),
            Op::Finalize => self.finalize(),
        };
        require(t.current.is_none(), Kind::Invariant, || {
            format!("before: T{} is left in {:?}", t.n, t.current)
        });
        told
    }

    fn finish(&self) {
        self.states.iter().for_each(R::Ghost::settle);
    }
}
