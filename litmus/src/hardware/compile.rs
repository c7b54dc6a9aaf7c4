//! A thread's code as micro-operations with the processor's orderings.
//!
//! They run from a table, one after the other, so the compiler of this crate
//! can neither reorder nor merge the test's accesses: what it may do to a real
//! program is not part of what we measure.

use std::sync::atomic::{AtomicI64, Ordering, fence};

use crate::lang::ast::{BinOp, Order, RmwOp};
use crate::lang::code::{Instr, Operand, ThreadCode};

/// A location of one instance, alone on its cache line.
#[repr(align(64))]
pub(super) struct Line(pub(super) AtomicI64);

#[derive(Clone, Copy)]
enum Micro {
    Load(u32, u32, Ordering),
    StoreConst(u32, i64, Ordering),
    StoreReg(u32, u32, Ordering),
    Rmw(u32, u32, RmwOp, Operand, Ordering),
    Cas {
        done: u32,
        location: u32,
        expected: u32,
        desired: Operand,
        success: Ordering,
        failure: Ordering,
        weak: bool,
    },
    Fence(Ordering),
    Compute(u32, BinOp, Operand, Operand),
    Unless(Operand, u32),
    Jump(u32),
}

/// A thread ready to run.
pub(super) struct Compiled {
    code: Vec<Micro>,
    initial: Vec<i64>,
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

impl Compiled {
    pub(super) fn new(thread: &ThreadCode) -> Compiled {
        let code = thread.code.iter().map(|instr| match *instr {
            Instr::Load {
                dst,
                location,
                order,
            } => Micro::Load(dst as u32, location as u32, ordering(order)),
            Instr::Store {
                location,
                value: Operand::Const(value),
                order,
            } => Micro::StoreConst(location as u32, value, ordering(order)),
            Instr::Store {
                location,
                value: Operand::Reg(register),
                order,
            } => Micro::StoreReg(location as u32, register as u32, ordering(order)),
            Instr::Rmw {
                dst,
                location,
                op,
                operand,
                order,
            } => Micro::Rmw(dst as u32, location as u32, op, operand, ordering(order)),
            Instr::Cas {
                done,
                location,
                expected,
                desired,
                success,
                failure,
                weak,
            } => Micro::Cas {
                done: done as u32,
                location: location as u32,
                expected: expected as u32,
                desired,
                success: ordering(success),
                failure: ordering(failure),
                weak,
            },
            Instr::Fence(order) => Micro::Fence(ordering(order)),
            Instr::Compute { dst, op, a, b } => Micro::Compute(dst as u32, op, a, b),
            Instr::Unless(operand, target) => Micro::Unless(operand, target as u32),
            Instr::Jump(target) => Micro::Jump(target as u32),
        });
        Compiled {
            code: code.collect(),
            initial: thread.registers.clone(),
        }
    }

    /// As many registers as [`Compiled::run`] needs.
    pub(super) fn registers(&self) -> Vec<i64> {
        self.initial.clone()
    }

    /// Runs the thread once on the locations of one instance.
    #[inline]
    pub(super) fn run(&self, cells: &[Line], registers: &mut [i64]) {
        registers.copy_from_slice(&self.initial);
        let mut pc = 0;
        while let Some(micro) = self.code.get(pc) {
            pc += 1;
            match *micro {
                Micro::Load(dst, location, order) => {
                    registers[dst as usize] = cells[location as usize].0.load(order)
                }
                Micro::StoreConst(location, value, order) => {
                    cells[location as usize].0.store(value, order)
                }
                Micro::StoreReg(location, register, order) => {
                    cells[location as usize]
                        .0
                        .store(registers[register as usize], order);
                }
                Micro::Rmw(dst, location, op, operand, order) => {
                    let operand = value(operand, registers);
                    registers[dst as usize] = rmw(&cells[location as usize].0, op, operand, order);
                }
                Micro::Cas {
                    done,
                    location,
                    expected,
                    desired,
                    success,
                    failure,
                    weak,
                } => {
                    let desired = value(desired, registers);
                    let (cell, wanted) =
                        (&cells[location as usize].0, registers[expected as usize]);
                    let result = match weak {
                        true => cell.compare_exchange_weak(wanted, desired, success, failure),
                        false => cell.compare_exchange(wanted, desired, success, failure),
                    };
                    if let Err(found) = result {
                        registers[expected as usize] = found;
                    }
                    registers[done as usize] = i64::from(result.is_ok());
                }
                Micro::Fence(order) => fence(order),
                Micro::Compute(dst, op, a, b) => {
                    registers[dst as usize] = op.apply(value(a, registers), value(b, registers));
                }
                Micro::Unless(operand, target) => {
                    if value(operand, registers) == 0 {
                        pc = target as usize;
                    }
                }
                Micro::Jump(target) => pc = target as usize,
            }
        }
    }
}

fn value(operand: Operand, registers: &[i64]) -> i64 {
    match operand {
        Operand::Const(value) => value,
        Operand::Reg(register) => registers[register],
    }
}

fn rmw(cell: &AtomicI64, op: RmwOp, operand: i64, order: Ordering) -> i64 {
    match op {
        RmwOp::Exchange => cell.swap(operand, order),
        RmwOp::Add => cell.fetch_add(operand, order),
        RmwOp::Sub => cell.fetch_sub(operand, order),
        RmwOp::Or => cell.fetch_or(operand, order),
        RmwOp::Xor => cell.fetch_xor(operand, order),
        RmwOp::And => cell.fetch_and(operand, order),
    }
}
