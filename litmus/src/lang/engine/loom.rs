//! A test on loom's types.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicI64, fence};

use super::{Limits, in_cells, quietly, words};
use crate::lang::ast::{Order, RmwOp};
use crate::lang::code::{Access, Code, Cursor, Reply};
use crate::lang::outcome::{Coverage, Observation};

/// loom counts the main thread too.
const MAX_THREADS: usize = 4;

enum Cell {
    Atomic(AtomicI64),
    Plain(UnsafeCell<i64>),
}

// SAFETY: loom runs one model thread at a time, and its `UnsafeCell` panics
// before an unordered access is made.
unsafe impl Sync for Cell {}
// SAFETY: as above.
unsafe impl Send for Cell {}

pub(super) fn run(code: &Code, limits: &Limits) -> Result<Observation, String> {
    if code.threads.len() > MAX_THREADS {
        return Err(format!(
            "loom has at most {MAX_THREADS} threads besides main, this test has {}",
            code.threads.len()
        ));
    }
    let plain = plain_locations(code)?;
    let start = Instant::now();
    let states: Arc<Mutex<BTreeMap<Vec<i64>, u64>>> = Arc::default();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = limits.preemptions;
    builder.max_duration = limits.time;
    let (shared, seen) = (Arc::new(code.clone()), states.clone());
    let result = catch_unwind(AssertUnwindSafe(|| {
        quietly(|| {
            builder.check(move || {
                let outcome = execution(&shared, &plain);
                *seen
                    .lock()
                    .expect("no panic under the lock")
                    .entry(outcome)
                    .or_default() += 1;
            })
        })
    }));
    let race = match result.map_err(|payload| words(&*payload)) {
        Ok(()) => None,
        Err(message) if message.contains("ausality violation") => {
            Some(message.lines().next().unwrap_or_default().to_string())
        }
        Err(message) => return Err(message),
    };
    let late = limits.time.is_some_and(|most| start.elapsed() >= most);
    let coverage = match (&race, limits.preemptions) {
        _ if late => Coverage::Partial(format!(
            "not exhaustive: stopped after {:.0} s",
            start.elapsed().as_secs_f64()
        )),
        (Some(_), _) => Coverage::Bounded("the executions before the first race".into()),
        (None, Some(bound)) => Coverage::Bounded(format!("{bound} preemptions")),
        (None, None) => Coverage::Exhaustive,
    };
    let states = states.lock().expect("no panic under the lock").clone();
    Ok(Observation {
        states,
        race,
        witness: None,
        coverage,
        elapsed: start.elapsed(),
    })
}

/// Which locations are accessed plainly. loom has separate types for the two
/// kinds of access, so a location cannot have both.
fn plain_locations(code: &Code) -> Result<Vec<bool>, String> {
    use crate::lang::code::{Instr, Target};
    let (mut plain, mut atomic) = (
        vec![false; code.locations.len()],
        vec![false; code.locations.len()],
    );
    for instr in code.threads.iter().flat_map(|thread| &thread.code) {
        match *instr {
            Instr::Load {
                target: Target::Location(location),
                order,
                ..
            }
            | Instr::Store {
                target: Target::Location(location),
                order,
                ..
            } => match order {
                Order::Plain => plain[location] = true,
                _ => atomic[location] = true,
            },
            Instr::Rmw {
                target: Target::Location(location),
                ..
            }
            | Instr::Cas {
                target: Target::Location(location),
                ..
            } => atomic[location] = true,
            _ => {}
        }
    }
    match (0..plain.len()).find(|l| plain[*l] && atomic[*l]) {
        Some(mixed) => Err(format!(
            "`{}` is accessed both plainly and atomically, which loom's types do not allow",
            code.locations[mixed]
        )),
        None => Ok(plain),
    }
}

fn execution(code: &Arc<Code>, plain: &[bool]) -> Vec<i64> {
    let first = |location: usize| code.types[location].to_cell(code.initial[location]);
    let cells: Vec<Cell> = plain
        .iter()
        .enumerate()
        .map(|(location, plain)| match plain {
            true => Cell::Plain(UnsafeCell::new(first(location))),
            false => Cell::Atomic(AtomicI64::new(first(location))),
        })
        .collect();
    let cells = Arc::new(cells);
    let handles: Vec<_> = (0..code.threads.len())
        .map(|thread| {
            let (code, cells) = (code.clone(), cells.clone());
            loom::thread::spawn(move || {
                let mut cursor = Cursor::new(&code.threads[thread]);
                cursor.run(&code.threads[thread], |access| {
                    in_cells(&code, access, |access| perform(&cells, access))
                });
                cursor.registers
            })
        })
        .collect();
    let registers: Vec<Vec<i64>> = handles
        .into_iter()
        .map(|handle| handle.join().expect("panics end the model"))
        .collect();
    code.outcome(
        |location| {
            let cell = match &cells[location] {
                // A load, not a look at the last store executed: loom keeps the
                // coherence order partial, and this is what completes it.
                Cell::Atomic(cell) => cell.load(Ordering::Relaxed),
                Cell::Plain(cell) => read(cell),
            };
            code.types[location].from_cell(cell)
        },
        |thread, register| registers[thread][register],
    )
}

fn read(cell: &UnsafeCell<i64>) -> i64 {
    cell.with(|place| {
        // SAFETY: loom panics instead of calling this when the access races.
        unsafe { *place }
    })
}

fn write(cell: &UnsafeCell<i64>, value: i64) {
    cell.with_mut(|place| {
        // SAFETY: loom panics instead of calling this when the access races.
        unsafe { *place = value }
    });
}

fn ordering(order: Order) -> Ordering {
    match order {
        Order::Plain | Order::Relaxed => Ordering::Relaxed,
        Order::Acquire => Ordering::Acquire,
        Order::Release => Ordering::Release,
        Order::AcqRel => Ordering::AcqRel,
        Order::SeqCst => Ordering::SeqCst,
    }
}

fn perform(cells: &[Cell], access: Access) -> Reply {
    let atomic = |location: usize| match &cells[location] {
        Cell::Atomic(cell) => cell,
        Cell::Plain(_) => unreachable!("locations with both kinds of access are refused"),
    };
    match access {
        Access::Load {
            location, order, ..
        } => Reply::value(match &cells[location] {
            Cell::Atomic(cell) => cell.load(ordering(order)),
            Cell::Plain(cell) => read(cell),
        }),
        Access::Store {
            location,
            value,
            order,
        } => {
            match &cells[location] {
                Cell::Atomic(cell) => cell.store(value, ordering(order)),
                Cell::Plain(cell) => write(cell, value),
            }
            Reply::default()
        }
        Access::Rmw {
            location,
            op,
            operand,
            order,
        } => {
            let (cell, order) = (atomic(location), ordering(order));
            Reply::value(match op {
                RmwOp::Exchange => cell.swap(operand, order),
                RmwOp::Add => cell.fetch_add(operand, order),
                RmwOp::Sub => cell.fetch_sub(operand, order),
                RmwOp::Or => cell.fetch_or(operand, order),
                RmwOp::Xor => cell.fetch_xor(operand, order),
                RmwOp::And => cell.fetch_and(operand, order),
            })
        }
        Access::Cas {
            location,
            expected,
            desired,
            success,
            failure,
            weak,
        } => {
            let (cell, success, failure) = (atomic(location), ordering(success), ordering(failure));
            let result = match weak {
                true => cell.compare_exchange_weak(expected, desired, success, failure),
                false => cell.compare_exchange(expected, desired, success, failure),
            };
            match result {
                Ok(found) => Reply {
                    found,
                    exchanged: true,
                },
                Err(found) => Reply::value(found),
            }
        }
        Access::Fence(order) => {
            fence(ordering(order));
            Reply::default()
        }
        _ => unreachable!("loops and locks are refused"),
    }
}
