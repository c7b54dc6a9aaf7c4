//! The global interpreter lock: plain counts, one holder, forced switches.
//!
//! # Question
//! The baseline. Counts are plain integers because one thread runs at a time. How does a
//! thread that computes without end give way, and how do others reach it?
//!
//! # Idea
//! Nobody can take the lock from its holder, so waiters *ask* for it: the holder looks at a word
//! between two bytecode instructions, and drops the lock when a bit there says so. To drop is
//! not enough. The holder would ask for it again at once, and win, since it is running and
//! the waiters are asleep. So who drops on request waits for a *switch*: until the lock has had
//! another holder. Who drops of its own accord, before a blocking call, does so too if it was
//! asked meanwhile; only the last release of a thread that ends waits for nobody.
//!
//! # Timeline
//! ```text
//! T0: holds the lock                       T1: wants it
//!                                          locked by T0: sets T0's drop bit, waits on `free`
//! safe point: the bit is set
//! unlocks, signals `free`
//! the last holder is still T0:             wakes, locks, is the last holder,
//! clears the bit, waits on `switch`        signals `switch`
//! wakes: the last holder is T1
//! wants it: sets T1's drop bit, …
//! ```
//!
//! # Obligations
//! * Plain memory is touched by the holder only.
//! * A waiter asks the holder to drop the lock by setting a bit in the holder's *eval
//!   breaker*, a word polled at safe points. The holder that drops on request waits until
//!   somebody else has run: otherwise it would win the lock again at once.
//! * Both waits re-check their condition under the mutex of their signal.
//! * A thread that gives up waiting withdraws its request in the same section: the holder
//!   that honours a request waits for somebody to take the lock, and nobody would.
//! * After its last release a thread touches nothing of the interpreter, which its owner may
//!   delete at once. A request goes to the holder of this moment, seen under the mutex: an
//!   earlier one may have left, its state freed.
//! * Bits of the eval breaker are set and cleared by read-modify-writes; a bit is cleared
//!   before the work it announces is looked at.
//!
//! # Orders
//! The mutexes order everything; a bit only says "look". The eval breaker is nevertheless set
//! and cleared sequentially consistent, as in CPython (`_Py_atomic_or_uintptr`,
//! `_Py_atomic_and_uintptr`), and read relaxed, as there. Weakened one at a time, down to
//! relaxed, no step breaks a property; what must not go is the read-modify-write
//! (`gil-bit-plain-store`).
//!
//! # Source
//! CPython 3.13 `Python/ceval_gil.c` (`take_gil`, `drop_gil`, `_Py_HandlePending`). The
//! switch interval is not modelled: a waiter asks each holder at once, and a finalizer wakes
//! the waiters, as the end of their interval would. CPython withdraws after the section
//! (`gil-withdraw-unlocked`).

mod checks;
mod operations;

pub use self::checks::*;
pub use self::operations::Extra;

use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require};
use crate::protocol::{Fault, Property, Protocol, Scenario, Shape, Switch};
use crate::refcount::{Count, Object, Op, Workshop, destroy, random, workshop};
use crate::runtime::{
    Atomic as _, DataCell as _, Guard, Label, Lock as _, Ordering::*, Runtime, Signal as _,
};
use crate::verdict::Kind;
use crate::{mutants, properties};

const DROP: u8 = 1;
const CALLS: u8 = 2;

/// What the lock's mutex guards.
#[derive(Default)]
struct State {
    locked: bool,
    holder: usize,
    /// Set once, by the thread that ends the interpreter; all others may not run again.
    finalizer: Option<usize>,
    /// Threads that have not left.
    alive: usize,
}

/// What the mutex of the signal `switch` guards.
struct Switched {
    /// Who had the lock last; nobody before the first.
    last_holder: Option<usize>,
    /// How often it went from one thread to another, for the observer.
    switches: usize,
}

/// The lock, the eval breakers, and the counts it protects.
pub struct Gil<R: Runtime, F> {
    objects: Box<[Object<R, Header<R>>]>,
    state: R::Mutex<State>,
    free: R::Condvar,
    switched: R::Mutex<Switched>,
    switch: R::Condvar,
    breaker: Box<[R::AtomicU8]>,
    /// Calls for the main thread.
    pending: R::Mutex<usize>,
    /// The memory of the interpreter, lock included, and of each thread's state.
    interpreter: R::Ghost,
    states: Box<[R::Ghost]>,
    faults: F,
}

/// A plain count.
pub struct Header<R: Runtime> {
    count: R::Cell<i64>,
}

/// A thread.
pub struct Thread {
    n: usize,
    holds: bool,
    /// Left, or stopped for ever by finalization: runs nothing any more.
    ended: bool,
}

type Obj<R> = Object<R, Header<R>>;

impl<R: Runtime, F: Fault<Mutant>> Gil<R, F> {
    /// A heap of `shape.objects` blocks, `shape.threads` threads, nobody holds the lock.
    pub fn with_faults(shape: Shape, faults: F) -> Self {
        let header = |n| Header { count: R::Cell::new(0, Label::part("object", "count", n)) };
        let breaker = |n| R::AtomicU8::new(0, Label::nth("breaker", n));
        let state = State { alive: shape.threads, ..State::default() };
        Self {
            objects: (0..shape.objects).map(|n| Object::blank(n, header(n))).collect(),
            state: R::Mutex::new(state, "gil"),
            free: R::Condvar::new("free"),
            switched: R::Mutex::new(Switched { last_holder: None, switches: 0 }, "switched"),
            switch: R::Condvar::new("switch"),
            breaker: (0..shape.threads).map(breaker).collect(),
            pending: R::Mutex::new(0, "pending"),
            interpreter: R::Ghost::living(Label::of("interpreter")),
            states: (0..shape.threads).map(|n| R::Ghost::living(Label::nth("state", n))).collect(),
            faults,
        }
    }

    fn raise(&self, n: usize, bit: u8) {
        self.states[n].touch();
        if self.faults.is(Mutant::BitPlainStore) {
            let bits = self.breaker[n].load(SeqCst);
            self.breaker[n].store(bits | bit, SeqCst);
        } else {
            // SeqCst as in CPython; equivalent to relaxed, see the head. A drop request is made
            // inside the section of `state`, a call after that of `pending`.
            self.breaker[n].fetch_or(bit, SeqCst);
        }
    }

    fn lower(&self, n: usize, bit: u8) {
        // SeqCst: as in `raise`.
        self.breaker[n].fetch_and(!bit, SeqCst);
    }

    /// Takes the lock; false when the interpreter is being finalized by another thread.
    pub fn take(&self, n: usize) -> bool {
        let mut state = self.state.lock();
        self.interpreter.touch();
        let first = state.holder;
        let mut asked = None;
        while state.locked {
            if state.finalizer.is_some_and(|finalizer| finalizer != n) {
                self.give_up(state, asked);
                return false;
            }
            if asked != Some(state.holder) {
                let stale = self.faults.is(Mutant::WrongThread);
                self.raise(if stale { first } else { state.holder }, DROP);
                asked = Some(state.holder);
            }
            state = R::wait(&self.free, &self.state, state);
        }
        state.locked = true;
        state.holder = n;
        let mut switched = self.switched.lock();
        if switched.last_holder != Some(n) {
            *switched = Switched { last_holder: Some(n), switches: switched.switches + 1 };
        }
        self.switch.notify_all();
        drop(switched);
        self.lower(n, DROP);
        let late = state.finalizer.is_some_and(|finalizer| finalizer != n);
        drop(state);
        if late {
            // Finalization began while nobody held the lock: the switch has happened, so
            // nobody waits for this thread.
            self.drop(n, true);
        }
        !late
    }

    /// A waiter that finalization stops. `asked` got a request from it.
    fn give_up(&self, section: Guard<'_, R, State>, asked: Option<usize>) {
        if self.faults.is(Mutant::KeepsRequest) {
            return;
        }
        if self.faults.is(Mutant::WithdrawUnlocked) {
            drop(section);
            asked.inspect(|holder| self.lower(*holder, DROP));
            return;
        }
        // Inside: the lock is held, so the holder has not looked at its request yet, or it
        // would have dropped. Requests of others go too; they ask again or give up as well.
        asked.inspect(|holder| self.lower(*holder, DROP));
        drop(section);
    }

    /// Drops the lock; on request, waits until somebody else has had it. True when there
    /// was a request.
    pub fn drop(&self, n: usize, last: bool) -> bool {
        // 1. Free for whoever wakes first.
        self.unlock();
        // 2. After its last release a thread touches nothing.
        if last && !self.faults.is(Mutant::FinalTouches) {
            return false;
        }
        // 3. Was it asked? Relaxed: requests to us were made inside sections of `state` before ours.
        let asked = self.breaker[n].load(Relaxed) & DROP != 0;
        self.interpreter.touch();
        if !asked || self.faults.is(Mutant::NoForcedSwitch) {
            return asked;
        }
        // 4. Not before somebody else has had it.
        if self.faults.is(Mutant::CheckOutside) {
            self.await_switch_unchecked(n);
        } else {
            self.await_switch(n);
        }
        true
    }

    fn unlock(&self) {
        if self.faults.is(Mutant::LostSignal) {
            self.free.notify_one();
            self.state.lock().locked = false;
            return;
        }
        let mut state = self.state.lock();
        state.locked = false;
        self.free.notify_one();
    }

    fn await_switch(&self, n: usize) {
        let mut switched = self.switched.lock();
        while switched.last_holder == Some(n) {
            self.lower(n, DROP);
            switched = R::wait(&self.switch, &self.switched, switched);
        }
    }

    /// The mutant wait: the look and the wait are in two sections.
    fn await_switch_unchecked(&self, n: usize) {
        if self.switched.lock().last_holder == Some(n) {
            let switched = self.switched.lock();
            self.lower(n, DROP);
            drop(R::wait(&self.switch, &self.switched, switched));
        }
    }

    fn safe_point(&self, thread: &mut Thread) {
        if !thread.holds {
            return;
        }
        let n = thread.n;
        // Relaxed: a missed bit is seen at the next safe point.
        let bits = self.breaker[n].load(Relaxed);
        if bits & CALLS != 0 {
            if !self.faults.is(Mutant::ClearLate) {
                self.lower(n, CALLS);
            }
            *self.pending.lock() = 0;
            if self.faults.is(Mutant::ClearLate) {
                self.lower(n, CALLS);
            }
        }
        if bits & DROP == 0 {
            return;
        }
        let before = self.switched.lock().switches;
        let mut asked = true;
        if !self.faults.is(Mutant::IgnoresRequest) {
            asked = self.drop(n, false);
            thread.holds = self.take(n);
            thread.ended = !thread.holds;
        }
        let after = self.switched.lock().switches;
        // One switch away, and one back unless finalization stopped this thread meanwhile.
        let switches = 1 + usize::from(thread.holds);
        require(!asked || after >= before + switches, Kind::Starvation, || {
            format!("T{n} was asked for the lock at a safe point, and nobody else ran")
        });
    }

    /// Runs `body` under the lock, taking it for the purpose when it is not held.
    fn held<T>(&self, thread: &mut Thread, body: impl FnOnce(&mut Thread) -> T) -> T {
        if thread.holds || self.faults.is(Mutant::UnlockedCount) {
            return body(thread);
        }
        require(self.acquire(thread), Kind::Invariant, || "counts after its end".into());
        let result = body(thread);
        self.release(thread, false);
        result
    }

    fn acquire(&self, thread: &mut Thread) -> bool {
        if !thread.holds && !thread.ended {
            thread.holds = self.take(thread.n);
            thread.ended = !thread.holds;
        }
        thread.holds
    }

    /// Drops the lock before a blocking call, or for good: a thread that ends touches nothing
    /// afterwards, and waits for nobody.
    fn release(&self, thread: &mut Thread, last: bool) {
        if std::mem::take(&mut thread.holds) {
            self.drop(thread.n, last);
        }
    }
}
