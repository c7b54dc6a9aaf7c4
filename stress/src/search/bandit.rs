//! Which arm to pull: Thompson sampling on rates.
//!
//! An arm yields so much for so many seconds, and what it yields is used up, so that old pulls count less
//! and less. The rate of an arm is taken to be distributed as Gamma(`prior · WEIGHT + yield`,
//! `WEIGHT + seconds`), the posterior of a Poisson rate; the arm whose drawn rate is largest is pulled
//! (Chapelle and Li, *An empirical evaluation of Thompson sampling*, 2011). The floor is the caller's: one
//! pull in [`FLOOR`] goes to an arm drawn evenly, so that none is starved.

use crate::choice::Choices;
use serde::{Deserialize, Serialize};

/// One pull of so many is drawn evenly.
pub const FLOOR: usize = 8;

/// What an earlier pull counts less at each further one.
const MEMORY: f64 = 0.85;

/// Seconds that the prior counts for.
const WEIGHT: f64 = 1.0;

/// What an arm has yielded, and for how long; recent pulls count most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Yield.
    pub gain: f64,
    /// Seconds.
    pub seconds: f64,
}

impl Arm {
    /// Counts a pull.
    pub fn pulled(&mut self, gain: f64, seconds: f64) {
        self.gain = self.gain * MEMORY + gain;
        self.seconds = self.seconds * MEMORY + seconds;
    }

    /// Yield for each second, where nothing else is known `prior`.
    pub fn rate(&self, prior: f64) -> f64 {
        (prior * WEIGHT + self.gain) / (WEIGHT + self.seconds)
    }

    /// A rate drawn from what is known of this arm.
    pub fn draw(&self, prior: f64, choices: &mut impl Choices) -> f64 {
        gamma((prior * WEIGHT + self.gain).max(1e-3), choices) / (WEIGHT + self.seconds)
    }
}

/// The arm to pull: its position. Each comes with its prior; there must be one.
pub fn choose(arms: &[(Arm, f64)], choices: &mut impl Choices) -> usize {
    if choices.one_in(FLOOR) {
        return choices.below(arms.len());
    }
    let drawn = arms.iter().map(|(arm, prior)| arm.draw(*prior, choices));
    let drawn: Vec<f64> = drawn.collect();
    let best = |a: &usize, b: &usize| drawn[*a].total_cmp(&drawn[*b]);
    (0..arms.len()).max_by(best).expect("there is an arm")
}

/// A number in (0, 1).
fn unit(choices: &mut impl Choices) -> f64 {
    (choices.below(1 << 30) as f64 + 0.5) / f64::from(1 << 30)
}

/// A standard normal number, by Box and Muller.
fn normal(choices: &mut impl Choices) -> f64 {
    let (u, v) = (unit(choices), unit(choices));
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// A number of the gamma distribution of this shape and scale 1, by Marsaglia and Tsang (2000).
fn gamma(shape: f64, choices: &mut impl Choices) -> f64 {
    if shape < 1.0 {
        let boost = unit(choices).powf(1.0 / shape);
        return gamma(shape + 1.0, choices) * boost;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    // Nine in ten are accepted at once; a source of choices that gives only zeros must end too.
    for _ in 0..64 {
        let x = normal(choices);
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && unit(choices).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choice::{Recorded, Seeded};

    #[test]
    fn gamma_has_its_mean_and_variance() {
        for shape in [0.3, 1.0, 7.5] {
            let mut choices = Seeded::new(1, &["gamma"]);
            let n = 20_000;
            let drawn: Vec<f64> = (0..n).map(|_| gamma(shape, &mut choices)).collect();
            let mean = drawn.iter().sum::<f64>() / f64::from(n);
            let variance = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
            assert!((mean / shape - 1.0).abs() < 0.05, "{shape}: mean {mean}");
            assert!(
                (variance / shape - 1.0).abs() < 0.15,
                "{shape}: variance {variance}"
            );
        }
    }

    /// Pulls of each of two arms, of which the first yields four times as much.
    fn pulls(rates: [f64; 2], n: usize) -> [usize; 2] {
        let mut choices = Seeded::new(2, &["arms"]);
        let mut arms = [(Arm::default(), 0.5); 2];
        let mut pulls = [0; 2];
        for _ in 0..n {
            let at = choose(&arms, &mut choices);
            pulls[at] += 1;
            let hit = unit(&mut choices) < rates[at];
            arms[at].0.pulled(f64::from(u8::from(hit)), 1.0);
        }
        pulls
    }

    #[test]
    fn the_better_arm_has_most_pulls_and_the_other_its_floor() {
        let [good, bad] = pulls([0.8, 0.05], 4000);
        assert!(good > 3 * bad, "{good} {bad}");
        assert!(bad >= 4000 / FLOOR / 2 * 8 / 10, "{bad}");
        let [a, b] = pulls([0.4, 0.4], 4000);
        assert!(a > 1000 && b > 1000, "{a} {b}");
    }

    #[test]
    fn an_arm_that_is_used_up_loses_its_rate() {
        let mut arm = Arm::default();
        for _ in 0..10 {
            arm.pulled(2.0, 1.0);
        }
        let rich = arm.rate(0.1);
        for _ in 0..10 {
            arm.pulled(0.0, 1.0);
        }
        assert!(arm.rate(0.1) < rich / 3.0, "{} {rich}", arm.rate(0.1));
    }

    #[test]
    fn a_source_of_zeros_ends() {
        assert!(gamma(2.0, &mut Recorded(&[])).is_finite());
    }
}
