//! Rust's model: C++20's (ISO/IEC 14882:2020, [atomics.order]), to which the documentation of
//! `std::sync::atomic` refers, without executions in which `sb ∪ rf` has a cycle.
//!
//! There is a total order S of all seq_cst operations such that A is before B in S
//!
//! 1. when A strongly happens before B;
//! 2. when `A' cob B'`, where A' is A, or A is a fence that happens before A', and B' is B, or
//!    happens before B, which is a fence.
//!
//! Coherence-ordered-before, `cob`, is `(rf ∪ co ∪ rb)⁺`, RC11's eco. Both are demands
//! on pairs, so S exists if their union has no cycle. It differs from RC11's psc in that cob leads
//! through reads-from of relaxed accesses (IRIW with relaxed stores and seq_cst loads is
//! forbidden here and allowed there), and in what is asked of happens-before.
//!
//! A strongly happens before B when A is sequenced before B, or A is sequenced before something
//! that happens before something sequenced before B; that A synchronises with B, both seq_cst,
//! is no case of its own: then they are ordered by 2. An update is one evaluation here, not a read
//! sequenced before a write.

use super::super::graph::{Clock, Event, Graph, Kind, NONE};
use super::{MemoryModel, Scratch, acyclic, eco, happens_before, is_last, on_seq_cst_cycle};
use crate::explore::program::MemoryOrder;

#[derive(Clone, Copy)]
pub(crate) struct Rust;

impl MemoryModel for Rust {
    const FLOOR: Clock = Clock::Hb;
    const UPDATES_COMMUTE: bool = true;

    fn admits(graph: &Graph, event: u32, scratch: &mut Scratch) -> bool {
        // From a latest access cob leads nowhere, and nothing happens after it.
        if graph.seq_cst.len() < 2 || is_last(graph, event) {
            return true;
        }
        let fences = || {
            let all = graph.seq_cst.iter();
            all.filter(|&&f| graph.at(f).kind == Kind::Fence)
        };
        if fences().next().is_none() {
            // Without fences S is made of these steps alone.
            let step = |a, b| cob(graph, a, b) || strongly_before(graph, a, b);
            let is_seq_cst = graph.at(event).order.is_seq_cst();
            return !is_seq_cst || !on_seq_cst_cycle(graph, event, scratch, step);
        }
        let relevant = graph.at(event).order.is_seq_cst()
            || fences().any(|&f| graph.precedes(f, event, Clock::Hb));
        !relevant || with_fences(graph, scratch)
    }
}

/// Strongly-happens-before.
fn strongly_before(graph: &Graph, a: u32, b: u32) -> bool {
    let (x, y) = (graph.at(a), graph.at(b));
    // The last event of A and the first of B, if they are updates.
    let end = x.index + u32::from(x.kind == Kind::Read && x.exclusive);
    let start = y.index - u32::from(y.kind == Kind::Write && y.exclusive);
    if x.thread == y.thread {
        return end < start;
    }
    let target = &graph.threads[y.thread as usize];
    let last = match start {
        1 => target.base,
        start => target.events[start as usize - 2],
    };
    // The end of A's thread counts as an event after A, see `Graph::set_join`.
    last != NONE && graph.seen(last, Clock::Hb, x.thread) > end
}

/// Coherence-ordered-before, of atomic accesses.
fn cob(graph: &Graph, a: u32, b: u32) -> bool {
    let atomic = |e: u32| graph.at(e).order != MemoryOrder::Plain;
    eco(graph, a, b) && atomic(a) && atomic(b)
}

/// The definition, on bit rows over all events.
fn with_fences(graph: &Graph, scratch: &mut Scratch) -> bool {
    let nodes = &graph.seq_cst;
    let wide = graph.events.len().div_ceil(64);
    let words = nodes.len().div_ceil(64);
    let Scratch { rows, psc, .. } = scratch;
    psc.clear();
    psc.resize(nodes.len() * words, 0);
    rows.clear();
    rows.resize(wide, 0);
    let is_fence = |e: u32| graph.at(e).kind == Kind::Fence;
    for (i, &a) in nodes.iter().enumerate() {
        // What cob leads to from A, or from what A, a fence, happens before.
        rows.fill(0);
        for x in 0..graph.len() {
            let Event { location, .. } = *graph.at(x);
            if location != NONE && (x == a || is_fence(a) && happens_before(graph, a, x)) {
                for &y in &graph.place(location).accesses {
                    if cob(graph, x, y) {
                        rows[y as usize / 64] |= 1 << (y % 64);
                    }
                }
            }
        }
        let reached = |y: u32| rows[y as usize / 64] >> (y % 64) & 1 == 1;
        for (j, &b) in nodes.iter().enumerate() {
            let through = || (0..graph.len()).any(|y| reached(y) && happens_before(graph, y, b));
            if i != j && (strongly_before(graph, a, b) || reached(b) || is_fence(b) && through()) {
                psc[i * words + j / 64] |= 1 << (j % 64);
            }
        }
    }
    acyclic(psc, nodes.len(), words)
}
