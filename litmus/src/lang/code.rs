//! A litmus test as flat code: what every engine runs.
//!
//! Each thread is a list of three-address instructions over numbered
//! registers; at most one memory operation per instruction. [`Cursor`] walks
//! it: it computes locally up to the next memory operation, hands that out as
//! an [`Access`] with all operands known, and takes the [`Reply`]. An engine is
//! whatever answers accesses.

use super::ast::{BinOp, Condition, Order, Place, Prop, RmwOp};
use super::error::Pos;

/// Number of a location, register or thread.
pub type Index = usize;

/// A test ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The test's name.
    pub name: String,
    /// Names of the locations.
    pub locations: Vec<String>,
    /// Their initial values.
    pub initial: Vec<i64>,
    /// The threads.
    pub threads: Vec<ThreadCode>,
    /// What an outcome records, in this order.
    pub observed: Vec<Place>,
    /// The same, resolved.
    pub slots: Vec<Slot>,
    /// Outcomes outside are dropped.
    pub filter: Option<Prop>,
    /// The question.
    pub condition: Condition,
}

/// One entry of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Final value of a location.
    Location(Index),
    /// Final value of a register of a thread.
    Register(Index, Index),
}

/// One thread's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadCode {
    /// Instructions; control leaves at the end.
    pub code: Vec<Instr>,
    /// Where each instruction was written.
    pub at: Vec<Pos>,
    /// Names of the first registers; the others are temporaries.
    pub names: Vec<String>,
    /// Initial values of all registers.
    pub registers: Vec<i64>,
}

/// A value: a constant or a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// A constant.
    Const(i64),
    /// A register.
    Reg(Index),
}

/// One instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Instr {
    Load {
        dst: Index,
        location: Index,
        order: Order,
    },
    Store {
        location: Index,
        value: Operand,
        order: Order,
    },
    Rmw {
        dst: Index,
        location: Index,
        op: RmwOp,
        operand: Operand,
        order: Order,
    },
    /// `expected` receives the value found on failure, `done` 1 or 0.
    Cas {
        done: Index,
        location: Index,
        expected: Index,
        desired: Operand,
        success: Order,
        failure: Order,
        weak: bool,
    },
    Fence(Order),
    Compute {
        dst: Index,
        op: BinOp,
        a: Operand,
        b: Operand,
    },
    /// Jump if the operand is 0.
    Unless(Operand, Index),
    Jump(Index),
}

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

impl Code {
    /// The outcome of a finished run.
    pub fn outcome(
        &self,
        memory: impl Fn(Index) -> i64,
        register: impl Fn(Index, Index) -> i64,
    ) -> Vec<i64> {
        self.slots
            .iter()
            .map(|slot| match *slot {
                Slot::Location(location) => memory(location),
                Slot::Register(thread, index) => register(thread, index),
            })
            .collect()
    }

    /// Whether `prop` holds of an outcome.
    pub fn holds(&self, prop: &Prop, outcome: &[i64]) -> bool {
        prop.holds(&|place| {
            let slot = self.observed.iter().position(|observed| observed == place);
            outcome[slot.expect("every place of a condition is observed")]
        })
    }

    /// Whether any thread accesses memory non-atomically.
    pub fn has_plain(&self) -> bool {
        self.threads
            .iter()
            .flat_map(|thread| &thread.code)
            .any(|instr| {
                matches!(
                    instr,
                    Instr::Load {
                        order: Order::Plain,
                        ..
                    } | Instr::Store {
                        order: Order::Plain,
                        ..
                    }
                )
            })
    }
}
