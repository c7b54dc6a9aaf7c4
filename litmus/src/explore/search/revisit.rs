//! Backward revisits: older reads made to read from a younger write.

use super::super::cache::Source;
use super::super::model::{MemoryModel, floor};
use super::{Clock, Event, Frame, Graph, Item, Kind, NONE, Search, Stop};

impl<M: MemoryModel, S: Source> Search<M, S> {
    /// Finds the reads that may be made to read from the new write, as deep as everything
    /// to be deleted is maximal. Only reads not younger than `limit` count.
    pub(super) fn push_revisits(&mut self, write: u32, limit: u32) {
        let location = self.graph.at(write).location;
        let may = |graph: &Graph, event: u32| {
            graph.at(event).kind == Kind::Read
                && event <= limit
                && !graph.precedes(event, write, Clock::Prefix)
        };
        let accesses = &self.graph.place(location).accesses;
        let Some(&oldest) = accesses.iter().find(|&&event| may(&self.graph, event)) else {
            return;
        };
        for event in (oldest..write).rev() {
            if self.graph.precedes(event, write, Clock::Prefix) {
                continue;
            }
            if !self.is_maximal(event, write) {
                break;
            }
            if self.graph.at(event).location == location && may(&self.graph, event) {
                self.push(Item::Back { read: event, write });
            }
        }
    }

    /// Whether `event` is what the search would have added first, given the events before
    /// it and those in the prefix of `revisitor` (TruSt, definition 4.2 in the reading of
    /// the Coq development): it reads from, or is, the coherence-latest of their writes.
    fn is_maximal(&self, event: u32, revisitor: u32) -> bool {
        let graph = &self.graph;
        let counts =
            |q: u32| q <= event || q != revisitor && graph.precedes(q, revisitor, Clock::Prefix);
        let Event {
            kind,
            rf,
            rank,
            location,
            value,
            applied,
            ..
        } = *graph.at(event);
        let rank = match kind {
            Kind::Read if rf != NONE && !counts(rf) => return false,
            Kind::Read => graph.rank_of(rf),
            Kind::Write if applied => return true,
            Kind::Write => rank,
            Kind::Choice => return value == 0,
            Kind::Fence | Kind::Observe | Kind::Spawn | Kind::Join => return true,
        };
        !graph.place(location).co[rank as usize..]
            .iter()
            .any(|&later| counts(later))
    }

    /// Makes `read` read from the youngest event `write`, in a new frame, without what
    /// was added after the read and is not in the prefix of the write.
    pub(super) fn revisit(&mut self, read: u32, write: u32) -> Result<bool, Stop> {
        if self
            .settings
            .revisits
            .is_some_and(|most| self.frames.len() >= most)
        {
            self.bounded = true;
            return Ok(false);
        }
        let mut next = self.spare.pop().unwrap_or_default();
        if !self.graph.restrict(read, write, &mut next, &mut self.map) {
            self.spare.push(next);
            return Ok(false);
        }
        let (read, write) = (self.map[read as usize], self.map[write as usize]);
        let previous = std::mem::replace(&mut self.graph, next);
        let outer = self.base;
        self.base = self.items.len();
        self.refold();
        let found = self.place_revisit(read, write);
        if !matches!(found, Ok(false)) {
            if self.base == outer && self.settings.revisits.is_none() {
                self.spare.push(previous); // nothing left to do in that frame
            } else {
                self.frames.push(Frame {
                    graph: previous,
                    items: outer,
                });
            }
            // A failing graph stays where the report finds it.
            return found;
        }
        let failed = std::mem::replace(&mut self.graph, previous);
        self.spare.push(failed);
        self.base = outer;
        Ok(false)
    }

    /// Finds the places in coherence order at which the revisiting write is consistent;
    /// takes the last, leaves the others as choices.
    fn place_revisit(&mut self, read: u32, write: u32) -> Result<bool, Stop> {
        let location = self.graph.at(write).location;
        let floor = |event: u32| floor::<M>(&self.graph, location, self.graph.at(event).before);
        let lowest = floor(read).max(floor(write)) + 1;
        let top = self.graph.place(location).co.len() as u32 + 1;
        let (from, to) = if self.graph.at(write).exclusive {
            let rank = self
                .graph
                .rank_of(self.graph.at(self.graph.at(write).before).rf)
                + 1;
            if rank < lowest {
                return Ok(false);
            }
            (rank, rank)
        } else {
            (lowest, top)
        };
        let mut found = false;
        for rank in (from..=to).rev() {
            if self.graph.exclusive_at(location, rank) {
                continue;
            }
            if found {
                self.push(Item::Write { write, rank });
                continue;
            }
            self.graph.insert_co(write, rank);
            self.set_rf(read, write);
            if self.admits_write(write) {
                found = true;
            } else {
                self.graph.remove_co(write);
            }
        }
        if found {
            self.settle_read(read)?;
            // An update that comes in place of another (`Item::Conflict`) has not been in any
            // visited graph yet. If the read is an update's, its write is to come first.
            if self.graph.pending == NONE {
                self.check_race(write)?;
            }
        }
        Ok(found)
    }
}
