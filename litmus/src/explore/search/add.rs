//! What each operation adds to the graph. Reads and writes, whose places are choices, are in the
//! module `trust`.

use super::super::cache::{Birth, Source};
use super::super::graph::Rmw;
use super::super::model::MemoryModel;
use super::super::program::{MemoryOrder, Op};
use super::{Event, Item, Kind, NONE, Search, Stop};

impl<M: MemoryModel, S: Source> Search<M, S> {
    /// Adds the thread's next operation.
    pub(super) fn step(&mut self, thread: u32, node: u32) -> Result<(), Stop> {
        self.before_add(thread, node)?;
        match *self.cache.op(node) {
            Op::Load { .. }
            | Op::Await { .. }
            | Op::Update { .. }
            | Op::UpdateIf { .. }
            | Op::CompareExchange { .. }
            | Op::AwaitUpdate { .. }
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
            } => self.add_write(thread, node, (location.0, order), value)?,
            Op::Alloc(location) => {
                self.know(location.0);
                let order = MemoryOrder::Relaxed;
                let alloc = self.graph.push(thread, Kind::Alloc, order, node);
                self.graph.give_birth(alloc, location.0);
                let accesses = self.graph.place(location.0).accesses.len();
                for i in 0..accesses {
                    self.check_race(self.graph.place(location.0).accesses[i])?;
                }
            }
            Op::Free(location) => {
                self.know(location.0);
                let order = MemoryOrder::Plain;
                let free = self.graph.push(thread, Kind::Free, order, node);
                self.graph.access(free, location.0);
                self.graph.at_mut(free).value = location.0.into();
                self.before_choice(free)?;
                self.check_race(free)?;
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
                let elder = match self.settings.twins {
                    true => self.source.elder(&self.graph, thread, child),
                    false => None,
                };
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
                if let Some(elder) = elder {
                    self.graph.follow(child, elder);
                    self.symmetric = true;
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
        self.after_add(thread)
    }

    /// Tells the graph of a location that it has not met. A graph from before the location
    /// was first asked for can come to an operation on it by the cache alone.
    #[inline]
    pub(super) fn know(&mut self, location: u32) {
        // No location is 0 bits wide: such a place only holds the place of another.
        let known = self.graph.places.get(location as usize);
        if known.is_none_or(|place| place.bits == 0) {
            self.meet(location);
        }
    }

    /// Takes over what the program says of a location.
    pub(super) fn meet(&mut self, location: u32) {
        let first = self.source.first_value(location);
        self.graph.ensure_place(location, first);
        let Some(Birth { thread, node }) = self.source.birth(location) else {
            return;
        };
        let creator = self.graph.threads.get(thread as usize);
        let born = match creator.filter(|creator| creator.live) {
            None => u32::MAX,
            Some(creator) => {
                let at = |event: &u32| self.graph.at(*event);
                let mut events = creator.events.iter().rev().map(at);
                match events.find(|event| event.node == node) {
                    Some(event) => event.index + 1,
                    None if creator.base == NONE && node == NONE => 1,
                    None if creator.base != NONE && at(&creator.base).node == node => 1,
                    None => u32::MAX,
                }
            }
        };
        let place = &mut self.graph.places[location as usize];
        (place.creator, place.born) = (thread, born);
    }

    /// Appends the reading event of an operation, reads-from open.
    pub(super) fn push_read(&mut self, thread: u32, node: u32) -> Result<u32, Stop> {
        let (location, order, mute, locked) = match *self.cache.op(node) {
            Op::Load { location, order } | Op::Await { location, order } => {
                (location.0, order, false, false)
            }
            Op::Update {
                location, order, ..
            }
            | Op::AwaitUpdate {
                location, order, ..
            }
            | Op::AwaitExchange {
                location, order, ..
            } => (location.0, order, false, true),
            Op::Apply {
                location, order, ..
            } => (location.0, order, true, true),
            Op::CompareExchange {
                location, success, ..
            }
            | Op::UpdateIf {
                location, success, ..
            } => (location.0, success, false, true),
            _ => unreachable!("not a read"),
        };
        self.know(location);
        let read = self.graph.push(thread, Kind::Read, order, node);
        self.graph.access(read, location);
        let event = self.graph.at_mut(read);
        (event.mute, event.locked) = (mute, locked);
        self.before_choice(read)?;
        Ok(read)
    }

    /// Sets reads-from and all that depends on the value: whether an update succeeds, and
    /// the order that then counts.
    pub(super) fn set_rf(&mut self, read: u32, write: u32) {
        let Event {
            node,
            location,
            order: now,
            locked,
            ..
        } = *self.graph.at(read);
        if locked && let Some((update, success, failure)) = self.update_of(node) {
            let old = self.graph.value_of(location, write);
            let exclusive = self.graph.writes(location, update, old);
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

    #[inline]
    pub(super) fn update_of(&self, node: u32) -> Option<(Rmw, MemoryOrder, MemoryOrder)> {
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
            Op::UpdateIf {
                guard,
                update,
                success,
                failure,
                ..
            } => Some((Rmw::If(guard, update), success, failure)),
            Op::AwaitUpdate {
                guard,
                update,
                order,
                ..
            } => Some((Rmw::If(guard, update), order, MemoryOrder::Relaxed)),
            _ => None,
        }
    }
}
