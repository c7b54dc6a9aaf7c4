//! The watch over a child: what counts as asleep, and threads on processors of their own.

use std::process::Command;
use std::time::Duration;
use threadbare_stress::vm::child::{self, End, Limits};

/// Only sleep can end the child before its time.
fn asleep() -> Limits {
    Limits {
        silence: Duration::from_secs(60),
        idle: Some(Duration::from_secs(1)),
        total: Duration::from_secs(60),
        debugger: false,
        ..Limits::default()
    }
}

#[test]
fn a_process_that_waits_for_ever_is_ended_before_its_time() {
    let program = "import _thread; lock = _thread.allocate_lock(); lock.acquire(); lock.acquire()";
    let outcome = child::run(Command::new("python3").args(["-c", program]), asleep()).unwrap();
    assert_eq!(outcome.end, End::Hang);
    let autopsy = outcome.hang.expect("what was seen");
    assert_eq!(
        (autopsy.running, autopsy.sleeping, autopsy.timed),
        (0, 1, 0)
    );
}

#[test]
fn a_process_that_waits_for_the_clock_is_let_sleep() {
    let outcome = child::run(Command::new("sleep").arg("3"), asleep()).unwrap();
    assert_eq!(outcome.end, End::Exit(0));
}

#[test]
fn a_process_that_waits_for_its_own_child_is_not_asleep() {
    let mut shell = Command::new("sh");
    // Not `exec`ed, since something follows.
    shell.args(["-c", "sleep 3; echo done"]);
    let outcome = child::run(&mut shell, asleep()).unwrap();
    assert_eq!(outcome.end, End::Exit(0));
    assert_eq!(outcome.stdout, ["done"]);
}

/// The processors on which each of two threads may run, as the threads see it after a while.
fn processors(spread: bool) -> Vec<String> {
    let program = "
import os, threading, time
def where():
    time.sleep(0.5)
    os.write(1, b'%s\\n' % repr(sorted(os.sched_getaffinity(threading.get_native_id()))).encode())
other = threading.Thread(target=where)
other.start()
where()
other.join()
";
    let limits = Limits {
        spread,
        ..Limits::default()
    };
    let outcome = child::run(Command::new("python3").args(["-c", program]), limits).unwrap();
    assert_eq!(outcome.end, End::Exit(0), "{}", outcome.stderr);
    outcome.stdout
}

#[test]
fn threads_get_processors_of_their_own_where_asked() {
    let free = processors(false);
    assert_eq!(free.len(), 2);
    assert_eq!(free[0], free[1]);
    let bound = processors(true);
    assert_eq!(bound.len(), 2);
    if std::thread::available_parallelism().unwrap().get() > 1 {
        assert_ne!(bound[0], bound[1]);
        assert!(bound.iter().all(|b| !b.contains(',')), "{bound:?}");
    } else {
        assert_eq!(bound, free);
    }
}

/// Past its time after 0.3 s; then so much may be computed.
fn late(most: Duration) -> Limits {
    let time = Duration::from_millis(300);
    Limits {
        silence: time,
        total: time,
        late: Some(most),
        debugger: false,
        ..Limits::default()
    }
}

fn shell(program: &str, limits: Limits) -> child::Outcome {
    child::run(Command::new("sh").args(["-c", program]), limits).unwrap()
}

#[test]
fn a_late_process_that_computes_may_end_by_itself() {
    // Three quarters of a second and more of nothing but turns.
    let turns = "i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done; echo done";
    let outcome = shell(turns, late(Duration::from_secs(60)));
    assert_eq!(outcome.end, End::Exit(0));
    assert_eq!(outcome.stdout, ["done"]);
}

#[test]
fn a_late_process_that_computes_for_ever_is_ended() {
    let outcome = shell("while :; do :; done", late(Duration::from_millis(500)));
    assert_eq!(outcome.end, End::Hang);
    assert_eq!(outcome.hang.expect("what was seen").running, 1);
}

#[test]
fn a_late_process_that_sleeps_is_ended_without_more_ado() {
    let outcome = shell("exec sleep 600", late(Duration::from_secs(3600)));
    assert_eq!(outcome.end, End::Hang);
    let autopsy = outcome.hang.expect("what was seen");
    assert_eq!((autopsy.running, autopsy.sleeping), (0, 1));
}
