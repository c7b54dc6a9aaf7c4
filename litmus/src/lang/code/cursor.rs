//! Walking one thread's code, from one memory operation to the next.

use super::{Index, Instr, Operand, Target, ThreadCode};
use crate::lang::ast::{Order, RmwOp, Undefined};

/// A memory operation with its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Access {
    Load {
        location: Index,
        order: Order,
        waits: bool,
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
    /// Waits until the location is 0, then sets it to 1.
    Lock(Index),
    /// The thread waits for one of its latest so many reads to change; [`Cursor::resume`] has
    /// it read again.
    Again(u32),
    /// A loop has had all the turns that it gets.
    GiveUp,
    /// The run is of no interest.
    Abandon,
    /// C says nothing of what comes now.
    Undefined(Undefined),
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
    /// Reads of this turn of a waiting loop.
    reads: u32,
    /// Turns of all loops but those.
    turns: u32,
}

/// Turns of all loops of a thread together, after which it gives up: nested loops multiply.
const ALL_TURNS: u32 = 10_000;

impl Cursor {
    /// At the start of `thread`.
    pub fn new(thread: &ThreadCode) -> Cursor {
        Cursor {
            pc: 0,
            registers: thread.registers.clone(),
            reads: 0,
            turns: 0,
        }
    }

    fn value(&self, operand: Operand) -> i64 {
        match operand {
            Operand::Const(value) => value,
            Operand::Reg(register) => self.registers[register],
        }
    }

    fn location(&self, thread: &ThreadCode, target: Target) -> Result<Index, Undefined> {
        match target {
            Target::Location(location) => Ok(location),
            Target::Pointer(register) => {
                let address = self.registers[register];
                let found = thread.addresses.binary_search(&address);
                found.map_err(|_| Undefined::Address(address))
            }
        }
    }

    /// Computes up to the next memory operation and returns it, or `None` at
    /// the end. Asking again without [`Cursor::resume`] gives the same answer.
    pub fn pending(&mut self, thread: &ThreadCode) -> Option<Access> {
        self.try_pending(thread)
            .unwrap_or_else(|undefined| Some(Access::Undefined(undefined)))
    }

    fn try_pending(&mut self, thread: &ThreadCode) -> Result<Option<Access>, Undefined> {
        loop {
            let Some(instr) = thread.code.get(self.pc) else {
                return Ok(None);
            };
            return Ok(Some(match *instr {
                Instr::Compute { dst, op, a, b, ty } => {
                    self.registers[dst] = op.apply(self.value(a), self.value(b), ty)?;
                    self.pc += 1;
                    continue;
                }
                Instr::Convert { dst, from, ty } => {
                    self.registers[dst] = ty.wrap(self.value(from));
                    self.pc += 1;
                    continue;
                }
                Instr::Unless(operand, target) => {
                    self.pc = if self.value(operand) == 0 {
                        target
                    } else {
                        self.pc + 1
                    };
                    continue;
                }
                Instr::Jump(target) => {
                    self.pc = target;
                    continue;
                }
                Instr::Await => {
                    self.reads = 0;
                    self.pc += 1;
                    continue;
                }
                Instr::Turn(counter) => {
                    let all = self.turns >= ALL_TURNS;
                    if all || self.registers[counter] >= i64::from(thread.turns) {
                        return Ok(Some(Access::GiveUp));
                    }
                    self.turns += 1;
                    self.registers[counter] += 1;
                    self.pc += 1;
                    continue;
                }
                Instr::Again(_) => Access::Again(self.reads),
                Instr::Abandon => Access::Abandon,
                Instr::Load {
                    target,
                    order,
                    waits,
                    ..
                } => Access::Load {
                    location: self.location(thread, target)?,
                    order,
                    waits,
                },
                Instr::Store {
                    target,
                    value,
                    order,
                } => Access::Store {
                    location: self.location(thread, target)?,
                    value: self.value(value),
                    order,
                },
                Instr::Rmw {
                    target,
                    op,
                    operand,
                    order,
                    ..
                } => Access::Rmw {
                    location: self.location(thread, target)?,
                    op,
                    operand: self.value(operand),
                    order,
                },
                Instr::Cas {
                    target,
                    expected,
                    desired,
                    success,
                    failure,
                    weak,
                    ..
                } => Access::Cas {
                    location: self.location(thread, target)?,
                    expected: self.registers[expected],
                    desired: self.value(desired),
                    success,
                    failure,
                    weak,
                },
                Instr::Lock(target) => Access::Lock(self.location(thread, target)?),
                Instr::Fence(order) => Access::Fence(order),
            }));
        }
    }

    /// Completes the pending memory operation.
    pub fn resume(&mut self, thread: &ThreadCode, reply: Reply) {
        match thread.code[self.pc] {
            Instr::Load { dst, .. } | Instr::Rmw { dst, .. } => {
                self.registers[dst] = reply.found;
                self.reads += 1;
            }
            Instr::Cas { done, expected, .. } => {
                if !reply.exchanged {
                    self.registers[expected] = reply.found;
                }
                self.registers[done] = i64::from(reply.exchanged);
            }
            Instr::Again(begin) => {
                self.pc = begin;
                return;
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
