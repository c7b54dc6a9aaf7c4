//! Triage: findings that are alike, marks, merging, and the texts that users read of them.

mod marks;
mod merge;
mod similar;
mod text;

use std::path::Path;
use threadbare_stress::finding::store::{SCRIPT, Store};
use threadbare_stress::finding::{Finding, Rate, SCHEMA};
use threadbare_stress::scenario::{Call, Scenario};
use threadbare_stress::subject::{Form, Guarantee, parse};
use threadbare_stress::triage;
use threadbare_stress::triage::severity::Severity;
use threadbare_stress::verdict::Kind;
use threadbare_stress::verdict::grade::Grade;
use threadbare_stress::vm::Facts;

const LIST: &str = r#"
[[subject]]
name = "list"
doc = "d"
make = ["[]"]
final = "tuple(o)"
source = "docs.python.org, thread safety of list"
atomic = ["o.append({v})", "o.pop()", "o.clear()", "o.sort()"]
"#;

/// A finding of these operations on a VM of this version, under the id that a hunt gives it.
fn finding(kind: Kind, operations: &[&str], version: &str) -> Finding {
    let subject = &parse("t", LIST).unwrap()[0];
    let call = |code: &&str| Call {
        code: (*code).to_owned(),
        op: (*code).to_owned(),
        form: Form::Get,
        guarantee: Guarantee::Atomic,
        raises: None,
    };
    let threads = operations.iter().map(|o| vec![call(o)]).collect();
    let mut finding = Finding {
        schema: SCHEMA,
        id: String::new(),
        kind,
        grade: Grade::Forbidden,
        why: "data races in a program must not corrupt the VM, stop it or leak".into(),
        detail: "SIGSEGV".into(),
        subject: "list".into(),
        place: Default::default(),
        schedule: None,
        no_schedule: None,
        others: Vec::new(),
        frames: Vec::new(),
        scenario: Scenario::new(subject, "[1]".into(), threads),
        vm: "python3.13t".into(),
        facts: Facts {
            implementation: "cpython".into(),
            version: format!("{version} experimental free-threading build"),
            gil_claimed: Some(false),
            build: "'--disable-gil'".into(),
            environment: vec!["PYTHON_GIL=0".into()],
            ..Facts::default()
        },
        seed: 7,
        number: 12,
        outcome: None,
        explained: Vec::new(),
        minimised: true,
        script: Some(Rate {
            hits: 2,
            runs: 3,
            limit_seconds: 3.0,
            mean_seconds: 0.5,
        }),
        seen: 4,
        report: None,
        bytecode: None,
        tuning: None,
    };
    finding.id = finding.make_id();
    finding
}

fn save(out: &Path, finding: &Finding) {
    let mut store = Store::open(out).unwrap();
    store
        .save(finding, &[(SCRIPT, &finding.script_text())])
        .unwrap();
}

#[test]
fn severity_is_the_order_that_maintainers_want() {
    let of = |kind, grade, detail: &str| {
        Severity::of(&Finding {
            grade,
            detail: detail.into(),
            ..finding(kind, &["o.pop()"], "3.13.5")
        })
    };
    let forbidden = Grade::Forbidden;
    let in_order = [
        of(Kind::Uninitialised, forbidden, ""),
        of(Kind::Crash, forbidden, "SIGSEGV"),
        of(Kind::Hang, forbidden, "no progress"),
        of(Kind::Outcome, forbidden, "no order gives"),
        of(Kind::Internal, forbidden, "raised SystemError"),
        of(Kind::Outcome, Grade::Interesting, "no order gives"),
    ];
    assert_eq!(in_order, Severity::ALL);
    // The allocator's own word outranks the signal.
    let allocator = of(
        Kind::Crash,
        forbidden,
        "SIGABRT: free(): double free detected",
    );
    assert_eq!(allocator, Severity::MemoryCorruption);
    // An exception may quote any words.
    let quoted = of(
        Kind::Internal,
        forbidden,
        "raised SystemError: free(): corrupted",
    );
    assert_eq!(quoted, Severity::Internal);
}

#[test]
fn an_empty_folder_is_refused_with_the_way_out() {
    let root = tempfile::tempdir().unwrap();
    let error = triage::load(root.path()).unwrap_err().to_string();
    assert!(error.contains("no such folder"), "{error}");
}
