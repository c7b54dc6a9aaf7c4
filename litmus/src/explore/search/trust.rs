//! TruSt (Kokologiannakis, Marmanis, Gladstein, Vafeiadis, POPL 2022, figure 3 and section 4): every
//! consistent graph once. `ALGORITHM.md` says which step of the paper is which function.
//!
//! Going on from a graph means adding events until no thread can go on, each with the
//! coherence-latest choice; what else could be chosen is left as an [`Item`]. A write also leaves
//! a choice for each older read that may be made to read it: a backward revisit, which deletes
//! what was added after the read and is not in the prefix of the write, provided that all of it is
//! what the search would have added first.
//!
//! What leaves out graphs that need not be visited is in layers over this: see the module `layer`.

use super::super::cache::Source;
use super::super::model::{MemoryModel, floor};
use super::super::program::{MemoryOrder, Op, Value};
use super::{Clock, End, Event, Frame, Graph, Item, Kind, NONE, Search, Stop};

impl<M: MemoryModel, S: Source> Search<M, S> {
    /// Adds events until no thread can go on; `None` when the graph turns out inconsistent.
    pub(super) fn extend(&mut self) -> Result<Option<End>, Stop> {
        let mut latest = NONE;
        loop {
            if self.graph.pending != NONE {
                if !self.finish_update()? {
                    return Ok(None);
                }
                continue;
            }
            let Some((thread, node)) = self.pick(latest)? else {
                return self.end();
            };
            self.step(thread, node)?;
            // Who spawns may have put a thread to its left.
            let spawns = matches!(self.cache.op(node), Op::Spawn(_));
            latest = if spawns { NONE } else { thread };
        }
    }

    /// Takes a choice; false when nothing that comes of it is to be visited.
    pub(super) fn enter(&mut self, item: Item) -> Result<bool, Stop> {
        Ok(self.take(item)? && self.goes_on()?)
    }

    /// Takes a choice; false when it does not lead to a consistent graph.
    fn take(&mut self, item: Item) -> Result<bool, Stop> {
        match item {
            Item::Read { read, write } => {
                self.graph.cut(read + 1);
                self.set_rf(read, write);
                if !self.keeps(read)
                    || !M::admits(&self.graph, read, &mut self.scratch)
                    || !self.is_worth_reading(read)?
                {
                    return Ok(false);
                }
                self.settle_read(read)?;
                Ok(true)
            }
            Item::Conflict { read, write, older } => {
                self.graph.cut(read + 1);
                self.set_rf(read, write);
                if !self.keeps(read) {
                    return Ok(false);
                }
                let write = self.add_update(read);
                self.revisit(older, write)
            }
            Item::Write { write, rank } => {
                self.graph.cut(write + 1);
                self.graph.remove_co(write);
                self.graph.insert_co(write, rank);
                Ok(self.admits_write(write))
            }
            Item::Choose { event, value } => {
                self.graph.cut(event + 1);
                let thread = self.graph.at(event).thread;
                self.graph.threads[thread as usize].next = NONE;
                let choice = self.graph.at_mut(event);
                (choice.value, choice.next) = (value.into(), NONE);
                Ok(self.keeps(event))
            }
            Item::Back { read, write } => {
                self.graph.cut(write + 1);
                self.revisit(read, write)
            }
        }
    }

    /// Adds a read, or the reading half of an update, reading the latest write; the others that it may
    /// read are left as choices.
    pub(super) fn add_read(&mut self, thread: u32, node: u32) -> Result<(), Stop> {
        let read = self.push_read(thread, node)?;
        let Event {
            location,
            before,
            locked,
            ..
        } = *self.graph.at(read);
        let top = self.graph.place(location).co.len() as u32;
        let update = match locked {
            true => self.update_of(node),
            false => None,
        };
        for rank in floor::<M>(&self.graph, location, before)..top {
            let write = self.graph.ranked(location, rank);
            let exclusive = update.is_some_and(|(update, ..)| {
                let old = self.graph.value_of(location, write);
                self.graph.writes(location, update, old)
            });
            if exclusive && self.graph.exclusive_at(location, rank + 1) {
                let other = self.graph.at(self.graph.ranked(location, rank + 1)).before;
                // What has been tried may still be in them.
                self.graph.base_clocks(read);
                if !self.graph.precedes(other, read, Clock::Prefix) {
                    self.push_conflicts(read, write, other);
                }
            } else if self.may_be_worth_reading(read, write) {
                self.push(Item::Read { read, write });
            }
        }
        self.set_rf(read, self.graph.ranked(location, top));
        self.settle_read(read)
    }

    /// Adds a write, the latest of its location; the other places are left as choices.
    pub(super) fn add_write(
        &mut self,
        thread: u32,
        node: u32,
        (location, order): (u32, MemoryOrder),
        value: Value,
    ) -> Result<(), Stop> {
        self.know(location);
        let floor = floor::<M>(&self.graph, location, self.graph.end_of(thread));
        let write = self.graph.push(thread, Kind::Write, order, node);
        self.graph.access(write, location);
        self.graph.at_mut(write).value = value;
        self.graph.set_message(write);
        self.before_choice(write)?;
        let top = self.graph.place(location).co.len() as u32 + 1;
        self.graph.insert_co(write, top);
        self.check_race(write)?;
        for rank in floor + 1..top {
            // Nothing stands between an update's write and what it read.
            if !self.graph.exclusive_at(location, rank) {
                self.push(Item::Write { write, rank });
            }
        }
        self.push_revisits(write);
        Ok(())
    }

    /// After the choice of a read's reads-from.
    pub(super) fn settle_read(&mut self, read: u32) -> Result<(), Stop> {
        // Overwrites what cutting found: the same read may have succeeded before.
        let Event {
            exclusive, thread, ..
        } = *self.graph.at(read);
        self.graph.pending = if exclusive { thread } else { NONE };
        if exclusive {
            return Ok(()); // with its write it races with whatever it races with alone
        }
        self.check_race(read)
    }

    /// Adds the writing event of the update whose read was just settled; false when the
    /// graph is not consistent with it.
    pub(super) fn finish_update(&mut self) -> Result<bool, Stop> {
        let read = self.graph.last(self.graph.pending);
        let write = self.add_update(read);
        let admitted = M::admits(&self.graph, write, &mut self.scratch);
        if admitted {
            self.check_race(write)?;
            // What it reads from may have come by a revisit, and was not looked at then.
            let from = self.graph.at(read).rf;
            if from != NONE {
                self.check_race(from)?;
            }
        }
        self.push_revisits(write);
        Ok(admitted)
    }

    pub(super) fn add_update(&mut self, read: u32) -> u32 {
        let Event {
            thread,
            order,
            node,
            location,
            rf,
            value,
            mute,
            ..
        } = *self.graph.at(read);
        let written = match self.update_of(node) {
            Some((update, ..)) => self.graph.written(location, update, value),
            None => None,
        };
        let write = self.graph.push(thread, Kind::Write, order, node);
        self.graph.access(write, location);
        let event = self.graph.at_mut(write);
        event.value = written.unwrap_or(value);
        event.exclusive = true;
        event.mute = mute;
        let rank = self.graph.rank_of(rf) + 1;
        self.graph.insert_co(write, rank);
        self.graph.set_message(write);
        self.graph.pending = NONE;
        write
    }

    /// Whether the graph is consistent and canonical with the write where it stands.
    pub(super) fn admits_write(&mut self, write: u32) -> bool {
        let location = self.graph.at(write).location;
        if !self.keeps(write) || !M::admits(&self.graph, write, &mut self.scratch) {
            return false;
        }
        let mut from = 0;
        loop {
            let accesses = &self.graph.place(location).accesses;
            let mut rest = accesses[from..].iter();
            let Some(at) = rest.position(|&access| self.graph.at(access).rf == write) else {
                return true;
            };
            let reader = accesses[from + at];
            if !self.keeps(reader) || !M::admits(&self.graph, reader, &mut self.scratch) {
                return false;
            }
            from += at + 1;
        }
    }
}

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
        let [first, second] = self.prefix;
        let first = graph.known_to(first);
        let second = (second != NONE).then(|| graph.known_to(second));
        let keeps = move |event: &Event| {
            first.has(Clock::Prefix, event)
                || second.is_some_and(|second| second.has(Clock::Prefix, event))
        };
        let may = |&position: &u32| {
            let event = graph.at(position);
            event.kind == Kind::Read && position <= self.limit && !keeps(event)
        };
        let oldest = accesses.iter().copied().find(may);
        (oldest.unwrap_or(self.position)..self.position)
            .rev()
            .filter(move |&event| !keeps(graph.at(event)))
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
            Kind::Fence | Kind::Observe | Kind::Spawn | Kind::Join | Kind::Alloc | Kind::Free => {
                return true;
            }
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
        self.after_cut();
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
