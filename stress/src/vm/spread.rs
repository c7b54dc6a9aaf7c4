//! Threads spread over the processors.
//!
//! Two threads that wait for each other by reading must not share a processor: whoever spins
//! keeps the other from running until its time slice is over. A busy machine's scheduler often
//! leaves them together for many milliseconds, so each thread of a VM is bound to a processor
//! of its own as soon as it is seen, from outside, whatever the VM is.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use std::collections::HashSet;
use std::sync::Mutex;

/// First processors of the groups that running processes occupy.
static TAKEN: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// A process's share of the processors; given back when dropped.
pub(super) struct Spread {
    allowed: Vec<usize>,
    place: usize,
    seen: HashSet<i32>,
}

impl Spread {
    /// The lowest place that no running process has: the `n`-th takes processors from `2 n` on.
    pub fn new() -> Self {
        let set = sched_getaffinity(Pid::from_raw(0)).unwrap_or_default();
        let allowed = (0..CpuSet::count())
            .filter(|&cpu| set.is_set(cpu).unwrap_or(false))
            .collect();
        let mut taken = TAKEN
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let place = (0..).find(|p| !taken.contains(p)).unwrap_or(0);
        taken.push(place);
        Self {
            allowed,
            place,
            seen: HashSet::new(),
        }
    }

    /// Binds threads that are new since the last look. A process of one thread stays unbound.
    pub fn look(&mut self, pid: u32) {
        let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
            return;
        };
        let mut tids: Vec<i32> = tasks
            .flatten()
            .filter_map(|t| t.file_name().to_str()?.parse().ok())
            .collect();
        if tids.len() < 2 || self.allowed.len() < 2 {
            return;
        }
        tids.sort_unstable();
        for tid in tids {
            if self.seen.insert(tid) {
                let turn = 2 * self.place + self.seen.len() - 1;
                let mut one = CpuSet::new();
                // A thread that has ended meanwhile, or a processor taken away, is no loss.
                let _ = one.set(self.allowed[turn % self.allowed.len()]);
                let _ = sched_setaffinity(Pid::from_raw(tid), &one);
            }
        }
    }
}

impl Drop for Spread {
    fn drop(&mut self) {
        let mut taken = TAKEN
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        taken.retain(|p| *p != self.place);
    }
}
