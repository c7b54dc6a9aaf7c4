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
    /// earlier than here, as those of [`Self::is_in_vain`] can: the value was the latest when
    /// it was read, and a revisit may take away the writes that came since.
    pub(super) fn end(&mut self) -> Result<Option<End>, Stop> {
        if self.settings.preemptions.is_some() {
            self.find_faults()?;
        }
        let (mut stuck, mut pruned, mut vain) = (Vec::new(), false, false);
        for thread in 0..self.graph.threads.len() as u32 {
            if !self.graph.threads[thread as usize].live {
                continue;
            }
            let node = self.next_node(thread)?;
            self.check_joins(thread, self.cache.op(node))?;
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
            return Ok(Some(End::Complete));
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
        Ok(Some(End::Blocked))
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

    /// Whether some thread waits for ever, having read an old value: nothing that comes of the
    /// graph is complete, and no deadlock either. No revisit changes such a read (it is not
    /// maximal) and nothing follows it; what fails elsewhere fails as well in the execution in
    /// which it reads the latest value. GenMC calls such executions moot and does not count
    /// them. They come of revisits; a forward choice of such a value is not made.
    pub(super) fn is_in_vain(&mut self) -> Result<bool, Stop> {
        if self.graph.pending != NONE {
            return Ok(false);
        }
        for thread in 0..self.graph.threads.len() as u32 {
            let last = self.graph.last(thread);
            if !self.graph.threads[thread as usize].live || last == NONE {
                continue;
            }
            let Event {
                kind, rf, location, ..
            } = *self.graph.at(last);
            // Under a bound its races are not yet looked for.
            let may_race = self.settings.preemptions.is_some()
                && location != NONE
                && self.graph.place(location).plain > 0;
            if kind != Kind::Read || may_race {
                continue;
            }
            // What is older than the read or than its revisit stays, see `is_maximal`.
            let since = if rf == NONE { last } else { rf.max(last) };
            let later = &self.graph.place(location).co[self.graph.rank_of(rf) as usize..];
            if later.iter().any(|&write| write < since) && self.blocks(thread, last, rf)? {
                return Ok(true);
            }
        }
        Ok(false)
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
