//! Partial order sampling (Yuan, Yang, Gu, CAV 2018): every step has a random priority, the highest
//! runs, and steps that race with the one that ran draw anew.

use super::{Draw, Strategy, View};
use threadbare_control::block::{Config, MAX_THREADS};

pub struct Pos {
    pub priority: [u64; MAX_THREADS],
}

impl Strategy for Pos {
    fn begin(&mut self, _: &Config, draw: &mut Draw) {
        for priority in &mut self.priority {
            *priority = draw.next();
        }
    }

    fn choose(&mut self, view: &View, draw: &mut Draw) -> Result<usize, &'static str> {
        if let Some(running) = view.running {
            let fresh = draw.next();
            self.priority[view.candidates[running].id] =
                if view.yields { fresh >> 20 } else { fresh };
        }
        let best = (0..view.candidates.len())
            .max_by_key(|&i| self.priority[view.candidates[i].id])
            .unwrap_or(0);
        let chosen = view.candidates[best];
        for (i, other) in view.candidates.iter().enumerate() {
            if i != best && other.address == chosen.address && (other.writes || chosen.writes) {
                self.priority[other.id] = draw.next();
            }
        }
        Ok(best)
    }
}
