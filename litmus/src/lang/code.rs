//! A litmus test as flat code: what every engine runs.
//!
//! Each thread is a list of three-address instructions over numbered
//! registers; at most one memory operation per instruction. [`Cursor`] walks
//! it: it computes locally up to the next memory operation, hands that out as
//! an [`Access`] with all operands known, and takes the [`Reply`]. An engine is
//! whatever answers accesses.

mod cursor;

pub use self::cursor::{Access, Cursor, Reply};

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
