//! A test on shuttle's types. shuttle explores interleavings whatever the
//! orders say, and has no race detector, so every access is a seq_cst one.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, Once};
use std::time::Instant;

use shuttle::scheduler::{DfsScheduler, RandomScheduler};
use shuttle::sync::atomic::{AtomicI64, fence};
use shuttle::{Config, Runner};

use super::{Limits, in_cells};
use crate::lang::ast::{Order, RmwOp};
use crate::lang::code::{Access, Code, Cursor, Reply};
use crate::lang::outcome::{Coverage, Observation};

pub(super) fn run(code: &Code, limits: &Limits) -> Result<Observation, String> {
    let start = Instant::now();
    let states: Arc<Mutex<BTreeMap<Vec<i64>, u64>>> = Arc::default();
    let mut config = Config::new();
    config.silence_warnings = true;
    config.max_time = limits.time;
    let shared = Arc::new(code.clone());
    let body = || {
        let (code, seen) = (shared.clone(), states.clone());
        move || {
            let outcome = execution(&code);
            *seen
                .lock()
                .expect("no panic under the lock")
                .entry(outcome)
                .or_default() += 1;
        }
    };
    let runs = without_hook(|| {
        Runner::new(
            DfsScheduler::new(Some(limits.schedules), false),
            config.clone(),
        )
        .run(body())
    });
    let late = limits.time.is_some_and(|most| start.elapsed() >= most);
    let coverage = if runs < limits.schedules && !late {
        Coverage::Exhaustive
    } else {
        // The first interleavings of a depth-first search are all alike; random ones see more.
        let random = RandomScheduler::new_from_seed(limits.seed, limits.schedules);
        let more = without_hook(|| Runner::new(random, config).run(body()));
        Coverage::Sampled {
            runs: (runs + more) as u64,
            seed: Some(limits.seed),
        }
    };
    let states = states.lock().expect("no panic under the lock").clone();
    Ok(Observation {
        states,
        race: None,
        witness: None,
        coverage,
        elapsed: start.elapsed(),
    })
}

/// shuttle installs a process-wide panic hook on first use, which would label
/// every later panic with a schedule of ours. The first run takes it out again.
fn without_hook<T>(run: impl FnOnce() -> T) -> T {
    static FIRST: Once = Once::new();
    let mut run = Some(run);
    let mut result = None;
    FIRST.call_once(|| {
        let hook = std::panic::take_hook();
        result = run.take().map(|run| run());
        std::panic::set_hook(hook);
    });
    result.unwrap_or_else(|| run.take().expect("not run yet")())
}

fn execution(code: &Arc<Code>) -> Vec<i64> {
    let cells: Arc<Vec<AtomicI64>> = Arc::new(
        code.initial
            .iter()
            .zip(&code.types)
            .map(|(initial, ty)| AtomicI64::new(ty.to_cell(*initial)))
            .collect(),
    );
    let body = |thread: usize| {
        let (code, cells) = (code.clone(), cells.clone());
        move || {
            let mut cursor = Cursor::new(&code.threads[thread]);
            cursor.run(&code.threads[thread], |access| {
                in_cells(&code, access, |access| perform(&cells, access))
            });
            cursor.registers
        }
    };
    // The main thread is the last of the test: one thread less to schedule.
    let last = code.threads.len() - 1;
    let handles: Vec<_> = (0..last)
        .map(|thread| shuttle::thread::spawn(body(thread)))
        .collect();
    let own = body(last)();
    let mut registers: Vec<Vec<i64>> = handles
        .into_iter()
        .map(|handle| handle.join().expect("tests do not panic"))
        .collect();
    registers.push(own);
    code.outcome(
        |location| code.types[location].from_cell(cells[location].load(SeqCst)),
        |thread, register| registers[thread][register],
    )
}

fn perform(cells: &[AtomicI64], access: Access) -> Reply {
    match access {
        Access::Load { location, .. } => Reply::value(cells[location].load(SeqCst)),
        Access::Store {
            location, value, ..
        } => {
            cells[location].store(value, SeqCst);
            Reply::default()
        }
        Access::Rmw {
            location,
            op,
            operand,
            ..
        } => {
            let cell = &cells[location];
            Reply::value(match op {
                RmwOp::Exchange => cell.swap(operand, SeqCst),
                RmwOp::Add => cell.fetch_add(operand, SeqCst),
                RmwOp::Sub => cell.fetch_sub(operand, SeqCst),
                RmwOp::Or => cell.fetch_or(operand, SeqCst),
                RmwOp::Xor => cell.fetch_xor(operand, SeqCst),
                RmwOp::And => cell.fetch_and(operand, SeqCst),
            })
        }
        Access::Cas {
            location,
            expected,
            desired,
            ..
        } => match cells[location].compare_exchange(expected, desired, SeqCst, SeqCst) {
            Ok(found) => Reply {
                found,
                exchanged: true,
            },
            Err(found) => Reply::value(found),
        },
        Access::Fence(order) => {
            if order == Order::SeqCst {
                fence(SeqCst);
            }
            Reply::default()
        }
        _ => unreachable!("loops and locks are refused"),
    }
}
