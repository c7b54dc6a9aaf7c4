//! Random programs small enough for brute force.

use super::{Ins, Straight};
use proptest::prelude::*;
use threadbare_litmus::explore::program::{Location, MemoryOrder, Op, Update};

fn order() -> impl Strategy<Value = MemoryOrder> {
    use MemoryOrder::{AcqRel, Acquire, Relaxed, Release, SeqCst};
    prop::sample::select(vec![
        Relaxed, Relaxed, Acquire, Release, AcqRel, SeqCst, SeqCst,
    ])
}

fn plain() -> impl Strategy<Value = MemoryOrder> {
    prop_oneof![2 => order(), 1 => Just(MemoryOrder::Plain)]
}

fn instruction(plain_too: bool) -> impl Strategy<Value = Ins> {
    let order_of = if plain_too {
        plain().boxed()
    } else {
        order().boxed()
    };
    let location = || (0..2u32).prop_map(Location);
    prop_oneof![
        4 => (location(), order_of.clone(), 1..3u64).prop_map(|(location, order, value)| {
            Ins::Op(Op::Store { location, order, value })
        }),
        4 => (location(), order_of).prop_map(|(location, order)| {
            Ins::Op(Op::Load { location, order })
        }),
        2 => (location(), order()).prop_map(|(location, order)| {
            Ins::Op(Op::Update { location, order, update: Update::Add(1) })
        }),
        2 => (location(), order(), order(), 0..3u64, 1..4u64).prop_map(
            |(location, success, failure, expected, new)| {
                Ins::Op(Op::CompareExchange { location, expected, new, success, failure })
            }
        ),
        2 => order().prop_map(|order| Ins::Op(Op::Fence(order))),
        1 => (0..2u32, order(), 1..3u64).prop_map(|(l, order, plus)| Ins::StoreLast(l, order, plus)),
        1 => (0..2u64, 1..3usize).prop_map(|(value, n)| Ins::SkipUnless(value, n)),
        1 => (0..2u64).prop_map(Ins::Assume),
        1 => (0..2u32, order(), 1..3u64).prop_map(|(l, order, value)| Ins::Await(l, order, value)),
        1 => Just(Ins::Op(Op::Choose(2))),
    ]
}

/// Two to four threads of a few instructions each, two locations.
pub fn program(plain_too: bool) -> impl Strategy<Value = Straight> {
    let thread = move |n| prop::collection::vec(instruction(plain_too), 1..=n);
    prop_oneof![
        prop::collection::vec(thread(4), 2),
        prop::collection::vec(thread(3), 3),
        prop::collection::vec(thread(2), 4),
    ]
    .prop_map(|threads| Straight {
        threads,
        locations: 2,
        initial: 0,
    })
}
