//! A test as a [`Program`] for our explorer.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::Limits;
use crate::explore::program::{Location, LocationInfo, Op, Program, Site, Step, Update, Value};
use crate::explore::{Explorer, FailureKind, Model};
use crate::lang::ast::RmwOp;
use crate::lang::code::{Access, Code, Cursor, Instr, Reply};
use crate::lang::outcome::{Coverage, Observation, Witness};

/// A test and the name of its file, for places in tables.
struct LitmusProgram<'a> {
    code: &'a Code,
    file: Arc<str>,
}

impl LitmusProgram<'_> {
    /// The thread after `answers`, and its next operation. A weak
    /// compare-exchange is a choice (0: as the strong one; 1: fail) and then
    /// the access, so it takes two answers.
    fn replay(&self, thread: usize, answers: &[Value]) -> (Cursor, Op) {
        let code = &self.code.threads[thread];
        let mut cursor = Cursor::new(code);
        let mut answers = answers.iter().copied();
        while let Some(access) = cursor.pending(code) {
            let mut spurious = false;
            if let Access::Cas { weak: true, .. } = access {
                let Some(choice) = answers.next() else {
                    return (cursor, Op::Choose(2));
                };
                spurious = choice == 1;
            }
            let Some(answer) = answers.next() else {
                return (cursor, operation(access, spurious));
            };
            let found = answer as i64;
            let exchanged =
                matches!(access, Access::Cas { expected, .. } if expected == found) && !spurious;
            cursor.resume(code, Reply { found, exchanged });
        }
        (cursor, Op::End)
    }
}

fn operation(access: Access, spurious: bool) -> Op {
    let at = |location: usize| Location(location as u32);
    match access {
        Access::Load { location, order } => Op::Load {
            location: at(location),
            order,
        },
        Access::Store {
            location,
            value,
            order,
        } => Op::Store {
            location: at(location),
            order,
            value: value as Value,
        },
        Access::Rmw {
            location,
            op,
            operand,
            order,
        } => {
            let operand = operand as Value;
            let update = match op {
                RmwOp::Exchange => Update::Swap(operand),
                RmwOp::Add => Update::Add(operand),
                RmwOp::Sub => Update::Sub(operand),
                RmwOp::Or => Update::Or(operand),
                RmwOp::Xor => Update::Xor(operand),
                RmwOp::And => Update::And(operand),
            };
            Op::Update {
                location: at(location),
                order,
                update,
            }
        }
        Access::Cas {
            location, failure, ..
        } if spurious => Op::Load {
            location: at(location),
            order: failure,
        },
        Access::Cas {
            location,
            expected,
            desired,
            success,
            failure,
            ..
        } => Op::CompareExchange {
            location: at(location),
            expected: expected as Value,
            new: desired as Value,
            success,
            failure,
        },
        Access::Fence(order) => Op::Fence(order),
    }
}

impl Program for LitmusProgram<'_> {
    fn threads(&self) -> usize {
        self.code.threads.len()
    }

    fn locations(&self) -> Vec<LocationInfo> {
        let all = self.code.locations.iter().zip(&self.code.initial);
        all.map(|(name, initial)| LocationInfo {
            name: name.as_str().into(),
            initial: *initial as Value,
            bits: 64,
        })
        .collect()
    }

    fn step(&self, thread: usize, answers: &[Value]) -> Step {
        let (cursor, op) = self.replay(thread, answers);
        let site = self.code.threads[thread].at.get(cursor.pc).map(|at| Site {
            file: self.file.clone(),
            line: at.line,
            column: at.column,
        });
        Step { op, site }
    }

    fn thread_name(&self, thread: usize) -> String {
        format!("P{thread}")
    }
}

fn explorer(model: Model, limits: &Limits) -> Explorer {
    let mut explorer = Explorer::new().model(model).workers(limits.workers);
    if let Some(most) = limits.preemptions {
        explorer = explorer.max_preemptions(most as u32);
    }
    if let Some(most) = limits.revisits {
        explorer = explorer.max_revisits(most);
    }
    if let Some(descents) = limits.sample {
        explorer = explorer.sample(descents, limits.seed);
    }
    if let Some(progress) = limits.progress {
        explorer = explorer.progress(progress);
    }
    explorer
}

pub(super) fn run(code: &Code, model: Model, limits: &Limits) -> Result<Observation, String> {
    let program = LitmusProgram {
        code,
        file: code.name.as_str().into(),
    };
    let mut states: BTreeMap<Vec<i64>, u64> = BTreeMap::new();
    let mut witness = None;
    let report = explorer(model, limits).run(&program, |execution| {
        if execution.is_complete() {
            // A register's value is a function of the answers, so it is replayed, not stored.
            let ends: Vec<Cursor> = (0..code.threads.len())
                .map(|thread| program.replay(thread, &execution.answers(thread)).0)
                .collect();
            let outcome = code.outcome(
                |location| execution.final_value(Location(location as u32)) as i64,
                |thread, register| ends[thread].registers[register],
            );
            let filter = code.filter.as_ref();
            if witness.is_none()
                && filter.is_none_or(|filter| code.holds(filter, &outcome))
                && code.holds(&code.condition.prop, &outcome)
            {
                witness = Some(Witness {
                    table: execution.table(),
                    dot: execution.dot(),
                    svg: execution.svg(),
                });
            }
            *states.entry(outcome).or_default() += 1;
        }
        ControlFlow::Continue(())
    });
    let coverage = match report.failure {
        // Any race makes the test mean nothing: there is no more to be seen.
        None if !report.exhaustive => Coverage::Partial(report.coverage()),
        _ => Coverage::Exhaustive,
    };
    let race = match report.failure {
        Some(failure) if failure.kind == FailureKind::DataRace => Some(failure.message),
        Some(failure) => return Err(failure.message),
        None => None,
    };
    debug_assert!(
        report.blocked == 0
            || code
                .threads
                .iter()
                .any(|t| t.code.iter().any(|i| matches!(i, Instr::Cas { .. })))
    );
    Ok(Observation {
        states,
        race,
        witness,
        coverage,
        elapsed: report.elapsed,
    })
}
