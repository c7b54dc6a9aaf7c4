//! Known bugs: the engine on scripts that pose as a VM, and the catalogue.

use std::path::Path;
use std::time::Duration;
use threadbare_stress::bugs::matrix::Matrix;
use threadbare_stress::bugs::regression::{self, Budget};
use threadbare_stress::bugs::run::{self, Grace, Plan};
use threadbare_stress::bugs::{self, Bug, Failure, Nature, Status, record, signature, status};
use threadbare_stress::program::{self, Ended};
use threadbare_stress::verdict::{Kind, Verdict};
use threadbare_stress::vm::child::Limits;
use threadbare_stress::vm::{Facts, Vm};

/// A bug of the fixture VM, which is a shell: its program is a shell script.
fn bug(failure: &str, program: &str) -> Bug {
    known_by(
        r#"text = ["SIGSEGV", "SIGABRT", "1 is 2", "no progress"]
           frames = [["next"]]"#,
        failure,
        program,
    )
}

/// [`bug`] with this signature.
fn known_by(signature: &str, failure: &str, program: &str) -> Bug {
    let text = format!(
        "repository = \"a/b\"\nnumber = \"1\"\ntitle = \"t\"\nvm = \"shell\"\ncategory = \"c\"\nnature = \"bug\"\n\
         affected = \"any\"\nfixed = \"2.0\"\nfixed_in = [\"2.0\"]\nfailure = [\"{failure}\"]\nbuilds = [\"release\"]\nsource = \"s\"\n\
         no_fault = \"a shell\"\n\n[signature]\n{signature}\n"
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

fn failed(kind: Kind, detail: &str) -> Ended {
    Ended::Failed(Verdict::new(kind, detail.to_owned()))
}

fn ended(failure: &str, program: &str) -> (Ended, bool) {
    let bug = bug(failure, program);
    let attempt = run::attempt(&shell("1.0"), &bug, Duration::from_secs(1)).unwrap();
    (attempt.run.ended, attempt.hit)
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
        (failed(Kind::Crash, "SIGSEGV"), true)
    );
    // A crash is not what a bug of wrong results is known for.
    assert!(!ended("wrong", "kill -SEGV $$").1);
    assert_eq!(
        ended("wrong", "echo hit: 1 is 2; exit 1"),
        (failed(Kind::Outcome, "1 is 2"), true)
    );
    assert_eq!(
        ended("wrong", "echo skip: no such module; exit 77"),
        (Ended::Skip("no such module".into()), false)
    );
    let (broken, hit) = ended("crash", "echo NameError >&2; exit 1");
    assert!(matches!(broken, Ended::Broken(why) if why.contains("NameError")) && !hit);
    // Words are the same at many places of a VM: a panic is known by its functions.
    for (function, known) in [("next", true), ("extend", false)] {
        let panic = format!(
            "cat >&2 <<'END'\nthread 'x' panicked at vm/src/a.rs:1:2:\nindex out of bounds\nstack backtrace:\n   \
             0: {function}\n             at vm/src/a.rs:1:2\nEND\nexit 101"
        );
        let (ended, hit) = ended("panic", &panic);
        assert_eq!((ended.kind(), hit), (Some(Kind::Panic), known));
    }
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
        (attempt.run.ended, attempt.hit)
    };
    let slow = "i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done";
    for failure in ["crash", "hang"] {
        assert_eq!(past(failure, slow, 60_000), (Ended::Clean, false));
    }
    let (asleep, hit) = past("hang", "exec sleep 600", 3_600_000);
    assert!(asleep.kind() == Some(Kind::Hang) && hit, "{asleep:?}");
    let (spins, hit) = past("hang", "while :; do :; done", 300);
    assert!(spins.kind() == Some(Kind::Hang) && hit, "{spins:?}");
    // Nor is a crash, what stands still or goes on elsewhere than in a damaged heap.
    assert!(!past("crash", "exec sleep 600", 3_600_000).1);
    assert!(!past("crash", "while :; do :; done", 300).1);
}

/// What checking a mark comes to, for a program that counts its runs in `$n`.
fn checked(marked: Status, program: &str) -> (regression::Verdict, u32) {
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
    assert!(summary.count.runs <= seen);
    (verdict, summary.count.hits)
}

const CRASH: &str = "kill -SEGV $$";

#[test]
fn marks_that_hold() {
    assert_eq!(
        checked(Status::Reproduced, CRASH),
        (regression::Verdict::Holds, 1)
    );
    assert_eq!(checked(Status::Fixed, ""), (regression::Verdict::Holds, 0));
    // In vain until the longer second try.
    let late = format!("[ $n -gt 1 ] && {CRASH}");
    assert_eq!(
        checked(Status::Reproduced, &late),
        (regression::Verdict::Holds, 1)
    );
}

#[test]
fn wrong_marks_are_found_and_chance_is_not_taken_for_one() {
    // Another failure than the marked one is no proof of it.
    let (verdict, _) = checked(Status::Reproduced, "kill -ILL $$");
    assert!(
        matches!(&verdict, regression::Verdict::Regressed(why) if why.contains("SIGILL")),
        "{verdict:?}"
    );
    let (verdict, _) = checked(Status::Fixed, "kill -ILL $$");
    assert!(
        matches!(verdict, regression::Verdict::Unsure(_)),
        "{verdict:?}"
    );
    let (verdict, hits) = checked(Status::Fixed, CRASH);
    assert!(
        matches!(verdict, regression::Verdict::Regressed(_)),
        "{verdict:?}"
    );
    assert_eq!(hits, 2);
    let (verdict, _) = checked(Status::Fixed, &format!("[ $n = 1 ] && {CRASH}"));
    assert!(
        matches!(verdict, regression::Verdict::Unsure(_)),
        "{verdict:?}"
    );
    let (verdict, _) = checked(Status::Reproduced, "");
    assert!(
        matches!(verdict, regression::Verdict::Regressed(_)),
        "{verdict:?}"
    );
}

#[test]
fn what_cannot_be_checked_is_said_to_be_so() {
    let (verdict, _) = checked(Status::Reproduced, "echo skip: no module; exit 77");
    assert!(
        matches!(verdict, regression::Verdict::Skipped(_)),
        "{verdict:?}"
    );
    let (verdict, _) = checked(Status::Fixed, "exit 3");
    assert!(
        matches!(&verdict, regression::Verdict::Regressed(why) if why.contains("nothing is known")),
        "{verdict:?}"
    );
    // Once may be the machine's fault.
    let once = "[ $n = 1 ] && exit 3";
    assert_eq!(
        checked(Status::Fixed, once),
        (regression::Verdict::Holds, 0)
    );
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
            program: String::new(),
            others: 0,
            first_hit: 0.0,
            seen: String::new(),
            otherwise: String::new(),
            races: Vec::new(),
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
        (summary.status, summary.count.hits, summary.count.runs, seen),
        (Status::Reproduced, 2, 2, 2)
    );
    assert!(
        summary.count.share.0 > 0.3 && summary.count.share.1 == 1.0,
        "{:?}",
        summary.count.share
    );
    assert!(summary.count.per_minute_interval.0 < summary.count.per_minute);
    assert!(
        summary.line().starts_with("reproduced: 2 of 2 runs hit"),
        "{}",
        summary.line()
    );

    let never = bug("crash", "sleep $1");
    let summary = run::reproduce(&shell("1.0"), &never, plan(2), |_| ()).unwrap();
    assert_eq!(
        (summary.status, summary.count.hits),
        (Status::NotReproduced, 0)
    );
    assert!(summary.count.runs >= 2);
    assert!(
        summary.line().starts_with("not reproduced in "),
        "{}",
        summary.line()
    );
    // The same on a version that is said to be without it.
    let summary = run::reproduce(&shell("2.1"), &never, plan(1), |_| ()).unwrap();
    assert_eq!(summary.status, Status::Unproven);
}

#[test]
fn what_fails_otherwise_is_counted_apart_and_is_no_hit() {
    let elsewhere = known_by("text = [\"SIGFPE in pop\"]", "crash", "kill -SEGV $$");
    let summary = run::reproduce(&shell("1.0"), &elsewhere, plan(1), |_| ()).unwrap();
    assert_eq!(summary.status, Status::ReproducedOtherwise);
    assert!(summary.count.hits == 0 && summary.count.others == summary.count.runs);
    assert!(
        summary.line().contains("not in its signature") && summary.line().contains("SIGSEGV"),
        "{}",
        summary.line()
    );
    let one = known_by("text = [\"3 is 4\"]", "wrong", "echo hit: 1 is 2; exit 1");
    let summary = run::reproduce(&shell("1.0"), &one, plan(1), |_| ()).unwrap();
    assert_eq!(
        (summary.count.hits, summary.status),
        (0, Status::ReproducedOtherwise)
    );
    // As of a bug that cannot be told from others.
    let none = known_by("none = \"a damaged heap\"", "crash", "kill -SEGV $$");
    let summary = run::reproduce(&shell("1.0"), &none, plan(1), |_| ()).unwrap();
    assert_eq!(summary.status, Status::ReproducedOtherwise);
}

#[test]
fn what_ends_a_program_from_outside_is_no_failure_of_it() {
    for signal in ["KILL", "TERM", "USR1", "XCPU", "ALRM", "PIPE", "XFSZ"] {
        let killed = known_by("text = [\"SIG\"]", "crash", &format!("kill -{signal} $$"));
        let attempt = run::attempt(&shell("1.0"), &killed, Duration::from_secs(1)).unwrap();
        assert!(
            !attempt.hit && matches!(attempt.run.ended, Ended::Outside(_)),
            "{:?}",
            attempt.run.ended
        );
        // Behind a launcher that waits for it, too.
        let behind = format!("sh -c 'kill -{signal} $$'; exit $?");
        for (marked, program) in [
            (Status::Reproduced, format!("kill -{signal} $$")),
            (Status::Fixed, behind),
        ] {
            let (verdict, _) = checked(marked, &program);
            assert!(
                matches!(&verdict, regression::Verdict::Skipped(why) if why.contains("nothing is known")),
                "{verdict:?}"
            );
        }
    }
}

/// The kit's `children` with a child that dies of this signal.
fn with_a_child(signal: &str) -> Ended {
    let kit = include_str!("../bugs/kit.py");
    let child = format!("import os, signal; os.kill(os.getpid(), signal.{signal})");
    let file = program::File::new("bug", &format!("{kit}\nchildren({child:?})\n")).unwrap();
    let vm = Vm::find("python3").unwrap();
    let mut command = program::command(&vm, file.path(), Duration::from_secs(20));
    program::run(&vm, &mut command, Limits::default())
        .unwrap()
        .ended
}

#[test]
fn a_child_that_somebody_else_ended_is_no_failure_of_its_program() {
    for signal in ["SIGKILL", "SIGTERM", "SIGXCPU"] {
        let ended = with_a_child(signal);
        assert!(
            matches!(&ended, Ended::Outside(who) if who.starts_with(signal)),
            "{ended:?}"
        );
    }
    let ended = with_a_child("SIGSEGV");
    assert_eq!(ended.line(), "wrong: the process died of signal 11");
}

#[test]
fn a_failing_program_is_no_statement_about_the_bug() {
    let broken = bug("crash", "exit 3");
    let summary = run::reproduce(&shell("1.0"), &broken, plan(1), |_| ()).unwrap();
    assert_eq!((summary.count.runs, summary.count.hits), (0, 0));
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
    // A file stands for what the versions differ in.
    let faulty = dir.path().join("faulty");
    std::fs::write(&faulty, "").unwrap();
    let program = format!("[ -e {} ] && kill -SEGV $$; sleep $1", faulty.display());
    let mut bug = bug("crash", &program);
    let text = "repository = \"a/b\"\nnumber = \"1\"\ntitle = \"t\"\nvm = \"shell\"\ncategory = \"c\"\nnature = \"bug\"\n\
                affected = \"any\"\nfixed = \"2.0\"\nfixed_in = [\"2.0\"]\nfailure = [\"crash\"]\nbuilds = [\"release\"]\nsource = \"s\"\n\
                no_fault = \"a shell\"\n\n[signature]\ntext = [\"SIGSEGV\"]\n";
    std::fs::write(dir.path().join("shell/1-x.toml"), text).unwrap();
    std::fs::write(dir.path().join("shell/1-x.py"), &bug.program).unwrap();
    bug.signature.text = vec!["SIGSEGV".into()];
    let other = bug.clone();
    for (vm, bug) in [("1.0", &mut bug), ("1.1", &mut other.clone())] {
        let summary = run::reproduce(&shell(vm), bug, plan(1), |_| ()).unwrap();
        record::add(dir.path(), bug, summary.measured()).unwrap();
    }
    // The second run did not know of the first and keeps what it wrote.
    let read = bugs::load(dir.path()).unwrap().remove(0);
    let on = |vm| read.measured_on(vm).map(|m| (m.status, m.hits));
    assert_eq!(on("shell 1.0"), Some((Status::Reproduced, 1)));
    assert_eq!(on("shell 1.1"), on("shell 1.0"));
    // A version that is said to have the fix, and does not show it, is fixed: the same program showed it.
    std::fs::remove_file(&faulty).unwrap();
    let summary = run::reproduce(&shell("2.1"), &bug, plan(1), |_| ()).unwrap();
    record::add(dir.path(), &mut bug, summary.measured()).unwrap();
    let read = bugs::load(dir.path()).unwrap().remove(0);
    assert_eq!(read.measured_on("shell 2.1").unwrap().status, Status::Fixed);
    // Another program never showed anything.
    bug.program = "sleep $1".into();
    let summary = run::reproduce(&shell("2.2"), &bug, plan(1), |_| ()).unwrap();
    assert_eq!(summary.status, Status::Unproven);
}

#[test]
fn the_matrix_counts_what_the_rows_say() {
    let shipped = catalogue();
    let all: Vec<&Bug> = shipped.iter().collect();
    let matrix = Matrix::new(&all);
    for totals in matrix.totals() {
        let counted = totals.reproduced + totals.otherwise + totals.fixed + totals.not_reproduced;
        let uncounted = totals.unproven + totals.not_applicable + totals.before_signatures;
        assert_eq!(counted + uncounted, totals.tried);
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
                m.status,
                status::decide(bug, m),
                "{} on {}: written by hand?",
                bug.id(),
                m.vm
            );
            assert!(m.first_hit.is_sign_positive(), "{} on {}", bug.id(), m.vm);
        }
    }
}

/// A bug that is unproven on a VM, or was not measured there since signatures decide, counts nowhere.
#[test]
fn what_nothing_shows_is_counted_as_nothing() {
    let mut unproven = bug("crash", "sleep $1");
    for (vm, status, hits) in [
        ("shell 2.1", Status::Unproven, 0),
        ("shell 2.2", Status::BeforeSignatures, 5),
    ] {
        unproven.measured.push(bugs::Measured {
            vm: vm.into(),
            status,
            hits,
            others: 0,
            runs: 5,
            seconds: 1.0,
            program: String::new(),
            first_hit: 0.1,
            seen: String::new(),
            otherwise: String::new(),
            races: Vec::new(),
        });
    }
    status::settle(&mut unproven);
    assert_eq!(unproven.measured[0].status, Status::Unproven);
    assert_eq!(unproven.measured[1].status, Status::BeforeSignatures);
    let matrix = Matrix::new(&[&unproven]);
    assert_eq!(
        matrix.markdown().lines().count(),
        2,
        "{}",
        matrix.markdown()
    );
    for m in &unproven.measured {
        assert!(!regression::checkable(Some(m.status)));
        let all = std::slice::from_ref(&unproven);
        assert!(regression::quick(all, &m.vm).is_empty());
    }
}

/// What a process says that any fault may end, and what a program says of any exception.
const SAID_BY_ANY: [&str; 8] = [
    "wrong: the process died of signal 11",
    "wrong: the process did not end in 8 s",
    "SIGSEGV",
    "SIGABRT: free(): invalid pointer",
    "Fatal Python error: Segmentation fault",
    "hang: no progress: 1 threads running, 0 sleeping",
    "vm/src/frame.rs:1: called `Result::unwrap()` on an `Err` value: KeyError",
    "vm/src/vm/mod.rs:1: index out of bounds: the len is 1 but the index is 1",
];

/// Words that are taken for the bug and that any fault can print.
fn said_by_any_fault(bug: &Bug) -> Vec<&'static str> {
    let taken = |words: &&str| {
        let shown = |failure| signature::Shown {
            failure: Some(failure),
            words: (*words).to_owned(),
            ..Default::default()
        };
        let mut ways = bug.failure.iter().chain([&Failure::Wrong]);
        ways.any(|f| signature::matched(bug, &shown(*f)).is_some())
    };
    SAID_BY_ANY.into_iter().filter(|w| taken(w)).collect()
}

#[test]
fn words_that_any_fault_prints_are_no_signature() {
    let said = |text: &str| {
        let bug = known_by(&format!("text = [\"{text}\"]"), "crash", "");
        said_by_any_fault(&bug).len()
    };
    assert_eq!(said("a value from nowhere"), 0);
    for wide in [
        "SIG",
        "the process died of signal",
        "no progress",
        "KeyError",
        "…",
    ] {
        assert!(said(wide) > 0, "{wide}");
    }
}

/// Signatures name what is the bug's own: no function that every stack passes through, no words that any
/// failure prints, and nothing that another bug is known by as well, unless both say so.
#[test]
fn signatures_are_the_bugs_own() {
    let all = catalogue();
    for bug in &all {
        let (id, signature) = (bug.id(), &bug.signature);
        let nothing = signature::telling_nothing(signature);
        assert!(nothing.is_empty(), "{id}: {nothing:?} tell nothing");
        let said = said_by_any_fault(bug);
        assert!(said.is_empty(), "{id}: any failure says {said:?}");
        let panics = bug.failure == [Failure::Panic];
        assert!(
            !panics || signature.text.is_empty(),
            "{id}: words tell no panic"
        );
        let dies = bug.failure.iter().any(|f| !matches!(f, Failure::Race));
        assert!(
            signature.frames.is_empty() || dies,
            "{id}: frames of what does not die"
        );
    }
    let mut shared = Vec::new();
    for (i, a) in all.iter().enumerate() {
        for b in all[..i].iter().filter(|b| b.vm == a.vm) {
            let said = a.same.contains(&b.id()) || b.same.contains(&a.id());
            if !said && signature::meet(a, b) {
                shared.push((a.id(), b.id()));
            }
        }
    }
    assert!(shared.is_empty(), "one stack or race is both: {shared:#?}");
}

/// A pair of a race is confirmed by the measurement that shows it, and by nothing else.
#[test]
fn pairs_of_races_are_marked_as_what_they_are() {
    let mut confirmed = 0;
    for bug in catalogue() {
        // Rows of before pairs were kept tell one in words.
        let in_words = |row: &bugs::Measured, [a, b]: &[String; 2]| {
            [
                format!("data race: {a} against {b}"),
                format!("data race: {b} against {a}"),
            ]
            .contains(&row.seen)
        };
        let shown = |pair: &[String; 2]| {
            bug.measured.iter().any(|row| {
                let told =
                    |seen: &[String; 2]| seen == pair || seen[0] == pair[1] && seen[1] == pair[0];
                row.hits > 0 && (row.races.iter().any(told) || in_words(row, pair))
            })
        };
        for pair in &bug.signature.race {
            assert!(
                shown(pair),
                "{}: no run showed {pair:?}, so it is unconfirmed",
                bug.id()
            );
            confirmed += 1;
        }
        for pair in &bug.signature.unconfirmed {
            assert!(
                !shown(pair),
                "{}: a run showed {pair:?}: it belongs to `race`",
                bug.id()
            );
        }
    }
    assert!(confirmed > 30, "{confirmed}");
}
