//! Whose fault an unexplained outcome is, and how bad that makes it.
//!
//! | operations are | reached: Python code | out of reach: VM or extension | undecided |
//! |---|---|---|---|
//! | documented as atomic | forbidden: the library's Python code breaks the promise | forbidden | forbidden |
//! | not documented | interesting | forbidden; interesting where they go through a container | interesting |
//! | several steps | accepted | forbidden; accepted where they go through a container | accepted |
//! | documented as not atomic | accepted | accepted | accepted |
//!
//! *Reached* by a switch inside Python code that C code called in its middle (`o.sort(key=f)`) is undecided:
//! a VM with a GIL switches there too, and which of the two should have kept the other thread out is not
//! known. *Out of reach* means that the whole tree of orders was run: C code ran in one piece between
//! bytecodes there, so the outcome needs two threads inside the VM or an extension at once. That is
//! a fault, unless the operation itself is said to take several steps inside: an operation that is
//! marked as composite although it is a single call can only be marked for its documentation, and
//! going through a container's elements (`list(o)`, `x in o`, `o.extend(p)`, a loop) is documented as
//! one step nowhere. A bound on preemptions leaves the owner undecided.
//!
//! A deadlock, an exception that names the VM's inside and a check that is false are forbidden whatever was
//! promised, unless they are *reached*: then Python code does that by itself, and they are interesting.

use super::{Answer, Code};
use crate::scenario::Scenario;
use crate::subject::Guarantee;
use crate::verdict::Kind;
use crate::verdict::grade::Grade;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whose code gives the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// The operations' Python code, a library's included.
    PythonCode,
    /// The VM, or an extension's C, Cython or Rust.
    VmOrExtension,
    /// Not known.
    Undecided,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::PythonCode => "Python code",
            Self::VmOrExtension => "VM or extension",
            Self::Undecided => "undecided",
        })
    }
}

impl Owner {
    /// The owner that an answer tells.
    pub fn of(answer: &Answer) -> Self {
        match answer {
            Answer::Reachable(reached) if reached.called => Self::Undecided,
            Answer::Reachable(_) => Self::PythonCode,
            Answer::NotReachable {
                preemptions: None, ..
            } => Self::VmOrExtension,
            Answer::NotReachable { .. } | Answer::Undecided { .. } => Self::Undecided,
        }
    }
}

/// What decides a grade beside the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operations {
    Atomic,
    Silent,
    Steps,
    NotAtomic,
}

fn operations(scenario: &Scenario, code: &Code) -> Operations {
    let single = |t: usize, j: usize| {
        let row = code.effects.get(t);
        row.and_then(|r| r.get(j)).is_none_or(|steps| *steps <= 1)
    };
    match scenario.guarantee() {
        Guarantee::Atomic => Operations::Atomic,
        Guarantee::Silent => Operations::Silent,
        Guarantee::Composite => {
            let documented = scenario.threads.iter().enumerate().any(|(t, calls)| {
                calls
                    .iter()
                    .enumerate()
                    .any(|(j, c)| c.guarantee == Guarantee::Composite && single(t, j))
            });
            if documented {
                Operations::NotAtomic
            } else {
                Operations::Steps
            }
        }
    }
}

/// Grade of an unexplained outcome or exception by the answer to it, and why.
pub fn grade(scenario: &Scenario, code: &Code, answer: &Answer) -> (Grade, String) {
    let what = operations(scenario, code);
    let (grade, why) = match (Owner::of(answer), what) {
        (Owner::PythonCode, Operations::Atomic) => (
            Grade::Forbidden,
            "every operation is documented as atomic, and an order of the bytecodes of its Python code gives the outcome",
        ),
        (Owner::PythonCode, Operations::Silent) => (
            Grade::Interesting,
            "an order of bytecodes gives the outcome: the race is in Python code, not in the VM",
        ),
        (Owner::PythonCode, Operations::Steps | Operations::NotAtomic) => (
            Grade::Accepted,
            "an operation is several steps, and an order of them gives the outcome",
        ),
        (Owner::VmOrExtension, Operations::Atomic) => (
            Grade::Forbidden,
            "every operation is documented as atomic, and no order of bytecodes gives the outcome: the fault is inside the VM or an extension",
        ),
        (Owner::VmOrExtension, Operations::Silent) if code.walks => (
            Grade::Interesting,
            "no order of bytecodes gives the outcome, so it comes from inside the VM or an extension; going through a container that another thread changes is documented as one step nowhere",
        ),
        (Owner::VmOrExtension, Operations::Steps) if code.walks => (
            Grade::Accepted,
            "the outcome comes from inside the VM or an extension, which goes through a container that another thread changes; that is documented as one step nowhere",
        ),
        (Owner::VmOrExtension, Operations::Silent | Operations::Steps) => (
            Grade::Forbidden,
            "no order of bytecodes gives the outcome: two threads were inside the VM or an extension at once, and it did not keep them apart",
        ),
        (Owner::VmOrExtension, Operations::NotAtomic) => (
            Grade::Accepted,
            "the outcome comes from inside an operation that is documented as not atomic",
        ),
        (Owner::Undecided, Operations::Atomic) => (
            Grade::Forbidden,
            "every operation is documented as atomic, so some order must explain the outcome; whose fault it is, is undecided",
        ),
        (Owner::Undecided, Operations::Silent) => (
            Grade::Interesting,
            "no sequential order explains the outcome, the documentation says nothing about these operations, and whose fault it is, is undecided",
        ),
        (Owner::Undecided, Operations::Steps | Operations::NotAtomic) => (
            Grade::Accepted,
            "an operation is several steps or documented as not atomic; whether an order of its bytecodes gives the outcome is undecided",
        ),
    };
    (grade, why.to_owned())
}

/// Grade of a deadlock, of an exception that names the VM's inside or of a false check, and why, where an order
/// of bytecodes gives it or none raises it; of any other answer it stays as it is.
pub fn by_itself(kind: Kind, answer: &Answer) -> Option<(Grade, String)> {
    if Owner::of(answer) == Owner::VmOrExtension && kind == Kind::Internal {
        let why = "no order of bytecodes raises it: two threads were inside the VM or an extension at once, and it did not keep them apart";
        return Some((Grade::Forbidden, why.to_owned()));
    }
    let why = match kind {
        Kind::Deadlock => {
            "an order of bytecodes ends in it: Python code takes its own locks so, on any VM"
        }
        Kind::Internal => {
            "an order of bytecodes raises it: the race is in Python code, not in the VM"
        }
        _ => {
            "an order of bytecodes gives it: the race is in Python code, which left its own object so"
        }
    };
    (Owner::of(answer) == Owner::PythonCode).then(|| (Grade::Interesting, why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytecode::interleaving::Interleaving;
    use crate::bytecode::{Reached, Schedule};
    use crate::choice::Seeded;
    use crate::scenario::generate::{Limits, generate};
    use crate::subject::builtin;

    /// The table above, cell by cell: a grade for each answer.
    #[test]
    fn the_table_of_owners_and_grades() {
        let reached = Reached {
            schedule: Schedule("1:1".into()),
            preemptions: 1,
            executions: 2,
            called: false,
            interleaving: Interleaving::default(),
        };
        let called = Answer::Reachable(Box::new(Reached {
            called: true,
            ..reached.clone()
        }));
        let reached = Answer::Reachable(Box::new(reached));
        let out = Answer::NotReachable {
            preemptions: None,
            executions: 6,
        };
        let bounded = Answer::NotReachable {
            preemptions: Some(2),
            executions: 6,
        };
        let undecided = Answer::Undecided { why: "x".into() };
        let subject = &builtin::all()[0];
        let mut scenario = generate(subject, Limits::default(), &mut Seeded::new(1, &[]));
        use Grade::{Accepted, Forbidden, Interesting};
        let table = [
            (
                Guarantee::Atomic,
                3,
                false,
                [Forbidden, Forbidden, Forbidden],
            ),
            (
                Guarantee::Atomic,
                3,
                true,
                [Forbidden, Forbidden, Forbidden],
            ),
            (
                Guarantee::Silent,
                3,
                false,
                [Interesting, Forbidden, Interesting],
            ),
            (
                Guarantee::Silent,
                3,
                true,
                [Interesting, Interesting, Interesting],
            ),
            (
                Guarantee::Composite,
                3,
                false,
                [Accepted, Forbidden, Accepted],
            ),
            (
                Guarantee::Composite,
                3,
                true,
                [Accepted, Accepted, Accepted],
            ),
            (
                Guarantee::Composite,
                1,
                false,
                [Accepted, Accepted, Accepted],
            ),
        ];
        for (guarantee, steps, walks, grades) in table {
            for call in scenario.threads.iter_mut().flatten() {
                call.guarantee = guarantee;
            }
            let code = Code {
                walks,
                lifetime: false,
                effects: scenario
                    .threads
                    .iter()
                    .map(|calls| vec![steps; calls.len()])
                    .collect(),
            };
            for (answer, expected) in [&reached, &out, &undecided].into_iter().zip(grades) {
                let (got, why) = grade(&scenario, &code, answer);
                assert_eq!(got, expected, "{guarantee:?} {steps} {walks} {answer}");
                let blames = why.contains("the fault is inside") || why.contains("did not keep");
                assert!(
                    !blames || Owner::of(answer) == Owner::VmOrExtension,
                    "{answer}: {why}"
                );
            }
            for other in [&bounded, &called] {
                assert_eq!(
                    grade(&scenario, &code, other),
                    grade(&scenario, &code, &undecided)
                );
            }
        }
    }
}
