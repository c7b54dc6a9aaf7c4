//! The program as a user meets it: exit codes, messages, interruption, resuming.
//!
//! The VM is the machine's own `python3`; the embedded RustPython where it is built in.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn threadbare(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_threadbare"));
    command.args(args).env_remove("RUST_BACKTRACE");
    command
}

fn run(args: &[&str]) -> (i32, String, String) {
    text(threadbare(args).output().expect("the program starts"))
}

fn text(output: Output) -> (i32, String, String) {
    let utf8 = |bytes: Vec<u8>| String::from_utf8(bytes).expect("own output is UTF-8");
    (
        output.status.code().unwrap_or(-1),
        utf8(output.stdout),
        utf8(output.stderr),
    )
}

fn hunt_in(out: &Path, more: &[&str]) -> Vec<String> {
    let base = [
        "hunt",
        "--vm",
        "python3",
        "--no-callbacks",
        "--out",
        out.to_str().unwrap(),
    ];
    base.iter().chain(more).map(|s| (*s).to_owned()).collect()
}

fn state(out: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(out.join("hunt.json")).unwrap()).unwrap()
}

fn scenarios(out: &Path) -> u64 {
    state(out)["subjects"]
        .as_object()
        .unwrap()
        .values()
        .map(|t| t["scenarios"].as_u64().unwrap())
        .sum()
}

#[test]
fn what_is_wrong_with_the_call_gives_2_and_the_way_out() {
    assert_eq!(run(&["hunt", "--no-such-flag"]).0, 2);
    assert_eq!(run(&["hunt", "--time", "soon"]).0, 2);
    let (code, _, err) = run(&["hunt", "--subject", "no-such-type"]);
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("no subject matches 'no-such-type'") && err.contains("--list-subjects"),
        "{err}"
    );
    for (call, way_out) in [
        (&["bugs", "a/b#0"][..], "`threadbare bugs` lists them"),
        (
            &["bisect", "a/b#0", "--vm", "python3", "--vm", "python3"],
            "`threadbare bugs` lists them",
        ),
        (
            &["repro", "no-such-bug", "--vm", "python3"],
            "'no-such-bug' is no finding's folder: no bug",
        ),
        (&["probe", "no-such-probe"], "`threadbare probe --list`"),
        (&["probe", "--protocol", "none"], "there are:"),
        (&["check", "none"], "there are:"),
        (&["check", "gil", "--mutant", "none"], "it has:"),
    ] {
        let (code, out, err) = run(call);
        assert_eq!(code, 2, "{call:?}: {err}");
        assert_eq!(out, "", "{call:?}");
        assert!(err.contains(way_out), "{call:?}: {err}");
    }
}

#[test]
fn an_unfit_environment_gives_3_and_the_cause_once() {
    let (code, _, err) = run(&["hunt", "--vm", "no-such-python"]);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("no-such-python is not on PATH"), "{err}");
    let (code, _, err) = run(&["hunt", "--vm", "/bin/cat"]);
    assert_eq!(code, 3, "{err}");
    assert!(
        err.contains("did not run the harness as a Python file"),
        "{err}"
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    let below = file.path().join("out");
    let (code, _, err) = run(&["hunt", "--vm", "python3", "--out", below.to_str().unwrap()]);
    assert_eq!(code, 3, "{err}");
    assert_eq!(err.matches("Not a directory").count(), 1, "{err}");
    // The state of an earlier hunt that cannot be read is not begun anew over.
    let out = tempfile::tempdir().unwrap();
    std::fs::create_dir(out.path().join("hunt.json")).unwrap();
    let call = hunt_in(out.path(), &["--time", "1s"]);
    let (code, _, err) = run(&call.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(code, 3, "{err}");
    assert!(
        err.contains("hunt.json") && err.contains("Is a directory"),
        "{err}"
    );
    for (call, way_out) in [
        (
            &["bugs", "--catalogue", "no/such/folder"][..],
            "a folder of VM/NAME.toml",
        ),
        (&["bugs", "--attribute", "no-such-file"], ""),
        (
            &["report", "no/such/folder"],
            "`threadbare hunt --out` makes it",
        ),
        (
            &["repro", "/no/such/finding"],
            "`threadbare findings OUT` lists all",
        ),
    ] {
        let (code, _, err) = run(call);
        assert_eq!(code, 3, "{call:?}: {err}");
        assert!(
            err.contains("No such file") && err.contains(way_out),
            "{call:?}: {err}"
        );
    }
}

#[test]
fn subjects_are_listed_without_a_vm_unless_they_are_found_on_one() {
    let (code, out, _) = run(&["hunt", "--list-subjects"]);
    assert_eq!(code, 0);
    assert!(
        out.lines().count() > 100 && out.contains("bytearray"),
        "{out}"
    );
    // But a type's operations are found on one.
    let counter = ["--subject", "collections:Counter", "--vm", "python3"];
    let (code, out, err) = run(&[&["hunt", "--list-subjects"], &counter[..]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("collections:Counter "), "{out}");
}

#[test]
fn help_names_every_subcommand_and_the_exit_codes() {
    let (code, out, _) = run(&["--help"]);
    assert_eq!(code, 0);
    for word in [
        "hunt",
        "repro",
        "report",
        "vms",
        "rustpython",
        "130 interrupted",
    ] {
        assert!(out.contains(word), "{word} is missing in\n{out}");
    }
}

/// A control that must be able to fail: one thread, where every outcome is explained.
#[test]
fn one_thread_finds_nothing() {
    let out = tempfile::tempdir().unwrap();
    let subjects = [
        "list",
        "dict",
        "set",
        "bytearray",
        "deque",
        "array",
        "enumerate",
        "StringIO",
        "OrderedDict",
        "heapq",
    ];
    let mut args = hunt_in(
        out.path(),
        &[
            "--sequential",
            "--iterations",
            "80",
            "--scenario-ms",
            "20",
            "--time",
            "60s",
        ],
    );
    args.extend(
        subjects
            .iter()
            .flat_map(|s| ["--subject".to_owned(), (*s).to_owned()]),
    );
    let (code, stdout, err) = text(
        threadbare(&args.iter().map(String::as_str).collect::<Vec<_>>())
            .output()
            .unwrap(),
    );
    assert_eq!(code, 0, "{stdout}\n{err}");
    assert!(scenarios(out.path()) >= 80, "{stdout}");
    assert!(out.path().join("report.html").is_file());
}

#[test]
fn the_same_seed_runs_the_same_scenarios() {
    let run = |seed: &str| {
        let out = tempfile::tempdir().unwrap();
        let args = hunt_in(
            out.path(),
            &[
                "--seed",
                seed,
                "--iterations",
                "32",
                "--scenario-ms",
                "5",
                "--jobs",
                "1",
            ],
        );
        let (code, _, err) = text(
            threadbare(&args.iter().map(String::as_str).collect::<Vec<_>>())
                .output()
                .unwrap(),
        );
        assert!(code < 2, "{err}");
        let state = state(out.path());
        let next = |t: &serde_json::Value| t["next"].as_u64().unwrap();
        state["subjects"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(n, t)| (n.clone(), next(t)))
            .collect::<Vec<_>>()
    };
    assert_eq!(run("7"), run("7"));
    assert_ne!(run("7"), run("8"));
}

fn wait(child: &mut Child, until: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !until() {
        assert!(Instant::now() < deadline, "it did not get that far in time");
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn interrupted_once_it_saves_and_says_130_and_killed_hard_it_resumes() {
    let out = tempfile::tempdir().unwrap();
    let args = hunt_in(out.path(), &["--time", "120s", "--scenario-ms", "20"]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let start = || {
        threadbare(&args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let file = out.path().join("hunt.json");

    let mut child = start();
    wait(&mut child, || file.is_file());
    child.kill().unwrap();
    child.wait().unwrap();
    let before = scenarios(out.path());
    assert!(before > 0);

    let mut child = start();
    wait(&mut child, || scenarios(out.path()) > before);
    // SAFETY: a plain system call on a child that has not been waited for.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    let (code, stdout, err) = text(child.wait_with_output().unwrap());
    assert_eq!(code, 130, "{stdout}\n{err}");
    assert!(
        stdout.contains("report:") && err.contains("being saved"),
        "{stdout}\n{err}"
    );
    assert!(scenarios(out.path()) > before);

    let other: Vec<&str> = args.iter().copied().chain(["--seed", "99"]).collect();
    let (code, _, err) = run(&other);
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("--seed 1") && err.contains("another --out"),
        "{err}"
    );
}

#[cfg(feature = "rustpython")]
#[test]
fn the_embedded_rustpython_is_an_ordinary_python() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("program.py");
    std::fs::write(dir.path().join("beside.py"), "x = 42\n").unwrap();
    std::fs::write(
        &file,
        "import sys, beside, threading\nprint(sys.argv[1:], beside.x)\nsys.exit(7)\n",
    )
    .unwrap();
    let (code, out, err) = run(&["rustpython", file.to_str().unwrap(), "a", "--b"]);
    assert_eq!((code, out.trim()), (7, "['a', '--b'] 42"), "{err}");
}

/// A panic ends one Python thread only and would leave the process waiting; the child turns it
/// into an abort. This operation panics in one thread already on RustPython 0.5.0.
#[cfg(feature = "rustpython")]
#[test]
fn a_panic_of_the_embedded_vm_is_a_verdict_with_its_source_line() {
    let out = tempfile::tempdir().unwrap();
    let subject = out.path().join("panics.toml");
    let toml = "[[subject]]\nname = 'panics'\ndoc = 'd'\nmake = ['(lambda a, b: a)']\nfinal = 'None'\n\
                prelude = '''\ndef f(a=1, b=2):\n    return a\n'''\nsilent = ['do: f.__defaults__ = (1, 2, 3); f()']\n";
    std::fs::write(&subject, toml).unwrap();
    let (code, stdout, err) = run(&[
        "hunt",
        "--subject",
        subject.to_str().unwrap(),
        "--out",
        out.path().join("o").to_str().unwrap(),
        "--iterations",
        "4",
        "--time",
        "30s",
    ]);
    assert!(code == 1 || code == 4, "{stdout}\n{err}");
    assert!(
        format!("{stdout}{err}").contains("function.rs"),
        "{stdout}\n{err}"
    );
}

/// With feedback what was learned is kept, and the hunt is taken up with it or without.
#[test]
fn a_hunt_with_feedback_keeps_what_it_learned_and_goes_on() {
    let out = tempfile::tempdir().unwrap();
    let hunt = |way: &str| {
        let args = hunt_in(
            out.path(),
            &[
                "--subject",
                "list",
                "--time",
                "60s",
                "--iterations",
                "40",
                "--scenario-ms",
                "5",
                way,
            ],
        );
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        run(&args)
    };
    let (code, stdout, stderr) = hunt("--feedback");
    assert!(code <= 1, "{stderr}");
    assert!(
        stdout.contains("new failing places by source: "),
        "{stdout}"
    );
    let state_of = |key: &str| state(out.path())["subjects"]["list"][key].as_u64().unwrap();
    let before = state_of("scenarios");
    assert_eq!(before, 40);
    let kept = std::fs::read_to_string(out.path().join("search/corpus.jsonl")).unwrap();
    assert!(kept.lines().count() > 1, "{kept}");
    for way in ["--feedback", "--no-feedback"] {
        let (code, _, stderr) = hunt(way);
        assert!(code <= 1, "{stderr}");
    }
    assert_eq!(state_of("scenarios"), 3 * before);
}

/// A mutant's number is no seed's: another scenario must not run in its name.
#[test]
fn the_number_of_a_mutant_is_refused_with_the_way_to_its_scenario() {
    let (code, _, stderr) = run(&["hunt", "--subject", "list", "--only", "1099511627780"]);
    assert_eq!(code, 2);
    assert!(
        stderr.contains("threadbare repro") && stderr.contains("corpus.jsonl"),
        "{stderr}"
    );
}
