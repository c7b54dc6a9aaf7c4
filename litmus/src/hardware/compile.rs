//! A thread's code as micro-operations with the processor's orderings.
//!
//! They run from a table, one after the other, so the compiler of this crate
//! can neither reorder nor merge the test's accesses: what it may do to a real
//! program is not part of what we measure.

use std::sync::atomic::{AtomicI64, Ordering, fence};

use crate::lang::ast::{BinOp, IntType, Order, RmwOp};
use crate::lang::code::{Instr, Operand, Target, ThreadCode};

/// A location of one instance, alone on its cache line.
#[repr(align(64))]
pub(super) struct Line(pub(super) AtomicI64);

/// A location and what it holds.
#[derive(Clone, Copy)]
struct Address {
    location: u32,
    ty: IntType,
}

#[derive(Clone, Copy)]
enum Micro {
    Load(u32, Address, Ordering),
    StoreConst(u32, i64, Ordering),
    StoreReg(Address, u32, Ordering),
    Rmw(u32, Address, RmwOp, Operand, Ordering),
    Cas {
        done: u32,
        at: Address,
        expected: u32,
        desired: Operand,
        success: Ordering,
        failure: Ordering,
        weak: bool,
    },
    Fence(Ordering),
    Compute(u32, BinOp, Operand, Operand, IntType),
    Convert(u32, Operand, IntType),
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
    /// # Panics
    ///
    /// On what [`Code::beyond_threads`](crate::lang::Code::beyond_threads) names.
    pub(super) fn new(thread: &ThreadCode, types: &[IntType]) -> Compiled {
        let at = |target: Target| match target {
            Target::Location(location) => Address {
                location: location as u32,
                ty: types[location],
            },
            Target::Pointer(_) => unreachable!("pointers are refused"),
        };
        let code = thread.code.iter().map(|instr| match *instr {
            Instr::Load {
                dst, target, order, ..
            } => Micro::Load(dst as u32, at(target), ordering(order)),
            Instr::Store {
                target,
                value: Operand::Const(value),
                order,
            } => {
                let to = at(target);
                Micro::StoreConst(to.location, to.ty.to_cell(value), ordering(order))
            }
            Instr::Store {
                target,
                value: Operand::Reg(register),
                order,
            } => Micro::StoreReg(at(target), register as u32, ordering(order)),
            Instr::Rmw {
                dst,
                target,
                op,
                operand,
                order,
            } => Micro::Rmw(dst as u32, at(target), op, operand, ordering(order)),
            Instr::Cas {
                done,
                target,
                expected,
                desired,
                success,
                failure,
                weak,
            } => Micro::Cas {
                done: done as u32,
                at: at(target),
                expected: expected as u32,
                desired,
                success: ordering(success),
                failure: ordering(failure),
                weak,
            },
            Instr::Fence(order) => Micro::Fence(ordering(order)),
            Instr::Compute { dst, op, a, b, ty } => Micro::Compute(dst as u32, op, a, b, ty),
            Instr::Convert { dst, from, ty } => Micro::Convert(dst as u32, from, ty),
            Instr::Lock(_) | Instr::Await | Instr::Again(_) | Instr::Turn(_) | Instr::Abandon => {
                unreachable!("loops and locks are refused")
            }
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
                Micro::Load(dst, from, order) => {
                    let cell = cells[from.location as usize].0.load(order);
                    registers[dst as usize] = from.ty.from_cell(cell);
                }
                Micro::StoreConst(location, cell, order) => {
                    cells[location as usize].0.store(cell, order)
                }
                Micro::StoreReg(to, register, order) => {
                    let cell = to.ty.to_cell(registers[register as usize]);
                    cells[to.location as usize].0.store(cell, order);
                }
                Micro::Rmw(dst, at, op, operand, order) => {
                    let operand = at.ty.to_cell(value(operand, registers));
                    let old = rmw(&cells[at.location as usize].0, op, operand, order);
                    registers[dst as usize] = at.ty.from_cell(old);
                }
                Micro::Cas {
                    done,
                    at,
                    expected,
                    desired,
                    success,
                    failure,
                    weak,
                } => {
                    let cell = &cells[at.location as usize].0;
                    let desired = at.ty.to_cell(value(desired, registers));
                    let wanted = at.ty.to_cell(registers[expected as usize]);
                    let result = match weak {
                        true => cell.compare_exchange_weak(wanted, desired, success, failure),
                        false => cell.compare_exchange(wanted, desired, success, failure),
                    };
                    if let Err(found) = result {
                        registers[expected as usize] = at.ty.from_cell(found);
                    }
                    registers[done as usize] = i64::from(result.is_ok());
                }
                Micro::Fence(order) => fence(order),
                Micro::Compute(dst, op, a, b, ty) => {
                    let result = op.apply(value(a, registers), value(b, registers), ty);
                    // What may be undefined is refused.
                    registers[dst as usize] = result.unwrap_or(0);
                }
                Micro::Convert(dst, from, ty) => {
                    registers[dst as usize] = ty.wrap(value(from, registers));
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
