//! Data races by happens-before (FastTrack: Flanagan, Freund, PLDI 2009, with every thread's last accesses
//! instead of one epoch): two accesses to one byte, one of them a write and one of them plain, that no
//! synchronisation orders. Atomics order as C says, by their own orders and by fences; a failed exchange
//! counts as one that succeeded, which only hides races.
//!
//! A race is reported whether or not it did harm in this run. Tables are of fixed size: what falls out
//! of them is forgotten, never invented. A new window begins with nobody having done anything.

use crate::control::Step;
use std::cell::UnsafeCell;
use threadbare_control::block::{Access, Block, Kind, MAX_RACES, Race};

/// Threads that are told apart; accesses of later ones are not looked at.
const THREADS: usize = 8;
const OBJECTS: usize = 1 << 12;
const GRANULES: usize = 1 << 14;
/// Places of a table that are looked at for one key.
const PROBES: usize = 8;

type Clock = [u32; THREADS];

fn join(into: &mut Clock, other: &Clock) {
    for (mine, theirs) in into.iter_mut().zip(other) {
        *mine = (*mine).max(*theirs);
    }
}

#[derive(Clone, Copy)]
struct Object {
    window: u32,
    address: usize,
    clock: Clock,
}

/// A thread's last access of one kind to a granule.
#[derive(Clone, Copy)]
struct Last {
    /// The thread's own time; 0: none.
    at: u32,
    /// Which of the eight bytes.
    bytes: u8,
    kind: Kind,
    event: u32,
    pc: usize,
}

impl Last {
    const NONE: Self = Self {
        at: 0,
        bytes: 0,
        kind: Kind::Read,
        event: 0,
        pc: 0,
    };
}

#[derive(Clone, Copy)]
struct Granule {
    window: u32,
    number: usize,
    reads: [Last; THREADS],
    writes: [Last; THREADS],
}

struct State {
    /// Entries of earlier windows are empty.
    window: u32,
    /// False outside windows, and once a table was full.
    active: bool,
    clock: [Clock; THREADS],
    /// By the last fence that releases.
    fenced: [Clock; THREADS],
    /// Read by relaxed loads, for the next fence that acquires.
    pending: [Clock; THREADS],
    objects: [Object; OBJECTS],
    granules: [Granule; GRANULES],
}

struct Shared(UnsafeCell<State>);
// SAFETY: only the holder touches it.
unsafe impl Sync for Shared {}
static STATE: Shared = Shared(UnsafeCell::new(State {
    window: 0,
    active: false,
    clock: [[0; THREADS]; THREADS],
    fenced: [[0; THREADS]; THREADS],
    pending: [[0; THREADS]; THREADS],
    objects: [Object {
        window: 0,
        address: 0,
        clock: [0; THREADS],
    }; OBJECTS],
    granules: [Granule {
        window: 0,
        number: 0,
        reads: [Last::NONE; THREADS],
        writes: [Last::NONE; THREADS],
    }; GRANULES],
}));

fn state() -> &'static mut State {
    // SAFETY: called by the holder, or before there is a second thread; no reference outlives its call.
    unsafe { &mut *STATE.0.get() }
}

fn hash(key: usize) -> usize {
    ((key as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize
}

impl State {
    fn object(&mut self, address: usize, make: bool) -> Option<&mut Object> {
        let (window, first) = (self.window, hash(address));
        let at = (0..PROBES).map(|i| (first + i) % OBJECTS).find(|&i| {
            let object = &self.objects[i];
            object.window != window || object.address == address
        });
        // Without all orders there would be races that are none: no more is told in this window.
        let Some(at) = at else {
            self.active = false;
            return None;
        };
        let object = &mut self.objects[at];
        if object.window != window {
            if !make {
                return None;
            }
            *object = Object {
                window,
                address,
                clock: [0; THREADS],
            };
        }
        Some(object)
    }

    fn granule(&mut self, number: usize) -> &mut Granule {
        let (window, first) = (self.window, hash(number));
        let at = (0..PROBES).map(|i| (first + i) % GRANULES).find(|&i| {
            let granule = &self.granules[i];
            granule.window != window || granule.number == number
        });
        let granule = &mut self.granules[at.unwrap_or(first % GRANULES)];
        if granule.window != window || granule.number != number {
            *granule = Granule {
                window,
                number,
                reads: [Last::NONE; THREADS],
                writes: [Last::NONE; THREADS],
            };
        }
        granule
    }

    fn acquire(&mut self, me: usize, address: usize) {
        if let Some(object) = self.object(address, false) {
            let clock = object.clock;
            join(&mut self.clock[me], &clock);
        }
    }

    /// `alone`: what others have released there before no longer counts, as after a plain store.
    fn release(&mut self, me: usize, address: usize, alone: bool) {
        let clock = self.clock[me];
        if let Some(object) = self.object(address, true) {
            if alone {
                object.clock = clock;
            } else {
                join(&mut object.clock, &clock);
            }
        }
        self.clock[me][me] += 1;
    }
}

/// A window opens, or a program begins: nothing was done before.
pub fn begin() {
    let state = state();
    state.window += 1;
    state.active = true;
    state.fenced = [[0; THREADS]; THREADS];
    state.pending = [[0; THREADS]; THREADS];
    state.clock = [[0; THREADS]; THREADS];
    for (me, clock) in state.clock.iter_mut().enumerate() {
        clock[me] = 1;
    }
}

fn active(state: &State, me: usize) -> bool {
    state.active && me < THREADS
}

/// What `me` did so far comes before what others do after [`acquire`] of the same object.
pub fn release(me: usize, object: usize) {
    let state = state();
    if active(state, me) {
        state.release(me, object, false);
    }
}

/// See [`release`].
pub fn acquire(me: usize, object: usize) {
    let state = state();
    if active(state, me) {
        state.acquire(me, object);
    }
}

/// What `me` did so far comes before all that the thread does that it makes.
pub fn created(me: usize, new: usize) {
    let state = state();
    if active(state, me) && new < THREADS {
        state.clock[new] = state.clock[me];
        state.clock[new][new] = 1;
        state.clock[me][me] += 1;
    }
}

const ACQUIRES: [i32; 4] = [1, 2, 4, 5];
const RELEASES: [i32; 3] = [3, 4, 5];

/// A thread does this now.
pub fn did(block: &mut Block, me: usize, step: &Step) {
    let state = state();
    if !active(state, me) {
        return;
    }
    match step.kind {
        Kind::Fence => {
            if ACQUIRES.contains(&step.order) {
                let pending = state.pending[me];
                join(&mut state.clock[me], &pending);
            }
            if RELEASES.contains(&step.order) {
                state.fenced[me] = state.clock[me];
                state.clock[me][me] += 1;
            }
            return;
        }
        Kind::Read | Kind::Write | Kind::AtomicLoad | Kind::AtomicStore | Kind::AtomicUpdate => {}
        _ => return,
    }
    if step.size == 0 {
        return;
    }
    check(state, block, me, step);
    if matches!(step.kind, Kind::AtomicLoad | Kind::AtomicUpdate) {
        if ACQUIRES.contains(&step.order) {
            state.acquire(me, step.address);
        } else if let Some(object) = state.object(step.address, false) {
            let clock = object.clock;
            join(&mut state.pending[me], &clock);
        }
    }
    if matches!(step.kind, Kind::AtomicStore | Kind::AtomicUpdate) {
        let alone = step.kind == Kind::AtomicStore;
        if RELEASES.contains(&step.order) {
            state.release(me, step.address, alone);
        } else {
            let fenced = state.fenced[me];
            if let Some(object) = state.object(step.address, true) {
                if alone {
                    object.clock = fenced;
                } else {
                    join(&mut object.clock, &fenced);
                }
            }
        }
    }
}

fn check(state: &mut State, block: &mut Block, me: usize, step: &Step) {
    let clock = state.clock[me];
    let atomic = !matches!(step.kind, Kind::Read | Kind::Write);
    let end = step.address + usize::from(step.size);
    let mut from = step.address;
    while from < end {
        let number = from >> 3;
        let to = end.min((number + 1) << 3);
        let bytes = (((1u32 << (to - from)) - 1) << (from & 7)) as u8;
        let granule = state.granule(number);
        let mut found = None;
        for other in (0..THREADS).filter(|&t| t != me) {
            let read = step.writes.then_some(granule.reads[other]);
            for last in read.into_iter().chain([granule.writes[other]]) {
                let plain = !atomic || matches!(last.kind, Kind::Read | Kind::Write);
                if last.at > clock[other] && last.bytes & bytes != 0 && plain {
                    found = Some((other, last));
                }
            }
        }
        let last = Last {
            at: clock[me],
            bytes,
            kind: step.kind,
            event: (block.current.events - 1) as u32,
            pc: step.pc,
        };
        let slot = if step.writes {
            &mut granule.writes[me]
        } else {
            &mut granule.reads[me]
        };
        // In the same stretch between two synchronisations the bytes add up, unless one is atomic.
        *slot = match *slot {
            old if old.at == last.at && old.kind == last.kind => Last {
                bytes: old.bytes | bytes,
                ..last
            },
            _ => last,
        };
        if let Some((other, last)) = found {
            report(block, from, (other, last), me, step);
        }
        from = to;
    }
}

fn report(block: &mut Block, address: usize, first: (usize, Last), me: usize, step: &Step) {
    // A learning run has no seed by which it can be asked for again.
    if block.learned.open {
        return;
    }
    let race = Race {
        seed: block.current.seed,
        address: address as u64,
        first: Access {
            thread: first.0 as u32,
            kind: first.1.kind as u32,
            pc: first.1.pc as u64,
            event: first.1.event.into(),
        },
        second: Access {
            thread: me as u32,
            kind: step.kind as u32,
            pc: step.pc as u64,
            event: block.current.events - 1,
        },
    };
    let places = |race: &Race| (race.first.pc, race.second.pc);
    let (a, b) = places(&race);
    let kept = (block.race_count as usize).min(MAX_RACES);
    let known = |old: &Race| places(old) == (a, b) || places(old) == (b, a);
    if block.races[..kept].iter().any(known) {
        return;
    }
    if let Some(slot) = block.races.get_mut(kept) {
        *slot = race;
    }
    block.race_count += 1;
    block.current.races += 1;
}
