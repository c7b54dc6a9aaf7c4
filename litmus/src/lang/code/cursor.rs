//! Walking one thread's code, from one memory operation to the next.

use super::{Index, Instr, Operand, ThreadCode};
use crate::lang::ast::{Order, RmwOp};

/// A memory operation with its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Access {
    Load {
        location: Index,
        order: Order,
    },
    Store {
        location: Index,
        value: i64,
        order: Order,
    },
    Rmw {
        location: Index,
        op: RmwOp,
        operand: i64,
        order: Order,
    },
    Cas {
        location: Index,
        expected: i64,
        desired: i64,
        success: Order,
        failure: Order,
        weak: bool,
    },
    Fence(Order),
}

/// What memory answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reply {
    /// The value read (loads, read-modify-writes, compare-exchanges).
    pub found: i64,
    /// Whether a compare-exchange exchanged.
    pub exchanged: bool,
}

impl Reply {
    /// The answer to a load or read-modify-write; also to stores and fences.
    pub fn value(found: i64) -> Reply {
        Reply {
            found,
            exchanged: false,
        }
    }
}

/// Where a thread stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The next instruction.
    pub pc: Index,
    /// All registers.
    pub registers: Vec<i64>,
}

impl Cursor {
    /// At the start of `thread`.
    pub fn new(thread: &ThreadCode) -> Cursor {
        Cursor {
            pc: 0,
            registers: thread.registers.clone(),
        }
    }

    fn value(&self, operand: Operand) -> i64 {
        match operand {
            Operand::Const(value) => value,
            Operand::Reg(register) => self.registers[register],
        }
    }

    /// Computes up to the next memory operation and returns it, or `None` at
    /// the end. Asking again without [`Cursor::resume`] gives the same answer.
    pub fn pending(&mut self, thread: &ThreadCode) -> Option<Access> {
        loop {
            match *thread.code.get(self.pc)? {
                Instr::Compute { dst, op, a, b } => {
                    self.registers[dst] = op.apply(self.value(a), self.value(b));
                    self.pc += 1;
                }
                Instr::Unless(operand, target) => {
                    self.pc = if self.value(operand) == 0 {
                        target
                    } else {
                        self.pc + 1
                    };
                }
                Instr::Jump(target) => self.pc = target,
                Instr::Load {
                    location, order, ..
                } => return Some(Access::Load { location, order }),
                Instr::Store {
                    location,
                    value,
                    order,
                } => {
                    return Some(Access::Store {
                        location,
                        value: self.value(value),
                        order,
                    });
                }
                Instr::Rmw {
                    location,
                    op,
                    operand,
                    order,
                    ..
                } => {
                    return Some(Access::Rmw {
                        location,
                        op,
                        operand: self.value(operand),
                        order,
                    });
                }
                Instr::Cas {
                    location,
                    expected,
                    desired,
                    success,
                    failure,
                    weak,
                    ..
                } => {
                    let (expected, desired) = (self.registers[expected], self.value(desired));
                    return Some(Access::Cas {
                        location,
                        expected,
                        desired,
                        success,
                        failure,
                        weak,
                    });
                }
                Instr::Fence(order) => return Some(Access::Fence(order)),
            }
        }
    }

    /// Completes the pending memory operation.
    pub fn resume(&mut self, thread: &ThreadCode, reply: Reply) {
        match thread.code[self.pc] {
            Instr::Load { dst, .. } | Instr::Rmw { dst, .. } => self.registers[dst] = reply.found,
            Instr::Cas { done, expected, .. } => {
                if !reply.exchanged {
                    self.registers[expected] = reply.found;
                }
                self.registers[done] = i64::from(reply.exchanged);
            }
            _ => {}
        }
        self.pc += 1;
    }

    /// Runs to the end on `memory`.
    pub fn run(&mut self, thread: &ThreadCode, mut memory: impl FnMut(Access) -> Reply) {
        while let Some(access) = self.pending(thread) {
            let reply = memory(access);
            self.resume(thread, reply);
        }
    }
}
