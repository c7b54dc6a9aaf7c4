//! Whether a process sleeps or computes, as far as was seen by looking at it now and then.

use super::proc::{Thread, family, starved, ticks, ticks_a_second, used, waits_for_time};
use std::time::{Duration, Instant};

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
    /// Begins to watch.
    pub fn new() -> Self {
        Self {
            sleep: Sleep::new(),
            forever: Duration::ZERO,
        }
    }

    /// How long the process has slept without a time limit, as far as was seen; to be called often.
    pub fn forever(&mut self, pid: u32) -> Duration {
        if let Some(since) = self.sleep.due() {
            // A launcher that waits for a child of its own is as idle as that is.
            let (mut threads, mut ids) = (Vec::new(), Vec::new());
            for pid in family(pid) {
                let of_it = ticks(pid);
                ids.extend(of_it.iter().map(|t| (pid, t.tid)));
                threads.extend(of_it);
            }
            self.sleep.add(since, &threads, threads.is_empty());
            let timed = || ids.iter().any(|&(pid, tid)| waits_for_time(pid, tid));
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
    /// The process is past its time from now on.
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
