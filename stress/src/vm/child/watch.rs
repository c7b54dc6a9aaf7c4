//! A running child: its pipes are read and its limits kept until it ends.

use super::{End, Limits, interrupted};
use crate::vm::hang::{Autopsy, autopsy};
use crate::vm::proc::{BUSY, resident, slowed};
use crate::vm::sleep::{Idle, Overtime};
use crate::vm::spread::Spread;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::Read;
use std::os::fd::AsFd;
use std::process::Child;
use std::time::{Duration, Instant};

/// How many times longer a process may be silent on a busy machine: at least, and at most.
const STARVED: (f64, f64) = (5.0, 60.0);

/// How many times longer a process may be silent that is so many times slower than on processors of its own: 1, or,
/// where its threads wait for more than a quarter of the time, as long as that costs. A thread that gives its turn
/// away while it waits for a lock (CPython does so 40 times, also for one that it holds itself) pays for each with the
/// slices of all others: 0.2 s for closing a file, at 9 runnable threads a processor.
fn patience(slowed: f64) -> f64 {
    if slowed > BUSY {
        return slowed.clamp(STARVED.0, STARVED.1);
    }
    1.0
}

/// What was read and seen until the end.
pub(super) struct Watched {
    pub out: Vec<u8>,
    pub err: Vec<u8>,
    /// The limit that it broke.
    pub stopped: Option<End>,
    pub hang: Option<Autopsy>,
}

/// Reads both pipes until the child has closed them, has ended, or has broken a limit.
pub(super) fn watch(child: &mut Child, limits: Limits) -> std::io::Result<Watched> {
    let mut pipes = (
        child.stdout.take().expect("piped"),
        child.stderr.take().expect("piped"),
    );
    nonblocking(&pipes.0)?;
    nonblocking(&pipes.1)?;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let (mut open_out, mut open_err) = (true, true);
    let start = Instant::now();
    let mut last = start;
    let mut stopped = None;
    let mut hang = None;
    let mut ended = None;
    let mut spread = limits.spread.then(Spread::new);
    let mut idle = Idle::new();
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
        if resident(child.id()) > limits.memory {
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
                    .get_or_insert_with(|| Overtime::new(child.id()))
                    .over(child.id(), most),
                None => {
                    let patience = patience(slowed(child.id()));
                    patience <= 1.0
                        || last.elapsed() > limits.silence.mul_f64(patience)
                        || idle.sleeps(child.id())
                }
            };
        if asleep || hung {
            let (seen, more) = autopsy(child, limits.debugger);
            let _ = drain(&mut pipes.1, &mut err, limits.output);
            err.extend_from_slice(more.as_bytes());
            hang = Some(seen);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_borne_as_long_as_the_others_cost() {
        assert_eq!(patience(1.0), 1.0);
        assert_eq!(patience(1.3), 1.0);
        assert_eq!(patience(1.5), 5.0);
        // Nine runnable threads a processor.
        assert_eq!(patience(9.0), 9.0);
        assert_eq!(patience(1e9), 60.0);
    }
}
