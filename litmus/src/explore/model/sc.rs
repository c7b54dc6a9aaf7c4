//! Sequential consistency: `sb ∪ rf ∪ co ∪ rb` acyclic (Shasha and Snir, 1988).

use super::super::graph::{Clock, Graph};
use super::{
    MemoryModel, Scratch, is_last, on_cycle, push_later_writes, push_readers, push_thread_edges,
};

#[derive(Clone, Copy)]
pub(crate) struct Sc;

impl MemoryModel for Sc {
    const FLOOR: Clock = Clock::Porf;
    const INTERLEAVES: bool = true;

    fn admits(graph: &Graph, event: u32, scratch: &mut Scratch) -> bool {
        is_last(graph, event) || !on_cycle(graph, event, scratch, edges)
    }
}

fn edges(graph: &Graph, event: u32, into: &mut Vec<u32>) {
    let here = graph.at(event);
    into.extend(
        graph.threads[here.thread as usize]
            .events
            .get(here.index as usize),
    );
    push_thread_edges(graph, event, into);
    push_readers(graph, event, false, into);
    push_later_writes(graph, event, into);
}
