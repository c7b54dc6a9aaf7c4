//! What several runs of a program came to.

use super::stats;
use serde::Serialize;
use std::time::Duration;

/// What a run is to what was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It showed it.
    Hit,
    /// It failed in another way, which says neither that it is there nor that it is not.
    Other,
    /// It ended in time, and nothing was seen.
    Clean,
    /// Somebody else ended it: it says nothing, and another run may.
    Outside(String),
    /// The VM lacks what is needed, or the program itself failed: no run will say anything.
    Unfit(String),
    /// The user stopped it.
    Interrupted,
}

/// Runs that said something, counted.
#[derive(Clone, Debug, Serialize)]
pub struct Count {
    /// Runs that hit.
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
}

impl Default for Count {
    fn default() -> Self {
        Self {
            hits: 0,
            others: 0,
            runs: 0,
            seconds: 0.0,
            times: Vec::new(),
            share: (0.0, 1.0),
            per_minute: 0.0,
            per_minute_interval: (0.0, f64::INFINITY),
        }
    }
}

impl Count {
    /// Adds a run, unless it says nothing.
    pub fn add(&mut self, told: &Told, took: Duration) {
        let seconds = took.as_secs_f64();
        match told {
            Told::Hit => {
                self.hits += 1;
                self.times.push(seconds);
            }
            Told::Other => self.others += 1,
            Told::Clean => {}
            Told::Outside(_) | Told::Unfit(_) | Told::Interrupted => return,
        }
        self.runs += 1;
        self.seconds += seconds;
        self.share = stats::wilson(self.hits, self.runs);
        let minutes = self.seconds / 60.0;
        if minutes > 0.0 {
            self.per_minute = f64::from(self.hits) / minutes;
            self.per_minute_interval = stats::poisson(self.hits, minutes);
        }
    }

    /// Mean time to a hit, seconds; 0 without one.
    pub fn mean_to_hit(&self) -> f64 {
        // The sum of no numbers is -0.
        if self.times.is_empty() {
            return 0.0;
        }
        self.times.iter().sum::<f64>() / self.times.len() as f64
    }
}

/// Gives out time in runs of `one` until `total` is used up, the last one shortened so that the whole stays
/// within it, but none below `least`. `run` says how much of it was used, `None` to stop.
///
/// # Errors
/// Those of `run`.
pub fn within<E>(
    total: Duration,
    one: Duration,
    least: Duration,
    mut run: impl FnMut(Duration) -> Result<Option<Duration>, E>,
) -> Result<(), E> {
    let mut used = Duration::ZERO;
    loop {
        // A limit is printed for the run to be repeated: tenths are enough.
        let left = total.saturating_sub(used).max(least);
        let tenths = Duration::from_millis(left.as_millis().div_ceil(100) as u64 * 100);
        let Some(took) = run(one.min(tenths))? else {
            return Ok(());
        };
        used += took;
        if used + least / 2 > total {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn only_runs_that_say_something_count() {
        let mut count = Count::default();
        assert!(count.mean_to_hit().is_sign_positive(), "a plain zero");
        for told in [
            Told::Interrupted,
            Told::Outside("SIGKILL".into()),
            Told::Unfit("no module".into()),
        ] {
            count.add(&told, SECOND);
        }
        assert_eq!((count.runs, count.seconds), (0, 0.0));
        for told in [Told::Hit, Told::Other, Told::Clean, Told::Hit] {
            count.add(&told, SECOND);
        }
        assert_eq!((count.hits, count.others, count.runs), (2, 1, 4));
        assert_eq!(
            (count.seconds, count.mean_to_hit(), count.per_minute),
            (4.0, 1.0, 30.0)
        );
        assert!(count.share.0 > 0.0 && count.share.1 < 1.0);
        assert!(count.per_minute_interval.0 < 30.0 && count.per_minute_interval.1 > 30.0);
    }

    #[test]
    fn the_last_run_is_shortened_and_none_is_too_short() {
        let runs = |total: u64, used: u64| {
            let mut limits = Vec::new();
            let run = |limit: Duration| {
                limits.push(limit.as_millis());
                Ok::<_, ()>((limits.len() < 9).then_some(limit.min(Duration::from_millis(used))))
            };
            within(Duration::from_millis(total), SECOND, SECOND / 2, run).unwrap();
            limits
        };
        assert_eq!(runs(2700, 1000), [1000, 1000, 700]);
        assert_eq!(runs(100, 1000), [500]);
        assert_eq!(runs(2100, 1000), [1000, 1000], "a tenth is not worth a run");
        assert_eq!(runs(9000, 0).len(), 9, "until it is told to stop");
    }
}
