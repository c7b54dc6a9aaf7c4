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

/// Which faults a random program may have.
#[derive(Clone, Copy)]
pub struct Faults {
    /// Plain accesses.
    pub races: bool,
    /// Failing assertions, and waits that may never end.
    pub assertions: bool,
}

fn faulty_instruction(faults: Faults, threads: u32) -> impl Strategy<Value = Ins> {
    let location = || 0..2u32;
    let weak = prop::sample::select(vec![MemoryOrder::Relaxed, MemoryOrder::Release]);
    let by = (location(), weak, 1..3u64).prop_map(|(location, order, by)| {
        let (location, update) = (Location(location), Update::Add(by));
        Ins::Op(Op::Apply {
            location,
            order,
            update,
        })
    });
    let fails = (1..4u64).prop_map(Ins::FailIf);
    let waits = (location(), order(), 1..3u64).prop_map(|(l, o, value)| Ins::Wait(l, o, value));
    let locks = location().prop_map(Ins::Lock);
    let unlocks = location().prop_map(|l| {
        let (location, order) = (Location(l), MemoryOrder::Release);
        Ins::Op(Op::Store {
            location,
            order,
            value: 0,
        })
    });
    let joins = (0..threads).prop_map(|t| Ins::Op(Op::Join(t)));
    let special = u32::from(faults.assertions);
    prop_oneof![
        12 => instruction(faults.races),
        1 => by,
        1 => joins,
        3 * special => fails,
        special => waits,
        special => locks,
        special => unlocks,
    ]
}

/// Two to four threads of a few instructions each, some of them alike, two locations.
pub fn faulty_program(faults: Faults) -> impl Strategy<Value = Straight> {
    let thread = move |n, of| prop::collection::vec(faulty_instruction(faults, of), 1..=n);
    let twins = move |n, twins: u32, others: usize| {
        let of = twins + others as u32;
        (
            thread(n, of),
            prop::collection::vec(thread(3, of), others),
            0..=others,
        )
            .prop_map(move |(twin, mut threads, at)| {
                threads.splice(at..at, std::iter::repeat_n(twin, twins as usize));
                threads
            })
    };
    prop_oneof![
        3 => prop::collection::vec(thread(4, 2), 2),
        3 => prop::collection::vec(thread(3, 3), 3),
        1 => prop::collection::vec(thread(2, 4), 4),
        2 => twins(3, 2, 1),
        1 => twins(2, 3, 1),
        1 => twins(4, 2, 0),
    ]
    .prop_map(|threads| Straight {
        threads,
        locations: 2,
        initial: 0,
    })
}
