//! A pure-Python type with a deliberate race and its locked twin: found, and clean, on a
//! free-threaded CPython. Without one the test is *ignored* and says so.

use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};
use std::time::Duration;
use threadbare_stress::bytecode::owner::Owner;
use threadbare_stress::campaign::canary::sing;
use threadbare_stress::campaign::{Options, hunt};
use threadbare_stress::finding::Finding;
use threadbare_stress::introspect::introspect;
use threadbare_stress::scenario::generate::Limits;
use threadbare_stress::subject::{Subject, load};
use threadbare_stress::verdict::Kind;
use threadbare_stress::vm::Vm;

fn main() {
    let arguments = Arguments::from_args();
    let vm = free_threaded();
    let (name, ignored) = match &vm {
        Some(_) => ("racy_is_found_and_locked_is_clean".to_owned(), false),
        None => (
            "racy_is_found_and_locked_is_clean (skipped: no free-threaded CPython; set THREADBARE_FT_PYTHON or \
             run ci/vm/cpython-ft.sh 3.13.5)"
                .to_owned(),
            true,
        ),
    };
    let trial = Trial::test(name, move || {
        let program = vm.ok_or("there is no free-threaded CPython")?;
        twins(&program)
    });
    libtest_mimic::run(&arguments, vec![trial.with_ignored_flag(ignored)]).exit();
}

/// A free-threaded CPython: the variable, else what `ci/vm/cpython-ft.sh` built.
fn free_threaded() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("THREADBARE_FT_PYTHON") {
        return Some(path.into());
    }
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))?;
    let path = cache.join("threadbare/vm/cpython-3.13.5-ft/bin/python3.13t");
    path.is_file().then_some(path)
}

fn twins(program: &Path) -> Result<(), Failed> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples-py");
    let vm = Vm::open(&format!(
        "env PYTHONPATH={} {}",
        examples.display(),
        program.display()
    ))?;
    assert!(!vm.facts.has_gil(), "{} has a GIL", vm.facts.title());
    let out = tempfile::tempdir()?;
    let canary = sing(&vm, &options(out.path(), Vec::new(), 1))?;
    let finding = canary.found?;
    assert!(finding.minimised && canary.out.join("findings").join(&finding.id).is_dir());
    let written = load(&examples.join("racystack.toml"))?;
    let by_file = examples.join("counter_file.py");
    for racy in [
        &written[0],
        &introspect(&vm, "racystack:RacyStack")?,
        &introspect(&vm, &by_file.display().to_string())?,
    ] {
        let (findings, _) = run(&vm, racy, 60)?;
        let races = findings
            .iter()
            .filter(|f| matches!(f.kind, Kind::Outcome | Kind::Exception))
            .count();
        assert!(races > 0, "{} was not found: {findings:#?}", racy.name);
        // The race is in Python code, and no VM is blamed for it.
        let owners = findings
            .iter()
            .filter(|f| matches!(f.kind, Kind::Outcome | Kind::Exception))
            .filter_map(|f| Some((f.bytecode.as_ref()?.owner, f)));
        let owners: Vec<_> = owners.collect();
        assert!(
            owners.iter().any(|(o, _)| *o == Owner::PythonCode),
            "{findings:#?}"
        );
        for (owner, finding) in owners {
            assert_ne!(owner, Owner::VmOrExtension, "{finding:#?}");
        }
    }
    for locked in [&written[1], &introspect(&vm, "racystack:LockedStack")?] {
        let (findings, scenarios) = run(&vm, locked, 30)?;
        let lines: Vec<_> = findings.iter().map(Finding::line).collect();
        assert!(findings.is_empty(), "{}: {lines:#?}", locked.name);
        assert!(scenarios >= 30);
    }
    Ok(())
}

/// Hunts a subject; findings, and scenarios that ran.
fn run(vm: &Vm, subject: &Subject, iterations: u64) -> Result<(Vec<Finding>, u64), Failed> {
    let out = tempfile::tempdir()?;
    let options = options(out.path(), vec![subject.clone()], iterations);
    let report = hunt(vm, &options, &|_| ())?;
    assert!(report.error.is_none(), "{:?}", report.error);
    Ok((report.findings, report.state.sum(|t| t.scenarios)))
}

fn options(out: &Path, subjects: Vec<Subject>, iterations: u64) -> Options {
    Options {
        subjects,
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
        sequential: false,
        only: None,
        keep: 3,
        suppressions: Vec::new(),
        histories: 0,
        control: None,
        feedback: false,
    }
}
