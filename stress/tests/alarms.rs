//! Alarms in the slot: what one thread alone raises too is no race.

use threadbare_stress::campaign::settle::run_alone;
use threadbare_stress::choice::Seeded;
use threadbare_stress::scenario::Shape;
use threadbare_stress::scenario::generate::{Limits, generate};
use threadbare_stress::subject::parse;
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
    def two(self):
        self.by.add(threading.get_ident())
        if len(self.by) > 1:
            raise SystemError("two threads were here")
"""
make = ["Touched()"]
final = "0"
silent = ["o.OPERATION()"]
"#;

/// Kinds of verdict of one operation, run by two threads on the slot of a real interpreter.
fn kinds(operation: &str) -> Vec<Kind> {
    let subject = parse("a test", &SUBJECT.replace("OPERATION", operation))
        .unwrap()
        .remove(0);
    let limits = Limits { threads: 2, ops: 1 };
    let mut scenario = generate(&subject, limits, &mut Seeded::new(1, &[]));
    scenario.shapes = vec![Shape::Slot];
    let vm = Vm::open("python3").unwrap();
    let judged = run_alone(&vm, &scenario, 1, 300).unwrap();
    judged.iter().map(|j| j.verdict.kind).collect()
}

#[test]
fn an_error_that_one_thread_raises_too_is_excused() {
    assert_eq!(kinds("alone"), []);
}

#[test]
fn an_error_that_takes_two_threads_is_reported() {
    assert!(kinds("two").contains(&Kind::Internal));
}
