//! What counting costs: one increment and one decrement, by scheme, number of threads, and
//! whether the object is the thread's own or shared by all.
//!
//!     cargo bench -p threadbare-models                         # a table, about a minute
//!     cargo bench -p threadbare-models -- --plot costs.svg     # the same as a plot
//!     cargo bench -p threadbare-models -- --test               # a few pairs: does it run?
//!
//! Prints the machine, nanoseconds per pair, the ratio to the global lock with as many
//! threads, and the figures published for the real systems. Time is wall time, from
//! the first thread's first pair to the last one's last, over the pairs of *all* threads:
//! perfect scaling on two cores halves it, a lock keeps it. Each figure is the best of several
//! short runs, so that a busy machine delays the benchmark and does not slow the schemes.

mod by_hand;
mod native;
mod plot;
#[allow(dead_code, reason = "some are only for a test")]
mod sides;

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use threadbare_models::protocol::{Faithful, Shape};
use threadbare_models::refcount::Count;
use threadbare_models::refcount::atomic::AtomicCount;
use threadbare_models::refcount::biased::Biased;
use threadbare_models::refcount::biased_paper::Paper;
use threadbare_models::refcount::buffered::{self, Buffered};
use threadbare_models::refcount::global_lock::LockedCount;
use threadbare_models::refcount::immortal::{self, Immortal};
use threadbare_models::refcount::interlocked::InterlockedCount;
use threadbare_models::refcount::side_table::Table;
use threadbare_models::runtime::Native;
use threadbare_models::world::gil::{self, Gil};

const THREADS: [usize; 3] = [1, 2, 4];

/// One way of counting, and how it is driven.
struct Driver<C: Count<Native>> {
    /// Pairs per thread and run.
    pairs: usize,
    /// Pairs between two safe points.
    stride: usize,
    /// Done to the shared object before the threads start.
    prepare: fn(&C, &mut C::Thread, usize),
    /// Done by each thread before its loop.
    start: fn(&C, &mut C::Thread),
    /// Done over and over by the main thread, beside the loops.
    beside: Option<fn(&C, &mut C::Thread)>,
}

impl<C: Count<Native, Faults = Faithful, Thread: Send>> Driver<C> {
    fn new(pairs: usize) -> Self {
        Self { pairs, stride: 1_000, prepare: |_, _, _| (), start: |_, _| (), beside: None }
    }

    /// Nanoseconds per pair in one run.
    fn once(&self, threads: usize, shared: bool) -> f64 {
        // One more thread than workers: the main thread, which makes the shared object.
        let shape = Shape { objects: threads + 1, threads: threads + 1 };
        let count = C::new(shape, Faithful);
        let mut main = count.attach(threads);
        count.init(&mut main, &count.objects()[threads]);
        for _ in 0..threads {
            count.incref(&mut main, &count.objects()[threads]);
        }
        (self.prepare)(&count, &mut main, threads);
        let barrier = Barrier::new(threads + 1);
        let done = AtomicBool::new(false);
        let (count, barrier) = (&count, &barrier);
        let span = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|n| scope.spawn(move || self.work(count, n, shared, barrier)))
                .collect();
            barrier.wait();
            if let Some(beside) = self.beside {
                let (done, main) = (&done, &mut main);
                scope.spawn(move || {
                    while !done.load(Ordering::Relaxed) {
                        beside(count, main);
                    }
                });
            }
            let spans: Vec<_> = workers.into_iter().map(|w| w.join().expect("it ends")).collect();
            done.store(true, Ordering::Relaxed);
            let begin = spans.iter().map(|span| span.0).min().expect("threads");
            let end = spans.iter().map(|span| span.1).max().expect("threads");
            end - begin
        });
        span.as_nanos() as f64 / (self.pairs * threads) as f64
    }

    /// The loop of one thread; when it began and ended.
    fn work(&self, count: &C, n: usize, shared: bool, barrier: &Barrier) -> (Instant, Instant) {
        let mut thread = count.attach(n);
        let own = &count.objects()[n];
        count.init(&mut thread, own);
        let object = if shared { &count.objects()[count.objects().len() - 1] } else { own };
        barrier.wait();
        let begin = Instant::now();
        (self.start)(count, &mut thread);
        for _ in 0..self.pairs / self.stride {
            for _ in 0..self.stride {
                // An interpreter does not see that the two cancel out.
                count.incref(&mut thread, black_box(object));
                count.decref(&mut thread, black_box(object));
            }
            count.poll(&mut thread);
        }
        count.detach(thread);
        (begin, Instant::now())
    }

    /// Own objects with 1, 2, 4 threads, then the shared object with 1, 2, 4; best of `runs`.
    fn row(&self, name: &'static str, runs: usize) -> Row {
        let best = |threads, shared| {
            (0..runs).map(|_| self.once(threads, shared)).fold(f64::INFINITY, f64::min)
        };
        Row { name, own: THREADS.map(|n| best(n, false)), shared: THREADS.map(|n| best(n, true)) }
    }
}

/// Nanoseconds per pair of one scheme, by [`THREADS`].
struct Row {
    name: &'static str,
    own: [f64; 3],
    shared: [f64; 3],
}

/// Every scheme that counts on objects; the first is the baseline.
fn measure(pairs: usize, runs: usize) -> Vec<Row> {
    vec![
        // One safe point, at the end: the loop is shorter than CPython's switch interval of
        // 5 ms, after which a waiter asks. Threads run one after the other.
        Driver::<Gil<Native, Faithful>> {
            stride: pairs,
            start: |count, thread| {
                count.extra(thread, gil::Extra::Take);
            },
            ..Driver::new(pairs)
        }
        .row("gil (baseline)", runs),
        Driver::<AtomicCount<Native, Faithful>>::new(pairs).row("atomic", runs),
        Driver::<Biased<Native, Faithful>>::new(pairs).row("biased", runs),
        Driver::<Paper<Native, Faithful>>::new(pairs).row("biased, as published", runs),
        Driver::<Immortal<Native, Faithful>> {
            prepare: |count, main, object| {
                count.extra(main, immortal::Extra::Immortalise(object));
            },
            ..Driver::new(pairs)
        }
        .row("immortal (if shared)", runs),
        Driver::<InterlockedCount<Native, Faithful>>::new(pairs).row("interlocked + total", runs),
        Driver::<LockedCount<Native, Faithful>>::new(pairs / 4).row("global lock", runs),
        Driver::<Table<Native, Faithful>>::new(pairs).row("side table", runs),
        Driver::<Buffered<Native, Faithful>> {
            beside: Some(|count, thread| {
                count.extra(thread, buffered::Extra::Round);
                std::thread::yield_now();
            }),
            ..Driver::new(pairs / 4)
        }
        .row("buffered", runs),
    ]
}

fn table(rows: &[Row]) {
    println!("\nns per pair (ratio to the baseline with as many threads)");
    println!("{:<20} {:^41} {:^41}", "", "own object", "shared object");
    print!("{:<20}", "threads");
    for threads in THREADS.iter().chain(&THREADS) {
        print!(" {threads:>13}");
    }
    println!();
    for row in rows {
        print!("{:<20}", row.name);
        let cells = row.own.iter().chain(&row.shared);
        let bases = rows[0].own.iter().chain(&rows[0].shared);
        for (value, base) in cells.zip(bases) {
            print!(" {value:>6.1} {:>6}", format!("({:.1})", value / base));
        }
        println!();
    }
}

/// Published figures beside ours: owned objects, one thread; for the Gilectomy, the wall
/// time of several threads.
fn published(rows: &[Row]) {
    let ratio = |name: &str, threads: usize| {
        let row = rows.iter().find(|r| r.name == name).expect("measured above");
        row.own[threads] / rows[0].own[threads]
    };
    println!("\nours: a pair on an own object. published: whole programs");
    println!("{:<20} {:>22}  published for the real system", "", "ours");
    for (name, threads, says) in [
        ("global lock", 0, "4 to 6.7 times slower single-threaded (Stein 1996)"),
        ("atomic", 0, "60 % slower on average (plain atomic counts in CPython)"),
        ("biased", 0, "close to the baseline for owned objects (Choi et al. 2018)"),
        ("buffered", 1, "near parity in wall time, several cores busy (Gilectomy 2017)"),
    ] {
        let ours = format!("{:.1}, {} thread(s)", ratio(name, threads), THREADS[threads]);
        println!("{name:<20} {ours:>22}  {says}");
    }
}

fn main() {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|l| l.strip_prefix("model name")).unwrap_or(": unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let machine = model.trim_matches([' ', '\t', ':']);
    println!("machine: {machine}, {cores} cores, {}", std::env::consts::ARCH);
    println!("load before: {}", load.split(' ').next().unwrap_or("unknown"));
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    println!("command: cargo bench -p threadbare-models -- {}", arguments.join(" "));
    let trial = arguments.iter().any(|a| a == "--test");
    let (pairs, runs) = if trial { (4_000, 1) } else { (300_000, 25) };
    if trial {
        println!("a trial of a few pairs, once: it runs; the figures say nothing");
    }

    native::compare(if trial { 9 } else { 3_001 }, 2_000);
    let rows = measure(pairs, runs);
    table(&rows);
    published(&rows);
    println!(
        "
why ours differ: this is a microbenchmark of counts and not an interpreter, which spends
most of its time elsewhere, so that its ratios are smaller. The baseline is a bare load,
addition and store. With more threads than cores, rows that wait for a lock or a log also
measure the operating system's scheduler. models/reports/costs.md goes through the rows."
    );
    if let Some(path) = arguments.iter().skip_while(|a| *a != "--plot").nth(1) {
        match std::fs::write(path, plot::svg(&rows)) {
            Ok(()) => println!("\nplot: {path}"),
            Err(error) => {
                eprintln!("{path}: {error}");
                std::process::exit(3);
            }
        }
    }
}
