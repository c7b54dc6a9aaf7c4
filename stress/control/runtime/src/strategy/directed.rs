//! Race-directed testing (Sen, PLDI 2008): a thread that comes to one of two given places stops before it until
//! another comes to the other place and the same memory; then the two race, and which goes first is drawn. In between
//! a random walk of the others. Nobody stops for ever: where all who can run stand there, one of them goes on.

use super::{Candidate, Draw, Strategy, View};
use threadbare_control::block::{Config, MAX_TARGETS};

/// Bits of a filter of instructions: most are none of those, by one look.
const FILTER: usize = 16;

pub struct Directed {
    targets: Option<&'static [[u64; MAX_TARGETS]; 2]>,
    filter: [u64; FILTER],
}

impl Directed {
    pub const fn new() -> Self {
        Self {
            targets: None,
            filter: [0; FILTER],
        }
    }

    /// Zeros end either side.
    pub fn aim(&mut self, targets: &'static [[u64; MAX_TARGETS]; 2]) {
        self.filter = [0; FILTER];
        self.targets = Some(targets);
        for &pc in targets.iter().flatten().filter(|&&pc| pc != 0) {
            let (word, bit) = position(pc as usize);
            self.filter[word] |= 1 << bit;
        }
    }

    pub fn aims(&self) -> bool {
        self.filter != [0; FILTER]
    }

    #[inline]
    pub fn aims_at(&self, pc: usize) -> bool {
        let (word, bit) = position(pc);
        self.filter[word] >> bit & 1 != 0 && self.sides(pc) != 0
    }

    /// Bits of the sides that the instruction is of.
    fn sides(&self, pc: usize) -> u8 {
        let targets = self.targets.filter(|_| pc != 0);
        let has = |side: &[u64]| u8::from(side.contains(&(pc as u64)));
        targets.map_or(0, |[a, b]| has(a) | has(b) << 1)
    }

    fn race(&self, a: &Candidate, b: &Candidate) -> bool {
        let both = (self.sides(a.pc), self.sides(b.pc));
        let met = both.0 & 1 != 0 && both.1 & 2 != 0 || both.0 & 2 != 0 && both.1 & 1 != 0;
        met && a.address != 0 && a.address >> 3 == b.address >> 3 && (a.writes || b.writes)
    }
}

fn position(pc: usize) -> (usize, usize) {
    let hash = (pc as u32).wrapping_mul(0x9e37_79b1) >> 22;
    ((hash >> 6) as usize, (hash & 63) as usize)
}

impl Strategy for Directed {
    fn begin(&mut self, _: &Config, _: &mut Draw) {}

    fn choose(&mut self, view: &View, draw: &mut Draw) -> Result<usize, &'static str> {
        let all = view.candidates;
        let out = view.running.filter(|_| view.yields);
        let meets = |i: usize| (0..all.len()).any(|j| i != j && self.race(&all[i], &all[j]));
        let stands = |i: usize| self.sides(all[i].pc) != 0;
        // Who races; else who does not stand before it; else anyone.
        let mut which: [&dyn Fn(usize) -> bool; 3] = [&meets, &|i| !stands(i), &|_| true];
        for may in &mut which {
            let options = || (0..all.len()).filter(|&i| Some(i) != out && may(i));
            let count = options().count();
            if count > 0 {
                let chosen = options().nth(draw.below(count));
                return Ok(chosen.unwrap_or(0));
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(id: usize, pc: usize, address: usize) -> Candidate {
        Candidate {
            id,
            address,
            writes: true,
            pc,
        }
    }

    fn choices(candidates: &[Candidate]) -> Vec<usize> {
        let mut targets = [[0; MAX_TARGETS]; 2];
        (targets[0][0], targets[1][0]) = (10, 20);
        let mut directed = Directed::new();
        directed.aim(Box::leak(Box::new(targets)));
        let view = View {
            candidates,
            running: Some(0),
            yields: false,
            me: 0,
            step: 0,
        };
        let mut seen: Vec<usize> = (0..50)
            .map(|seed| {
                let chosen = directed.choose(&view, &mut Draw::new(seed));
                chosen.expect("it chooses")
            })
            .collect();
        seen.sort_unstable();
        seen.dedup();
        seen
    }

    #[test]
    fn who_stands_before_the_race_waits_for_the_other_side() {
        assert_eq!(choices(&[at(0, 10, 64), at(1, 5, 64)]), [1]);
        // Both sides, another place: anyone.
        assert_eq!(choices(&[at(0, 10, 64), at(1, 20, 128)]), [0, 1]);
        // They meet: one of the two, not the third.
        assert_eq!(
            choices(&[at(0, 10, 64), at(1, 20, 64), at(2, 5, 0)]),
            [0, 1]
        );
        // The same side twice is no race of these two.
        assert_eq!(choices(&[at(0, 10, 64), at(1, 10, 64), at(2, 5, 0)]), [2]);
    }
}
