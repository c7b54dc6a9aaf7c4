//! Containment: a VM is a child process with limits on time, memory and output.
//!
//! The child leads its own process group and dies with the hunter; what it leaves behind is
//! killed with it. Both pipes are read without blocking, so a flood on one cannot stop the
//! other, and everything printed before a crash is kept.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::collections::HashSet;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Limits of one child.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest time without a line on stdout.
    pub silence: Duration,
    /// Longest time that all its threads may wait at once without a time limit, if it never waits for
    /// anything but itself.
    pub idle: Option<Duration>,
    /// Longest run.
    pub total: Duration,
    /// What one thread of a process past its time may still compute before it counts as hung: its own
    /// processor time, which a busy machine does not use up. `None`: the clock alone decides.
    pub late: Option<Duration>,
    /// Resident memory of the child, bytes.
    pub memory: u64,
    /// Output on either pipe, bytes.
    pub output: usize,
    /// Take a hung process apart with a debugger, and let a panic print its frames; without it only
    /// the threads' states and the panic's place are read.
    pub debugger: bool,
    /// Let a crash leave a core file in the folder that the child is started in.
    pub core: bool,
    /// Bind each thread to a processor of its own; of no use to a VM that runs one at a time.
    pub spread: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(5),
            idle: None,
            total: Duration::from_secs(60),
            late: None,
            memory: memory_limit(),
            output: 16 << 20,
            debugger: true,
            core: false,
            spread: false,
        }
    }
}

impl Limits {
    /// The same limits for a VM that is so many times slower.
    pub fn slowed(self, times: u32) -> Self {
        Self {
            // Phases end by the clock: between two lines there is little that gets slower.
            silence: self.silence * times.min(4),
            // Sleep is no slower; but a symboliser that the VM waits for may be.
            idle: self.idle.map(|idle| idle * times.min(3)),
            total: self.total * times.min(4),
            late: self.late.map(|late| late * times),
            ..self
        }
    }
}

/// Largest core file, bytes.
const CORE: u64 = 4 << 30;

/// What is kept of either pipe after a flood: millions of lines tell no more than the first.
const FLOOD_KEPT: usize = 1 << 20;

/// A quarter of the machine's memory, at most 4 GiB: a VM that eats its fill must not make
/// the kernel end somebody else.
fn memory_limit() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|l| {
        let kib = l.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?;
        kib.trim().parse::<u64>().ok()
    });
    total.map_or(4 << 30, |kib| (kib * 1024 / 4).min(4 << 30))
}

/// Jobs and scripts hold no lock for long: who waits this long without a time limit, waits for ever.
pub const IDLE: Duration = Duration::from_secs(1);

/// How many times longer a process may be silent that waits for a processor most of the time.
const STARVED: u32 = 5;

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with this exit code.
    Exit(i32),
    /// By a signal that we did not send.
    Signal(i32),
    /// No line for [`Limits::silence`], or longer than [`Limits::total`].
    Hang,
    /// More resident memory than [`Limits::memory`].
    Memory,
    /// More output than [`Limits::output`].
    Flood,
    /// The user interrupted the hunt.
    Interrupted,
}

/// What a child left.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// Lines of stdout, the last one possibly cut.
    pub stdout: Vec<String>,
    /// Whether the last line of stdout ended with a newline.
    pub complete_line: bool,
    /// stderr, bounded.
    pub stderr: String,
    /// What was seen of the process just before it was stopped for a hang.
    pub hang: Option<super::hang::Autopsy>,
    /// Processes it left behind, killed by us.
    pub orphans: usize,
}

/// Set when the user interrupts; every running child is then stopped.
pub static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Whether the user has interrupted the run.
pub fn interrupted() -> bool {
    // Relaxed: the flag carries no data.
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Process ids of the children that run now; anything else below us is an orphan.
static LIVE: Mutex<Option<HashSet<i32>>> = Mutex::new(None);

fn live() -> MutexGuard<'static, Option<HashSet<i32>>> {
    LIVE.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Runs a command to its end or to a limit.
///
/// # Errors
/// When the program cannot be started: not found, not executable, not a program.
pub fn run(command: &mut Command, limits: Limits) -> std::io::Result<Outcome> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let parent = std::process::id();
    let core = if limits.core { CORE } else { 0 };
    // SAFETY: only async-signal-safe calls (prctl, getppid, setrlimit, _exit) between fork and exec.
    unsafe {
        command.pre_exec(move || {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if libc::getppid() as u32 != parent {
                libc::_exit(127);
            }
            let core = libc::rlimit {
                rlim_cur: core,
                rlim_max: core,
            };
            libc::setrlimit(libc::RLIMIT_CORE, &core);
            Ok(())
        });
    }
    // Descendants that outlive the child are handed to us instead of to init, so that we can end them.
    // SAFETY: a plain system call on the own process.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    let mut child = {
        let mut live = live();
        let child = command.spawn()?;
        live.get_or_insert_default().insert(child.id() as i32);
        child
    };
    let watched = watch(&mut child, limits);
    let group = Pid::from_raw(child.id() as i32);
    let _ = killpg(group, Signal::SIGKILL);
    // A child that has moved to another group would make the wait endless.
    let _ = child.kill();
    let status = child.wait();
    let orphans = {
        let mut live = live();
        let live = live.get_or_insert_default();
        live.remove(&(group.as_raw()));
        reap(live)
    };
    let mut watched = watched?;
    let status = status?;
    let end = watched.stopped.unwrap_or_else(|| natural(status));
    if end == End::Flood {
        watched.out.truncate(FLOOD_KEPT);
        watched.err.truncate(FLOOD_KEPT);
    }
    let (stdout, complete_line) = lines(&watched.out);
    let stderr = String::from_utf8_lossy(&watched.err).into_owned();
    Ok(Outcome {
        end,
        stdout,
        complete_line,
        stderr,
        hang: watched.hang,
        orphans,
    })
}

fn natural(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exit(code),
        (None, Some(signal)) => End::Signal(signal),
        (None, None) => End::Exit(-1),
    }
}

fn lines(bytes: &[u8]) -> (Vec<String>, bool) {
    let text = String::from_utf8_lossy(bytes);
    (
        text.lines().map(str::to_owned).collect(),
        text.is_empty() || text.ends_with('\n'),
    )
}

struct Watched {
    out: Vec<u8>,
    err: Vec<u8>,
    stopped: Option<End>,
    hang: Option<super::hang::Autopsy>,
}

/// Reads both pipes until the child has closed them, has ended, or has broken a limit.
fn watch(child: &mut Child, limits: Limits) -> std::io::Result<Watched> {
    let mut pipes = (
        child.stdout.take().expect("piped"),
        child.stderr.take().expect("piped"),
    );
    nonblocking(&pipes.0)?;
    nonblocking(&pipes.1)?;
    let pid = child.id() as i32;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let (mut open_out, mut open_err) = (true, true);
    let start = Instant::now();
    let mut last = start;
    let mut stopped = None;
    let mut hang = None;
    let mut ended = None;
    let mut spread = limits.spread.then(super::spread::Spread::new);
    let mut idle = super::hang::Idle::new();
    let mut overtime = None;
    loop {
        if let Some(spread) = &mut spread {
            spread.look(child.id());
        }
        let before = out.len();
        if open_out {
            open_out = drain(&mut pipes.0, &mut out, limits.output)?;
        }
        if open_err {
            open_err = drain(&mut pipes.1, &mut err, limits.output)?;
        }
        if out.len() > before {
            last = Instant::now();
        }
        if out.len() >= limits.output || err.len() >= limits.output {
            stopped = Some(End::Flood);
            break;
        }
        // A grandchild may hold the pipes open for ever: after the child's end only what is there counts.
        if ended.is_some() || (!open_out && !open_err && child.try_wait()?.is_some()) {
            break;
        }
        if child.try_wait()?.is_some() {
            ended = Some(());
            continue;
        }
        if interrupted() {
            stopped = Some(End::Interrupted);
            break;
        }
        if resident(pid) > limits.memory {
            stopped = Some(End::Memory);
            break;
        }
        let asleep = limits
            .idle
            .is_some_and(|most| idle.forever(child.id()) > most);
        let late = last.elapsed() > limits.silence || start.elapsed() > limits.total;
        let hung = late
            && match limits.late {
                Some(most) => overtime
                    .get_or_insert_with(|| super::hang::Overtime::new(child.id()))
                    .over(child.id(), most),
                None => {
                    last.elapsed() > limits.silence * STARVED
                        || !super::hang::starved(child.id())
                        || idle.sleeps(child.id())
                }
            };
        if asleep || hung {
            let (autopsy, more) = super::hang::autopsy(child, limits.debugger);
            let _ = drain(&mut pipes.1, &mut err, limits.output);
            err.extend_from_slice(more.as_bytes());
            hang = Some(autopsy);
            stopped = Some(End::Hang);
            break;
        }
        let mut fds = Vec::new();
        if open_out {
            fds.push(PollFd::new(pipes.0.as_fd(), PollFlags::POLLIN));
        }
        if open_err {
            fds.push(PollFd::new(pipes.1.as_fd(), PollFlags::POLLIN));
        }
        if fds.is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        } else {
            let _ = poll(&mut fds, PollTimeout::from(20u8));
        }
    }
    Ok(Watched {
        out,
        err,
        stopped,
        hang,
    })
}

fn nonblocking(fd: &impl AsFd) -> std::io::Result<()> {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    fcntl(fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(())
}

/// Reads what is there; false at end of file.
fn drain(pipe: &mut impl Read, into: &mut Vec<u8>, limit: usize) -> std::io::Result<bool> {
    let mut chunk = [0u8; 65536];
    while into.len() < limit {
        match pipe.read(&mut chunk) {
            Ok(0) => return Ok(false),
            Ok(n) => into.extend_from_slice(&chunk[..n.min(limit - into.len())]),
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => return Ok(true),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(true)
}

/// Resident memory of a process in bytes, 0 once it is gone.
fn resident(pid: i32) -> u64 {
    std::fs::read_to_string(format!("/proc/{pid}/statm"))
        .ok()
        .and_then(|s| s.split(' ').nth(1)?.parse::<u64>().ok())
        .map_or(0, |pages| pages * 4096)
}

/// Ends descendants that survived their parent and now belong to us. Processes of our own
/// group are our helpers, such as a debugger: every VM leads a group of its own.
fn reap(live: &HashSet<i32>) -> usize {
    // SAFETY: a plain system call without arguments.
    let own_group = unsafe { libc::getpgrp() };
    let mut orphans = 0;
    // Ending one hands its children to us in turn, so look until there is none left.
    loop {
        let left = children().into_iter().filter(|&pid| {
            // SAFETY: a plain system call; a process that is gone has the group -1.
            !live.contains(&pid) && unsafe { libc::getpgid(pid) } != own_group
        });
        let mut ended = 0;
        for pid in left {
            // SAFETY: plain system calls on a process that is our child by adoption.
            unsafe {
                libc::kill(pid, libc::SIGKILL);
                if libc::waitpid(pid, std::ptr::null_mut(), 0) == pid {
                    ended += 1;
                }
            }
        }
        orphans += ended;
        if ended == 0 {
            return orphans;
        }
    }
}

/// Process ids of the children of all our threads.
fn children() -> Vec<i32> {
    let me = std::process::id();
    let tasks = std::fs::read_dir(format!("/proc/{me}/task"));
    tasks
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|t| std::fs::read_to_string(t.path().join("children")).ok())
        .flat_map(|l| {
            l.split_whitespace()
                .filter_map(|p| p.parse().ok())
                .collect::<Vec<i32>>()
        })
        .collect()
}
