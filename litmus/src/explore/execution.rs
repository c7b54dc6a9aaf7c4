//! An execution graph as the visitor sees it.

use super::Model;
use super::cache::{Cache, Note, Source, answer, answers};
use super::graph::{Clock, Event, Graph, Kind, NONE};
use super::preemptions::Part;
use super::program::{Location, Value};
use super::search::{End, first_clash};
use std::cell::OnceCell;

/// Where a note stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub thread: u32,
    /// How many events of the thread are before it.
    pub index: u32,
    /// The event before it: in its thread, or the one that started the thread.
    pub last: u32,
    /// Its order among the notes between two events.
    pub ordinal: u32,
}

impl Moment {
    pub fn precedes(self, other: Moment, graph: &Graph, clock: Clock) -> bool {
        if self.thread == other.thread {
            return (self.index, self.ordinal) < (other.index, other.ordinal);
        }
        self.is_seen_by(other.last, graph, clock)
    }

    /// Whether the event after the note is in the prefix of `event`.
    pub fn is_seen_by(self, event: u32, graph: &Graph, clock: Clock) -> bool {
        event != NONE && graph.seen(event, clock, self.thread) > self.index
    }
}

/// One execution graph, as shown to the visitor of [`Explorer::run`](crate::Explorer::run).
pub struct Execution<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) cache: &'a Cache,
    pub(crate) source: &'a dyn Source,
    /// Collected when first asked for.
    pub(crate) notes: OnceCell<Vec<(Moment, Note)>>,
    /// The model under which it was found.
    pub(crate) model: Model,
    end: End,
}

impl<'a> Execution<'a> {
    pub(crate) fn new(
        graph: &'a Graph,
        cache: &'a Cache,
        source: &'a dyn Source,
        end: End,
    ) -> Self {
        Self {
            graph,
            cache,
            source,
            notes: OnceCell::new(),
            model: Model::default(),
            end,
        }
    }

    pub(crate) fn under(mut self, model: Model) -> Self {
        self.model = model;
        self
    }

    /// Whether every thread has ended; otherwise one is blocked.
    pub fn is_complete(&self) -> bool {
        self.end == End::Complete
    }

    /// The answers that `thread` received, in program order, 0 for operations without:
    /// what [`Program::step`](super::program::Program::step) got for its last operation.
    pub fn answers(&self, thread: usize) -> Vec<Value> {
        let mut into = Vec::new();
        answers(self.graph, thread as u32, &mut into);
        into
    }

    /// The value of the last write in coherence order.
    pub fn final_value(&self, location: Location) -> Value {
        let place = self.graph.place(location.0);
        place
            .co
            .last()
            .map_or(place.initial, |&write| self.graph.at(write).value)
    }

    /// The first data race in it, in words with both accesses; see
    /// [`Explorer::survey`](crate::Explorer::survey).
    pub fn race(&self) -> Option<String> {
        let plain = self.graph.places.iter().any(|place| place.plain > 0);
        let fault = plain.then(|| first_clash(self.graph, |thread| self.source.path(thread)))?;
        (!fault.events.is_empty()).then(|| crate::picture::message(self, &fault))
    }

    /// The least number of preemptions with which it can come about, see
    /// [`Explorer::max_preemptions`](crate::Explorer::max_preemptions).
    pub fn preemptions(&self) -> u32 {
        let threads = self.graph.threads.iter();
        let limits: Vec<u32> = threads.map(|thread| thread.events.len() as u32).collect();
        let whole = Part {
            graph: self.graph,
            cache: self.cache,
            limits: &limits,
            interleaves: self.model == Model::Sc,
        };
        // One at each event is enough.
        whole
            .preemptions(self.graph.len())
            .unwrap_or(self.graph.len())
    }

    /// A text that equals another execution's exactly when the graphs are equal: the
    /// events of each thread, what they read from, and the coherence orders.
    pub fn key(&self) -> String {
        let mut threads: Vec<usize> = (0..self.graph.threads.len()).collect();
        threads.retain(|&t| self.graph.threads[t].live);
        threads.sort_by_key(|&t| self.source.path(t as u32));
        self.key_of(&threads)
    }

    /// The index by which [`Self::key_of`] knows a thread that notes have a number of.
    #[doc(hidden)]
    pub fn index_of(&self, number: usize) -> Option<usize> {
        let mut all = 0..self.graph.threads.len();
        all.find(|&t| self.source.path(t as u32) as usize == number)
    }

    /// The key of the execution in which thread `threads[i]` is number `i`.
    #[doc(hidden)]
    pub fn key_of(&self, threads: &[usize]) -> String {
        use std::fmt::Write as _;
        let name = |t: u32| {
            threads
                .iter()
                .position(|&u| u == t as usize)
                .unwrap_or(t as usize)
        };
        let id = |e: u32| match e {
            NONE => "i".to_string(),
            e => format!(
                "{}.{}",
                name(self.graph.at(e).thread),
                self.graph.at(e).index
            ),
        };
        let mut key = String::new();
        for (t, &thread) in threads.iter().enumerate() {
            let thread = &self.graph.threads[thread];
            let _ = write!(key, "T{t}:");
            for &e in &thread.events {
                let Event {
                    kind,
                    location,
                    value,
                    rf,
                    ..
                } = *self.graph.at(e);
                let _ = match kind {
                    Kind::Read => write!(key, "R{location}={value}<{};", id(rf)),
                    Kind::Write => write!(key, "W{location}={value};"),
                    Kind::Fence => write!(key, "F;"),
                    _ => write!(key, "{kind:?}{value};"),
                };
            }
        }
        for (l, place) in self.graph.places.iter().enumerate() {
            let _ = write!(key, "{l}:");
            for &w in &place.co {
                let _ = write!(key, "{},", id(w));
            }
        }
        key
    }

    /// The operation that a thread would do next, as a node of the cache.
    pub(crate) fn next_of(&self, thread: u32) -> Option<u32> {
        let state = &self.graph.threads[thread as usize];
        match state.events.last() {
            None => (state.root != NONE).then_some(state.root),
            Some(&last) => {
                let event = self.graph.at(last);
                match event.next {
                    NONE => self.cache.after(event.node, answer(self.graph, event)),
                    next => Some(next),
                }
            }
        }
    }
}
