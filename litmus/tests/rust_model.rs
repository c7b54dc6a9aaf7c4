//! Rust's model beside RC11: where the two differ, and what both forbid. That the search visits exactly
//! what the definition allows is for `brute_force`.

mod support;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use support::parse;
use threadbare_litmus::explore::oracle::enumerate;
use threadbare_litmus::explore::{FailureKind, Model};
use threadbare_litmus::sync::Arc;
use threadbare_litmus::sync::atomic::AtomicBool;
use threadbare_litmus::sync::atomic::Ordering::{Relaxed, SeqCst};
use threadbare_litmus::{Explorer, thread};

/// Executions under Rust's model and under RC11, each the same as brute force finds.
fn counts(text: &str) -> (usize, usize) {
    let program = parse(text);
    let count = |model| {
        let mut found = BTreeSet::new();
        let report = Explorer::new().model(model).run(&program, |execution| {
            found.extend(execution.is_complete().then(|| execution.key()));
            ControlFlow::Continue(())
        });
        assert!(report.failure.is_none());
        assert_eq!(found, enumerate(&program, model).complete, "{model:?}");
        found.len()
    };
    (count(Model::Rust), count(Model::Rc11))
}

#[test]
fn seq_cst_loads_of_weaker_stores_are_in_one_order() {
    assert_eq!(counts("Wx1 | Rxs;Rys | Rys;Rxs | Wy1"), (15, 16));
    assert_eq!(counts("Wx1r | Rxs;Rys | Rys;Rxs | Wy1r"), (15, 16));
    // One load that is not seq_cst is enough to lose it.
    assert_eq!(counts("Wx1 | Rxa;Rys | Rys;Rxs | Wy1"), (16, 16));
    assert_eq!(counts("Wx1s | Rxs;Rys | Rys;Rxs | Wy1s"), (15, 15));
}

#[test]
fn fences_and_accesses_make_the_same_order() {
    assert_eq!(counts("Wx1s;Rys | Wy1s;Rxs"), (3, 3));
    assert_eq!(counts("Wx1;F;Ry | Wy1;F;Rx"), (3, 3));
    assert_eq!(counts("Wx1s;Ry | Wy1s;Rx"), (4, 4));
    assert_eq!(counts("Wx1;F;Rys | Wy1s;Rxs").0, 3);
    assert_eq!(counts("Wx1 | Rx;F;Ry | Ry;F;Rx | Wy1"), (15, 15));
}

/// The report of miri#2301.
#[test]
fn what_miri_2301_asks_for() {
    let program = || {
        let words = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
        for which in 0..2 {
            let words = words.clone();
            thread::spawn(move || words[which].store(true, Relaxed));
        }
        let look = |first: usize| {
            let words = words.clone();
            thread::spawn(move || (words[first].load(SeqCst), words[1 - first].load(SeqCst)))
        };
        let (one, other) = (look(0), look(1));
        let seen = (one.join().unwrap(), other.join().unwrap());
        assert_ne!(seen, ((true, false), (true, false)));
    };
    let rust = Explorer::new().check(program);
    assert!(rust.failure.is_none() && rust.exhaustive);
    assert_eq!(
        rust.coverage(),
        "exhaustive under C++20 without load buffering"
    );
    let rc11 = Explorer::new().model(Model::Rc11).check(program);
    assert_eq!(rc11.failure.unwrap().kind, FailureKind::Assertion);
}
