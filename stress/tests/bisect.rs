//! Bisection over VMs: on simulated rates, and on programs that pose as VMs.

use std::time::Duration;
use threadbare_stress::bugs;
use threadbare_stress::choice::{Choices, Seeded};
use threadbare_stress::program::Told;
use threadbare_stress::triage::bisect::{Bisected, Standing, bisect, of_bug};
use threadbare_stress::vm::{Facts, Vm};

fn facts(implementation: &str, version: &str) -> Facts {
    Facts {
        implementation: implementation.into(),
        version: version.into(),
        gil_claimed: Some(false),
        ..Facts::default()
    }
}

/// VMs of these versions that fail with these chances in a hundred; a chance over a hundred: the
/// VM cannot run it.
fn simulated(vms: &[(&str, &str, usize)], rounds: u32, seed: u64) -> (Bisected, Vec<usize>) {
    let names: Vec<(String, Facts)> = vms
        .iter()
        .map(|(i, v, _)| ((*v).to_owned(), facts(i, v)))
        .collect();
    let mut luck = Seeded::new(seed, &["bisect"]);
    let mut turns = Vec::new();
    let trial = |at: usize| {
        turns.push(at);
        Ok(match vms[at].2 {
            chance if chance > 100 => (Told::Unfit("no such module".into()), 0.0),
            chance if luck.below(100) < chance => (Told::Hit, 0.5),
            _ => (Told::Clean, 10.0),
        })
    };
    let limit = Duration::from_secs(10);
    let result = bisect("python/cpython#1", &names, rounds, limit, trial, |_, _| ());
    (result.unwrap(), turns)
}

#[test]
fn the_first_failing_and_the_last_good_version_whatever_the_order_given() {
    let vms = [
        ("cpython", "3.14.2", 0),
        ("cpython", "3.13.15", 90),
        ("cpython", "3.13.5", 90),
        ("cpython", "3.12.1", 0),
        ("cpython", "3.13.0rc1", 101),
    ];
    let (result, _) = simulated(&vms, 40, 1);
    insta::assert_snapshot!(result.text());
    let changes: Vec<_> = result
        .changes
        .iter()
        .map(|c| (c.before.as_str(), c.after.as_str(), c.fails))
        .collect();
    assert_eq!(
        changes,
        [
            ("cpython 3.12.1", "cpython 3.13.5", true),
            ("cpython 3.13.15", "cpython 3.14.2", false)
        ]
    );
}

/// The VMs take turns in rounds, so that no VM has the quiet part of the machine's time.
#[test]
fn the_rounds_are_interleaved() {
    let vms = [("cpython", "3.13.5", 50), ("cpython", "3.14.2", 50)];
    let (_, turns) = simulated(&vms, 6, 2);
    for (round, pair) in turns.chunks(2).enumerate() {
        let expected = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        assert_eq!(pair, expected);
    }
}

/// Too few runs must not clear a VM: with 1 hit of 2 the failing rate may be 9 %, and two silent
/// runs then say nothing.
#[test]
fn silence_is_weighed_against_the_failing_rate() {
    let vms = [("cpython", "3.13.5", 100), ("cpython", "3.14.2", 0)];
    let (few, _) = simulated(&vms, 1, 3);
    assert!(matches!(few.vms[1].standing, Standing::Undecided { .. }));
    assert!(few.changes.is_empty());
    let (many, _) = simulated(&vms, 40, 3);
    let Standing::Good { chance } = many.vms[1].standing else {
        panic!("{many:?}");
    };
    // Five of five hits: at least 56.6 % (Wilson); five silent runs: 0.434^5.
    assert_eq!(many.vms[1].runs, 5);
    assert!((chance - 0.0154).abs() < 1e-3, "{chance}");
}

/// A rare failure on both must not be taken for a repair: over many seeds the share of wrong
/// verdicts stays below the 5 % that is stated.
#[test]
fn two_equal_vms_are_seldom_told_apart() {
    let vms = [("cpython", "3.13.5", 30), ("cpython", "3.14.2", 30)];
    let wrong = (0..2000)
        .filter(|&seed| !simulated(&vms, 20, seed).0.changes.is_empty())
        .count();
    assert!(wrong <= 100, "{wrong} of 2000");
}

/// What did not end in time is not counted as silence, nor as a failure.
#[test]
fn unclear_runs_are_not_counted() {
    let names = [
        ("a".to_owned(), facts("cpython", "3.13.5")),
        ("b".to_owned(), facts("cpython", "3.14.2")),
    ];
    let trial = |at: usize| {
        Ok(if at == 0 {
            (Told::Hit, 1.0)
        } else {
            (Told::Other, 9.0)
        })
    };
    let limit = Duration::from_secs(10);
    let result = bisect("python/cpython#1", &names, 40, limit, trial, |_, _| ()).unwrap();
    assert_eq!((result.vms[1].runs, result.vms[1].hits), (0, 0));
    assert!(matches!(result.vms[1].standing, Standing::Undecided { .. }));
    assert!(result.changes.is_empty());
    assert!(
        result.text().contains("it fails on every VM that ran it"),
        "{}",
        result.text()
    );
}

#[test]
fn families_have_no_order_and_silence_everywhere_says_nothing() {
    let (result, _) = simulated(
        &[("cpython", "3.13.5", 100), ("rustpython", "0.6.0", 0)],
        40,
        4,
    );
    assert!(!result.ordered && result.changes.is_empty());
    assert!(
        result.text().contains("no order between them"),
        "{}",
        result.text()
    );
    let (result, _) = simulated(&[("cpython", "3.13.5", 0), ("cpython", "3.14.2", 0)], 3, 4);
    assert!(!result.fails() && result.ran());
    assert!(result.text().contains("no VM failed"), "{}", result.text());
    let (result, _) = simulated(
        &[("cpython", "3.13.5", 101), ("cpython", "3.14.2", 101)],
        3,
        4,
    );
    assert!(!result.ran(), "{}", result.text());
    assert!(result.text().contains("no VM could run it"));
}

#[test]
fn a_known_bug_on_shells_that_pose_as_versions() {
    let text = "repository = \"a/b\"\nnumber = \"1\"\ntitle = \"t\"\nvm = \"shell\"\ncategory = \"c\"\nnature = \"bug\"\n\
                affected = \"any\"\nfixed = \"2.0\"\nfailure = [\"crash\"]\nbuilds = [\"release\"]\nsource = \"s\"\n\
                no_fault = \"a shell\"\n[signature]\ntext = [\"SIGSEGV\"]\n";
    let shell = |implementation: &str| {
        let mut vm = Vm::find("sh").unwrap();
        vm.facts = facts(implementation, "1.0");
        vm
    };
    let run = |program: &str, vm: &Vm| {
        let bug = bugs::parse("shell/1-x", text, program, "").unwrap();
        of_bug(vm, &bug, Duration::from_millis(200)).unwrap().0
    };
    assert_eq!(run("kill -SEGV $$", &shell("shell")), Told::Hit);
    assert_eq!(run("exit 0", &shell("shell")), Told::Clean);
    // In another way than the bug's, or by somebody else's hand: neither a hit nor silence.
    assert_eq!(run("kill -FPE $$", &shell("shell")), Told::Other);
    let killed = run("kill -KILL $$", &shell("shell"));
    assert!(matches!(killed, Told::Outside(_)), "{killed:?}");
    for unfit in ["echo skip: no; exit 77", "exit 3"] {
        assert!(matches!(run(unfit, &shell("shell")), Told::Unfit(_)));
    }
    // Another family cannot show it.
    let other = run("kill -SEGV $$", &shell("cpython"));
    assert!(matches!(other, Told::Unfit(_)));
}
