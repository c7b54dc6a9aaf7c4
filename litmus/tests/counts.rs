//! The published execution counts, GenMC's `tests/correct` among them.

mod support;

use support::{parse, visited};
use threadbare_litmus::explore::Model::{Rc11, Sc, Tso};

#[track_caller]
fn counts(program: &str, expected: [usize; 3]) {
    let program = parse(program);
    let found = [Rc11, Tso, Sc].map(|model| {
        let (keys, _, failed) = visited(&program, model);
        assert!(!failed, "{program:?} fails under {model:?}");
        assert!(keys.values().all(|&n| n == 1), "duplicates under {model:?}");
        keys.len()
    });
    assert_eq!(found, expected, "{program:?}");
}

fn times(n: usize, thread: impl Fn(usize) -> String) -> String {
    (1..=n).map(thread).collect::<Vec<_>>().join("|")
}

#[test]
fn store_buffering() {
    counts("Wx1r;Rya | Wy1r;Rxa", [4, 4, 3]);
    counts("Wx1;F;Ry | Wy1;F;Rx", [3, 3, 3]);
    counts("Wx1s;Rys | Wy1s;Rxs", [3, 3, 3]);
    counts("Wx1r;Rys | Wy1s;Rxs", [4, 4, 3]);
    counts("Wx1r;Rxa;Rya | Wy1r;Rya;Rxa", [4, 4, 3]);
}

#[test]
fn message_passing_and_load_buffering() {
    counts("Wx1r;Wy1r | Rya;Rxa", [3, 3, 3]);
    counts("Wx1;Wy1 | Ry;Rx", [4, 3, 3]);
    counts("Rx;Wy1 | Ry;Wx1", [3, 3, 3]);
    counts("Rx;Wy1 | Ry;Wz1 | Rz;Wx1", [7, 7, 7]);
}

#[test]
fn write_races() {
    counts("Wx1r;Wy2r | Wy1r;Wx2r", [4, 3, 3]);
    counts("Wx1s;Wy2s | Wy1s;Wx2s", [3, 3, 3]);
    counts("Wx2;Wy1 | Ry;Wx1", [4, 3, 3]);
    counts("Wx1r;Rya;Rxa | Wx2r;Rxa | Wy3r", [8, 8, 8]);
}

#[test]
fn coherence() {
    counts("Wx1;Wx2 | Rx;Rx", [6, 6, 6]);
    counts("Wx1 | Wx2 | Rx;Rx | Rx;Rx", [72, 72, 72]);
    counts("Rx;Rx | Wx1 | Wx2", [12, 12, 12]);
    counts("Wx1 | Rx;Rx;Rx | Wx2", [20, 20, 20]);
    counts("Wx1 | Wx2 | Wx3 | Rx;Rx;Rx;Rx", [210, 210, 210]);
    counts("Wx1|Wx2|Wx3|Wx4|Wx5|Rx", [720, 720, 720]);
}

#[test]
fn several_readers() {
    counts("Wx1s | Rxa;Rys | Rya;Rxs | Wy1s", [16, 15, 15]);
    counts("Wx1 | Rx;Ry | Ry;Rx | Wy1", [16, 15, 15]);
    counts("Wx1s | Rxs;Rys | Rys;Rxs | Wy1s", [15, 15, 15]);
    counts("Wx1 | Rx;F;Ry | Wy1;F;Rx", [7, 7, 7]);
    counts("Wx1;Wz1r | Rza;F;Ry | Wy1;F;Rx", [7, 7, 7]);
    counts("Wa1;Wb1r | Rba;Wc1r | Rca;Ra", [7, 7, 7]);
    counts("Wx1;Wy1r | Ry;Wz1 | Rz;Far;Rx", [8, 7, 7]);
}

#[test]
fn seq_cst_and_release_sequences() {
    // The paper's axioms, not GenMC's stricter 22.
    counts("Wx1s;Wy1r | Ays;Ry | Wy3s;Rxs", [24, 18, 18]);
    counts("Wx1;Wy1r;Wy2 | Xy3 | Ry;Fa;Rx", [20, 16, 16]);
    counts("Ry=1;F;Rz=0 | Wz1;F;Wx1 | Rx=1;Wy1", [1, 0, 0]);
}

#[test]
fn updates() {
    counts("Ax;Ax|Ax;Ax|Ax|Ax", [180; 3]);
    counts("Rys;?42:2;Axs;Axs | Axs | Wy42s", [4, 4, 4]);
    counts("Ax|Wx9|Ax", [6; 3]);
    counts("Wx5|Cx1>2|Ax|Ax", [24; 3]);
    for (n, factorial) in [(2, 2), (3, 6), (4, 24), (5, 120), (6, 720), (7, 5040)] {
        counts(&times(n, |_| "Ax".into()), [factorial; 3]);
    }
    for (n, expected) in [(2, 4), (3, 36), (4, 576)] {
        counts(&times(n, |_| "Ax;Ay".into()), [expected; 3]);
        counts(&times(n, |i| format!("Rx;Wx{i}")), [expected; 3]);
    }
    for (n, expected) in [(2, 8), (3, 216), (4, 13824)] {
        counts(&times(n, |_| "Ax;Ay;Az".into()), [expected; 3]);
    }
    for (n, expected) in [(2, 6), (3, 24), (4, 120)] {
        counts(
            &format!("Wx42|{}", times(n, |_| "Ax".into())),
            [expected; 3],
        );
    }
}

#[test]
fn compare_exchange() {
    for n in 2..=4 {
        counts(&times(n, |i| format!("Cx0>{i}")), [n; 3]);
    }
    for (n, expected) in [
        (2, 2),
        (3, 5),
        (4, 14),
        (5, 43),
        (6, 144),
        (7, 523),
        (8, 2048),
    ] {
        counts(&times(n, |i| format!("Cx{}>{i}", i - 1)), [expected; 3]);
    }
    for (n, expected) in [(2, 6), (3, 66), (4, 1200)] {
        counts(&times(n, |i| format!("Cx0>1;Wx{}", i + 10)), [expected; 3]);
    }
    for (n, expected) in [(1, 5), (2, 13), (3, 33), (4, 81), (5, 193), (6, 449)] {
        counts(
            &format!("Wx2|{}", times(n + 1, |_| "Cx2>3".into())),
            [expected; 3],
        );
    }
}

#[test]
fn readers_and_writers() {
    for n in [2, 8] {
        counts(&format!("Wx1|{}", times(n, |_| "Rx".into())), [1 << n; 3]);
    }
    for (n, expected) in [(2, 22), (3, 300), (4, 6576)] {
        let program = format!("Wx1|{}", times(n, |i| format!("Rx;Wx{}", i + 1)));
        counts(&program, [expected; 3]);
    }
    for (k, expected) in [[4, 4, 4], [16, 16, 15], [144, 144, 130], [2304, 2304, 2028]]
        .into_iter()
        .enumerate()
    {
        let others: String = (0..k)
            .map(|i| format!("|Wy{}r;Wz{}r", i + 1, i + 1))
            .collect();
        counts(&format!("Wx1r;Rya;Rxa|Wx2r;Rza;Rxa{others}"), expected);
    }
}

#[path = "../benches/programs/mod.rs"]
mod programs;

/// The programs of the comparison with loom, shuttle and GenMC.
#[test]
fn no_more_than_genmc() {
    for case in programs::cases() {
        let Some((complete, blocked)) = case.genmc else {
            continue;
        };
        if complete > 100_000 {
            continue; // the benchmark has them
        }
        let report = threadbare_litmus::Explorer::new().model(Rc11).verify(&case);
        assert!(report.failure.is_none(), "{}", case.name);
        assert_eq!(report.complete, complete, "{}", case.name);
        assert!(
            report.blocked <= blocked,
            "{}: {}",
            case.name,
            report.blocked
        );
    }
}
