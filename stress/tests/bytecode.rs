//! Faults whose owner is known, each beside its repaired twin: the bytecode-level oracle must name the
//! right owner or none, on a VM with a GIL and on one without. At the end it prints who was named for each, and
//! what that took: `cargo test --release --test bytecode`.

#[path = "bytecode/cases.rs"]
mod cases;
#[path = "bytecode/here.rs"]
mod here;

use self::cases::{CASES, Case, Expected};
use self::here::{cached, compile, extensions, free_threaded, headers};
use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use threadbare_stress::bytecode::owner::{Owner, by_itself, grade};
use threadbare_stress::bytecode::{
    Answer, Budget, Explanation, Goal, Schedule, explain, explain_one, replay,
};
use threadbare_stress::scenario::Scenario;
use threadbare_stress::subject::Guarantee;
use threadbare_stress::verdict::grade::Grade;
use threadbare_stress::vm::Vm;

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    // Not here: said to be ignored, and why; never green.
    let mut trial = |name: String,
                     missing: Option<&str>,
                     run: Box<dyn FnOnce() -> Result<(), Failed> + Send>| {
        let name = match missing {
            Some(why) => format!("{name} (ignored: {why})"),
            None => name,
        };
        trials.push(Trial::test(name, run).with_ignored_flag(missing.is_some()));
    };
    for (name, spec, missing) in [
        ("python3", Some(PathBuf::from("python3")), ""),
        (
            "free-threaded",
            free_threaded(),
            "no free-threaded CPython, see ci/vm/cpython-ft.sh",
        ),
    ] {
        let absent = spec.is_none().then_some(missing);
        let spec = spec.unwrap_or_default();
        for case in CASES {
            let spec = spec.clone();
            trial(
                format!("{name}: {}", case.name),
                absent,
                Box::new(move || right_owner(&open(&spec), case)),
            );
        }
        type Check = fn(&Vm) -> Result<(), Failed>;
        let checks: [(&str, Check); 7] = [
            ("a write that no code names is seen", hidden_writes),
            ("a schedule given back gives the same", schedules),
            ("what cannot be decided is said", undecided),
            ("a bound is stated", bounded),
            ("a record of real time is kept to", in_time),
            ("an interleaving is a few lines", lines),
            ("what tells of the VM's inside may be Python code's", alarms),
        ];
        for (what, check) in checks {
            let spec = spec.clone();
            trial(
                format!("{name}: {what}"),
                absent,
                Box::new(move || check(&open(&spec))),
            );
        }
        // So many that each kind of object is a trial of its own.
        for group in cases::READS {
            let spec = spec.clone();
            trial(
                format!("{name}: every way to read {} is a switch point", group.0),
                absent,
                Box::new(move || reads(&open(&spec), group)),
            );
        }
        let headers = headers(&spec);
        for case in cases::C_EXTENSIONS {
            let (spec, headers) = (spec.clone(), headers.clone());
            trial(
                format!("{name}: {}", case.name),
                headers.is_none().then_some("no headers of this VM"),
                Box::new(move || {
                    let folder = tempfile::tempdir()?;
                    compile(&headers.unwrap_or_default(), folder.path())?;
                    extension(&open(&spec), folder.path(), case)
                }),
            );
        }
    }
    let (spec, folder) = (free_threaded().unwrap_or_default(), extensions());
    for case in cases::BUILT_EXTENSIONS {
        let (spec, folder) = (spec.clone(), folder.clone());
        trial(
            format!("free-threaded: {}", case.name),
            folder
                .is_none()
                .then_some("not built, run ci/vm/racy-extensions.sh"),
            Box::new(move || extension(&open(&spec), &folder.unwrap_or_default(), case)),
        );
    }
    trial(
        "a scenario that does not run here says so".into(),
        None,
        Box::new(unable),
    );
    let micropython = cached("micropython-1.26.1/bin/micropython");
    trial(
        "a VM that cannot stop at bytecodes says so".into(),
        micropython
            .is_none()
            .then_some("no MicroPython, see ci/vm/micropython.sh"),
        Box::new(move || without_means(&micropython.unwrap_or_default())),
    );
    let conclusion = libtest_mimic::run(&arguments, trials);
    let mut named = NAMED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    named.sort();
    println!("{}", named.join("\n"));
    let took = TOOK.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if !took.is_empty() {
        let median = |of: fn(&(f64, f64)) -> f64| {
            let mut all: Vec<f64> = took.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        println!(
            "{} times the owner that a fault has, median of a search {:.3} s, {:.3} s of the processor",
            took.len(),
            median(|t| t.0),
            median(|t| t.1)
        );
    }
    conclusion.exit();
}

/// Seconds of the searches for them, and those of the processor.
static TOOK: Mutex<Vec<(f64, f64)>> = Mutex::new(Vec::new());

/// Who was named, a line each.
static NAMED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Each is looked at once: that takes longer than most searches.
fn open(spec: &Path) -> Vm {
    static OPENED: Mutex<BTreeMap<PathBuf, Vm>> = Mutex::new(BTreeMap::new());
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let vm = opened.entry(spec.to_owned());
    vm.or_insert_with(|| Vm::open(&spec.display().to_string()).expect("the VM opens"))
        .clone()
}

fn ask(vm: &Vm, case: &Case) -> Explanation {
    // A machine on which other programs have the processors needs many times what the search takes.
    let budget = Budget {
        seconds: 60.0,
        ..Budget::default()
    };
    explain(vm, &case.scenario(), &[case.goal()], &budget).expect("the VM starts")
}

/// The owner that the case has, and a grade that blames the VM only where it is the VM's.
fn right_owner(vm: &Vm, case: &Case) -> Result<(), Failed> {
    let found = ask(vm, case);
    judged(case.name, vm, &case.scenario(), &found, case.expected);
    Ok(())
}

fn judged(name: &str, vm: &Vm, scenario: &Scenario, found: &Explanation, expected: Expected) {
    let answer = &found.answers[0];
    let owner = Owner::of(answer);
    let reached = match answer {
        Answer::Reachable(reached) => Some((reached.preemptions, reached.called)),
        _ => None,
    };
    let (right, at) = match expected {
        Expected::Python { preemptions } => (Owner::PythonCode, Some((preemptions, false))),
        Expected::Vm => (Owner::VmOrExtension, None),
        Expected::Called => (Owner::Undecided, Some((1, true))),
    };
    assert_eq!((owner, reached), (right, at), "{name}: {answer}");
    assert_eq!(scenario.guarantee(), Guarantee::Silent);
    let (got, why) = grade(scenario, &found.code, answer);
    if owner != Owner::VmOrExtension {
        assert_eq!(got, Grade::Interesting, "{why}");
    } else if !found.code.walks {
        assert_eq!(got, Grade::Forbidden, "{why}");
    }
    TOOK.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push((found.seconds, found.processor));
    NAMED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(format!(
            "{name:<52} {:<30} {owner:<16} {:>5} executions {:>8.3} s",
            vm.facts.title(),
            found.executions,
            found.seconds
        ));
}

/// One thread takes a shared object, then reads a flag, then looks into the object; the other sets the flag
/// and changes the object. That the flag is not seen and the change is needs a switch just before the look.
fn reads(vm: &Vm, (at_first, change, looks): &cases::Reads) -> Result<(), Failed> {
    for (look, value) in *looks {
        let prelude = format!(
            "class Shared(object):\n    def __init__(self):\n        self.x = {at_first}\n        self.flag = 0\n\n    \
                 def read(self):\n        x = self.x\n        k = self.flag\n        {look}\n        return (k, v)\n\n    \
                 def write(self):\n        self.flag = 1\n        {change}\n"
        );
        let scenario = cases::scenario(&prelude, "Shared()", &[&["o.read()"], &["o.write()"]], "0");
        let goal = Goal::Outcome(format!("(0, {value}) | None | 0"));
        let found = explain(vm, &scenario, &[goal], &Budget::default())?;
        let answer = &found.answers[0];
        if !matches!(answer, Answer::Reachable(_)) {
            return Err(format!("{look} of {at_first}: {answer}").into());
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
            Goal::Outcome(text) | Goal::InTime { outcome: text, .. } => text,
            Goal::Deadlock => "deadlock".to_owned(),
            other => return Err(format!("{other} is no outcome").into()),
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

/// What a thread did is seen by one that begins later, but where the operations themselves look elsewhere.
fn in_time(vm: &Vm) -> Result<(), Failed> {
    let owner = |make: &str, later: &[&str], goal: Goal| -> Result<Owner, Failed> {
        let last = "sum([len(x) for x in o.lists.values()])";
        let scenario = cases::scenario(cases::LATE, make, &[&["o.put()"], later], last);
        let found = explain(vm, &scenario, &[goal], &Budget::default())?;
        Ok(Owner::of(&found.answers[0]))
    };
    let of = |outcome: &str, order: &str| Goal::InTime {
        outcome: outcome.to_owned(),
        order: order.to_owned(),
    };
    let (once, twice) = (&["o.count()"][..], &["o.count()", "o.count()"][..]);
    let unseen = of("None | 0 | 1", "2.1 after 1.1");
    assert_eq!(owner("Own()", once, unseen.clone())?, Owner::PythonCode);
    assert_eq!(owner("Shared()", once, unseen)?, Owner::VmOrExtension);
    let without = Goal::Outcome("None | 0 | 1".to_owned());
    assert_eq!(owner("Shared()", once, without)?, Owner::PythonCode);
    // In the middle of a thread, which has to wait there.
    let of_second = |outcome| of(outcome, "2.2 after 1.1");
    let seen = of_second("None | 0 | 1 | 1");
    assert_eq!(owner("Shared()", twice, seen)?, Owner::PythonCode);
    let unseen = of_second("None | 0 | 0 | 1");
    assert_eq!(owner("Own()", twice, unseen.clone())?, Owner::PythonCode);
    assert_eq!(owner("Shared()", twice, unseen)?, Owner::VmOrExtension);
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

/// What two threads inside an extension give is not Python code's, whether the extension can do it or
/// not: asked of the repaired twin, which never gives it, the answer is the same.
fn extension(vm: &Vm, folder: &Path, case: &cases::Extension) -> Result<(), Failed> {
    let vm = vm.with_environment("PYTHONPATH", &folder.display().to_string());
    let goal = Goal::Outcome(case.goal.to_owned());
    for make in case.makes {
        let prelude = format!("import {}", case.module);
        let scenario = cases::scenario(&prelude, make, &case.threads, case.observe);
        let goals = std::slice::from_ref(&goal);
        let found = explain(&vm, &scenario, goals, &Budget::default())?;
        judged(
            &format!("{}, {make}", case.name),
            &vm,
            &scenario,
            &found,
            case.expected,
        );
    }
    Ok(())
}

/// An exception that names the VM's inside and a check that is false are Python code's where an order of
/// bytecodes gives them, and never the repaired twin's.
fn alarms(vm: &Vm) -> Result<(), Failed> {
    for alarm in cases::ALARMS {
        let [faulty, repaired] = alarm.makes;
        let goal = Goal::of(alarm.kind, alarm.detail, None).ok_or("it is not asked about")?;
        let ask = |make: &str| {
            let threads = alarm.threads.map(|code| [code]);
            let threads = [&threads[0][..], &threads[1]];
            let mut scenario = cases::scenario(alarm.prelude, make, &threads, "None");
            scenario.context.check = alarm.check.map(str::to_owned);
            // An alarm of the repaired twin is undecided, however long two rounds are searched.
            let seconds = match goal {
                Goal::Alarm(_) => 2.0,
                _ => 60.0,
            };
            let budget = Budget {
                seconds,
                ..Budget::default()
            };
            let found = explain_one(vm, &scenario, &goal, &budget)?;
            Ok::<_, Failed>(found.answers[0].clone())
        };
        let answer = ask(faulty)?;
        assert_eq!(Owner::of(&answer), Owner::PythonCode, "{goal}: {answer}");
        let graded = by_itself(alarm.kind, &answer).map(|(grade, _)| grade);
        assert_eq!(graded, Some(Grade::Interesting), "{goal}");
        // Nothing gives it there but a fault below; of an object that had been through more rounds two say nothing.
        let answer = ask(repaired)?;
        let owner = match goal {
            Goal::Alarm(_) => Owner::Undecided,
            _ => Owner::VmOrExtension,
        };
        assert_eq!(Owner::of(&answer), owner, "{goal}: {answer}");
    }
    Ok(())
}

/// A scenario that a VM cannot run is no answer on it.
fn unable() -> Result<(), Failed> {
    let vm = open(Path::new("python3"));
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
