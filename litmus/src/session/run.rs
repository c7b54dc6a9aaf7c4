//! One run of the closure: its threads as coroutines.

#[cfg(feature = "heap")]
use super::heap;
use super::panics::{self, Over, words};
use super::paths::mix;
use super::rescue::{has_stopped, watched};
use super::{Body, Input, Point, Routine, SHARED, before_operation, current, drop_locals, spin};
use crate::explore::program::{Op, Step, Value};
use corosensei::stack::{DefaultStack, Stack};
use corosensei::{Coroutine, CoroutineResult};
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// As large as a thread of the standard library has it; memory is taken as it is touched.
const STACK: usize = 2 << 20;

/// Operations of a thread for which there is room from the start.
const USUAL: usize = 16;

/// How a thread ends.
fn finish(body: Body, key: &Rc<RefCell<Value>>) -> Step {
    let ended = catch_unwind(AssertUnwindSafe(|| {
        body();
        drop_locals();
        before_operation();
        spin::end();
    }));
    match ended {
        Ok(()) => Op::Return(*key.borrow()).into(),
        Err(payload) if payload.is::<Over>() => Op::End.into(),
        Err(payload) => {
            let message = words(&*payload);
            // Its destructor is the program's, and may panic as well.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
            Op::Fail(message.into()).into()
        }
    }
}

thread_local! {
    static RETURNED: RefCell<FxHashMap<u32, Rc<RefCell<Value>>>> = RefCell::default();
    /// Stacks to use again: making one is a call of the system.
    static STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

/// Sets what stands for the running thread's return value.
pub(crate) fn returns(key: Value) {
    RETURNED.with_borrow(|returned| {
        if let Some(cell) = returned.get(&current()) {
            *cell.borrow_mut() = key;
        }
    });
}

/// An operation repeated in a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    pub thread: u32,
    pub node: u32,
    pub answer: Value,
    /// The index of its last event in the thread.
    pub index: u32,
    /// The event of another thread that must come before: thread and index.
    pub after: Option<(u32, u32)>,
}

pub(super) struct Runner {
    /// Always there until the runner is dropped.
    routine: Option<Routine>,
    /// The operation asked for and not yet answered.
    pub asks: Step,
    /// Events of the graph already repeated.
    pub done: Vec<Done>,
    /// How many events of the thread these are, in the graph last followed.
    pub at: usize,
}

/// A run has gone where it must not count: it is to begin again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Again;

/// One run of the closure.
#[derive(Default)]
pub(super) struct Run {
    pub threads: BTreeMap<u32, Runner>,
    /// What it has repeated, in this order.
    pub log: Vec<Done>,
    /// Whether a thread did something that no run before has seen.
    pub is_new: bool,
    /// Threads that are to begin later: see [`Self::begin_one`].
    waiting: Vec<(u32, u64, u32, Body)>,
}

/// Told to a thread's history first: that of its parent does not go on so.
const BORN: u64 = 0xb0_4e00;

impl Run {
    /// Gives up what is still under way: the youngest first, for it may borrow from those
    /// that started it.
    pub fn end(&mut self) {
        let bodies = SHARED.with_borrow_mut(|shared| {
            shared.active = false;
            std::mem::take(&mut shared.bodies)
        });
        let any = !self.threads.is_empty();
        while let Some((thread, runner)) = self.threads.pop_last() {
            give_up(thread, runner);
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.log.clear();
        self.is_new = false;
        let (locals, _) = SHARED.with_borrow_mut(|shared| {
            shared.addresses.clear();
            shared.readers.clear();
            (
                std::mem::take(&mut shared.locals),
                std::mem::take(&mut shared.pointers),
            )
        });
        if any && !(bodies.is_empty() && locals.is_empty() && waiting.is_empty()) {
            // Their destructors are the program's too.
            let waiting = waiting.into_iter().map(|(.., body)| body);
            for body in bodies.into_values().chain(waiting) {
                discard(Box::new(move || drop(body)));
            }
            for local in locals.into_values() {
                discard(Box::new(move || drop(local)));
            }
        }
        let after = SHARED.with_borrow_mut(|shared| std::mem::take(&mut shared.after));
        if !after.is_empty() {
            discard(Box::new(|| after.into_iter().for_each(|action| action())));
        }
        #[cfg(feature = "heap")]
        heap::give_back();
    }

    /// Lets the thread begin that was spawned last of those that have not begun; whether
    /// there was one.
    pub fn begin_one(&mut self) -> Result<bool, Again> {
        match self.waiting.pop() {
            Some((thread, history, node, body)) => {
                self.start(thread, history, node, body)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Starts a thread; `node` is the operation that spawned it, and `history` that of its
    /// parent there.
    pub fn start(&mut self, thread: u32, history: u64, node: u32, body: Body) -> Result<(), Again> {
        let key = Rc::new(RefCell::new(0));
        RETURNED.with_borrow_mut(|returned| returned.insert(thread, key.clone()));
        SHARED.with_borrow_mut(|shared| {
            let number = shared.names.paths.number(thread);
            shared.prepare(thread);
            let at = thread as usize;
            // Not as its parent's goes on, which is answered the same number.
            shared.history[at] = mix(mix(history, number), BORN);
            shared.points[at] = Some(Point {
                thread,
                node,
                answer: 0,
            });
        });
        let mut routine = routine(thread, move || finish(body, &key));
        let asks = resume(thread, &mut routine, 0);
        let runner = Runner {
            routine: Some(routine),
            asks: Op::End.into(),
            done: Vec::with_capacity(USUAL),
            at: 0,
        };
        self.threads.insert(thread, runner);
        self.asks(thread, asks?);
        Ok(())
    }

    fn asks(&mut self, thread: u32, asks: Step) {
        if let Some(runner) = self.threads.get_mut(&thread) {
            runner.asks = asks;
        }
    }

    /// Answers the operation that a thread asks for.
    pub fn answer(&mut self, done: Done) -> Result<(), Again> {
        let Done {
            thread,
            node,
            answer,
            ..
        } = done;
        let Some(runner) = self.threads.get_mut(&thread) else {
            return Ok(());
        };
        self.log.push(done);
        runner.done.push(done);
        let spawned = SHARED.with_borrow_mut(|shared| {
            let at = thread as usize;
            shared.history[at] = mix(shared.history[at], answer);
            shared.points[at] = Some(Point {
                thread,
                node,
                answer,
            });
            (shared.created[at], shared.shown[at]) = (0, 0);
            match runner.asks.op {
                Op::Spawn(child) => shared.bodies.remove(&child).map(|body| (child, body)),
                _ => None,
            }
        });
        if let Some((child, body)) = spawned {
            let (history, later) =
                SHARED.with_borrow(|shared| (shared.history[thread as usize], shared.checks));
            match later {
                true => self.waiting.push((child, history, node, body)),
                false => self.start(child, history, node, body)?,
            }
        }
        if let Some(runner) = self.threads.get_mut(&thread)
            && let Some(routine) = &mut runner.routine
        {
            runner.asks = resume(thread, routine, answer)?;
        }
        Ok(())
    }
}

fn routine(thread: u32, body: impl FnOnce() -> Step + 'static) -> Routine {
    let stack = STACKS
        .with_borrow_mut(Vec::pop)
        .unwrap_or_else(|| DefaultStack::new(STACK).expect("memory for a thread's stack"));
    let limit = stack.limit().get();
    let coroutine = Coroutine::with_stack(stack, move |yielder, _| {
        SHARED.with_borrow_mut(|shared| shared.yielders[thread as usize] = yielder);
        body()
    });
    Routine { coroutine, limit }
}

impl Routine {
    fn resume(&mut self, input: Input) -> CoroutineResult<Step, Step> {
        watched(self.limit, || self.coroutine.resume(input))
    }
}

/// Lets a thread run to its next operation.
fn resume(thread: u32, routine: &mut Routine, answer: Value) -> Result<Step, Again> {
    let (blind, quiet) = SHARED.with_borrow_mut(|shared| {
        (shared.thread, shared.active) = (thread, true);
        let point = shared.points[thread as usize];
        // What is only repeated has been noted.
        shared.fresh =
            !shared.checks && point.is_some_and(|point| !shared.names.notes.contains_key(&point));
        (shared.blind, shared.checks)
    });
    panics::begin(false, quiet);
    let result = routine.resume(Input::Answer(answer));
    panics::end(blind);
    has_stopped();
    let again = SHARED.with_borrow_mut(|shared| {
        shared.active = false;
        if let CoroutineResult::Return(_) = result {
            shared.close_account(thread);
        }
        if shared.fresh
            && let Some(point) = shared.points[thread as usize]
        {
            shared.names.notes.entry(point).or_default();
        }
        shared.has_strayed(thread)
    });
    if again {
        return Err(Again);
    }
    match result {
        CoroutineResult::Yield(step) | CoroutineResult::Return(step) => Ok(step),
    }
}

/// Unwinds a thread, or leaves its stack where a destructor performs an operation.
fn give_up(thread: u32, mut runner: Runner) {
    let Some(mut routine) = runner.routine.take() else {
        return;
    };
    let failed = matches!(runner.asks.op, Op::Fail(_));
    if !routine.coroutine.done() && !failed {
        let blind = SHARED.with_borrow_mut(|shared| {
            (shared.thread, shared.active) = (thread, true);
            shared.over[thread as usize] = true;
            shared.fresh = false;
            shared.blind
        });
        panics::begin(true, true);
        let left = routine.resume(Input::Over);
        panics::end(blind);
        gave_up(left);
    }
    if !routine.coroutine.done() {
        // SAFETY: what is left on the stack is never run again and never dropped, as if it
        // had been forgotten. Nobody else reaches it: threads that borrow from it are
        // younger, and have been given up before.
        unsafe { routine.coroutine.force_reset() };
    }
    STACKS.with_borrow_mut(|stacks| stacks.push(routine.coroutine.into_stack()));
}

/// What is given up has come back.
fn gave_up(left: CoroutineResult<Step, Step>) {
    let stopped = has_stopped();
    SHARED.with_borrow_mut(|shared| {
        shared.active = false;
        if let CoroutineResult::Yield(step) | CoroutineResult::Return(step) = left
            && let Op::Fail(message) = step.op
            && stopped
        {
            let fault = format!("in a destructor, in a run that is given up, {message}");
            shared.names.fault.get_or_insert(fault);
        }
    });
}

/// Drops what a run leaves behind as its threads are dropped: no operation is answered.
fn discard(body: Body) {
    let thread = 0;
    let blind = SHARED.with_borrow_mut(|shared| {
        (shared.thread, shared.active) = (thread, true);
        shared.prepare(thread);
        shared.over[thread as usize] = true;
        shared.blind
    });
    let mut routine = routine(thread, move || {
        let _ = catch_unwind(AssertUnwindSafe(body));
        Op::End.into()
    });
    panics::begin(false, true);
    let left = routine.resume(Input::Answer(0));
    panics::end(blind);
    gave_up(left);
    let runner = Runner {
        routine: Some(routine),
        asks: Op::Fail("given up".into()).into(),
        done: Vec::new(),
        at: 0,
    };
    give_up(thread, runner);
}
