//! Counts and speed of the explorer beside loom and shuttle, on the same programs, in the
//! same run; GenMC's published counts are printed along. `closure` is the explorer on the closure
//! that loom gets; the ratio is of these two.
//!
//! `cargo bench -p threadbare-litmus --bench explore [-- NAME]`; `CAP=seconds` is what loom
//! and shuttle may spend on a program (3). Speeds are executions, complete and blocked, per
//! second of processor time, so that other load on the machine counts less; only the gain
//! by workers is in seconds of the wall. `CAP=0` leaves loom and shuttle out; `REPEAT=n` explores each
//! `Program` n times and measures nothing, for who counts instructions.

mod engines;
mod programs;

use engines::{Locks, Peer};
use programs::{Case, cases};
use std::time::{Duration, Instant};
use threadbare_litmus::explore::Report;
use threadbare_litmus::{Explorer, Model};

/// The model of GenMC's counts.
fn rc11() -> Explorer {
    Explorer::new().model(Model::Rc11)
}

/// Processor time of this process.
fn spent() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to a live timespec; the clock exists on Linux.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0, "the process has a clock");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Repeats an exploration for a while; its report and executions a second. The clock, a
/// call of the system that costs as much as a small exploration does, is asked after about
/// a thousand executions.
fn rate(mut explore: impl FnMut() -> Report) -> (Report, f64) {
    let (begun, wall) = (spent(), Instant::now());
    let (mut executions, mut asked) = (0, 0);
    let times = std::env::var("REPEAT")
        .ok()
        .and_then(|times| times.parse().ok());
    if let Some(times) = times {
        let mut report = explore();
        for _ in 1_u64..times {
            report = explore();
        }
        return (report, 0.0);
    }
    loop {
        let report = explore();
        executions += report.complete + report.blocked;
        if executions - asked < 1_000 {
            continue;
        }
        asked = executions;
        let took = spent() - begun;
        if took >= Duration::from_millis(300) || wall.elapsed() >= Duration::from_secs(10) {
            return (report, executions as f64 / took.as_secs_f64());
        }
    }
}

fn thousands(rate: f64) -> String {
    if rate >= 10_000.0 {
        format!("{:.0}k", rate / 1_000.0)
    } else {
        format!("{:.1}k", rate / 1_000.0)
    }
}

fn pair(complete: u64, blocked: u64) -> String {
    if blocked == 0 {
        complete.to_string()
    } else {
        format!("{complete} + {blocked}")
    }
}

fn peer(peer: &Peer) -> (String, String) {
    let more = if peer.finished { "" } else { "> " };
    let note = match &peer.verdict {
        None => "",
        Some(verdict) if verdict.contains("branch") || verdict.contains("max_steps") => " (spins)",
        Some(_) => " (alarm)",
    };
    let rate = peer.executions as f64 / peer.spent.as_secs_f64();
    (format!("{more}{}{note}", peer.executions), thousands(rate))
}

/// One row. Whether it keeps to GenMC's counts.
fn row(case: &Case, cap: Duration) -> bool {
    let (report, speed) = rate(|| rc11().verify(case));
    if let Some(failure) = &report.failure {
        println!("{:<16} {}", case.name, failure.message);
        return false;
    }
    if std::env::var_os("REPEAT").is_some() {
        return true;
    }
    let reduced = rc11().reduce(true).verify(case);
    let closure = case.closure.then(|| rate(|| engines::ours(case)).1);
    if cap.is_zero() {
        let closure = closure.map_or("-".into(), thousands);
        println!("{:<16} {:>6} {closure:>7}", case.name, thousands(speed));
        return true;
    }
    let loom = engines::loom(case, cap, spent);
    let shuttle = engines::shuttle(case, cap, spent);
    let loom_rate = loom.executions as f64 / loom.spent.as_secs_f64();
    // Closures against closures.
    let gain = closure.map_or("-".into(), |closure| format!("{:.0}x", closure / loom_rate));
    let ((loom, loom_speed), (shuttle, shuttle_speed)) = (peer(&loom), peer(&shuttle));
    let genmc = case.genmc.map_or("-".into(), |(c, b)| pair(c, b));
    let keeps = case
        .genmc
        .is_none_or(|(complete, blocked)| report.complete <= complete && report.blocked <= blocked);
    println!(
        "{:<16} {:>13} {:>13} {:>13} {:>6} {:>7} {:>18} {:>6} {:>6} {:>20} {:>6}{}",
        case.name,
        pair(report.complete, report.blocked),
        genmc,
        pair(reduced.complete, reduced.blocked),
        thousands(speed),
        closure.map_or("-".into(), thousands),
        loom,
        loom_speed,
        gain,
        shuttle,
        shuttle_speed,
        if keeps { "" } else { "  MORE THAN GENMC" },
    );
    keeps
}

/// A row of what only closures can do: locks.
fn locks_row(locks: Locks, cap: Duration) {
    let (report, speed) = rate(|| engines::our_locks(locks));
    if let Some(failure) = &report.failure {
        println!("{:<16} {}", locks.name, failure.message);
        return;
    }
    if cap.is_zero() {
        println!("{:<16} {:>6} {:>7}", locks.name, "-", thousands(speed));
        return;
    }
    let peer_run = engines::loom_locks(locks, cap, spent);
    let gain = speed * peer_run.spent.as_secs_f64() / peer_run.executions as f64;
    let (loom, loom_speed) = peer(&peer_run);
    println!(
        "{:<16} {:>13} {:>13} {:>13} {:>6} {:>7} {:>18} {:>6} {:>6}",
        locks.name,
        pair(report.complete, report.blocked),
        "-",
        "-",
        "-",
        thousands(speed),
        loom,
        loom_speed,
        format!("{gain:.0}x"),
    );
}

fn machine() {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown processor", |m| {
        m.trim_start_matches(['\t', ' ', ':'])
    });
    let cores = std::thread::available_parallelism().map_or(1, Into::into);
    println!("machine: {model}, {cores} processors");
    println!("command: cargo bench -p threadbare-litmus --bench explore\n");
}

fn workers(case: &Case, reduce: bool) {
    let time = |workers| {
        let begun = Instant::now();
        let report = rc11().reduce(reduce).workers(workers).verify(case);
        (report.complete, begun.elapsed())
    };
    let runs: Vec<_> = (0..3).map(|_| (time(1), time(2))).collect();
    let mut gains: Vec<f64> = runs
        .iter()
        .map(|((one, alone), (two, both))| {
            assert_eq!(one, two, "workers change nothing");
            alone.as_secs_f64() / both.as_secs_f64()
        })
        .collect();
    gains.sort_by(f64::total_cmp);
    let ((complete, alone), (_, both)) = runs[1];
    println!(
        "{}: {complete} executions, one worker {alone:.2?}, two {both:.2?}; gain, of three runs: \
         {:.2} {:.2} {:.2}",
        case.name, gains[0], gains[1], gains[2]
    );
}

fn main() {
    let only = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
    let cap = std::env::var("CAP").ok().and_then(|cap| cap.parse().ok());
    let cap = Duration::from_secs(cap.unwrap_or(3));
    engines::quiet();
    machine();
    println!(
        "{:<16} {:>13} {:>13} {:>13} {:>6} {:>7} {:>18} {:>6} {:>6} {:>20} {:>6}",
        "program",
        "executions",
        "GenMC 0.11",
        "reduced",
        "per s",
        "closure",
        "loom 0.7.2",
        "per s",
        "ratio",
        "shuttle 0.9.9 DFS",
        "per s"
    );
    let all = cases();
    let chosen = |case: &&Case| {
        only.as_ref()
            .is_none_or(|only| case.name.contains(only.as_str()))
    };
    let mut keep = true;
    for case in all
        .iter()
        .filter(chosen)
        .filter(|case| case.name != "biased 4")
    {
        keep &= row(case, cap);
    }
    let locks = [
        ("mutex 2 x 2", 2, 2),
        ("mutex 3 x 2", 3, 2),
        ("mutex 3 x 4", 3, 4),
    ];
    for (name, threads, times) in locks {
        let locks = Locks {
            name,
            threads,
            times,
        };
        if only
            .as_ref()
            .is_none_or(|only| name.contains(only.as_str()))
        {
            locks_row(locks, cap);
        }
    }
    println!();
    for case in all.iter().filter(chosen) {
        match case.name {
            "Arc 4" => workers(case, false),
            "biased 4" => {
                let begun = (Instant::now(), spent());
                let report = rc11().reduce(true).workers(2).verify(case);
                println!(
                    "{}, reduced, two workers: {} executions, {:.1?} of the wall, {:.1?} of \
                     processor time (GenMC 0.11: not in 100 s)",
                    case.name,
                    pair(report.complete, report.blocked),
                    begun.0.elapsed(),
                    spent() - begun.1
                );
            }
            _ => {}
        }
    }
    let verdict = if keep { "no row has" } else { "SOME ROWS HAVE" };
    println!("{verdict} more executions, complete or blocked, than GenMC's");
}
