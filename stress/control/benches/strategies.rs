//! Schedules until the first failure, by fixture and strategy: `cargo bench -p threadbare-control`.
//!
//! Of 20 searches, each with seeds of its own and at most CAP schedules, the median and how many found nothing
//! (schedulers differ most in what they miss, so those are never left out of the median). Depth-first search has no
//! seeds: one search. The seeds are fixed; the table is the same each time.

#[path = "../tests/common/fixture.rs"]
mod fixture;

use std::time::Duration;
use threadbare_control::block::{Points, Strategy};
use threadbare_control::launch::{Orders, Program, run};

const SEARCHES: u64 = 20;
const CAP: u32 = 300;
const STRATEGIES: [Strategy; 6] = [
    Strategy::Random,
    Strategy::Sticky,
    Strategy::Pct,
    Strategy::Pos,
    Strategy::Surw,
    Strategy::DepthFirst,
];
const FIXTURES: [&str; 6] = [
    "lost-update.c",
    "lost-wake-up.c",
    "aba.c",
    "lock-order.c",
    "missing-barrier.c",
    "use-after-free.c",
];

fn main() {
    let compiler = ["gcc", "clang"]
        .into_iter()
        .find(|c| !fixture::is_missing(c));
    let Some(compiler) = compiler else {
        eprintln!("no gcc or clang on this machine");
        std::process::exit(3);
    };
    let folder = tempfile::tempdir().expect("a folder for the programs");
    print!("{:<20}", "schedules");
    for strategy in STRATEGIES {
        print!("{:>14}", format!("{strategy:?}"));
    }
    println!();
    for source in FIXTURES {
        let program = fixture::build(compiler, source, false, folder.path());
        print!("{source:<20}");
        for strategy in STRATEGIES {
            let searches = if strategy == Strategy::DepthFirst {
                1
            } else {
                SEARCHES
            };
            let mut found: Vec<Option<usize>> = (0..searches)
                .map(|i| first(&program, strategy, 1 + i * u64::from(CAP)))
                .collect();
            found.sort_by_key(|schedules| schedules.unwrap_or(usize::MAX));
            let missed = found.iter().filter(|schedules| schedules.is_none()).count();
            let median = match found[found.len() / 2] {
                Some(schedules) => schedules.to_string(),
                None => format!("> {CAP}"),
            };
            let missed = if missed == 0 {
                String::new()
            } else {
                format!(" ({missed} no)")
            };
            print!("{:>14}", median + &missed);
        }
        println!();
    }
}

/// In which schedule it fails first.
fn first(program: &Program, strategy: Strategy, seed: u64) -> Option<usize> {
    let mut orders = Orders::new(seed, CAP);
    orders.config.strategy = strategy;
    orders.config.points = Points::Conflicts;
    orders.config.learning = 10;
    orders.config.freed = true;
    orders.config.length = 30;
    orders.config.bound = 3;
    orders.config.step_cap = 100_000;
    orders.config.stop_after = 1;
    orders.limit = Duration::from_secs(100);
    let report = run(program, &orders).expect("a fixture runs");
    report.last.verdict.is_fault().then_some(report.runs.len())
}
