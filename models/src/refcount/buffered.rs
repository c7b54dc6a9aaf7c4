//! Buffered reference counts: logs and a commit thread.
//!
//! # Question
//! The Gilectomy's last scheme: threads do not touch counts at all, they write increments
//! and decrements into logs of their own, and one commit thread applies them. The count is
//! always late. When is it safe to believe a zero?
//!
//! # The idea
//! Doing an increment earlier than it happened is harmless; doing a decrement earlier is
//! not. So increments and decrements have separate logs, and the commit thread works in
//! rounds: it waits until every thread has handed over its logs, applies all increments,
//! and then the decrements *of the round before*. Every increment that happened before
//! one of those is in a log that has been handed over by now, whichever thread wrote it.
//!
//! # Obligations
//! * A decrement is applied only after every increment that happened before it.
//! * No entry is lost or applied twice, also when a thread blocks or exits, or its log is full.
//! * Nobody but the commit thread looks at a count: "the count is one, so I may change the
//!   object in place" cannot be asked.
//! * An upgrade from a bare address needs an answer *now*, which a late count cannot give.
//!   A second, immediate count of upgrades under way (`pins`) decides against the free:
//!   one word, taken from zero to dying by the commit thread, raised by upgraders.
//!   `buf-upgrade-by-count` shows what happens without it: the late count alone does not
//!   support weak references, a property of the design and not of an implementation.
//! * A finalizer may store a new reference to the object that is being freed. That
//!   reference is logged like any other, so the decision to free cannot stand: after the
//!   finalizer the object goes back to ordinary counting and is judged again by later
//!   rounds (`buf-resurrect-lost` frees it at once).
//!
//! # Limits
//! While the finalizer runs, and only then, an upgrade is refused although the object may
//! live on: pins cannot know. A free is two complete rounds late, a finalized object's
//! four, and one thread that reaches no safe point holds up everybody's.
//!
//! # Orders
//! Questions and answers (`asked`, `joined`) are released and acquired, as flags for data are.
//! Weakened one at a time, none breaks a property, and none could: the data, the logs, pass through a mutex, whose sections order every answer that is read before one section after
//! what was handed over in an earlier one. (Were the hand-over's section the later one, the
//! answer would be read before it was written.) Pins decide by the value of one word; what was
//! done to the object reaches the free through the logs.
//!
//! # Source
//! Reports of the 2016 and 2017 Python Language Summits (Hastings) for the two logs and the
//! commit thread; Jones, Hosking, Moss, *The Garbage Collection Handbook*, for deferred
//! application. Rounds, hand-over and pins are this project's.

mod after_zero;
mod checks;
mod operations;

pub use self::checks::*;
pub use self::operations::Extra;

use super::{Count, Object, Op, Workshop, destroy, random, workshop};
use crate::enumerate::{Place, Start};
use crate::ghost::require;
use crate::protocol::{Fault, Property, Protocol, Scenario, Shape, Switch};
use crate::runtime::{Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

/// An object that the commit thread is about to free.
const DYING: u32 = u32::MAX;
/// What a finalizer does: nothing that outlives it, or store a reference to its object.
const PLAIN: u8 = 1;
const STORES: u8 = 2;
const FINALIZED: u8 = 3;
/// A thread that has not begun to log, or will not log anything more.
const GONE: u64 = u64::MAX;

/// The scheme.
pub struct Buffered<R: Runtime, F> {
    objects: Box<[Object<R, Header<R>>]>,
    /// Logs handed over and not yet collected.
    handed: R::Mutex<Logs>,
    /// The round that threads are asked to join.
    asked: R::AtomicU64,
    /// Per thread: the last round it joined.
    joined: Box<[R::AtomicU64]>,
    /// Entries that a thread's log holds before it is handed over; 0 for any number.
    capacity: R::Cell<usize>,
    /// The commit thread's own: decrements of the round before.
    commit: R::Mutex<Commit>,
    faults: F,
}

/// Entries of both kinds; an increment may come from an upgrade and then holds a pin.
#[derive(Clone, Default)]
struct Logs {
    increments: Vec<(usize, bool)>,
    decrements: Vec<usize>,
    /// Per thread in order, for the mutant with one log.
    mixed: Vec<(usize, usize, bool)>,
}

#[derive(Default)]
struct Commit {
    pending: Vec<usize>,
    zeros: Vec<usize>,
    /// Claimed, with a finalizer to run outside the commit lock.
    finalize: Vec<usize>,
}

/// What an object carries.
pub struct Header<R: Runtime> {
    /// The commit thread's; plain.
    count: R::Cell<i64>,
    /// Upgrades whose increment has not been applied, or dying.
    pins: R::AtomicU32,
    /// What its finalizer does; the commit thread's.
    finalizer: R::Cell<u8>,
}

/// What a thread carries.
pub struct Thread {
    n: usize,
    gone: bool,
    logs: Logs,
}

type Obj<R> = Object<R, Header<R>>;

impl<R: Runtime, F: Fault<Mutant>> Buffered<R, F> {
    fn with_faults(shape: Shape, faults: F) -> Self {
        let header = |n| Header {
            count: R::Cell::new(0, Label::part("object", "count", n)),
            pins: R::AtomicU32::new(0, Label::part("object", "pins", n)),
            finalizer: R::Cell::new(0, Label::part("object", "finalizer", n)),
        };
        let joined = |n| R::AtomicU64::new(GONE, Label::nth("joined", n));
        Self {
            objects: (0..shape.objects).map(|n| Object::blank(n, header(n))).collect(),
            handed: R::Mutex::new(Logs::default(), "handed"),
            asked: R::AtomicU64::new(1, "asked"),
            joined: (0..shape.threads).map(joined).collect(),
            capacity: R::Cell::new(0, "capacity"),
            commit: R::Mutex::new(Commit::default(), "commit"),
            faults,
        }
    }

    fn hand_over(&self, thread: &mut Thread) {
        let logs = std::mem::take(&mut thread.logs);
        let mut handed = self.handed.lock();
        handed.increments.extend(logs.increments);
        handed.decrements.extend(logs.decrements);
        handed.mixed.extend(logs.mixed);
    }

    /// A safe point: joins the round that is asked for.
    /// The round joined, or one joined before.
    fn join(&self, thread: &mut Thread) -> u64 {
        // Acquire: pairs with the commit thread's question, the logs of the last round taken
        // before. Equivalent to relaxed, see the head; so too below.
        let asked = self.asked.load(Acquire);
        // Relaxed: our own word.
        if !thread.gone && self.joined[thread.n].load(Relaxed) < asked {
            self.hand_over(thread);
            // Release: the logs before the answer.
            self.joined[thread.n].store(asked, Release);
        }
        asked
    }

    /// The thread stops logging: it exits, or blocks in foreign code.
    fn leave(&self, thread: &mut Thread, keeps: bool) {
        if thread.gone {
            return;
        }
        thread.gone = true;
        if !keeps {
            self.hand_over(thread);
        }
        // Release: as in `join`.
        self.joined[thread.n].store(GONE, Release);
        if keeps {
            self.hand_over(thread);
        }
    }

    /// One round, if everybody has joined it; false when somebody has not.
    fn round(&self, thread: &mut Thread) -> bool {
        // The commit thread logs too, and is at a safe point here.
        // Relaxed: the commit thread alone writes it.
        let round = self.asked.load(Relaxed);
        self.join(thread);
        // Acquire: the logs before the answer.
        if self.joined.iter().any(|joined| joined.load(Acquire) < round) {
            return false;
        }
        let mut commit = self.commit.lock();
        let logs = match self.faults.is(Mutant::DoubleApply) {
            true => self.handed.lock().clone(),
            false => std::mem::take(&mut *self.handed.lock()),
        };
        if self.faults.is(Mutant::OneLog) {
            let mut mixed = logs.mixed;
            // Thread by thread, the last first.
            mixed.sort_by_key(|(n, ..)| std::cmp::Reverse(*n));
            for (_, object, up) in mixed {
                self.apply(object, if up { 1 } else { -1 }, &mut commit);
                self.free_zeros(thread, &mut commit);
            }
        } else {
            let same_round = self.faults.is(Mutant::SameRound);
            let mut ready = std::mem::replace(&mut commit.pending, logs.decrements);
            if same_round {
                ready.append(&mut commit.pending);
            }
            let first = self.faults.is(Mutant::DecrementsFirst);
            if first {
                ready.append(&mut commit.pending);
                for object in ready.drain(..) {
                    self.apply(object, -1, &mut commit);
                }
                self.free_zeros(thread, &mut commit);
            }
            for (object, pinned) in logs.increments {
                self.apply(object, 1, &mut commit);
                if pinned {
                    // The count has it now. Release and acquire for both, as an ordinary count
                    // would need them; equivalent to relaxed, see the head.
                    self.objects[object].header.pins.fetch_sub(1, AcqRel);
                }
            }
            for object in ready {
                self.apply(object, -1, &mut commit);
            }
            self.free_zeros(thread, &mut commit);
        }
        // Release: the logs of this round were taken before.
        self.asked.store(round + 1, Release);
        let finalize = std::mem::take(&mut commit.finalize);
        drop(commit);
        for n in finalize {
            self.finalize(thread, n);
        }
        true
    }

    fn apply(&self, n: usize, by: i64, commit: &mut Commit) {
        let object = &self.objects[n];
        let count = object.header.count.read() + by;
        object.header.count.write(count);
        if count == 0 && !commit.zeros.contains(&n) {
            commit.zeros.push(n);
        }
    }

    fn free_zeros(&self, thread: &mut Thread, commit: &mut Commit) {
        for n in std::mem::take(&mut commit.zeros) {
            let Header { count, pins, .. } = &self.objects[n].header;
            if count.read() != 0 {
                continue;
            }
            let claimed = if self.faults.is(Mutant::UpgradeByCount) {
                true
            } else if self.faults.is(Mutant::ClaimLate) {
                let free = pins.load(Acquire) == 0;
                if free {
                    pins.store(DYING, Release);
                }
                free
            } else {
                // One step against the upgraders'. Their uses are ordered by the logs that made
                // the count zero: equivalent to relaxed.
                pins.compare_exchange(0, DYING, AcqRel, Acquire).is_ok()
            };
            if claimed {
                match self.objects[n].header.finalizer.read() {
                    PLAIN | STORES if self.faults.is(Mutant::DelOnCommit) => {
                        self.finalize(thread, n);
                    }
                    PLAIN | STORES => commit.finalize.push(n),
                    _ => destroy(self, thread, &self.objects[n]),
                }
            } else {
                // The upgrade's increment is on its way.
                commit.zeros.push(n);
            }
        }
    }

    fn log(&self, thread: &mut Thread, n: usize, up: bool, pinned: bool) {
        if self.faults.is(Mutant::OneLog) {
            thread.logs.mixed.push((thread.n, n, up));
        } else if up {
            thread.logs.increments.push((n, pinned));
        } else {
            thread.logs.decrements.push(n);
        }
        self.when_full(thread);
    }

    /// A full log is handed over at once. That is no answer to a round: what others logged before
    /// is not handed over yet, and the delay of decrements covers it as it does between rounds.
    fn when_full(&self, thread: &mut Thread) {
        let capacity = self.capacity.read();
        let len = |logs: &Logs| logs.increments.len() + logs.decrements.len();
        if capacity == 0 {
            return;
        }
        require(len(&thread.logs) <= capacity, Kind::Unbounded, || {
            format!("log[{}]: {} entries of {capacity}", thread.n, len(&thread.logs))
        });
        if len(&thread.logs) == capacity && !self.faults.is(Mutant::Unbounded) {
            if self.faults.is(Mutant::FullForgets) {
                thread.logs.decrements.pop();
            }
            self.hand_over(thread);
        }
    }
}
