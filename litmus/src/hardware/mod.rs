//! Litmus tests on real cores, after litmus7 (Alglave, Maranget, Sarkar, Sewell,
//! TACAS 2011): each thread of the test is an OS thread that runs its code over
//! an array of instances, so that no barrier separates two runs of the test.
//!
//! What differs from litmus7, and why:
//! - *In step by plain progress counters.* A thread tells the others which
//!   instance it is about to run and waits, a bounded time, for them to get
//!   there. It costs one cache-line transfer and makes the threads overlap
//!   within tens of nanoseconds, where free-running arrays meet by luck.
//! - *Ownership of lines.* Which core reset a location last decides whether its
//!   store hits or has to fetch the line, and so how long it stays in the store
//!   buffer. Who resets what is one of the parameters.
//! - *Parameters are learnt.* Distance between synchronisations, resetting
//!   thread and relative delays form an arm of a bandit; an arm is good if it
//!   gives outcomes that are rare elsewhere, per second.
//! - *Every wait is bounded.* A thread that waits in vain yields and then runs
//!   on alone, so more threads than free cores cost overlap, never results.
//!
//! Plain accesses run as relaxed ones: a data race in the test is none in the
//! runner. What is seen on one machine is a lower bound of what is allowed.

use std::time::{Duration, Instant};

use crate::lang::code::Code;
use crate::lang::outcome::{Coverage, Observation};

mod affinity;
mod arms;
mod block;
mod clock;
mod compile;
mod runner;
mod tally;
mod wait;

/// How long to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Stop after about this many runs of the test (whole blocks).
    pub runs: u64,
    /// Stop after this time even if runs are missing; default 60 s.
    pub max_time: Duration,
    /// Seed of delays and of the choice of arms. It does not make a run
    /// repeatable: the machine takes part.
    pub seed: u64,
    /// Runs between two meetings of all threads; default 512.
    pub block: usize,
    /// Pin threads to cores when there are enough; default true.
    pub pin: bool,
}

impl Options {
    /// So many runs, with the other settings at their defaults.
    pub fn new(runs: u64, seed: u64) -> Options {
        Options {
            runs,
            max_time: Duration::from_secs(60),
            seed,
            block: 512,
            pin: true,
        }
    }
}

/// The hardware runner could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused a thread.
    #[error("cannot start thread {0}: {1}; run fewer threads or raise the limit of processes")]
    Thread(usize, std::io::Error),
}

/// Runs a test on this machine's cores.
///
/// # Errors
///
/// When a thread cannot be started.
pub fn run(code: &Code, options: &Options) -> Result<Observation, Error> {
    let start = Instant::now();
    let states = runner::run(code, options)?;
    let runs = states.values().sum();
    Ok(Observation {
        states,
        race: None,
        witness: None,
        coverage: Coverage::Sampled { runs, seed: None },
        elapsed: start.elapsed(),
    })
}
