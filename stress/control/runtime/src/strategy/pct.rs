//! Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte, ASPLOS 2010): the
//! candidate of highest priority runs; at d−1 points drawn beforehand the running one falls below all.

use super::{CANDIDATES, Draw, Strategy, View, candidates};
use threadbare_control::block::Config;

/// Change points at most.
const CHANGES: usize = 16;
/// Priorities of threads lie above those that change points and yields give.
const HIGH: u64 = 1 << 32;

pub struct Pct {
    priority: [u64; CANDIDATES],
    change: [u64; CHANGES],
    points: u64,
    /// The next priority for whoever yields: below every other.
    low: u64,
}

impl Pct {
    pub const fn new() -> Self {
        Self {
            priority: [0; CANDIDATES],
            change: [0; CHANGES],
            points: 0,
            low: 0,
        }
    }
}

impl Strategy for Pct {
    fn begin(&mut self, config: &Config, draw: &mut Draw) {
        self.points = 0;
        self.low = HIGH / 2;
        for priority in &mut self.priority[..candidates(config)] {
            *priority = HIGH + (draw.next() >> 16);
        }
        let depth = (config.depth.max(1) as usize - 1).min(CHANGES);
        self.change = [0; CHANGES];
        for change in &mut self.change[..depth] {
            *change = 1 + draw.below(config.length.max(1) as usize) as u64;
        }
    }

    fn choose(&mut self, view: &View, _: &mut Draw) -> Result<usize, &'static str> {
        self.points += 1;
        if let Some(running) = view.running
            && (view.yields || self.change.contains(&self.points))
        {
            self.low -= 1;
            self.priority[view.candidates[running].id] = self.low;
        }
        let best = (0..view.candidates.len()).max_by_key(|&i| self.priority[view.candidates[i].id]);
        Ok(best.unwrap_or(0))
    }
}
