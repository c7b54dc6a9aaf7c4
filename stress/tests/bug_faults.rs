//! Every program of the catalogue of known bugs reports the faults planted into it, and on a VM with a GIL is
//! silent without one. What no VM of this machine can run is *ignored* and says why.

use libtest_mimic::{Arguments, Failed, Trial};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use threadbare_stress::bugs::run::{attempt, planted};
use threadbare_stress::bugs::{Bug, load};
use threadbare_stress::program::Ended;
use threadbare_stress::verdict::Kind;
use threadbare_stress::vm::{Vm, candidates};

/// Programs that a GIL does not keep from what they look for, and why: on such a VM they may see it.
const WITH_A_GIL: &[(&str, &str)] = &[
    (
        "cpython/150791-groupby-current",
        "a key compares in Python code, in the middle of next()",
    ),
    (
        "cpython/127081-libc-static-buffers",
        "the lock is released around the C library's call",
    ),
    (
        "cpython/143650-import-failed-stale",
        "the order of two steps of the import machinery, with Python code between",
    ),
    (
        "cpython/146471-sqlite-shared-cursor",
        "the lock is released in SQLite",
    ),
    (
        "cpython/118172-sqlite-statement-cache",
        "the lock is released in SQLite",
    ),
    (
        "cpython/hunt-sqlite-blob-close",
        "the lock is released in SQLite",
    ),
    (
        "cpython/120496-sequence-iterator-cursor",
        "Python code runs between reading and writing the cursor",
    ),
    (
        "rustpython/7364-fork-under-threads",
        "a thread that is not in the child may hold the lock of a file when the process forks",
    ),
    (
        "cpython/128384-catch-warnings",
        "saving and restoring are two steps of Python code",
    ),
    (
        "cpython/150708-cache-identity",
        "Python code runs between the look-up and the store",
    ),
    (
        "pypy/5246-bytes-iadd",
        "`x[0] += y` is several steps of Python code",
    ),
];

/// A first try is as short as can be: every program does its work at least once. A busy machine needs
/// more time to meet a fault, and none may decide the test.
const SECONDS: [f64; 4] = [0.01, 1.0, 5.0, 20.0];

fn main() {
    let arguments = Arguments::from_args();
    let python = Vm::open("python3").expect("python3 is on PATH");
    let others: Vec<Vm> = candidates()
        .iter()
        .filter(|spec| *spec != "python3" && *spec != "rustpython")
        .filter_map(|spec| Vm::open(spec).ok())
        .collect();
    let bugs =
        load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("bugs")).expect("the catalogue reads");
    let alone = silent(&python, &bugs);
    let untold: Vec<String> = bugs.iter().filter_map(untold).collect();
    let known = |stem: &str| bugs.iter().any(|b| b.stem == stem);
    let stray = WITH_A_GIL.iter().find(|(stem, _)| !known(stem));
    assert!(stray.is_none(), "no such entry: {stray:?}");
    let mut trials = vec![Trial::test(
        "every entry says what can be planted, or why nothing can",
        move || match untold.as_slice() {
            [] => Ok(()),
            some => Err(some.join("\n").into()),
        },
    )];
    for (bug, ended) in bugs.into_iter().zip(alone) {
        let complaint = complaint(&bug, &ended);
        let name = bug.stem.clone();
        trials.push(Trial::test(format!("{name} without a fault"), move || {
            complaint.map_or(Ok(()), |why| Err(Failed::from(why)))
        }));
        if bug.faults.is_empty() {
            continue;
        }
        match host(&bug, ended, &python, &others) {
            Ok(vm) => trials.push(Trial::test(format!("{name} with a fault"), move || {
                reports(&vm, &bug)
            })),
            Err(why) => trials.push(
                Trial::test(
                    format!("{name} with a fault (no VM here can run it: {why})"),
                    || Ok(()),
                )
                .with_ignored_flag(true),
            ),
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// What is wrong with what an entry says of faults: nothing is said, or a fault goes around the check.
fn untold(bug: &Bug) -> Option<String> {
    let around = |lines: &[&str]| {
        let planted = lines[0].contains("FAULT");
        planted && (lines[0].contains(" or FAULT") || lines[1].trim_start().starts_with("hit("))
    };
    let lines: Vec<&str> = bug.program.lines().chain([""]).collect();
    if let Some(pair) = lines.windows(2).find(|pair| around(pair)) {
        return Some(format!("{}: goes around the check: {}", bug.stem, pair[0]));
    }
    let both = [bug.faults.is_empty(), bug.no_fault.is_empty()];
    (both[0] == both[1]).then(|| format!("{}: wants `faults` or `no_fault`", bug.stem))
}

/// How each program ends that no fault was planted into, on two threads.
fn silent(vm: &Vm, bugs: &[Bug]) -> Vec<Ended> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut ended = Vec::new();
        loop {
            // Relaxed: the counter deals out work and carries no data.
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(bug) = bugs.get(i) else { break ended };
            let short = Duration::from_secs_f64(SECONDS[0]);
            ended.push((
                i,
                attempt(vm, bug, short).expect("python3 starts").run.ended,
            ));
        }
    };
    let mut ended = std::thread::scope(|scope| {
        let workers = [scope.spawn(worker), scope.spawn(worker)];
        workers.map(|w| w.join().unwrap()).concat()
    });
    ended.sort_by_key(|(i, _)| *i);
    ended.into_iter().map(|(_, ended)| ended).collect()
}

/// What is wrong with the end of a run without a fault under a GIL.
fn complaint(bug: &Bug, ended: &Ended) -> Option<String> {
    let allowed = WITH_A_GIL.iter().any(|(stem, _)| *stem == bug.stem);
    match ended {
        Ended::Clean => None,
        Ended::Skip(why) if !why.is_empty() => None,
        Ended::Broken(_) | Ended::Outside(_) => Some(ended.line()),
        _ if allowed => None,
        _ => Some(format!("{} although there is a GIL", ended.line())),
    }
}

/// The VM that runs this program: python3, or another one where python3 lacks what it needs.
fn host(bug: &Bug, ended: Ended, python: &Vm, others: &[Vm]) -> Result<Vm, String> {
    let Ended::Skip(mut why) = ended else {
        return Ok(python.clone());
    };
    for vm in others {
        let short = Duration::from_secs_f64(SECONDS[0]);
        match attempt(vm, bug, short).map(|a| a.run.ended) {
            Ok(Ended::Skip(other)) => why = other,
            Ok(Ended::Broken(_)) | Err(_) => {}
            Ok(_) => return Ok(vm.clone()),
        }
    }
    Err(why)
}

/// Each fault must make the program say what it sees, and one of them in the words by which the bug is known.
fn reports(vm: &Vm, bug: &Bug) -> Result<(), Failed> {
    let mut known = bug.signature.text.is_empty();
    for fault in &bug.faults {
        let mut last = None;
        for seconds in SECONDS {
            let attempt = planted(vm, bug, Duration::from_secs_f64(seconds), fault)?;
            known |= attempt.hit;
            let ended = attempt.run.ended;
            // A VM without a GIL may also die or hang of the bug itself: once more, then.
            let of_the_bug = [Kind::Crash, Kind::Hang, Kind::Deadlock];
            let bug_itself = ended.kind().is_some_and(|k| of_the_bug.contains(&k));
            let over = ended != Ended::Clean && (vm.facts.has_gil() || !bug_itself);
            last = Some(ended);
            if over {
                break;
            }
        }
        let ended = last.expect("at least one run");
        if ended.kind() != Some(Kind::Outcome) {
            let replay = format!("{} stress/bugs/{}.py 20 {fault}", vm.spec, bug.stem);
            return Err(format!("with {fault}: {} ({replay})", ended.line()).into());
        }
    }
    match known {
        true => Ok(()),
        false => Err(format!("no fault of it says any of {:?}", bug.signature.text).into()),
    }
}
