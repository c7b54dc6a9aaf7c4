//! The life of a thread state: made, found by others, and left.
//!
//! # Question
//! A thread, perhaps one that the interpreter did not start, comes into Python and leaves it. Others go through the list
//! of all states meanwhile, and put into its queue what it has to free. When may they find it, and what is left of it?
//!
//! # Idea
//! Memory first, and filled; then into the list, under the *head* lock. From then on a walker, who has that lock,
//! may find it, and asks whether it is *bound*: whether its heap is there too. Who leaves takes itself out of the table
//! by which others find its queue, and empties the queue in the same section: what comes later finds nobody and is freed
//! by who brings it. Then it takes itself out of the list, and only then the memory goes.
//!
//! # Timeline
//! ```text
//!                                     list   bound   queue
//! T0: memory; filled
//! T0: head { links }                  T0     no
//! T1: head { walks: not bound }       T0     no
//! T0: its heap; bound; its queue      T0     yes     –
//! T1: table { puts an object there }  T0     yes     a
//! T0: table { empties; no queue }     T0     yes
//! T1: table { nobody: frees b }       T0     yes
//! T0: head { unlinks }; freed
//! ```
//!
//! # Obligations
//! * L1: who finds a state finds it filled, and its heap if it is bound. L3: nobody looks at a state that is freed.
//! * L4: nothing that others left for a thread is lost when it leaves, nor its state.
//! * L6: nobody waits for himself.
//!
//! # Limits
//! Objects are left for thread 0. What a stopped world does to those who come and go is in `stop.rs`, slots for QSBR in
//! `reclaim/slots.rs`, counts of those who leave in `refcount/biased/handoff.rs`.
//!
//! # Orders
//! All is under locks but *bound*.
//!
//! # Source
//! CPython 3.13 `Python/pystate.c` (`new_threadstate`, `bind_tstate`, `tstate_delete_common`), `Python/brc.c`;
//! `PyGILState_Ensure` and `PyGILState_Release` of a foreign thread.

use crate::enumerate::{Place, Start};
use crate::ghost::Ghost as _;
use crate::protocol::{Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime};
use crate::{mutants, properties};

/// A thread's state.
struct State<R: Runtime> {
    /// Set before anybody else finds the state.
    filled: R::Cell<u64>,
    bound: R::AtomicU8,
    /// Made when the state is bound.
    heap: R::Cell<u64>,
    ghost: R::Ghost,
}

/// An interpreter's threads.
pub struct States<R: Runtime> {
    /// The states that others may find.
    head: R::Mutex<Vec<usize>>,
    states: Box<[State<R>]>,
    /// The queue of thread 0, while it has one.
    table: R::Mutex<Option<Vec<usize>>>,
    objects: Box<[R::Ghost]>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> States<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// Comes into Python and leaves it.
    fn ensure(&self, n: usize) {
        let state = &self.states[n];
        self.create(n);
        // Bound: its heap first.
        state.heap.write(1);
        // Release: with the heap.
        let order = if self.is(Mutant::BindFlagEarly) { Relaxed } else { Release };
        state.bound.store(1, order);
        if n == 0 {
            *self.table.lock() = Some(Vec::new());
            self.leave_table();
        }
        self.delete(n);
    }

    fn create(&self, n: usize) {
        if self.is(Mutant::AllocUnderHeadLock) {
            let mut head = self.head.lock();
            self.allocate(n);
            self.states[n].filled.write(1);
            return head.push(n);
        }
        self.allocate(n);
        if !self.is(Mutant::LinkBeforeInit) {
            self.states[n].filled.write(1);
        }
        self.head.lock().push(n);
        if self.is(Mutant::LinkBeforeInit) {
            self.states[n].filled.write(1);
        }
    }

    /// Memory; who watches allocations may ask for the list of threads.
    fn allocate(&self, n: usize) {
        drop(self.head.lock());
        self.states[n].ghost.reuse(0);
        // Relaxed: nobody else has the memory yet.
        self.states[n].bound.store(0, Relaxed);
    }

    /// Nobody finds the queue from now on, and what was in it is freed.
    fn leave_table(&self) {
        let mut table = self.table.lock();
        let mut left = std::mem::take(&mut *table);
        if self.is(Mutant::RemoveAfterDrain) {
            *table = Some(Vec::new());
            drop(table);
            *self.table.lock() = None;
        } else if self.is(Mutant::QueueDrop) {
            left = None;
        }
        for object in left.into_iter().flatten() {
            self.objects[object].free();
        }
    }

    fn delete(&self, n: usize) {
        if self.is(Mutant::DeleteNothing) {
            return;
        }
        self.head.lock().retain(|other| *other != n);
        self.states[n].ghost.free();
    }

    /// Goes through all states.
    fn visit(&self) {
        let head = self.head.lock();
        let found = head.clone();
        let head = (!self.is(Mutant::FreeWhileVisited)).then_some(head);
        for n in found {
            let state = &self.states[n];
            state.filled.read();
            // Acquire: pairs with the binding.
            if state.bound.load(Acquire) == 1 {
                state.heap.read();
            }
        }
        drop(head);
    }

    /// Leaves an object for thread 0, which frees it, or frees it where there is nobody.
    fn give(&self, object: usize) {
        self.objects[object].reuse(0);
        match &mut *self.table.lock() {
            Some(queue) => queue.push(object),
            None => self.objects[object].free(),
        }
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Comes into Python and leaves it.
    Ensure,
    /// Goes through all states.
    Visit,
    /// Leaves an object for thread 0.
    Give(usize),
}

impl<R: Runtime> World for States<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = usize;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let state = |n| State {
            filled: R::Cell::new(0, Label::part("state", "filled", n)),
            bound: R::AtomicU8::new(0, Label::part("state", "bound", n)),
            heap: R::Cell::new(0, Label::part("state", "heap", n)),
            ghost: R::Ghost::blank(Label::nth("state", n)),
        };
        let object = |n| R::Ghost::blank(Label::nth("object", n));
        Self {
            head: R::Mutex::new(Vec::new(), "head"),
            states: (0..shape.threads).map(state).collect(),
            table: R::Mutex::new(None, "table"),
            objects: (0..shape.objects).map(object).collect(),
            faults,
        }
    }

    fn enter(&self, n: usize) -> usize {
        n
    }

    fn step(&self, n: &mut usize, op: Op) -> Option<i64> {
        match op {
            Op::Ensure => self.ensure(*n),
            Op::Visit => self.visit(),
            Op::Give(object) => self.give(object),
        }
        None
    }

    fn finish(&self) {
        self.objects.iter().for_each(R::Ghost::settle);
        self.states.iter().for_each(|state| state.ghost.settle());
    }
}

mutants! {
    /// Faults of who comes and goes, and of who walks.
    pub enum Mutant {
        /// A state is in the list before it is filled.
        LinkBeforeInit = "ts-link-before-init" breaks ["L1"] in "walk" by Everywhere;
        /// That it is bound may be seen before its heap.
        BindFlagEarly = "ts-bind-flag-early" breaks ["L1"] in "walk" by WeakMemory;
        /// Who leaves does not empty its queue.
        QueueDrop = "ts-exit-queue-drop" breaks ["L4"] in "left" by Everywhere;
        /// Who leaves empties its queue in one section, and is not found any more in the next.
        RemoveAfterDrain = "ts-exit-remove-after-drain" breaks ["L4"] in "left" by Everywhere;
        /// A walker keeps the list and lets its lock go.
        FreeWhileVisited = "ts-free-while-visited" breaks ["L3"] in "walk" by Everywhere;
        /// Memory is asked for under the lock of the list.
        AllocUnderHeadLock = "ts-alloc-under-head-lock" breaks ["L6"] in "walk" by Everywhere;
        /// Who leaves stays in the list.
        DeleteNothing = "ts-delete-nothing" breaks ["L4"] in "walk" by Everywhere;
    }
}

/// The protocol.
pub struct ThreadStates;

impl Protocol for ThreadStates {
    const NAME: &'static str = "thread-states";
    const TITLE: &'static str = "The life of a thread state";
    const QUESTION: &'static str = "When may others find a thread's state, and what is left of it?";
    const SOURCE: &'static str = "CPython 3.13 pystate.c, brc.c";
    const PROPERTIES: &'static [Property] = properties! {
        "L1" "who finds a state finds it filled, and its heap if it is bound"
            by [DataRace at "filled" "heap"];
        "L3" "nobody looks at a state that is freed"
            by [UseAfterFree at "state" "filled" "bound" "heap"];
        "L4" "nothing that is left for a thread is lost, nor its state"
            by [Leak at "object" "state"];
        "L6" "nobody waits for himself" by [Deadlock];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = States<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("walk", "a walker beside one who comes and goes", [&[Ensure], &[Visit]]),
            Scenario::of("again", "a state's memory is used again", [&[Ensure, Ensure], &[Visit]]),
            Scenario::of("left", "an object is left for one who leaves", [&[Ensure], &[Give(0)]]),
            Scenario::of("two", "two come and go", [&[Ensure], &[Ensure, Visit]]),
            Scenario::of(
                "three",
                "an object, a walker, and one who leaves",
                [&[Ensure], &[Give(0)], &[Visit]],
            ),
        ]
    }

    fn starts(_: usize) -> Vec<Start<Op>> {
        let letters = |place: Place| vec![Op::Ensure, Op::Visit, Op::Give(place.fresh)];
        let start = Start::new("outside", "threads that come and go", letters);
        vec![Start { alike: 1, objects: 0, grows: true, ..start }]
    }
}
