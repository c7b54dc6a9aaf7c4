//! What a graph has of each thread and of each location.

use super::super::program::{MemoryOrder, Value};
use super::{Event, Kind, NONE};

#[derive(Clone, Debug)]
pub(crate) struct Thread {
    pub events: Vec<u32>,
    /// The spawn event; [`NONE`] for a thread that runs from the start.
    pub base: u32,
    /// The node of its first operation; [`NONE`] until asked.
    pub root: u32,
    pub live: bool,
    /// The node of its next operation; [`NONE`] until asked.
    pub next: u32,
    /// The thread that it is interchangeable with and follows; [`NONE`] for none.
    pub elder: u32,
}

#[derive(Clone, Default, Debug)]
pub(crate) struct Place {
    pub co: Vec<u32>,
    /// Reads and writes in order of addition.
    pub accesses: Vec<u32>,
    pub initial: Value,
    pub bits: u8,
    /// How many accesses are plain.
    pub plain: u32,
    /// How many of these are its end.
    pub ends: u32,
    /// How many writes are `applied`.
    pub applied: u32,
    /// Who made it.
    pub creator: u32,
    /// The first event of its creator by which it was there; 0 for a location that is there
    /// from the start, more than any event for one whose making is not in the graph.
    pub born: u32,
}

impl Place {
    /// Counts an access no more.
    #[inline]
    pub(super) fn forget(&mut self, access: &Event) {
        if access.order == MemoryOrder::Plain {
            self.plain -= 1;
            self.ends -= u32::from(access.kind == Kind::Free);
        }
        self.applied -= u32::from(access.applied);
    }

    /// An unused location, with the memory of an old one.
    pub(super) fn again(old: Option<Self>) -> Self {
        let (mut co, mut accesses) = old.map_or_else(Default::default, |p| (p.co, p.accesses));
        co.clear();
        accesses.clear();
        Self {
            co,
            accesses,
            ..Self::default()
        }
    }
}

impl Thread {
    pub(super) fn new() -> Self {
        Self::again(None)
    }

    /// A thread without events, with the memory of an old one.
    pub(super) fn again(old: Option<Self>) -> Self {
        let mut events = old.map_or_else(Vec::new, |thread| thread.events);
        events.clear();
        Self {
            events,
            base: NONE,
            root: NONE,
            live: false,
            next: NONE,
            elder: NONE,
        }
    }
}
