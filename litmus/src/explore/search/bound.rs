//! The bound on preemptions.
//!
//! An execution within the bound may be reached only by way of graphs beyond it: what a
//! revisit deletes was added in an order that the final execution does not have. So a
//! graph is given up only for what is *settled* in it, present in everything that can still
//! come of it; a part of a graph never needs more preemptions than the whole. Settled is
//!
//! * a read or write that is not maximal (`is_maximal`) in respect of older events: no
//!   revisit deletes or changes it, nor, hence, anything before it; if one deletes the write
//!   that makes it so, it is itself in the prefix of the revisiting write;
//! * that write, which an older read now reads: it stays while the read does, and what
//!   deletes or changes the read must come after the write;
//! * a choice other than the usual;
//! * what is older than every read that is not settled: revisits delete only what is
//!   younger than the read.
//!
//! (Marmanis, Kokologiannakis and Vafeiadis, TACAS 2023, allow partial graphs a fixed number
//! of preemptions more than the bound instead, for SC.)
//!
//! An execution runs until no thread can go on; one that failed cannot. Faults are
//! therefore judged at the end, and only of executions within the bound: whether one is
//! found depends on the bound alone and not on what the search came by.

use super::super::cache::Source;
use super::super::model::MemoryModel;
use super::super::preemptions::Part;
use super::super::program::Op;
use super::layer::Layer;
use super::{Clock, Kind, NONE, Search, Stop};

/// Executions within a bound on preemptions.
pub(super) struct Preemptions;

impl<M: MemoryModel, S: Source> Layer<M, S> for Preemptions {
    fn goes_on(search: &mut Search<M, S>) -> Result<bool, Stop> {
        Ok(search.may_stay_within_bound())
    }

    fn at_end(search: &mut Search<M, S>) -> Result<bool, Stop> {
        if search.settings.preemptions.is_none() {
            return Ok(true);
        }
        if !search.is_within_bound() {
            return Ok(false);
        }
        search.find_faults()?;
        Ok(true)
    }
}

impl<M: MemoryModel, S: Source> Search<M, S> {
    /// Whether the execution is within the bound.
    fn is_within_bound(&mut self) -> bool {
        let Some(most) = self.settings.preemptions else {
            return true;
        };
        let threads = self.graph.threads.iter();
        let limits: Vec<u32> = threads.map(|thread| thread.events.len() as u32).collect();
        self.is_within(&limits, most)
    }

    /// Whether something that is within the bound may come of the graph.
    fn may_stay_within_bound(&mut self) -> bool {
        let Some(most) = self.settings.preemptions else {
            return true;
        };
        let limits = self.settled();
        self.is_within(&limits, most)
    }

    fn is_within(&mut self, limits: &[u32], most: u32) -> bool {
        let part = Part {
            graph: &self.graph,
            cache: &self.cache,
            limits,
            interleaves: M::INTERLEAVES,
        };
        let within = part.preemptions(most).is_some();
        self.bounded |= !within;
        within
    }

    /// How many events of each thread are settled.
    fn settled(&self) -> Vec<u32> {
        let graph = &self.graph;
        let mut limits = vec![0; graph.threads.len()];
        for event in 0..graph.len() {
            if let Some(stays) = self.settles(event) {
                for (limit, thread) in limits.iter_mut().zip(0..) {
                    let events = graph.threads[thread as usize].events.len() as u32;
                    let seen = graph.seen(stays, Clock::Porf, thread).min(events);
                    *limit = seen.max(*limit);
                }
            }
        }
        for event in &graph.events {
            let limit = &mut limits[event.thread as usize];
            if event.kind == Kind::Read && event.index > *limit {
                break;
            }
            *limit = event.index.max(*limit);
        }
        limits
    }

    /// The event that stays for good because of what `event` is, see above.
    fn settles(&self, event: u32) -> Option<u32> {
        let graph = &self.graph;
        let e = graph.at(event);
        let rank = match e.kind {
            Kind::Read if e.rf != NONE && e.rf > event => return Some(e.rf),
            Kind::Read => graph.rank_of(e.rf),
            Kind::Write => e.rank,
            Kind::Choice => return (e.value != 0).then_some(event),
            _ => return None,
        };
        let later = &graph.place(e.location).co[rank as usize..];
        later.iter().any(|&write| write < event).then_some(event)
    }

    /// Faults that are reported at once where there is no bound.
    fn find_faults(&mut self) -> Result<(), Stop> {
        for thread in 0..self.graph.threads.len() as u32 {
            if self.graph.threads[thread as usize].live {
                let node = self.next_node(thread)?;
                if let Op::Fail(message) = self.cache.op(node) {
                    let message = message.to_string();
                    return Err(self.assertion(thread, message));
                }
            }
        }
        (0..self.graph.len()).try_for_each(|event| self.find_race(event))
    }
}
