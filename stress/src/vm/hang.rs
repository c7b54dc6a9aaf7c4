//! What a process that says nothing is doing: taken apart before it is stopped.
//!
//! A time-out alone proves little: heap corruption often ends as an endless loop inside the
//! allocator, and a lock cycle looks the same from outside. So every thread's state and
//! consumption is read, then a debugger's backtrace where there is one, then the process is
//! asked (SIGABRT) to print its own stacks, which CPython's faulthandler does.

use super::gdb::gdb;
use super::proc::{ticks, waits_for_time};
use serde::{Deserialize, Serialize};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// What gdb runs to learn who holds what.
const HOLDERS: &str = include_str!("../../harness/holders.gdb.py");

/// Longest time for the debugger, which reads the symbols of a large VM first.
const DEBUGGER: Duration = Duration::from_secs(10);

/// A hung process, thread by thread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Autopsy {
    /// Threads that used the processor while we watched, or waited for it.
    pub running: usize,
    /// Threads that slept all the time.
    pub sleeping: usize,
    /// Sleeping threads that wait for time or input, and so may go on by themselves.
    #[serde(default)]
    pub timed: usize,
    /// Native backtrace of every thread, the interpreter's where the debugger can read it, and the
    /// locks that threads are known to hold (see `waits`); empty without a debugger.
    pub backtrace: String,
}

/// Reads the process's threads, then ends it with SIGABRT so that it can print its stacks.
/// Returns what it saw, and a sentence for the record.
pub fn autopsy(child: &mut Child, with_debugger: bool) -> (Autopsy, String) {
    let pid = child.id();
    let before = ticks(pid);
    std::thread::sleep(Duration::from_millis(120));
    let after = ticks(pid);
    // On a busy machine a thread may be runnable for long without using any time.
    let running = after
        .iter()
        .filter(|t| t.state == 'R' || before.iter().any(|b| b.tid == t.tid && b.used < t.used))
        .count();
    let sleeping = after.len().saturating_sub(running);
    let timed = after.iter().filter(|t| waits_for_time(pid, t.tid)).count();
    let backtrace = if with_debugger {
        debugger(pid).unwrap_or_default()
    } else {
        String::new()
    };
    // SAFETY: a plain system call; the process is our child and not yet waited for.
    unsafe { libc::kill(pid as i32, libc::SIGABRT) };
    let deadline = Instant::now() + Duration::from_millis(700);
    while Instant::now() < deadline && !matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let note = format!("\nstopped: no progress; {running} threads running, {sleeping} sleeping\n");
    (
        Autopsy {
            running,
            sleeping,
            timed,
            backtrace,
        },
        note,
    )
}

/// What reads a CPython's frames: kept beside a VM of ours, else nothing.
fn interpreter_support(pid: u32) -> Option<std::path::PathBuf> {
    let program = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let file = program.parent()?.parent()?.join("share/gdb/libpython.py");
    file.is_file().then_some(file)
}

/// `gdb -p`: every thread's frames; `None` without gdb or when it takes too long.
fn debugger(pid: u32) -> Option<String> {
    let mut holders = tempfile::Builder::new().suffix(".py").tempfile().ok()?;
    std::io::Write::write_all(&mut holders, HOLDERS.as_bytes()).ok()?;
    let mut gdb = gdb();
    gdb.args(["-ex", "thread apply all bt 24"])
        .args(["-ex", &format!("source {}", holders.path().display())]);
    if let Some(support) = interpreter_support(pid) {
        // After the native frames: with it loaded, values print as Python objects.
        gdb.args(["-ex", &format!("source {}", support.display())])
            .args(["-ex", "thread apply all -s py-bt"]);
    }
    let mut gdb = gdb
        .arg("-p")
        .arg(pid.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut out = gdb.stdout.take()?;
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = std::io::Read::read_to_string(&mut out, &mut text);
        text
    });
    let deadline = Instant::now() + DEBUGGER;
    while Instant::now() < deadline {
        if let Ok(Some(_)) = gdb.try_wait() {
            return reader.join().ok();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = gdb.kill();
    let _ = gdb.wait();
    None
}
