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

use crate::explore::cache::{Note, answer};
use crate::explore::execution::Moment;
use crate::explore::graph::{Clock, Graph, Kind, NONE};
use crate::explore::{Execution, Failure};
use crate::session;
use std::any::Any;
use std::panic::Location as Caller;
use std::sync::Arc;

/// Judges executions. Must depend on nothing but its arguments.
pub trait Observer: Send + Sync + 'static {
    /// Whether an execution, complete, blocked or failing, is as it should be.
    ///
    /// # Errors
    /// What is wrong with it, which becomes the message of the failure.
    fn judge(&self, _: &Execution<'_>) -> Result<(), String> {
        Ok(())
    }

    /// Told of the execution that is about to be reported as failing, which may break off
    /// anywhere.
    fn failed(&self, _: &Execution<'_>, _: &Failure) {}

    /// The answer to a question that a thread put by [`ask`]. `past` has the notes that
    /// are before the question by program order and reads-from.
    fn answer(&self, _past: &Past<'_>, _question: u64) -> u64 {
        0
    }
}

/// Observes nothing.
pub(crate) struct Silent;

impl Observer for Silent {}

/// Notes something down at this point of the running thread. What is noted must be a
/// function of what the thread has read so far, like everything that it does.
pub fn note<T: Any + Send + Sync>(what: T) {
    session::note(|| Arc::new(what));
}

/// Asks the observer about what is before this point.
#[track_caller]
pub fn ask(question: u64) -> u64 {
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

/// A note and its place in an execution.
#[derive(Clone, Copy)]
pub struct Noted<'e, T> {
    /// The thread that made it, as [`thread_index`] numbers it.
    pub thread: usize,
    /// What was noted.
    pub what: &'e T,
    moment: Moment,
    graph: &'e Graph,
}

impl<'e, T> Noted<'e, T> {
    /// Whether this note is before `other` by program order and reads-from. Two notes of
    /// which neither is before the other can come in either order.
    pub fn before<U>(&self, other: &Noted<'e, U>) -> bool {
        self.moment.precedes(other.moment, self.graph, Clock::Porf)
    }

    /// Whether this note happens before `other`, as the memory model has it.
    pub fn happens_before<U>(&self, other: &Noted<'e, U>) -> bool {
        self.moment.precedes(other.moment, self.graph, Clock::Hb)
    }
}

/// What is before a question.
pub struct Past<'e> {
    graph: &'e Graph,
    event: u32,
    notes: &'e [(Moment, Note)],
}

impl Past<'_> {
    /// Calls `f` with each note of type `T`, in an order that keeps program order and
    /// reads-from.
    pub fn each<T: Any>(&self, mut f: impl FnMut(&T)) {
        let asking = self.graph.at(self.event);
        for (moment, note) in self.notes {
            let seen = if moment.thread == asking.thread {
                moment.index < asking.index
            } else {
                moment.is_seen_by(self.event, self.graph, Clock::Porf)
            };
            if seen && let Some(what) = note.downcast_ref::<T>() {
                f(what);
            }
        }
    }
}

/// The observer's answer to the question that `event` puts.
pub(crate) fn answered(
    observer: &dyn Observer,
    execution: &Execution<'_>,
    event: u32,
    question: u64,
) -> u64 {
    let past = Past {
        graph: execution.graph,
        event,
        notes: execution.noted(),
    };
    observer.answer(&past, question)
}

impl Execution<'_> {
    /// The notes of type `T`, in an order that keeps program order and reads-from.
    pub fn notes<T: Any>(&self) -> Vec<Noted<'_, T>> {
        self.noted()
            .iter()
            .filter_map(|(moment, note)| {
                note.downcast_ref().map(|what| Noted {
                    thread: self.source.path(moment.thread) as usize,
                    what,
                    moment: *moment,
                    graph: self.graph,
                })
            })
            .collect()
    }

    pub(crate) fn noted(&self) -> &[(Moment, Note)] {
        self.notes.get_or_init(|| collect(self))
    }
}

/// All notes, sorted by the size of the prefix, which grows along program order and
/// reads-from.
fn collect(execution: &Execution<'_>) -> Vec<(Moment, Note)> {
    let Execution { graph, source, .. } = *execution;
    let mut all: Vec<(usize, Moment, Note)> = Vec::new();
    let mut found = Vec::new();
    for (t, thread) in graph.threads.iter().enumerate().filter(|(_, t)| t.live) {
        let mut take = |index: u32, last: u32, node: u32, answer: u64| {
            source.notes(t as u32, node, answer, &mut found);
            if found.is_empty() {
                return;
            }
            let size = match last {
                NONE => 0,
                last => (0..graph.threads.len() as u32)
                    .map(|thread| graph.seen(last, Clock::Porf, thread) as usize)
                    .sum(),
            };
            for (ordinal, note) in found.drain(..).enumerate() {
                let moment = Moment {
                    thread: t as u32,
                    index,
                    last,
                    ordinal: ordinal as u32,
                };
                all.push((size, moment, note));
            }
        };
        match thread.base {
            NONE => take(0, NONE, NONE, 0),
            base => take(0, base, graph.at(base).node, 0),
        }
        for &e in &thread.events {
            let event = graph.at(e);
            // The reading half of an update is not the whole operation.
            if !(event.kind == Kind::Read && event.exclusive) {
                take(event.index, e, event.node, answer(graph, event));
            }
        }
    }
    all.sort_by_key(|(size, moment, _)| (*size, moment.thread, moment.index, moment.ordinal));
    all.into_iter()
        .map(|(_, moment, note)| (moment, note))
        .collect()
}
