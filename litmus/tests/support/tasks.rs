//! Random [`Tasks`]: what they are stands in the library, whose fuzz target makes them from bytes.
#![allow(dead_code, reason = "not every test program needs all of it")]

use proptest::prelude::*;
pub use threadbare_litmus::fuzzing::tasks::*;
use threadbare_litmus::sync::atomic::Ordering;

fn load_order() -> impl Strategy<Value = Ordering> {
    use Ordering::{Acquire, Relaxed, SeqCst};
    prop::sample::select(vec![Relaxed, Relaxed, Acquire, SeqCst])
}

fn store_order() -> impl Strategy<Value = Ordering> {
    use Ordering::{Relaxed, Release, SeqCst};
    prop::sample::select(vec![Relaxed, Relaxed, Release, SeqCst])
}

fn any_order() -> impl Strategy<Value = Ordering> {
    use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};
    prop::sample::select(vec![Relaxed, Relaxed, Acquire, Release, AcqRel, SeqCst])
}

fn fence_order() -> impl Strategy<Value = Ordering> {
    use Ordering::{AcqRel, Acquire, Release, SeqCst};
    prop::sample::select(vec![Acquire, Release, AcqRel, SeqCst])
}

fn thing(faults: bool) -> impl Strategy<Value = Do> {
    let l = || 0..2usize;
    let only = move |what: Do| if faults { what } else { Do::Unlock };
    let exchange = move || (l(), 0..3u32, 1..4u32, any_order(), load_order());
    prop_oneof![
        4 => (l(), load_order()).prop_map(|(l, o)| Do::Load(l, o)),
        4 => (l(), store_order(), 1..3u32).prop_map(|(l, o, v)| Do::Store(l, o, v)),
        2 => (l(), any_order()).prop_map(|(l, o)| Do::Add(l, o)),
        2 => exchange().prop_map(|(l, e, n, s, f)| Do::Exchange(l, e, n, s, f)),
        1 => exchange().prop_map(|(l, e, n, s, f)| Do::Weak(l, e, n, s, f)),
        1 => fence_order().prop_map(Do::Fence),
        1 => (l(), store_order(), 1..3u32).prop_map(|(l, o, p)| Do::StoreLast(l, o, p)),
        2 => (0..2u32, 1..3usize).prop_map(|(v, n)| Do::SkipUnless(v, n)),
        1 => (l(), load_order(), 1..3u32).prop_map(|(l, o, v)| Do::Await(l, o, v)),
        1 => (l(), load_order(), 1..3u32).prop_map(|(l, o, v)| Do::Spin(l, o, v)),
        1 => (l(), load_order()).prop_map(|(l, o)| Do::SpinNonZero(l, o)),
        1 => l().prop_map(Do::SpinExchange),
        1 => Just(Do::Lock),
        1 => Just(Do::Unlock),
        1 => Just(only(Do::CellGet)),
        1 => (1..3u32).prop_map(move |value| only(Do::CellSet(value))),
        2 => (1..4u32).prop_map(move |value| only(Do::FailIf(value))),
    ]
}

/// Stores to one location, looks at the other or waits for it, fails of what it saw: short of a
/// bound, it matters who waits with an old value.
fn crossing(faults: bool) -> impl Strategy<Value = Vec<Do>> {
    let (store, look) = ((store_order(), 1..3u32), (load_order(), 1..3u32));
    (0..2usize, store, look, 0..4u32, 1..3u32).prop_map(
        move |(l, (stores, value), (loads, waits_for), how, fails)| {
            let look = match how {
                0 => Do::Await(1 - l, loads, waits_for),
                1 => Do::Spin(1 - l, loads, waits_for),
                _ => Do::Load(1 - l, loads),
            };
            let mut code = vec![Do::Store(l, stores, value), look];
            code.extend(faults.then_some(Do::FailIf(fails)));
            code
        },
    )
}

/// Two to four threads of a few things each.
pub fn tasks(faults: bool) -> impl Strategy<Value = Tasks> {
    let thread = move |n| prop::collection::vec(thing(faults), 1..=n);
    let threads = prop_oneof![
        2 => prop::collection::vec(thread(4), 2),
        2 => prop::collection::vec(thread(3), 3),
        2 => prop::collection::vec(thread(2), 4),
        1 => prop::collection::vec(crossing(faults), 2..=3),
    ];
    let shape = (
        prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 4),
        any::<bool>(),
        any::<bool>(),
    );
    (threads, shape).prop_map(|(threads, (parents, backwards, joins))| {
        let parents = (0..threads.len())
            .map(|t| (t > 0 && parents[t].0).then(|| parents[t].1.index(t.max(1))))
            .collect();
        Tasks {
            threads,
            parents,
            backwards,
            joins,
        }
    })
}
