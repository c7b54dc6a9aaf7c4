//! The hardware runner gives results whatever the machine is doing.

use std::time::{Duration, Instant};

use threadbare_litmus::hardware::{Options, run};
use threadbare_litmus::lang::reference::{Machine, outcomes};
use threadbare_litmus::lang::{Test, Verdict};

const SB: &str = r"C SB
{ x=0; y=0; }
P0 (atomic_int* x, atomic_int* y) {
  atomic_store_explicit(x, 1, memory_order_relaxed);
  int r0 = atomic_load_explicit(y, memory_order_relaxed);
}
P1 (atomic_int* x, atomic_int* y) {
  atomic_store_explicit(y, 1, memory_order_relaxed);
  int r0 = atomic_load_explicit(x, memory_order_relaxed);
}
exists (0:r0=0 /\ 1:r0=0)
";

const IRIW: &str = r"C IRIW
{ x=0; y=0; }
P0 (atomic_int* x) { atomic_store_explicit(x, 1, memory_order_relaxed); }
P1 (atomic_int* x, atomic_int* y) {
  int r0 = atomic_load_explicit(x, memory_order_relaxed);
  int r1 = atomic_load_explicit(y, memory_order_relaxed);
}
P2 (atomic_int* x, atomic_int* y) {
  int r0 = atomic_load_explicit(y, memory_order_relaxed);
  int r1 = atomic_load_explicit(x, memory_order_relaxed);
}
P3 (atomic_int* y) { atomic_store_explicit(y, 1, memory_order_relaxed); }
exists (1:r0=1 /\ 1:r1=0 /\ 2:r0=1 /\ 2:r1=0)
";

fn measure(source: &str, runs: u64) -> (Verdict, Duration) {
    let code = Test::parse(source).expect("a test").lower();
    let start = Instant::now();
    let observation = run(&code, &Options::new(runs, 1)).expect("threads");
    (Verdict::new(&code, &observation), start.elapsed())
}

/// Whatever the load and the number of cores: as many runs as asked for, and
/// none that TSO forbids.
fn gives_results(source: &str, threads: usize) {
    let code = Test::parse(source).expect("a test").lower();
    assert_eq!(code.threads.len(), threads);
    let mut options = Options::new(5_000, 1);
    options.block = 100;
    let observation = run(&code, &options).expect("threads");
    assert_eq!(observation.states.values().sum::<u64>(), 5_000);
    if cfg!(target_arch = "x86_64") {
        let allowed = outcomes(&code, Machine::StoreBuffers, 1_000_000).expect("small");
        assert!(
            observation
                .states
                .keys()
                .all(|outcome| allowed.contains(outcome)),
            "{:?}",
            observation.states
        );
    }
}

#[test]
fn two_threads() {
    gives_results(SB, 2);
}

#[test]
fn four_threads_on_however_few_cores() {
    gives_results(IRIW, 4);
}

#[test]
fn sixteen_threads_count_without_losing_one() {
    let threads = (0..16).map(|n| {
        format!("P{n} (atomic_int* x) {{ int r = atomic_fetch_add_explicit(x, 1, memory_order_relaxed); }}\n")
    });
    let text = format!(
        "C count\n{{ x=0; }}\n{}forall (x=16)",
        threads.collect::<String>()
    );
    let code = Test::parse(&text).expect("a test").lower();
    let mut options = Options::new(2_000, 1);
    options.block = 200;
    let observation = run(&code, &options).expect("threads");
    let verdict = Verdict::new(&code, &observation);
    assert!(verdict.ok, "{verdict}");
    assert_eq!(verdict.positive, 2_000);
}

#[test]
fn no_time_still_gives_a_block() {
    let code = Test::parse(SB).expect("a test").lower();
    let mut options = Options::new(u64::MAX, 1);
    options.max_time = Duration::ZERO;
    let observation = run(&code, &options).expect("threads");
    assert_eq!(
        observation.states.values().sum::<u64>(),
        options.block as u64
    );
}

/// `cargo test --release -p threadbare-litmus --test hardware -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn weak_outcomes_per_second() {
    for (source, runs) in [(SB, 2_000_000), (IRIW, 2_000_000)] {
        for _ in 0..5 {
            let (verdict, time) = measure(source, runs);
            let seconds = time.as_secs_f64();
            let total = (verdict.positive + verdict.negative) as f64;
            println!(
                "{verdict}{:.3} s, {:.0} outcomes/s, {:.0} weak/s\n",
                seconds,
                total / seconds,
                verdict.positive as f64 / seconds
            );
        }
    }
}
