//! `Native` adds nothing: three schemes against the same loops written by hand in `std`.

use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicUsize, Ordering::*, fence};
use std::time::Instant;
use threadbare_models::protocol::{Faithful, Shape};
use threadbare_models::refcount::Count;
use threadbare_models::refcount::atomic::AtomicCount;
use threadbare_models::refcount::biased::Biased;
use threadbare_models::refcount::global_lock::LockedCount;
use threadbare_models::runtime::Native;

fn timed(pairs: usize, mut pair: impl FnMut()) -> f64 {
    let begin = Instant::now();
    for _ in 0..pairs {
        pair();
    }
    begin.elapsed().as_nanos() as f64 / pairs as f64
}

fn scheme<C: Count<Native, Faults = Faithful>>(pairs: usize) -> f64 {
    let count = C::new(Shape { objects: 1, threads: 1 }, Faithful);
    let mut thread = count.attach(0);
    let object = &count.objects()[0];
    count.init(&mut thread, object);
    let nanoseconds = timed(pairs, || {
        count.incref(&mut thread, black_box(object));
        count.decref(&mut thread, black_box(object));
    });
    count.detach(thread);
    nanoseconds
}

#[cold]
#[inline(never)]
fn rare<T>(what: T) {
    black_box(what);
}

fn atomic(pairs: usize) -> f64 {
    let count = &AtomicU32::new(1);
    timed(pairs, || {
        let object = black_box(count);
        if object.fetch_add(1, Relaxed) >= 1 << 31 {
            object.store(3 << 30, Relaxed);
        }
        let object = black_box(count);
        let old = object.fetch_sub(1, Release);
        if old == 1 {
            fence(Acquire);
            rare(old);
        } else if old > 1 << 31 {
            object.store(3 << 30, Relaxed);
        }
    })
}

fn locked(pairs: usize) -> f64 {
    let mutex = &Mutex::new(1u32);
    let lock = || black_box(mutex).lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    timed(pairs, || {
        *lock() += 1;
        let mut count = lock();
        *count -= 1;
        let left = *count;
        drop(count);
        if left == 0 {
            rare(left);
        }
    })
}

/// The halves of a biased count.
struct Halves {
    owner: AtomicUsize,
    local: AtomicU32,
    shared: AtomicI64,
}

fn biased(pairs: usize) -> f64 {
    let header =
        &Halves { owner: AtomicUsize::new(1), local: AtomicU32::new(1), shared: AtomicI64::new(0) };
    let me = black_box(1);
    timed(pairs, || {
        let object = black_box(header);
        if object.owner.load(Relaxed) == me {
            object.local.store(object.local.load(Relaxed) + 1, Relaxed);
        } else {
            object.shared.fetch_add(4, Relaxed);
        }
        let object = black_box(header);
        if object.owner.load(Relaxed) == me {
            let left = object.local.load(Relaxed) - 1;
            object.local.store(left, Relaxed);
            if left == 0 {
                rare(left);
            }
        } else {
            rare(object.shared.load(Relaxed));
        }
    })
}

/// Prints the ratios: best against best, and the quartiles of runs taken in turn.
pub(crate) fn compare(pairs: usize, runs: usize) {
    println!("\nNative against the same loop written by hand (1.00: nothing added)");
    println!("{:<20} {:>9} {:>9} {:>7}  quartiles", "", "scheme ns", "hand ns", "ratio");
    type Loop = fn(usize) -> f64;
    let cases: [(&str, Loop, Loop); 3] = [
        ("atomic", scheme::<AtomicCount<Native, Faithful>>, atomic),
        ("biased, owned", scheme::<Biased<Native, Faithful>>, biased),
        ("global lock", scheme::<LockedCount<Native, Faithful>>, locked),
    ];
    for (name, ours, hand) in cases {
        let taken: Vec<(f64, f64)> = (0..runs).map(|_| (ours(pairs), hand(pairs))).collect();
        let best = |side: fn(&(f64, f64)) -> f64| taken.iter().map(side).fold(f64::MAX, f64::min);
        let (ours, hand) = (best(|t| t.0), best(|t| t.1));
        let mut ratios: Vec<f64> = taken.iter().map(|t| t.0 / t.1).collect();
        ratios.sort_by(f64::total_cmp);
        let (low, high) = (ratios[runs / 4], ratios[runs * 3 / 4]);
        let ratio = ours / hand;
        println!("{name:<20} {ours:>9.2} {hand:>9.2} {ratio:>7.2}  {low:.2} to {high:.2}");
    }
}
