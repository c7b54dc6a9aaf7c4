//! Bodies of the fuzz targets: ordinary functions, called by libFuzzer (`fuzz/`), by property
//! tests and by the test that replays the checked-in seeds on stable Rust.

use crate::choice::{Bytes, Choices};
use crate::history::History;
use crate::oracle::{self, Nature};
use crate::scenario::Scenario;
use crate::scenario::generate::{Limits, generate};
use crate::scenario::orders::{count, orders};
use crate::scenario::render::source;
use crate::subject::{Subject, builtin};
use std::collections::BTreeSet;
use std::sync::LazyLock;

static SUBJECTS: LazyLock<Vec<Subject>> = LazyLock::new(builtin::all);

/// The scenario that these bytes choose, over all subjects that come with the program.
pub fn scenario_of(bytes: &[u8]) -> Scenario {
    let mut choices = Bytes(bytes);
    let subject = &SUBJECTS[choices.below(SUBJECTS.len())];
    let limits = Limits {
        threads: 2 + choices.below(3),
        ops: 1 + choices.below(4),
    };
    generate(subject, limits, &mut choices)
}

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

/// Bytes → history → the oracle's verdict against the definition: exactly the observed outcomes
/// that no sequential order gave, each told apart by what a reader can see in it.
///
/// # Panics
/// When the oracle and the definition differ.
pub fn oracle(bytes: &[u8]) {
    const SLOTS: [&str; 8] = [
        "None",
        "1",
        "(1, 2)",
        "!IndexError",
        "!SystemError: bad",
        "!ValueError: x",
        "573410040",
        "b'\\x00'",
    ];
    let mut choices = Bytes(bytes);
    let mut outcome = || {
        (0..2)
            .map(|_| *choices.pick(&SLOTS))
            .collect::<Vec<_>>()
            .join(" | ")
    };
    let sequential: BTreeSet<String> = (0..3).map(|_| outcome()).collect();
    let observed: BTreeSet<String> = (0..4).map(|_| outcome()).collect();
    let history = History {
        sequential: sequential.clone(),
        outcomes: observed.iter().map(|o| (o.clone(), 1)).collect(),
        ..History::default()
    };
    let found = oracle::unexplained(&history, &[]);
    let got: BTreeSet<&String> = found.iter().map(|u| &u.outcome).collect();
    let want: BTreeSet<&String> = observed.difference(&sequential).collect();
    assert_eq!(got, want);
    let any = |mark: &str| sequential.iter().any(|o| o.contains(mark));
    for u in &found {
        let new = |mark: &str| u.outcome.contains(mark) && !any(mark);
        let expected = if new("!SystemError") {
            matches!(u.nature, Nature::Internal(_))
        } else if new("573410040") || new("\\x") {
            matches!(u.nature, Nature::Alien(_))
        } else if new("!ValueError") || new("!IndexError") {
            matches!(u.nature, Nature::Exception(_))
        } else {
            u.nature == Nature::Order
        };
        assert!(
            expected,
            "{:?} for {:?} beside {sequential:?}",
            u.nature, u.outcome
        );
    }
}
