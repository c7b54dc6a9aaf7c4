//! What users read and run: a finding's script, by snapshot, and run on a real interpreter.

use std::path::Path;
use std::process::Command;
use threadbare_stress::choice::Seeded;
use threadbare_stress::finding::script::{Head, script};
use threadbare_stress::scenario::generate::{Limits, generate, nth};
use threadbare_stress::scenario::tuning::{Tuning, USUAL};
use threadbare_stress::scenario::{Scenario, Shape};
use threadbare_stress::subject::{builtin, parse};
use threadbare_stress::verdict::Kind;

fn head(kind: Kind) -> Head<'static> {
    Head {
        kind,
        vm: "cpython 3.13.5",
        detail: "what was seen",
        why: "why it must not be",
        gil: false,
        tuning: &USUAL,
    }
}

#[test]
fn scripts_of_a_list_scenario() {
    let list = builtin::select(&["list".to_owned()]).unwrap().remove(0);
    let mut scenario = generate(
        &list,
        Limits { threads: 2, ops: 1 },
        &mut Seeded::new(5, &[]),
    );
    scenario.shapes = vec![Shape::Stride];
    insta::assert_snapshot!("crash_in_strides", script(&scenario, &head(Kind::Crash)));
    insta::assert_snapshot!(
        "outcome_in_strides",
        script(&scenario, &head(Kind::Outcome))
    );
    scenario.shapes = vec![Shape::Slot];
    insta::assert_snapshot!("leak_in_the_slot", script(&scenario, &head(Kind::Leak)));
}

/// Scripts of every kind over many subjects run on a GIL build, where the race does not hit:
/// exit code 0 and the sentence that says so.
#[test]
fn scripts_run_and_say_that_they_did_not_hit() {
    let dir = tempfile::tempdir().unwrap();
    let mut ran = 0;
    for name in [
        "list",
        "dict",
        "set",
        "bytearray",
        "deque",
        "BytesIO",
        "enumerate",
        "array",
    ] {
        let subject = builtin::select(&[name.to_owned()]).unwrap().remove(0);
        // Numbers of small scenarios, no storms.
        for (k, shape, kind) in [
            (0, Shape::Slot, Kind::Crash),
            (2, Shape::Stride, Kind::Corrupt),
            (3, Shape::Stride, Kind::Leak),
        ] {
            let mut scenario = nth(&subject, 3, k, Limits::default());
            scenario.shapes = vec![shape];
            let text = script(
                &scenario,
                &Head {
                    gil: true,
                    ..head(kind)
                },
            );
            let (code, out) = run(dir.path(), &text);
            assert_eq!(code, Some(0), "{name} {kind}: {scenario}\n{out}\n{text}");
            assert!(out.contains("not hit in"), "{out}");
            ran += 1;
        }
    }
    assert_eq!(ran, 24);
}

/// A result that no two runs share is no race: such a slot is not compared.
#[test]
fn results_that_always_differ_are_not_compared() {
    let text = r#"
[[subject]]
name = "ticket"
doc = "a fixture"
requires = ["itertools"]
prelude = "NEXT = itertools.count().__next__\n"
make = ["[1]"]
final = "len(o)"
silent = ["NEXT()"]
"#;
    let subject = parse("a test", text).unwrap().remove(0);
    let mut scenario = generate(
        &subject,
        Limits { threads: 2, ops: 1 },
        &mut Seeded::new(1, &[]),
    );
    scenario.shapes = vec![Shape::Stride];
    let gil = Head {
        gil: true,
        ..head(Kind::Outcome)
    };
    let (code, out) = run(
        tempfile::tempdir().unwrap().path(),
        &script(&scenario, &gil),
    );
    assert_eq!(code, Some(0), "{out}");
}

fn run(dir: &Path, text: &str) -> (Option<i32>, String) {
    run_for(dir, text, "0.1")
}

/// Runs a script for so many seconds, if nothing ends it before.
fn run_for(dir: &Path, text: &str, seconds: &str) -> (Option<i32>, String) {
    let file = dir.join("repro.py");
    std::fs::write(&file, text).unwrap();
    let output = Command::new("python3")
        .arg(&file)
        .arg(seconds)
        .output()
        .expect("python3 is on PATH");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.code(), text)
}

/// A pair of operations of this subject, in this shape.
fn pair(subject: &str, shape: Shape) -> Scenario {
    let subject = parse("a test", subject).unwrap().remove(0);
    let limits = Limits { threads: 2, ops: 1 };
    let mut scenario = generate(&subject, limits, &mut Seeded::new(1, &[]));
    scenario.shapes = vec![shape];
    scenario
}

/// One thread runs the operation of the subject, which does what is written here where it is not the first.
fn beside(deed: &str, shape: Shape, kind: Kind, tuning: &Tuning, seconds: &str) -> String {
    let text = format!(
        "[[subject]]\nname = \"deed\"\ndoc = \"a fixture\"\nrequires = [\"os\", \"_thread\"]\nprelude = \"\"\"\n\
         MAIN = _thread.get_ident()\nDONE = []\ndef act(o):\n    if _thread.get_ident() == MAIN:\n        return 1\n    {deed}\n\
         def look(o):\n    return os.abort() if o[0] == 2 else 3\n\"\"\"\nmake = [\"[0]\"]\nfinal = \"look(o)\"\nsilent = [\"act(o)\"]\n"
    );
    let scenario = pair(&text, shape);
    let head = Head {
        gil: true,
        tuning,
        detail: "raised SystemError: seen",
        ..head(kind)
    };
    let dir = tempfile::tempdir().unwrap();
    run_for(dir.path(), &script(&scenario, &head), seconds).1
}

/// The same fault may end the process a moment after it showed as an error.
#[test]
fn an_alarm_is_told_before_the_process_dies() {
    let deed =
        "DONE.append(1)\n    if len(DONE) > 1:\n        os.abort()\n    raise SystemError('seen')";
    let of = |kind| beside(deed, Shape::Slot, kind, &USUAL, "60");
    let out = of(Kind::Internal);
    assert!(out.contains("hit: raised !SystemError: seen"), "{out}");
    assert!(out.contains("Fatal Python error: Aborted"), "{out}");
    let out = of(Kind::Crash);
    assert!(out.contains("other: raised !SystemError: seen"), "{out}");
    assert!(!out.contains("hit:"), "{out}");
}

#[test]
fn a_result_that_cannot_be_read_any_more_is_corrupt() {
    let deed = "t = Tok(1)\n    del t.n\n    return t";
    let of = |kind, seconds| beside(deed, Shape::Stride, kind, &USUAL, seconds);
    let (hit, other) = (of(Kind::Corrupt, "60"), of(Kind::Outcome, "3"));
    assert!(
        hit.contains("hit:       a table of results raised AttributeError"),
        "{hit}"
    );
    assert!(
        other.contains("other: check: a table of results raised AttributeError"),
        "{other}"
    );
    assert!(!other.contains("hit:"), "{other}");
}

#[test]
fn what_dies_of_a_look_is_looked_at() {
    let look = Tuning {
        look: true,
        ..Tuning::default()
    };
    let of = |tuning, seconds| beside("o[0] = 2", Shape::Stride, Kind::Crash, tuning, seconds);
    let (usual, looks) = (of(&USUAL, "0.5"), of(&look, "60"));
    assert!(usual.contains("not hit in"), "{usual}");
    assert!(looks.contains("Fatal Python error: Aborted"), "{looks}");
}

/// What one thread leaves behind, raises and breaks without another is no race, and its twin, which takes two, is.
#[test]
fn what_one_thread_does_too_is_no_hit() {
    let of = |code: &str, check: &str, shape, kind, seconds| {
        let text = format!(
            "[[subject]]\nname = \"alone\"\ndoc = \"a fixture\"\nrequires = [\"_thread\"]\nprelude = \"\"\"\n\
             MAIN = _thread.get_ident()\nKEPT = []\ndef bad():\n    raise SystemError('bad')\n\
             def other():\n    return _thread.get_ident() != MAIN\n\"\"\"\n\
             make = [\"[0]\"]\ncheck = \"{check}\"\nfinal = \"0\"\nflavours = [\"obj\"]\nsilent = [\"{code}\"]\n"
        );
        let scenario = pair(&text, shape);
        let head = Head {
            gil: true,
            detail: "raised SystemError: bad",
            ..head(kind)
        };
        let dir = tempfile::tempdir().unwrap();
        run_for(dir.path(), &script(&scenario, &head), seconds).1
    };
    let cases = [
        ("KEPT.append({v})", "True", Shape::Stride, Kind::Leak),
        ("o.append(1)", "len(o) == 1", Shape::Stride, Kind::Corrupt),
        ("bad()", "True", Shape::Slot, Kind::Internal),
    ];
    for (code, check, shape, kind) in cases {
        let hits = |out: &str| out.lines().any(|line| line.starts_with("hit: "));
        let out = of(code, check, shape, kind, "0.3");
        assert!(out.contains("not hit") && !hits(&out), "{kind}: {out}");
        let out = of(&format!("other() and {code}"), check, shape, kind, "60");
        assert!(hits(&out), "{kind}: {out}");
    }
}
