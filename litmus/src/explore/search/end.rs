//! How executions end.

use super::super::FailureKind;
use super::super::cache::{Fault, Source};
use super::super::model::MemoryModel;
use super::super::program::{Op, Wait};
use super::{End, Event, Kind, NONE, Search, Stop};

impl<M: MemoryModel, S: Source> Search<M, S> {
    /// No thread can go on: is the execution complete, or do threads wait for ever?
    pub(super) fn end(&mut self) -> Result<End, Stop> {
        if self.settings.preemptions.is_some() {
            self.find_faults()?;
        }
        let (mut stuck, mut pruned) = (Vec::new(), false);
        for thread in 0..self.graph.threads.len() as u32 {
            if !self.graph.threads[thread as usize].live {
                continue;
            }
            let node = self.next_node(thread)?;
            self.check_joins(thread, self.cache.op(node))?;
            match *self.cache.op(node) {
                Op::Block {
                    wait: Wait::Assume, ..
                } => pruned = true,
                Op::Block { reads, .. } => {
                    stuck.push(self.graph.last(thread));
                    pruned |= !self.reads_latest(thread, reads);
                }
                Op::Join(_) => stuck.push(self.graph.last(thread)),
                _ => {}
            }
        }
        if stuck.is_empty() && !pruned {
            return Ok(End::Complete);
        }
        if !pruned {
            stuck.retain(|&e| e != NONE);
            return Err(Fault {
                kind: FailureKind::Deadlock,
                message: String::new(),
                events: stuck,
            }
            .into());
        }
        Ok(End::Blocked)
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
