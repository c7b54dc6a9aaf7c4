//! What is no race: an alarm that one thread alone raises too, a set-up that fails, a result that
//! refuses to be hashed.

use threadbare_stress::campaign::process::run_alone;
use threadbare_stress::campaign::support;
use threadbare_stress::choice::Seeded;
use threadbare_stress::scenario::Shape;
use threadbare_stress::scenario::generate::{Limits, generate};
use threadbare_stress::subject::{builtin, parse};
use threadbare_stress::verdict::Kind;
use threadbare_stress::vm::Vm;

/// An object that knows which threads used it.
const SUBJECT: &str = r#"
[[subject]]
name = "touched"
doc = "a fixture"
prelude = """
import threading
class Touched(object):
    def __init__(self):
        self.by = set()
    def alone(self):
        raise SystemError("also in one thread")
    def two(self, error=SystemError):
        self.by.add(threading.get_ident())
        if len(self.by) > 1:
            raise error("two threads were here")
    def recursion(self):
        self.two(RecursionError)
    def assertion(self):
        self.two(AssertionError)
    def key(self):
        self.two(KeyError)
    def refuses(self):
        return Refuses()
class Refuses(object):
    def __hash__(self):
        raise ValueError("no hash")
MADE = []
def few():
    MADE.append(1)
    if len(MADE) > 2000:
        raise OSError(24, "Too many open files")
    return Touched()
"""
make = ["MAKE()"]
final = "0"
silent = ["o.OPERATION()"]
"#;

/// Kinds of verdict of one operation, run by two threads on a real interpreter.
fn kinds(make: &str, operation: &str, shape: Shape) -> Vec<Kind> {
    let text = SUBJECT.replace("OPERATION", operation);
    let subject = parse("a test", &text.replace("MAKE", make))
        .unwrap()
        .remove(0);
    let limits = Limits { threads: 2, ops: 1 };
    let mut scenario = generate(&subject, limits, &mut Seeded::new(1, &[]));
    scenario.shapes = vec![shape];
    let vm = Vm::open("python3").unwrap();
    let judged = run_alone(&vm, &scenario, 1, 300).unwrap();
    judged.iter().map(|j| j.verdict.kind).collect()
}

#[test]
fn an_error_that_one_thread_raises_too_is_excused() {
    assert_eq!(kinds("Touched", "alone", Shape::Slot), []);
}

#[test]
fn an_error_that_takes_two_threads_is_reported() {
    for of_the_vm in ["two", "recursion", "assertion"] {
        let found = kinds("Touched", of_the_vm, Shape::Slot);
        assert!(found.contains(&Kind::Internal), "{of_the_vm}: {found:?}");
    }
    assert_eq!(kinds("Touched", "key", Shape::Slot), []);
}

#[test]
fn a_set_up_that_fails_is_no_verdict() {
    assert_eq!(kinds("few", "refuses", Shape::Stride), []);
}

#[test]
fn a_result_that_refuses_to_be_hashed_is_no_verdict() {
    assert_eq!(kinds("Touched", "refuses", Shape::Stride), []);
}

/// What one thread alone does not survive is told of the VM: it must not be the subject's own endless reading.
#[test]
fn the_subjects_that_wait_are_not_broken_by_themselves() {
    let vm = Vm::open("python3").unwrap();
    let mut tried = 0;
    for subject in builtin::all()
        .iter()
        .filter(|s| s.name.starts_with("wait."))
    {
        let supported = support::of(&vm, subject).unwrap();
        let broken = |(_, why): &&(String, String)| why.starts_with(support::BROKEN_ALONE);
        let broken: Vec<_> = supported.lacking.iter().filter(broken).collect();
        assert!(broken.is_empty(), "{}: {broken:?}", subject.name);
        tried += 1;
    }
    assert!(tried > 5, "{tried}");
}
