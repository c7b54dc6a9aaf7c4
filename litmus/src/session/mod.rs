//! Closures as a source of operations.
//!
//! Threads are coroutines on one OS thread. When the cache does not know what a thread
//! does next, the closure is run until every thread has repeated its part of the graph,
//! in an order that respects reads-from, and the thread in question asks for its next
//! operation. A run is kept as long as the graph only grows.

mod closure;
mod names;
mod run;
mod spin;

pub(crate) use closure::Closure;
pub(crate) use names::{address, create, current, fixed, intern, knowledge, tell_apart};
pub(crate) use run::returns;
pub(crate) use spin::{Turn, begin_turn, end_turn, perform};

use crate::explore::cache::Note;
use crate::explore::program::{Location, MemoryOrder, Op, Site, Step, Value, Wait};
use corosensei::{Coroutine, Yielder};
use names::Names;
use spin::Look;
use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::Location as Caller;
use std::rc::Rc;

type Routine = Coroutine<Value, Step, Step>;
type Body = Box<dyn FnOnce()>;

/// A point in a thread's life: the operation last answered, and the answer. With a count
/// it names what the thread creates there, the same in every run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Point {
    thread: u32,
    node: u32,
    answer: Value,
}

/// What a run shares with the operations performed in it.
#[derive(Default)]
struct Shared {
    active: bool,
    thread: u32,
    yielders: Vec<*const Yielder<Value, Step>>,
    points: Vec<Option<Point>>,
    created: Vec<u32>,
    spawned: Vec<u32>,
    /// By thread: what its present turn of an awaiting loop has done.
    turns: Vec<Option<Turn>>,
    /// By thread: its reads since it last did anything else.
    streaks: Vec<Vec<Look>>,
    /// By thread: where its stack begins.
    bases: Vec<usize>,
    /// What stands for the local state of the thread that performs an operation.
    state: u64,
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    states: usize,
    /// By thread: how many weak exchanges may still fail without cause.
    spurious: Vec<u32>,
    locals: HashMap<(u32, usize), Rc<dyn Any>>,
    /// Addresses seen in this run, by number, and back.
    pointers: HashMap<usize, Value>,
    addresses: HashMap<Value, usize>,
    /// Whether the running thread does what it has not done before, so that its notes
    /// are new.
    fresh: bool,
    bodies: HashMap<u32, Body>,
    names: Names,
}

thread_local! {
    static SHARED: RefCell<Shared> = RefCell::new(Shared::default());
}

fn site(caller: &Caller<'_>) -> Site {
    Site {
        file: caller.file().into(),
        line: caller.line(),
        column: caller.column(),
    }
}

fn submit(op: Op, caller: &Caller<'_>) -> Value {
    let yielder = SHARED.with_borrow(|shared| {
        shared
            .active
            .then(|| shared.yielders[shared.thread as usize])
    });
    match yielder {
        // SAFETY: the yielder lives on the stack of the coroutine that is running now,
        // registered by that coroutine when it began.
        Some(yielder) => unsafe { &*yielder }.suspend(Step {
            op,
            site: Some(site(caller)),
        }),
        // The execution is over and the thread is being unwound: destructors do nothing.
        None if std::thread::panicking() || SHARED.with_borrow(|s| !s.yielders.is_empty()) => 0,
        None => panic!("{caller}: an explored type was used outside an exploration"),
    }
}

/// Never returns to the thread: the execution ends with it waiting.
pub(crate) fn block(wait: Wait, reads: u32, caller: &Caller<'_>) {
    perform(Op::Block { wait, reads }, caller);
}

/// Keeps a note of the running thread unless an earlier run has kept it already.
pub(crate) fn note(make: impl FnOnce() -> Note) {
    let fresh = SHARED.with_borrow(|shared| shared.active && shared.fresh);
    if fresh {
        let note = make();
        SHARED.with_borrow_mut(|shared| {
            let point = shared.points[shared.thread as usize];
            if let Some(point) = point {
                shared.names.notes.entry(point).or_default().push(note);
            }
        });
    }
}

/// Puts a question to the observer.
pub(crate) fn ask(question: Value, caller: &Caller<'_>) -> Value {
    perform(Op::Observe(question), caller)
}

/// Ends the running thread with a fault that a panic stands for; returns when the thread
/// is being unwound anyway.
pub(crate) fn fail(payload: &(dyn Any + Send), caller: &Caller<'_>) {
    if SHARED.with_borrow(|shared| shared.active) {
        submit(Op::Fail(words(payload).into()), caller);
    }
}

/// The text of a panic.
fn words(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_else(|| "panicked with a value that is no text".into())
}

/// Whether a weak exchange fails without cause: a choice, as often as allowed.
pub(crate) fn fails_spuriously(caller: &Caller<'_>) -> bool {
    let allowed = SHARED.with_borrow(|s| s.active && s.spurious[s.thread as usize] > 0);
    let fails = allowed && perform(Op::Choose(2), caller) == 1;
    if fails {
        SHARED.with_borrow_mut(|s| s.spurious[s.thread as usize] -= 1);
    }
    fails
}

/// The running thread's value of a key.
pub(crate) fn local(key: usize) -> Option<Rc<dyn Any>> {
    SHARED.with_borrow(|shared| shared.locals.get(&(shared.thread, key)).cloned())
}

/// Sets the running thread's value of a key.
pub(crate) fn set_local(key: usize, value: Rc<dyn Any>) {
    let old = SHARED.with_borrow_mut(|s| s.locals.insert((s.thread, key), value));
    drop(old);
}

/// Drops the running thread's values, which may still perform operations.
fn drop_locals() {
    loop {
        let value = SHARED.with_borrow_mut(|shared| {
            let mine = shared
                .locals
                .keys()
                .filter(|key| key.0 == shared.thread)
                .min()
                .copied();
            mine.and_then(|key| shared.locals.remove(&key))
        });
        if value.is_none() {
            return;
        }
    }
}

/// Starts a thread; its number.
pub(crate) fn spawn(body: Body, elder: Option<u32>, caller: &Caller<'_>) -> u32 {
    let child = SHARED.with_borrow_mut(|shared| {
        let parent = shared.thread;
        let ordinal = shared.spawned[parent as usize];
        shared.spawned[parent as usize] += 1;
        let fresh = shared.names.threads.len() as u32 + 1;
        let child = *shared
            .names
            .threads
            .entry((parent, ordinal))
            .or_insert(fresh);
        shared.bodies.insert(child, body);
        if let Some(elder) = elder {
            shared.names.elders.insert(child, elder);
        }
        child
    });
    perform(Op::Spawn(child), caller);
    child
}

/// The location index as the explorer has it.
pub(crate) fn at(location: u32) -> Location {
    Location(location)
}
