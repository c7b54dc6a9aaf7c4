//! The current thread state: through which one a thread works, and when it must not.
//!
//! # Question
//! Looking its state up at every step costs a thread too much, so it passes the address on, and keeps it. For how long
//! is what it keeps right?
//!
//! # Idea
//! A thread has one *current* state, and works through it while it is *attached* to it: free lists and heaps are a state's
//! own, without a lock. Whoever stops the world does so by keeping threads from attaching, and may then look at
//! everything. So an address is good for as long as the thread stays attached to that state: not after it has let go, not after it went
//! over to another interpreter's, not in a generator that another thread goes on with.
//!
//! # Timeline
//! ```text
//!                                            current       state A     state B
//! T0: attaches A; works through A            T0: A         attached    detached
//! T1: attaches C; waits for the generator    T0: A, T1: C  attached    detached
//! T0: swaps: lets A go                       T1: C         detached    detached
//! T2: stops: keeps A and B                   T1: C         suspended   suspended
//! T2: looks at A's free list                 T1: C         suspended   suspended
//! T2: starts                                 T1: C         detached    detached
//! T0: attaches B; works through B, not A     T0: B, T1: C  detached    attached
//! ```
//!
//! # Obligations
//! * P1: what is done through a state is done by its thread. P2: and only while that is attached to it.
//! * P3: a thread has one current state. P4: an object is in the heap of the interpreter that made it.
//! * P5: nobody waits for ever.
//!
//! # Limits
//! Two interpreters, one state of each for each thread. The requester waits until threads let go by themselves;
//! `stop.rs` has how they are asked.
//!
//! # Orders
//! CPython's steps on the words are sequentially consistent; here each has the weakest order that the checks accept.
//!
//! # Source
//! CPython 3.13 `Python/pystate.c` (`_PyThreadState_Attach`, `PyThreadState_Swap`); the Gilectomy's state as an argument.

use crate::enumerate::{Place, Start};
use crate::ghost::require;
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, Label, Lock as _, Native, Ordering::*, Runtime};
use crate::sync::Counter;
use crate::verdict::Kind;
use crate::{mutants, properties};

/// Why loom kills no fault whose thread waits for ever.
const SPINS: &str = "loom waits by looking again, up to its step budget, which is no verdict";
const DETACHED: u8 = 0;
const ATTACHED: u8 = 1;
const SUSPENDED: u8 = 2;
const INTERPRETERS: usize = 2;

/// A thread's state in one interpreter.
struct State<R: Runtime> {
    word: R::AtomicU8,
    /// Counts what was taken from it: the state's own.
    free_list: Counter<R>,
}

/// All states, and a generator.
pub struct Current<R: Runtime> {
    states: Box<[State<R>]>,
    /// Which state went on with it first.
    generator: R::Mutex<Option<usize>>,
    requesters: R::Mutex<()>,
    faults: Switch<Mutant>,
}

/// A thread, with what is in its thread-local storage.
pub struct Local {
    n: usize,
    current: Option<usize>,
}

impl Local {
    /// Its state in an interpreter.
    fn state(&self, interpreter: usize) -> usize {
        self.n * INTERPRETERS + interpreter
    }
}

impl<R: Runtime> Current<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn attach(&self, local: &mut Local, state: usize) {
        require(local.current.is_none(), Kind::Invariant, || {
            format!("current: T{} attaches a second state", local.n)
        });
        let word = &self.states[state].word;
        // Acquire: what was done while it was suspended.
        while word.compare_exchange(DETACHED, ATTACHED, Acquire, Relaxed).is_err() {
            // Relaxed: the exchange decides.
            R::await_until(|| word.load(Relaxed) == DETACHED);
        }
        local.current = Some(state);
    }

    fn detach(&self, local: &mut Local) {
        let current = local.current.expect("attached");
        if !self.is(Mutant::NotCleared) {
            local.current = None;
        }
        if !self.is(Mutant::DetachNothing) {
            // Release: for who suspends it.
            let order = if self.is(Mutant::DetachRelaxed) { Relaxed } else { Release };
            self.states[current].word.store(DETACHED, order);
        }
    }

    /// Makes an object through a state, for an interpreter.
    fn allocate(&self, state: usize, interpreter: usize) {
        let heap = state % INTERPRETERS;
        require(heap == interpreter, Kind::Invariant, || {
            format!("object: of interpreter {interpreter}, in the heap of {heap}")
        });
        self.states[state].free_list.count();
    }

    /// Stops the world, and looks at everything.
    fn collect(&self) {
        let requester = self.requesters.lock();
        for State { word, .. } in &self.states {
            // Acquire: what was done before it was detached.
            while word.compare_exchange(DETACHED, SUSPENDED, Acquire, Relaxed).is_err() {
                R::await_until(|| word.load(Relaxed) == DETACHED);
            }
        }
        self.states.iter().for_each(|state| state.free_list.count());
        for State { word, .. } in &self.states {
            // Release: what was done while it was suspended.
            word.store(DETACHED, Release);
        }
        drop(requester);
    }

    /// Goes on with the generator, which makes an object.
    fn send(&self, state: usize) {
        let mut generator = self.generator.lock();
        let first = *generator.get_or_insert(state);
        let state = if self.is(Mutant::CacheInGenerator) { first } else { state };
        self.allocate(state, 0);
    }
}

/// What a thread does, beginning and ending without a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Attaches, and makes an object.
    Allocate,
    /// Goes on with the generator.
    Send,
    /// Makes an object, is in a system call, and makes another.
    Block,
    /// Makes an object in one interpreter and then one in the other.
    Swap,
    /// Stops the world, and looks at everything.
    Collect,
}

impl<R: Runtime> World for Current<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let state = |n| State {
            word: R::AtomicU8::new(DETACHED, Label::nth("word", n)),
            free_list: Counter::new(n),
        };
        Self {
            states: (0..shape.threads * INTERPRETERS).map(state).collect(),
            generator: R::Mutex::new(None, "generator"),
            requesters: R::Mutex::new((), "requesters"),
            faults,
        }
    }

    fn enter(&self, n: usize) -> Local {
        Local { n, current: None }
    }

    fn step(&self, local: &mut Local, op: Op) -> Option<i64> {
        if op == Op::Collect {
            self.collect();
            return None;
        }
        let (first, second) = (local.state(0), local.state(1));
        self.attach(local, first);
        match op {
            Op::Send => self.send(first),
            _ => self.allocate(first, 0),
        }
        if op == Op::Block {
            self.detach(local);
            if self.is(Mutant::UseDetached) {
                self.allocate(first, 0);
            }
            self.attach(local, first);
            self.allocate(first, 0);
        }
        if op == Op::Swap {
            self.detach(local);
            self.attach(local, second);
            let kept = if self.is(Mutant::CacheAcrossSwap) { first } else { second };
            self.allocate(kept, 1);
        }
        self.detach(local);
        None
    }

    fn finish(&self) {
        self.states.iter().for_each(|state| state.free_list.check());
    }
}

mutants! {
    /// Faults of who keeps a state's address.
    pub enum Mutant {
        /// A generator keeps the state of who went on with it first.
        CacheInGenerator = "tls-cache-in-generator" breaks ["P1"] in "generator" by Everywhere;
        /// A thread works through the state that it had before it went over to another interpreter.
        CacheAcrossSwap = "tls-cache-across-swap" breaks ["P4"] in "swap" by Everywhere;
        /// A thread works through a state that it has let go.
        UseDetached = "tls-use-detached" breaks ["P2"] in "blocking" by Everywhere;
        /// A state that is let go stays the current one.
        NotCleared = "tls-thread-local-not-cleared" breaks ["P3"] in "swap" by Everywhere;
        /// Letting go orders nothing.
        DetachRelaxed = "tls-detach-relaxed" breaks ["P2"] in "blocking" by WeakMemory;
        /// Letting go does nothing.
        DetachNothing = "tls-detach-nothing" breaks ["P5"] in "blocking" by ShuttleOnly(SPINS);
    }
}

/// The protocol.
pub struct CurrentState;

impl Protocol for CurrentState {
    const NAME: &'static str = "current-state";
    const TITLE: &'static str = "The current thread state";
    const QUESTION: &'static str = "For how long is a kept address of a thread's state right?";
    const SOURCE: &'static str = "CPython 3.13 pystate.c; Gilectomy";
    const PROPERTIES: &'static [Property] = properties! {
        "P1" "what is done through a state is done by its thread"
            by [..Counter::<Native>::BREACHES];
        "P2" "and only while the thread is attached to it" by [..Counter::<Native>::BREACHES];
        "P3" "a thread has one current state" by [Invariant at "current"];
        "P4" "an object is in the heap of the interpreter that made it" by [Invariant at "object"];
        "P5" "nobody waits for ever" by [Deadlock];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Current<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("generator", "one generator, two threads", [&[Send], &[Send, Allocate]]),
            Scenario::of("blocking", "a system call beside a stop", [&[Collect], &[Block]]),
            Scenario::of("swap", "another interpreter", [&[Collect], &[Swap]]),
            Scenario::of("two", "two who stop the world", [&[Collect, Allocate], &[Collect]]),
            Scenario::of("three", "a stop beside two", [&[Collect], &[Send], &[Send]]),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        let letters = |_: Place| vec![Allocate, Send, Block, Swap, Collect];
        vec![Start::new("outside", "threads without a state", letters)]
    }
}
