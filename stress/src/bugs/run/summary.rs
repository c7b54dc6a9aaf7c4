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
    /// Reproduced or not.
    pub status: Status,
    /// Runs that hit.
    pub hits: u32,
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
    /// What the first hit looked like; else how the last run ended.
    pub seen: String,
    /// A run that failed by itself: the program or the VM is unfit, and nothing is known.
    pub broken: Option<String>,
    /// The user stopped it.
    pub interrupted: bool,
}

impl Summary {
    /// The measurement for the bug's file.
    pub fn measured(&self) -> Measured {
        let round = |x: f64| (x * 100.0).round() / 100.0;
        let mean = self.times.iter().sum::<f64>() / self.times.len().max(1) as f64;
        Measured {
            vm: self.vm.clone(),
            status: self.status,
            hits: self.hits,
            runs: self.runs,
            seconds: round(self.seconds),
            first_hit: round(mean),
            seen: self.seen.chars().take(160).collect(),
        }
    }

    /// The line that says what came out.
    pub fn line(&self) -> String {
        if let Some(why) = &self.broken {
            return format!("nothing is known: {why}");
        }
        match self.status {
            Status::NotApplicable => format!("not applicable: {}", self.seen),
            Status::Reproduced => format!(
                "reproduced: {} of {} runs hit in {:.1} s (share {:.0}–{:.0} %), {:.1} hits a minute ({:.1}–{:.1}); {}",
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
            Status::Fixed | Status::NotReproduced => format!(
                "not reproduced in {} runs, {:.1} s (at most {:.1} hits a minute){}",
                self.runs,
                self.seconds,
                self.per_minute_interval.1,
                if self.status == Status::Fixed {
                    "; the reports say this version does not have it"
                } else {
                    ""
                }
            ),
        }
    }
}
