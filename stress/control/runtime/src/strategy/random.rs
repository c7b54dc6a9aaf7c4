//! The random walk: each candidate with the same chance.

use super::{Draw, Strategy, View};
use threadbare_control::block::Config;

pub struct Random;

impl Strategy for Random {
    fn begin(&mut self, _: &Config, _: &mut Draw) {}

    fn choose(&mut self, view: &View, draw: &mut Draw) -> Result<usize, &'static str> {
        Ok(match view.running {
            Some(running) if view.yields => other(view, running, draw),
            _ => draw.below(view.candidates.len()),
        })
    }
}

/// Any candidate but this one.
pub fn other(view: &View, than: usize, draw: &mut Draw) -> usize {
    let index = draw.below(view.candidates.len() - 1);
    index + usize::from(index >= than)
}
