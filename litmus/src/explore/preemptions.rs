//! How many preemptions an execution needs.
//!
//! A graph is not an interleaving, but it has linear orders: those that keep program order,
//! reads-from, spawns and joins, and under SC coherence too. In such an order a thread is
//! *preempted* where it is left although it goes on later and is not waiting: at a join
//! before the other thread ends, at an await or lock before the write that it reads. An
//! execution needs as many preemptions as the order with the fewest. (Musuvathi and Qadeer,
//! PLDI 2007, count so for interleavings; under weaker models a read of an old value costs
//! nothing here, as it costs nothing in loom's bound.)
//!
//! Running a thread for as long as it can go on never makes it worse: whatever else it
//! stood for is only enabled by it, and a thread that is left earlier is preempted there
//! instead. So orders differ only in who comes next when a thread cannot go on.

use super::cache::Cache;
use super::graph::{Event, Graph, Kind, NONE};
use super::program::Op;
use std::collections::HashMap;

/// The part of a graph that consists of the first `limits[t]` events of each thread `t`,
/// and is closed under program order and reads-from.
pub(super) struct Part<'g> {
    pub graph: &'g Graph,
    pub cache: &'g Cache,
    pub limits: &'g [u32],
    /// Whether the order must keep coherence.
    pub interleaves: bool,
}

impl Part<'_> {
    /// The least number of preemptions, if it is not above `most`.
    pub fn preemptions(&self, most: u32) -> Option<u32> {
        let mut done = vec![0; self.limits.len()];
        (0..=most).find(|&budget| self.ends(&mut done, budget, &mut HashMap::new()))
    }

    /// Whether everything gets done from here with at most `left` preemptions. `failed` has
    /// the states from which it does not with so many.
    fn ends(&self, done: &mut Vec<u32>, left: u32, failed: &mut HashMap<Vec<u32>, u32>) -> bool {
        let mut all = true;
        for thread in 0..self.limits.len() {
            let before = done[thread];
            all &= before == self.limits[thread];
            self.advance(thread, done);
            let cost = u32::from(self.is_preempted(thread, done));
            if done[thread] != before && cost <= left {
                let left = left - cost;
                let known = failed.get(done).is_some_and(|&with| with >= left);
                if !known && self.ends(done, left, failed) {
                    return true;
                }
                if !known {
                    failed.insert(done.clone(), left);
                }
            }
            done[thread] = before;
        }
        all
    }

    fn next(&self, thread: usize, done: &[u32]) -> Option<u32> {
        let index = done[thread];
        (index < self.limits[thread]).then(|| self.graph.threads[thread].events[index as usize])
    }

    /// Runs a thread as long as it can go on.
    fn advance(&self, thread: usize, done: &mut [u32]) {
        while let Some(event) = self.next(thread, done) {
            if !self.is_ready(event, done) {
                return;
            }
            let Event {
                kind,
                exclusive,
                index,
                ..
            } = *self.graph.at(event);
            let mut steps = 1;
            if kind == Kind::Read && exclusive && index < self.limits[thread] {
                // An update is one step.
                let write = self.graph.threads[thread].events[index as usize];
                if !self.is_ready(write, done) {
                    return;
                }
                steps = 2;
            }
            done[thread] += steps;
        }
    }

    fn is_done(&self, event: u32, done: &[u32]) -> bool {
        let Event { thread, index, .. } = *self.graph.at(event);
        index <= done[thread as usize]
    }

    fn is_ready(&self, event: u32, done: &[u32]) -> bool {
        let e = self.graph.at(event);
        let base = self.graph.threads[e.thread as usize].base;
        if base != NONE && !self.is_done(base, done) {
            return false;
        }
        match e.kind {
            Kind::Read => e.rf == NONE || self.is_done(e.rf, done),
            Kind::Join => {
                let joined = &self.graph.threads[e.rank as usize].events;
                joined.last().is_none_or(|&last| self.is_done(last, done))
            }
            Kind::Write if self.interleaves => self.is_next_in_coherence(event, done),
            _ => true,
        }
    }

    /// Whether every access that is before the write in coherence order is done.
    fn is_next_in_coherence(&self, write: u32, done: &[u32]) -> bool {
        let Event {
            location,
            rank,
            thread,
            ..
        } = *self.graph.at(write);
        self.graph.place(location).accesses.iter().all(|&access| {
            let other = self.graph.at(access);
            let before = match other.kind {
                Kind::Read => self.graph.rank_of(other.rf) < rank,
                Kind::Free => false,
                _ => other.rank < rank,
            };
            let inside = other.index <= self.limits[other.thread as usize];
            // Its own thread's come before it anyway, the reading half of an update too.
            !before || !inside || other.thread == thread || self.is_done(access, done)
        })
    }

    /// Whether the thread, left here, is left against its will.
    fn is_preempted(&self, thread: usize, done: &[u32]) -> bool {
        self.next(thread, done).is_some_and(|event| {
            let e = self.graph.at(event);
            match self.cache.op(e.node) {
                Op::Join(_) => false,
                Op::Await { .. } | Op::AwaitUpdate { .. } | Op::AwaitExchange { .. } => {
                    e.rf == NONE || self.is_done(e.rf, done)
                }
                _ => true,
            }
        })
    }
}
