//! The global interpreter lock: plain counts, one holder, forced switches.
//!
//! # Question
//! The baseline. Counts are plain integers because one thread runs at a time. How does a
//! thread that computes without end give way, and how do others reach it?
//!
//! # Obligations
//! * Plain memory is touched by the holder only.
//! * A waiter asks the holder to drop the lock by setting a bit in the holder's *eval
//!   breaker*, a word polled at safe points. The holder that drops on request waits until
//!   somebody else has run: otherwise it would win the lock again at once.
//! * Both waits re-check their condition under the mutex of their signal.
//! * Bits of the eval breaker are set and cleared by read-modify-writes; a bit is cleared
//!   before the work it announces is looked at.
//!
//! # Source
//! CPython 3.13 `Python/ceval_gil.c` (`take_gil`, `drop_gil`, `_Py_HandlePending`). The
//! switch interval is not modelled: a waiter asks at once.

use crate::ghost::{Ghost as _, require};
use crate::mutants;
use crate::protocol::{Fault, Property, Protocol, Scenario, Shape, Switch};
use crate::refcount::{Count, Object, Op, Workshop, destroy, random};
use crate::runtime::{
    Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime, Signal as _,
};
use crate::verdict::Kind;

const DROP: u8 = 1;
const CALLS: u8 = 2;

/// What the lock's mutex guards.
#[derive(Clone, Copy, Default)]
struct State {
    locked: bool,
    holder: usize,
}

/// The lock, the eval breakers, and the counts it protects.
pub struct Gil<R: Runtime, F> {
    objects: Box<[Object<R, Header<R>>]>,
    state: R::Mutex<State>,
    free: R::Condvar,
    /// The last holder and the number of switches.
    switched: R::Mutex<(usize, usize)>,
    switch: R::Condvar,
    breaker: Box<[R::AtomicU8]>,
    /// Calls for the main thread.
    pending: R::Mutex<usize>,
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
}

type Obj<R> = Object<R, Header<R>>;

impl<R: Runtime, F: Fault<Mutant>> Gil<R, F> {
    /// A heap of `shape.objects` blocks, `shape.threads` threads, nobody holds the lock.
    pub fn with_faults(shape: Shape, faults: F) -> Self {
        let header = |n| Header { count: R::Cell::new(0, Label::nth("count", n)) };
        let breaker = |n| R::AtomicU8::new(0, Label::nth("breaker", n));
        Self {
            objects: (0..shape.objects).map(|n| Object::blank(n, header(n))).collect(),
            state: R::Mutex::new(State::default(), "gil"),
            free: R::Condvar::new("free"),
            switched: R::Mutex::new((usize::MAX, 0), "switched"),
            switch: R::Condvar::new("switch"),
            breaker: (0..shape.threads).map(breaker).collect(),
            pending: R::Mutex::new(0, "pending"),
            faults,
        }
    }

    fn raise(&self, n: usize, bit: u8) {
        if self.faults.is(Mutant::BitPlainStore) {
            let bits = self.breaker[n].load(SeqCst);
            self.breaker[n].store(bits | bit, SeqCst);
        } else {
            // SeqCst as in CPython; relaxed would do, the mutexes order what it announces.
            self.breaker[n].fetch_or(bit, SeqCst);
        }
    }

    fn lower(&self, n: usize, bit: u8) {
        self.breaker[n].fetch_and(!bit, SeqCst);
    }

    /// Takes the lock.
    pub fn take(&self, n: usize) {
        let mut state = self.state.lock();
        let mut asked = false;
        while state.locked {
            if !asked {
                self.raise(state.holder, DROP);
                asked = true;
            }
            state = R::wait(&self.free, &self.state, state);
        }
        *state = State { locked: true, holder: n };
        let mut switched = self.switched.lock();
        if switched.0 != n {
            *switched = (n, switched.1 + 1);
        }
        self.switch.notify_all();
        drop(switched);
        self.lower(n, DROP);
        drop(state);
    }

    /// Drops the lock; on request, waits until somebody else has had it.
    pub fn drop(&self, n: usize, last: bool) {
        if self.faults.is(Mutant::LostSignal) {
            self.free.notify_one();
            self.state.lock().locked = false;
        } else {
            let mut state = self.state.lock();
            state.locked = false;
            self.free.notify_one();
        }
        let asked = self.breaker[n].load(SeqCst) & DROP != 0;
        if last || !asked || self.faults.is(Mutant::NoForcedSwitch) {
            return;
        }
        if self.faults.is(Mutant::CheckOutside) {
            if self.switched.lock().0 == n {
                let switched = self.switched.lock();
                self.lower(n, DROP);
                drop(R::wait(&self.switch, &self.switched, switched));
            }
            return;
        }
        let mut switched = self.switched.lock();
        while switched.0 == n {
            self.lower(n, DROP);
            switched = R::wait(&self.switch, &self.switched, switched);
        }
    }

    fn safe_point(&self, thread: &mut Thread) {
        if !thread.holds {
            return;
        }
        let n = thread.n;
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
        if bits & DROP != 0 {
            let before = self.switched.lock().1;
            self.drop(n, false);
            self.take(n);
            let after = self.switched.lock().1;
            // One switch away and one back.
            require(after >= before + 2, Kind::Starvation, || {
                format!("T{n} dropped the lock on request and got it again, nobody else ran")
            });
        }
    }

    /// Runs `body` under the lock, taking it for the purpose when it is not held.
    fn held<T>(&self, thread: &mut Thread, body: impl FnOnce(&mut Thread) -> T) -> T {
        let holds = thread.holds || self.faults.is(Mutant::UnlockedCount);
        if holds {
            return body(thread);
        }
        self.take(thread.n);
        thread.holds = true;
        let result = body(thread);
        thread.holds = false;
        self.drop(thread.n, true);
        result
    }
}

/// Operations of this scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// Takes the lock and keeps it.
    Take,
    /// Drops the lock before a blocking call.
    Release,
    /// Asks the main thread to run a call.
    Post,
    /// Observes that a call that waits is announced.
    Pending,
}

impl<R: Runtime, F: Fault<Mutant>> Count<R> for Gil<R, F> {
    type Mutant = Mutant;
    type Faults = F;
    type Header = Header<R>;
    type Thread = Thread;
    type Extra = Extra;

    fn new(shape: Shape, faults: F) -> Self {
        Self::with_faults(shape, faults)
    }
    fn objects(&self) -> &[Obj<R>] {
        &self.objects
    }
    fn attach(&self, n: usize) -> Thread {
        Thread { n, holds: false }
    }
    fn detach(&self, thread: Thread) {
        if thread.holds {
            self.drop(thread.n, true);
        }
    }
    fn init(&self, thread: &mut Thread, object: &Obj<R>) {
        self.held(thread, |_| object.header.count.write(1));
    }
    fn incref(&self, thread: &mut Thread, object: &Obj<R>) {
        self.held(thread, |_| object.header.count.write(object.header.count.read() + 1));
    }
    fn decref(&self, thread: &mut Thread, object: &Obj<R>) {
        self.held(thread, |thread| {
            let count = object.header.count.read() - 1;
            object.header.count.write(count);
            if count == 0 {
                destroy(self, thread, object);
            }
        });
    }
    fn try_incref(&self, thread: &mut Thread, object: &Obj<R>) -> bool {
        self.held(thread, |_| {
            let count = object.header.count.read();
            if count > 0 && !object.ghost.is_dead() {
                object.header.count.write(count + 1);
            }
            count > 0
        })
    }
    fn poll(&self, thread: &mut Thread) {
        self.safe_point(thread);
    }
    fn extra(&self, thread: &mut Thread, extra: Extra) -> Option<i64> {
        match extra {
            Extra::Take if !thread.holds => {
                self.take(thread.n);
                thread.holds = true;
            }
            Extra::Release if thread.holds => {
                thread.holds = false;
                self.drop(thread.n, true);
            }
            Extra::Post => {
                *self.pending.lock() += 1;
                // After the call was queued: whoever clears the bit looks afterwards.
                self.raise(0, CALLS);
            }
            Extra::Pending => {
                let waits = *self.pending.lock() > 0;
                let told = self.breaker[0].load(SeqCst) & CALLS != 0;
                require(!waits || told, Kind::LostUpdate, || {
                    "a call waits and nobody was told".into()
                });
            }
            Extra::Take | Extra::Release => {}
        }
        None
    }
    fn settled(&self, object: &Obj<R>) -> Option<i64> {
        Some(object.header.count.read())
    }
}

mutants! {
    /// Faults of the global lock.
    pub enum Mutant {
        /// The dropper does not wait for a switch.
        NoForcedSwitch = "gil-no-forced-switch" breaks ["L2"] in "forced-switch" by Everywhere;
        /// The last holder is tested before the mutex of the switch is held for the wait.
        CheckOutside = "gil-switch-check-outside" breaks ["L4"] in "forced-switch" by Everywhere;
        /// The lock is signalled before it is free, outside its mutex.
        LostSignal = "gil-lost-signal" breaks ["L4"] in "counts" by Everywhere;
        /// Bits of the eval breaker are set by a load and a store.
        BitPlainStore = "gil-bit-plain-store" breaks ["L7"] in "two-bits" by Everywhere;
        /// The bit is cleared after the calls were run.
        ClearLate = "gil-pending-clear-late" breaks ["L7"] in "calls" by Everywhere;
        /// Counts are changed without the lock.
        UnlockedCount = "gil-unlocked-count" breaks ["L1"] in "implicit" by Everywhere;
    }
}

/// The protocol.
pub struct GilProtocol;

impl Protocol for GilProtocol {
    const NAME: &'static str = "gil";
    const TITLE: &'static str = "Global interpreter lock";
    const QUESTION: &'static str = "How does a thread that never blocks give way to others?";
    const SOURCE: &'static str = "CPython 3.13 ceval_gil.c";
    const PROPERTIES: &'static [Property] = PROPERTIES;
    const NOT_EXPRESSED: &'static [(&'static str, &'static str)] = &[
        ("gil-request-wrong-thread", "a late request only delays; no interval is modelled"),
        ("gil-no-switchnum", "as above: needs the switch interval"),
        ("gil-exit-keeps-request", "finalization hangs threads for ever; not modelled"),
        ("gil-final-touches", "as above"),
        ("gil-enable-no-stop", "switching the lock on at run time belongs to stop-the-world"),
        ("gil-attach-no-recheck", "as above"),
        ("gil-disable-no-chain", "as above"),
    ];
    type Mutant = Mutant;
    type Op = Op<Extra>;
    type World<R: Runtime> = Workshop<R, Gil<R, Switch<Mutant>>>;

    fn scenarios() -> Vec<Scenario<Op<Extra>>> {
        use self::Extra::*;
        use crate::protocol::Reach::Preemptions;
        use Op::{Extra as X, *};
        vec![
            Scenario::new("counts", "two threads count under the lock")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([X(Take), Use(0), Decref(0), X(Release)])
                .thread([X(Take), Use(0), Decref(0), X(Release)])
                .loom(Preemptions(3)),
            Scenario::new("implicit", "two threads count, each step takes the lock")
                .setup([New(0), Incref(0), Give(0, 1)])
                .thread([Incref(0), Decref(0), Decref(0)])
                .thread([Incref(0), Decref(0), Decref(0)])
                .loom(Preemptions(2)),
            Scenario::new("forced-switch", "a holder is asked to give way")
                .setup([New(0), Incref(0), Give(0, 1), X(Take)])
                .thread([Poll, Decref(0), X(Release)])
                .thread([X(Take), Decref(0), X(Release)])
                .loom(Preemptions(3)),
            Scenario::new("two-bits", "a request and a call are announced together")
                .setup([New(0), X(Take)])
                .thread([Decref(0), X(Release)])
                .thread([X(Take), X(Release)])
                .thread([X(Post)])
                .finish([X(Pending)])
                .loom(Preemptions(3)),
            Scenario::new("calls", "a call is queued while others are run")
                .setup([New(0), X(Post), X(Take)])
                .thread([Poll, Decref(0)])
                .thread([X(Post)])
                .finish([X(Pending)]),
        ]
    }

    fn random(
        n: usize,
        ops: usize,
        below: &mut dyn FnMut(usize) -> usize,
    ) -> Option<Scenario<Op<Extra>>> {
        let mut scenario = random(n, ops, below);
        for script in &mut scenario.threads {
            // Uses are plain reads under the lock. The main thread waits for the others at
            // the end, and must not hold it then.
            script.insert(0, Op::Extra(Extra::Take));
            script.push(Op::Extra(Extra::Release));
        }
        Some(scenario)
    }
}

const PROPERTIES: &[Property] = &[
    Property {
        id: "L1",
        states: "plain memory is touched by the holder only",
        broken_by: &[Kind::DataRace, Kind::WrongCount, Kind::PrematureFree, Kind::Leak],
    },
    Property {
        id: "L2",
        states: "after a requested drop somebody else has run before the dropper runs again",
        broken_by: &[Kind::Starvation],
    },
    Property { id: "L4", states: "no wake-up is lost", broken_by: &[Kind::Deadlock] },
    Property {
        id: "L7",
        states: "a queued call is announced until it has run",
        broken_by: &[Kind::LostUpdate],
    },
];
