//! Observers: who judges executions by what was noted down in them. See [`crate::observe`].

use super::cache::{Note, answer};
use super::execution::Moment;
use super::graph::{Clock, Graph, Kind, NONE};
use super::{Execution, Failure};
use std::any::Any;

/// Judges executions. Must depend on nothing but its arguments.
pub trait Observer: Send + Sync + 'static {
    /// Whether an execution, complete, blocked or failing, is as it should be.
    ///
    /// # Errors
    /// What is wrong with it, which becomes the message of the failure.
    fn judge(&self, _: &Execution<'_>) -> Result<(), String> {
        Ok(())
    }

    /// Told that the search begins again, because it has found out something about the program by which executions are
    /// told apart otherwise (that the count of an `Arc` matters, that two pointers are one): all executions will be
    /// judged once more, and who collects something from them forgets what it has.
    fn begin_again(&self) {}

    /// Told of the execution that is about to be reported as failing, which may break off
    /// anywhere.
    fn failed(&self, _: &Execution<'_>, _: &Failure) {}

    /// The answer to a question that a thread put by [`ask`](crate::observe::ask). `past` has the notes that
    /// are before the question by program order and reads-from.
    fn answer(&self, _past: &Past<'_>, _question: u64) -> u64 {
        0
    }
}

/// Observes nothing.
pub(crate) struct Silent;

impl Observer for Silent {}

/// A note and its place in an execution.
#[derive(Clone, Copy)]
pub struct Noted<'e, T> {
    /// The thread that made it, as [`thread_index`](crate::observe::thread_index) numbers it.
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
