//! The mark of a list that is shared, under one lock or none.

use crate::{Clock, NEW, OFFLINE, fails, holds};
use threadbare_litmus::sync::atomic::AtomicU32;
use threadbare_litmus::sync::atomic::Ordering::{self, Acquire, Relaxed, Release, SeqCst};
use threadbare_litmus::sync::{Arc, Mutex};
use threadbare_litmus::{Model, thread};

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
