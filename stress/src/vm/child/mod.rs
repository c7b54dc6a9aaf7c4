//! Containment: a VM is a child process with limits on time, memory and output.
//!
//! The child leads its own process group and dies with the hunter; what it leaves behind is
//! killed with it. Both pipes are read without blocking, so a flood on one cannot stop the
//! other, and everything printed before a crash is kept.

mod limits;
mod orphans;
mod watch;

pub use self::limits::Limits;

use self::orphans::{live, reap};
use self::watch::watch;
use super::hang::Autopsy;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::MutexGuard;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Jobs and scripts hold no lock for long: who waits this long without a time limit, waits for ever.
pub const IDLE: Duration = Duration::from_secs(1);

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// By itself, with this exit code.
    Exit(i32),
    /// By a signal that we did not send, or with the exit code by which a launcher that waits for the VM, as
    /// a shell or a container does, says that the VM died of one.
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
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hang: Option<Autopsy>,
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

/// Largest core file, bytes.
const CORE: u64 = 4 << 30;

/// What is kept of either pipe after a flood: millions of lines tell no more than the first.
const FLOOD_KEPT: usize = 1 << 20;

/// While it is held no child is started here and none is ended: for who starts processes by other means, which
/// would be taken for what an earlier child left behind.
pub fn hold() -> MutexGuard<'static, Option<HashSet<i32>>> {
    live()
}

/// Runs a command to its end or to a limit.
///
/// # Errors
/// When the program cannot be started: not found, not executable, not a program.
pub fn run(command: &mut Command, limits: Limits) -> std::io::Result<Outcome> {
    command.stdin(Stdio::null());
    let mut child = spawn(command, limits.core)?;
    let watched = watch(&mut child, limits);
    let (status, orphans) = finish(child);
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

/// Starts a command that leads a group of its own and dies with us, its output in pipes; [`finish`] ends it.
/// `core`: a crash may leave a core file.
///
/// # Errors
/// When the program cannot be started.
pub(super) fn spawn(command: &mut Command, core: bool) -> std::io::Result<Child> {
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let parent = std::process::id();
    let core = if core { CORE } else { 0 };
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
    let mut live = live();
    let child = command.spawn()?;
    live.get_or_insert_default().insert(child.id() as i32);
    Ok(child)
}

/// Ends a child with its group where it still runs, and what it left behind: how it ended, and how many were left.
/// It must not have been waited for, else its number may be another process's.
pub(super) fn finish(mut child: Child) -> (std::io::Result<ExitStatus>, usize) {
    let group = Pid::from_raw(child.id() as i32);
    let _ = killpg(group, Signal::SIGKILL);
    // A child that has moved to another group would make the wait endless.
    let _ = child.kill();
    let status = child.wait();
    let mut live = live();
    let live = live.get_or_insert_default();
    live.remove(&(group.as_raw()));
    (status, reap(live))
}

/// The last signal that is no real-time one: 128 and more than that is an exit code of somebody's own.
const LAST_SIGNAL: i32 = 31;

/// A launcher that does not become the VM leaves with 128 + n when the VM died of signal n. A program that
/// leaves so of its own would be misread: our harness, scripts and programs never do.
pub(super) fn natural(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) if (1..=LAST_SIGNAL).contains(&(code - 128)) => End::Signal(code - 128),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_launcher_tells_by_its_exit_code_of_what_its_vm_died() {
        let end = |script: &str| {
            let mut command = Command::new("sh");
            let limits = Limits::default();
            run(command.args(["-c", script]), limits).unwrap().end
        };
        // The shell waits for the inner one, and leaves.
        let died = |signal| end(&format!("sh -c 'kill -{signal} $$'; exit $?"));
        assert_eq!(died("KILL"), End::Signal(libc::SIGKILL));
        assert_eq!(died("SEGV"), End::Signal(libc::SIGSEGV));
        assert_eq!(end("exit 120"), End::Exit(120));
        assert_eq!(end("exit 128"), End::Exit(128));
        assert_eq!(end("exit 255"), End::Exit(255));
    }
}
