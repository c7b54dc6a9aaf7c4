//! The choices of an earlier run, one after the other; whatever does not fit ends the run.

use super::{Draw, Strategy, View};
use threadbare_control::block::Config;

pub struct Replay {
    pub given: &'static [u16],
    next: usize,
}

impl Replay {
    pub const fn new() -> Self {
        Self {
            given: &[],
            next: 0,
        }
    }

    fn take(&mut self, count: usize) -> Result<usize, &'static str> {
        let choice = *self
            .given
            .get(self.next)
            .ok_or("the run goes on after its last recorded choice")?;
        self.next += 1;
        let (options, chosen) = ((choice >> 8) as usize, (choice & 0xff) as usize);
        if options != count {
            return Err("another number of threads can run than was recorded");
        }
        Ok(chosen)
    }
}

impl Strategy for Replay {
    fn begin(&mut self, _: &Config, _: &mut Draw) {
        self.next = 0;
    }

    fn choose(&mut self, view: &View, _: &mut Draw) -> Result<usize, &'static str> {
        self.take(view.candidates.len())
    }

    fn waiter(
        &mut self,
        _: usize,
        _: u64,
        count: usize,
        _: &mut Draw,
    ) -> Result<usize, &'static str> {
        self.take(count)
    }
}
