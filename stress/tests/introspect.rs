//! Subjects found by introspection, on the machine's own python3.

use std::path::{Path, PathBuf};
use std::time::Duration;
use threadbare_stress::campaign::{Options, hunt, support};
use threadbare_stress::finding::Finding;
use threadbare_stress::introspect::{Introspected, examine, introspect};
use threadbare_stress::scenario::generate::Limits;
use threadbare_stress::subject::{Flavour, Form, Guarantee, Subject};
use threadbare_stress::vm::Vm;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples-py")
}

/// python3 with the examples importable.
fn python() -> Vm {
    let spec = format!("env PYTHONPATH={} python3", examples().display());
    Vm::open(&spec).unwrap_or_else(|e| panic!("{e}"))
}

fn file(dir: &tempfile::TempDir, text: &str) -> String {
    let path = dir.path().join("mine.py");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn find(vm: &Vm, name: &str) -> Introspected {
    examine(vm, name).unwrap_or_else(|e| panic!("{e}"))
}

fn op(subject: &Subject, code: &str) -> (Form, Guarantee) {
    let op = subject.ops.iter().find(|o| o.code == code);
    op.map(|o| (o.form, o.guarantee))
        .unwrap_or_else(|| panic!("no {code} among {:#?}", codes(subject)))
}

fn codes(subject: &Subject) -> Vec<&str> {
    subject.ops.iter().map(|o| o.code.as_str()).collect()
}

/// Everything that introspection found must also pass the hunt's own probe of subjects.
fn supported(vm: &Vm, subject: &Subject) {
    let support = support::of(vm, subject).unwrap();
    assert_eq!(
        (support.skipped, support.lacking),
        (None, Vec::new()),
        "{}",
        subject.name
    );
}

#[test]
fn a_container_of_any_values() {
    let vm = python();
    let found = find(&vm, "collections:deque");
    let subject = &found.subject;
    assert_eq!(
        subject.make,
        [
            "collections.deque()",
            "collections.deque([{v1}, {v2}, {v3}])"
        ]
    );
    assert_eq!(subject.observe, "(len(o), tuple(o))");
    assert!(subject.flavours.contains(&Flavour::Obj) && !subject.callbacks && !subject.keeps);
    for code in [
        "o.append({v})",
        "o.popleft()",
        "o.insert({i}, {v})",
        "o.rotate({i})",
        "len(o)",
        "{v} in o",
        "o[{i}]",
    ] {
        assert_eq!(op(subject, code), (Form::Get, Guarantee::Silent), "{code}");
    }
    for code in ["o[{i}] = {v}", "del o[{i}]"] {
        assert_eq!(op(subject, code), (Form::Do, Guarantee::Silent), "{code}");
    }
    // A few turns of it on a shared object never end.
    assert!(!codes(subject).contains(&"o.extend(o)"));
    assert!(
        found
            .left_out
            .iter()
            .any(|(code, why)| code == "o.extend(o)" && why.contains("multiplies")),
        "{:?}",
        found.left_out
    );
    // A new deque is no plain value; iterating is several steps.
    assert_eq!(op(subject, "o.copy()"), (Form::Run, Guarantee::Silent));
    assert_eq!(op(subject, "tuple(o)"), (Form::Get, Guarantee::Composite));
    supported(&vm, subject);
}

#[test]
fn mappings_typed_arrays_iterators_and_factories() {
    let vm = python();
    let mapping = find(&vm, "collections:OrderedDict").subject;
    assert_eq!(mapping.observe, "tuple(o.items())");
    op(&mapping, "o[{k}] = {v}");
    op(&mapping, "o.setdefault({k}, {v})");
    op(&mapping, "o.update(MK())");
    let array = find(&vm, "array:array").subject;
    assert_eq!(array.make, ["array.array('i', [1, 2, 3])"]);
    op(&array, "o.append({i})");
    assert!(
        !codes(&array).contains(&"o.append({v})"),
        "an array of integers takes no strings"
    );
    let factory = find(&vm, "zlib:compressobj").subject;
    op(&factory, "o.compress((K+'ab').encode())");
    for subject in [&mapping, &array, &factory] {
        supported(&vm, subject);
    }
}

#[test]
fn a_module_is_shared_as_it_is() {
    let vm = python();
    let subject = find(&vm, "json:").subject;
    assert_eq!(
        (subject.make.as_slice(), subject.observe.as_str()),
        (["json".to_owned()].as_slice(), "None")
    );
    assert!(
        subject.keeps
            && subject
                .ops
                .iter()
                .all(|o| o.guarantee == Guarantee::Composite && o.form != Form::Get)
    );
    supported(&vm, &subject);
}

#[test]
fn what_blocks_or_ends_one_thread_is_left_out_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let vm = python();
    let text = "import os, threading\n\
                class Bad(object):\n    def __init__(self):\n        self.n = 0\n        self.lock = threading.Lock()\n    \
                def add(self, n):\n        self.n += n\n        return self.n\n    \
                def die(self):\n        os.abort()\n    \
                def leave(self):\n        os._exit(3)\n    \
                def hold(self):\n        self.lock.acquire()\n    \
                def unlink(self):\n        raise SystemExit\n\
                def make():\n    return Bad()\n";
    let found = find(&vm, &file(&dir, text));
    let reason = |what: &str| {
        let left = found.left_out.iter().find(|(w, _)| w.contains(what));
        left.unwrap_or_else(|| panic!("{what} is not in {:#?}", found.left_out))
            .1
            .clone()
    };
    assert!(
        reason("o.die()").contains("SIGABRT"),
        "{}",
        reason("o.die()")
    );
    assert!(reason("o.leave()").contains("code 3"));
    assert!(reason("o.hold()").contains("blocks"));
    assert!(reason("o.unlink").contains("files"));
    op(&found.subject, "o.add({i})");
    for gone in ["die", "leave", "hold", "unlink"] {
        assert!(
            !codes(&found.subject).iter().any(|c| c.contains(gone)),
            "{gone}"
        );
    }
    supported(&vm, &found.subject);
}

#[test]
fn a_file_with_operations_and_names_of_the_harness() {
    let dir = tempfile::tempdir().unwrap();
    let vm = python();
    // Every name here also stands in the harness, a scenario or a reproducer.
    let text = "def render(x):\n    return 'mine'\n\
                def stride(o):\n    return render(o)\n\
                def make():\n    return [stride(0), \"it's\\n\"]\n\
                def final(o):\n    return stride(o) + str(len(o))\n\
                def check(o):\n    return o[0] == 'mine'\n\
                operations = ['o.append({v})', 'do: del o[1:]', 'run: o.copy()']\nflavours = ['small', 'str']\n";
    let subject = introspect(&vm, &file(&dir, text)).unwrap();
    assert_eq!(subject.name, "mine");
    assert_eq!(subject.flavours, [Flavour::Small, Flavour::Str]);
    assert_eq!(subject.check.as_deref(), Some("subject.check(o)"));
    assert_eq!(op(&subject, "del o[1:]").0, Form::Do);
    supported(&vm, &subject);
    // One thread: the harness must find nothing, and every scenario must run.
    let out = tempfile::tempdir().unwrap();
    let (findings, scenarios) = run(&vm, &subject, out.path(), 4, true);
    assert_eq!((findings.len(), scenarios), (0, 4));
}

#[test]
fn every_error_names_cause_and_next_step() {
    let dir = tempfile::tempdir().unwrap();
    let vm = python();
    let no_make = file(&dir, "x = 1\n");
    for (name, cause, next) in [
        (
            "no_such_module:T",
            "No module named 'no_such_module'",
            "PYTHONPATH",
        ),
        ("collections:NoSuchType", "has no 'NoSuchType'", "file.py"),
        (
            "ssl:SSLSocket",
            "no constructor arguments worked",
            "file.py",
        ),
        ("sys:maxsize", "neither a type nor a function", "file.py"),
        ("collections.deque", "--list-subjects", ""),
        (no_make.as_str(), "defines no make()", "README.md"),
        ("gone.py", "cannot read subject file gone.py", ""),
    ] {
        let error = introspect(&vm, name)
            .map(|s| s.name)
            .expect_err(name)
            .to_string();
        assert!(
            error.contains(cause) && error.contains(next),
            "{name}: {error}"
        );
    }
}

/// Hunts a subject; findings, and scenarios that ran.
fn run(
    vm: &Vm,
    subject: &Subject,
    out: &Path,
    iterations: u64,
    sequential: bool,
) -> (Vec<Finding>, u64) {
    let options = Options {
        subjects: vec![subject.clone()],
        seed: 1,
        time: Some(Duration::from_secs(60)),
        shard: Default::default(),
        iterations: Some(iterations),
        jobs: 1,
        out: out.to_owned(),
        limits: Limits::default(),
        company: Some(Vec::new()),
        scenario_ms: 150,
        batch: 6,
        sequential,
        only: None,
        keep: 3,
        suppressions: Vec::new(),
        histories: 0,
        control: None,
        feedback: false,
    };
    let report = hunt(vm, &options, &|_| ()).unwrap();
    assert!(report.error.is_none(), "{:?}", report.error);
    (report.findings, report.state.sum(|t| t.scenarios))
}
