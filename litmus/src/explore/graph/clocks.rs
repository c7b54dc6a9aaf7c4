//! Vector clocks: what is before an event.

use super::super::program::MemoryOrder;
use super::{Event, Graph, Kind, NONE};

/// Which of an event's clocks.
#[derive(Clone, Copy)]
pub(crate) enum Clock {
    /// Events before it by program order and reads-from.
    Porf = 0,
    /// Events that happen before it.
    Hb = 1,
    /// Of a write: what an acquiring reader of it learns.
    Message = 2,
    /// As `Porf`, and what symmetry wants added before it. Kept apart only where there
    /// are twins.
    Prefix = 3,
}

impl Graph {
    pub(super) fn reshape(&mut self, width: usize, slots: usize) {
        let mut clocks = vec![[0; 4]; self.events.len() * slots * width];
        for (position, old) in self.clocks.chunks_exact(self.width).enumerate() {
            let (event, which) = (position / self.slots, position % self.slots);
            let start = (event * slots + which) * width;
            clocks[start..start + self.width].copy_from_slice(old);
        }
        if slots > self.slots {
            for event in 0..self.events.len() {
                let start = event * slots * width;
                let prefix = start + Clock::Prefix as usize * width;
                clocks.copy_within(start..start + width, prefix);
            }
        }
        (self.clocks, self.width, self.slots) = (clocks, width, slots);
    }

    #[inline]
    fn start(&self, position: u32, which: Clock) -> usize {
        let which = match which {
            Clock::Prefix if self.slots == 3 => Clock::Porf as usize,
            which => which as usize,
        };
        (position as usize * self.slots + which) * self.width
    }

    #[inline]
    pub fn clock(&self, position: u32, which: Clock) -> &[u16] {
        let start = self.start(position, which);
        self.clocks[start..start + self.width].as_flattened()
    }

    /// Whether `a` is in the prefix of `b`, or is `b`.
    #[inline]
    pub fn precedes(&self, a: u32, b: u32, which: Clock) -> bool {
        let Event { thread, index, .. } = *self.at(a);
        let four = &self.clocks[self.start(b, which) + thread as usize / 4];
        u32::from(four[thread as usize % 4]) >= index
    }

    #[inline]
    fn copy_clock(&mut self, from: u32, of: Clock, to: u32, into: Clock) {
        let (from, to) = (self.start(from, of), self.start(to, into));
        if self.width == 1 {
            self.clocks[to] = self.clocks[from];
        } else {
            self.clocks.copy_within(from..from + self.width, to);
        }
    }

    #[inline]
    fn join_clock(&mut self, from: u32, of: Clock, to: u32, into: Clock) {
        let (from, to) = (self.start(from, of), self.start(to, into));
        for i in 0..self.width {
            let (seen, known) = (self.clocks[from + i], self.clocks[to + i]);
            self.clocks[to + i] = std::array::from_fn(|k| seen[k].max(known[k]));
        }
    }

    fn clear_clock(&mut self, of: u32, which: Clock) {
        let start = self.start(of, which);
        self.clocks[start..start + self.width].fill([0; 4]);
    }

    /// Appends the clocks of a new event, before reads-from.
    #[inline]
    pub(super) fn push_clocks(&mut self, position: u32, before: u32) {
        let stride = self.slots * self.width;
        if before == NONE {
            let end = self.clocks.len() + stride;
            self.clocks.resize(end, [0; 4]);
        } else {
            let start = before as usize * stride;
            self.clocks.extend_from_within(start..start + stride);
        }
        self.enter_clocks(position);
    }

    /// Clocks before reads-from: the predecessor's, and the event itself. What stands for
    /// the message is of no meaning until it is set.
    #[inline]
    pub fn base_clocks(&mut self, position: u32) {
        let before = self.at(position).before;
        let stride = self.slots * self.width;
        let start = position as usize * stride;
        if before == NONE {
            self.clocks[start..start + stride].fill([0; 4]);
        } else {
            let from = before as usize * stride;
            if stride == 3 {
                let (earlier, own) = self.clocks.split_at_mut(start);
                own[..3].copy_from_slice(&earlier[from..from + 3]);
            } else {
                self.clocks.copy_within(from..from + stride, start);
            }
        }
        self.enter_clocks(position);
    }

    /// Puts the event itself into its clocks, and what its twin asks for.
    #[inline]
    fn enter_clocks(&mut self, position: u32) {
        let Event {
            thread,
            index,
            twin,
            ..
        } = *self.at(position);
        let (four, entry) = (thread as usize / 4, thread as usize % 4);
        for which in [Clock::Porf, Clock::Hb, Clock::Prefix] {
            let start = self.start(position, which);
            self.clocks[start + four][entry] = index as u16;
        }
        if twin != NONE {
            let Event {
                thread,
                index,
                exclusive,
                ..
            } = *self.at(twin);
            // An update is never split: its write comes with its read.
            let twin = match exclusive {
                true => self.threads[thread as usize].events[index as usize],
                false => twin,
            };
            self.join_clock(twin, Clock::Prefix, position, Clock::Prefix);
        }
    }

    /// Whether `other` is in the prefix of `event` but for the step from its twin.
    pub fn precedes_apart(&self, other: u32, event: u32) -> bool {
        let Event { before, rf, .. } = *self.at(event);
        [before, rf]
            .into_iter()
            .any(|e| e != NONE && self.precedes(other, e, Clock::Prefix))
    }

    /// Sets what a read reads and brings its clocks up to date.
    #[inline]
    pub fn set_rf(&mut self, read: u32, write: u32) {
        let (value, location) = match write {
            NONE => (self.place(self.at(read).location).initial, NONE),
            w => (self.at(w).value, self.at(w).location),
        };
        debug_assert!(location == NONE || location == self.at(read).location);
        let event = self.at_mut(read);
        event.rf = write;
        event.value = value;
        event.next = NONE;
        let (acquires, thread) = (event.order.acquires(), event.thread);
        self.threads[thread as usize].next = NONE;
        self.base_clocks(read);
        if write != NONE {
            self.join_clock(write, Clock::Porf, read, Clock::Porf);
            if self.slots > 3 {
                self.join_clock(write, Clock::Prefix, read, Clock::Prefix);
            }
            // A plain access takes no part in synchronisation.
            if acquires && self.at(write).order != MemoryOrder::Plain {
                self.join_clock(write, Clock::Message, read, Clock::Hb);
            }
        }
    }

    /// The clock that acquiring readers of a write join: its own when it releases, that of
    /// the latest release fence otherwise, and through a read-modify-write the message of
    /// the write it continues.
    #[inline]
    pub fn set_message(&mut self, write: u32) {
        let Event {
            order,
            release_fence,
            exclusive,
            before,
            ..
        } = *self.at(write);
        if order == MemoryOrder::Plain {
            self.clear_clock(write, Clock::Message);
            return;
        }
        if order.releases() {
            self.copy_clock(write, Clock::Hb, write, Clock::Message);
        } else if release_fence != NONE {
            self.copy_clock(release_fence, Clock::Hb, write, Clock::Message);
        } else {
            self.clear_clock(write, Clock::Message);
        }
        if exclusive {
            let rf = self.at(before).rf;
            if rf != NONE {
                self.join_clock(rf, Clock::Message, write, Clock::Message);
            }
        }
    }

    /// An acquire fence learns the messages of all atomic reads before it in its thread.
    pub fn set_fence(&mut self, fence: u32) {
        if !self.at(fence).order.acquires() {
            return;
        }
        let thread = self.at(fence).thread as usize;
        for i in (0..self.threads[thread].events.len()).rev() {
            let e = self.threads[thread].events[i];
            let Event {
                kind, order, rf, ..
            } = *self.at(e);
            if kind == Kind::Fence && e != fence && order.acquires() {
                break; // that fence has learnt the older ones
            }
            if kind == Kind::Read && rf != NONE && order != MemoryOrder::Plain {
                self.join_clock(rf, Clock::Message, fence, Clock::Hb);
            }
        }
    }

    /// A join learns everything that the joined thread did.
    pub fn set_join(&mut self, join: u32, joined: u32) {
        let state = &self.threads[joined as usize];
        let last = state.events.last().copied().unwrap_or(state.base);
        if last != NONE {
            self.join_clock(last, Clock::Porf, join, Clock::Porf);
            self.join_clock(last, Clock::Hb, join, Clock::Hb);
            if self.slots > 3 {
                self.join_clock(last, Clock::Prefix, join, Clock::Prefix);
            }
        }
    }
}
