//! Several workers on one search.
//!
//! Every worker walks the same tree of choices in the same order. Down to a depth found
//! beforehand all of them take every choice, though only the first to come counts what it
//! finds; a choice at that depth, with everything under it, belongs to the first worker
//! that comes by. So nothing need be handed over, neither graphs nor caches nor running
//! closures; what is walked several times is the top of the tree, a few thousand
//! executions.
//!
//! Choices are claimed in the order of the sequential search. When one fails, those
//! before it have been claimed by then and are finished: the fault reported is the one
//! that a single worker reports.

use super::search::Item;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What the workers share.
pub(crate) struct Shared {
    claims: Mutex<HashMap<u64, Option<Item>>>,
    /// Nothing after this choice is of interest.
    last: AtomicU64,
    diverged: AtomicBool,
}

impl Shared {
    pub fn new() -> Self {
        Self {
            claims: Mutex::default(),
            last: AtomicU64::new(u64::MAX),
            diverged: AtomicBool::new(false),
        }
    }

    /// Whether two workers saw different trees, so that some executions may have been left
    /// out: the program is not deterministic, or numbers its threads by what came first.
    pub fn diverged(&self) -> bool {
        // Relaxed: read after the workers have been joined.
        self.diverged.load(Ordering::Relaxed)
    }

    fn claim(&self, serial: u64, item: Option<Item>) -> bool {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        match claims.insert(serial, item) {
            None => true,
            Some(other) => {
                if other != item {
                    // Relaxed: see `diverged`.
                    self.diverged.store(true, Ordering::Relaxed);
                }
                false
            }
        }
    }
}

/// One worker's view.
pub(crate) struct Worker<'a> {
    shared: Option<&'a Shared>,
    split: u32,
    serial: u64,
    /// Choices found at the depth of the split.
    pub frontier: u64,
}

/// Who takes a choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Claim {
    /// This worker.
    Mine,
    /// All of them, but another counts it.
    Pass,
    /// Another.
    Skip,
    /// Nobody any more.
    Stop,
}

impl<'a> Worker<'a> {
    /// One of several that split the work at choices of depth `split`.
    pub fn new(shared: &'a Shared, split: u32) -> Self {
        Self {
            shared: Some(shared),
            split,
            serial: 0,
            frontier: 0,
        }
    }

    /// One that goes no deeper than `split`, to see how many choices are there.
    pub fn survey(split: u32) -> Self {
        Self {
            shared: None,
            split,
            serial: 0,
            frontier: 0,
        }
    }

    /// The first execution.
    pub fn begin(&mut self) -> bool {
        self.shared.is_none_or(|shared| shared.claim(0, None))
    }

    /// Before a choice is taken.
    #[inline]
    pub fn claim(&mut self, depth: u32, item: Item) -> Claim {
        let Some(shared) = self.shared else {
            let deep = depth >= self.split;
            self.frontier += u64::from(deep);
            return if deep { Claim::Skip } else { Claim::Mine };
        };
        let top = depth <= self.split;
        self.serial += u64::from(top);
        // Relaxed: only a hint to stop; results travel by joining the worker.
        if self.serial > shared.last.load(Ordering::Relaxed) {
            return Claim::Stop;
        }
        if !top || shared.claim(self.serial, Some(item)) {
            Claim::Mine
        } else if depth == self.split {
            Claim::Skip
        } else {
            Claim::Pass
        }
    }

    /// Something was found here: nothing later is of interest. Where in the order it is.
    pub fn finish(&self) -> u64 {
        if let Some(shared) = self.shared {
            // Relaxed: see `claim`.
            shared.last.fetch_min(self.serial, Ordering::Relaxed);
        }
        self.serial
    }
}
