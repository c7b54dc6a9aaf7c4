//! Random descents through the tree of choices.
//!
//! Each execution's children are the choices it left; a descent takes one of them at
//! random until none is left. The product of their numbers on the way is the weight with
//! which an execution counts: summed over a descent it is an unbiased estimate of the
//! number of executions (Knuth, Estimating the efficiency of backtrack programs, 1975).
//! Every execution met is consistent, so what fails there is a real fault.

use super::super::Estimate;
use super::super::cache::Source;
use super::super::model::MemoryModel;
use super::{End, Graph, Item, Search, Stop};

/// The first execution and its choices.
pub(crate) struct Probe {
    graph: Graph,
    items: Vec<(Item, u32)>,
    random: u64,
}

impl Probe {
    /// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), to a number below `n`; the bias of the
    /// multiplication is below n / 2^64.
    fn below(&mut self, n: usize) -> usize {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(z ^ (z >> 31)) * n as u128) >> 64) as usize
    }
}

impl<M: MemoryModel, S: Source> Search<M, S> {
    /// Runs the first execution and remembers it.
    pub fn root(
        &mut self,
        seed: u64,
        visit: &mut impl FnMut(&mut Self, End) -> Result<(), Stop>,
    ) -> Result<Probe, Stop> {
        if let Some(end) = self.extend()? {
            visit(self, end)?;
        }
        Ok(Probe {
            graph: self.graph.clone(),
            items: self.items.clone(),
            random: seed,
        })
    }

    /// One descent; the estimate that it makes.
    pub fn descend(
        &mut self,
        probe: &mut Probe,
        visit: &mut impl FnMut(&mut Self, End) -> Result<(), Stop>,
    ) -> Result<f64, Stop> {
        self.graph.clone_from(&probe.graph);
        self.items.clone_from(&probe.items);
        self.frames.clear();
        (self.base, self.depth) = (0, 0);
        let (mut start, mut weight, mut sum) = (0, 1.0, 1.0);
        loop {
            let choices = self.items.len() - start;
            if choices == 0 {
                return Ok(sum);
            }
            weight *= choices as f64;
            self.items.truncate(start + probe.below(choices) + 1);
            let Some((item, depth)) = self.items.pop() else {
                return Ok(sum);
            };
            (start, self.depth) = (self.items.len(), depth);
            if self.enter(item)?
                && let Some(end) = self.extend()?
            {
                visit(self, end)?;
                sum += weight;
            }
        }
    }
}

/// Descends `count` times; mean and deviation of the mean by Welford's method.
pub(crate) fn probes<M: MemoryModel, S: Source>(
    search: &mut Search<M, S>,
    count: u64,
    seed: u64,
    visit: &mut impl FnMut(&mut Search<M, S>, End) -> Result<(), Stop>,
) -> (Option<Estimate>, Result<(), Stop>) {
    let mut probe = match search.root(seed, visit) {
        Ok(probe) => probe,
        Err(stop) => return (None, Err(stop)),
    };
    let (mut mean, mut squares, mut n) = (0.0, 0.0, 0);
    let mut result = Ok(());
    while n < count && result.is_ok() {
        match search.descend(&mut probe, visit) {
            Ok(sum) => {
                n += 1;
                let delta = sum - mean;
                mean += delta / n as f64;
                squares += delta * (sum - mean);
            }
            Err(stop) => result = Err(stop),
        }
    }
    let variance = if n > 1 {
        squares / (n - 1) as f64 / n as f64
    } else {
        f64::INFINITY
    };
    let estimate = (n > 0).then(|| Estimate {
        executions: mean,
        deviation: variance.sqrt(),
        probes: n,
        distinct: 0,
    });
    (estimate, result)
}
