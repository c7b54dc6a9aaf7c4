//! Quiescent-state based reclamation (QSBR).
//!
//! # Question
//! A reader follows a pointer without a lock and without a count. When may the memory
//! behind a pointer that was unlinked be freed?
//!
//! # The idea
//! A clock with two hands. The *write sequence* is advanced after an unlink; the memory
//! gets the new value as its *goal*. Each thread that is *online* publishes the last write
//! sequence it has observed at a quiescent point, a point where it holds no pointer. The
//! *read sequence* is the least of these. Once it has reached the goal, every thread has
//! passed a quiescent point since the unlink.
//!
//! # Timeline
//! ```text
//! T0: reads                 T1: unlinks p, frees it            write  read  T0's
//! online: publishes 1                                            1      1     1
//! p = the pointer
//!                           unlinks p
//!                           advances: p's goal is 3              3      1     1
//!                           polls 3: the least is T0's 1: waits
//! uses p
//! quiescent: publishes 3                                         3      1     3
//!                           polls 3: the least is 3: frees p     3      3     3
//! ```
//!
//! # Obligations
//! * A thread that comes online publishes its sequence before its first read, in an order
//!   that a scan cannot miss: store, full fence, read, against unlink, full fence, scan.
//! * The scan starts from a write sequence read *before* it looks at the threads: whoever
//!   comes online later starts no lower.
//! * Going offline is ordered after the last use.
//! * Sequences are compared by the sign of their difference: they wrap around.
//!
//! # Source
//! FreeBSD `subr_smr.c` ("GUS"); CPython 3.13 `Python/qsbr.c`. CPython makes attaching a
//! sequentially consistent store and advances the write sequence likewise; here it is FreeBSD's
//! store and fence, which loom judges exactly, and the weakest orders that the checks accept.
//! The deferred goal (*next*) is a plain load there and a read-modify-write here: see the shipped
//! form `qsbr-next-without-fence`.

mod checks;
mod client;

pub use self::checks::*;
pub use self::client::{Local, Op, Pointer};

use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require};
use crate::protocol::{Fault, Property, Protocol, SKIPPED, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};
use std::marker::PhantomData;

/// The first sequence. Sequences are odd, so that zero means offline, also after a wrap.
const FIRST: u64 = 1;
const STEP: u64 = 2;

/// The clock and the threads' published sequences.
pub struct Qsbr<R: Runtime, F> {
    write: R::AtomicU64,
    read: R::AtomicU64,
    threads: Box<[R::AtomicU64]>,
    faults: F,
}

/// `a` is before `b`, on a circle.
fn before(a: u64, b: u64) -> bool {
    (a.wrapping_sub(b) as i64) < 0
}

impl<R: Runtime, F: Fault<Mutant>> Qsbr<R, F> {
    /// A clock for `threads` threads, all offline.
    pub fn new(threads: usize, faults: F) -> Self {
        let seq = |n| R::AtomicU64::new(0, Label::nth("seq", n));
        Self {
            write: R::AtomicU64::new(FIRST, "write"),
            read: R::AtomicU64::new(FIRST, "read"),
            threads: (0..threads).map(seq).collect(),
            faults,
        }
    }

    fn before(&self, a: u64, b: u64) -> bool {
        if self.faults.is(Mutant::UnsignedCompare) { a < b } else { before(a, b) }
    }

    /// Thread `n` comes online.
    pub fn attach(&self, n: usize) {
        // Acquire: what was unlinked before this sequence is unlinked for us. The fence below
        // acquires as well; the forms without it are to differ by that alone.
        let seq = self.write.load(Acquire);
        if self.faults.is(Mutant::AttachRelaxed) {
            return self.threads[n].store(seq, Release);
        }
        if self.faults.is(Mutant::AttachUnfenced) {
            return self.threads[n].store(seq, SeqCst);
        }
        self.threads[n].store(seq, Relaxed);
        // SeqCst, against the fence in `poll`: either the scan sees us, or our reads see
        // everything that was unlinked before the scan.
        R::fence(SeqCst);
    }

    /// Thread `n` holds no pointer at this moment.
    pub fn quiescent(&self, n: usize) {
        // Acquire: pairs with the advance, which comes after its unlink. Release: our
        // reads come before a free that relies on this store. No fence: until the store
        // the scan sees our older sequence, which only delays.
        let seq = self.write.load(Acquire);
        if !self.faults.is(Mutant::QuiescentNothing) {
            self.threads[n].store(seq, Release);
        }
    }

    /// Thread `n` goes offline; it holds no pointer.
    pub fn detach(&self, n: usize) {
        // Release: pairs with the scan; our last use comes before the free.
        let order = if self.faults.is(Mutant::DetachRelaxed) { Relaxed } else { Release };
        self.threads[n].store(0, order);
    }

    /// The goal of what was just unlinked.
    pub fn advance(&self) -> u64 {
        // Release: the unlink comes before. Not acquire: the unlinks of earlier advances,
        // whose goals a reader of this value also reaches, come before by the release
        // sequence that each read-modify-write continues.
        let old = self.write.fetch_add(STEP, Release);
        if self.faults.is(Mutant::OldGoal) { old } else { old.wrapping_add(STEP) }
    }

    /// The goal of what was just unlinked, reached once somebody else advances.
    pub fn next(&self) -> u64 {
        if self.faults.is(Mutant::NextWithoutFence) {
            return self.write.load(Acquire).wrapping_add(STEP);
        }
        // A read-modify-write that changes nothing: the next advance then reads from us
        // and carries our unlink to every reader of its value.
        // Release: as in `advance`.
        self.write.fetch_add(0, Release).wrapping_add(STEP)
    }

    /// Whether every thread has passed a quiescent point since the goal was given.
    pub fn poll(&self, goal: u64) -> bool {
        // 1. Somebody may have found out already.
        // Acquire: pairs with the exchange below, by whoever scanned.
        let read = self.read.load(Acquire);
        if !self.before(read, goal) {
            return true;
        }
        // 2. How far all threads are.
        let reordered =
            self.faults.is(Mutant::FenceBeforeWrite) || self.faults.is(Mutant::WriteAfterScan);
        let least = if reordered { self.scan_reordered() } else { self.scan() };
        // 3. So far is the read sequence now.
        if self.before(read, least) || self.faults.is(Mutant::ReadPastWrite) {
            // Release: what the scan has seen, for those who only read the result. A
            // failed exchange means somebody else scanned: the goal may have to wait.
            let reached = if self.faults.is(Mutant::ReadPastWrite) { goal } else { least };
            let _ = self.read.compare_exchange(read, reached, Release, Relaxed);
        }
        !self.before(least, goal)
    }

    /// A sequence that every thread has passed a quiescent point after.
    fn scan(&self) -> u64 {
        // 1. Whoever comes online from here on starts no lower than this.
        // Acquire: as in `attach`, and as there the fence would do.
        let write = self.write.load(Acquire);
        // 2. SeqCst, against the fence in `attach`. After the load of the write sequence:
        // the unlinks of other threads that this sequence stands for have to come
        // before the fence too, not only our own.
        if !self.faults.is(Mutant::ScanUnfenced) {
            R::fence(SeqCst);
        }
        // 3. The threads.
        self.least(write)
    }

    /// The least of `least` and the sequences of all that are online.
    fn least(&self, mut least: u64) -> u64 {
        for thread in &self.threads {
            // Acquire: pairs with quiescent and detach.
            let seq = thread.load(Acquire);
            let online = seq != 0 || self.faults.is(Mutant::OfflineCounts);
            if online && self.before(seq, least) {
                least = seq;
            }
        }
        least
    }

    /// The mutant scans: the steps in another order.
    fn scan_reordered(&self) -> u64 {
        R::fence(SeqCst);
        if self.faults.is(Mutant::FenceBeforeWrite) {
            return self.least(self.write.load(Acquire));
        }
        let seen: Vec<u64> = self.threads.iter().map(|thread| thread.load(Acquire)).collect();
        let write = self.write.load(Acquire);
        let online = seen.into_iter().filter(|seq| *seq != 0);
        online.fold(write, |least, seq| if self.before(seq, least) { seq } else { least })
    }
}
