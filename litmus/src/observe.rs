//! Judging executions as wholes.
//!
//! A closure must not keep state of its own outside the explored types: its threads are
//! run only as far as they have not been seen yet, so such state would mix executions.
//! What a property needs to know is *noted down* instead, at no cost in executions, and
//! an [`Observer`] judges each execution by its notes and their order.
//!
//! ```
//! use threadbare_litmus::sync::atomic::{AtomicU32, Ordering::Relaxed};
//! use threadbare_litmus::Explorer;
//! use threadbare_litmus::explore::{Execution, FailureKind};
//! use threadbare_litmus::observe::{Observer, note};
//! use threadbare_litmus::{sync::Arc, thread};
//!
//! #[derive(PartialEq)]
//! enum Step { Used, Freed }
//!
//! /// Every use comes before the free.
//! struct NoUseAfterFree;
//!
//! impl Observer for NoUseAfterFree {
//!     fn judge(&self, execution: &Execution<'_>) -> Result<(), String> {
//!         let notes = execution.notes::<Step>();
//!         for free in notes.iter().filter(|n| *n.what == Step::Freed) {
//!             for used in notes.iter().filter(|n| *n.what == Step::Used) {
//!                 if !used.before(free) {
//!                     return Err(format!("thread {} uses what is freed", used.thread));
//!                 }
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//!
//! fn drop_reference(count: &AtomicU32) {
//!     if count.fetch_sub(1, Relaxed) == 1 {
//!         note(Step::Freed);
//!     } else {
//!         note(Step::Used); // too late: the reference is given up
//!     }
//! }
//!
//! let report = Explorer::new().observe(
//!     || {
//!         let count = Arc::new(AtomicU32::new(2));
//!         let other = count.clone();
//!         let t = thread::spawn(move || drop_reference(&other));
//!         drop_reference(&count);
//!         t.join().unwrap();
//!     },
//!     NoUseAfterFree,
//! );
//! assert_eq!(report.failure.unwrap().kind, FailureKind::Property);
//! ```

pub use crate::explore::observer::{Noted, Observer, Past};

use crate::session;
use std::any::Any;
use std::panic::Location as Caller;
use std::sync::Arc;

/// Notes something down at this point of the running thread. What is noted must be a
/// function of what the thread has read so far, like everything that it does.
pub fn note<T: Any + Send + Sync>(what: T) {
    session::note(|| Arc::new(what));
}

/// Asks the observer about what is before this point.
///
/// # Panics
/// If the question is 2⁶³ or more: those numbers are the engine's own.
#[track_caller]
pub fn ask(question: u64) -> u64 {
    assert!(
        question & session::LAST_OF == 0,
        "questions are below 1 << 63, and this one is {question:#x}"
    );
    session::ask(question, Caller::caller())
}

/// A number below `ways`: each is explored.
///
/// # Panics
/// If there is none.
#[track_caller]
pub fn choose(ways: u32) -> u32 {
    assert!(ways > 0, "a choice of nothing");
    session::choose(ways, Caller::caller())
}

/// An execution in which it does not hold is of no interest from here on.
#[track_caller]
pub fn assume(holds: bool) {
    if !holds {
        let wait = crate::explore::program::Wait::Assume;
        session::block(wait, 0, Caller::caller());
    }
}

/// Number of the running thread, the same in every execution: main is 0, its Nth child N, and
/// the Nth child of thread P is `256 * P + N`.
pub fn thread_index() -> usize {
    session::identity() as usize
}
