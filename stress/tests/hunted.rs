//! Faults whose owner is known, hunted with real threads on a free-threaded CPython: each must be seen
//! failing and told with its owner, and nothing may be told of its repaired twin. These hunts take seconds on a quiet
//! machine and minutes on a busy one, so that they are *ignored*, and say so, but by `ci/nightly.sh extensions`.

#[path = "bytecode/cases.rs"]
#[allow(dead_code)]
mod cases;
#[path = "bytecode/here.rs"]
#[allow(dead_code)]
mod here;

use self::here::{compile, extensions, free_threaded, headers};
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::Path;
use std::time::{Duration, Instant};
use threadbare_stress::bytecode::owner::Owner;
use threadbare_stress::campaign::{Options, Report, hunt};
use threadbare_stress::finding::Finding;
use threadbare_stress::scenario::generate::Limits;
use threadbare_stress::subject::{Subject, parse};
use threadbare_stress::verdict::grade::Grade;
use threadbare_stress::verdict::{Kind, OUT_OF_TIME};
use threadbare_stress::vm::Vm;

/// A fault, its repaired twin, and as what the fault must be told.
struct Planted {
    name: &'static str,
    prelude: &'static str,
    /// How the faulty object is made, and the repaired one.
    makes: [&'static str; 2],
    operations: &'static [&'static str],
    /// Of the repaired one, where they are others.
    repaired: &'static [&'static str],
    last: &'static str,
    told: Told,
}

/// As what a fault is told.
#[derive(Clone, Copy)]
enum Told {
    /// An outcome or exception that an order of bytecodes gives: interesting.
    PythonCode,
    /// An outcome that none gives: forbidden.
    Extension,
    /// The same of operations of several steps, whose outcomes are accepted but for this: forbidden, and its script
    /// hits.
    Steps,
    /// An exception that names the VM's inside, and that an order of bytecodes raises: interesting.
    Inside,
    /// A deadlock, with the cycle.
    Cycle,
    /// A Rust panic that one thread never sees: forbidden, with its line.
    Panic,
    /// An outcome that some order gives, and none that keeps to real time; an order of bytecodes that does
    /// gives it, and its script hits.
    OutOfTime,
}

const ADD: &[&str] = &["o.add(1)", "o.add(2)"];
const POP: &[&str] = &["o.pop()"];

/// Python classes: what the field's tools are compared on, and what none of them looks for.
const PYTHON: &[Planted] = &[
    Planted {
        name: "against real time",
        prelude: cases::LATE,
        makes: ["Own()", "Shared()"],
        operations: &["o.put()", "o.count()"],
        repaired: &["o.put()", "o.count()"],
        last: "sum([len(x) for x in o.lists.values()])",
        told: Told::OutOfTime,
    },
    Planted {
        name: "lost update",
        prelude: cases::PYTHON,
        makes: ["Counter()", "LockedCounter()"],
        operations: ADD,
        repaired: ADD,
        last: "o.n",
        told: Told::PythonCode,
    },
    Planted {
        name: "check then act",
        prelude: cases::PYTHON,
        makes: ["Once()", "LockedOnce()"],
        operations: &["o.get()"],
        repaired: &["o.get()"],
        last: "len(o.made)",
        told: Told::PythonCode,
    },
    Planted {
        name: "wrong with two preemptions only",
        prelude: cases::PYTHON,
        makes: ["Signal()", "LockedSignal()"],
        operations: &["o.send()", "o.both()"],
        repaired: &["o.send()", "o.both()"],
        last: "o.v",
        told: Told::PythonCode,
    },
    Planted {
        name: "a letter half written",
        prelude: cases::HALVES,
        makes: ["Halves()", "LockedHalves()"],
        operations: &["o.put()", "o.text()"],
        repaired: &["o.put()", "o.text()"],
        last: "o.b",
        told: Told::Inside,
    },
    Planted {
        name: "lock order",
        prelude: cases::PYTHON,
        makes: ["Locks()", "Locks()"],
        operations: &["o.forth()", "o.back()"],
        repaired: &["o.forth()"],
        last: "None",
        told: Told::Cycle,
    },
];

const C: Planted = Planted {
    name: "C: lost update",
    prelude: "import racyext\n",
    makes: ["racyext.Tally()", "racyext.Atomic()"],
    operations: ADD,
    repaired: ADD,
    last: "o.value()",
    told: Told::Extension,
};

const STEPS: &[&str] = &["(o.add(1), o.add(2))"];

const C_IN_STEPS: Planted = Planted {
    name: "C: lost update in an operation of several steps",
    operations: STEPS,
    repaired: STEPS,
    told: Told::Steps,
    ..C
};

const BUILT: &[Planted] = &[
    Planted {
        name: "Cython: lost update",
        prelude: "import racycy\n",
        makes: ["racycy.Tally()", "racycy.Locked()"],
        ..C
    },
    Planted {
        name: "PyO3: lost update",
        prelude: "import racyrs\n",
        makes: ["racyrs.Tally()", "racyrs.Atomic()"],
        ..C
    },
    Planted {
        name: "PyO3: panic",
        prelude: "import racyrs\n",
        makes: ["racyrs.Panicky()", "racyrs.Steady()"],
        operations: POP,
        repaired: POP,
        last: "None",
        told: Told::Panic,
    },
];

fn main() {
    let mut arguments = Arguments::from_args();
    // Each hunt needs the processors for itself: threads that do not overlap show nothing.
    arguments.test_threads = arguments.test_threads.or(Some(1));
    let python = free_threaded();
    let vm = python.as_ref().map(|p| p.display().to_string());
    let no_vm = "no free-threaded CPython, see ci/vm/cpython-ft.sh";
    let mut trials = Vec::new();
    let mut trial = |name: &str, missing: Option<&str>, run: Box<dyn Fn() -> Check + Send>| {
        // Where other programs keep the threads apart, seeing each fault takes minutes.
        let why = missing.unwrap_or("hunts for minutes, run by ci/nightly.sh extensions");
        let name = format!("{name} (ignored: {why})");
        trials.push(Trial::test(name, run).with_ignored_flag(true));
    };
    for planted in PYTHON {
        let vm = vm.clone();
        trial(
            planted.name,
            vm.is_none().then_some(no_vm),
            Box::new(move || both(&Vm::open(vm.as_deref().unwrap_or_default())?, planted)),
        );
    }
    let include = python.as_deref().and_then(headers);
    for planted in [&C, &C_IN_STEPS] {
        let (vm, include) = (vm.clone(), include.clone());
        let missing = include.is_none();
        trial(
            planted.name,
            missing.then_some("no free-threaded CPython with headers"),
            Box::new(move || {
                let folder = tempfile::tempdir()?;
                compile(include.as_deref().unwrap_or(Path::new("")), folder.path())?;
                both(&with(vm.as_deref(), folder.path())?, planted)
            }),
        );
    }
    let built = extensions();
    let missing = built
        .is_none()
        .then_some("not built, run ci/vm/racy-extensions.sh");
    for planted in BUILT {
        let (vm, built) = (vm.clone(), built.clone());
        trial(
            planted.name,
            missing,
            Box::new(move || {
                let folder = built.as_deref().unwrap_or(Path::new(""));
                both(&with(vm.as_deref(), folder)?, planted)
            }),
        );
    }
    trial(
        "PyO3: contention is counted, and no finding",
        missing,
        Box::new(move || {
            let folder = built.as_deref().unwrap_or(Path::new(""));
            contention(&with(vm.as_deref(), folder)?)
        }),
    );
    libtest_mimic::run(&arguments, trials).exit();
}

type Check = Result<(), Failed>;

/// The VM with a folder of extensions.
fn with(vm: Option<&str>, folder: &Path) -> Result<Vm, Failed> {
    let vm = Vm::open(vm.unwrap_or_default())?;
    Ok(vm.with_environment("PYTHONPATH", &folder.display().to_string()))
}

fn subject(planted: &Planted, make: &str, operations: &[&str]) -> Subject {
    let (prelude, last) = (planted.prelude, planted.last);
    let promise = match planted.told {
        Told::Steps => "composite",
        _ => "silent",
    };
    let text = format!(
        "[[subject]]\nname = \"planted\"\ndoc = \"planted\"\nprelude = '''\n{prelude}'''\nmake = [\"{make}\"]\n\
         final = \"{last}\"\nshapes = \"t\"\n{promise} = {operations:?}\nsource = \"a test\"\n"
    );
    parse("a test", &text).expect("it parses").remove(0)
}

/// A hunt begins anew until the fault is told, each time with another seed: a busy machine may keep threads
/// from overlapping for a while. A fault that nothing shows is given up only then.
const FAR: Duration = Duration::from_secs(30 * 60);

/// Scenarios of one try; a fault is told by the first ones.
const FEW: u64 = 2;

/// Scenarios of a repaired twin.
const MORE: u64 = 6;

fn run(vm: &Vm, subject: &Subject, seed: u64, scenarios: u64) -> Result<Report, Failed> {
    let out = tempfile::tempdir()?;
    let options = Options {
        subjects: vec![subject.clone()],
        seed,
        time: None,
        shard: Default::default(),
        iterations: Some(scenarios),
        jobs: 1,
        out: out.path().to_owned(),
        limits: Limits { threads: 2, ops: 1 },
        company: Some(Vec::new()),
        scenario_ms: 200,
        batch: scenarios as usize,
        sequential: false,
        only: None,
        keep: 3,
        suppressions: Vec::new(),
        histories: 0,
        control: None,
        feedback: false,
    };
    let report = hunt(vm, &options, &|_| ())?;
    if let Some(error) = &report.error {
        return Err(format!("{error}").into());
    }
    Ok(report)
}

/// The fault is told as it must be, and nothing else; of the repaired twin nothing.
fn both(vm: &Vm, planted: &Planted) -> Check {
    assert!(!vm.facts.has_gil(), "{} has a GIL", vm.facts.title());
    let faulty = subject(planted, planted.makes[0], planted.operations);
    let mut last = Vec::new();
    hunt_until(|seed| {
        let report = run(vm, &faulty, seed, FEW)?;
        last.extend(report.findings.iter().map(Finding::line));
        let told = |f| is_told(planted.told, f);
        Ok(report.findings.iter().filter(|f| told(f)).count() > 0)
    })
    .map_err(|e| format!("{}: {e:?}: {last:#?}", planted.name))?;
    let repaired = subject(planted, planted.makes[1], planted.repaired);
    let report = run(vm, &repaired, 1, MORE)?;
    let lines: Vec<_> = report.findings.iter().map(Finding::line).collect();
    assert!(lines.is_empty(), "{}: {lines:#?}", planted.name);
    assert_eq!(report.state.sum(|t| t.scenarios), MORE);
    Ok(())
}

/// Hunts with one seed after another until that is seen which is looked for.
fn hunt_until(mut is_seen: impl FnMut(u64) -> Result<bool, Failed>) -> Check {
    let began = Instant::now();
    for seed in 1.. {
        if is_seen(seed)? {
            return Ok(());
        }
        if began.elapsed() > FAR {
            return Err(format!("not seen in {seed} hunts").into());
        }
    }
    Ok(())
}

/// Whether a finding is the fault's, told with its owner; another owner is an error. One that is not
/// decided, as on a machine so busy that the search's time is up, says nothing.
fn is_told(told: Told, finding: &Finding) -> bool {
    let owner = finding.bytecode.as_ref().map(|b| b.owner);
    let (kind, grade) = (finding.kind, finding.grade);
    let line = finding.line();
    let hits = finding.script.is_some_and(|rate| rate.hits > 0);
    match told {
        Told::PythonCode | Told::Extension => {
            assert!(matches!(kind, Kind::Outcome | Kind::Exception), "{line}");
        }
        Told::Steps => {
            let right = owner == Some(Owner::VmOrExtension) && grade == Grade::Forbidden;
            return right && hits;
        }
        Told::Inside => {
            // Of two that write an update is lost, which is told by itself.
            let right = matches!(kind, Kind::Outcome | Kind::Exception | Kind::Internal);
            assert!(right, "{line}");
            if kind != Kind::Internal {
                return false;
            }
        }
        Told::Cycle => assert_eq!(kind, Kind::Deadlock, "{line}"),
        Told::OutOfTime => {
            assert_eq!(kind, Kind::Outcome, "{line}");
            assert!(finding.detail.starts_with(OUT_OF_TIME), "{line}");
        }
        Told::Panic => {
            // The panic's own finding has its line; what else the outcome tells is the panic's too.
            assert!(matches!(kind, Kind::Panic | Kind::Internal), "{line}");
            if hits {
                assert_eq!(grade, Grade::Forbidden, "{line}");
            }
            return hits && line.contains("src/lib.rs:");
        }
    }
    // What neither its scenario nor its script shows again is graded as seen once.
    let again = hits || !matches!(told, Told::Extension | Told::OutOfTime);
    if owner.is_none_or(|o| o == Owner::Undecided) || !again {
        return false;
    }
    let (right, grades) = match told {
        Told::Extension => (Owner::VmOrExtension, &[Grade::Forbidden][..]),
        Told::Cycle => (
            Owner::PythonCode,
            &[Grade::Interesting, Grade::Forbidden][..],
        ),
        _ => (Owner::PythonCode, &[Grade::Interesting][..]),
    };
    assert_eq!(owner, Some(right), "{line}");
    assert!(grades.contains(&grade), "{line}");
    let interleaving = finding.bytecode.as_ref().map(|b| b.interleaving.join("\n"));
    let interleaving = interleaving.unwrap_or_default();
    assert_eq!(right == Owner::PythonCode, !interleaving.is_empty());
    if matches!(told, Told::Cycle) {
        for held in [", held by thread 1", ", held by thread 2"] {
            assert!(interleaving.contains(held), "{interleaving}");
        }
    }
    true
}

/// `Already borrowed` is what PyO3 documents to answer: seen, counted, and no finding.
fn contention(vm: &Vm) -> Check {
    let planted = Planted {
        prelude: "import racyrs\n",
        ..C
    };
    let guarded = subject(&planted, "racyrs.Guarded()", ADD);
    hunt_until(|seed| {
        let report = run(vm, &guarded, seed, MORE)?;
        let lines: Vec<_> = report.findings.iter().map(Finding::line).collect();
        assert!(lines.is_empty(), "{lines:#?}");
        Ok(report.state.sum(|t| t.contention) > 0)
    })
}
