//! A test as a [`Program`] for our explorer.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::Limits;
use crate::Explorer;
use crate::explore::program::{
    Location, LocationInfo, MemoryOrder, Op, Program, Site, Step, Update, Value, Wait,
};
use crate::explore::{Model, Report};
use crate::lang::ast::RmwOp;
use crate::lang::code::{Access, Code, Cursor, Reply};
use crate::lang::outcome::{Coverage, Observation, Witness};

/// Executions between two looks at the clock.
const CLOCK: u64 = 256;

/// A test and the name of its file, for places in tables.
struct LitmusProgram<'a> {
    code: &'a Code,
    file: Arc<str>,
    /// Whether a loop has had all its turns.
    gave_up: AtomicBool,
    /// Something that C leaves undefined and a thread comes to.
    undefined: Mutex<Option<String>>,
}

impl LitmusProgram<'_> {
    fn is_undefined(&self, found: String) {
        let mut known = self
            .undefined
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        first_of(&mut known, found);
    }

    /// The thread after `answers`, and its next operation. A weak
    /// compare-exchange is a choice (0: as the strong one; 1: fail) and then
    /// the access, so it takes two answers.
    fn replay(&self, thread: usize, answers: &[Value]) -> (Cursor, Op) {
        let code = &self.code.threads[thread];
        let mut cursor = Cursor::new(code);
        let mut answers = answers.iter().copied();
        let block = |wait, reads| Op::Block { wait, reads };
        while let Some(access) = cursor.pending(code) {
            let mut spurious = false;
            match access {
                Access::Cas { weak: true, .. } => {
                    let Some(choice) = answers.next() else {
                        return (cursor, Op::Choose(2));
                    };
                    spurious = choice == 1;
                }
                Access::Again(reads) => return (cursor, block(Wait::Await, reads)),
                Access::GiveUp => {
                    // Relaxed: read when the search is over, which the caller waits for.
                    self.gave_up.store(true, Ordering::Relaxed);
                    return (cursor, block(Wait::Assume, 0));
                }
                Access::Abandon => return (cursor, block(Wait::Assume, 1)),
                Access::Undefined(what) => {
                    let at = code.at.get(cursor.pc).copied().unwrap_or_default();
                    self.is_undefined(format!("{what}, by P{thread} at {}:{at}", self.file));
                    return (cursor, block(Wait::Assume, 0));
                }
                _ => {}
            }
            let Some(answer) = answers.next() else {
                return (cursor, operation(access, spurious));
            };
            let ty = |location: usize| self.code.types[location];
            let (found, exchanged) = match access {
                Access::Load { location, .. } | Access::Rmw { location, .. } => {
                    (ty(location).wrap(answer as i64), false)
                }
                Access::Cas {
                    location, expected, ..
                } => {
                    let found = ty(location).wrap(answer as i64);
                    let as_expected = found == ty(location).wrap(expected);
                    // What fails anyway is the strong one's failure, which has been counted.
                    if spurious && !as_expected {
                        return (cursor, block(Wait::Assume, 1));
                    }
                    (found, as_expected && !spurious)
                }
                Access::Lock(_) if answer != 0 => return (cursor, block(Wait::Lock, 1)),
                _ => (0, false),
            };
            cursor.resume(code, Reply { found, exchanged });
        }
        (cursor, Op::End)
    }
}

fn operation(access: Access, spurious: bool) -> Op {
    let at = |location: usize| Location(location as u32);
    match access {
        Access::Load {
            location,
            order,
            waits: true,
        } => Op::Await {
            location: at(location),
            order,
        },
        Access::Load {
            location, order, ..
        } => Op::Load {
            location: at(location),
            order,
        },
        Access::Lock(location) => Op::AwaitExchange {
            location: at(location),
            expected: 0,
            new: 1,
            order: MemoryOrder::Acquire,
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
        Access::Again(_) | Access::GiveUp | Access::Abandon | Access::Undefined(_) => {
            unreachable!("the thread ends here")
        }
    }
}

impl Program for LitmusProgram<'_> {
    fn threads(&self) -> usize {
        self.code.threads.len()
    }

    fn locations(&self) -> Vec<LocationInfo> {
        let all = self.code.locations.iter().zip(&self.code.initial);
        all.zip(&self.code.types)
            .map(|((name, initial), ty)| LocationInfo {
                name: name.as_str().into(),
                initial: *initial as Value,
                bits: ty.bits,
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
        Step { site, ..op.into() }
    }

    fn thread_name(&self, thread: usize) -> String {
        format!("P{thread}")
    }
}

/// Of what is undefined one thing is said, whichever worker is first: the same.
fn first_of(known: &mut Option<String>, found: String) {
    *known = Some(match known.take() {
        Some(known) => known.min(found),
        None => found,
    });
}

fn explorer(model: Model, limits: &Limits) -> Explorer {
    let mut explorer = Explorer::new()
        .model(model)
        .workers(limits.workers)
        .survey(true);
    if let Some(most) = limits.preemptions {
        explorer = explorer.max_preemptions(most as u32);
    }
    if let Some(most) = limits.revisits {
        explorer = explorer.max_revisits(most);
    }
    if let Some(descents) = limits.sample {
        explorer = explorer.sample(descents, limits.seed);
    }
    if let Some((index, of)) = limits.shard {
        explorer = explorer.shard(index, of);
    }
    if let Some(progress) = limits.progress {
        explorer = explorer.progress(progress);
    }
    explorer
}

pub(super) fn run(code: &Code, model: Model, limits: &Limits) -> Result<Observation, String> {
    let mut code = code.clone();
    for thread in &mut code.threads {
        thread.turns = limits.turns;
    }
    let code = &code;
    let program = LitmusProgram {
        code,
        file: code.name.as_str().into(),
        gave_up: AtomicBool::new(false),
        undefined: Mutex::new(None),
    };
    let begun = Instant::now();
    let mut states: BTreeMap<Vec<i64>, u64> = BTreeMap::new();
    let (mut witness, mut race) = (None, None);
    let mut seen = 0u64;
    let plain = code.has_plain();
    let report = explorer(model, limits).run(&program, |execution| {
        if plain && let Some(found) = execution.race() {
            first_of(&mut race, found);
        }
        if execution.is_complete() {
            // A register's value is a function of the answers, so it is replayed, not stored.
            let ends: Vec<Cursor> = (0..code.threads.len())
                .map(|thread| program.replay(thread, &execution.answers(thread)).0)
                .collect();
            let outcome = code.outcome(
                |location| {
                    let value = execution.final_value(Location(location as u32)) as i64;
                    code.types[location].wrap(value)
                },
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
        seen += 1;
        match limits.time {
            Some(most) if seen.is_multiple_of(CLOCK) && begun.elapsed() >= most => {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    });
    if let Some(failure) = report.failure {
        return Err(failure.message);
    }
    let undefined = program.undefined.into_inner();
    if let Some(found) = undefined.unwrap_or_else(PoisonError::into_inner) {
        first_of(&mut race, found);
    }
    let turns = format!("{} turns of each loop", limits.turns);
    let turns = program.gave_up.into_inner().then_some(turns);
    if let (Some(turns), true, None) = (&turns, states.is_empty(), &race) {
        return Err(format!(
            "no execution comes to its end within {turns}, so that nothing is known of its states; --unroll gives more turns, if its loops end at all"
        ));
    }
    Ok(Observation {
        states,
        race,
        witness,
        coverage: coverage(&report, model, turns),
        elapsed: report.elapsed,
    })
}

/// What has been seen, where `turns` have cut loops off.
fn coverage(report: &Report, model: Model, turns: Option<String>) -> Coverage {
    let words = report.coverage();
    match (turns, words.strip_prefix("exhaustive ")) {
        (Some(turns), _) if !report.exhaustive => {
            Coverage::Partial(format!("{words}, within {turns}"))
        }
        (None, _) if !report.exhaustive => Coverage::Partial(words),
        // C++20 has executions that the explorer has not.
        (Some(turns), Some(under)) if model == Model::Rust => {
            Coverage::Under(format!("within {turns} {under}"))
        }
        (None, Some(under)) if model == Model::Rust => Coverage::Under(under.into()),
        (Some(turns), _) => Coverage::Bounded(turns),
        (None, _) => Coverage::Exhaustive,
    }
}
