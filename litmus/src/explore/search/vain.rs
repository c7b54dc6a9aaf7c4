//! Executions that are in vain: a thread waits for ever because it has read an old value.
//!
//! A thread that blocks right after a read goes on only if the read reads something else. So a
//! value on which it blocks is not worth a visit when the latest value can be read as well, and a graph
//! in which a revisit has left such a read behind is given up. No execution that is complete is
//! lost, for in those no thread blocks. No deadlock is lost: a deadlock is reported where every
//! thread has read the latest of what it waits for. No other fault is lost: nothing follows such a
//! read in porf, so what fails elsewhere has a prefix without it, and fails as well where the
//! read reads the latest value (which every model admits: see `MemoryModel`). Two things are
//! different: the read itself may race, and then it is not left out; and under a bound on
//! preemptions the execution in which it reads the latest value may need one preemption more, so
//! under a bound nothing is given up.
//!
//! GenMC has no event for a read that leaves its thread waiting, and calls such executions
//! moot; so do its counts of blocked executions.

use super::super::cache::Source;
use super::super::model::MemoryModel;
use super::super::program::{Op, Value};
use super::layer::Layer;
use super::{Clock, Event, Kind, NONE, Search, Stop};

pub(super) struct Vain;

impl<M: MemoryModel, S: Source> Layer<M, S> for Vain {
    fn may_be_worth_reading(search: &Search<M, S>, read: u32, write: u32) -> bool {
        // Several workers must leave the same choices, whatever each of them has in its cache.
        if search.settings.shared || search.is_kept(read) {
            return true;
        }
        let Event { node, location, .. } = *search.graph.at(read);
        let value = search.read_by(read, location, write);
        let next = search.cache.after(node, value);
        next.is_none_or(|next| !search.is_block(next))
    }

    fn is_worth_reading(search: &mut Search<M, S>, read: u32) -> Result<bool, Stop> {
        let thread = search.graph.at(read).thread;
        Ok(search.is_kept(read) || !search.is_stopped(thread, read)?)
    }

    fn goes_on(search: &mut Search<M, S>) -> Result<bool, Stop> {
        if search.graph.pending != NONE || search.settings.preemptions.is_some() {
            return Ok(true);
        }
        Ok(!search.is_in_vain()?)
    }
}

impl<M: MemoryModel, S: Source> Search<M, S> {
    /// Whether the read stays although its thread blocks on what it reads.
    fn is_kept(&self, read: u32) -> bool {
        let Event {
            location, before, ..
        } = *self.graph.at(read);
        self.settings.preemptions.is_some() || self.may_race(location, before)
    }

    fn is_block(&self, node: u32) -> bool {
        matches!(self.cache.op(node), Op::Block { .. })
    }

    /// Whether an access right after the event `before` may race.
    fn may_race(&self, location: u32, before: u32) -> bool {
        let place = self.graph.place(location);
        let known = |thread| match before {
            NONE => 0,
            before => self.graph.seen(before, Clock::Hb, thread),
        };
        place.plain > 0 || place.born != 0 && known(place.creator) < place.born
    }

    /// Whether some thread waits for ever, having read an old value that no revisit changes any more:
    /// the read is not maximal.
    fn is_in_vain(&mut self) -> Result<bool, Stop> {
        for thread in 0..self.graph.threads.len() as u32 {
            let last = self.graph.last(thread);
            if !self.graph.threads[thread as usize].live || last == NONE {
                continue;
            }
            let Event {
                kind, rf, location, ..
            } = *self.graph.at(last);
            // In a survey its races are not yet looked for.
            let may_race =
                self.settings.survey && location != NONE && self.graph.place(location).plain > 0;
            if kind != Kind::Read || may_race {
                continue;
            }
            // What is older than the read or than its revisit stays, see `is_maximal`.
            let since = if rf == NONE { last } else { rf.max(last) };
            let later = &self.graph.place(location).co[self.graph.rank_of(rf) as usize..];
            if later.iter().any(|&write| write < since) && self.is_stopped(thread, last)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the thread blocks on what it has read last.
    fn is_stopped(&mut self, thread: u32, read: u32) -> Result<bool, Stop> {
        let Event {
            node, rf, location, ..
        } = *self.graph.at(read);
        let value = self.read_by(read, location, rf);
        let next = self.after(thread, node, value)?;
        Ok(self.is_block(next))
    }

    /// What the thread is answered if the read reads from `write`.
    #[inline]
    fn read_by(&self, read: u32, location: u32, write: u32) -> Value {
        match self.graph.at(read).mute {
            true => 0,
            false => self.graph.value_of(location, write),
        }
    }
}
