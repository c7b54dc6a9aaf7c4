//! A plan: nobody is preempted but where it says so, by thread and by that thread's own step, which stays where
//! it is whatever the others do. What does not fit is left out, so that parts of a plan are plans.

use super::{Draw, Strategy, View};
use threadbare_control::block::{Config, MAX_THREADS, Switch};

pub struct Planned {
    /// Sorted by thread and step.
    pub plan: &'static [Switch],
    /// By thread, the next that may apply.
    next: [usize; MAX_THREADS],
}

impl Planned {
    pub const fn new() -> Self {
        Self {
            plan: &[],
            next: [0; MAX_THREADS],
        }
    }

    fn at(&mut self, thread: usize, step: u64) -> Option<&'static Switch> {
        let next = &mut self.next[thread];
        let of_thread = |s: &&Switch| s.thread as usize == thread;
        while let Some(switch) = self.plan.get(*next).filter(of_thread) {
            if switch.step > step {
                return None;
            }
            *next += 1;
            // There may be more of the same step: stores that become visible before it.
            if switch.step == step {
                return Some(switch);
            }
        }
        None
    }
}

impl Strategy for Planned {
    fn begin(&mut self, _: &Config, _: &mut Draw) {
        for (thread, next) in self.next.iter_mut().enumerate() {
            *next = self.plan.partition_point(|s| (s.thread as usize) < thread);
        }
    }

    fn choose(&mut self, view: &View, _: &mut Draw) -> Result<usize, &'static str> {
        let to = self.at(view.me, view.step).map(|switch| switch.to as usize);
        let index = to.and_then(|to| view.candidates.iter().position(|c| c.id == to));
        Ok(index.unwrap_or_else(|| view.usual()))
    }

    fn waiter(
        &mut self,
        me: usize,
        step: u64,
        count: usize,
        _: &mut Draw,
    ) -> Result<usize, &'static str> {
        let to = self.at(me, step).map_or(0, |switch| switch.to as usize);
        Ok(if to < count { to } else { 0 })
    }
}
