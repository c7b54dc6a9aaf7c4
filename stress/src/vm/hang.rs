//! What a process that says nothing is doing: taken apart before it is stopped.
//!
//! A time-out alone proves little: heap corruption often ends as an endless loop inside the
//! allocator, and a lock cycle looks the same from outside. So every thread's state and
//! consumption is read, then a debugger's backtrace where there is one, then the process is
//! asked (SIGABRT) to print its own stacks, which CPython's faulthandler does.

use serde::{Deserialize, Serialize};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A hung process, thread by thread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Autopsy {
    /// Threads that used the processor while we watched, or waited for it.
    pub running: usize,
    /// Threads that slept all the time.
    pub sleeping: usize,
    /// Native backtrace of every thread, empty without a debugger.
    pub backtrace: String,
}

/// Reads the process's threads, then ends it with SIGABRT so that it can print its stacks.
/// Returns what it saw, and a sentence for the record.
pub fn autopsy(child: &mut Child, with_debugger: bool) -> (Autopsy, String) {
    let pid = child.id();
    let before = ticks(pid);
    std::thread::sleep(Duration::from_millis(120));
    let after = ticks(pid);
    let running = after
        .iter()
        .filter(|(tid, t, runnable)| *runnable || before.iter().any(|(b, u, _)| b == tid && u < t))
        .count();
    let sleeping = after.len().saturating_sub(running);
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
            backtrace,
        },
        note,
    )
}

/// Whether a process's threads spent more than a quarter of their runnable time waiting for a
/// processor: the machine is busy, and silence proves nothing yet.
pub fn starved(pid: u32) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let (mut ran, mut waited) = (0u64, 0u64);
    for task in tasks {
        // schedstat: time on a processor, time runnable without one (both ns), time slices.
        let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        let mut fields = text
            .split_whitespace()
            .filter_map(|f| f.parse::<u64>().ok());
        ran += fields.next().unwrap_or(0);
        waited += fields.next().unwrap_or(0);
    }
    waited * 3 > ran
}

/// Processor time of every thread of a process, in clock ticks, and whether it could run just now:
/// on a busy machine a thread may be runnable for long without using any time.
fn ticks(pid: u32) -> Vec<(u32, u64, bool)> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    tasks
        .filter_map(|task| {
            let tid = task.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(task.path().join("stat")).ok()?;
            // The command name may hold spaces; the fields after the last ')' are fixed.
            let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
            Some((
                tid,
                fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?,
                fields.first() == Some(&"R"),
            ))
        })
        .collect()
}

/// `gdb -p`: every thread's native frames; `None` without gdb or when it takes too long.
fn debugger(pid: u32) -> Option<String> {
    let mut gdb = Command::new("gdb")
        .args([
            "-batch",
            "-nx",
            "-ex",
            "set debuginfod enabled off",
            "-ex",
            "thread apply all bt 24",
            "-p",
        ])
        .arg(pid.to_string())
        .env("DEBUGINFOD_URLS", "")
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
    let deadline = Instant::now() + Duration::from_secs(8);
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
