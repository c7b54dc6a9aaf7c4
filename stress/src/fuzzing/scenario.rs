//! Target `scenario`: generated scenarios, their text, their orders and their Python.

use super::scenario_of;
use crate::choice::Bytes;
use crate::scenario::Scenario;
use crate::scenario::orders::{count, orders};
use crate::scenario::render::source;

/// Bytes → scenario → text → scenario; its orders keep each thread's own order and are as many
/// as they must be; its Python source defines what the harness looks up and nests soundly.
///
/// # Panics
/// When one of these does not hold.
pub fn scenario(bytes: &[u8]) {
    let scenario = scenario_of(bytes);
    assert_eq!(
        Scenario::from_text(&scenario.to_text()).expect("own text parses"),
        scenario
    );
    let lens = scenario.lens();
    let all = orders(&lens, 500, &mut Bytes(bytes));
    assert_eq!(all.complete, count(&lens) <= 500);
    if all.complete {
        assert_eq!(all.list.len() as u64, count(&lens));
    }
    for order in &all.list {
        for (t, &len) in lens.iter().enumerate() {
            assert_eq!(order.iter().filter(|&&x| x == t).count(), len);
        }
    }
    let source = source(&scenario);
    for name in [
        "def MK(",
        "def FINAL(",
        "def FILL(",
        "def OBSERVE(",
        "_BODIES = [",
        "_THREADS = [",
        "_SLOTS = [",
    ] {
        assert!(source.contains(name), "{name} is missing in\n{source}");
    }
    for line in source.lines() {
        let indent = line.len() - line.trim_start_matches(' ').len();
        assert!(
            scenario.context.prelude.contains(line) || indent % 4 == 0,
            "odd indentation: {line:?}"
        );
    }
}
