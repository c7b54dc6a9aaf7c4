//! Panics of explored threads, and stacks that are left for good.
//!
//! A thread that panics is unwound like any other, but the first operation that one of its
//! destructors performs ends it: the panic is the fault, and what the destructor would be
//! answered is nobody's business. The stack is then left in the middle of the unwinding. The
//! same holds for runs that are given up: they are unwound, so that they leak nothing, until
//! a destructor wants an answer.
//!
//! The standard library counts the panics of each OS thread, and a stack that is left in the
//! middle of one leaves the count too high: `std::thread::panicking` would be true for
//! everybody else. [`forget`] takes one off.

use super::SHARED;
use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, Yielder};
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, resume_unwind};
use std::sync::{Mutex, Once, PoisonError};

/// The payload with which a run that is given up is unwound.
pub(super) struct Over;

thread_local! {
    /// Whether an explored thread is running.
    static EXPLORED: Cell<bool> = const { Cell::new(false) };
    /// Whether what panics need not be told.
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// An explored thread begins to run; `over` when it is to be unwound.
pub(super) fn begin(over: bool, quiet: bool) {
    EXPLORED.set(true);
    QUIET.set(quiet || over);
    MESSAGE.set(None);
}

/// What runs now is not to be told about, whatever comes of it.
pub(super) fn hush() {
    QUIET.set(true);
}

/// It has come back; `blind` when nothing can be said of its panics because of others.
pub(super) fn end(blind: bool) {
    EXPLORED.set(false);
    while !blind && std::thread::panicking() {
        forget();
    }
}

/// What the running thread panicked with.
pub(super) fn message() -> String {
    let message = MESSAGE.with_borrow(Clone::clone);
    message.unwrap_or_else(|| "panicked, and a destructor performed an operation".into())
}

pub(super) fn words(payload: &dyn std::any::Any) -> String {
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_else(|| "panicked with a value that is no text".into())
}

/// Learns of panics where they begin: later their payloads are out of reach.
pub(super) fn watch() {
    static ONCE: Once = Once::new();
    if std::thread::panicking() {
        return; // the hook cannot be changed now
    }
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if EXPLORED.get() {
                hook(&*previous, info);
            } else {
                previous(info);
            }
        }));
    });
}

fn hook(previous: &dyn Fn(&PanicHookInfo<'_>), info: &PanicHookInfo<'_>) {
    let message = words(info.payload());
    // What the standard library says of itself before it aborts adds nothing.
    let is_last = message.starts_with("panic in a destructor during cleanup");
    MESSAGE.with_borrow_mut(|kept| {
        *kept = Some(match kept.take() {
            Some(first) if is_last => first,
            Some(first) => format!("{first}; then, in a destructor: {message}"),
            None => message,
        });
    });
    if !QUIET.get() && !is_last {
        previous(info);
    }
}

/// Why the running thread aborts.
pub(super) fn abort_message() -> String {
    let message = MESSAGE.with_borrow(Clone::clone);
    message.unwrap_or_else(|| "an explored thread aborts the process".into())
}

/// A coroutine in the middle of an unwinding that ends inside of it.
struct Falling(Coroutine<(), (), ()>);

// SAFETY: its stack holds a payload without content, the state of the unwinder, which is of
// no thread, and nothing else; the panic count, which is of a thread, is looked up where the
// panic is caught.
unsafe impl Send for Falling {}

/// Suspends when dropped.
struct Pause<'y>(&'y Yielder<(), ()>);

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.0.suspend(());
    }
}

/// Panics begun at once: changing OS threads for each would take longer than anything else.
const STOCK: usize = 64;

/// Takes one off this OS thread's count of panics: one that began on another OS thread, and
/// was counted there, is caught on this one.
fn forget() {
    static BEGUN: Mutex<Vec<Falling>> = Mutex::new(Vec::new());
    let mut begun = BEGUN.lock().unwrap_or_else(PoisonError::into_inner);
    if begun.is_empty() {
        // It ends with its count at the size of the stock, and nobody asks for it any more.
        let other = std::thread::Builder::new()
            .name("threadbare-litmus".into())
            .spawn(|| (0..STOCK).map(|_| begin_panic()).collect());
        let fallen = other.expect("the system gives a thread").join();
        *begun = fallen.unwrap_or_else(|panic| resume_unwind(panic));
    }
    let falling = begun.pop();
    drop(begun);
    if let Some(Falling(mut falling)) = falling {
        falling.resume(());
    }
}

fn begin_panic() -> Falling {
    let stack = DefaultStack::new(64 << 10).expect("memory for a stack");
    let mut falling = Coroutine::with_stack(stack, |yielder: &Yielder<(), ()>, ()| {
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let _pause = Pause(yielder);
            resume_unwind(Box::new(()));
        }));
    });
    falling.resume(());
    Falling(falling)
}

/// Whether the running code is an explored thread's unwinding, by a panic of its own.
pub(super) fn is_unwinding() -> bool {
    std::thread::panicking() && !SHARED.with_borrow(|shared| shared.blind)
}
