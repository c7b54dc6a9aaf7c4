//! Faults whose owner is known, each beside its repaired twin: the bytecode-level oracle must name the
//! right owner or none, on a VM with a GIL and on one without.

#[path = "bytecode/cases.rs"]
mod cases;

use self::cases::{CASES, Case, Expected};
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::Command;
use threadbare_stress::bytecode::owner::{Owner, grade};
use threadbare_stress::bytecode::{Answer, Budget, Explanation, Goal, Schedule, explain, replay};
use threadbare_stress::subject::Guarantee;
use threadbare_stress::verdict::grade::Grade;
use threadbare_stress::vm::Vm;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for (name, spec) in [
        ("python3", Some(PathBuf::from("python3"))),
        ("free-threaded", free_threaded()),
    ] {
        // Not here: said to be ignored, never green.
        let ignored = spec.is_none();
        let spec = spec.unwrap_or_default();
        for case in CASES {
            let spec = spec.clone();
            let run = move || right_owner(&open(&spec), case);
            trials.push(
                Trial::test(format!("{name}: {}", case.name), run).with_ignored_flag(ignored),
            );
        }
        type Check = fn(&Vm) -> Result<(), Failed>;
        let checks: [(&str, Check); 6] = [
            ("a write that no code names is seen", hidden_writes),
            ("every way to read is a switch point", reads),
            ("a schedule given back gives the same", schedules),
            ("what cannot be decided is said", undecided),
            ("a bound is stated", bounded),
            ("an interleaving is a few lines", lines),
        ];
        for (what, check) in checks {
            let spec = spec.clone();
            let run = move || check(&open(&spec));
            trials.push(Trial::test(format!("{name}: {what}"), run).with_ignored_flag(ignored));
        }
    }
    for (name, spec) in [
        ("python3", Some(PathBuf::from("python3"))),
        ("free-threaded", free_threaded()),
    ] {
        // Without its headers no extension can be built for it.
        let headers = spec.as_deref().and_then(headers);
        let ignored = headers.is_none();
        let run = move || extension(&spec.unwrap_or_default(), &headers.unwrap_or_default());
        trials.push(Trial::test(format!("{name}: a C extension"), run).with_ignored_flag(ignored));
    }
    trials.push(Trial::test(
        "a scenario that does not run here says so",
        unable,
    ));
    let micropython = cached("micropython-1.26.1/bin/micropython");
    let ignored = micropython.is_none();
    let run = move || without_means(&micropython.unwrap_or_default());
    trials.push(
        Trial::test("a VM that cannot stop at bytecodes says so", run).with_ignored_flag(ignored),
    );
    libtest_mimic::run(&arguments, trials).exit();
}

fn open(spec: &Path) -> Vm {
    Vm::open(&spec.display().to_string()).expect("the VM opens")
}

/// A free-threaded CPython: the variable, else what `ci/vm/cpython-ft.sh` built.
fn free_threaded() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("THREADBARE_FT_PYTHON") {
        return Some(path.into());
    }
    cached("cpython-3.13.5-ft/bin/python3.13t")
}

/// A VM that `ci/vm` built, if it is here.
fn cached(path: &str) -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))?;
    let path = cache.join("threadbare/vm").join(path);
    path.is_file().then_some(path)
}

fn ask(vm: &Vm, case: &Case) -> Explanation {
    explain(vm, &case.scenario(), &[case.goal()], &Budget::default()).expect("the VM starts")
}

/// The owner that the case has, and a grade that blames the VM only where it is the VM's.
fn right_owner(vm: &Vm, case: &Case) -> Result<(), Failed> {
    let scenario = case.scenario();
    let found = ask(vm, case);
    let answer = &found.answers[0];
    let owner = Owner::of(answer);
    let expected = match case.expected {
        Expected::Python { preemptions } => {
            let Answer::Reachable(reached) = answer else {
                return Err(format!("{}: {answer}", case.name).into());
            };
            assert_eq!(reached.preemptions, preemptions, "{answer}");
            Owner::PythonCode
        }
        Expected::Vm => Owner::VmOrExtension,
    };
    assert_eq!(owner, expected, "{}: {answer}", case.name);
    assert_eq!(scenario.guarantee(), Guarantee::Silent);
    let (got, why) = grade(&scenario, &found.code, answer);
    if owner == Owner::PythonCode {
        assert_eq!(got, Grade::Interesting, "{why}");
    } else if !found.code.walks {
        assert_eq!(got, Grade::Forbidden, "{why}");
    }
    println!(
        "{} on {}: {owner}, {} executions, {:.3} s",
        case.name,
        vm.facts.title(),
        found.executions,
        found.seconds
    );
    Ok(())
}

/// One thread takes a shared object, then reads a flag, then looks into the object; the other sets the flag
/// and changes the object. That the flag is not seen and the change is needs a switch just before the look.
fn reads(vm: &Vm) -> Result<(), Failed> {
    for (at_first, change, looks) in cases::READS {
        for (look, value) in *looks {
            let prelude = format!(
                "class Shared(object):\n    def __init__(self):\n        self.x = {at_first}\n        self.flag = 0\n\n    \
                 def read(self):\n        x = self.x\n        k = self.flag\n        {look}\n        return (k, v)\n\n    \
                 def write(self):\n        self.flag = 1\n        {change}\n"
            );
            let scenario =
                cases::scenario(&prelude, "Shared()", &[&["o.read()"], &["o.write()"]], "0");
            let goal = Goal::Outcome(format!("(0, {value}) | None | 0"));
            let found = explain(vm, &scenario, &[goal], &Budget::default())?;
            let answer = &found.answers[0];
            if !matches!(answer, Answer::Reachable(_)) {
                return Err(format!("{look} of {at_first}: {answer}").into());
            }
        }
    }
    Ok(())
}

/// One thread reads an attribute or a global twice, the other writes it in a way that its code does not name.
fn hidden_writes(vm: &Vm) -> Result<(), Failed> {
    for (outside, at_first, look, write) in cases::HIDDEN_WRITES {
        let prelude = format!(
            "{outside}\nclass Shared(object):\n    def __init__(self):\n        {at_first}\n\n    \
             def read(self):\n        a = {look}\n        b = {look}\n        return (a, b)\n\n    \
             def write(self):\n        {write}\n"
        );
        let scenario = cases::scenario(&prelude, "Shared()", &[&["o.read()"], &["o.write()"]], "0");
        let goal = Goal::Outcome("(0, 5) | None | 0".to_owned());
        let found = explain(vm, &scenario, &[goal], &Budget::default())?;
        let answer = &found.answers[0];
        if !matches!(answer, Answer::Reachable(_)) {
            return Err(format!("{write}: {answer}").into());
        }
    }
    Ok(())
}

fn schedules(vm: &Vm) -> Result<(), Failed> {
    for name in ["two preemptions", "lock order"] {
        let case = cases::named(name);
        let Answer::Reachable(reached) = &ask(vm, case).answers[0] else {
            return Err(format!("{name} is not reached").into());
        };
        let again = replay(vm, &case.scenario(), &reached.schedule)?;
        assert_eq!(again.refused, None);
        let expected = match case.goal() {
            Goal::Outcome(text) => text,
            Goal::Deadlock => "deadlock".to_owned(),
        };
        assert_eq!(again.outcomes, vec![expected; 10]);
        assert_eq!(again.interleaving, reached.interleaving);
    }
    let scenario = cases::named("two preemptions").scenario();
    for wrong in ["1:3 2:900 1:1", "3:1", "", "1:2 nonsense", "1:1 2:1"] {
        let again = replay(vm, &scenario, &Schedule(wrong.to_owned()))?;
        assert!(again.refused.is_some(), "{wrong}: {:?}", again.outcomes);
    }
    Ok(())
}

/// Nothing of this is blamed on anybody.
fn undecided(vm: &Vm) -> Result<(), Failed> {
    let never = Goal::Outcome("nothing gives this".to_owned());
    let budget = Budget {
        seconds: 2.0,
        ..Budget::default()
    };
    for (prelude, make, left, right, why) in cases::UNDECIDED {
        let scenario = cases::scenario(prelude, make, &[&[left], &[right]], "None");
        let found = explain(vm, &scenario, std::slice::from_ref(&never), &budget)?;
        let Answer::Undecided { why: said } = &found.answers[0] else {
            return Err(format!("{scenario}: {}", found.answers[0]).into());
        };
        assert!(said.contains(why), "{scenario}: {said}");
    }
    Ok(())
}

fn bounded(vm: &Vm) -> Result<(), Failed> {
    let case = cases::named("two preemptions");
    let budget = Budget {
        preemptions: Some(1),
        ..Budget::default()
    };
    let found = explain(vm, &case.scenario(), &[case.goal()], &budget)?;
    let answer = &found.answers[0];
    assert!(
        matches!(
            answer,
            Answer::NotReachable {
                preemptions: Some(1),
                ..
            }
        ),
        "{answer}"
    );
    assert_eq!(Owner::of(answer), Owner::Undecided);
    assert!(answer.to_string().contains("at most 1 preemption gives it"));
    Ok(())
}

fn lines(vm: &Vm) -> Result<(), Failed> {
    let Answer::Reachable(reached) = &ask(vm, cases::named("lost update")).answers[0] else {
        return Err("the lost update is not reached".into());
    };
    let lines = reached.interleaving.lines();
    assert_eq!(
        lines,
        [
            "thread 1                                   thread 2",
            "return o.add(1)",
            "  before = self.n  # reads self.n: 0",
            "                                           return o.add(2)",
            "                                             before = self.n  # reads self.n: 0",
            "                                             self.n = before + k  # writes self.n: 2",
            "  self.n = before + k  # writes self.n: 1",
        ],
        "{lines:#?}"
    );
    let Answer::Reachable(reached) = &ask(vm, cases::named("lock order")).answers[0] else {
        return Err("the deadlock is not reached".into());
    };
    let lines = reached.interleaving.lines().join("\n");
    assert!(lines.contains(", held by thread 2"), "{lines}");
    assert!(lines.contains(", held by thread 1"), "{lines}");
    Ok(())
}

/// The folder of a VM's headers, if they are here.
fn headers(spec: &Path) -> Option<PathBuf> {
    let output = Command::new(spec)
        .args([
            "-c",
            "import sysconfig; print(sysconfig.get_paths()['include'])",
        ])
        .output()
        .ok()?;
    let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    folder.join("Python.h").is_file().then_some(folder)
}

/// What two threads inside C code give is not Python code's, whether the C code can do it or not: asked
/// of the repaired twin, which never gives it, the answer is the same.
fn extension(spec: &Path, headers: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bytecode/racyext.c");
    let built = Command::new("cc")
        .args(["-O1", "-shared", "-fPIC", "-I"])
        .arg(headers)
        .arg("-o")
        .arg(folder.path().join("racyext.so"))
        .arg(source)
        .status()?;
    assert!(built.success());
    let vm = Vm::open(&format!(
        "env PYTHONPATH={} {}",
        folder.path().display(),
        spec.display()
    ))?;
    let goal = Goal::Outcome("None | None | 1".to_owned());
    for name in ["Tally", "Atomic"] {
        let make = format!("racyext.{name}()");
        let threads: [&[&str]; 2] = [&["o.add(1)"], &["o.add(2)"]];
        let scenario = cases::scenario("import racyext", &make, &threads, "o.value()");
        let found = explain(
            &vm,
            &scenario,
            std::slice::from_ref(&goal),
            &Budget::default(),
        )?;
        let answer = &found.answers[0];
        assert_eq!(Owner::of(answer), Owner::VmOrExtension, "{name}: {answer}");
        assert_eq!(grade(&scenario, &found.code, answer).0, Grade::Forbidden);
    }
    Ok(())
}

/// A scenario that a VM cannot run is no answer on it.
fn unable() -> Result<(), Failed> {
    let vm = Vm::open("python3")?;
    let case = cases::named("lost update");
    let mut scenario = case.scenario();
    scenario.context.prelude = "raise ImportError('not here')".to_owned();
    let found = explain(&vm, &scenario, &[case.goal()], &Budget::default())?;
    let Answer::Undecided { why } = &found.answers[0] else {
        return Err(format!("{}", found.answers[0]).into());
    };
    assert!(why.contains("does not run here"), "{why}");
    Ok(())
}

/// MicroPython stops threads at no bytecode: said so, and nobody is blamed.
fn without_means(spec: &Path) -> Result<(), Failed> {
    let case = cases::named("lost update");
    let found = ask(&open(spec), case);
    let Answer::Undecided { why } = &found.answers[0] else {
        return Err(format!("{}", found.answers[0]).into());
    };
    assert!(why.contains("no sys.monitoring"), "{why}");
    assert_eq!(Owner::of(&found.answers[0]), Owner::Undecided);
    Ok(())
}
