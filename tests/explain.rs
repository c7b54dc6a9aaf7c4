//! `threadbare explain`: the owner of an outcome, its interleaving, and a schedule given back.

use std::path::Path;
use std::process::{Command, Output};

fn scenario(prelude: &str, make: &str, threads: [&str; 2], observe: &str) -> String {
    let call = |code: &str| {
        format!(
            "[{{ code = \"{code}\", op = \"{code}\", form = \"get\", guarantee = \"silent\" }}]"
        )
    };
    format!(
        "make = \"{make}\"\nshapes = [\"stride\"]\nthreads = [{}, {}]\n\n[context]\nsubject = \"case\"\nprelude = '''\n{prelude}'''\n\
         observe = \"{observe}\"\nkeeps = false\ncallbacks = false\nsize = 100\n",
        call(threads[0]),
        call(threads[1])
    )
}

const COUNTER: &str = "\
class Counter(object):
    def __init__(self):
        self.n = 0

    def add(self, k):
        before = self.n
        self.n = before + k
";

fn explain(dir: &Path, text: &str, more: &[&str]) -> Output {
    let file = dir.join("scenario.toml");
    std::fs::write(&file, text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_threadbare"))
        .arg("explain")
        .arg(&file)
        .args(more)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_race_of_python_code_is_shown_and_its_schedule_repeats_it() {
    let dir = tempfile::tempdir().unwrap();
    let text = scenario(COUNTER, "Counter()", ["o.add(1)", "o.add(2)"], "o.n");
    let lost = "None | None | 1";
    let vm = ["--vm", "python3"];
    let output = explain(dir.path(), &text, &[&vm[..], &["--outcome", lost]].concat());
    let told = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    for words in [
        "owner: Python code",
        "interesting: an order of bytecodes gives the outcome",
        "before = self.n  # reads self.n: 0",
        "self.n = before + k  # writes self.n: 2",
    ] {
        assert!(told.contains(words), "{words}:\n{told}");
    }
    let schedule = told
        .split("schedule ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    let again = explain(
        dir.path(),
        &text,
        &[&vm[..], &["--schedule", schedule]].concat(),
    );
    let line = format!("{lost} in 10 of 10 executions");
    assert_eq!(again.status.code(), Some(0));
    assert!(stdout(&again).contains(&line), "{}", stdout(&again));
    let wrong = explain(
        dir.path(),
        &text,
        &[&vm[..], &["--schedule", "2:99 1:1"]].concat(),
    );
    assert_eq!(wrong.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("does not fit"));
}

#[test]
fn what_no_order_gives_is_the_vms() {
    let dir = tempfile::tempdir().unwrap();
    let text = scenario(
        "",
        "bytearray(b'ab')",
        ["o.append(99)", "o.append(100)"],
        "len(o)",
    );
    let more = [
        "--vm",
        "python3",
        "--outcome",
        "None | None | 3",
        "--format",
        "json",
    ];
    let output = explain(dir.path(), &text, &more);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(told["owner"], "vm-or-extension");
    assert_eq!(told["grade"], "forbidden");
    assert_eq!(told["answer"]["answer"], "not-reachable");
}

#[test]
fn without_an_outcome_or_vm_there_is_nothing_to_ask() {
    let dir = tempfile::tempdir().unwrap();
    let text = scenario("", "[]", ["o.append(1)", "o.append(2)"], "len(o)");
    assert_eq!(
        explain(dir.path(), &text, &["--vm", "python3"])
            .status
            .code(),
        Some(2)
    );
    assert_eq!(
        explain(dir.path(), &text, &["--deadlock"]).status.code(),
        Some(2)
    );
}

/// What no value is ever written as no order gives either: that is the one who typed it, not the VM.
#[test]
fn an_outcome_that_is_never_written_so_is_refused_with_what_is() {
    let dir = tempfile::tempdir().unwrap();
    let text = scenario("", "[]", ["o.append(1)", "tuple(o)"], "len(o)");
    for (typed, told) in [
        (
            "None | (1,) | 1",
            &[
                "a tuple of one is written (2)",
                "did you mean --outcome 'None | (1) | 1'?",
            ][..],
        ),
        (
            "None | (1)",
            &["it has 2 parts, and this scenario's outcomes have 3"],
        ),
    ] {
        let output = explain(dir.path(), &text, &["--vm", "python3", "--outcome", typed]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        for words in told
            .iter()
            .chain(&["a sequential order gives: None | (1) | 1"])
        {
            assert!(error.contains(words), "{words}:\n{error}");
        }
        assert_eq!(stdout(&output), "");
    }
    // An outcome that a person asks for need not have been seen: nobody is blamed for it outright.
    let asked = explain(
        dir.path(),
        &text,
        &["--vm", "python3", "--outcome", "None | (7) | 1"],
    );
    let told = stdout(&asked);
    assert!(told.contains("  if threads give it, "), "{told}");
}
