//! Straight-line programs with forward jumps, for the explorer's own tests.
#![allow(dead_code, missing_docs)]

pub mod cases;
pub mod linear;
pub mod orbits;
pub mod random;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use threadbare_litmus::Explorer;
use threadbare_litmus::explore::Model;
use threadbare_litmus::explore::program::{
    Location, LocationInfo, MemoryOrder, Op, Program, Step, Update, Value, Wait,
};

/// One instruction; operations refer to earlier answers by their index in the thread.
#[derive(Clone, PartialEq, Debug)]
pub enum Ins {
    Op(Op),
    /// Stores the latest answer plus a number.
    StoreLast(u32, MemoryOrder, Value),
    /// Leaves out the next `n` instructions unless the latest answer is the value.
    SkipUnless(Value, usize),
    /// Blocks unless the latest answer is the value.
    Assume(Value),
    /// Reads until it is a value; an execution in which it never is is of no interest.
    Await(u32, MemoryOrder, Value),
    /// Waits for a value: a deadlock where it never comes.
    Wait(u32, MemoryOrder, Value),
    /// Waits for 0 and makes it 1.
    Lock(u32),
    /// Fails if the latest answer is the value.
    FailIf(Value),
}

#[derive(Clone, Debug)]
pub struct Straight {
    pub threads: Vec<Vec<Ins>>,
    pub locations: u32,
    pub initial: Value,
}

impl Straight {
    pub fn new(threads: Vec<Vec<Ins>>) -> Self {
        let locations = threads
            .iter()
            .flatten()
            .filter_map(location)
            .max()
            .unwrap_or(0)
            + 1;
        Self {
            threads,
            locations,
            initial: 0,
        }
    }
}

fn location(ins: &Ins) -> Option<u32> {
    match ins {
        Ins::Op(op) => op.location().map(|l| l.0),
        Ins::StoreLast(l, ..) | Ins::Await(l, ..) | Ins::Wait(l, ..) | Ins::Lock(l) => Some(*l),
        _ => None,
    }
}

impl Program for Straight {
    fn threads(&self) -> usize {
        self.threads.len()
    }

    fn locations(&self) -> Vec<LocationInfo> {
        (0..self.locations)
            .map(|l| LocationInfo {
                name: format!("x{l}").into(),
                initial: self.initial,
                bits: 32,
            })
            .collect()
    }

    fn alike(&self, a: usize, b: usize) -> bool {
        self.threads[a] == self.threads[b]
    }

    fn step(&self, thread: usize, answers: &[Value]) -> Step {
        let code = &self.threads[thread];
        let (mut pc, mut given, mut last) = (0, answers.iter(), 0);
        while let Some(ins) = code.get(pc) {
            pc += 1;
            let op = match ins {
                Ins::Op(op) => op.clone(),
                Ins::StoreLast(l, order, plus) => Op::Store {
                    location: Location(*l),
                    order: *order,
                    value: last + plus,
                },
                Ins::SkipUnless(value, n) => {
                    if last != *value {
                        pc += n;
                    }
                    continue;
                }
                Ins::Assume(value) => {
                    if last != *value {
                        return Op::Block {
                            wait: Wait::Assume,
                            reads: 1,
                        }
                        .into();
                    }
                    continue;
                }
                Ins::FailIf(value) => {
                    if last == *value {
                        return Op::Fail(format!("{value} was read").into()).into();
                    }
                    continue;
                }
                Ins::Await(l, order, _) | Ins::Wait(l, order, _) => Op::Await {
                    location: Location(*l),
                    order: *order,
                },
                Ins::Lock(l) => Op::AwaitExchange {
                    location: Location(*l),
                    expected: 0,
                    new: 1,
                    order: MemoryOrder::Acquire,
                },
            };
            let Some(&answer) = given.next() else {
                return op.into();
            };
            if !matches!(op, Op::Store { .. } | Op::Fence(_)) {
                last = answer;
            }
            let (waits_for, wait) = match ins {
                Ins::Await(_, _, value) => (*value, Wait::Assume),
                Ins::Wait(_, _, value) => (*value, Wait::Await),
                Ins::Lock(_) => (0, Wait::Lock),
                _ => continue,
            };
            if last != waits_for {
                return Op::Block { wait, reads: 1 }.into();
            }
        }
        Op::End.into()
    }
}

pub fn order(mark: &str) -> MemoryOrder {
    match mark {
        "" => MemoryOrder::Relaxed,
        "n" => MemoryOrder::Plain,
        "a" => MemoryOrder::Acquire,
        "r" => MemoryOrder::Release,
        "ar" => MemoryOrder::AcqRel,
        "s" => MemoryOrder::SeqCst,
        _ => panic!("order {mark:?}"),
    }
}

/// Reads the notation of the expected-count table: threads apart by `|`, instructions by
/// `;`, locations `x y z w a b c`: `Wx1r` store 1 release, `Rxa` load acquire, `Rx=1` load
/// and assume 1, `Ax` fetch-add 1, `Xx5` exchange, `Cx0>1s` compare-exchange, `F` SC
/// fence, `Fa`/`Fr`/`Far` weaker ones, `Qx1a` await 1, `?1:2` leave out two unless the last
/// answer is 1, `Lx1r` store the last answer plus 1.
pub fn parse(text: &str) -> Straight {
    let thread = |t: &str| {
        t.split(';')
            .filter_map(|i| ins(i.trim()))
            .flatten()
            .collect()
    };
    Straight::new(text.split('|').map(thread).collect())
}

fn ins(text: &str) -> Option<Vec<Ins>> {
    let mut chars = text.chars();
    let head = chars.next()?;
    let rest = chars.as_str();
    if head == 'F' {
        let order = if rest.is_empty() {
            MemoryOrder::SeqCst
        } else {
            order(rest)
        };
        return Some(vec![Ins::Op(Op::Fence(order))]);
    }
    if head == '?' {
        let (value, n) = rest.split_once(':').expect("?value:count");
        return Some(vec![Ins::SkipUnless(
            value.parse().unwrap(),
            n.parse().unwrap(),
        )]);
    }
    let location = "xyzwabcd".find(rest.chars().next().unwrap()).unwrap() as u32;
    let rest = &rest[1..];
    let digits = |s: &str| s.chars().take_while(char::is_ascii_digit).count();
    let location_of = Location(location);
    Some(match head {
        'R' => {
            if let Some((mark, value)) = rest.split_once('=') {
                let load = Op::Load {
                    location: location_of,
                    order: order(mark),
                };
                vec![Ins::Op(load), Ins::Assume(value.parse().unwrap())]
            } else {
                vec![Ins::Op(Op::Load {
                    location: location_of,
                    order: order(rest),
                })]
            }
        }
        'W' | 'X' | 'Q' | 'L' => {
            let (value, mark) = rest.split_at(digits(rest));
            let value: Value = value.parse().unwrap();
            vec![match head {
                'W' => Ins::Op(Op::Store {
                    location: location_of,
                    order: order(mark),
                    value,
                }),
                'X' => Ins::Op(Op::Update {
                    location: location_of,
                    order: order(mark),
                    update: Update::Swap(value),
                }),
                'Q' => Ins::Await(location, order(mark), value),
                _ => Ins::StoreLast(location, order(mark), value),
            }]
        }
        'A' => vec![Ins::Op(Op::Update {
            location: location_of,
            order: order(rest),
            update: Update::Add(1),
        })],
        'C' => {
            let (expected, rest) = rest.split_once('>').unwrap();
            let (new, mark) = rest.split_at(digits(rest));
            vec![Ins::Op(Op::CompareExchange {
                location: location_of,
                expected: expected.parse().unwrap(),
                new: new.parse().unwrap(),
                success: order(mark),
                failure: if mark == "s" {
                    MemoryOrder::SeqCst
                } else {
                    MemoryOrder::Relaxed
                },
            })]
        }
        _ => panic!("instruction {text:?}"),
    })
}

/// The keys of the complete executions with how often each was visited.
pub fn visited(program: &impl Program, model: Model) -> (BTreeMap<String, u32>, u64, bool) {
    let mut keys = BTreeMap::new();
    let report = Explorer::new().model(model).run(program, |execution| {
        if execution.is_complete() {
            *keys.entry(execution.key()).or_insert(0) += 1;
        }
        ControlFlow::Continue(())
    });
    (keys, report.blocked, report.failure.is_some())
}
