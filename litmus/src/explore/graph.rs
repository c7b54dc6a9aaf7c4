//! Execution graphs: events in order of addition, reads-from, coherence, and the two
//! clocks from which everything else is derived.
//!
//! An event's *position* in the arena is its stamp. The clocks of an event are computed
//! when it is added and stay right, because nothing later can change its prefix; only a
//! change of the reads-from of the youngest events makes them stale, and that recomputes
//! them.

use super::program::{MemoryOrder, Update, Value, truncate};

/// "No event": also the initial write of a location.
pub(crate) const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Read,
    Write,
    Fence,
    Spawn,
    Join,
    Choice,
    /// A question to the observer, answered from the event's prefix.
    Observe,
}

#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub kind: Kind,
    pub order: MemoryOrder,
    /// Half of a read-modify-write that succeeds.
    pub exclusive: bool,
    pub thread: u32,
    /// Index in the thread, from 1: a clock entry counts events.
    pub index: u32,
    /// The previous event of the thread; for its first, the event that started it.
    pub before: u32,
    pub location: u32,
    /// Of a read: the write it reads; [`NONE`] is the initial one.
    pub rf: u32,
    /// Of a write: place in coherence order, from 1; the initial write has 0.
    pub rank: u32,
    /// Read, written, chosen; of a spawn or join, the other thread's answer.
    pub value: Value,
    /// The operation, as a node of the cache.
    pub node: u32,
    /// The thread's next operation after this event's answer; [`NONE`] until asked.
    pub next: u32,
    /// The latest release fence before this event in its thread.
    pub release_fence: u32,
}

#[derive(Clone, Default, Debug)]
pub(crate) struct Thread {
    pub events: Vec<u32>,
    /// The spawn event; [`NONE`] for a thread that runs from the start.
    pub base: u32,
    /// The node of its first operation; [`NONE`] until asked.
    pub root: u32,
    pub live: bool,
}

#[derive(Clone, Default, Debug)]
pub(crate) struct Place {
    pub co: Vec<u32>,
    /// Reads and writes in order of addition.
    pub accesses: Vec<u32>,
    pub initial: Value,
    pub bits: u8,
    /// Whether any access is plain.
    pub plain: u32,
}

/// Which of an event's three clocks.
#[derive(Clone, Copy)]
pub(crate) enum Clock {
    /// Events before it by program order and reads-from.
    Porf = 0,
    /// Events that happen before it.
    Hb = 1,
    /// Of a write: what an acquiring reader of it learns.
    Message = 2,
}

#[derive(Default, Debug)]
pub(crate) struct Graph {
    pub events: Vec<Event>,
    clocks: Vec<u16>,
    width: usize,
    pub threads: Vec<Thread>,
    pub places: Vec<Place>,
    /// Events of order seq_cst, in order of addition.
    pub seq_cst: Vec<u32>,
    /// The thread whose last event is the read of a read-modify-write not yet written.
    pub pending: u32,
}

impl Graph {
    pub fn new() -> Self {
        Self {
            width: 4,
            pending: NONE,
            ..Self::default()
        }
    }

    pub fn len(&self) -> u32 {
        self.events.len() as u32
    }

    pub fn at(&self, position: u32) -> &Event {
        &self.events[position as usize]
    }

    pub fn at_mut(&mut self, position: u32) -> &mut Event {
        &mut self.events[position as usize]
    }

    pub fn place(&self, location: u32) -> &Place {
        &self.places[location as usize]
    }

    /// Makes room for the clock entry of `thread`.
    pub fn ensure_thread(&mut self, thread: u32) {
        let thread = thread as usize;
        if self.threads.len() <= thread {
            self.threads.resize_with(thread + 1, || Thread {
                base: NONE,
                root: NONE,
                ..Thread::default()
            });
        }
        if thread >= self.width {
            let width = (thread + 1).next_power_of_two();
            let mut clocks = vec![0; self.events.len() * 3 * width];
            for (old, new) in self
                .clocks
                .chunks_exact(self.width)
                .zip(clocks.chunks_exact_mut(width))
            {
                new[..self.width].copy_from_slice(old);
            }
            self.clocks = clocks;
            self.width = width;
        }
    }

    pub fn ensure_place(&mut self, location: u32, initial: Value, bits: u8) {
        let location = location as usize;
        if self.places.len() <= location {
            self.places.resize_with(location + 1, Place::default);
        }
        let place = &mut self.places[location];
        place.initial = initial;
        place.bits = bits;
    }

    #[inline]
    pub fn clock(&self, position: u32, which: Clock) -> &[u16] {
        let start = (position as usize * 3 + which as usize) * self.width;
        &self.clocks[start..start + self.width]
    }

    /// Whether `a` is in the prefix of `b`, or is `b`.
    #[inline]
    pub fn precedes(&self, a: u32, b: u32, which: Clock) -> bool {
        let event = self.at(a);
        u32::from(self.clock(b, which)[event.thread as usize]) >= event.index
    }

    fn copy_clock(&mut self, from: u32, of: Clock, to: u32, into: Clock) {
        let from = (from as usize * 3 + of as usize) * self.width;
        let to = (to as usize * 3 + into as usize) * self.width;
        self.clocks.copy_within(from..from + self.width, to);
    }

    fn join_clock(&mut self, from: u32, of: Clock, to: u32, into: Clock) {
        let from = (from as usize * 3 + of as usize) * self.width;
        let to = (to as usize * 3 + into as usize) * self.width;
        for i in 0..self.width {
            let seen = self.clocks[from + i];
            let entry = &mut self.clocks[to + i];
            *entry = (*entry).max(seen);
        }
    }

    /// Appends an event to its thread, with its coherence place and reads-from still open,
    /// and clocks of its predecessor only.
    pub fn push(&mut self, thread: u32, kind: Kind, order: MemoryOrder, node: u32) -> u32 {
        let position = self.len();
        let state = &mut self.threads[thread as usize];
        let before = state.events.last().copied().unwrap_or(state.base);
        let index = state.events.len() as u32 + 1;
        state.events.push(position);
        let release_fence = match before {
            NONE => NONE,
            b if self.at(b).kind == Kind::Fence
                && self.at(b).order.releases()
                && self.at(b).thread == thread =>
            {
                b
            }
            b if self.at(b).thread == thread => self.at(b).release_fence,
            _ => NONE,
        };
        self.events.push(Event {
            kind,
            order,
            exclusive: false,
            thread,
            index,
            before,
            location: NONE,
            rf: NONE,
            rank: 0,
            value: 0,
            node,
            next: NONE,
            release_fence,
        });
        self.clocks.resize(self.clocks.len() + 3 * self.width, 0);
        self.base_clocks(position);
        if order.is_seq_cst() {
            self.seq_cst.push(position);
        }
        position
    }

    /// Makes the event an access of `location`.
    pub fn access(&mut self, position: u32, location: u32) {
        self.at_mut(position).location = location;
        let plain = self.at(position).order == MemoryOrder::Plain;
        let place = &mut self.places[location as usize];
        place.accesses.push(position);
        place.plain += u32::from(plain);
    }

    /// Clocks before reads-from: the predecessor's, and the event itself.
    pub fn base_clocks(&mut self, position: u32) {
        let Event {
            before,
            thread,
            index,
            ..
        } = *self.at(position);
        for which in [Clock::Porf, Clock::Hb] {
            if before == NONE {
                let start = (position as usize * 3 + which as usize) * self.width;
                self.clocks[start..start + self.width].fill(0);
            } else {
                self.copy_clock(before, which, position, which);
            }
            let start = (position as usize * 3 + which as usize) * self.width;
            self.clocks[start + thread as usize] = index as u16;
        }
    }

    /// Sets what a read reads and brings its clocks up to date.
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
        let acquires = event.order.acquires();
        self.base_clocks(read);
        if write != NONE {
            self.join_clock(write, Clock::Porf, read, Clock::Porf);
            // A plain access takes no part in synchronisation.
            if acquires && self.at(write).order != MemoryOrder::Plain {
                self.join_clock(write, Clock::Message, read, Clock::Hb);
            }
        }
    }

    /// The clock that acquiring readers of a write join: its own when it releases, that of
    /// the latest release fence otherwise, and through a read-modify-write the message of
    /// the write it continues.
    pub fn set_message(&mut self, write: u32) {
        let Event {
            order,
            release_fence,
            exclusive,
            before,
            ..
        } = *self.at(write);
        let start = (write as usize * 3 + Clock::Message as usize) * self.width;
        if order == MemoryOrder::Plain {
            self.clocks[start..start + self.width].fill(0);
            return;
        }
        if order.releases() {
            self.copy_clock(write, Clock::Hb, write, Clock::Message);
        } else if release_fence != NONE {
            self.copy_clock(release_fence, Clock::Hb, write, Clock::Message);
        } else {
            self.clocks[start..start + self.width].fill(0);
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
        }
    }

    /// Coherence rank of a write, or of the write that a read reads.
    #[inline]
    pub fn rank_of(&self, write: u32) -> u32 {
        if write == NONE {
            0
        } else {
            self.at(write).rank
        }
    }

    /// The write at a coherence rank; [`NONE`] for the initial one.
    #[inline]
    pub fn ranked(&self, location: u32, rank: u32) -> u32 {
        if rank == 0 {
            NONE
        } else {
            self.place(location).co[rank as usize - 1]
        }
    }

    /// Whether the write at `rank` is the write of a read-modify-write.
    pub fn exclusive_at(&self, location: u32, rank: u32) -> bool {
        self.place(location)
            .co
            .get(rank.wrapping_sub(1) as usize)
            .is_some_and(|&w| self.at(w).exclusive)
    }

    /// Puts a write at `rank` (from 1) of its location's coherence order.
    pub fn insert_co(&mut self, write: u32, rank: u32) {
        let location = self.at(write).location as usize;
        self.places[location].co.insert(rank as usize - 1, write);
        self.renumber(location, rank as usize - 1);
    }

    /// Takes a write out of its coherence order, if it is in it.
    pub fn remove_co(&mut self, write: u32) {
        let Event { location, rank, .. } = *self.at(write);
        if rank != 0 {
            self.places[location as usize].co.remove(rank as usize - 1);
            self.at_mut(write).rank = 0;
            self.renumber(location as usize, rank as usize - 1);
        }
    }

    fn renumber(&mut self, location: usize, from: usize) {
        for (i, &w) in self.places[location].co.iter().enumerate().skip(from) {
            self.events[w as usize].rank = i as u32 + 1;
        }
    }

    /// Drops every event from position `keep` on.
    pub fn cut(&mut self, keep: u32) {
        while self.len() > keep {
            let position = self.len() - 1;
            if self.at(position).kind == Kind::Write {
                self.remove_co(position);
            }
            let Some(event) = self.events.pop() else {
                break;
            };
            self.threads[event.thread as usize].events.pop();
            if event.location != NONE {
                let place = &mut self.places[event.location as usize];
                place.accesses.pop();
                place.plain -= u32::from(event.order == MemoryOrder::Plain);
            }
            if event.order.is_seq_cst() {
                self.seq_cst.pop();
            }
            match event.kind {
                Kind::Write if event.exclusive => self.pending = event.thread,
                Kind::Read if self.pending == event.thread => self.pending = NONE,
                Kind::Spawn => self.threads[event.value as usize].live = false,
                _ => {}
            }
        }
        self.clocks.truncate(keep as usize * 3 * self.width);
    }

    /// The value that an update or exchange of `old` writes; `None` when it does not.
    pub fn written(&self, location: u32, update: Rmw, old: Value) -> Option<Value> {
        let bits = self.place(location).bits;
        match update {
            Rmw::Update(update) => Some(update.apply(old, bits)),
            Rmw::Exchange { expected, new } => {
                (old == truncate(expected, bits)).then(|| truncate(new, bits))
            }
        }
    }

    /// Copies `self` without `deleted` events into `into`; positions are made dense and
    /// `map` gets the new position of each event. The write `last`, youngest of all, is
    /// copied without coherence place. False when a read that stays reads from a deleted
    /// write; `repaired` is the read whose reads-from is about to be replaced.
    pub fn restrict(
        &self,
        keep: &[bool],
        repaired: u32,
        into: &mut Self,
        map: &mut Vec<u32>,
    ) -> bool {
        map.clear();
        let mut count = 0;
        for &kept in keep {
            map.push(if kept { count } else { NONE });
            count += u32::from(kept);
        }
        for (position, event) in self.events.iter().enumerate() {
            if keep[position]
                && event.kind == Kind::Read
                && event.rf != NONE
                && map[event.rf as usize] == NONE
                && position as u32 != repaired
            {
                return false;
            }
        }
        let at = |p: u32| if p == NONE { NONE } else { map[p as usize] };
        let list = |from: &[u32], to: &mut Vec<u32>| {
            to.clear();
            to.extend(from.iter().map(|&p| map[p as usize]).filter(|&p| p != NONE));
        };
        into.width = self.width;
        into.pending = NONE;
        into.events.clear();
        into.clocks.clear();
        for (position, event) in self.events.iter().enumerate() {
            if keep[position] {
                let mut event = event.clone();
                event.before = at(event.before);
                event.rf = at(event.rf);
                event.release_fence = at(event.release_fence);
                into.events.push(event);
                let start = position * 3 * self.width;
                into.clocks
                    .extend_from_slice(&self.clocks[start..start + 3 * self.width]);
            }
        }
        into.threads
            .resize_with(self.threads.len(), Thread::default);
        for (from, to) in self.threads.iter().zip(&mut into.threads) {
            list(&from.events, &mut to.events);
            to.base = at(from.base);
            to.root = from.root;
            to.live = from.live && (from.base == NONE || to.base != NONE);
        }
        into.places.resize_with(self.places.len(), Place::default);
        for (from, to) in self.places.iter().zip(&mut into.places) {
            list(&from.accesses, &mut to.accesses);
            let last = count - 1;
            list(&from.co, &mut to.co);
            to.co.retain(|&write| write != last);
            to.initial = from.initial;
            to.bits = from.bits;
            to.plain = 0;
        }
        list(&self.seq_cst, &mut into.seq_cst);
        if let Some(last) = into.events.last_mut() {
            last.rank = 0;
        }
        for place in 0..into.places.len() {
            into.renumber(place, 0);
            into.places[place].plain = into.places[place]
                .accesses
                .iter()
                .filter(|&&p| into.at(p).order == MemoryOrder::Plain)
                .count() as u32;
        }
        true
    }
}

/// The writing half of a read-modify-write.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rmw {
    Update(Update),
    Exchange { expected: Value, new: Value },
}
