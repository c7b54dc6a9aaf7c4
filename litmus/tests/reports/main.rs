//! The programs of `reports/` at larger bounds than the smallest program: the shipped form
//! fails, the repaired one is exhausted without a fault; and the pictures beside the
//! reports are those of the executions that they describe.
//!
//! `UPDATE_REPORTS=1 cargo test -p threadbare-litmus --test reports` writes the pictures.

mod pictures;
mod quiescent;
mod sharing;

use threadbare_litmus::explore::{FailureKind, Report};
use threadbare_litmus::sync::Arc;
use threadbare_litmus::sync::atomic::AtomicU32;
use threadbare_litmus::sync::atomic::Ordering::{self, SeqCst};
use threadbare_litmus::{Explorer, Model, cell::Cell};

const OLD: u32 = 1;
const NEW: u32 = 0;
const OFFLINE: u32 = 0;

fn holds(what: &str, model: Model, program: impl Fn() + Send + Sync + 'static) {
    let report = Explorer::new().model(model).check(program);
    if let Some(failure) = &report.failure {
        panic!("{what}: {}\n{}", failure.message, failure.table);
    }
    assert!(report.exhaustive && report.complete > 0, "{what}");
    let Report {
        complete, blocked, ..
    } = report;
    println!("{what}, {model:?}: no fault in {complete} complete and {blocked} blocked executions");
}

/// A use of freed memory is a plain read that does not happen before the plain write which
/// stands for the free.
fn fails(what: &str, model: Model, program: impl Fn() + Send + Sync + 'static) {
    let report = Explorer::new().model(model).check(program);
    let failure = report
        .failure
        .unwrap_or_else(|| panic!("{what}: nothing found under {model:?}"));
    assert_eq!(
        failure.kind,
        FailureKind::DataRace,
        "{what}: {}",
        failure.message
    );
    assert!(
        failure.message.contains("block"),
        "{what}: {}",
        failure.message
    );
}

/// The shared part of reclamation by quiescent states.
struct Clock {
    slot: AtomicU32,
    write: AtomicU32,
    seqs: Vec<AtomicU32>,
    block: Cell<u32>,
}

impl Clock {
    fn new(readers: usize, seq: u32) -> Arc<Self> {
        Arc::new(Self {
            slot: AtomicU32::named(OLD, "slot"),
            write: AtomicU32::named(1, "wr"),
            seqs: (0..readers)
                .map(|n| AtomicU32::named(seq, &format!("seq{n}")))
                .collect(),
            block: Cell::named(7, "block"),
        })
    }

    /// Loads the pointer and uses what it leads to.
    fn read(&self, order: Ordering) {
        if self.slot.load(order) == OLD {
            self.block.get();
        }
    }

    fn free(&self) {
        self.block.set(0);
    }

    /// Whether all readers are offline or have reached the goal.
    fn reached(&self, goal: u32) -> bool {
        self.seqs.iter().all(|seq| {
            let seen = seq.load(SeqCst);
            seen == OFFLINE || seen >= goal
        })
    }
}
