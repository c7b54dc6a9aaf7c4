//! Execution graphs: events in order of addition, reads-from, coherence, and the two
//! clocks from which everything else is derived.
//!
//! An event's *position* in the arena is its stamp. The clocks of an event are computed
//! when it is added and stay right, because nothing later can change its prefix; only a
//! change of the reads-from of the youngest events makes them stale, and that recomputes
//! them.

mod clocks;
mod coherence;
mod parts;
mod restrict;

pub(crate) use clocks::Clock;
pub(crate) use coherence::Rmw;
pub(crate) use parts::{Place, Thread};

use super::program::{MemoryOrder, Value};
use clocks::Four;

/// "No event": also the initial write of a location.
pub(crate) const NONE: u32 = u32::MAX;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Read,
    Write,
    Fence,
    Spawn,
    Join,
    /// The birth of a location that must be freed; `value` is the location.
    Alloc,
    /// The end of a location: an access of it that is in no order but happens-before.
    Free,
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
    /// Of a read-modify-write that may succeed or not: on x86 a locked instruction.
    pub locked: bool,
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
    /// Read, written, chosen; of a spawn or join, the other thread's answer; of an allocation
    /// or its end, the location.
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

#[derive(Clone, Default, Debug)]
pub(crate) struct Graph {
    pub events: Vec<Event>,
    /// `width` of an event.
    clocks: Vec<Four>,
    width: usize,
    pub threads: Vec<Thread>,
    pub places: Vec<Place>,
    /// Events of order seq_cst, in order of addition.
    pub seq_cst: Vec<u32>,
    /// Events of kind [`Kind::Alloc`], in order of addition.
    pub allocations: Vec<u32>,
    /// Reads that read from a younger write, in order of addition.
    pub revisited: Vec<u32>,
    /// Memory for threads and places to come.
    idle_threads: Vec<Thread>,
    idle_places: Vec<Place>,
    /// The thread whose last event is the read of a read-modify-write not yet written.
    pub pending: u32,
}

impl Graph {
    /// Makes it an empty graph, whatever it was before.
    pub fn clear(&mut self) {
        (self.width, self.pending) = (1, NONE);
        self.events.clear();
        self.clocks.clear();
        self.seq_cst.clear();
        self.allocations.clear();
        self.revisited.clear();
        self.idle_threads.append(&mut self.threads);
        self.idle_places.append(&mut self.places);
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

    /// What comes before a thread's next event: its last, or what spawned it.
    #[inline]
    pub fn end_of(&self, thread: u32) -> u32 {
        let state = &self.threads[thread as usize];
        state.events.last().copied().unwrap_or(state.base)
    }

    /// Makes room for the clock entry of `thread`.
    pub fn ensure_thread(&mut self, thread: u32) {
        let thread = thread as usize;
        if self.threads.len() <= thread {
            let idle = &mut self.idle_threads;
            self.threads
                .resize_with(thread + 1, || Thread::again(idle.pop()));
        }
        if thread >= self.width * 4 {
            self.reshape((thread / 4 + 1).next_power_of_two());
        }
    }

    /// Makes `thread` the twin that follows `elder`.
    pub fn follow(&mut self, thread: u32, elder: u32) {
        self.threads[thread as usize].elder = elder;
    }

    #[inline]
    pub fn ensure_place(&mut self, location: u32, (initial, bits): (Value, u8)) {
        let location = location as usize;
        if self.places.len() <= location {
            let idle = &mut self.idle_places;
            self.places
                .resize_with(location + 1, || Place::again(idle.pop()));
        }
        let place = &mut self.places[location];
        place.initial = initial;
        place.bits = bits;
    }

    /// Appends an event to its thread, with its coherence place and reads-from still open,
    /// and clocks of its predecessors in its thread only.
    #[inline]
    pub fn push(&mut self, thread: u32, kind: Kind, order: MemoryOrder, node: u32) -> u32 {
        let position = self.len();
        let twin = self.twin_of_next(thread);
        let before = self.end_of(thread);
        let state = &mut self.threads[thread as usize];
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
            locked: false,
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
        self.push_clocks(position);
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
                            Kind::Spawn | Kind::Observe | Kind::Alloc | Kind::Free => false,
                        }
                }
            }
        }
    }

    /// Makes the event the birth of `location`.
    pub fn give_birth(&mut self, alloc: u32, location: u32) {
        let event = self.at_mut(alloc);
        event.value = location.into();
        let (thread, index) = (event.thread, event.index);
        self.allocations.push(alloc);
        let place = &mut self.places[location as usize];
        (place.creator, place.born) = (thread, index);
    }

    /// Whether the birth of its location does not happen before an access.
    #[inline]
    pub fn is_early(&self, access: u32) -> bool {
        let place = self.place(self.at(access).location);
        place.born != 0 && self.seen(access, Clock::Hb, place.creator) < place.born
    }

    /// Makes the event an access of `location`.
    #[inline]
    pub fn access(&mut self, position: u32, location: u32) {
        let event = self.at_mut(position);
        event.location = location;
        let (kind, plain) = (event.kind, event.order == MemoryOrder::Plain);
        let place = &mut self.places[location as usize];
        place.accesses.push(position);
        if plain {
            place.plain += 1;
            place.ends += u32::from(kind == Kind::Free);
        }
    }
}
