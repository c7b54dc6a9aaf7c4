//! Reclamation by quiescent states: the goal, going online, scanning for others.

use crate::{Clock, NEW, OFFLINE, fails, holds};
use threadbare_litmus::sync::Arc;
use threadbare_litmus::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};
use threadbare_litmus::sync::atomic::{AtomicU32, fence};
use threadbare_litmus::{Model, thread};

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
