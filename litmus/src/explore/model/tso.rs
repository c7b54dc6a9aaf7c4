//! x86-TSO, axiomatically (Alglave, Maranget, Tautschnig, TOPLAS 2014): coherence per
//! location and `ppo ∪ rfe ∪ co ∪ rb` acyclic, where ppo is program order without the pairs
//! from a plain store to a later load with nothing that drains the buffer in between.
//! Orders below seq_cst are plain; seq_cst stores are exchanges, as compilers make them. A
//! compare-exchange drains the buffer whether it succeeds or not (Intel 64 and IA-32 SDM, volume
//! 2, CMPXCHG: with the LOCK prefix it always writes).

use super::super::graph::{Clock, Graph, Kind};
use super::super::program::MemoryOrder;
use super::{
    MemoryModel, Scratch, is_last, on_cycle, push_later_writes, push_readers, push_thread_edges,
};

#[derive(Clone, Copy)]
pub(crate) struct Tso;

impl MemoryModel for Tso {
    // What C11 orders by synchronisation, x86 orders as well.
    const FLOOR: Clock = Clock::Hb;

    fn admits(graph: &Graph, event: u32, scratch: &mut Scratch) -> bool {
        is_last(graph, event) || !on_cycle(graph, event, scratch, edges)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Class {
    Load,
    Store,
    /// Ordered with everything: locked instructions, full fences, thread start and end.
    Full,
    Nothing,
}

fn class(graph: &Graph, event: u32) -> Class {
    let e = graph.at(event);
    match e.kind {
        Kind::Read | Kind::Write if e.exclusive || e.locked => Class::Full,
        Kind::Read => Class::Load,
        Kind::Write if e.order == MemoryOrder::SeqCst => Class::Full,
        Kind::Write => Class::Store,
        Kind::Fence if e.order == MemoryOrder::SeqCst => Class::Full,
        Kind::Spawn | Kind::Join => Class::Full,
        Kind::Fence | Kind::Choice | Kind::Observe | Kind::Alloc | Kind::Free => Class::Nothing,
    }
}

fn edges(graph: &Graph, event: u32, into: &mut Vec<u32>) {
    let here = graph.at(event);
    let mine = class(graph, event);
    // The next load, unless a buffered store may be overtaken by it, and the next of the
    // others; what comes after them they reach themselves.
    let (mut load, mut other) = (mine != Class::Store, true);
    for &next in &graph.threads[here.thread as usize].events[here.index as usize..] {
        match class(graph, next) {
            Class::Load if load => {
                into.push(next);
                load = false;
            }
            Class::Store | Class::Full if other => {
                into.push(next);
                other = false;
            }
            _ => {}
        }
        if !load && !other {
            break;
        }
    }
    push_thread_edges(graph, event, into);
    push_readers(graph, event, true, into);
    push_later_writes(graph, event, into);
}
