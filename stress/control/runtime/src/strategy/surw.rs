//! Selectively uniform random walk (Zhao, Yu, Zhang, ASPLOS 2025): of the accesses to one granule, another one
//! each run, every order has the same chance, as far as the counts of the learning runs hold. Which thread
//! makes the next of them is drawn by how many each still has; the others stop before theirs meanwhile. In
//! between, each step has a fresh random priority.

use super::{CANDIDATES, Draw, Strategy, View, candidates, granule};
use threadbare_control::block::{Config, Learned};

pub struct Surw {
    pub learned: Option<&'static Learned>,
    granule: usize,
    /// Accesses that each thread still has.
    left: [u32; CANDIDATES],
    priority: [u64; CANDIDATES],
    intent: Option<usize>,
    /// Bits of threads that stand before an access while another is intended.
    held: u128,
}

impl Surw {
    pub const fn new() -> Self {
        Self {
            learned: None,
            granule: 0,
            left: [0; CANDIDATES],
            priority: [0; CANDIDATES],
            intent: None,
            held: 0,
        }
    }

    /// By how many accesses each has, of the candidates that are not held and not `out`.
    fn intend(&self, view: &View, out: u128, draw: &mut Draw) -> Option<usize> {
        let able = |id: &usize| (self.held | out) >> id & 1 == 0;
        let ids = || view.candidates.iter().map(|c| c.id).filter(able);
        let sum: u32 = ids().map(|id| self.left[id]).sum();
        if sum == 0 {
            return None;
        }
        let mut at = draw.below(sum as usize) as u32;
        ids().find(|&id| {
            let here = at < self.left[id];
            at = at.saturating_sub(self.left[id]);
            here
        })
    }
}

impl Strategy for Surw {
    fn begin(&mut self, config: &Config, draw: &mut Draw) {
        self.intent = None;
        self.held = 0;
        self.left = [0; CANDIDATES];
        for priority in &mut self.priority[..candidates(config)] {
            *priority = draw.next();
        }
        let Some(learned) = self.learned.filter(|l| l.count > 0) else {
            return;
        };
        let known = (learned.count as usize).min(learned.list.len());
        self.granule = learned.list[draw.below(known)] as usize;
        for (left, count) in self.left.iter_mut().zip(learned.counts[self.granule]) {
            *left = count.into();
        }
    }

    fn choose(&mut self, view: &View, draw: &mut Draw) -> Result<usize, &'static str> {
        if let Some(running) = view.running {
            self.priority[view.candidates[running].id] = draw.next();
        }
        let mut out = 0u128;
        if let Some(running) = view.running.filter(|_| view.yields) {
            // It waits for another, who may be held.
            (self.intent, self.held) = (None, 0);
            out = 1 << view.candidates[running].id;
        }
        loop {
            let able = |id: usize| (self.held | out) >> id & 1 == 0;
            let best = (0..view.candidates.len())
                .filter(|&i| able(view.candidates[i].id))
                .max_by_key(|&i| self.priority[view.candidates[i].id]);
            let Some(best) = best else {
                // The intended one cannot run.
                (self.intent, self.held) = (None, 0);
                continue;
            };
            let candidate = view.candidates[best];
            let id = candidate.id;
            if candidate.address == 0 || granule(candidate.address) != self.granule {
                return Ok(best);
            }
            // Counts of other runs distort, but exclude nothing.
            self.left[id] = self.left[id].max(1);
            if self.intent.is_none() {
                self.intent = self.intend(view, out, draw);
            }
            if self.intent == Some(id) {
                self.left[id] -= 1;
                (self.intent, self.held) = (None, 0);
                return Ok(best);
            }
            self.held |= 1 << id;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::Candidate;
    use std::collections::BTreeMap;

    /// Orders of three accesses of one thread and two of another among steps that touch nothing else, in
    /// many runs: how often each came.
    fn orders(runs: u64) -> BTreeMap<Vec<usize>, u32> {
        const AT: usize = 0x1000;
        let learned: &'static mut Learned = {
            // SAFETY: zeroes are a value of it.
            Box::leak(unsafe { Box::<Learned>::new_zeroed().assume_init() })
        };
        learned.count = 1;
        learned.list[0] = granule(AT) as u16;
        learned.counts[granule(AT)] = [3, 2, 0, 0];
        let learned: &'static Learned = learned;
        let programs: [&[usize]; 2] = [&[0, AT, AT, 0, 0, AT], &[AT, 0, 0, 0, 0, AT]];
        // SAFETY: as above.
        let config = unsafe { std::mem::zeroed() };
        let mut seen = BTreeMap::new();
        for seed in 0..runs {
            let mut draw = Draw::new(seed);
            let mut surw = Surw::new();
            surw.learned = Some(learned);
            surw.begin(&config, &mut draw);
            let (mut at, mut running, mut order) = ([0, 0], None, Vec::new());
            while (0..2).any(|t| at[t] < programs[t].len()) {
                let able: Vec<Candidate> = (0..2)
                    .filter(|&t| at[t] < programs[t].len())
                    .map(|id| Candidate {
                        id,
                        address: programs[id][at[id]],
                        writes: true,
                        pc: 0,
                    })
                    .collect();
                let view = View {
                    candidates: &able,
                    running: running.and_then(|r| able.iter().position(|c| c.id == r)),
                    yields: false,
                    me: 0,
                    step: 0,
                };
                let thread = match able.len() {
                    1 => able[0].id,
                    _ => able[surw.choose(&view, &mut draw).expect("it chooses")].id,
                };
                if programs[thread][at[thread]] == AT {
                    order.push(thread);
                }
                at[thread] += 1;
                running = Some(thread);
            }
            *seen.entry(order).or_default() += 1;
        }
        seen
    }

    #[test]
    fn each_order_of_the_chosen_accesses_has_the_same_chance() {
        let seen = orders(20_000);
        assert_eq!(seen.len(), 10, "{seen:?}");
        // Expected 2,000 with a deviation of 42; the seeds are fixed.
        for (order, count) in seen {
            assert!((1_800..2_200).contains(&count), "{order:?}: {count}");
        }
    }
}
