//! One identity of a failure, on real processes: what a dying interpreter prints names the operations,
//! and what somebody else does to it is no failure.

use threadbare_stress::campaign::process::{Judged, judge};
use threadbare_stress::finding::Other;
use threadbare_stress::identity::{Failure, Same, same};
use threadbare_stress::scenario::render::source;
use threadbare_stress::scenario::{Call, Scenario, Shape};
use threadbare_stress::subject::{Form, Guarantee, parse};
use threadbare_stress::verdict::Kind;
use threadbare_stress::vm::Vm;
use threadbare_stress::vm::job::run_file;

const SUBJECT: &str = r#"
[[subject]]
name = "dying"
doc = "a fixture"
requires = ["os", "signal", "threading", "time"]
prelude = "BOTH = threading.Barrier(2)\n"
make = ["[]"]
final = "len(o)"
silent = ["o.append({v})", "o.pop()", "o.clear()", "time.sleep(60)", "BOTH.wait()", "signal.raise_signal(signal.SIGSEGV)", "os.kill(os.getpid(), signal.SIGKILL)"]
"#;

/// A scenario of these operations, thread by thread, on the shared slot.
fn scenario(threads: &[&[&str]]) -> Scenario {
    let subject = &parse("a test", SUBJECT).unwrap()[0];
    let call = |code: &&str| Call {
        code: (*code).to_owned(),
        op: (*code).to_owned(),
        form: Form::Run,
        guarantee: Guarantee::Silent,
        raises: None,
    };
    let threads = threads.iter().map(|t| t.iter().map(call).collect());
    let mut scenario = Scenario::new(subject, "[]".to_owned(), threads.collect());
    scenario.shapes = vec![Shape::Slot];
    scenario
}

const DIE: &str = "signal.raise_signal(signal.SIGSEGV)";

/// What a process shows that runs the scenario's slot threads as the harness does.
fn judged(scenario: &Scenario) -> Vec<Judged> {
    let program = format!(
        "import faulthandler, sys, threading\nfaulthandler.enable()\n\
         ns = dict(N=1000, K='k', V=[], X=repr, ALARM=(), render=repr)\nexec({}, ns)\n\
         print('B\\t0\\nP\\t0\\tslot', flush=True)\n\
         S = [ns['MK']()]\n\
         T = [threading.Thread(target=f, args=(S, 3000, 255, [])) for f in ns['_SLOTS']]\n\
         for t in T: t.start()\nfor t in T: t.join()\n",
        threadbare_stress::python::quote(&source(scenario))
    );
    let vm = Vm::find("python3").expect("python3 is on PATH");
    let outcome = run_file(&vm, &program, Default::default()).unwrap();
    let log = threadbare_stress::vm::job::Log::parse(outcome);
    judge(&log, std::slice::from_ref(scenario))
}

#[test]
fn a_storm_that_dies_names_the_operation_it_died_in() {
    // Both threads are in an operation when the first dies.
    let storm = scenario(&[
        &["BOTH.wait()", DIE, "o.clear()"],
        &["BOTH.wait()", "time.sleep(60)", "o.pop()"],
    ]);
    let judged = judged(&storm);
    let [one] = judged.as_slice() else {
        panic!("{judged:?}");
    };
    let ops = &one.failure.place.operations;
    assert_eq!(one.failure.kind, Kind::Crash);
    assert_eq!(ops.at.as_deref(), Some(DIE));
    let [beside] = ops.beside.as_slice() else {
        panic!("{ops:?}");
    };
    assert!(["BOTH.wait()", "time.sleep(60)"].contains(&beside.as_str()));
    assert_eq!(one.flight.at, Some((0, 1)));
    let mut racing = [DIE, beside];
    racing.sort_unstable();
    let told = format!("crash at {} ‖ {}", racing[0], racing[1]);
    assert_eq!(one.failure.to_string(), told);

    let of = |threads: &[&[&str]]| {
        let mut failure = one.failure.clone();
        failure.place.operations = threadbare_stress::identity::Operations::of(&scenario(threads));
        failure
    };
    assert_eq!(
        same(&one.failure, &of(&[&[DIE], &[beside.as_str()]])),
        Same::Yes
    );
    assert_eq!(
        same(&one.failure, &of(&[&["o.clear()"], &["time.sleep(60)"]])),
        Same::No
    );
}

#[test]
fn a_process_that_was_killed_shows_no_failure() {
    let killed = scenario(&[&["os.kill(os.getpid(), signal.SIGKILL)"], &["o.pop()"]]);
    assert!(judged(&killed).is_empty());
}

/// What a script prints of another failure is told apart from its hits, and round-trips.
#[test]
fn other_failures_are_counted_apart() {
    let others = [
        Other {
            failure: "crash at o.pop() ‖ o.clear()".to_owned(),
            runs: 1,
        },
        Other {
            failure: "hang at o.pop()".to_owned(),
            runs: 2,
        },
    ];
    assert_eq!(
        Other::line(&others),
        "3 other failures: crash at o.pop() ‖ o.clear(); hang at o.pop() (2 times)"
    );
    assert_eq!(Other::line(&[]), "");
    let text = serde_json::to_string(&others).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Other>>(&text).unwrap(), others);
}

/// A failure survives its text form, and one without any place is equal to no other.
#[test]
fn failures_serialise() {
    let storm = scenario(&[&["o.append(1)"], &["o.pop()"]]);
    let failure = Failure {
        kind: Kind::Crash,
        place: threadbare_stress::identity::Place {
            operations: threadbare_stress::identity::Operations::of(&storm),
            ..Default::default()
        },
    };
    let text = serde_json::to_string(&failure).unwrap();
    let back: Failure = serde_json::from_str(&text).unwrap();
    assert_eq!(back, failure);
    let nowhere = Failure {
        kind: Kind::Crash,
        place: Default::default(),
    };
    assert_eq!(same(&failure, &nowhere), Same::Unknown);
}

/// A result that depends on who calls, so that what no order gives shows at the first stride.
const CALLERS: &str = r#"
[[subject]]
name = "caller"
doc = "a fixture"
requires = ["threading"]
prelude = """
def main():
    return threading.current_thread() is threading.main_thread()

def other(e):
    if not main():
        raise e
"""
make = ["[]"]
final = "len(o)"
silent = ["main()", "other(KeyError(1))", "other(SystemError(1))"]
"#;

/// What the script of such a finding prints, and its exit code.
fn script_says(kind: Kind, detail: &str, operation: &str) -> (Option<i32>, String) {
    use threadbare_stress::finding::script::{Head, script};
    let subject = &parse("a test", CALLERS).unwrap()[0];
    let call = |code: &str| Call {
        code: code.to_owned(),
        op: code.to_owned(),
        form: Form::Get,
        guarantee: Guarantee::Silent,
        raises: None,
    };
    let threads = vec![vec![call("len(o)")], vec![call(operation)]];
    let mut scenario = Scenario::new(subject, "[]".to_owned(), threads);
    scenario.shapes = vec![Shape::Stride];
    let head = Head {
        kind,
        vm: "a test",
        detail,
        why: "a test",
        gil: true,
        tuning: &threadbare_stress::scenario::tuning::USUAL,
    };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("repro.py");
    std::fs::write(&file, script(&scenario, &head)).unwrap();
    let out = std::process::Command::new("python3")
        .arg(&file)
        .arg("0.5")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(
        out.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    (out.status.code(), text)
}

#[test]
fn a_script_hits_by_the_class_that_it_looks_for_and_says_other_ones() {
    let key = "raised KeyError: 1, which no order raises";
    let cases = [
        (Kind::Outcome, "no order gives x", "main()", None),
        (Kind::Exception, key, "other(KeyError(1))", None),
        (
            Kind::Internal,
            "raised SystemError: 1",
            "other(SystemError(1))",
            None,
        ),
        (
            Kind::Outcome,
            "no order gives x",
            "other(KeyError(1))",
            Some("other: exception KeyError: "),
        ),
        (Kind::Exception, key, "main()", Some("other: order: ")),
        (
            Kind::Exception,
            key,
            "other(SystemError(1))",
            Some("other: internal SystemError: "),
        ),
        (Kind::Corrupt, "x", "main()", Some("other: order: ")),
    ];
    for (kind, detail, operation, other) in cases {
        let (code, text) = script_says(kind, detail, operation);
        match other {
            None => {
                assert_eq!(code, Some(1), "{kind} {operation}: {text}");
                assert!(text.starts_with("begun\nhit: "), "{text}");
            }
            Some(other) => {
                assert_eq!(code, Some(0), "{kind} {operation}: {text}");
                let says = text.strip_prefix("begun\n").unwrap_or(&text);
                assert!(says.starts_with(other) && !text.contains("hit: "), "{text}");
            }
        }
    }
}
