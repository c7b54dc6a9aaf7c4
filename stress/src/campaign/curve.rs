//! How far a hunt was when, kept so that its report can show it.

use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// Points at most.
const MOST: usize = 512;

/// How far a hunt was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Time of the hunt, seconds, over all its parts.
    pub seconds: f64,
    /// Scenarios that had run.
    pub scenarios: u64,
    /// Findings that were kept.
    pub findings: u64,
}

/// Points in order of time: at most 512, of which none but the last is nearer to the one before it than a 512th of the
/// whole time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Curve(Vec<Point>);

impl Curve {
    /// The points.
    pub fn points(&self) -> &[Point] {
        &self.0
    }

    /// Whether nothing was noted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a later point.
    pub(super) fn push(&mut self, point: Point) {
        let gap = point.seconds / MOST as f64;
        // The last is kept whatever its distance, until a later one comes.
        if let [.., before, last] = self.0[..]
            && last.seconds - before.seconds < gap
        {
            self.0.pop();
        }
        self.0.push(point);
        if self.0.len() > MOST {
            let mut kept: Vec<Point> = Vec::new();
            for &point in &self.0[..MOST] {
                // Twice the distance that is due, so that this is seldom done.
                if kept
                    .last()
                    .is_none_or(|k| point.seconds - k.seconds >= 2.0 * gap)
                {
                    kept.push(point);
                }
            }
            kept.push(point);
            self.0 = kept;
        }
    }
}

/// The clock's time, seconds since 1970; `None` where it says that this is before.
pub(super) fn now() -> Option<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(n: u64) -> Point {
        Point {
            seconds: n as f64 / 10.0,
            scenarios: 8 * n,
            findings: n / 100,
        }
    }

    #[test]
    fn a_long_hunt_keeps_few_points_evenly_and_the_last() {
        let mut curve = Curve::default();
        for n in 1..=50_000 {
            curve.push(point(n));
            assert!(curve.points().len() <= MOST, "{n}");
            assert_eq!(curve.points().last(), Some(&point(n)));
        }
        assert_eq!(curve.points()[0], point(1), "the beginning stays");
        assert!(curve.points().len() >= MOST / 4, "{}", curve.points().len());
        let gaps = curve
            .points()
            .windows(2)
            .map(|w| w[1].seconds - w[0].seconds);
        let longest = gaps.fold(0.0, f64::max);
        assert!(longest < 5_000.0 / 100.0, "{longest}");
    }

    #[test]
    fn a_short_hunt_keeps_all() {
        let mut curve = Curve::default();
        (1..=100).for_each(|n| curve.push(point(n)));
        assert_eq!(curve.points().len(), 100);
    }
}
