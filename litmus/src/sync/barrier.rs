//! The barrier.

use super::atomic::AtomicU64;
use super::atomic::Ordering::{AcqRel, Acquire, Release};
use std::fmt;

/// A barrier, as `std`'s: each so many threads wait for one another.
///
/// ```
/// use threadbare_litmus::{explore, cell::Cell, sync::{Arc, Barrier}, thread};
///
/// let report = explore(|| {
///     let both = Arc::new((Barrier::new(2), Cell::new(0)));
///     let other = both.clone();
///     let thread = thread::spawn(move || {
///         other.1.set(1);
///         other.0.wait().is_leader()
///     });
///     let leads = both.0.wait().is_leader();
///     assert_eq!(both.1.get(), 1);
///     assert!(leads != thread.join().unwrap());
/// });
/// assert_eq!(report.complete, 2);
/// ```
pub struct Barrier {
    threads: u64,
    /// Arrivals so far.
    arrived: AtomicU64,
    /// Complete rounds.
    rounds: AtomicU64,
}

/// Tells one of the threads that waited from the others.
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Whether it is the last that came.
    pub const fn is_leader(&self) -> bool {
        self.0
    }
}

impl fmt::Debug for BarrierWaitResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWaitResult")
            .field("is_leader", &self.0)
            .finish()
    }
}

impl Barrier {
    /// For so many threads; 0 is taken for 1, as `std` does.
    pub fn new(threads: usize) -> Self {
        Self::named(threads, "barrier")
    }

    /// As [`Self::new`], with a name for tables.
    pub fn named(threads: usize, name: &str) -> Self {
        Self {
            threads: threads.max(1) as u64,
            arrived: AtomicU64::named(0, name),
            rounds: AtomicU64::named(0, &format!("{name}'s rounds")),
        }
    }

    /// Waits for the others.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        // AcqRel: the last to come has seen what all did before, and passes it on by the
        // release of the round.
        let before = self.arrived.fetch_add(1, AcqRel);
        let round = before / self.threads + 1;
        let leads = (before + 1).is_multiple_of(self.threads);
        if leads {
            self.rounds.store(round, Release);
        } else {
            self.rounds.await_until(Acquire, |done| done >= round);
        }
        BarrierWaitResult(leads)
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}
