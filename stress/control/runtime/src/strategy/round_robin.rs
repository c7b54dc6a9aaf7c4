//! Fair turns: everyone gets so many points in a row, in the order of their numbers. What does not
//! end under it does not end because of the schedule.

use super::{Draw, Strategy, View};
use threadbare_control::block::Config;

/// Points in a row: enough to come through a critical section.
const TURN: u32 = 64;

pub struct RoundRobin {
    pub turns: u32,
}

impl Strategy for RoundRobin {
    fn begin(&mut self, _: &Config, _: &mut Draw) {
        self.turns = 0;
    }

    fn choose(&mut self, view: &View, _: &mut Draw) -> Result<usize, &'static str> {
        self.turns += 1;
        Ok(match view.running {
            Some(running) if !view.yields && !self.turns.is_multiple_of(TURN) => running,
            Some(running) => (running + 1) % view.candidates.len(),
            None => self.turns as usize % view.candidates.len(),
        })
    }
}
