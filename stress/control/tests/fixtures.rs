//! Each classic fault of concurrent programs is found under control and replays exactly; its
//! repaired twin is never blamed.
//!
//! The fixtures are compiled by `ci/vm/controlled-cc` with each compiler that this machine has; a
//! compiler that is missing shows as an ignored test.

#[path = "common/fixture.rs"]
mod fixture;

use fixture::{build, is_missing};
use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use threadbare_control::block::{DELAYED, Engine, Kind, Memory, Points, Strategy, Verdict};
use threadbare_control::bundle::Bundle;
use threadbare_control::directed;
use threadbare_control::isolate::isolate;
use threadbare_control::launch::{Orders, Program, Report, run};
use threadbare_control::table;

/// Schedules within which each strategy that is named with a fault must find it.
const SEARCH: u32 = 500;
/// Schedules of a repaired twin, for each strategy.
const HARMLESS: u32 = 150;
const REPLAYS: u32 = 100;
const SEED: u64 = 1;
use Strategy::{DepthFirst, Pct, Pos, Random, Sticky, Surw};
const STRATEGIES: [Strategy; 5] = [Random, Sticky, Pct, Pos, Surw];

struct Fault {
    source: &'static str,
    verdict: Verdict,
    /// Who finds it; the others may.
    by: &'static [Strategy],
}

const FAULTS: &[Fault] = &[
    Fault {
        source: "lost-update.c",
        verdict: Verdict::Exit,
        by: &STRATEGIES,
    },
    Fault {
        source: "lost-wake-up.c",
        verdict: Verdict::LostWakeUp,
        by: &STRATEGIES,
    },
    Fault {
        source: "self-pipe.c",
        verdict: Verdict::LostWakeUp,
        by: &STRATEGIES,
    },
    // One thread must stand still while the other takes many steps: not what a fair walk does.
    Fault {
        source: "aba.c",
        verdict: Verdict::Exit,
        by: &[Sticky, DepthFirst],
    },
    Fault {
        source: "lock-order.c",
        verdict: Verdict::Deadlock,
        by: &STRATEGIES,
    },
    Fault {
        source: "missing-barrier.c",
        verdict: Verdict::Exit,
        by: &STRATEGIES,
    },
    Fault {
        source: "use-after-free.c",
        verdict: Verdict::UseAfterFree,
        by: &STRATEGIES,
    },
    // What it dies of has the process's number in it, which is another each time.
    Fault {
        source: "assertion.c",
        verdict: Verdict::Signal,
        by: &[Random, Sticky],
    },
    Fault {
        source: "lost-update.rs",
        verdict: Verdict::Exit,
        by: &[Random, Sticky],
    },
];

/// Faults that need a store to be seen late: by whom each must be found under that memory, and within which bound
/// depth-first search shows that nothing else is to blame.
struct Late {
    source: &'static str,
    by: &'static [Strategy],
    bound: u32,
}

const LATE: &[Late] = &[
    Late {
        source: "store-buffering.c",
        by: &[Random, Sticky, Pct, Pos, Surw, DepthFirst],
        bound: 2,
    },
    Late {
        source: "dekker.c",
        by: &[Random, Pos, DepthFirst],
        bound: 2,
    },
    // Three threads, each in the others' way at the right step.
    Late {
        source: "qsbr-next.c",
        by: &[Sticky, DepthFirst],
        bound: 2,
    },
    Late {
        source: "store-buffering.rs",
        by: &[Sticky, Pos],
        bound: 0,
    },
];

type Test = fn(&str) -> Result<(), Failed>;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for compiler in ["gcc", "clang", "rustc"] {
        let missing = is_missing(compiler);
        for fault in FAULTS {
            let source = fault.source;
            if source.ends_with(".rs") != (compiler == "rustc") {
                continue;
            }
            for (name, test) in [
                (
                    "is found and replayed",
                    found as fn(&str, &Fault) -> Result<(), Failed>,
                ),
                ("repaired is not blamed", harmless),
            ] {
                let trial = Trial::test(format!("{source} {name} ({compiler})"), move || {
                    test(compiler, fault)
                });
                let kind = if missing {
                    format!("no {compiler} on this machine")
                } else {
                    String::new()
                };
                trials.push(trial.with_kind(kind).with_ignored_flag(missing));
            }
        }
    }
    for compiler in ["gcc", "clang", "rustc"] {
        let missing = is_missing(compiler);
        let of = |late: &&Late| late.source.ends_with(".rs") == (compiler == "rustc");
        for late in LATE.iter().filter(of) {
            let name = format!(
                "{} is found where stores wait, and there only ({compiler})",
                late.source
            );
            let kind = if missing {
                format!("no {compiler} on this machine")
            } else {
                String::new()
            };
            let trial = Trial::test(name, move || waits(compiler, late));
            trials.push(trial.with_kind(kind).with_ignored_flag(missing));
        }
    }
    let compiler = ["gcc", "clang"]
        .into_iter()
        .find(|compiler| !is_missing(compiler));
    let others: [(&str, Test); 11] = [
        (
            "a window that fails in a batch fails by itself, and is searched and minimised there",
            isolated,
        ),
        ("who aims at a race finds it where walks do not", aimed),
        (
            "stores that wait become visible in their order, and the trace tells when",
            in_order,
        ),
        ("a schedule is minimised to what it needs", minimised),
        (
            "what nothing orders is a data race, what is ordered is none",
            races,
        ),
        (
            "depth-first search ends with every schedule within its bound",
            every,
        ),
        ("a trace tells the order in which things were done", order),
        ("a replay with another choice is refused", diverges),
        (
            "a bundle replays in another process and is refused when the program changed",
            bundles,
        ),
        ("calls that are replaced keep their contracts", primitives),
        ("both engines give the same trace", engines),
    ];
    for (name, test) in others {
        let trial = Trial::test(name, move || test(compiler.unwrap_or_default()));
        let kind = if compiler.is_none() {
            "no gcc or clang on this machine"
        } else {
            ""
        };
        trials.push(trial.with_kind(kind).with_ignored_flag(compiler.is_none()));
    }
    trials.push(Trial::test(
        "a program without the runtime is said to be without control",
        || {
            let program = Program {
                path: "/bin/true".into(),
                ..Program::default()
            };
            let error =
                run(&program, &Orders::new(SEED, 1)).expect_err("there was nothing to report");
            assert_that(
                error.to_string().contains("linked with the runtime"),
                &error.to_string(),
            )
        },
    ));
    libtest_mimic::run(&arguments, trials).exit();
}

fn assert_that(holds: bool, otherwise: &str) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

fn orders(strategy: Strategy, runs: u32) -> Orders {
    let mut orders = Orders::new(SEED, runs);
    orders.config.strategy = strategy;
    orders.config.points = Points::All;
    orders.config.freed = true;
    orders.config.step_cap = 100_000;
    orders.config.bound = 2;
    if strategy == Surw {
        orders.config.learning = 10;
    }
    orders.config.length = 30;
    orders.config.wall_ms = 5000;
    orders.limit = Duration::from_secs(100);
    // On one processor each, whichever: on a busy machine a hand-over between two waits for both.
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    orders.processor = Some(NEXT.fetch_add(1, Ordering::Relaxed) % processors);
    orders
}

/// All runs are the one that was found, to the last event.
fn same(report: &Report, replays: &Report) -> Result<(), Failed> {
    let found = report.last;
    assert_that(
        replays.runs.len() == REPLAYS as usize,
        "not all replays ran",
    )?;
    match replays.runs.iter().find(|run| !run.is_again(&found)) {
        Some(other) => Err(format!(
            "{}\nfound {found:?}\nreplayed {other:?}\n{}",
            other.differs(&found).join(", "),
            replays.note
        )
        .into()),
        None => Ok(()),
    }
}

fn found(compiler: &str, fault: &Fault) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let program = build(compiler, fault.source, false, folder.path());
    for &strategy in fault.by {
        let mut orders = orders(strategy, SEARCH);
        orders.config.stop_after = 1;
        let report = run(&program, &orders)?;
        let last = report.last;
        assert_that(
            last.verdict == fault.verdict,
            &format!(
                "{strategy:?}: {:?} after {} runs\n{}",
                last,
                report.runs.len(),
                report.note
            ),
        )?;
        println!(
            "{} {compiler} {strategy:?}: {:?} in schedule {}",
            fault.source,
            last.verdict,
            report.runs.len()
        );
        same(&report, &run(&program, &orders.replay(&report, REPLAYS))?)?;
    }
    Ok(())
}

fn harmless(compiler: &str, fault: &Fault) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let program = build(compiler, fault.source, true, folder.path());
    let memories = [Memory::Sequential, Memory::Tso];
    for (strategy, memory) in STRATEGIES.into_iter().zip(memories.into_iter().cycle()) {
        let mut orders = orders(strategy, HARMLESS);
        orders.config.memory = memory;
        let report = run(&program, &orders)?;
        assert_that(report.runs.len() == HARMLESS as usize, "not all runs ran")?;
        if let Some(blamed) = report.runs.iter().find(|r| r.verdict != Verdict::Finished) {
            return Err(format!("{strategy:?}: {blamed:?}").into());
        }
        // Not vacuous: the threads were switched, and not always alike.
        let mut hashes: Vec<u64> = report.runs.iter().map(|r| r.hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_that(
            hashes.len() > 2,
            &format!("{strategy:?}: {} schedules of {HARMLESS}", hashes.len()),
        )?;
    }
    Ok(())
}

/// The fault shows where stores wait in buffers and replays there; without them, and repaired, it does not,
/// by the walks and by depth-first search to its end.
fn waits(compiler: &str, late: &Late) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let source = late.source;
    let faulty = build(compiler, source, false, folder.path());
    let repaired = build(compiler, source, true, folder.path());
    for &strategy in late.by {
        let mut orders = orders(strategy, 2 * SEARCH);
        orders.config.memory = Memory::Tso;
        orders.config.stop_after = 1;
        let report = run(&faulty, &orders)?;
        assert_that(
            report.last.verdict == Verdict::Exit,
            &format!("{strategy:?}: {:?}\n{}", report.last, report.note),
        )?;
        println!("{source} {compiler} {strategy:?}: {}", report.runs.len());
        same(&report, &run(&faulty, &orders.replay(&report, REPLAYS))?)?;
    }
    for (program, memory) in [(&faulty, Memory::Sequential), (&repaired, Memory::Tso)] {
        let clean = |orders: Orders| {
            let report = run(program, &orders)?;
            match report.runs.iter().find(|r| r.verdict != Verdict::Finished) {
                Some(run) => Err(Failed::from(format!("{memory:?}: {run:?}"))),
                None => Ok(report),
            }
        };
        for strategy in STRATEGIES {
            let mut orders = orders(strategy, HARMLESS);
            orders.config.memory = memory;
            clean(orders)?;
        }
        if late.bound > 0 {
            let mut all = orders(DepthFirst, 30_000);
            all.config.memory = memory;
            all.config.bound = late.bound;
            let report = clean(all)?;
            println!("{source} {memory:?}: {} schedules", report.runs.len());
            assert_that(report.exhausted, &format!("{memory:?}: not to the end"))?;
        }
    }
    Ok(())
}

/// The window that failed, forked when it opens: the same end, again and again, by its own choices only.
fn isolated(compiler: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let program = build(compiler, "batch.c", false, folder.path());
    let mut batch = orders(Sticky, 10);
    batch.config.whole = false;
    batch.config.batch = 200;
    batch.config.stickiness = 40;
    batch.config.stop_after = 1;
    let found = run(&program, &batch)?;
    let last = found.last;
    assert_that(
        last.verdict == Verdict::Exit && last.windows > 1 && last.opened == last.windows + 1,
        &format!("{last:?}"),
    )?;
    let (alone, window) = isolate(&program, &batch, &found)?.ok_or("another end by itself")?;
    assert_that(
        window.last.events < last.events && window.choices == alone.given,
        &format!("{:?} of {last:?}", window.last),
    )?;
    let file = folder.path().join("window.json");
    Bundle::new(&program, &alone, &window)?.save(&file)?;
    let bundle = Bundle::load(&file)?;
    let replayed = bundle.replay(REPLAYS, false)?;
    assert_that(
        replayed.same == REPLAYS as usize,
        &format!("{} of {REPLAYS}", replayed.same),
    )?;
    let (small, left) = bundle.minimise()?;
    assert_that(
        left.report.switches.len() == 1 && left.fewest,
        &format!("{:?}", left.report.switches),
    )?;
    assert_that(
        small.replay(REPLAYS, false)?.same == REPLAYS as usize,
        "the shorter one does not replay",
    )?;
    // Other schedules of the same window, from the same state; all of them, and of an earlier one.
    for window in [0, last.windows] {
        let mut all = batch
            .isolated(&found, window)
            .ok_or("it was never opened")?;
        all.config.strategy = DepthFirst;
        all.config.runs = 1000;
        all.given = Vec::new();
        let report = run(&program, &all)?;
        let ends = |verdict| report.runs.iter().any(|r| r.verdict == verdict);
        assert_that(
            report.exhausted && ends(Verdict::Exit) && ends(Verdict::Finished),
            &format!("window {window}: {} runs", report.runs.len()),
        )?;
    }
    // Not vacuous: a window with other windows before it is not the one that was found.
    let mut other = alone.clone();
    other.lead.truncate(other.lead.len() / 2);
    let ends = run(&program, &other)?.last.verdict;
    assert_that(ends == Verdict::Diverged, &format!("{ends:?}"))?;
    let mut futex = alone.clone();
    futex.config.engine = Engine::Futex;
    let refused = run(&program, &futex)?;
    assert_that(
        refused.last.verdict == Verdict::Refused && refused.note.contains("user mode"),
        &refused.note,
    )?;
    // Repaired, every window by itself, its threads joined after it.
    let repaired = build(compiler, "batch.c", true, folder.path());
    batch.config.runs = 1;
    let whole = run(&repaired, &batch)?;
    let mut all = batch.isolated(&whole, 100).ok_or("it was never opened")?;
    all.config.strategy = Random;
    all.config.same_seed = false;
    all.config.runs = 100;
    all.given = Vec::new();
    let report = run(&repaired, &all)?;
    assert_that(
        report.runs.len() == 100 && report.runs.iter().all(|r| r.verdict == Verdict::Finished),
        &format!("{:?}\n{}", report.last, report.note),
    )
}

/// A race far apart in its threads: aimed at, most schedules have it; walks and their cousins seldom do.
fn aimed(compiler: &str) -> Result<(), Failed> {
    const RUNS: u32 = 100;
    let folder = tempfile::tempdir()?;
    let program = build(compiler, "far-apart.c", false, folder.path());
    let failed = |report: &Report| {
        let failed = |run: &&threadbare_control::block::Run| run.verdict == Verdict::Exit;
        report.runs.iter().filter(failed).count()
    };
    let mut walk = orders(Random, RUNS);
    walk.config.points = Points::Conflicts;
    walk.config.learning = 0;
    let blind = failed(&run(&program, &walk)?);
    let aimed = directed::aim(&program, &walk, ["add", "add"])?;
    let report = run(&program, &aimed)?;
    let hits = failed(&report);
    let mut everywhere = orders(Random, RUNS);
    everywhere.config.points = Points::All;
    let walks = failed(&run(&program, &everywhere)?);
    println!("far-apart.c: {hits} of {RUNS} aimed, {walks} by a walk over all points");
    assert_that(
        blind == 0 && hits >= 30 && walks * 5 < hits,
        &format!("{blind} and {walks} by walks, {hits} aimed"),
    )?;
    let mut first = aimed.clone();
    first.config.stop_after = 1;
    let report = run(&program, &first)?;
    same(&report, &run(&program, &first.replay(&report, REPLAYS))?)?;
    let nowhere = directed::aim(&program, &walk, ["add", "subtract"]);
    let why = nowhere.err().map(|e| e.to_string()).unwrap_or_default();
    assert_that(why.contains("no access of subtract"), &why)?;
    let repaired = build(compiler, "far-apart.c", true, folder.path());
    let aimed = directed::aim(&repaired, &walk, ["add", "add"])?;
    assert_that(
        failed(&run(&repaired, &aimed)?) == 0,
        "the repaired one fails",
    )
}

/// What no store buffer does is not shown: who sees the flag sees the box that was filled before. And the trace
/// tells of a store that waits when it is made and when others see it.
fn in_order(compiler: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let program = build(compiler, "publication.c", false, folder.path());
    let mut all = orders(DepthFirst, 30_000);
    all.config.memory = Memory::Tso;
    let report = run(&program, &all)?;
    assert_that(report.exhausted, "not to the end")?;
    if let Some(run) = report.runs.iter().find(|r| r.verdict != Verdict::Finished) {
        return Err(format!("{run:?}").into());
    }
    let mut random = orders(Random, 200);
    random.config.memory = Memory::Tso;
    random.config.trace = true;
    let mut overtaken = 0;
    for seed in SEED..SEED + 20 {
        let mut random = random.clone();
        random.config.seed = seed;
        random.config.runs = 1;
        let trace = run(&program, &random)?.trace;
        let flushed: Vec<u64> = (trace.iter())
            .filter(|e| e.kind == Kind::Flush as u16)
            .map(|e| e.address)
            .collect();
        let stored: Vec<u64> = (trace.iter())
            .filter(|e| e.size & DELAYED != 0)
            .map(|e| e.address)
            .collect();
        assert_that(
            flushed == stored && stored.len() == 4,
            &format!("stored {stored:x?}, visible {flushed:x?}"),
        )?;
        // Another thread's step between the two: it does wait.
        let at = |found: &dyn Fn(&threadbare_control::block::Event) -> bool| {
            trace.iter().position(found).unwrap_or(usize::MAX)
        };
        let (made, seen) = (
            at(&|e| e.size & DELAYED != 0),
            at(&|e| e.kind == Kind::Flush as u16),
        );
        let owner = trace[made].thread;
        overtaken += usize::from(trace[made..seen].iter().any(|e| e.thread != owner));
    }
    assert_that(
        overtaken > 0,
        "no store waited for a step of another thread",
    )
}

/// The check of a replay can fail.
fn diverges(compiler: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let program = build(compiler, "lost-update.c", false, folder.path());
    let orders = orders(Strategy::Random, 1);
    let report = run(&program, &orders)?;
    let mut cut = report.clone();
    cut.choices.truncate(report.choices.len() / 2);
    let replay = run(&program, &orders.replay(&cut, 1))?;
    assert_that(
        replay.last.verdict == Verdict::Diverged,
        &format!("{:?}", replay.last),
    )?;
    let mut flipped = report.clone();
    let first = flipped
        .choices
        .iter()
        .position(|&c| c >> 8 == 2)
        .ok_or("no choice among two")?;
    flipped.choices[first] ^= 1;
    let replay = run(&program, &orders.replay(&flipped, 1))?;
    assert_that(
        replay.last.hash != report.last.hash,
        "another schedule has the same hash",
    )
}

/// Carrying out what the traces say, in their order, gives what the program came to. A trace of arrivals,
/// each event told before others have their turn, does not.
fn order(compiler: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let program = build(compiler, "lost-update.c", false, folder.path());
    let (mut kept, mut lost) = (0, 0);
    for seed in SEED..SEED + 50 {
        let mut orders = orders(Strategy::Random, 1);
        orders.config.seed = seed;
        orders.config.trace = true;
        let report = run(&program, &orders)?;
        let of = |kind: Kind| report.trace.iter().filter(move |e| e.kind == kind as u16);
        let address = of(Kind::Write)
            .map(|e| e.address)
            .find(|&a| of(Kind::Write).filter(|e| e.address == a).count() == 6)
            .ok_or("three additions of two threads write six times")?;
        let (mut counter, mut read) = (0, [0; 3]);
        for event in report.trace.iter().filter(|e| e.address == address) {
            let read = &mut read[event.thread as usize];
            match event.kind {
                kind if kind == Kind::Read as u16 => *read = counter,
                _ => counter = *read + 1,
            }
            // The values that the trace tells are those.
            let told = match event.kind {
                kind if kind == Kind::Read as u16 => event.before,
                _ => event.after,
            };
            assert_that(
                told == counter && event.size == 8,
                &format!("seed {seed}: {event:?} where the counter is {counter}"),
            )?;
        }
        assert_that(
            (counter == 6) == (report.last.code == 0),
            &format!(
                "seed {seed}: {counter} by its trace, exit code {}",
                report.last.code
            ),
        )?;
        *if counter == 6 { &mut kept } else { &mut lost } += 1;
    }
    assert_that(kept > 0 && lost > 0, &format!("{kept} right, {lost} lost"))
}

/// What is left of each fault's schedule fails in the same way, again and again, and is short.
fn minimised(compiler: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    for (source, most) in [
        ("lost-update.c", 2),
        ("aba.c", 2),
        ("lock-order.c", 2),
        ("use-after-free.c", 2),
        ("missing-barrier.c", 2),
    ] {
        let program = build(compiler, source, false, folder.path());
        let mut orders = orders(Sticky, SEARCH);
        orders.config.stop_after = 1;
        let report = run(&program, &orders)?;
        assert_that(report.last.verdict.is_fault(), "nothing was found")?;
        let file = folder.path().join("found.json");
        Bundle::new(&program, &orders, &report)?.save(&file)?;
        let (small, left) = Bundle::load(&file)?.minimise()?;
        let switches = &left.report.switches;
        let text = table::switches(&left.report);
        println!(
            "{source}: {} of {} switches\n{text}",
            switches.len(),
            left.before
        );
        assert_that(left.fewest, &format!("{source}: fewer are not excluded"))?;
        assert_that(
            left.report.last.ends_as(&report.last),
            &format!("{source}: {:?} became {:?}", report.last, left.report.last),
        )?;
        assert_that(
            switches.len() <= most && switches.len() <= left.before,
            &format!(
                "{source}: {} switches of {}\n{text}",
                switches.len(),
                left.before
            ),
        )?;
        assert_that(
            text.contains(source) || switches.is_empty(),
            &format!("{source}: no line of it\n{text}"),
        )?;
        let replayed = small.replay(REPLAYS, false)?;
        assert_that(
            replayed.same == REPLAYS as usize,
            &format!("{source}: {} of {REPLAYS}", replayed.same),
        )?;
        // Each of them is needed: without it the run ends otherwise.
        for i in 0..switches.len() {
            let mut fewer = switches.clone();
            fewer.remove(i);
            let orders = orders.planned(&report.learned, report.last.seed, vec![fewer]);
            let without = run(&program, &orders)?.last;
            assert_that(
                !without.ends_as(&report.last),
                &format!("{source}: switch {} is not needed\n{text}", i + 1),
            )?;
        }
    }
    Ok(())
}

/// Races are told in runs that do no harm, by their lines, and none where all is ordered.
fn races(compiler: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let locks = ["primitives.c", "lost-wake-up.c", "lock-order.c"];
    for (source, pair) in [
        ("publication.c", Some(["fill", "read"])),
        ("lost-update.c", Some(["work", "work"])),
        ("use-after-free.c", Some(["work", "work"])),
        ("missing-barrier.c", Some(["work", "work"])),
    ]
    .into_iter()
    .chain(locks.map(|source| (source, None)))
    {
        for repaired in [false, true] {
            if !repaired && pair.is_none() {
                continue;
            }
            let program = build(compiler, source, repaired, folder.path());
            let mut all = Vec::new();
            for strategy in [Random, Sticky] {
                let mut orders = orders(strategy, 60);
                orders.config.races = true;
                orders.config.freed = false;
                let report = run(&program, &orders)?;
                assert_that(report.runs.len() == 60, "not all runs ran")?;
                let text = table::races(&report.loaded, &report.races);
                all.extend(report.races);
                let told = |function: &str| text.contains(&format!("{function} {source}:"));
                let all_lines = repaired || pair.is_some_and(|[a, b]| told(a) && told(b));
                assert_that(all_lines, &format!("{source}: other lines\n{text}"))?;
                assert_that(
                    !repaired || text.is_empty(),
                    &format!("{source}: ordered, and yet\n{text}"),
                )?;
            }
            assert_that(all.is_empty() == repaired, &format!("{source}: {all:?}"))?;
        }
    }
    Ok(())
}

/// Of the repaired program every schedule is run and none fails; cut short, nobody says so; without
/// a switch the fault does not show.
fn every(compiler: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let repaired = build(compiler, "lost-update.c", true, folder.path());
    let faulty = build(compiler, "lost-update.c", false, folder.path());
    let search = |program: &Program, runs, bound| {
        let mut orders = orders(DepthFirst, runs);
        orders.config.bound = bound;
        run(program, &orders)
    };
    let report = search(&repaired, 20_000, 1)?;
    let failed = report
        .runs
        .iter()
        .filter(|r| r.verdict != Verdict::Finished);
    assert_that(failed.count() == 0, "the repaired one fails")?;
    assert_that(report.exhausted, "not to the end")?;
    // What other strategies come to with as few switches is among them.
    let all: BTreeSet<u64> = report.runs.iter().map(|r| r.hash).collect();
    let mut seldom = orders(Sticky, 500);
    seldom.config.stickiness = 40;
    let runs = run(&repaired, &seldom)?.runs;
    let few = runs.iter().filter(|r| r.deviations <= 1).map(|r| r.hash);
    let few: BTreeSet<u64> = few.collect();
    assert_that(few.len() > 3, &format!("only {} to compare", few.len()))?;
    assert_that(few.is_subset(&all), "a schedule is missing")?;
    let cut = search(&repaired, report.runs.len() as u32 - 1, 1)?;
    assert_that(!cut.exhausted, "cut short, and yet all schedules")?;
    for (bound, fails) in [(0, false), (1, true)] {
        let report = search(&faulty, 20_000, bound)?;
        assert_that(report.exhausted, "not to the end")?;
        let failed = report.runs.iter().any(|r| r.verdict == Verdict::Exit);
        assert_that(
            failed == fails,
            &format!("{bound} switches: fails {failed}"),
        )?;
    }
    Ok(())
}

/// Same seeds, same traces, however threads are switched.
fn engines(compiler: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    for (source, memory) in [
        ("lost-wake-up.c", Memory::Sequential),
        ("aba.c", Memory::Sequential),
        ("aba.c", Memory::Tso),
        ("dekker.c", Memory::Tso),
    ] {
        let program = build(compiler, source, false, folder.path());
        let mut user = orders(Strategy::Random, 100);
        user.config.memory = memory;
        let mut futex = user.clone();
        futex.config.engine = Engine::Futex;
        let hashes = |orders| -> Result<Vec<u64>, Failed> {
            Ok(run(&program, orders)?.runs.iter().map(|r| r.hash).collect())
        };
        assert_that(
            hashes(&user)? == hashes(&futex)?,
            &format!("{source}, {memory:?}: the engines differ"),
        )?;
    }
    Ok(())
}

fn bundles(compiler: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let program = build(compiler, "use-after-free.c", false, folder.path());
    let mut orders = orders(Strategy::Pos, SEARCH);
    orders.config.stop_after = 1;
    let report = run(&program, &orders)?;
    let file = folder.path().join("found.json");
    Bundle::new(&program, &orders, &report)?.save(&file)?;
    let replayed = Bundle::load(&file)?.replay(REPLAYS, false)?;
    assert_that(
        replayed.same == REPLAYS as usize,
        &format!("{} of {REPLAYS}", replayed.same),
    )?;
    assert_that(
        replayed.diverged_after.is_none(),
        "the same, and yet a divergence",
    )?;
    // Another environment is another run: said so, not called the same.
    let mut other = Bundle::load(&file)?;
    other
        .program
        .environment
        .push(("PADDING".into(), "x".repeat(100)));
    let replayed = other.replay(1, false)?;
    assert_that(
        replayed.same == 0 && replayed.diverged_after == Some(0),
        "another stack, the same trace",
    )?;
    let mut bytes = std::fs::read(&program.path)?;
    bytes.push(0);
    std::fs::write(&program.path, bytes)?;
    let refused = Bundle::load(&file)?
        .replay(1, false)
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert_that(refused.contains("has changed"), &refused)
}

fn primitives(compiler: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let program = build(compiler, "primitives.c", false, folder.path());
    let alone = Command::new(&program.path).status()?;
    assert_that(alone.success(), &format!("without control: {alone}"))?;
    for engine in [Engine::User, Engine::Futex] {
        for strategy in STRATEGIES {
            let mut orders = orders(strategy, 40);
            orders.config.stop_after = 1;
            orders.config.engine = engine;
            orders.config.memory = match strategy {
                Random | Pos => Memory::Tso,
                _ => Memory::Sequential,
            };
            let report = run(&program, &orders)?;
            assert_that(report.runs.len() == 40, "not all runs ran")?;
            if let Some(run) = report.runs.iter().find(|r| r.verdict != Verdict::Finished) {
                return Err(format!("{engine:?} {strategy:?}: {run:?}\n{}", report.note).into());
            }
        }
    }
    Ok(())
}
