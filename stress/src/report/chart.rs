//! Curves over the time of hunts, as their states keep them.

use super::collect::Source;
use super::grouped;
use crate::campaign::curve::Point;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Lines of a chart at most.
const MOST: usize = 64;

/// Size of the drawing, and the room for its labels.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 24.0;

/// A line for each hunt in one VM.
pub(super) struct Chart {
    pub title: String,
    /// The same in words.
    pub words: String,
    /// Points of each line, as SVG has them.
    pub lines: Vec<String>,
    /// Hunts whose line is left out.
    pub more: usize,
    /// Labels of the axes: of their ends, for they begin at 0.
    pub most: String,
    pub time: String,
}

/// Charts of findings and of scenarios for each VM, of the hunts that kept two points or more.
pub(super) fn charts(sources: &[Source]) -> Vec<Chart> {
    let mut by_vm: BTreeMap<&str, Vec<&[Point]>> = BTreeMap::new();
    for state in sources.iter().filter_map(|s| s.state.as_ref()) {
        let points = state.curve.points();
        if points.len() > 1 {
            by_vm.entry(&state.vm).or_default().push(points);
        }
    }
    let of = |(vm, hunts): (&&str, &Vec<&[Point]>)| {
        [
            Chart::new(vm, "findings", hunts, |p| p.findings),
            Chart::new(vm, "scenarios", hunts, |p| p.scenarios),
        ]
    };
    by_vm.iter().flat_map(of).collect()
}

impl Chart {
    fn new(vm: &str, what: &str, hunts: &[&[Point]], of: fn(&Point) -> u64) -> Self {
        let last = || hunts.iter().filter_map(|points| points.last());
        let time = last().map(|p| p.seconds).fold(1.0, f64::max);
        let most = last().map(of).max().unwrap_or(0).max(1);
        let line = |points: &&[Point]| {
            let mut line = String::new();
            for p in *points {
                let x = LEFT + (WIDTH - LEFT - RIGHT) * p.seconds / time;
                let y = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * of(p) as f64 / most as f64;
                let _ = write!(line, "{x:.1},{y:.1} ");
            }
            line.trim_end().to_owned()
        };
        let n = hunts.len();
        let s = if n == 1 { "" } else { "s" };
        Self {
            title: format!("{vm}: {what}"),
            words: format!(
                "{what} over {} seconds of {n} hunt{s} in {vm}; at the end {} at most",
                grouped(time.round() as u64),
                grouped(last().map(of).max().unwrap_or(0))
            ),
            lines: hunts.iter().take(MOST).map(line).collect(),
            more: n.saturating_sub(MOST),
            most: grouped(most),
            time: format!("{} s", grouped(time.round() as u64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::state::State;

    fn source(vm: &str, curve: serde_json::Value) -> Source {
        Source {
            state: Some(State {
                vm: vm.to_owned(),
                curve: serde_json::from_value(curve).unwrap(),
                ..State::default()
            }),
            ..Source::default()
        }
    }

    #[test]
    fn a_line_ends_at_the_last_point_and_what_was_not_kept_is_not_drawn() {
        let point = |s, n| serde_json::json!({"seconds": s, "scenarios": 10 * n, "findings": n});
        let kept = source(
            "a 1",
            serde_json::json!([point(1.0, 0), point(5.0, 1), point(10.0, 4)]),
        );
        let charts = charts(&[kept, source("b 1", serde_json::json!([]))]);
        assert_eq!(charts.len(), 2);
        let chart = &charts[0];
        assert_eq!(chart.lines, ["99.0,166.0 263.0,127.0 468.0,10.0"]);
        assert_eq!((chart.most.as_str(), chart.time.as_str()), ("4", "10 s"));
        assert!(
            chart.words.contains("1 hunt in a 1; at the end 4 at most"),
            "{}",
            chart.words
        );
        assert_eq!(charts[1].most, "40");
    }
}
