//! An interleaving that explains as much of a graph as one can.

use super::end_of;
use crate::explore::graph::{Graph, Kind, NONE};

/// Operations, as their first and last events, in an order that keeps program order and
/// reads-from, and coherence and from-reads as far as these are acyclic with them. An
/// execution that is sequentially consistent comes out as the interleaving that it is.
pub(super) fn interleaving(graph: &Graph, shown: impl Fn(u32) -> bool) -> Vec<(u32, u32)> {
    let mut threads: Vec<Vec<(u32, u32)>> = Vec::new();
    for thread in &graph.threads {
        let mut own = Vec::new();
        for &e in thread.events.iter().filter(|_| thread.live) {
            let event = graph.at(e);
            if !(event.kind == Kind::Write && event.exclusive) && shown(e) {
                own.push((e, end_of(graph, e)));
            }
        }
        threads.push(own);
    }
    let total: usize = threads.iter().map(Vec::len).sum();
    let mut next = vec![0; threads.len()];
    let mut placed = vec![false; graph.events.len()];
    let mut order = Vec::with_capacity(total);
    let mut last = 0;
    while order.len() < total {
        let mut best: Option<(usize, usize, usize)> = None;
        for t in 0..threads.len() {
            // The thread that ran last goes first, so that its operations stay together.
            let rank = usize::from(t != last) * (t + 1);
            let Some(&(first, end)) = threads[t].get(next[t]) else {
                continue;
            };
            if !ready(graph, &placed, &shown, first, end, &threads, &next) {
                continue;
            }
            let broken = broken(graph, &placed, &shown, first, end);
            if best.is_none_or(|(b, r, _)| (broken, rank) < (b, r)) {
                best = Some((broken, rank, t));
            }
        }
        // Reads-from and program order are acyclic, so some thread is always ready.
        let Some((_, _, t)) = best else { break };
        let (first, end) = threads[t][next[t]];
        next[t] += 1;
        (placed[first as usize], placed[end as usize]) = (true, true);
        order.push((first, end));
        last = t;
    }
    order
}

/// Whether everything that must come before the operation has been placed.
fn ready(
    graph: &Graph,
    placed: &[bool],
    shown: &impl Fn(u32) -> bool,
    first: u32,
    end: u32,
    threads: &[Vec<(u32, u32)>],
    next: &[usize],
) -> bool {
    let there = |e: u32| e == NONE || e == first || e == end || placed[e as usize] || !shown(e);
    let event = graph.at(first);
    let thread = &graph.threads[event.thread as usize];
    let joined = event.kind != Kind::Join
        || threads
            .get(event.rank as usize)
            .is_none_or(|own| next[event.rank as usize] == own.len());
    there(event.rf) && joined && (event.index > 1 || there(thread.base))
}

/// How many coherence and from-reads edges would point backwards.
fn broken(
    graph: &Graph,
    placed: &[bool],
    shown: &impl Fn(u32) -> bool,
    first: u32,
    end: u32,
) -> usize {
    let write = graph.at(end);
    let missing = |e: u32| e != first && e != end && !placed[e as usize] && shown(e);
    let place = match write.location {
        NONE => return 0,
        location => graph.place(location),
    };
    if write.kind != Kind::Write {
        return 0;
    }
    // Earlier writes, and reads that must not see this one.
    let earlier = place.co.iter().take(write.rank.saturating_sub(1) as usize);
    let readers = place.accesses.iter().filter(|&&e| {
        let read = graph.at(e);
        read.kind == Kind::Read && graph.rank_of(read.rf) < write.rank
    });
    earlier.chain(readers).filter(|&&e| missing(e)).count()
}
