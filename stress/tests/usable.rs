//! What the shipped subjects are worth on the VMs at hand: none is dead text, and the inventory of native types and
//! functions is real.

use std::collections::BTreeSet;
use std::path::PathBuf;
use threadbare_stress::introspect::{Inventory, Unusable, reached_by, unasked};
use threadbare_stress::subject::{Guarantee, Subject, builtin, parse};
use threadbare_stress::vm::Vm;

/// A free-threaded CPython: the variable, else what `ci/vm/cpython-ft.sh` built.
fn free_threaded() -> Option<Vm> {
    let built = || {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let cache =
            cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
        let path = cache.join("threadbare/vm/cpython-3.13.5-ft/bin/python3.13t");
        path.is_file().then_some(path)
    };
    let path = std::env::var_os("THREADBARE_FT_PYTHON").map(PathBuf::from);
    let path = path.or_else(built)?;
    Some(Vm::open(&path.display().to_string()).unwrap_or_else(|e| panic!("{e}")))
}

/// What the machine's python3 and, where it is there, a free-threaded CPython make of the subjects.
fn made_of(subjects: &[Subject]) -> Vec<Inventory> {
    let mut vms = vec![Vm::open("python3").expect("python3 is on PATH")];
    vms.extend(free_threaded());
    vms.iter()
        .map(|vm| reached_by(vm, subjects).unwrap_or_else(|e| panic!("{e}")))
        .collect()
}

/// Subjects and operations that work on none of them, though all modules that they name are there.
fn dead(subjects: &[Subject], made: &[Inventory]) -> Vec<String> {
    let here = |made: &Inventory| -> BTreeSet<(String, Option<String>)> {
        let unusable = made.unusable.iter();
        unusable
            .map(|u| (u.subject.clone(), u.op.clone()))
            .collect()
    };
    let mut everywhere: Option<BTreeSet<_>> = None;
    for made in made {
        let here = here(made);
        everywhere = Some(match everywhere {
            Some(before) => before.intersection(&here).cloned().collect(),
            None => here,
        });
    }
    let everywhere = everywhere.unwrap_or_default();
    let lacks_module = |subject: &str| {
        let lacks = |u: &Unusable| {
            u.subject == subject && u.op.is_none() && u.why.starts_with("ModuleNotFoundError")
        };
        made.iter().all(|m| m.unusable.iter().any(lacks))
    };
    assert!(!subjects.is_empty());
    everywhere
        .into_iter()
        .filter(|(subject, _)| !lacks_module(subject))
        .map(|(subject, op)| {
            let why = made.last().and_then(|m| {
                let found = m
                    .unusable
                    .iter()
                    .find(|u| u.subject == subject && u.op == op);
                found.map(|u| u.why.clone())
            });
            format!(
                "{subject}: {}: {}",
                op.unwrap_or_default(),
                why.unwrap_or_default()
            )
        })
        .collect()
}

/// What needs a newer VM than python3 may be, with the reason.
const NEWER: &[(&str, &str)] = &[("running.monitored", "sys.monitoring, Python 3.12")];

#[test]
fn every_shipped_subject_and_operation_works_somewhere() {
    let subjects = builtin::all();
    let made = made_of(&subjects);
    let mut dead = dead(&subjects, &made);
    if made.len() < 2 {
        dead.retain(|line| !NEWER.iter().any(|(name, _)| line.starts_with(name)));
    }
    assert_eq!(dead, Vec::<String>::new());
}

#[test]
fn a_subject_of_dead_text_is_told() {
    let text = r#"
[[subject]]
name = "dead"
doc = "a fixture"
prelude = '''
SOURCE = compile("a = 1\\nb = 2", "f", "exec")
'''
make = ["[]"]
final = "len(o)"
silent = ["o.append(1)"]
[[subject]]
name = "half"
doc = "a fixture"
make = ["[]"]
final = "len(o)"
silent = ["o.append(1)", "apend(o, 1)"]
[[subject]]
name = "elsewhere"
doc = "a fixture"
requires = ["no_such_module_anywhere"]
make = ["[]"]
final = "len(o)"
silent = ["o.append(1)"]
"#;
    let subjects = parse("a test", text).unwrap();
    let told = dead(&subjects, &made_of(&subjects));
    let names: Vec<&str> = told.iter().filter_map(|l| l.split(':').next()).collect();
    assert_eq!(names, ["dead", "half"], "{told:#?}");
}

#[test]
fn an_inventory_has_what_the_vm_has_and_says_what_reaches_it() {
    let list = builtin::select(&["list".to_owned()]).unwrap();
    let vm = Vm::open("python3").unwrap();
    let made = reached_by(&vm, &list).unwrap();
    let item = |name: &str| {
        let found = made.items.iter().find(|i| i.name == name);
        found.unwrap_or_else(|| panic!("no {name} among {} items", made.items.len()))
    };
    assert!(item("builtins:list").reached.contains("list"));
    assert!(item("_collections:deque").reached.is_empty());
    assert!(item("posix:kill()").shunned.is_some() && item("zlib:crc32()").shunned.is_none());
    // What is Python text is not on it.
    assert!(
        !made
            .items
            .iter()
            .any(|i| i.name.contains("OrderedDictView"))
    );
}

#[test]
fn what_nobody_named_promises_nothing_and_does_no_harm() {
    let vm = Vm::open("python3").unwrap();
    let deque = unasked(&vm, "_collections:deque").unwrap().subject;
    assert!(deque.ops.len() > 10);
    let composite = |s: &Subject| s.ops.iter().all(|op| op.guarantee == Guarantee::Composite);
    assert!(composite(&deque));
    // Two of them are shared, and each is added to the other.
    let has = |code: &str| deque.ops.iter().any(|op| op.code == code);
    assert!(has("o[0].extend(o[1])") && has("o[1].extend(o[0])"));
    assert!(
        has("o[0].clear()")
            && !has("o[1].clear()")
            && !deque.ops.iter().any(|op| op.code.contains("MK()"))
    );
    let posix = unasked(&vm, "posix:").unwrap();
    let calls = |name: &str| posix.subject.ops.iter().any(|op| op.code.contains(name));
    assert!(calls("o.getpid(") && !calls("o.kill") && !calls("o.dup") && !calls("o.setuid"));
    assert!(posix.left_out.iter().any(|(what, _)| what == "o.setuid"));
}
