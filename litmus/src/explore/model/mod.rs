//! Memory models as predicates on execution graphs.
//!
//! Coherence and atomicity are the same for all and hold by construction: the search
//! offers a read only the writes, and a write only the places, that the happens-before
//! (under SC: porf) prefix leaves open. A model adds its own axiom in
//! [`MemoryModel::admits`], asked for each event whose reads-from or coherence place was
//! just chosen. Nothing is after such an event in porf, so a new cycle passes through it.

mod rc11;
mod rust;
mod sc;
mod tso;

pub(crate) use rc11::Rc11;
pub(crate) use rust::Rust;
pub(crate) use sc::Sc;
pub(crate) use tso::Tso;

use super::graph::{Clock, Event, Graph, Kind, NONE};

pub(crate) trait MemoryModel: Copy + Send + Sync {
    /// The order along which coherence must not be seen to go backwards.
    const FLOOR: Clock;

    /// Whether the coherence order of relaxed updates that nobody reads from meanwhile is
    /// of no consequence to anything else, seq_cst fences apart.
    const UPDATES_COMMUTE: bool = false;

    /// Whether executions are interleavings, so that a linear order of the events must
    /// keep coherence too, and not only reads-from.
    const INTERLEAVES: bool = false;

    /// Whether the graph, consistent without `event`, is consistent with it.
    fn admits(graph: &Graph, event: u32, scratch: &mut Scratch) -> bool;
}

/// Buffers that survive from check to check.
#[derive(Default)]
pub(crate) struct Scratch {
    stack: Vec<u32>,
    seen: Vec<bool>,
    rows: Vec<u64>,
    psc: Vec<u64>,
}

/// The least coherence rank that an access of `location` right after the event `before` may
/// see, or stand behind: the greatest rank written or read on the location before it.
pub(crate) fn floor<M: MemoryModel>(graph: &Graph, location: u32, before: u32) -> u32 {
    let place = graph.place(location);
    if before == NONE {
        return 0;
    }
    let (top, known) = (place.co.len() as u32, graph.known_to(before));
    let mut floor = 0;
    for &access in place.accesses.iter().rev() {
        let other = graph.at(access);
        if known.has(M::FLOOR, other) {
            let rank = match other.kind {
                Kind::Write => other.rank,
                _ => graph.rank_of(other.rf),
            };
            floor = floor.max(rank);
            if floor == top {
                break;
            }
        }
    }
    floor
}

/// Whether a path along `edges` leads from `event` back to it.
fn on_cycle(
    graph: &Graph,
    event: u32,
    scratch: &mut Scratch,
    edges: impl Fn(&Graph, u32, &mut Vec<u32>),
) -> bool {
    scratch.seen.clear();
    scratch.seen.resize(graph.events.len(), false);
    scratch.stack.clear();
    edges(graph, event, &mut scratch.stack);
    while let Some(next) = scratch.stack.pop() {
        if next == event {
            return true;
        }
        if !std::mem::replace(&mut scratch.seen[next as usize], true) {
            edges(graph, next, &mut scratch.stack);
        }
    }
    false
}

/// Whether nothing can be after `event` but what reads it: it is, or reads, the last write.
fn is_last(graph: &Graph, event: u32) -> bool {
    let Event {
        kind,
        location,
        rank,
        rf,
        ..
    } = *graph.at(event);
    match kind {
        Kind::Read => graph.rank_of(rf) as usize == graph.place(location).co.len(),
        Kind::Write => rank as usize == graph.place(location).co.len(),
        _ => true,
    }
}

/// Immediate co and rb successors.
fn push_later_writes(graph: &Graph, event: u32, into: &mut Vec<u32>) {
    let Event {
        kind,
        location,
        rank,
        rf,
        ..
    } = *graph.at(event);
    let rank = match kind {
        Kind::Read => graph.rank_of(rf),
        Kind::Write => rank,
        _ => return,
    };
    if let Some(&next) = graph.place(location).co.get(rank as usize) {
        into.push(next);
    }
}

/// The reads that read from a write; only those of other threads if `external`.
fn push_readers(graph: &Graph, event: u32, external: bool, into: &mut Vec<u32>) {
    let Event {
        kind,
        location,
        thread,
        ..
    } = *graph.at(event);
    if kind == Kind::Write {
        for &access in &graph.place(location).accesses {
            let other = graph.at(access);
            if other.kind == Kind::Read
                && other.rf == event
                && !(external && other.thread == thread)
            {
                into.push(access);
            }
        }
    }
}

/// From a spawn to the first event of the thread, from the last event of a thread to its
/// join.
fn push_thread_edges(graph: &Graph, event: u32, into: &mut Vec<u32>) {
    let Event {
        kind,
        thread,
        index,
        value,
        ..
    } = *graph.at(event);
    if kind == Kind::Spawn {
        into.extend(graph.threads[value as usize].events.first());
    }
    // Also of a thread that nobody has spawned: a program may begin with several.
    if index as usize == graph.threads[thread as usize].events.len() {
        let joins = graph.events.iter().enumerate();
        into.extend(
            joins
                .filter(|(_, e)| e.kind == Kind::Join && e.rank == thread)
                .map(|(position, _)| position as u32),
        );
    }
}

/// Births and ends of locations are not among a model's events.
fn is_lifetime(event: &Event) -> bool {
    matches!(event.kind, Kind::Alloc | Kind::Free)
}

/// Happens-before, of different events.
#[inline]
fn happens_before(graph: &Graph, a: u32, b: u32) -> bool {
    a != b && graph.precedes(a, b, Clock::Hb)
}

/// `eco = rf ∪ co;rf? ∪ rb;rf?`, by coherence ranks.
fn eco(graph: &Graph, a: u32, b: u32) -> bool {
    let (x, y) = (graph.at(a), graph.at(b));
    if x.location == NONE || x.location != y.location || a == b || is_lifetime(x) || is_lifetime(y)
    {
        return false;
    }
    match (x.kind, y.kind) {
        (Kind::Write, Kind::Write) => x.rank < y.rank,
        (Kind::Write, _) => x.rank <= graph.rank_of(y.rf),
        (_, Kind::Write) => graph.rank_of(x.rf) < y.rank,
        _ => graph.rank_of(x.rf) < graph.rank_of(y.rf),
    }
}

/// Whether these steps between seq_cst events make a cycle through `event`.
fn on_seq_cst_cycle(
    graph: &Graph,
    event: u32,
    scratch: &mut Scratch,
    step: impl Fn(u32, u32) -> bool,
) -> bool {
    let nodes = &graph.seq_cst;
    scratch.seen.clear();
    scratch.seen.resize(nodes.len(), false);
    scratch.stack.clear();
    scratch.stack.push(event);
    while let Some(a) = scratch.stack.pop() {
        for (i, &b) in nodes.iter().enumerate() {
            if !scratch.seen[i] && step(a, b) {
                if b == event {
                    return true;
                }
                scratch.seen[i] = true;
                scratch.stack.push(b);
            }
        }
    }
    false
}

/// Whether the relation given by bit rows has no cycle; closes it transitively.
fn acyclic(rows: &mut [u64], n: usize, words: usize) -> bool {
    for k in 0..n {
        for i in 0..n {
            if rows[i * words + k / 64] >> (k % 64) & 1 == 1 {
                if i == k {
                    return false;
                }
                for w in 0..words {
                    rows[i * words + w] |= rows[k * words + w];
                }
            }
        }
    }
    (0..n).all(|i| rows[i * words + i / 64] >> (i % 64) & 1 == 0)
}
