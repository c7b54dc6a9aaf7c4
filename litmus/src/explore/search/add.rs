//! Adding events.

use super::super::cache::Source;
use super::super::graph::Rmw;
use super::super::model::{MemoryModel, floor};
use super::super::program::{MemoryOrder, Op};
use super::{Clock, Event, Item, Kind, NONE, Search, Stop};

impl<M: MemoryModel, S: Source> Search<M, S> {
    /// Adds the thread's next operation.
    pub(super) fn step(&mut self, thread: u32, node: u32) -> Result<(), Stop> {
        self.check_joins(thread, self.cache.op(node))?;
        match *self.cache.op(node) {
            Op::Load { .. }
            | Op::Await { .. }
            | Op::Update { .. }
            | Op::CompareExchange { .. }
            | Op::AwaitExchange { .. } => self.add_read(thread, node)?,
            Op::Apply {
                location,
                order,
                update,
            } => {
                if self.commuting.admits(location.0, order, update)? {
                    self.add_applied(thread, node, None)?;
                } else {
                    self.add_read(thread, node)?;
                }
            }
            Op::Store {
                location,
                order,
                value,
            } => {
                self.know(location.0);
                let floor = floor::<M>(&self.graph, location.0, self.graph.end_of(thread));
                let write = self.graph.push(thread, Kind::Write, order, node);
                self.graph.access(write, location.0);
                self.graph.at_mut(write).value = value;
                self.graph.set_message(write);
                self.looks_at(write)?;
                let top = self.graph.place(location.0).co.len() as u32 + 1;
                self.graph.insert_co(write, top);
                self.check_race(write)?;
                for rank in floor + 1..top {
                    // Nothing stands between an update's write and what it read.
                    if !self.graph.exclusive_at(location.0, rank) {
                        self.push(Item::Write { write, rank });
                    }
                }
                self.push_revisits(write);
            }
            Op::Fence(order) => {
                let fence = self.graph.push(thread, Kind::Fence, order, node);
                self.graph.set_fence(fence);
                // Nothing is after a fence: no cycle can pass through it yet.
            }
            Op::Choose(ways) => {
                let event = self
                    .graph
                    .push(thread, Kind::Choice, MemoryOrder::Relaxed, node);
                for value in 1..ways {
                    self.push(Item::Choose { event, value });
                }
            }
            Op::Observe(question) => {
                let event = self
                    .graph
                    .push(thread, Kind::Observe, MemoryOrder::Relaxed, node);
                let value = self
                    .source
                    .observe(&self.cache, &self.graph, event, question);
                self.graph.at_mut(event).value = value;
            }
            Op::Spawn(child) => {
                let event = self
                    .graph
                    .push(thread, Kind::Spawn, MemoryOrder::AcqRel, node);
                self.graph.at_mut(event).value = u64::from(child);
                self.graph.ensure_thread(child);
                let state = &mut self.graph.threads[child as usize];
                state.live = true;
                state.base = event;
                state.root = NONE;
                state.next = NONE;
                state.elder = NONE;
                if self.settings.twins
                    && let Some(elder) = self.source.elder(child)
                {
                    self.graph.follow(child, elder);
                }
            }
            Op::Join(other) => {
                let value = self.ended(other)?.unwrap_or(0);
                let event = self
                    .graph
                    .push(thread, Kind::Join, MemoryOrder::AcqRel, node);
                self.graph.at_mut(event).value = value;
                self.graph.at_mut(event).rank = other;
                self.graph.set_join(event, other);
            }
            Op::Block { .. } | Op::Fail(_) | Op::End | Op::Return(_) => {}
        }
        self.check_twin(thread)
    }

    /// Tells the graph of a location that it has not met. A graph from before the location
    /// was first asked for can come to an operation on it by the cache alone.
    #[inline]
    pub(super) fn know(&mut self, location: u32) {
        // No location is 0 bits wide: such a place only holds the place of another.
        let known = self.graph.places.get(location as usize);
        if known.is_none_or(|place| place.bits == 0) {
            let first = self.source.first_value(location);
            self.graph.ensure_place(location, first);
        }
    }

    /// Appends the reading event of an operation, reads-from open.
    pub(super) fn push_read(&mut self, thread: u32, node: u32) -> Result<u32, Stop> {
        let (location, order, mute) = match *self.cache.op(node) {
            Op::Load { location, order }
            | Op::Await { location, order }
            | Op::Update {
                location, order, ..
            }
            | Op::AwaitExchange {
                location, order, ..
            } => (location.0, order, false),
            Op::Apply {
                location, order, ..
            } => (location.0, order, true),
            Op::CompareExchange {
                location, success, ..
            } => (location.0, success, false),
            _ => unreachable!("not a read"),
        };
        self.know(location);
        let read = self.graph.push(thread, Kind::Read, order, node);
        self.graph.access(read, location);
        self.graph.at_mut(read).mute = mute;
        self.looks_at(read)?;
        Ok(read)
    }

    /// Sets reads-from and all that depends on the value: whether an update succeeds, and
    /// the order that then counts.
    pub(super) fn set_rf(&mut self, read: u32, write: u32) {
        let Event {
            node,
            location,
            order: now,
            ..
        } = *self.graph.at(read);
        if let Some((update, success, failure)) = self.update_of(node) {
            let old = self.graph.value_of(location, write);
            let exclusive = self.graph.written(location, update, old).is_some();
            let order = if exclusive { success } else { failure };
            self.graph.at_mut(read).exclusive = exclusive;
            if order != now {
                self.graph.at_mut(read).order = order;
                if order.is_seq_cst() != now.is_seq_cst() {
                    let nodes = &mut self.graph.seq_cst;
                    match nodes.binary_search(&read) {
                        Ok(i) => drop(nodes.remove(i)),
                        Err(i) => nodes.insert(i, read),
                    }
                }
            }
        }
        self.graph.set_rf(read, write);
    }

    fn update_of(&self, node: u32) -> Option<(Rmw, MemoryOrder, MemoryOrder)> {
        match *self.cache.op(node) {
            Op::Update { order, update, .. } | Op::Apply { order, update, .. } => {
                Some((Rmw::Update(update), order, order))
            }
            Op::CompareExchange {
                expected,
                new,
                success,
                failure,
                ..
            } => Some((Rmw::Exchange { expected, new }, success, failure)),
            Op::AwaitExchange {
                expected,
                new,
                order,
                ..
            } => Some((Rmw::Exchange { expected, new }, order, MemoryOrder::Relaxed)),
            _ => None,
        }
    }

    fn add_read(&mut self, thread: u32, node: u32) -> Result<(), Stop> {
        let read = self.push_read(thread, node)?;
        let Event {
            location, before, ..
        } = *self.graph.at(read);
        let top = self.graph.place(location).co.len() as u32;
        let update = self.update_of(node);
        for rank in floor::<M>(&self.graph, location, before)..top {
            let write = self.graph.ranked(location, rank);
            let exclusive = update.is_some_and(|(update, ..)| {
                let old = self.graph.value_of(location, write);
                self.graph.written(location, update, old).is_some()
            });
            if exclusive && self.graph.exclusive_at(location, rank + 1) {
                let other = self.graph.at(self.graph.ranked(location, rank + 1)).before;
                // What `blocks` has tried may still be in them.
                self.graph.base_clocks(read);
                if !self.graph.precedes(other, read, Clock::Prefix) {
                    self.push_conflicts(read, write, other);
                }
            } else if self.graph.place(location).plain > 0 || !self.blocks(thread, read, write)? {
                // A thread that blocks on an old value is of no use: it goes on only by
                // reading something else, and the latest value blocks it just as well. But
                // it may race.
                self.push(Item::Read { read, write });
            }
        }
        self.set_rf(read, self.graph.ranked(location, top));
        self.settle_read(read)
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
        if !self.in_order(write) || !M::admits(&self.graph, write, &mut self.scratch) {
            return false;
        }
        let count = self.graph.place(location).accesses.len();
        (0..count).all(|i| {
            let access = self.graph.place(location).accesses[i];
            let event = self.graph.at(access);
            event.kind != Kind::Read
                || event.rf != write
                || self.in_order(access) && M::admits(&self.graph, access, &mut self.scratch)
        })
    }
}
