//! RC11's axiom for seq_cst: `psc_base ∪ psc_F` acyclic (Lahav et al., PLDI 2017, section
//! 3.3). The other axioms hold by construction, see the parent module.
//!
//! Unlike GenMC's generated checker this has the paper's `sb|≠loc;hb;sb|≠loc`, which is
//! weaker than `sb;hb;sb` where a read-modify-write ends the path.

use super::super::graph::{Clock, Event, Graph, Kind, NONE};
use super::{
    MemoryModel, Scratch, acyclic, eco, happens_before as before, is_last, is_lifetime,
    on_seq_cst_cycle,
};

#[derive(Clone, Copy)]
pub(crate) struct Rc11;

impl MemoryModel for Rc11 {
    const FLOOR: Clock = Clock::Hb;
    const UPDATES_COMMUTE: bool = true;

    fn admits(graph: &Graph, event: u32, scratch: &mut Scratch) -> bool {
        // Nothing follows a latest access, so no cycle passes through it.
        if graph.seq_cst.len() < 2 || is_last(graph, event) {
            return true;
        }
        let fences = graph
            .seq_cst
            .iter()
            .any(|&f| graph.at(f).kind == Kind::Fence);
        // Another event is on a path of psc only behind a fence: psc's inner steps are
        // hb-after a fence and then co or rb.
        let relevant = graph.at(event).order.is_seq_cst()
            || fences
                && graph.seq_cst.iter().any(|&f| {
                    graph.at(f).kind == Kind::Fence && graph.precedes(f, event, Clock::Hb)
                });
        if !relevant {
            return true;
        }
        if fences {
            with_fences(graph, scratch)
        } else {
            // Without seq_cst fences psc is scb between seq_cst accesses.
            !on_seq_cst_cycle(graph, event, scratch, |a, b| scb(graph, a, b))
        }
    }
}

/// `scb = sb ∪ sb|≠loc;hb;sb|≠loc ∪ hb∩loc ∪ co ∪ rb`, of events that are no birth and no end of a location.
fn scb(graph: &Graph, a: u32, b: u32) -> bool {
    if a == b {
        return false;
    }
    let (x, y) = (graph.at(a), graph.at(b));
    if x.thread == y.thread && x.index < y.index {
        return true;
    }
    if x.location != NONE && x.location == y.location {
        if before(graph, a, b) {
            return true;
        }
        if y.kind == Kind::Write {
            let rank = if x.kind == Kind::Write {
                x.rank
            } else {
                graph.rank_of(x.rf)
            };
            if rank < y.rank {
                return true;
            }
        }
    }
    x.thread != y.thread && around(graph, x, y)
}

/// `sb|≠loc;hb;sb|≠loc` between threads: from the first event after `x` elsewhere to the
/// last before `y` elsewhere. A thread's start and end are such events, though not stored.
fn around(graph: &Graph, x: &Event, y: &Event) -> bool {
    let elsewhere = |e: u32, of: &Event| {
        let e = graph.at(e);
        !is_lifetime(e) && (e.location == NONE || e.location != of.location)
    };
    let source = &graph.threads[x.thread as usize];
    let target = &graph.threads[y.thread as usize];
    let first = source.events[x.index as usize..]
        .iter()
        .find(|&&e| elsewhere(e, x));
    let last = target.events[..y.index as usize - 1]
        .iter()
        .rev()
        .find(|&&e| elsewhere(e, y));
    let last = last.copied().unwrap_or(target.base);
    if last == NONE {
        return false;
    }
    match first {
        Some(&first) => graph.precedes(first, last, Clock::Hb),
        // The end of `x`'s thread, seen by those behind its join.
        None => graph.events.iter().enumerate().any(|(join, e)| {
            e.kind == Kind::Join
                && e.rank == x.thread
                && graph.precedes(join as u32, last, Clock::Hb)
        }),
    }
}

/// The definition, relation by relation, on bit rows over all events.
fn with_fences(graph: &Graph, scratch: &mut Scratch) -> bool {
    let nodes = &graph.seq_cst;
    let n = graph.events.len();
    let wide = n.div_ceil(64);
    let words = nodes.len().div_ceil(64);
    let Scratch { rows, psc, .. } = scratch;
    psc.clear();
    psc.resize(nodes.len() * words, 0);
    // Per node: its events as the source of a step, what one step of scb reaches from
    // them, what one step of eco reaches from the events hb-after a fence.
    rows.clear();
    rows.resize(2 * wide, 0);
    for (i, &a) in nodes.iter().enumerate() {
        rows.fill(0);
        let fence = graph.at(a).kind == Kind::Fence;
        for x in 0..n as u32 {
            let after = fence && before(graph, a, x);
            if is_lifetime(graph.at(x)) {
                continue;
            }
            if x == a || after {
                for y in 0..n as u32 {
                    if !is_lifetime(graph.at(y)) && scb(graph, x, y) {
                        rows[y as usize / 64] |= 1 << (y % 64);
                    }
                }
            }
            if after && graph.at(x).location != NONE {
                for &y in &graph.place(graph.at(x).location).accesses {
                    if eco(graph, x, y) {
                        rows[wide + y as usize / 64] |= 1 << (y % 64);
                    }
                }
            }
        }
        let reached = |set: usize, e: u32| rows[set * wide + e as usize / 64] >> (e % 64) & 1 == 1;
        for (j, &b) in nodes.iter().enumerate() {
            let edge = if graph.at(b).kind == Kind::Fence {
                // psc_F's hb, then psc_base and psc_F through eco, into the fence by hb?.
                fence && before(graph, a, b)
                    || reached(0, b)
                    || (0..n as u32)
                        .any(|y| before(graph, y, b) && (reached(0, y) || fence && reached(1, y)))
            } else {
                reached(0, b)
            };
            if edge {
                psc[i * words + j / 64] |= 1 << (j % 64);
            }
        }
    }
    acyclic(psc, nodes.len(), words)
}
