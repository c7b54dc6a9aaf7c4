//! What a process that says nothing is doing: taken apart before it is stopped.
//!
//! A time-out alone proves little: heap corruption often ends as an endless loop inside the
//! allocator, and a lock cycle looks the same from outside. So every thread's state and
//! consumption is read, then a debugger's backtrace where there is one, then the process is
//! asked (SIGABRT) to print its own stacks, which CPython's faulthandler does.

use serde::{Deserialize, Serialize};
use std::process::{Child, Command, Stdio};
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

/// How long threads have slept, as far as was seen by looking at them now and then.
struct Sleep {
    slept: Duration,
    looked: Instant,
    /// Processor time at the last look.
    used: u64,
}

/// Between two looks that are further apart, we were stopped ourselves, and the process with us.
const LOOK: Duration = Duration::from_millis(500);

impl Sleep {
    fn new() -> Self {
        Self {
            slept: Duration::ZERO,
            looked: Instant::now(),
            used: 0,
        }
    }

    /// Time since the last look; `None` when it is too early for another.
    fn due(&mut self) -> Option<Duration> {
        let since = self.looked.elapsed();
        if since < Duration::from_millis(100) {
            return None;
        }
        self.looked = Instant::now();
        Some(since.min(LOOK))
    }

    /// Adds what a look has shown; `awake`: they are not asleep, whatever their states say.
    fn add(&mut self, since: Duration, threads: &[Thread], awake: bool) {
        let used = threads.iter().map(|t| t.used).sum();
        let asleep = !awake && used == self.used && threads.iter().all(|t| t.state == 'S');
        self.used = used;
        self.slept = if asleep {
            self.slept + since
        } else {
            Duration::ZERO
        };
    }
}

/// Watches for a process whose every thread sleeps, and whether any of them has set itself a time.
pub(super) struct Idle {
    sleep: Sleep,
    /// The part of its sleep, up to now, without any time limit.
    forever: Duration,
}

impl Idle {
    pub fn new() -> Self {
        Self {
            sleep: Sleep::new(),
            forever: Duration::ZERO,
        }
    }

    /// How long the process has slept without a time limit, as far as was seen; to be called often.
    pub fn forever(&mut self, pid: u32) -> Duration {
        if let Some(since) = self.sleep.due() {
            let threads = ticks(pid);
            // A launcher that waits for a child of its own is not idle.
            let awake = threads.is_empty() || family(pid).len() > 1;
            self.sleep.add(since, &threads, awake);
            let timed = || threads.iter().any(|t| waits_for_time(pid, t.tid));
            self.forever = if self.sleep.slept.is_zero() || timed() {
                Duration::ZERO
            } else {
                self.forever + since
            };
        }
        self.forever
    }

    /// Whether it sleeps, with a time limit or without; to be called often.
    pub fn sleeps(&mut self, pid: u32) -> bool {
        self.forever(pid);
        self.sleep.slept > ASLEEP
    }
}

/// A process past its time, with its descendants: one that sleeps is hung, one that computes may
/// only be slow.
pub(super) struct Overtime {
    sleep: Sleep,
    /// Time past its time, without that in which we were stopped.
    passed: Duration,
    /// Threads as they were when its time was over.
    began: Vec<Thread>,
}

/// How long all threads must sleep past their time: then they are not waiting for a processor.
const ASLEEP: Duration = Duration::from_secs(1);

/// How many times longer than its processor time a process may take that neither sleeps nor
/// computes (it polls), and one that gets no processor.
const POLLS: u32 = 12;
const STARVES: u32 = 60;

impl Overtime {
    pub fn new(pid: u32) -> Self {
        Self {
            sleep: Sleep::new(),
            passed: Duration::ZERO,
            began: family(pid).into_iter().flat_map(ticks).collect(),
        }
    }

    /// Whether every thread sleeps, or one has computed for so long since; to be called often.
    pub fn over(&mut self, pid: u32, most: Duration) -> bool {
        let Some(since) = self.sleep.due() else {
            return false;
        };
        self.passed += since;
        let threads: Vec<Thread> = family(pid).into_iter().flat_map(ticks).collect();
        self.sleep.add(since, &threads, false);
        let computed = |t: &Thread| t.used.saturating_sub(used(&self.began, t.tid));
        let busiest = threads.iter().map(computed).max().unwrap_or(0) as f64 / ticks_a_second();
        let patience = if starved(pid) { STARVES } else { POLLS };
        self.sleep.slept > ASLEEP || busiest > most.as_secs_f64() || self.passed > most * patience
    }
}

/// A process and its descendants.
fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut next = 0;
    while let Some(pid) = all.get(next) {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
        let children = tasks
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|t| std::fs::read_to_string(t.path().join("children")).ok())
            .flat_map(|c| {
                c.split_whitespace()
                    .filter_map(|p| p.parse().ok())
                    .collect::<Vec<u32>>()
            });
        all.extend(children.collect::<Vec<_>>());
        next += 1;
    }
    all
}

/// Processor time that a thread had used then.
fn used(threads: &[Thread], tid: u32) -> u64 {
    threads.iter().find(|t| t.tid == tid).map_or(0, |t| t.used)
}

/// Unit of the kernel's processor times.
fn ticks_a_second() -> f64 {
    // SAFETY: a plain call without memory of ours.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    if ticks > 0 { ticks as f64 } else { 100.0 }
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

/// Whether a thread sleeps in a system call that ends by itself: with a time limit, or at input.
/// The kernel shows the number and the arguments of the call that a thread sleeps in.
fn waits_for_time(pid: u32, tid: u32) -> bool {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/syscall"));
    let text = text.unwrap_or_default();
    let fields: Vec<i64> = text
        .split_whitespace()
        .filter_map(|f| match f.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok().map(|v| v as i64),
            None => f.parse().ok(),
        })
        .collect();
    let argument = |n: usize| fields.get(n + 1).copied().unwrap_or(0);
    // Newer architectures lack the older calls.
    #[cfg(target_arch = "x86_64")]
    const OLDER: &[i64] = &[libc::SYS_select, libc::SYS_accept];
    #[cfg(target_arch = "x86_64")]
    const WITH_MILLISECONDS: &[(i64, usize)] = &[(libc::SYS_poll, 2), (libc::SYS_epoll_wait, 3)];
    #[cfg(not(target_arch = "x86_64"))]
    const OLDER: &[i64] = &[];
    #[cfg(not(target_arch = "x86_64"))]
    const WITH_MILLISECONDS: &[(i64, usize)] = &[];
    const TIMED: &[i64] = &[
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_read,
        libc::SYS_pselect6,
        libc::SYS_ppoll,
        libc::SYS_accept4,
        libc::SYS_recvfrom,
    ];
    let Some(call) = fields.first() else {
        return false;
    };
    if let Some((_, n)) = WITH_MILLISECONDS.iter().find(|(number, _)| number == call) {
        return argument(*n) as i32 != -1;
    }
    // The fourth argument of a futex call is its time limit.
    *call == libc::SYS_futex && argument(3) != 0 || TIMED.contains(call) || OLDER.contains(call)
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
    let mut gdb = Command::new("gdb");
    gdb.args(["-batch", "-nx", "-ex", "set debuginfod enabled off"])
        .args(["-ex", "thread apply all bt 24"])
        .args(["-ex", &format!("source {}", holders.path().display())]);
    if let Some(support) = interpreter_support(pid) {
        // After the native frames: with it loaded, values print as Python objects.
        gdb.args(["-ex", &format!("source {}", support.display())])
            .args(["-ex", "thread apply all -s py-bt"]);
    }
    let mut gdb = gdb
        .arg("-p")
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
