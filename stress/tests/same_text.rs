//! A job and a script of the same scenario say the same of it: the outcomes of all sequential
//! orders, as text, from both, on every VM that is here.

use std::collections::BTreeSet;
use std::path::Path;
use threadbare_stress::campaign::process::execute;
use threadbare_stress::choice::{Choices, Seeded};
use threadbare_stress::finding::script::{Head, script};
use threadbare_stress::scenario::generate::{Limits, nth};
use threadbare_stress::scenario::tuning::USUAL;
use threadbare_stress::scenario::{Scenario, Shape};
use threadbare_stress::subject::{builtin, parse};
use threadbare_stress::verdict::Kind;
use threadbare_stress::vm::{Vm, candidates};

/// Values of all kinds, and expressions that raise.
const LEAVES: &[&str] = &[
    "None",
    "True",
    "1",
    "-7",
    "10 ** 30",
    "1.5",
    "-0.0",
    "'x'",
    "'!SystemError: no'",
    "'it\\'s \"q\"'",
    "'a | b'",
    "''",
    "b'\\\\x00z'",
    "V[3]",
    "Tok(9)",
    "[]",
    "()",
    "{}",
    "range(3)",
    "bytearray(b'ab')",
    "object()",
    "repr(V[2])",
    "str([V[1], Tok(5)])",
    "L([1, 2])",
    "S('sub')",
    "D(a=1)",
];
const RAISING: &[&str] = &[
    "[][1]",
    "{}['k']",
    "int('x')",
    "None.x",
    "next(iter(()))",
    "1 // 0",
    "fail(SystemError('a | b'))",
    "fail(RuntimeError(repr(V[4])))",
    "fail(ValueError('!' * 300))",
    "fail(KeyError('t'))",
];

/// An expression that nests the leaves.
fn expression(choices: &mut Seeded, depth: usize) -> String {
    let leaf = |c: &mut Seeded| LEAVES[c.below(LEAVES.len())].to_owned();
    if depth == 0 {
        return leaf(choices);
    }
    match choices.below(8) {
        0 => RAISING[choices.below(RAISING.len())].to_owned(),
        1 => leaf(choices),
        2 => format!(
            "[{} for _ in range({})]",
            expression(choices, depth - 1),
            [3, 64, 65, 200][choices.below(4)]
        ),
        3 => format!(
            "({}, {})",
            expression(choices, depth - 1),
            expression(choices, depth - 1)
        ),
        4 => format!(
            "{{{}: {}}}",
            choices.below(9),
            expression(choices, depth - 1)
        ),
        5 => format!("set([1, 'b', {}])", choices.below(100)),
        6 => format!("frozenset(range({}))", [0, 5, 64, 90][choices.below(4)]),
        _ => format!("[{}]", expression(choices, depth - 1)),
    }
}

/// A scenario whose results and final state are these.
fn scenario(exprs: &[String; 3]) -> Scenario {
    let text = "[[subject]]\nname = 'text'\ndoc = 'd'\nprelude = \"\"\"\nclass L(list):\n    pass\n\n\nclass S(str):\n    pass\n\n\n\
                class D(dict):\n    pass\n\n\ndef fail(e):\n    raise e\n\"\"\"\nmake = ['[0]']\nfinal = '0'\nsilent = ['1', '2']\n";
    let mut scenario = nth(&parse("a test", text).unwrap()[0], 1, 0, Limits::default());
    scenario.shapes = vec![Shape::Stride];
    // Put in here: what stands in braces would be filled in as a placeholder.
    for (thread, code) in scenario.threads.iter_mut().zip(&exprs[1..]) {
        thread[0].code.clone_from(code);
    }
    scenario.context.observe.clone_from(&exprs[0]);
    scenario
}

/// What the harness says that the orders give.
fn by_job(vm: &Vm, scenarios: &[Scenario]) -> Vec<Option<BTreeSet<String>>> {
    let log = execute(vm, scenarios, 1, 5, true, false).unwrap();
    let mut said = vec![None; scenarios.len()];
    for history in log.histories {
        if history.unsupported.is_none() {
            said[history.id] = Some(history.sequential);
        }
    }
    said
}

/// What the script says: as far as its orders, then each on a line.
fn by_script(vm: &Vm, dir: &Path, scenario: &Scenario) -> BTreeSet<String> {
    let head = Head {
        kind: Kind::Outcome,
        vm: "a test",
        detail: "",
        why: "",
        gil: true,
        tuning: &USUAL,
    };
    let text = script(scenario, &head);
    let (orders, _) = text.split_once("def fill(").unwrap();
    let file = dir.join("orders.py");
    let text = format!(
        "{orders}\nfor one in sorted(explained):\n    print('>' + one.replace('\\n', '<newline>'))\n"
    );
    std::fs::write(&file, text).unwrap();
    let output = vm.command(&file).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{scenario}\n{errors}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines.lines().filter_map(|l| l.strip_prefix('>'));
    lines.map(|l| l.replace("<newline>", "\n")).collect()
}

/// The VMs of this machine that are worth it: python3 always, the small ones where they were built.
fn vms() -> Vec<Vm> {
    let small = candidates().into_iter().filter(|c| {
        ["/bin/micropython", "/bin/rustpython"]
            .iter()
            .any(|end| c.ends_with(end))
    });
    let mut vms = vec![Vm::open("python3").expect("python3 is on PATH")];
    vms.extend(small.filter_map(|c| Vm::open(&c).ok()));
    vms
}

fn compare(vm: &Vm, scenarios: &[Scenario]) -> usize {
    let dir = tempfile::tempdir().unwrap();
    let mut compared = 0;
    for (scenario, said) in scenarios.iter().zip(by_job(vm, scenarios)) {
        let Some(said) = said else { continue };
        let title = vm.facts.title();
        assert_eq!(
            by_script(vm, dir.path(), scenario),
            said,
            "{title}: {scenario}"
        );
        compared += 1;
    }
    compared
}

#[test]
fn values_of_all_kinds_have_one_text() {
    let seed = 20_261_129;
    let mut choices = Seeded::new(seed, &["same text"]);
    let scenarios: Vec<Scenario> = (0..40)
        .map(|_| scenario(&std::array::from_fn(|_| expression(&mut choices, 5))))
        .collect();
    for vm in vms() {
        let compared = compare(&vm, &scenarios);
        // MicroPython lacks some of the values.
        assert!(
            compared >= 20,
            "{}: only {compared}, seed {seed}",
            vm.facts.title()
        );
    }
}

#[test]
fn scenarios_of_the_shipped_subjects_have_one_text() {
    let names = [
        "list",
        "dict",
        "set",
        "bytearray",
        "deque",
        "OrderedDict",
        "array",
    ];
    let mut scenarios = Vec::new();
    for name in names {
        let subject = builtin::select(&[name.to_owned()]).unwrap().remove(0);
        for k in [0, 2, 4] {
            let mut scenario = nth(&subject, 3, k, Limits::default());
            scenario.shapes = vec![Shape::Stride];
            scenarios.push(scenario);
        }
    }
    let vm = Vm::open("python3").expect("python3 is on PATH");
    assert_eq!(compare(&vm, &scenarios), scenarios.len());
}

/// A script is one file: what a subject defines must not hide what the script goes on to use.
#[test]
fn no_shipped_subject_hides_a_name_of_the_scripts() {
    let defined = |text: &str| -> BTreeSet<String> {
        let name = |line: &str| {
            let rest = line
                .strip_prefix("def ")
                .or_else(|| line.strip_prefix("class "));
            let end = rest.map_or_else(|| line.find(" = "), |r| r.find(['(', ':']));
            let name = rest.unwrap_or(line).get(..end?)?;
            let plain = name.chars().all(|c| c.is_alphanumeric() || c == '_');
            (plain && !name.is_empty()).then(|| name.to_owned())
        };
        text.lines().filter_map(name).collect()
    };
    let mut scenario = scenario(&["1".into(), "1".into(), "1".into()]);
    scenario.context.prelude.clear();
    let mut names = BTreeSet::new();
    for (shape, kind) in [(Shape::Stride, Kind::Outcome), (Shape::Slot, Kind::Leak)] {
        scenario.shapes = vec![shape];
        let head = Head {
            kind,
            vm: "",
            detail: "",
            why: "",
            gil: false,
            tuning: &USUAL,
        };
        names.extend(defined(&script(&scenario, &head)));
    }
    assert!(names.contains("render") && names.contains("V") && names.contains("at_rest"));
    for subject in builtin::all() {
        let hidden: Vec<_> = defined(&subject.prelude)
            .intersection(&names)
            .cloned()
            .collect();
        assert!(hidden.is_empty(), "{} hides {hidden:?}", subject.name);
    }
}
