//! `Native` adds nothing: schemes against the same counts [written by hand](crate::by_hand).
//!
//! One loop calls the scheme, the control, and the control again, in turn and in short
//! rounds, by way of function pointers: what differs is the functions called,
//! not where the compiler has put a loop. A round gives two ratios, scheme to control and
//! control to itself; what the second varies by is the noise of the first. `tests/native.rs`
//! compares the machine code of the same functions, and of the foreign decrement, which is
//! not timed: equal code took 1.00 and 0.86 of the time depending on where it was put.

use crate::{by_hand, sides};
use std::hint::black_box;
use std::time::Instant;
use threadbare_models::protocol::{Faithful, Shape};
use threadbare_models::refcount::Count as _;
use threadbare_models::refcount::atomic::AtomicCount;
use threadbare_models::refcount::biased::Biased;
use threadbare_models::refcount::global_lock::LockedCount;
use threadbare_models::runtime::Native;

/// An operation.
type Step<C, T, O> = fn(&C, &mut T, &O);

/// Nanoseconds per pair. All instances are the same code, since all arguments are pointers.
#[inline(never)]
fn timed<C, T, O>(
    (incref, decref): (Step<C, T, O>, Step<C, T, O>),
    counts: &C,
    thread: &mut T,
    object: &O,
    pairs: usize,
) -> f64 {
    let begin = Instant::now();
    for _ in 0..pairs {
        incref(counts, thread, object);
        decref(counts, thread, object);
    }
    begin.elapsed().as_nanos() as f64 / pairs as f64
}

/// Compares the scheme `$scheme` with the control in module `$hand`.
macro_rules! compare {
    ($name:literal, $size:ident, $scheme:ident, $hand:ident, $thread:expr,
     $incref:ident, $decref:ident, $hand_incref:ident, $hand_decref:ident) => {{
        let scheme = $scheme::<Native, Faithful>::new(Shape { objects: 1, threads: 1 }, Faithful);
        let mut thread = scheme.attach(0);
        let object = &scheme.objects()[0];
        // One reference, so that no pair ends at zero.
        scheme.init(&mut thread, object);

        let hand = by_hand::$hand::Counts::new();
        let mut by_hand = $thread;
        let ours: (Step<_, _, _>, Step<_, _, _>) = (sides::$incref, sides::$decref);
        let control: (Step<_, _, _>, Step<_, _, _>) = (sides::$hand_incref, sides::$hand_decref);
        report($name, $size, |side, pairs| match side {
            Side::Scheme => timed(black_box(ours), &scheme, &mut thread, object, pairs),
            Side::Hand => timed(black_box(control), &hand, &mut by_hand, hand.object(), pairs),
        });
    }};
}

/// What is timed.
#[derive(Clone, Copy)]
enum Side {
    Scheme,
    Hand,
}

/// A median and how sure it is.
struct Spread {
    low: f64,
    median: f64,
    high: f64,
}

/// The median of `values` and the interval that holds the true median with a probability of
/// 99 %, from order statistics: ranks half ± 1.29 √n.
fn spread(mut values: Vec<f64>) -> Spread {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let reach = (1.29 * (n as f64).sqrt()).ceil() as usize;
    let (low, high) = ((n / 2).saturating_sub(reach), (n / 2 + reach).min(n - 1));
    Spread { low: values[low], median: values[n / 2], high: values[high] }
}

fn report(name: &str, (rounds, pairs): (usize, usize), mut timed: impl FnMut(Side, usize) -> f64) {
    let (mut ours, mut hand) = (Vec::new(), Vec::new());
    let (mut ratios, mut noise) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        // Who begins changes, or the first would always pay for what came between rounds.
        let mut times = [0.0; 3];
        for turn in 0..3 {
            let who = (round + turn) % 3;
            let side = if who == 0 { Side::Scheme } else { Side::Hand };
            times[who] = timed(side, pairs);
        }
        let [scheme, control, again] = times;
        ours.push(scheme);
        hand.push(control);
        ratios.push(scheme / control);
        noise.push(again / control);
    }
    let cell = |of: Spread| format!("{:.3} [{:.3}, {:.3}]", of.median, of.low, of.high);
    println!(
        "{name:<20} {:>9.2} {:>9.2} {:>22} {:>22}",
        spread(ours).median,
        spread(hand).median,
        cell(spread(ratios)),
        cell(spread(noise)),
    );
}

/// Prints the ratios.
pub(crate) fn compare(rounds: usize, pairs: usize) {
    println!("\nNative against the same counts written by hand, {rounds} rounds of {pairs} pairs");
    println!("tests/native.rs: the functions called are equal, instruction by instruction");
    println!(
        "{:<20} {:>9} {:>9} {:>22} {:>22}",
        "medians [99 %]", "scheme ns", "hand ns", "scheme / hand", "hand / hand"
    );
    let size = (rounds, pairs);
    compare!(
        "atomic",
        size,
        AtomicCount,
        atomic,
        (),
        scheme_atomic_incref,
        scheme_atomic_decref,
        hand_atomic_incref,
        hand_atomic_decref
    );
    compare!(
        "biased, owned",
        size,
        Biased,
        biased,
        by_hand::biased::Thread::new(1),
        scheme_biased_incref,
        scheme_biased_decref,
        hand_biased_incref,
        hand_biased_decref
    );
    compare!(
        "global lock",
        size,
        LockedCount,
        locked,
        (),
        scheme_locked_incref,
        scheme_locked_decref,
        hand_locked_incref,
        hand_locked_decref
    );
}
