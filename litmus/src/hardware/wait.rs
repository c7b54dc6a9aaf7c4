//! Waiting that never collapses: spin while the other is likely to be running,
//! then give the core away, then sleep.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A counter alone on its cache line.
#[repr(align(64))]
#[derive(Default)]
pub(super) struct Counter(pub(super) AtomicUsize);

/// How patiently to wait for another thread.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// Turns of the spin loop before the core is given away.
    pub(super) spins: u32,
    /// Times the core is given away before giving up or sleeping.
    pub(super) yields: u32,
}

impl Patience {
    /// Threads that all have a core answer within a microsecond; 2,000 turns are
    /// about ten. Never yields: on a core shared with strangers a yield costs
    /// their whole time slices, and who has just slept is woken before them.
    pub(super) const ALL_RUNNING: Patience = Patience {
        spins: 2_000,
        yields: 0,
    };
    /// Somebody is surely not running: spinning keeps him from it.
    pub(super) const SHARING: Patience = Patience {
        spins: 50,
        yields: 1,
    };

    /// Waits for `ready`; whether it came.
    #[inline]
    pub(super) fn wait(self, ready: impl Fn() -> bool) -> bool {
        for _ in 0..self.spins {
            if ready() {
                return true;
            }
            std::hint::spin_loop();
        }
        for _ in 0..self.yields {
            std::thread::yield_now();
            if ready() {
                return true;
            }
        }
        false
    }
}

/// A barrier for a fixed number of threads.
pub(super) struct Barrier {
    threads: usize,
    arrived: Counter,
    round: Counter,
    patience: Patience,
}

impl Barrier {
    pub(super) fn new(threads: usize, patience: Patience) -> Barrier {
        Barrier {
            threads,
            arrived: Counter::default(),
            round: Counter::default(),
            patience,
        }
    }

    /// Returns when all have called; everything before happens before everything after.
    pub(super) fn meet(&self) {
        // Relaxed: my own round; it cannot advance before I arrive.
        let round = self.round.0.load(Ordering::Relaxed);
        // AcqRel: the last to arrive gathers what the others did, and releases it with the round.
        if self.arrived.0.fetch_add(1, Ordering::AcqRel) + 1 == self.threads {
            // Relaxed: nobody looks at it before the round, stored after it with release.
            self.arrived.0.store(0, Ordering::Relaxed);
            self.round.0.store(round + 1, Ordering::Release);
            return;
        }
        // Acquire: pairs with the last arrival's release.
        let over = || self.round.0.load(Ordering::Acquire) != round;
        while !self.patience.wait(over) {
            std::thread::sleep(Duration::from_micros(20));
        }
    }
}
