//! Backward revisits: older reads made to read from a younger write.

use super::super::cache::Source;
use super::super::model::{MemoryModel, floor};
use super::{Clock, Event, Frame, Graph, Item, Kind, NONE, Search, Stop};

/// A write, or one that is about to be added, that older reads may be made to read.
#[derive(Clone, Copy)]
pub(super) struct Revisitor {
    pub location: u32,
    /// Its position; of one still to be added, that of its read.
    pub position: u32,
    /// Its prefix is that of the first of these, and of the second if there is one.
    pub prefix: [u32; 2],
    /// Reads younger than this do not count.
    pub limit: u32,
}

impl Revisitor {
    /// Whether `event` is in its prefix, which no revisit by it deletes.
    #[inline]
    fn keeps(&self, graph: &Graph, event: u32) -> bool {
        let [first, second] = self.prefix;
        graph.precedes(event, first, Clock::Prefix)
            || second != NONE && graph.precedes(event, second, Clock::Prefix)
    }

    /// Whether `event` stays when what is younger than `read` and not in the prefix goes.
    #[inline]
    fn stays(&self, graph: &Graph, event: u32, read: u32) -> bool {
        event <= read || event != self.position && self.keeps(graph, event)
    }

    /// The reads that it may revisit, as deep as everything to be deleted is maximal.
    pub fn reads(self, graph: &Graph) -> impl Iterator<Item = u32> {
        let accesses = &graph.place(self.location).accesses;
        let may = move |&event: &u32| {
            graph.at(event).kind == Kind::Read && event <= self.limit && !self.keeps(graph, event)
        };
        let oldest = accesses.iter().copied().find(may);
        (oldest.unwrap_or(self.position)..self.position)
            .rev()
            .filter(move |&event| !self.keeps(graph, event))
            .take_while(move |&event| self.is_maximal(graph, event))
            .filter(move |&event| {
                graph.at(event).location == self.location
                    && graph.at(event).kind == Kind::Read
                    && event <= self.limit
                    && !self.bereaves(graph, event)
            })
    }

    /// Whether an older read, which stays when `read` is revisited, reads what does not.
    fn bereaves(&self, graph: &Graph, read: u32) -> bool {
        let older = graph.revisited.iter().take_while(|&&other| other < read);
        older
            .into_iter()
            .any(|&other| !self.stays(graph, graph.at(other).rf, read))
    }

    /// Whether `event` is what the search would have added first, given the events before
    /// it and those in the prefix (TruSt, definition 4.2 in the reading of the Coq
    /// development): it reads from, or is, the coherence-latest of their writes.
    fn is_maximal(&self, graph: &Graph, event: u32) -> bool {
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
            Kind::Read if rf != NONE && !self.stays(graph, rf, event) => return false,
            Kind::Read => graph.rank_of(rf),
            Kind::Write if applied => return true,
            Kind::Write => rank,
            Kind::Choice => return value == 0,
            Kind::Fence | Kind::Observe | Kind::Spawn | Kind::Join => return true,
        };
        !graph.place(location).co[rank as usize..]
            .iter()
            .any(|&later| self.stays(graph, later, event))
    }
}

impl<M: MemoryModel, S: Source> Search<M, S> {
    /// Finds the reads that may be made to read what the update whose read is `read` writes
    /// after `write`, which the update of `other` continues already.
    pub(super) fn push_conflicts(&mut self, read: u32, write: u32, other: u32) {
        let by = Revisitor {
            location: self.graph.at(read).location,
            position: read,
            prefix: [read, write],
            limit: other,
        };
        // If it takes from an older read what that reads, so does any revisit further back, as
        // long as what it deletes is maximal.
        if !by.bereaves(&self.graph, other) {
            let depth = self.depth + 1;
            let item = |older| (Item::Conflict { read, write, older }, depth);
            self.items.extend(by.reads(&self.graph).map(item));
        }
    }

    /// Finds the reads that may be made to read from the new write.
    pub(super) fn push_revisits(&mut self, write: u32) {
        let by = Revisitor {
            location: self.graph.at(write).location,
            position: write,
            prefix: [write, NONE],
            limit: write,
        };
        let depth = self.depth + 1;
        let item = |read| (Item::Back { read, write }, depth);
        self.items.extend(by.reads(&self.graph).map(item));
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
        self.graph.restrict(read, write, &mut next, &mut self.map);
        let write = next.len() - 1;
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
