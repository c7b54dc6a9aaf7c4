//! Bounded depth-first search: every schedule with at most so many deviations from the one in which nobody
//! preempts anybody and threads follow each other by number, one after the other (delay bounding: Emmi,
//! Qadeer, Rakamarić, POPL 2011). A run follows a prefix of choices and does not deviate from there on; the
//! server makes the next prefix of what the run wrote down.

use super::{Draw, Strategy, View};
use threadbare_control::block::Config;

pub struct DepthFirst {
    pub prefix: &'static [u16],
    next: usize,
}

impl DepthFirst {
    pub const fn new() -> Self {
        Self {
            prefix: &[],
            next: 0,
        }
    }

    fn take(&mut self, count: usize, usual: usize) -> Result<usize, &'static str> {
        let given = self.prefix.get(self.next);
        self.next += 1;
        match given {
            None => Ok(usual),
            Some(choice) if usize::from(choice >> 8) == count => Ok(usize::from(choice & 0xff)),
            Some(_) => {
                Err("the same choices led to another place: the program is not under control")
            }
        }
    }
}

impl Strategy for DepthFirst {
    fn begin(&mut self, _: &Config, _: &mut Draw) {
        self.next = 0;
    }

    fn choose(&mut self, view: &View, _: &mut Draw) -> Result<usize, &'static str> {
        self.take(view.candidates.len(), view.usual())
    }

    fn waiter(
        &mut self,
        _: usize,
        _: u64,
        count: usize,
        _: &mut Draw,
    ) -> Result<usize, &'static str> {
        self.take(count, 0)
    }
}

/// What a search must know of a choice besides the choice: the option that is no deviation, and one that is
/// left out: who asked to let others run would only ask again.
pub fn order(view: &View) -> u16 {
    let out = view.running.filter(|_| view.yields).map_or(0, |i| i + 1);
    view.usual() as u16 | (out as u16) << 8
}

/// Makes of a run's choices the prefix of the next one, in place, and returns its length; none after the last.
pub fn next(choices: &mut [u16], order: &[u16], bound: u32) -> Option<usize> {
    let usual = |i: usize| order[i] & 0xff;
    let chosen = |choice: u16| choice & 0xff;
    let mut deviations = (0..choices.len())
        .filter(|&i| chosen(choices[i]) != usual(i))
        .count() as u32;
    for i in (0..choices.len()).rev() {
        let now = chosen(choices[i]);
        deviations -= u32::from(now != usual(i));
        if deviations == bound {
            continue;
        }
        let out = order[i] >> 8;
        let from = if now == usual(i) { 0 } else { now + 1 };
        let next = (from..choices[i] >> 8).find(|&o| o != usual(i) && o + 1 != out);
        if let Some(next) = next {
            choices[i] = choices[i] & 0xff00 | next;
            return Some(i + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::Candidate;
    use std::collections::BTreeSet;

    /// Two threads of these numbers of steps that never wait, by every schedule within the bound.
    fn schedules(steps: [usize; 2], bound: u32) -> BTreeSet<Vec<usize>> {
        let (mut prefix, mut length) = (Vec::new(), 0);
        let mut seen = BTreeSet::new();
        loop {
            let given: &'static [u16] = prefix[..length].to_vec().leak();
            let mut strategy = DepthFirst::new();
            strategy.prefix = given;
            let (mut left, mut running, mut trace) = (steps, None, Vec::new());
            let (mut choices, mut orders) = (Vec::new(), Vec::new());
            while left != [0, 0] {
                let able: Vec<usize> = (0..2).filter(|&t| left[t] > 0).collect();
                let mut index = 0;
                if able.len() > 1 {
                    let candidates = [0, 1].map(|id| Candidate {
                        id,
                        ..Candidate::NONE
                    });
                    let view = View {
                        candidates: &candidates,
                        running,
                        yields: false,
                        me: running.unwrap_or(0),
                        step: 0,
                    };
                    index = strategy.choose(&view, &mut Draw::new(1)).expect("it fits");
                    choices.push(2 << 8 | index as u16);
                    orders.push(order(&view));
                }
                let thread = able[index];
                left[thread] -= 1;
                running = (left[thread] > 0).then_some(thread);
                trace.push(thread);
            }
            assert!(seen.insert(trace), "a schedule twice");
            match next(&mut choices, &orders, bound) {
                Some(n) => (prefix, length) = (choices, n),
                None => return seen,
            }
        }
    }

    #[test]
    fn every_schedule_within_the_bound_comes_once() {
        // 2 + 3 steps: all orders of them are ten.
        assert_eq!(schedules([2, 3], 9).len(), 10);
        assert_eq!(schedules([2, 3], 0).len(), 1);
        // One deviation: the other begins, or the second stops after one or two of its three steps.
        assert_eq!(schedules([2, 3], 1).len(), 1 + 1 + 2);
    }

    #[test]
    fn who_yielded_is_no_option() {
        // Two options, the usual is 1, 0 yielded.
        let mut choices = [2 << 8 | 1];
        assert_eq!(next(&mut choices, &[1 | 1 << 8], 9), None);
        assert_eq!(next(&mut choices, &[1], 9), Some(1));
    }
}
