//! A real interpreter that stands still: deadlocked, and idle without being so.

use std::io::Write;
use std::process::Command;
use std::time::Duration;
use threadbare_stress::verdict::{self, Kind, waits};
use threadbare_stress::vm::child::{self, End, Limits};
use threadbare_stress::vm::job::Log;

/// Two threads that take two locks in opposite order.
const DEADLOCK: &str = "
import faulthandler, threading
faulthandler.enable()
a, b = threading.Lock(), threading.RLock()
met = threading.Barrier(2)

def takes_b_last():
    with a:
        met.wait()
        with b:
            pass

def takes_a_last():
    with b:
        met.wait()
        with a:
            pass

for f in (takes_b_last, takes_a_last):
    threading.Thread(target=f).start()
";

/// A thread that waits for another, which sleeps and will go on.
const IDLE: &str = "
import faulthandler, threading, time
faulthandler.enable()
done = threading.Lock()
done.acquire()

def sleeps():
    time.sleep(1000)
    done.release()

threading.Thread(target=sleeps).start()
done.acquire()
";

/// Runs a program until it has slept or been silent for a while.
fn run(program: &str) -> Log {
    let mut file = tempfile::Builder::new().suffix(".py").tempfile().unwrap();
    file.write_all(program.as_bytes()).unwrap();
    let mut command = Command::new("python3");
    command.arg(file.path());
    let limits = Limits {
        idle: Some(Duration::from_secs(2)),
        silence: Duration::from_secs(5),
        ..Limits::default()
    };
    Log::parse(child::run(&mut command, limits).expect("python3 is on PATH"))
}

#[test]
fn a_deadlock_names_the_python_stacks_of_its_threads() {
    let log = run(DEADLOCK);
    assert_eq!(log.end(), End::Hang);
    let verdict = verdict::of_process(&log).unwrap();
    assert_eq!(verdict.kind, Kind::Deadlock, "{}", verdict.detail);
    for function in ["takes_b_last", "takes_a_last"] {
        assert!(verdict.detail.contains(function), "{}", verdict.detail);
    }
    let autopsy = log.outcome.as_ref().unwrap().hang.clone().unwrap();
    let threads = waits::read(&autopsy.backtrace, log.stderr());
    let table = waits::table(&threads);
    assert!(
        threads.len() >= 3 && table.contains("in takes_a_last"),
        "{table}"
    );
    // Native frames only where a debugger is installed and may attach.
    if !autopsy.backtrace.is_empty() {
        assert!(
            threads.iter().filter(|t| t.waits.is_some()).count() >= 2,
            "{table}"
        );
    }
}

#[test]
fn a_thread_that_sleeps_is_no_deadlock() {
    let log = run(IDLE);
    assert_eq!(log.end(), End::Hang);
    let verdict = verdict::of_process(&log).unwrap();
    assert_eq!(verdict.kind, Kind::Hang, "{}", verdict.detail);
    assert!(
        verdict.detail.contains("1 for time or input"),
        "{}",
        verdict.detail
    );
    assert!(verdict.detail.contains("in sleeps"), "{}", verdict.detail);
}
