//! Probes: each reports the faults planted into it and is clean without them; ends are told apart.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use threadbare_stress::probe::run::{Attempt, Plan, Summary, attempt, repeat, unfit};
use threadbare_stress::probe::{Probe, keep, parse, shipped};
use threadbare_stress::program::Ended;
use threadbare_stress::verdict::Kind;
use threadbare_stress::vm::{Facts, Vm};

/// Longer and longer runs until one says what it must: a busy machine needs more time to meet
/// the fault, and none may decide the test.
fn until(
    vm: &Vm,
    probe: &Probe,
    fault: Option<&str>,
    enough: impl Fn(&Attempt) -> bool,
) -> Attempt {
    let mut last = None;
    for seconds in [0.2, 1.0, 5.0, 20.0] {
        let one = attempt(vm, probe, Duration::from_secs_f64(seconds), 1, fault).unwrap();
        if enough(&one) {
            return one;
        }
        last = Some(one);
    }
    last.unwrap()
}

/// What is wrong with a probe on this VM: a planted fault that it does not report, or an alarm
/// without one.
fn complaints(vm: &Vm, probe: &Probe) -> Vec<String> {
    let mut found = Vec::new();
    if unfit(probe, vm).is_none() {
        let clean = until(vm, probe, None, |a| {
            a.run.ended != Ended::Clean || a.run.checked().0 > 0
        });
        if !matches!(clean.run.ended, Ended::Clean if clean.run.checked().0 > 0) {
            found.push(format!("{}: {}", probe.name, clean.run.ended.line()));
        }
    }
    for fault in &probe.faults {
        let one = until(vm, probe, Some(fault), |a| a.run.ended != Ended::Clean);
        if one.run.ended.kind() != Some(Kind::Outcome) {
            found.push(format!(
                "{} with {fault}: {}",
                probe.name,
                one.run.ended.line()
            ));
        }
    }
    found
}

#[test]
fn every_probe_reports_its_faults_and_is_clean_without() {
    let vm = Vm::open("python3").expect("python3 is on PATH");
    // One that reads headers of another build is skipped, and its check is fed forged ones.
    let probes = shipped();
    let next = AtomicUsize::new(0);
    let found = std::thread::scope(|scope| {
        let worker = || {
            let mut found = Vec::new();
            // Relaxed: the counter deals out work and carries no data.
            while let Some(probe) = probes.get(next.fetch_add(1, Ordering::Relaxed)) {
                found.extend(complaints(&vm, probe));
            }
            found
        };
        let workers = [scope.spawn(worker), scope.spawn(worker)];
        workers.map(|w| w.join().unwrap()).concat()
    });
    assert!(found.is_empty(), "{found:#?}");
}

/// A fault is planted into what a probe looks at, never into the condition.
#[test]
fn no_fault_goes_around_the_check() {
    for probe in shipped() {
        let around = probe.program.lines().find(|l| l.contains(" or FAULT"));
        assert_eq!(around, None, "{}", probe.name);
    }
}

/// Without us: the kit comes from its file beside the folders.
#[test]
fn a_probe_runs_with_plain_python() {
    let run = |fault: &[&str]| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("probes/biased/foreign-drop.py");
        let mut python = std::process::Command::new("python3");
        python.arg(file).args(["0.2", "1"]).args(fault);
        python.env("PYTHONDONTWRITEBYTECODE", "1");
        let output = python.output().expect("python3 is on PATH");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("checked: "), "{text}");
        output.status.code()
    };
    assert_eq!(run(&[]), Some(0));
    assert_eq!(run(&["leak"]), Some(1));
}

/// A VM that runs shell scripts, without the inspection that only a Python passes.
fn shell() -> Vm {
    let mut vm = Vm::find("sh").unwrap();
    vm.facts = Facts {
        implementation: "shell".into(),
        version: "1.0".into(),
        gil_claimed: Some(false),
        modules: vec!["threading".into()],
        ..Facts::default()
    };
    vm
}

fn probe(needs: &str, script: &str) -> Probe {
    let head = format!(
        "# /// probe\n# title = \"t\"\n# properties = [\"B1\"]\n# mutants = []\n# needs = [{needs}]\n\
         # faults = [\"f\"]\n# ///\n"
    );
    parse("biased/x", &(head + script)).unwrap()
}

fn plan(seconds: f64) -> Plan {
    Plan {
        total: Duration::from_secs_f64(seconds),
        run: Duration::from_secs_f64(0.3),
        seed: 7,
    }
}

fn result(needs: &str, script: &str) -> (Summary, Vec<Attempt>) {
    let mut runs = Vec::new();
    let got = repeat(&shell(), &probe(needs, script), plan(0.1), |a| {
        runs.push(a.clone())
    });
    (got.unwrap(), runs)
}

#[test]
fn passed_failed_vacuous_and_skipped_are_four_things() {
    let (passed, _) = result("", "echo 'checked: 5 things (seed 7)'");
    assert!(passed.passed > 0 && passed.count.hits + passed.vacuous == 0);
    assert!(passed.line().contains("last: things"), "{}", passed.line());

    let (vacuous, _) = result("", "echo 'checked: 0 things (seed 7)'");
    assert!(vacuous.passed == 0 && vacuous.vacuous > 0 && !vacuous.conclusive());
    assert!(vacuous.line().starts_with("nothing was checked"));

    let (skipped, _) = result("", "echo 'skip: no such thing'; exit 77");
    assert_eq!(
        (skipped.count.runs, skipped.line().as_str()),
        (0, "skipped: no such thing")
    );
    for (needs, why) in [
        ("\"ctypes\"", "no module ctypes"),
        ("\"gil\"", "this VM has no GIL"),
    ] {
        let (skipped, runs) = result(needs, "exit 1");
        assert_eq!(skipped.skipped.as_deref(), Some(why));
        assert!(runs.is_empty() && !skipped.conclusive());
    }
    assert_eq!(
        result("\"no-gil\", \"threading\", \"shared-containers\"", "")
            .0
            .skipped,
        None
    );
}

#[test]
fn a_hit_is_what_the_probe_says_or_an_end_that_it_names() {
    let crash = "kill -SEGV $$";
    let panic = "echo \"thread 'x' panicked at a.rs:1:2:\" >&2; echo why >&2; exit 101";
    let fatal = "echo 'Fatal Python error: f: why' >&2; kill -ABRT $$";
    let wrong = "echo 'hit: B1: 2 is 3'; exit 1";
    for (script, kind, hits) in [
        (wrong, Kind::Outcome, [true, true, true]),
        (crash, Kind::Crash, [false, true, false]),
        (fatal, Kind::Fatal, [false, true, false]),
        (panic, Kind::Panic, [false, false, false]),
    ] {
        for (ends, hit) in [vec![], vec![Kind::Crash], vec![Kind::Hang]]
            .into_iter()
            .zip(hits)
        {
            let asked = Probe {
                ends,
                ..probe("", script)
            };
            let summary = repeat(&shell(), &asked, plan(0.1), |a| {
                assert_eq!(a.failure(), Some(kind), "{script}");
            })
            .unwrap();
            let (count, line) = (&summary.count, summary.line());
            assert!(count.runs > 0 && count.hits + count.others == count.runs);
            assert_eq!(count.hits > 0, hit, "{script} {:?}", asked.ends);
            let says = if hit {
                "FAILED: "
            } else {
                "FAILED in another way than it looks for, no hit: "
            };
            assert!(line.starts_with(says), "{line}");
        }
    }
}

/// One run hits, the next dies otherwise: neither is lost in the other.
#[test]
fn hits_and_other_failures_are_told_apart() {
    let script = "[ $2 = 7 ] && kill -SEGV $$; echo 'hit: B1: 2 is 3'; exit 1";
    let summary = repeat(&shell(), &probe("", script), plan(1.0), |_| {}).unwrap();
    let line = summary.line();
    assert!(summary.count.others == 1 && summary.count.hits > 0);
    assert!(
        line.contains("; seed 8: wrong: ") && line.contains("; 1 failed in another way, seed 7: "),
        "{line}"
    );
}

/// A VM that cannot even start a program says nothing of what the program looks for.
#[test]
fn what_ends_before_the_program_begins_is_no_hit() {
    for (begins, hits) in [("", false), ("echo begun; ", true)] {
        let script = format!("{begins}kill -SEGV $$ # print(\"begun\")");
        let asked = Probe {
            ends: vec![Kind::Crash],
            ..probe("", &script)
        };
        let summary = repeat(&shell(), &asked, plan(0.1), |_| {}).unwrap();
        assert_eq!(summary.count.hits > 0, hits, "{}", summary.line());
        assert_eq!(summary.count.others > 0, !hits, "{}", summary.line());
    }
}

/// It must be looked at, so it is no pass; and it says nothing of the VM, so it is no hit.
#[test]
fn a_probe_that_fails_by_itself_neither_passes_nor_hits() {
    let (summary, runs) = result("", "echo NameError >&2; exit 1");
    assert_eq!(runs[0].failure(), Some(Kind::Exit));
    let count = &summary.count;
    assert!(count.hits == 0 && count.others == count.runs && count.others > 0);
    assert!(summary.passed == 0 && summary.conclusive());
    let line = summary.line();
    assert!(
        line.starts_with("FAILED in another way") && line.ends_with("exit code 1: NameError"),
        "{line}"
    );
}

#[test]
fn what_somebody_else_ended_neither_passes_nor_fails() {
    let (summary, runs) = result("", "kill -KILL $$");
    assert_eq!(runs[0].failure(), None);
    assert!(summary.count.runs == 0 && summary.passed == 0 && !summary.conclusive());
}

#[test]
fn each_run_has_the_next_seed_and_is_told_its_time() {
    let (summary, runs) = {
        let mut runs = Vec::new();
        let script = "sleep $1; echo \"checked: $2 seeds (seed $2)\"";
        let got = repeat(&shell(), &probe("", script), plan(1.0), |a| {
            runs.push(a.clone())
        });
        (got.unwrap(), runs)
    };
    let seeds: Vec<u64> = runs.iter().map(|a| a.run.checked().0).collect();
    assert_eq!(
        seeds,
        (7..7 + u64::from(summary.count.runs)).collect::<Vec<_>>()
    );
    assert!(summary.count.runs >= 2, "{summary:?}");
}

#[test]
fn a_failure_is_kept_once_with_the_command_that_repeats_it() {
    let out = tempfile::tempdir().unwrap();
    let (vm, probe) = (shell(), probe("", "echo 'hit: B1: 2 is 3'; exit 1"));
    let one = attempt(&vm, &probe, Duration::from_secs(1), 7, None).unwrap();
    let kind = one.failure().unwrap();
    let (folder, new) = keep::save(out.path(), &vm, &probe, &one, kind).unwrap();
    assert!(new && !keep::save(out.path(), &vm, &probe, &one, kind).unwrap().1);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("probe.py"), probe.program);
    assert!(read("output.txt").starts_with("hit: B1"));
    let record: serde_json::Value = serde_json::from_str(&read("failure.json")).unwrap();
    assert_eq!(
        record["replay"],
        "threadbare probe biased/x --vm sh --seed 7 --time 1s --run 1s"
    );
    assert_eq!(
        (&record["seed"], &record["kind"]),
        (&7.into(), &"outcome".into())
    );
    assert!(keep::save(Path::new("/proc"), &vm, &probe, &one, kind).is_err());
}

/// A benign report of the thread sanitizer is no failure of the probe: its exit code is its own.
#[test]
fn a_sanitizers_exit_code_is_not_the_probes() {
    let fixture = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/exits-as-told.sh"
    );
    let mut vm = Vm::find(fixture).unwrap();
    vm.facts.sanitizers = vec!["thread".to_owned()];
    let probe = &shipped()[0];
    let one = attempt(&vm, probe, Duration::from_secs(1), 1, None).unwrap();
    assert_eq!((&one.run.ended, one.run.checked().0), (&Ended::Clean, 5));
    // As the hunt asks for it, the code would be the sanitizer's: the fixture can tell.
    let status = vm.command(Path::new("probe.py")).status().unwrap();
    assert_eq!(status.code(), Some(threadbare_stress::vm::sanitizers::EXIT));
}
