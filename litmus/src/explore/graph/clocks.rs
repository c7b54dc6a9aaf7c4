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
    /// As `Porf`, and what symmetry wants added before it.
    Prefix = 3,
}

/// The clocks of an event, by [`Clock`], as far as they concern four threads.
pub(super) type Four = [[u16; 4]; 4];

impl Graph {
    /// Makes room for `width` times four threads.
    pub(super) fn reshape(&mut self, width: usize) {
        let mut clocks = vec![Four::default(); self.events.len() * width];
        for (old, new) in self
            .clocks
            .chunks_exact(self.width)
            .zip(clocks.chunks_exact_mut(width))
        {
            new[..self.width].copy_from_slice(old);
        }
        (self.clocks, self.width) = (clocks, width);
    }

    /// How many events of `thread` are in a clock of the event; of a thread that was joined, one
    /// more, its end.
    #[inline]
    pub fn seen(&self, position: u32, which: Clock, thread: u32) -> u32 {
        self.known_to(position).seen(which, thread)
    }

    /// The clocks of an event, for who asks them more than once.
    #[inline]
    pub fn known_to(&self, position: u32) -> Known<'_> {
        let start = position as usize * self.width;
        Known(&self.clocks[start..start + self.width])
    }

    /// Whether `a` is in the prefix of `b`, or is `b`.
    #[inline]
    pub fn precedes(&self, a: u32, b: u32, which: Clock) -> bool {
        let Event { thread, index, .. } = *self.at(a);
        self.seen(b, which, thread) >= index
    }

    /// Appends the clocks of the youngest event, before reads-from.
    #[inline]
    pub(super) fn push_clocks(&mut self, position: u32) {
        for i in 0..self.width {
            let four = self.base_clock(position, i);
            self.clocks.push(four);
        }
        self.enter_twin(position);
    }

    /// Clocks before reads-from: the predecessor's, and the event itself. What stands for
    /// the message is of no meaning until it is set.
    #[inline]
    pub fn base_clocks(&mut self, position: u32) {
        for i in 0..self.width {
            self.clocks[position as usize * self.width + i] = self.base_clock(position, i);
        }
        self.enter_twin(position);
    }

    /// The `i`th of an event's clocks before reads-from, without what its twin asks for.
    #[inline]
    fn base_clock(&self, position: u32, i: usize) -> Four {
        let event = self.at(position);
        let mut four = match event.before {
            NONE => Four::default(),
            before => self.clocks[before as usize * self.width + i],
        };
        if event.thread as usize / 4 == i {
            for which in [Clock::Porf, Clock::Hb, Clock::Prefix] {
                four[which as usize][event.thread as usize % 4] = event.index as u16;
            }
        }
        four
    }

    /// Puts what its twin asks for into the clocks of an event.
    #[inline]
    fn enter_twin(&mut self, position: u32) {
        match self.at(position).twin {
            NONE => {}
            twin => self.enter_clocks_of(position, twin),
        }
    }

    #[cold]
    fn enter_clocks_of(&mut self, position: u32, twin: u32) {
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
        for i in 0..self.width {
            let seen = self.clocks[twin as usize * self.width + i];
            let known = &mut self.clocks[position as usize * self.width + i];
            learn(known, Clock::Prefix, &seen, Clock::Prefix);
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
        if write == NONE {
            return;
        }
        // A plain access takes no part in synchronisation.
        let acquires = acquires && self.at(write).order != MemoryOrder::Plain;
        for i in 0..self.width {
            let seen = self.clocks[write as usize * self.width + i];
            let known = &mut self.clocks[read as usize * self.width + i];
            learn(known, Clock::Porf, &seen, Clock::Porf);
            learn(known, Clock::Prefix, &seen, Clock::Prefix);
            if acquires {
                learn(known, Clock::Hb, &seen, Clock::Message);
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
        let (mut released, mut continued) = (NONE, NONE);
        if order != MemoryOrder::Plain {
            released = if order.releases() {
                write
            } else {
                release_fence
            };
            if exclusive {
                continued = self.at(before).rf;
            }
        }
        for i in 0..self.width {
            let at = |event: u32| event as usize * self.width + i;
            let mut message = Four::default();
            if released != NONE {
                let known = &self.clocks[at(released)];
                learn(&mut message, Clock::Message, known, Clock::Hb);
            }
            if continued != NONE {
                let known = &self.clocks[at(continued)];
                learn(&mut message, Clock::Message, known, Clock::Message);
            }
            let at = at(write);
            self.clocks[at][Clock::Message as usize] = message[Clock::Message as usize];
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
                for i in 0..self.width {
                    let seen = self.clocks[rf as usize * self.width + i];
                    let known = &mut self.clocks[fence as usize * self.width + i];
                    learn(known, Clock::Hb, &seen, Clock::Message);
                }
            }
        }
    }

    /// A join learns everything that the joined thread did.
    pub fn set_join(&mut self, join: u32, joined: u32) {
        let last = self.end_of(joined);
        for i in (0..self.width).take_while(|_| last != NONE) {
            let seen = self.clocks[last as usize * self.width + i];
            let known = &mut self.clocks[join as usize * self.width + i];
            for which in [Clock::Porf, Clock::Hb, Clock::Prefix] {
                learn(known, which, &seen, which);
            }
        }
        // Its end, too, which is no event: it may have made locations after its last.
        let ended = self.threads[joined as usize].events.len() as u16 + 1;
        let four = &mut self.clocks[join as usize * self.width + joined as usize / 4];
        for which in [Clock::Porf, Clock::Hb] {
            let known = &mut four[which as usize][joined as usize % 4];
            *known = ended.max(*known);
        }
    }
}

/// The clocks of an event.
#[derive(Clone, Copy)]
pub(crate) struct Known<'g>(&'g [Four]);

impl Known<'_> {
    /// As [`Graph::seen`].
    #[inline]
    pub fn seen(self, which: Clock, thread: u32) -> u32 {
        self.0[thread as usize / 4][which as usize][thread as usize % 4].into()
    }

    /// Whether the event is in a clock.
    #[inline]
    pub fn has(self, which: Clock, event: &Event) -> bool {
        self.seen(which, event.thread) >= event.index
    }
}

/// Joins one clock into another.
#[inline]
fn learn(known: &mut Four, into: Clock, seen: &Four, of: Clock) {
    for (known, seen) in known[into as usize].iter_mut().zip(seen[of as usize]) {
        *known = seen.max(*known);
    }
}
