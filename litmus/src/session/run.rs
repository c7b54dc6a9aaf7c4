//! One run of the closure: its threads as coroutines.

use super::{Body, Point, Routine, SHARED, current, drop_locals, words};
use crate::explore::program::{Op, Step, Value};
use corosensei::stack::{DefaultStack, Stack};
use corosensei::{Coroutine, CoroutineResult};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// How a thread ends.
fn finish(body: Body, key: &Rc<RefCell<Value>>) -> Step {
    let ended = catch_unwind(AssertUnwindSafe(|| {
        body();
        drop_locals();
    }));
    match ended {
        Ok(()) => Op::Return(*key.borrow()).into(),
        Err(payload) => Op::Fail(words(&*payload).into()).into(),
    }
}

thread_local! {
    static RETURNED: RefCell<HashMap<u32, Rc<RefCell<Value>>>> = RefCell::default();
}

/// Sets what stands for the running thread's return value.
pub(crate) fn returns(key: Value) {
    RETURNED.with_borrow(|returned| {
        if let Some(cell) = returned.get(&current()) {
            *cell.borrow_mut() = key;
        }
    });
}

thread_local! {
    /// Stacks to use again: making one is a call of the system.
    static STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

impl Drop for Runner {
    fn drop(&mut self) {
        if let Some(mut routine) = self.routine.take() {
            routine.force_unwind();
            STACKS.with_borrow_mut(|stacks| stacks.push(routine.into_stack()));
        }
    }
}

pub(super) struct Runner {
    /// Always there until the runner is dropped.
    pub routine: Option<Routine>,
    /// The operation asked for and not yet answered.
    pub asks: Step,
    /// Events of the graph already repeated, as (node, answer).
    pub done: Vec<(u32, Value)>,
}

/// One run of the closure.
#[derive(Default)]
pub(super) struct Run {
    pub threads: BTreeMap<u32, Runner>,
}

impl Run {
    /// Unwinds what is still under way: the youngest first, for it may borrow from those
    /// that started it.
    pub fn end(&mut self) {
        let bodies = SHARED.with_borrow_mut(|shared| {
            shared.active = false;
            std::mem::take(&mut shared.bodies)
        });
        drop(bodies);
        while let Some((_, runner)) = self.threads.pop_last() {
            drop(runner);
        }
        let (locals, _) = SHARED.with_borrow_mut(|shared| {
            shared.addresses.clear();
            (
                std::mem::take(&mut shared.locals),
                std::mem::take(&mut shared.pointers),
            )
        });
        drop(locals);
    }
}

impl Run {
    /// Starts a thread; `node` is the operation that spawned it.
    pub fn start(&mut self, thread: u32, node: u32, body: Body) {
        let key = Rc::new(RefCell::new(0));
        RETURNED.with_borrow_mut(|returned| returned.insert(thread, key.clone()));
        SHARED.with_borrow_mut(|shared| {
            let count = (thread as usize + 1).max(shared.yielders.len());
            shared.yielders.resize(count, std::ptr::null());
            shared.points.resize(count, None);
            shared.created.resize(count, 0);
            shared.spawned.resize(count, 0);
            shared.turns.resize(count, None);
            shared.turns[thread as usize] = None;
            shared.streaks.resize(count, Vec::new());
            shared.streaks[thread as usize].clear();
            shared.spurious.resize(count, 0);
            shared.spurious[thread as usize] = shared.names.spurious;
            shared.points[thread as usize] = Some(Point {
                thread,
                node,
                answer: 0,
            });
            (
                shared.created[thread as usize],
                shared.spawned[thread as usize],
            ) = (0, 0);
        });
        let stack = STACKS
            .with_borrow_mut(Vec::pop)
            .unwrap_or_else(|| DefaultStack::new(256 * 1024).expect("memory for a thread's stack"));
        SHARED.with_borrow_mut(|shared| {
            let count = (thread as usize + 1).max(shared.bases.len());
            shared.bases.resize(count, 0);
            shared.bases[thread as usize] = stack.base().get();
        });
        let mut routine = Coroutine::with_stack(stack, move |yielder, _| {
            SHARED.with_borrow_mut(|shared| shared.yielders[thread as usize] = yielder);
            finish(body, &key)
        });
        let asks = resume(thread, &mut routine, 0);
        self.threads.insert(
            thread,
            Runner {
                routine: Some(routine),
                asks,
                done: Vec::new(),
            },
        );
    }
}

/// Lets a thread run to its next operation.
pub(super) fn resume(thread: u32, routine: &mut Routine, answer: Value) -> Step {
    SHARED.with_borrow_mut(|shared| {
        (shared.thread, shared.active) = (thread, true);
        let point = shared.points[thread as usize];
        shared.fresh = point.is_some_and(|point| !shared.names.notes.contains_key(&point));
    });
    let result = routine.resume(answer);
    SHARED.with_borrow_mut(|shared| {
        shared.active = false;
        if let Some(point) = shared.points[thread as usize] {
            shared.names.notes.entry(point).or_default();
        }
    });
    match result {
        CoroutineResult::Yield(step) | CoroutineResult::Return(step) => step,
    }
}
