//! What a failure shows, and that its trace leads back to it.

use threadbare_litmus::explore::{Failure, FailureKind};
use threadbare_litmus::replay::Trace;
use threadbare_litmus::sync::atomic::AtomicU32;
use threadbare_litmus::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use threadbare_litmus::sync::{Arc, Mutex, await_until};
use threadbare_litmus::{Explorer, Model, cell::Cell, thread};

/// The failure of a program, and the same again from its trace.
fn fails(program: fn()) -> Failure {
    let failure = Explorer::new().check(program).failure.expect("a fault");
    let trace: Trace = failure.trace.parse().expect("a trace");
    assert_eq!(trace.to_string(), failure.trace);
    let again = Explorer::new()
        .replay(program, &trace)
        .failure
        .expect("the same fault");
    assert_eq!(
        (again.kind, &again.message, &again.table, &again.trace),
        (
            failure.kind,
            &failure.message,
            &failure.table,
            &failure.trace
        )
    );
    assert!(failure.dot.starts_with("digraph") && failure.dot.trim_end().ends_with('}'));
    assert!(failure.svg.starts_with("<svg") && failure.svg.trim_end().ends_with("</svg>"));
    failure
}

fn text(failure: &Failure) -> String {
    format!(
        "{}\n\n{}\n{}\n",
        failure.message, failure.table, failure.trace
    )
}

fn message_passing() {
    let (data, ready) = (
        Arc::new(Cell::named(0, "data")),
        Arc::new(AtomicU32::named(0, "ready")),
    );
    let (data2, ready2) = (data.clone(), ready.clone());
    thread::spawn(move || {
        data2.set(42);
        ready2.store(1, Relaxed);
    });
    if ready.load(Acquire) == 1 {
        data.get();
    }
}

#[test]
fn a_race_names_both_accesses_and_what_is_known() {
    let failure = fails(message_passing);
    assert_eq!(failure.kind, FailureKind::DataRace);
    insta::assert_snapshot!(text(&failure));
}

fn store_buffering() {
    let x = Arc::new(AtomicU32::named(0, "x"));
    let y = Arc::new(AtomicU32::named(0, "y"));
    let (x2, y2) = (x.clone(), y.clone());
    let t = thread::spawn(move || {
        y2.store(1, Relaxed);
        x2.load(Relaxed)
    });
    x.store(1, Relaxed);
    let mine = y.load(Relaxed);
    let other = t.join().unwrap();
    assert!(mine + other > 0, "both stores were overtaken");
}

#[test]
fn a_stale_read_is_marked_with_the_write_that_it_misses() {
    let failure = fails(store_buffering);
    assert_eq!(failure.kind, FailureKind::Assertion);
    insta::assert_snapshot!(text(&failure));
    insta::assert_snapshot!("store_buffering_dot", failure.dot);
}

#[test]
fn under_tso_the_trace_says_so() {
    let failure = Explorer::new()
        .model(Model::Tso)
        .check(store_buffering)
        .failure
        .unwrap();
    assert!(failure.trace.starts_with("tbx1/tso/"), "{}", failure.trace);
    let trace: Trace = failure.trace.parse().unwrap();
    let again = Explorer::new()
        .replay(store_buffering, &trace)
        .failure
        .unwrap();
    assert_eq!(again.trace, failure.trace);
}

fn opposite_orders() {
    let a = Arc::new(Mutex::named((), "a"));
    let b = Arc::new(Mutex::named((), "b"));
    let (a2, b2) = (a.clone(), b.clone());
    let t = thread::spawn(move || {
        let _b = b2.lock();
        let _a = a2.lock();
    });
    {
        let _a = a.lock();
        let _b = b.lock();
    }
    t.join().unwrap();
}

#[test]
fn a_deadlock_says_who_waits_for_what() {
    let failure = fails(opposite_orders);
    assert_eq!(failure.kind, FailureKind::Deadlock);
    insta::assert_snapshot!(text(&failure));
}

fn nobody_sets_both() {
    let a = Arc::new(AtomicU32::named(0, "a"));
    let b = Arc::new(AtomicU32::named(0, "b"));
    let a2 = a.clone();
    thread::spawn(move || a2.store(1, Release));
    await_until(|| a.load(Acquire) == 1 && b.load(Acquire) == 1);
}

#[test]
fn an_endless_wait_names_the_values_seen() {
    let failure = fails(nobody_sets_both);
    assert_eq!(failure.kind, FailureKind::Deadlock);
    insta::assert_snapshot!(text(&failure));
}

#[test]
fn a_trace_of_another_program_is_refused_with_the_first_difference() {
    let trace: Trace = fails(store_buffering).trace.parse().unwrap();
    let report = Explorer::new().replay(message_passing, &trace);
    let failure = report.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Program);
    insta::assert_snapshot!(failure.message);
}

#[test]
fn an_inconsistent_trace_is_refused() {
    // The reader sees the flag and the value from before it.
    fn program() {
        let x = Arc::new(AtomicU32::named(0, "x"));
        let y = Arc::new(AtomicU32::named(0, "y"));
        let (x2, y2) = (x.clone(), y.clone());
        thread::spawn(move || {
            x2.store(1, Relaxed);
            y2.store(1, Release);
        });
        y.load(Acquire);
        x.load(Relaxed);
    }
    let refused: Trace = "tbx1/rc11/0:s1,r1.2,ri/1:w,w/co:".parse().unwrap();
    let failure = Explorer::new().replay(program, &refused).failure.unwrap();
    assert!(
        failure.message.contains("does not fit"),
        "{}",
        failure.message
    );
    let fine: Trace = "tbx1/rc11/0:s1,r1.2,r1.1/1:w,w/co:".parse().unwrap();
    assert_eq!(Explorer::new().replay(program, &fine).complete, 1);
}

#[test]
fn time_and_chance_are_noticed_even_in_a_single_thread() {
    static RUNS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let failure = Explorer::new()
        .check(|| {
            let x = AtomicU32::new(0);
            x.store(RUNS.fetch_add(1, Relaxed), Relaxed);
        })
        .failure
        .unwrap();
    assert_eq!(failure.kind, FailureKind::Program);
    assert!(
        failure.message.contains("not deterministic"),
        "{}",
        failure.message
    );
}
