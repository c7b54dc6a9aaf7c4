//! Closures as a source of operations.
//!
//! Threads are coroutines on one OS thread. When the cache does not know what a thread
//! does next, the closure is run until every thread has repeated its part of the graph,
//! in an order that respects reads-from, and the thread in question asks for its next
//! operation. A run is kept as long as the graph only grows.

mod closure;
mod handles;
#[cfg(feature = "heap")]
mod heap;
mod learnt;
mod names;
mod panics;
mod paths;
mod pending;
mod readers;
mod rescue;
mod run;
mod spin;
mod watchdog;

pub(crate) use closure::{Closure, Settings};
pub(crate) use handles::{Handled, count, leaves_result, open};
pub(crate) use learnt::{CodePlace, Fact, Learnt, knows, learn, place};
pub(crate) use names::{
    NUMBERED, address, allocate, create, current, fixed, free, identity, intern, is_fixed,
    knowledge, number_of, parent_of, path_of, tell_apart,
};
pub(crate) use pending::{
    Untold, before_operation, is_silent, refuse, silently, stop, tell_before_operations, withdraw,
};
pub(crate) use readers::{reads, reads_no_more, waits_to_read, waits_to_write};
pub(crate) use run::returns;
pub(crate) use spin::{Turn, begin_turn, end_turn, perform};

use crate::explore::cache::Note;
use crate::explore::program::{Location, MemoryOrder, Op, Site, Step, Value, Wait};
use corosensei::{Coroutine, Yielder};
use handles::Account;
use names::Names;
use panics::{Over, is_unwinding, words};
use pending::Pending;
use readers::Readers;
use rustc_hash::FxHashMap;
use spin::Watch;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{Location as Caller, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;

/// What a thread is resumed with.
enum Input {
    Answer(Value),
    /// The run is given up: the thread is to be unwound.
    Over,
}

/// The thread of what belongs to the run as a whole.
const NO_THREAD: u32 = u32::MAX;

/// A coroutine, and the lowest address of its stack.
struct Routine {
    coroutine: Coroutine<Input, Step, Step>,
    limit: usize,
}

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
    yielders: Vec<*const Yielder<Input, Step>>,
    points: Vec<Option<Point>>,
    /// By thread: a hash of its path and of all answers that it has had, which is all that
    /// it can know, and the same in every search.
    history: Vec<u64>,
    created: Vec<u32>,
    /// By thread: pointers shown since its last operation.
    shown: Vec<u32>,
    spawned: Vec<u32>,
    /// By thread: what its present turn of an awaiting loop has done.
    turns: Vec<Option<Turn>>,
    /// By thread: its loops.
    watches: Vec<Watch>,
    /// By thread: whether it is being given up.
    over: Vec<bool>,
    /// By thread: what may still happen without cause.
    allowances: Vec<Allowances>,
    locals: FxHashMap<(u32, usize), Rc<dyn Any>>,
    /// What is to be done when the run is over.
    after: Vec<Box<dyn FnOnce()>>,
    /// By thread: what it has yet to tell.
    pending: Vec<Pending>,
    readers: Readers,
    /// By thread: its handles.
    accounts: Vec<Account>,
    /// Addresses seen in this run, by number, and back.
    pointers: FxHashMap<usize, Value>,
    addresses: FxHashMap<Value, usize>,
    /// Whether the running thread does what it has not done before, so that its notes
    /// are new.
    fresh: bool,
    /// Whether this run only repeats another.
    checks: bool,
    /// Whether waits are to be drawn out, and by which of them it came to nothing.
    pads: bool,
    padded: Vec<CodePlace>,
    /// Whether whoever explores is being unwound itself, so that
    /// [`std::thread::panicking`] says nothing of explored threads.
    blind: bool,
    bodies: FxHashMap<u32, Body>,
    names: Names,
}

thread_local! {
    static SHARED: RefCell<Shared> = RefCell::new(Shared::default());
}

impl Shared {
    /// Makes room for a thread, which begins.
    fn prepare(&mut self, thread: u32) {
        let at = thread as usize;
        let count = (at + 1).max(self.yielders.len());
        self.yielders.resize(count, std::ptr::null());
        self.points.resize(count, None);
        self.history.resize(count, 0);
        self.created.resize(count, 0);
        self.shown.resize(count, 0);
        self.spawned.resize(count, 0);
        self.turns.resize(count, None);
        self.watches.resize_with(count, Watch::default);
        self.over.resize(count, false);
        self.allowances.resize(count, Allowances::default());
        self.pending.resize_with(count, Default::default);
        self.pending[at] = Pending::default();
        self.accounts.resize_with(count, Default::default);
        self.accounts[at] = Account::default();
        (self.created[at], self.shown[at], self.spawned[at]) = (0, 0, 0);
        self.turns[at] = None;
        self.watches[at].clear();
        self.over[at] = false;
        self.allowances[at] = self.names.allowances;
    }

    /// Whether the running thread does what is not to count.
    fn is_astray(&self) -> bool {
        self.watches
            .get(self.thread as usize)
            .is_some_and(Watch::is_astray)
    }
}

thread_local! {
    /// The names of files in which operations stand.
    static FILES: RefCell<Vec<Arc<str>>> = const { RefCell::new(Vec::new()) };
}

fn site(caller: &Caller<'_>) -> Site {
    let file = FILES.with_borrow_mut(|files| {
        let known = files.iter().find(|file| ***file == *caller.file());
        known.cloned().unwrap_or_else(|| {
            files.push(caller.file().into());
            files[files.len() - 1].clone()
        })
    });
    Site {
        file,
        line: caller.line(),
        column: caller.column(),
    }
}

/// Hands a step to whoever runs the thread.
fn suspend(step: Step) -> Input {
    let yielder = SHARED.with_borrow(|shared| shared.yielders[shared.thread as usize]);
    // SAFETY: the yielder lives on the stack of the coroutine that is running now,
    // registered by that coroutine when it began.
    unsafe { &*yielder }.suspend(step)
}

/// Leaves the running thread for good: nothing that it would do counts.
fn leave(op: Op) -> ! {
    // Asked before: what leaves the stack repairs the count.
    let unwinding = std::thread::panicking();
    loop {
        if let Input::Over = suspend(op.clone().into())
            && !unwinding
        {
            resume_unwind(Box::new(Over));
        }
    }
}

fn submit(op: Op, waits: Option<Wait>, caller: &Caller<'_>) -> Value {
    let (active, over) = SHARED.with_borrow(|shared| {
        let over = shared.over.get(shared.thread as usize);
        (shared.active, over.copied().unwrap_or(false))
    });
    assert!(
        active,
        "{caller}: an explored type was used outside an exploration"
    );
    if over {
        leave(Op::End);
    }
    if is_unwinding() {
        leave(Op::Fail(panics::message().into()));
    }
    SHARED.with_borrow_mut(|shared| shared.may_wait(&op));
    let step = Step {
        op,
        site: Some(site(caller)),
        waits,
    };
    match suspend(step) {
        Input::Answer(value) => value,
        Input::Over => resume_unwind(Box::new(Over)),
    }
}

/// Has something done when the run is over.
pub(crate) fn after_run(action: Box<dyn FnOnce()>) {
    SHARED.with_borrow_mut(|shared| shared.after.push(action));
}

thread_local! {
    /// Whether a closure is being explored on this OS thread.
    static EXPLORING: Cell<bool> = const { Cell::new(false) };
}

/// Refuses to explore a closure inside of the exploration of another one: they would share what there is one of by thread.
///
/// # Panics
/// Inside of a callback of an exploration.
#[track_caller]
pub(crate) fn is_outermost() {
    let why = "an exploration inside of another one";
    if is_inside() {
        refuse(why, Caller::caller());
    }
    assert!(!EXPLORING.get(), "{why}");
}

/// Whether the caller is a thread of an exploration.
pub(crate) fn is_inside() -> bool {
    SHARED.with_borrow(|shared| shared.active)
}

/// Whether nothing that the running code does counts any more: its execution is over and it
/// is being unwound.
pub(crate) fn is_over() -> bool {
    SHARED.with_borrow(|shared| {
        let over = shared.over.get(shared.thread as usize);
        !shared.active || over.copied().unwrap_or(false)
    })
}

/// Performs an operation by which the thread waits until `ends` holds of the answer.
pub(crate) fn wait(
    op: Op,
    ends: impl FnOnce(Value) -> bool,
    wait: Wait,
    caller: &'static Caller<'static>,
) -> Value {
    let answer = spin::perform_by(op, Some(wait), caller);
    if !ends(answer) {
        block(wait, 1, caller);
    }
    answer
}

/// Never returns to the thread: the execution ends with it waiting.
pub(crate) fn block(wait: Wait, reads: u32, caller: &'static Caller<'static>) {
    perform(Op::Block { wait, reads }, caller);
}

/// Keeps a note of the running thread unless an earlier run has kept it already.
pub(crate) fn note(make: impl FnOnce() -> Note) {
    before_operation();
    let fresh = SHARED.with_borrow(|s| s.active && s.fresh && !s.is_astray());
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

/// A question, with the number of a thread, that is answered with what stands for the last
/// operation of that thread that comes before.
pub(crate) const LAST_OF: Value = 1 << 63;

/// A free choice among so many.
pub(crate) fn choose(ways: u32, caller: &'static Caller<'static>) -> u32 {
    perform(Op::Choose(ways), caller) as u32
}

/// Puts a question to the observer.
pub(crate) fn ask(question: Value, caller: &'static Caller<'static>) -> Value {
    perform(Op::Observe(question), caller)
}

/// Ends the running thread with a fault that a panic stands for; returns when the thread
/// is being unwound anyway.
pub(crate) fn fail(payload: &(dyn Any + Send), caller: &Caller<'_>) {
    if !is_over() {
        submit(Op::Fail(words(payload).into()), None, caller);
    }
}

/// What a thread may do in an execution without cause, and how often.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Allowances {
    /// Weak exchanges that fail although they find what they expect.
    pub failures: u32,
    /// Waits that end although nobody woke the thread.
    pub wakeups: u32,
    /// Waits that end because the time is up.
    pub time_outs: u32,
}

/// Whether a weak exchange fails without cause: a choice, as often as allowed.
pub(crate) fn fails_spuriously(caller: &'static Caller<'static>) -> bool {
    let fails = without_cause(|allowances| &mut allowances.failures, caller);
    fails
        || leaves_out(
            |left| left.failures,
            [
                "spurious failures of weak exchanges",
                "further spurious failures of weak exchanges",
            ],
        )
}

/// Whether a wait ends without cause: a choice, as often as allowed.
pub(crate) fn wakes_spuriously(caller: &'static Caller<'static>) -> bool {
    let wakes = without_cause(|allowances| &mut allowances.wakeups, caller);
    wakes
        || leaves_out(
            |left| left.wakeups,
            ["spurious wake-ups", "further spurious wake-ups"],
        )
}

/// Whether the time is up: a choice, as often as allowed.
pub(crate) fn times_out(caller: &'static Caller<'static>) -> bool {
    let up = without_cause(|allowances| &mut allowances.time_outs, caller);
    if !up {
        SHARED.with_borrow_mut(|s| {
            let left = s.allowances.get(s.thread as usize);
            s.names.timeless |= s.active && left.is_some_and(|left| left.time_outs == 0);
        });
    }
    up
}

/// What is not allowed any more may still happen in Rust: it is said beside the result, in the first
/// words where it was never allowed. Always false.
fn leaves_out(left: fn(&Allowances) -> u32, [all, more]: [&'static str; 2]) -> bool {
    SHARED.with_borrow_mut(|s| {
        let allowances = s.allowances.get(s.thread as usize);
        if s.active && allowances.is_some_and(|allowances| left(allowances) == 0) {
            let never = left(&s.names.allowances) == 0;
            s.names.left_out.insert(if never { all } else { more });
        }
    });
    false
}

fn without_cause(of: fn(&mut Allowances) -> &mut u32, caller: &'static Caller<'static>) -> bool {
    let allowed = SHARED.with_borrow_mut(|s| {
        s.active && {
            let thread = s.thread as usize;
            *of(&mut s.allowances[thread]) > 0
        }
    });
    let happens = allowed && perform(Op::Choose(2), caller) == 1;
    if happens {
        SHARED.with_borrow_mut(|s| {
            let thread = s.thread as usize;
            *of(&mut s.allowances[thread]) -= 1;
        });
    }
    happens
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

/// What all threads of a run share under a key; it is dropped after the run.
pub(crate) fn of_run(key: usize, make: impl FnOnce() -> Rc<dyn Any>) -> Rc<dyn Any> {
    let key = (NO_THREAD, key);
    let known = SHARED.with_borrow(|shared| shared.locals.get(&key).cloned());
    known.unwrap_or_else(|| {
        let value = make();
        SHARED.with_borrow_mut(|shared| shared.locals.insert(key, value.clone()));
        value
    })
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

/// Starts a thread; its index.
pub(crate) fn spawn(body: Body, elder: Option<u32>, caller: &'static Caller<'static>) -> u32 {
    let child = SHARED.with_borrow_mut(|shared| {
        let parent = shared.thread;
        let ordinal = shared.spawned[parent as usize];
        shared.spawned[parent as usize] += 1;
        let child = shared.names.paths.child(parent, ordinal);
        shared.bodies.insert(child, body);
        if let Some(elder) = elder
            && let Some(point) = shared.points[parent as usize]
        {
            shared.names.elders.insert((point, child), elder);
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
