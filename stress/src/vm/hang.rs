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
    // On a busy machine a thread may be runnable for long without using any time.
    let running = after
        .iter()
        .filter(|t| t.state == 'R' || before.iter().any(|b| b.tid == t.tid && b.used < t.used))
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

/// Watches for a process whose every thread sleeps: then no wait for its output is needed.
pub(super) struct Idle {
    since: Instant,
    looked: Instant,
    used: u64,
}

impl Idle {
    pub fn new() -> Self {
        let now = Instant::now();
        Self {
            since: now,
            looked: now,
            used: 0,
        }
    }

    /// How long the process has slept, as far as was seen; to be called often.
    pub fn look(&mut self, pid: u32) -> Duration {
        if self.looked.elapsed() < Duration::from_millis(100) {
            return self.since.elapsed();
        }
        self.looked = Instant::now();
        let threads = ticks(pid);
        let used = threads.iter().map(|t| t.used).sum();
        // A launcher that waits for a child of its own is not idle.
        let waits =
            threads.is_empty() || !threads.iter().all(|t| t.state == 'S') || has_children(pid);
        if waits || used != self.used {
            self.used = used;
            self.since = self.looked;
        }
        self.since.elapsed()
    }
}

fn has_children(pid: u32) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
    tasks.into_iter().flatten().flatten().any(|t| {
        std::fs::read_to_string(t.path().join("children")).is_ok_and(|c| !c.trim().is_empty())
    })
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

/// A thread of a process.
struct Thread {
    tid: u32,
    /// Processor time in clock ticks.
    used: u64,
    /// R runnable, S asleep, D in the kernel, …
    state: char,
}

/// Every thread of a process as it is now.
fn ticks(pid: u32) -> Vec<Thread> {
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
            let time = |n: usize| fields.get(n)?.parse::<u64>().ok();
            Some(Thread {
                tid,
                used: time(11)? + time(12)?,
                state: fields.first()?.chars().next()?,
            })
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
    let deadline = Instant::now() + Duration::from_secs(5);
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
