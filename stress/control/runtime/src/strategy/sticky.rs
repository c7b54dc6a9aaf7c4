//! Few switches: the running thread goes on but for one point in so many.

use super::{Draw, Strategy, View, random::other};
use threadbare_control::block::Config;

pub struct Sticky {
    pub one_in: usize,
}

impl Strategy for Sticky {
    fn begin(&mut self, config: &Config, _: &mut Draw) {
        self.one_in = config.stickiness.max(1) as usize;
    }

    fn choose(&mut self, view: &View, draw: &mut Draw) -> Result<usize, &'static str> {
        Ok(match view.running {
            Some(running) if view.yields || draw.below(self.one_in) == 0 => {
                other(view, running, draw)
            }
            Some(running) => running,
            None => draw.below(view.candidates.len()),
        })
    }
}
