//! The programs of `reports/` at larger bounds than the smallest program: the shipped form
//! fails, the repaired one is exhausted without a fault; and the pictures beside the
//! reports are those of the executions that they describe.
//!
//! `UPDATE_REPORTS=1 cargo test -p threadbare-litmus --test reports` writes the pictures.

use std::path::PathBuf;
use threadbare_litmus::explore::{FailureKind, Report};
use threadbare_litmus::lang::{Engine, Limits, judge};
use threadbare_litmus::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
use threadbare_litmus::sync::atomic::{AtomicU32, fence};
use threadbare_litmus::sync::{Arc, Mutex};
use threadbare_litmus::{Explorer, Model, catalogue, cell::Cell, thread};

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

#[derive(Clone, Copy, PartialEq)]
enum Goal {
    Load,
    FencedLoad,
    Update,
}

/// Readers online from the start pass a quiescent point and read; the goal waits for
/// somebody else's advance.
fn deferred_goal(readers: usize, advances: usize, how: Goal) -> impl Fn() + Send + Sync {
    move || {
        let clock = Clock::new(readers, 1);
        for n in 0..readers {
            let clock = clock.clone();
            thread::spawn(move || {
                let seq = clock.write.load(Acquire);
                clock.seqs[n].store(seq, Release);
                clock.read(Relaxed);
            });
        }
        let other = clock.clone();
        thread::spawn(move || {
            for _ in 0..advances {
                other.write.fetch_add(2, SeqCst);
            }
        });
        clock.slot.store(NEW, Release);
        if how == Goal::FencedLoad {
            fence(SeqCst);
        }
        let goal = match how {
            Goal::Update => clock.write.fetch_add(0, AcqRel) + 2,
            _ => clock.write.load(Acquire) + 2,
        };
        fence(SeqCst);
        if clock.reached(goal) {
            clock.free();
        }
    }
}

#[test]
fn the_free_goal() {
    fails(
        "goal by a load",
        Model::Tso,
        deferred_goal(1, 1, Goal::Load),
    );
    fails(
        "goal by a load",
        Model::Rc11,
        deferred_goal(1, 1, Goal::Load),
    );
    fails(
        "goal by a fenced load",
        Model::Rc11,
        deferred_goal(1, 1, Goal::FencedLoad),
    );
    holds(
        "goal by a fenced load",
        Model::Tso,
        deferred_goal(1, 1, Goal::FencedLoad),
    );
    holds(
        "goal by an update, 1 reader, 2 advances",
        Model::Rc11,
        deferred_goal(1, 2, Goal::Update),
    );
    holds(
        "goal by an update, 2 readers, 1 advance",
        Model::Rc11,
        deferred_goal(2, 1, Goal::Update),
    );
    holds(
        "goal by an update, 2 readers, 2 advances",
        Model::Rc11,
        deferred_goal(2, 2, Goal::Update),
    );
}

/// Readers come online and go offline beside a freer that polls.
fn attach(readers: usize, fenced: bool, first: Ordering) -> impl Fn() + Send + Sync {
    move || {
        let clock = Clock::new(readers, OFFLINE);
        for n in 0..readers {
            let clock = clock.clone();
            thread::spawn(move || {
                clock.seqs[n].store(1, if fenced { Relaxed } else { SeqCst });
                if fenced {
                    fence(SeqCst);
                }
                clock.read(first);
                clock.seqs[n].store(OFFLINE, Release);
            });
        }
        clock.slot.store(NEW, Release);
        let goal = clock.write.fetch_add(2, SeqCst) + 2;
        fence(SeqCst);
        if clock.reached(goal) {
            clock.free();
        }
    }
}

#[test]
fn going_online() {
    fails("relaxed first load", Model::Rc11, attach(1, false, Relaxed));
    holds("relaxed first load", Model::Tso, attach(2, false, Relaxed));
    holds("seq_cst first load", Model::Rc11, attach(2, false, SeqCst));
    holds("fence, 1 reader", Model::Rc11, attach(1, true, Relaxed));
    holds("fence, 2 readers", Model::Rc11, attach(2, true, Relaxed));
    holds("fence, 3 readers", Model::Rc11, attach(3, true, Relaxed));
}

/// A third thread scans for the one that unlinked.
fn scan_for_others(readers: usize, late: bool) -> impl Fn() + Send + Sync {
    move || {
        let clock = Clock::new(readers, OFFLINE);
        let done = Arc::new(AtomicU32::named(1, "rd"));
        for n in 0..readers {
            let clock = clock.clone();
            thread::spawn(move || {
                clock.seqs[n].store(1, SeqCst);
                clock.read(SeqCst);
                clock.seqs[n].store(OFFLINE, Release);
            });
        }
        let (scanned, scanner) = (clock.clone(), done.clone());
        thread::spawn(move || {
            if !late {
                fence(SeqCst);
            }
            let mut least = scanned.write.load(SeqCst);
            if late {
                fence(SeqCst);
            }
            for seq in &scanned.seqs {
                let seen = seq.load(SeqCst);
                if seen != OFFLINE && seen < least {
                    least = seen;
                }
            }
            let _ = scanner.compare_exchange(1, least, SeqCst, SeqCst);
        });
        clock.slot.store(NEW, Release);
        let goal = clock.write.fetch_add(2, SeqCst) + 2;
        if done.load(Acquire) >= goal {
            clock.free();
        }
    }
}

#[test]
fn scanning_for_others() {
    fails("fence first", Model::Rc11, scan_for_others(1, false));
    holds("fence first", Model::Tso, scan_for_others(2, false));
    holds(
        "fence behind the load, 1 reader",
        Model::Rc11,
        scan_for_others(1, true),
    );
    holds(
        "fence behind the load, 2 readers",
        Model::Rc11,
        scan_for_others(2, true),
    );
}

/// An owner resizes a list that foreign readers mark as shared and then read without lock.
fn shared_mark(readers: usize, set: Ordering, test: Ordering) -> impl Fn() + Send + Sync {
    move || {
        let lock = Arc::new(Mutex::named((), "lock"));
        let mark = Arc::new(AtomicU32::named(0, "mark"));
        let clock = Clock::new(0, OFFLINE);
        let (lock1, mark1) = (lock.clone(), mark.clone());
        thread::spawn(move || {
            let _held = lock1.lock();
            mark1.store(1, set);
        });
        for _ in 0..readers {
            let (mark, clock) = (mark.clone(), clock.clone());
            thread::spawn(move || {
                if mark.load(test) == 1 {
                    clock.read(SeqCst);
                }
            });
        }
        let _held = lock.lock();
        clock.slot.store(NEW, Release);
        // Nobody else reads an unmarked list without the lock: freed at once.
        if mark.load(Relaxed) == 0 {
            clock.free();
        }
    }
}

#[test]
fn the_sharing_mark() {
    fails(
        "both relaxed",
        Model::Rc11,
        shared_mark(1, Relaxed, Relaxed),
    );
    holds("both relaxed", Model::Tso, shared_mark(2, Relaxed, Relaxed));
    fails(
        "tested with acquire",
        Model::Rc11,
        shared_mark(1, Relaxed, Acquire),
    );
    fails(
        "set with release",
        Model::Rc11,
        shared_mark(1, Release, Relaxed),
    );
    holds(
        "release and acquire, 1 reader",
        Model::Rc11,
        shared_mark(1, Release, Acquire),
    );
    holds(
        "release and acquire, 2 readers",
        Model::Rc11,
        shared_mark(2, Release, Acquire),
    );
    holds(
        "release and acquire, 3 readers",
        Model::Rc11,
        shared_mark(3, Release, Acquire),
    );
}

/// The execution that each report is about.
const PICTURES: [(&str, &str, Model); 6] = [
    ("qsbr-next-goal", "qsbr-next", Model::Tso),
    ("qsbr-next-goal-fenced", "qsbr-next-fenced", Model::Rc11),
    (
        "qsbr-attach-first-load",
        "qsbr-attach-unfenced",
        Model::Rc11,
    ),
    ("list-shared-mark", "shared-mark-relaxed", Model::Rc11),
    ("qsbr-unfenced-scan", "qsbr-scan-unfenced", Model::Rc11),
    ("qsbr-scan-for-others", "qsbr-scan-for-others", Model::Rc11),
];

#[test]
fn the_pictures_are_up_to_date() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("reports");
    for (picture, test, model) in PICTURES {
        let test = catalogue::find(test)
            .expect("a test of the catalogue")
            .test();
        let judged = judge(&test, Engine::Explorer(model), &Limits::default()).expect("no limits");
        let witness = judged.verdict.witness.expect("an execution to show");
        for (kind, text) in [("svg", &witness.svg), ("dot", &witness.dot)] {
            let path = folder.join(format!("{picture}.{kind}"));
            if std::env::var_os("UPDATE_REPORTS").is_some() {
                std::fs::write(&path, text).expect("a file beside the reports");
            }
            let found = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(
                &found,
                text,
                "{} is out of date: see the head of this test",
                path.display()
            );
        }
    }
}
