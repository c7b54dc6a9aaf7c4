//! The hardware runner gives results whatever the machine is doing.

use std::time::{Duration, Instant};

use threadbare_litmus::hardware::{Options, run};
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
