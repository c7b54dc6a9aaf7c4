//! How executions end.

use super::super::FailureKind;
use super::super::cache::{Fault, Source};
use super::super::model::MemoryModel;
use super::super::program::{Op, Wait};
use super::{End, Event, Kind, NONE, Search, Stop};

impl<M: MemoryModel, S: Source> Search<M, S> {
    /// No thread can go on: is the execution complete, or do threads wait for ever? `None`
    /// for one that need not be looked at: a thread stopped at an old value of what it waits
    /// for, and the execution that differs from this one in nothing but that it has read the
    /// latest is visited as well. (GenMC has no event for a read that leaves its thread
    /// waiting; so do its counts of blocked executions.) The graph cannot be given up any
    /// earlier than here, as those that are in vain can: the value was the latest when
    /// it was read, and a revisit may take away the writes that came since.
    pub(super) fn end(&mut self) -> Result<Option<End>, Stop> {
        if !self.at_end()? {
            return Ok(None);
        }
        let (mut stuck, mut pruned, mut vain) = (Vec::new(), false, false);
        for thread in 0..self.graph.threads.len() as u32 {
            if !self.graph.threads[thread as usize].live {
                continue;
            }
            let node = self.next_node(thread)?;
            match *self.cache.op(node) {
                Op::Block { wait, reads } => {
                    // Only a read that nothing follows is nobody else's business.
                    let last = self.graph.last(thread);
                    vain |= last != NONE
                        && self.graph.at(last).kind == Kind::Read
                        && !self.reads_latest(thread, reads);
                    match wait {
                        Wait::Assume => pruned = true,
                        _ => {
                            pruned |= !self.reads_latest(thread, reads);
                            stuck.push(last);
                        }
                    }
                }
                Op::Join(_) => stuck.push(self.graph.last(thread)),
                _ => {}
            }
        }
        if vain {
            // Under a bound the other execution may be beyond it.
            let bounded = self.settings.preemptions.is_some();
            return Ok(bounded.then_some(End::Blocked));
        }
        if stuck.is_empty() && !pruned {
            self.find_leak()?;
            return Ok(Some(End::Complete));
        }
        if !pruned && !self.settings.survey {
            stuck.retain(|&e| e != NONE);
            return Err(Fault {
                kind: FailureKind::Deadlock,
                message: String::new(),
                events: stuck,
            }
            .into());
        }
        Ok(Some(End::Blocked))
    }

    /// Whether something allocated has not been freed.
    fn find_leak(&self) -> Result<(), Stop> {
        let graph = &self.graph;
        let freed = |location: u32| {
            let accesses = &graph.place(location).accesses;
            accesses.iter().any(|&e| graph.at(e).kind == Kind::Free)
        };
        let allocated = graph.allocations.iter().copied();
        let leaked = allocated.filter(|&alloc| !freed(graph.at(alloc).value as u32));
        let mut events: Vec<u32> = leaked.collect();
        if events.is_empty() {
            return Ok(());
        }
        let place = |e: u32| (self.source.path(graph.at(e).thread), graph.at(e).index);
        events.sort_by_key(|&alloc| place(alloc));
        Err(Fault {
            kind: FailureKind::Leak,
            message: String::new(),
            events,
        }
        .into())
    }

    pub(super) fn assertion(&self, thread: u32, message: String) -> Stop {
        let last = self.graph.last(thread);
        let events = if last == NONE { Vec::new() } else { vec![last] };
        Fault {
            kind: FailureKind::Assertion,
            message,
            events,
        }
        .into()
    }

    /// Whether the thread's latest `reads` reads all see the latest write: then fairness
    /// of propagation does not help it.
    fn reads_latest(&self, thread: u32, reads: u32) -> bool {
        let events = &self.graph.threads[thread as usize].events;
        let reads = events
            .iter()
            .rev()
            .filter(|&&e| self.graph.at(e).kind == Kind::Read)
            .take(reads as usize);
        reads.into_iter().all(|&read| {
            let Event { rf, location, .. } = *self.graph.at(read);
            self.graph.rank_of(rf) as usize == self.graph.place(location).co.len()
        })
    }
}
