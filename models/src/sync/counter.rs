//! What exclusion is judged by: a plain number that is counted up under a lock.

use crate::ghost::require;
use crate::runtime::{DataCell as _, Label, Runtime};
use crate::verdict::{Breach, Kind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number that is read and written in two steps, and beside it, for the observer, how often.
pub(crate) struct Counter<R: Runtime> {
    data: R::Cell<u64>,
    /// Relaxed throughout and no step of the scheme: the observer orders nothing.
    counted: AtomicU64,
    n: usize,
}

impl<R: Runtime> Counter<R> {
    /// The misbehaviours that show two threads in one section.
    pub(crate) const BREACHES: &'static [Breach] =
        &[Kind::LostUpdate.at(&["data"]), Kind::DataRace.at(&["data"])];

    pub(crate) fn new(n: usize) -> Self {
        Self { data: R::Cell::new(0, Label::nth("data", n)), counted: AtomicU64::new(0), n }
    }

    /// Counts.
    #[track_caller]
    pub(crate) fn count(&self) {
        self.store(self.data.read());
    }

    /// The first half of counting.
    #[track_caller]
    pub(crate) fn read(&self) -> u64 {
        self.data.read()
    }

    /// The second half: one more than was read.
    #[track_caller]
    pub(crate) fn store(&self, read: u64) {
        self.data.write(read + 1);
        self.counted.fetch_add(1, Relaxed);
    }

    /// When all have ended: nothing that was counted is lost.
    pub(crate) fn check(&self) {
        let (data, counted) = (self.data.read(), self.counted.load(Relaxed));
        require(data == counted, Kind::LostUpdate, || {
            format!("data[{}]: {data} after {counted} were counted", self.n)
        });
    }
}
