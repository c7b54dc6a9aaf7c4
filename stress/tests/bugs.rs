//! Known bugs: the engine on scripts that pose as a VM, and the catalogue.

use std::path::Path;
use std::time::Duration;
use threadbare_stress::bugs::matrix::Matrix;
use threadbare_stress::bugs::regression::{self, Budget, Verdict};
use threadbare_stress::bugs::run::{self, Ended, Grace, Plan};
use threadbare_stress::bugs::{self, Bug, Nature, Status, record};
use threadbare_stress::vm::{Facts, Vm};

/// A bug of the fixture VM, which is a shell: its program is a shell script.
fn bug(failure: &str, program: &str) -> Bug {
    let text = format!(
        "repository = \"a/b\"\nnumber = \"1\"\ntitle = \"t\"\nvm = \"shell\"\ncategory = \"c\"\nnature = \"bug\"\n\
         affected = \"any\"\nfixed = \"2.0\"\nfailure = [\"{failure}\"]\nbuilds = [\"release\"]\nsource = \"s\"\n"
    );
    bugs::parse("shell/1-x", &text, program, "").unwrap()
}

/// A VM that runs shell scripts, without the inspection that only a Python passes.
fn shell(version: &str) -> Vm {
    let mut vm = Vm::find("sh").unwrap();
    vm.facts = Facts {
        implementation: "shell".into(),
        version: version.into(),
        gil_claimed: Some(false),
        ..Facts::default()
    };
    vm
}

fn plan(hits: u32) -> Plan {
    Plan {
        total: Duration::from_secs(3),
        run: Duration::from_secs(1),
        hits,
    }
}

fn ended(failure: &str, program: &str) -> (Ended, bool) {
    let bug = bug(failure, program);
    let attempt = run::attempt(&shell("1.0"), &bug, Duration::from_secs(1)).unwrap();
    (attempt.ended, attempt.hit)
}

/// The files as they lie in the repository; that the program holds the same ones is a unit test.
fn catalogue() -> Vec<Bug> {
    bugs::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("bugs")).unwrap()
}

#[test]
fn every_way_to_end_is_told_apart() {
    assert_eq!(ended("crash", "exit 0"), (Ended::Clean, false));
    assert_eq!(
        ended("crash", "kill -SEGV $$"),
        (Ended::Crash("SIGSEGV".into()), true)
    );
    // A crash is not what a bug of wrong results is known for.
    assert!(!ended("wrong", "kill -SEGV $$").1);
    assert_eq!(
        ended("wrong", "echo hit: 1 is 2; exit 1"),
        (Ended::Wrong("1 is 2".into()), true)
    );
    assert_eq!(
        ended("wrong", "echo skip: no such module; exit 77"),
        (Ended::Skip("no such module".into()), false)
    );
    let (broken, hit) = ended("crash", "echo NameError >&2; exit 1");
    assert!(matches!(broken, Ended::Broken(why) if why.contains("NameError")) && !hit);
    let panic = "echo \"thread 'x' panicked at vm/src/a.rs:1:2:\" >&2; echo 'index out of bounds' >&2; exit 101";
    assert!(matches!(ended("panic", panic), (Ended::Panic(_), true)));
}

/// A program past its deadline: what it does then decides, not the clock.
#[test]
fn a_program_that_is_only_slow_is_no_hit() {
    let past = |failure: &str, program: &str, computing: u64| {
        let grace = Grace {
            time: Duration::from_millis(200),
            computing: Duration::from_millis(computing),
        };
        let bug = bug(failure, program);
        let time = Duration::from_millis(100);
        let attempt = run::attempt_within(&shell("1.0"), &bug, time, grace).unwrap();
        (attempt.ended, attempt.hit)
    };
    let slow = "i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done";
    for failure in ["crash", "hang"] {
        assert_eq!(past(failure, slow, 60_000), (Ended::Clean, false));
    }
    let (asleep, hit) = past("hang", "exec sleep 600", 3_600_000);
    assert!(matches!(asleep, Ended::Hang(_)) && hit, "{asleep:?}");
    let (spins, hit) = past("hang", "while :; do :; done", 300);
    assert!(matches!(spins, Ended::Hang(_)) && hit, "{spins:?}");
    // Nor is a crash, what stands still or goes on elsewhere than in a damaged heap.
    assert!(!past("crash", "exec sleep 600", 3_600_000).1);
    assert!(!past("crash", "while :; do :; done", 300).1);
}

/// What checking a mark comes to, for a program that counts its runs in `$n`.
fn checked(marked: Status, program: &str) -> (Verdict, u32) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("runs");
    let bug = bug(
        "crash",
        &format!(
            "echo >> {0}; n=$(wc -l < {0}); {program}\nexec sleep $1",
            file.display()
        ),
    );
    // One run fills the first try, however slow the machine is.
    let time = Duration::from_millis(600);
    let budget = Budget {
        reproducible: time,
        fixed: time,
        run: time,
    };
    let mut seen = 0;
    let (verdict, summary) =
        regression::check(&shell("2.1"), &bug, marked, budget, |_| seen += 1).unwrap();
    assert!(summary.runs <= seen);
    (verdict, summary.hits)
}

const CRASH: &str = "kill -SEGV $$";

#[test]
fn marks_that_hold() {
    assert_eq!(checked(Status::Reproduced, CRASH), (Verdict::Holds, 1));
    assert_eq!(checked(Status::Fixed, ""), (Verdict::Holds, 0));
    // In vain until the longer second try.
    let late = format!("[ $n -gt 1 ] && {CRASH}");
    assert_eq!(checked(Status::Reproduced, &late), (Verdict::Holds, 1));
}

#[test]
fn wrong_marks_are_found_and_chance_is_not_taken_for_one() {
    let (verdict, hits) = checked(Status::Fixed, CRASH);
    assert!(matches!(verdict, Verdict::Regressed(_)), "{verdict:?}");
    assert_eq!(hits, 2);
    let (verdict, _) = checked(Status::Fixed, &format!("[ $n = 1 ] && {CRASH}"));
    assert!(matches!(verdict, Verdict::Unsure(_)), "{verdict:?}");
    let (verdict, _) = checked(Status::Reproduced, "");
    assert!(matches!(verdict, Verdict::Regressed(_)), "{verdict:?}");
}

#[test]
fn what_cannot_be_checked_is_said_to_be_so() {
    let (verdict, _) = checked(Status::Reproduced, "echo skip: no module; exit 77");
    assert!(matches!(verdict, Verdict::Skipped(_)), "{verdict:?}");
    let (verdict, _) = checked(Status::Fixed, "exit 3");
    assert!(
        matches!(&verdict, Verdict::Regressed(why) if why.contains("nothing is known")),
        "{verdict:?}"
    );
    // Once may be the machine's fault.
    let once = "[ $n = 1 ] && exit 3";
    assert_eq!(checked(Status::Fixed, once), (Verdict::Holds, 0));
    assert!(!regression::checkable(Some(Status::NotReproduced)) && !regression::checkable(None));
}

#[test]
fn the_short_run_takes_what_is_hardly_ever_missed() {
    let row = |stem: &str, status: Status, hits: u32, seconds: f64| {
        let mut bug = bug("crash", CRASH);
        bug.stem = stem.to_owned();
        bug.measured.push(bugs::Measured {
            vm: "shell 1.0".into(),
            status,
            hits,
            runs: hits.max(1),
            seconds,
            first_hit: 0.0,
            seen: String::new(),
        });
        bug
    };
    let all = [
        row("once", Status::Reproduced, 1, 0.1),
        row("slow", Status::Reproduced, 10, 200.0),
        row("third", Status::Reproduced, 10, 30.0),
        row("second", Status::Reproduced, 10, 20.0),
        row("first", Status::Reproduced, 5, 2.0),
        row("gone", Status::Fixed, 0, 5.0),
        row("unseen", Status::NotReproduced, 0, 5.0),
    ];
    assert_eq!(
        regression::quick(&all, "shell 1.0"),
        ["first", "second", "gone"]
    );
    assert!(regression::quick(&all, "shell 2.0").is_empty());
}

#[test]
fn the_plan_is_kept_and_rates_carry_intervals() {
    let hits = bug("crash", "kill -ABRT $$");
    let mut seen = 0;
    let summary = run::reproduce(&shell("1.0"), &hits, plan(2), |_| seen += 1).unwrap();
    assert_eq!(
        (summary.status, summary.hits, summary.runs, seen),
        (Status::Reproduced, 2, 2, 2)
    );
    assert!(
        summary.share.0 > 0.3 && summary.share.1 == 1.0,
        "{:?}",
        summary.share
    );
    assert!(summary.per_minute_interval.0 < summary.per_minute);
    assert!(
        summary.line().starts_with("reproduced: 2 of 2 runs hit"),
        "{}",
        summary.line()
    );

    let never = bug("crash", "sleep $1");
    let summary = run::reproduce(&shell("1.0"), &never, plan(2), |_| ()).unwrap();
    assert_eq!((summary.status, summary.hits), (Status::NotReproduced, 0));
    assert!(summary.runs >= 2);
    assert!(
        summary.line().starts_with("not reproduced in "),
        "{}",
        summary.line()
    );
    // The same on a version that is said to be without it.
    let summary = run::reproduce(&shell("2.1"), &never, plan(1), |_| ()).unwrap();
    assert_eq!(summary.status, Status::Fixed);
}

#[test]
fn a_failing_program_is_no_statement_about_the_bug() {
    let broken = bug("crash", "exit 3");
    let summary = run::reproduce(&shell("1.0"), &broken, plan(1), |_| ()).unwrap();
    assert_eq!((summary.runs, summary.hits), (0, 0));
    assert!(
        summary.line().starts_with("nothing is known"),
        "{}",
        summary.line()
    );
}

#[test]
fn measurements_are_written_into_the_file_and_read_again() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("shell")).unwrap();
    let mut bug = bug("crash", "kill -SEGV $$");
    let text = "repository = \"a/b\"\nnumber = \"1\"\ntitle = \"t\"\nvm = \"shell\"\ncategory = \"c\"\nnature = \"bug\"\n\
                affected = \"any\"\nfixed = \"2.0\"\nfailure = [\"crash\"]\nbuilds = [\"release\"]\nsource = \"s\"\n";
    std::fs::write(dir.path().join("shell/1-x.toml"), text).unwrap();
    std::fs::write(dir.path().join("shell/1-x.py"), &bug.program).unwrap();
    let summary = run::reproduce(&shell("1.0"), &bug, plan(1), |_| ()).unwrap();
    record::merge(&mut bug, summary.measured());
    record::write(dir.path(), &bug).unwrap();
    assert_eq!(bugs::load(dir.path()).unwrap(), [bug]);
}

#[test]
fn the_matrix_counts_what_the_rows_say() {
    let shipped = catalogue();
    let all: Vec<&Bug> = shipped.iter().collect();
    let matrix = Matrix::new(&all);
    for totals in matrix.totals() {
        let sum = totals.reproduced + totals.fixed + totals.not_reproduced + totals.not_applicable;
        assert_eq!(sum, totals.tried);
    }
    let html = matrix.html();
    assert!(html.contains("python/cpython#154130") && !html.contains("<script"));
    // What our hunts found has a command for a source, and no address.
    assert!(html.contains("<code>threadbare hunt") && !html.contains("href=\"threadbare"));
    assert!(matrix.text().lines().count() > all.len());
}

#[test]
fn the_catalogue_is_as_large_and_as_wide_as_the_reports() {
    let all = catalogue();
    assert!(all.len() >= 150, "{} bugs", all.len());
    for bug in &all {
        assert!(
            bug.program.contains(&bug.id()),
            "{}: the program does not name its bug",
            bug.stem
        );
        // Not a bug, but kept: the reader must learn why.
        if bug.nature == Nature::False {
            assert!(!bug.note.is_empty(), "{}", bug.id());
        }
        for m in &bug.measured {
            assert_eq!(
                m.hits > 0,
                m.status == Status::Reproduced,
                "{} on {}",
                bug.id(),
                m.vm
            );
        }
    }
}
