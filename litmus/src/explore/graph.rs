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

#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub kind: Kind,
    pub order: MemoryOrder,
    /// Half of a read-modify-write that succeeds.
    pub exclusive: bool,
    /// A write that stands for a whole update of a location at which nobody looks
    /// meanwhile: see the module `commute`.
    pub applied: bool,
    /// The thread is not told the old value.
    pub mute: bool,
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
    /// The event of the elder twin at the same index, while the two threads have done the
    /// same so far; else [`NONE`]. See the module `symmetry`.
    pub twin: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Thread {
    pub events: Vec<u32>,
    /// The spawn event; [`NONE`] for a thread that runs from the start.
    pub base: u32,
    /// The node of its first operation; [`NONE`] until asked.
    pub root: u32,
    pub live: bool,
    /// The node of its next operation; [`NONE`] until asked.
    pub next: u32,
    /// The thread that it is interchangeable with and follows; [`NONE`] for none.
    pub elder: u32,
}

#[derive(Clone, Default, Debug)]
pub(crate) struct Place {
    pub co: Vec<u32>,
    /// Reads and writes in order of addition.
    pub accesses: Vec<u32>,
    pub initial: Value,
    pub bits: u8,
    /// How many accesses are plain.
    pub plain: u32,
    /// How many writes are `applied`.
    pub applied: u32,
}

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

#[derive(Clone, Default, Debug)]
pub(crate) struct Graph {
    pub events: Vec<Event>,
    /// Four entries together: what most programs need is copied in one step.
    clocks: Vec<[u16; 4]>,
    /// Fours of a clock.
    width: usize,
    /// Clocks of an event: three, or four with twins.
    slots: usize,
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
            width: 1,
            slots: 3,
            pending: NONE,
            ..Self::default()
        }
    }

    #[inline]
    pub fn len(&self) -> u32 {
        self.events.len() as u32
    }

    #[inline]
    pub fn at(&self, position: u32) -> &Event {
        &self.events[position as usize]
    }

    #[inline]
    pub fn at_mut(&mut self, position: u32) -> &mut Event {
        &mut self.events[position as usize]
    }

    #[inline]
    pub fn place(&self, location: u32) -> &Place {
        &self.places[location as usize]
    }

    /// The last event of a thread.
    #[inline]
    pub fn last(&self, thread: u32) -> u32 {
        let events = &self.threads[thread as usize].events;
        events.last().copied().unwrap_or(NONE)
    }

    /// Makes room for the clock entry of `thread`.
    pub fn ensure_thread(&mut self, thread: u32) {
        let thread = thread as usize;
        if self.threads.len() <= thread {
            self.threads.resize_with(thread + 1, Thread::new);
        }
        if thread >= self.width * 4 {
            self.reshape((thread / 4 + 1).next_power_of_two(), self.slots);
        }
    }

    /// Makes `thread` the twin that follows `elder`.
    pub fn follow(&mut self, thread: u32, elder: u32) {
        if self.slots == 3 {
            self.reshape(self.width, 4);
        }
        self.threads[thread as usize].elder = elder;
    }

    fn reshape(&mut self, width: usize, slots: usize) {
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
        for i in 0..self.width {
            self.clocks[to + i] = self.clocks[from + i];
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

    /// Appends an event to its thread, with its coherence place and reads-from still open,
    /// and clocks of its predecessors in its thread only.
    #[inline]
    pub fn push(&mut self, thread: u32, kind: Kind, order: MemoryOrder, node: u32) -> u32 {
        let position = self.len();
        let twin = self.twin_of_next(thread);
        let state = &mut self.threads[thread as usize];
        let before = state.events.last().copied().unwrap_or(state.base);
        let index = state.events.len() as u32 + 1;
        state.events.push(position);
        state.next = NONE;
        let release_fence = match before {
            NONE => NONE,
            before => match *self.at(before) {
                Event { thread: other, .. } if other != thread => NONE,
                Event {
                    kind: Kind::Fence,
                    order,
                    ..
                } if order.releases() => before,
                Event { release_fence, .. } => release_fence,
            },
        };
        self.events.push(Event {
            kind,
            order,
            exclusive: false,
            applied: false,
            mute: false,
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
            twin,
        });
        self.clocks
            .resize(self.clocks.len() + self.slots * self.width, [0; 4]);
        self.base_clocks(position);
        if order.is_seq_cst() {
            self.seq_cst.push(position);
        }
        position
    }

    /// The event of the elder twin that the thread's next event is to be compared with.
    #[inline]
    fn twin_of_next(&self, thread: u32) -> u32 {
        let state = &self.threads[thread as usize];
        if state.elder == NONE || !self.is_alike(thread) {
            return NONE;
        }
        let elder = &self.threads[state.elder as usize].events;
        elder.get(state.events.len()).copied().unwrap_or(NONE)
    }

    /// Whether the thread has done the same as its elder twin so far.
    #[inline]
    pub fn is_alike(&self, thread: u32) -> bool {
        match self.last(thread) {
            NONE => self.threads[thread as usize].elder != NONE,
            last => {
                let (event, twin) = (self.at(last), self.at(last).twin);
                twin != NONE && {
                    let twin = self.at(twin);
                    event.kind == twin.kind
                        && match event.kind {
                            Kind::Read => {
                                event.rf == twin.rf && !event.exclusive && !twin.exclusive
                            }
                            Kind::Choice => event.value == twin.value,
                            Kind::Join => event.rank == twin.rank,
                            Kind::Fence => true,
                            Kind::Write => event.applied && twin.applied,
                            Kind::Spawn | Kind::Observe => false,
                        }
                }
            }
        }
    }

    /// Makes the event an access of `location`.
    #[inline]
    pub fn access(&mut self, position: u32, location: u32) {
        self.at_mut(position).location = location;
        let plain = self.at(position).order == MemoryOrder::Plain;
        let place = &mut self.places[location as usize];
        place.accesses.push(position);
        place.plain += u32::from(plain);
    }

    /// Clocks before reads-from: the predecessor's, and the event itself.
    #[inline]
    pub fn base_clocks(&mut self, position: u32) {
        let Event {
            before,
            thread,
            index,
            twin,
            ..
        } = *self.at(position);
        for which in [Clock::Porf, Clock::Hb, Clock::Prefix] {
            if which as usize >= self.slots {
                break;
            }
            if before == NONE {
                self.clear_clock(position, which);
            } else {
                self.copy_clock(before, which, position, which);
            }
            let start = self.start(position, which);
            self.clocks[start + thread as usize / 4][thread as usize % 4] = index as u16;
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

    /// What a write wrote; of [`NONE`], the first value.
    #[inline]
    pub fn value_of(&self, location: u32, write: u32) -> Value {
        match write {
            NONE => self.place(location).initial,
            write => self.at(write).value,
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
    #[inline]
    pub fn exclusive_at(&self, location: u32, rank: u32) -> bool {
        self.place(location)
            .co
            .get(rank.wrapping_sub(1) as usize)
            .is_some_and(|&w| self.at(w).exclusive)
    }

    /// Puts a write at `rank` (from 1) of its location's coherence order.
    #[inline]
    pub fn insert_co(&mut self, write: u32, rank: u32) {
        let location = self.at(write).location as usize;
        self.places[location].co.insert(rank as usize - 1, write);
        self.renumber(location, rank as usize - 1);
    }

    /// Takes a write out of its coherence order, if it is in it.
    #[inline]
    pub fn remove_co(&mut self, write: u32) {
        let Event { location, rank, .. } = *self.at(write);
        if rank != 0 {
            self.places[location as usize].co.remove(rank as usize - 1);
            self.at_mut(write).rank = 0;
            self.renumber(location as usize, rank as usize - 1);
        }
    }

    #[inline]
    fn renumber(&mut self, location: usize, from: usize) {
        let later = &self.places[location].co[from..];
        for (&w, rank) in later.iter().zip(from as u32 + 1..) {
            self.events[w as usize].rank = rank;
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
            let state = &mut self.threads[event.thread as usize];
            state.events.pop();
            state.next = NONE;
            if event.location != NONE {
                let place = &mut self.places[event.location as usize];
                place.accesses.pop();
                place.plain -= u32::from(event.order == MemoryOrder::Plain);
                place.applied -= u32::from(event.applied);
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
        self.clocks
            .truncate(keep as usize * self.slots * self.width);
    }

    /// The value that an update or exchange of `old` writes; `None` when it does not.
    #[inline]
    pub fn written(&self, location: u32, update: Rmw, old: Value) -> Option<Value> {
        let bits = self.place(location).bits;
        match update {
            Rmw::Update(update) => Some(update.apply(old, bits)),
            Rmw::Exchange { expected, new } => {
                (old == truncate(expected, bits)).then(|| truncate(new, bits))
            }
        }
    }

    /// Copies into `into` what stays when `read` is made to read from the youngest event,
    /// `write`: everything not younger than the read, and the prefix of the write, which is
    /// copied without coherence place. Positions are made dense; `map` gets the new position
    /// of each event. False when a read that stays reads from a deleted write.
    pub fn restrict(&self, read: u32, write: u32, into: &mut Self, map: &mut Vec<u32>) -> bool {
        map.clear();
        let prefix = self.clock(write, Clock::Prefix);
        let mut count = 0;
        map.extend(self.events.iter().enumerate().map(|(position, event)| {
            let kept =
                position as u32 <= read || u32::from(prefix[event.thread as usize]) >= event.index;
            let to = if kept { count } else { NONE };
            count += u32::from(kept);
            to
        }));
        let at = |p: u32| if p == NONE { NONE } else { map[p as usize] };
        (into.width, into.slots, into.pending) = (self.width, self.slots, NONE);
        into.events.clear();
        into.clocks.clear();
        into.seq_cst.clear();
        into.events.reserve(count as usize);
        if into.threads.len() != self.threads.len() {
            into.threads.resize_with(self.threads.len(), Thread::new);
        }
        for (from, to) in self.threads.iter().zip(&mut into.threads) {
            to.events.clear();
            to.base = at(from.base);
            to.root = from.root;
            to.next = NONE;
            to.elder = from.elder;
            to.live = from.live && (from.base == NONE || to.base != NONE);
        }
        if into.places.len() != self.places.len() {
            into.places.resize_with(self.places.len(), Place::default);
        }
        for (from, to) in self.places.iter().zip(&mut into.places) {
            to.accesses.clear();
            to.co.clear();
            (to.initial, to.bits) = (from.initial, from.bits);
            (to.plain, to.applied) = (0, 0);
        }
        let stride = self.slots * self.width;
        for (position, (event, &new)) in self.events.iter().zip(&*map).enumerate() {
            if new == NONE {
                continue;
            }
            let mut event = *event;
            event.before = at(event.before);
            event.release_fence = at(event.release_fence);
            event.twin = at(event.twin);
            if event.rf != NONE {
                event.rf = map[event.rf as usize];
                if event.rf == NONE && position as u32 != read {
                    return false;
                }
            }
            into.threads[event.thread as usize].events.push(new);
            if event.location != NONE {
                let place = &mut into.places[event.location as usize];
                place.accesses.push(new);
                place.plain += u32::from(event.order == MemoryOrder::Plain);
                place.applied += u32::from(event.applied);
            }
            if event.order.is_seq_cst() {
                into.seq_cst.push(new);
            }
            into.events.push(event);
            into.clocks
                .extend_from_slice(&self.clocks[position * stride..(position + 1) * stride]);
        }
        for (from, to) in self.places.iter().zip(&mut into.places) {
            for &write in &from.co {
                let new = map[write as usize];
                if new != NONE && new != count - 1 {
                    to.co.push(new);
                    into.events[new as usize].rank = to.co.len() as u32;
                }
            }
        }
        into.at_mut(count - 1).rank = 0;
        true
    }
}

impl Thread {
    fn new() -> Self {
        Self {
            events: Vec::new(),
            base: NONE,
            root: NONE,
            live: false,
            next: NONE,
            elder: NONE,
        }
    }
}

/// The writing half of a read-modify-write.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rmw {
    Update(Update),
    Exchange { expected: Value, new: Value },
}
