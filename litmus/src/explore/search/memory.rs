//! Memory that one search leaves to the next of its OS thread: most programs are small, and
//! asking the allocator costs as much as exploring them.

use super::super::cache::Cache;
use super::super::graph::Graph;
use super::super::model::Scratch;
use super::Item;
use std::cell::RefCell;

/// What a search that has ended owned.
#[derive(Default)]
pub(super) struct Memory {
    pub graph: Graph,
    /// Graphs to copy into.
    pub spare: Vec<Graph>,
    pub cache: Cache,
    pub items: Vec<(Item, u32)>,
    pub map: Vec<u32>,
    pub scratch: Scratch,
}

thread_local! {
    static KEPT: RefCell<Memory> = RefCell::default();
}

/// Spare graphs kept.
const GRAPHS: usize = 16;
/// Events of a graph, operations of a cache that are kept; more is given back.
const SIZE: usize = 4_096;

impl Memory {
    /// What the latest search left, empty.
    pub fn take() -> Self {
        let mut memory = KEPT.take();
        memory.graph.clear();
        memory
    }

    /// Leaves it to the next search, unless it is large.
    pub fn keep(mut self) {
        if self.cache.len() > SIZE || self.graph.events.capacity() > SIZE {
            return;
        }
        self.cache.clear();
        self.items.clear();
        self.spare.truncate(GRAPHS);
        // A thread that is ending keeps nothing.
        let _ = KEPT.try_with(|kept| kept.replace(self));
    }
}
