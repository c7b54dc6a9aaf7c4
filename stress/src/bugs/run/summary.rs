//! What the runs of a bug came to: a line for the reader, a measurement for the bug's file.

use crate::bugs::{Measured, Status};
use serde::Serialize;

/// What the runs of a bug came to.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The bug.
    pub id: String,
    /// VM, as [`super::vm_name`] says.
    pub vm: String,
    /// What they say, beside what was measured on other VMs.
    pub status: Status,
    /// Runs that ended in the bug's signature.
    pub hits: u32,
    /// Runs that failed in another way.
    pub others: u32,
    /// Runs.
    pub runs: u32,
    /// Time of all runs, seconds.
    pub seconds: f64,
    /// Times to the hits, seconds.
    pub times: Vec<f64>,
    /// Share of runs that hit, 95 % interval (Wilson).
    pub share: (f64, f64),
    /// Hits per minute of running.
    pub per_minute: f64,
    /// Its 95 % interval (Poisson, exact).
    pub per_minute_interval: (f64, f64),
    /// What the first hit looked like, or what the VM lacks.
    pub seen: String,
    /// What the first failure of another kind looked like.
    pub otherwise: String,
    /// A run that failed by itself: the program or the VM is unfit, and nothing is known.
    pub broken: Option<String>,
    /// The user stopped it.
    pub interrupted: bool,
}

impl Summary {
    /// The measurement for the bug's file.
    pub fn measured(&self) -> Measured {
        let round = |x: f64| (x * 100.0).round() / 100.0;
        let cut = |text: &str| text.chars().take(160).collect();
        Measured {
            vm: self.vm.clone(),
            status: self.status,
            hits: self.hits,
            others: self.others,
            runs: self.runs,
            seconds: round(self.seconds),
            first_hit: round(mean(&self.times)),
            seen: cut(&self.seen),
            otherwise: cut(&self.otherwise),
        }
    }

    /// The line that says what came out.
    pub fn line(&self) -> String {
        if let Some(why) = &self.broken {
            return format!("nothing is known: {why}");
        }
        let others = match self.others {
            0 => String::new(),
            1 => format!("; 1 other failure: {}", self.otherwise),
            n => format!("; {n} other failures, the first: {}", self.otherwise),
        };
        match self.status {
            Status::NotApplicable => format!("not applicable: {}", self.seen),
            Status::Reproduced => format!(
                "reproduced: {} of {} runs hit in {:.1} s (share {:.0}–{:.0} %), {:.1} hits a minute ({:.1}–{:.1}); {}{others}",
                self.hits,
                self.runs,
                self.seconds,
                self.share.0 * 100.0,
                self.share.1 * 100.0,
                self.per_minute,
                self.per_minute_interval.0,
                self.per_minute_interval.1,
                self.seen
            ),
            Status::ReproducedOtherwise => format!(
                "failed, but not in its signature, in {} runs, {:.1} s{others}",
                self.runs, self.seconds
            ),
            _ => format!(
                "not reproduced in {} runs, {:.1} s (at most {:.1} hits a minute){}",
                self.runs,
                self.seconds,
                self.per_minute_interval.1,
                match self.status {
                    Status::Fixed =>
                        "; the reports say this version does not have it, and the program showed it elsewhere",
                    Status::Unproven =>
                        "; the reports say this version does not have it, and the program never showed it anywhere",
                    _ => "",
                }
            ),
        }
    }
}

/// Mean of these times; 0 without one.
fn mean(times: &[f64]) -> f64 {
    // The sum of no numbers is -0.
    if times.is_empty() {
        return 0.0;
    }
    times.iter().sum::<f64>() / times.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_no_hits_is_a_plain_zero() {
        assert!(mean(&[]).is_sign_positive());
        assert_eq!(mean(&[1.0, 2.0]), 1.5);
    }
}
