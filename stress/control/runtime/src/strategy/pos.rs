//! Partial order sampling (Yuan, Yang, Gu, CAV 2018): every step has a random priority, the highest
//! runs, and steps that race with the one that ran draw anew.

use super::{CANDIDATES, Draw, Strategy, View, candidates};
use threadbare_control::block::{Config, FLUSH};

pub struct Pos {
    pub priority: [u64; CANDIDATES],
}

impl Strategy for Pos {
    fn begin(&mut self, config: &Config, draw: &mut Draw) {
        for priority in &mut self.priority[..candidates(config)] {
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
        if chosen.id >= FLUSH {
            // The next store of this buffer is another step.
            self.priority[chosen.id] = draw.next();
        }
        for (i, other) in view.candidates.iter().enumerate() {
            if i != best && other.address == chosen.address && (other.writes || chosen.writes) {
                self.priority[other.id] = draw.next();
            }
        }
        Ok(best)
    }
}
