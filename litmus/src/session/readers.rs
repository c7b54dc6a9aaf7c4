//! Locks for readers, and what `std` allows of them that nobody explores: a reader may wait behind a
//! writer that waits. That is a deadlock where the writer waits for another reader, and that one waits for the first
//! by way of something else.

use super::{Op, SHARED, Shared};
use crate::explore::program::{Location, Wait};
use std::collections::BTreeMap;

/// Which locks the threads of a run hold for reading: thread and location.
#[derive(Default)]
pub(super) struct Readers(Vec<(u32, u32)>);

/// What has ever been done with a lock.
#[derive(Default)]
pub(super) struct Uses {
    written: bool,
    /// The first thread that read it.
    reader: Option<u32>,
    /// Whether another one did.
    several: bool,
    /// Whether a thread waited for something while it read it.
    held: bool,
}

/// By location.
pub(super) type Locks = BTreeMap<u32, Uses>;

impl Readers {
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl Shared {
    /// The running thread performs an operation.
    pub(super) fn may_wait(&mut self, op: &Op) {
        let waits = match op {
            Op::AwaitUpdate { .. } | Op::AwaitExchange { .. } | Op::Await { .. } | Op::Join(_) => {
                true
            }
            Op::Block { wait, .. } => *wait != Wait::Assume,
            _ => false,
        };
        let held = self
            .readers
            .0
            .iter()
            .filter(|(thread, _)| *thread == self.thread);
        if waits && !self.readers.0.is_empty() {
            for &(_, lock) in held {
                self.names.locks.entry(lock).or_default().held = true;
            }
        }
    }
}

/// What is left out of locks that were used so.
pub(super) fn left_out(locks: &Locks) -> Option<&'static str> {
    let behind = locks
        .values()
        .any(|uses| uses.written && uses.several && uses.held);
    behind.then_some("deadlocks of readers behind a writer that waits for a reader")
}

/// The running thread holds a lock for reading.
pub(crate) fn reads(lock: Location) {
    SHARED.with_borrow_mut(|s| s.readers.0.push((s.thread, lock.0)));
}

/// It gives the lock back.
pub(crate) fn reads_no_more(lock: Location) {
    SHARED.with_borrow_mut(|s| {
        let held = (s.thread, lock.0);
        let at = s.readers.0.iter().rposition(|&other| other == held);
        at.map(|at| s.readers.0.swap_remove(at))
    });
}

/// It waits to read.
pub(crate) fn waits_to_read(lock: Location) {
    SHARED.with_borrow_mut(|s| {
        let uses = s.names.locks.entry(lock.0).or_default();
        uses.several |= *uses.reader.get_or_insert(s.thread) != s.thread;
        if s.readers.0.contains(&(s.thread, lock.0)) {
            let again = "deadlocks of a thread that reads a lock again behind a writer";
            s.names.left_out.insert(again);
        }
    });
}

/// It waits to write.
pub(crate) fn waits_to_write(lock: Location) {
    SHARED.with_borrow_mut(|s| s.names.locks.entry(lock.0).or_default().written = true);
}
