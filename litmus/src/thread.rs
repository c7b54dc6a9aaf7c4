//! Threads, explored.

use crate::explore::program::{MemoryOrder, Op, Wait};
use crate::session;
use std::any::Any;
use std::cell::RefCell;
use std::panic::Location as Caller;
use std::rc::Rc;

/// A started thread.
pub struct JoinHandle<T> {
    thread: Thread,
    result: Rc<RefCell<Option<T>>>,
}

// SAFETY: every explored thread runs on the same OS thread, one at a time; the result is
// reached only by the thread itself and, after its end, by who joins it.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: as above; nothing is reachable through a shared reference.
unsafe impl<T: Send> Sync for JoinHandle<T> {}

/// A handle by which a thread is woken.
#[derive(Clone, Debug)]
pub struct Thread {
    id: u32,
    token: u32,
}

thread_local! {
    static TOKENS: RefCell<std::collections::HashMap<u32, u32>> = RefCell::default();
}

impl Thread {
    /// The number of the thread; the first is 0.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Makes the thread's token available.
    #[track_caller]
    pub fn unpark(&self) {
        let update = crate::explore::program::Update::Swap(1);
        let location = session::at(self.token);
        let op = Op::Update {
            location,
            order: MemoryOrder::Release,
            update,
        };
        session::perform(op, Caller::caller());
    }
}

/// Starts a thread.
#[track_caller]
pub fn spawn<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let result = Rc::new(RefCell::new(None));
    let slot = result.clone();
    let token = session::create(Some("park token"), 0, 8);
    let body = move || {
        TOKENS.with_borrow_mut(|tokens| tokens.insert(session::current(), token));
        let value = body();
        session::returns(key(&value));
        *slot.borrow_mut() = Some(value);
    };
    let id = session::spawn(Box::new(body), Caller::caller());
    JoinHandle {
        thread: Thread { id, token },
        result,
    }
}

/// What a returned value adds to the knowledge of the joining thread: a number itself,
/// nothing for a value without content, else all that the thread knew at its end.
fn key<T: 'static>(value: &T) -> u64 {
    if size_of::<T>() == 0 {
        return 0;
    }
    let any: &dyn Any = value;
    macro_rules! numbers {
        ($($t:ty)*) => { $(if let Some(&number) = any.downcast_ref::<$t>() {
            return number as u64;
        })* };
    }
    numbers!(bool u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
    session::knowledge()
}

impl<T> JoinHandle<T> {
    /// Waits for the thread's end.
    ///
    /// # Errors
    /// Never: a panicking thread ends the exploration.
    ///
    /// # Panics
    /// When the execution is being torn down.
    #[track_caller]
    pub fn join(self) -> std::thread::Result<T> {
        session::perform(Op::Join(self.thread.id), Caller::caller());
        Ok(self
            .result
            .borrow_mut()
            .take()
            .expect("the thread has ended"))
    }

    /// The thread's handle.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }
}

/// What the main thread's park token is known by.
static MAIN: u8 = 0;

/// The running thread.
///
/// # Panics
/// Outside an exploration.
pub fn current() -> Thread {
    let id = session::current();
    let token = match id {
        0 => session::fixed(std::ptr::from_ref(&MAIN).addr(), 0, 8),
        id => TOKENS
            .with_borrow(|tokens| tokens.get(&id).copied())
            .expect("a thread registers its token first"),
    };
    Thread { id, token }
}

/// Waits for the running thread's token and takes it.
#[track_caller]
pub fn park() {
    let location = session::at(current().token);
    let op = Op::AwaitExchange {
        location,
        expected: 1,
        new: 0,
        order: MemoryOrder::Acquire,
    };
    if session::perform(op, Caller::caller()) != 1 {
        session::block(Wait::Park, 1, Caller::caller());
    }
}

/// Nothing: graphs have no schedule to yield to.
pub fn yield_now() {}
