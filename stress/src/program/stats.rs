//! Intervals for rates: how much a few runs can say.

/// Normal quantile of 95 % two-sided intervals.
const Z: f64 = 1.959_963_984_540_054;

/// 95 % interval of a share: Wilson's score interval (Wilson, JASA 22, 1927), sound also for
/// 0 of n and n of n.
pub fn wilson(hits: u32, runs: u32) -> (f64, f64) {
    if runs == 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (f64::from(runs), f64::from(hits) / f64::from(runs));
    let z2 = Z * Z;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

/// 95 % interval of an event rate from `events` in `time`: Garwood's exact interval for a
/// Poisson mean (Garwood, Biometrika 28, 1936), by bisection on the distribution function.
pub fn poisson(events: u32, time: f64) -> (f64, f64) {
    if time <= 0.0 {
        return (0.0, f64::INFINITY);
    }
    let low = if events == 0 {
        0.0
    } else {
        // P(X >= events) = 2.5 %.
        bisect(|m| 1.0 - below(events - 1, m) - 0.025, events)
    };
    // P(X <= events) = 2.5 %.
    let high = bisect(|m| 0.025 - below(events, m), events);
    (low / time, high / time)
}

/// Chance that nothing is seen in `time` of what was seen `events` times in `seconds`, at the lowest
/// rate of the 95 % interval.
pub fn missed(events: u32, seconds: f64, time: f64) -> f64 {
    (-poisson(events, seconds).0 * time).exp()
}

/// P(X <= k) for a Poisson variable of this mean.
fn below(k: u32, mean: f64) -> f64 {
    let mut term = (-mean).exp();
    let mut sum = term;
    for i in 1..=k {
        term *= mean / f64::from(i);
        sum += term;
    }
    sum
}

/// Root of a function that grows with the mean.
fn bisect(f: impl Fn(f64) -> f64, events: u32) -> f64 {
    let (mut low, mut high) = (0.0, 10.0 + 4.0 * f64::from(events));
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if f(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: (f64, f64), b: (f64, f64)) {
        assert!(
            (a.0 - b.0).abs() < 5e-4 && (a.1 - b.1).abs() < 5e-4,
            "{a:?} and {b:?}"
        );
    }

    #[test]
    fn wilson_against_published_values() {
        // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
        close(wilson(81, 263), (0.2553, 0.3662));
        close(wilson(15, 148), (0.0624, 0.1605));
        close(wilson(0, 20), (0.0, 0.1611));
        close(wilson(1, 29), (0.0061, 0.1718));
    }

    #[test]
    fn few_events_may_be_missed_in_any_time() {
        // Ten in ten seconds: at least 0.4795 a second.
        assert!((missed(10, 10.0, 10.0) - (-4.795_f64).exp()).abs() < 1e-4);
        assert!(missed(1, 1.0, 90.0) > 0.1);
        assert_eq!(missed(0, 10.0, 90.0), 1.0);
    }

    #[test]
    fn poisson_against_published_values() {
        // Garwood's table: 0 events (0, 3.689), 1 event (0.0253, 5.572), 10 events (4.795, 18.390).
        close(poisson(0, 1.0), (0.0, 3.6889));
        close(poisson(1, 1.0), (0.0253, 5.5716));
        close(poisson(10, 1.0), (4.7954, 18.3904));
    }
}
