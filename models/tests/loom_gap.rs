//! What loom's search leaves out, and that the loom backend puts it back.
//!
//! Loom 0.7 remembers one last access per atomic. A load by the thread that writes next
//! makes it forget the loads of others, so a race with them is never turned round
//! (tokio-rs/loom#166 and #392). Every compare-exchange loop begins with such a load.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use threadbare_models::engine::explore_loom;
use threadbare_models::runtime::{Atomic, Join, Loom, Ordering::Relaxed, Runtime};

type Seen = Arc<Mutex<BTreeSet<u32>>>;

/// The values that one thread can read beside another that reads, then writes.
fn values(run: impl FnOnce(Seen)) -> Vec<u32> {
    let seen = Seen::default();
    run(seen.clone());
    let seen = seen.lock().expect("no panic while locked");
    seen.iter().copied().collect()
}

#[test]
fn loom_alone_misses_the_value_written() {
    let found = values(|seen| {
        loom::model(move || {
            let x = loom::sync::Arc::new(loom::sync::atomic::AtomicU32::new(0));
            let y = x.clone();
            let writer = loom::thread::spawn(move || {
                y.load(Relaxed);
                y.store(1, Relaxed);
            });
            seen.lock().expect("no panic while locked").insert(x.load(Relaxed));
            writer.join().expect("the writer ends");
        });
    });
    assert_eq!(found, [0], "loom sees both values now: the marks of the backend can go");
}

#[test]
fn the_backend_finds_it() {
    let found = values(|seen| {
        explore_loom(2, move || {
            let x = Arc::new(<Loom as Runtime>::AtomicU32::new(0, "x"));
            let y = x.clone();
            let writer = Loom::spawn(move || {
                y.load(Relaxed);
                y.store(1, Relaxed);
            });
            seen.lock().expect("no panic while locked").insert(x.load(Relaxed));
            writer.join();
        });
    });
    assert_eq!(found, [0, 1]);
}

#[test]
fn the_backend_adds_no_order() {
    // Message passing with relaxed accesses: the stale value must stay visible.
    let found = values(|seen| {
        explore_loom(2, move || {
            let data = Arc::new(<Loom as Runtime>::AtomicU32::new(0, "data"));
            let flag = Arc::new(<Loom as Runtime>::AtomicU32::new(0, "flag"));
            let (data2, flag2) = (data.clone(), flag.clone());
            let writer = Loom::spawn(move || {
                data2.load(Relaxed);
                data2.store(1, Relaxed);
                flag2.load(Relaxed);
                flag2.store(1, Relaxed);
            });
            let pair = flag.load(Relaxed) * 2 + data.load(Relaxed);
            seen.lock().expect("no panic while locked").insert(pair);
            writer.join();
        });
    });
    assert_eq!(found, [0, 1, 2, 3], "flag × 2 + data");
}
