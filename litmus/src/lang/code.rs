//! A litmus test as flat code: what every engine runs.
//!
//! Each thread is a list of three-address instructions over numbered
//! registers; at most one memory operation per instruction. [`Cursor`] walks
//! it: it computes locally up to the next memory operation, hands that out as
//! an [`Access`] with all operands known, and takes the [`Reply`]. An engine is
//! whatever answers accesses.

mod cursor;

pub use self::cursor::{Access, Cursor, Reply};

use std::collections::HashMap;
use std::sync::Arc;

use super::ast::{BinOp, Condition, IntType, Order, Prop, RmwOp, Value, Variable};
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
    /// What they hold; of pointers, how they are represented.
    pub types: Vec<IntType>,
    /// Their addresses, ascending.
    pub addresses: Arc<[i64]>,
    /// Their initial values.
    pub initial: Vec<i64>,
    /// The threads.
    pub threads: Vec<ThreadCode>,
    /// What an outcome records, in this order.
    pub observed: Vec<Variable>,
    /// The same, resolved.
    pub slots: Vec<Slot>,
    /// The types of what an outcome records.
    pub slot_types: Vec<IntType>,
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
    /// The addresses of the locations.
    pub addresses: Arc<[i64]>,
    /// Turns of a loop after which the thread gives up, unless it is a waiting loop.
    pub turns: u32,
}

/// What an instruction accesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The location of that number.
    Location(Index),
    /// The location whose address a register holds.
    Pointer(Index),
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
    /// `waits`: in a loop that only waits for what it reads.
    Load {
        dst: Index,
        target: Target,
        order: Order,
        waits: bool,
    },
    Store {
        target: Target,
        value: Operand,
        order: Order,
    },
    Rmw {
        dst: Index,
        target: Target,
        op: RmwOp,
        operand: Operand,
        order: Order,
    },
    /// `expected` receives the value found on failure, `done` 1 or 0.
    Cas {
        done: Index,
        target: Target,
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
        /// The type in which it is computed.
        ty: IntType,
    },
    /// Conversion to a type.
    Convert {
        dst: Index,
        from: Operand,
        ty: IntType,
    },
    /// Waits until the location is 0, then sets it to 1.
    Lock(Target),
    /// A turn of a waiting loop begins.
    Await,
    /// A turn of a waiting loop has read values with which the thread waits on; the loop begins
    /// at the instruction named.
    Again(Index),
    /// One turn more of any other loop, counted in the register: gives up after
    /// [`ThreadCode::turns`].
    Turn(Index),
    /// The run is of no interest: the part of an atomic update has met another's.
    Abandon,
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
        let slot = |place: &Variable| {
            let slot = self.observed.iter().position(|observed| observed == place);
            slot.expect("every place of a condition is observed")
        };
        let is = |place: &Variable, value: &Value| {
            let slot = slot(place);
            match value {
                // 4294967295 in an int is -1.
                Value::Int(value) => outcome[slot] == self.slot_types[slot].wrap(*value),
                Value::Address(name) => self.address_of(name) == Some(outcome[slot]),
            }
        };
        prop.holds(&is, &|place| outcome[slot(place)])
    }

    /// The address of a location, or of an array's first element.
    pub fn address_of(&self, name: &str) -> Option<i64> {
        let first = format!("{name}[0]");
        let of = |location: &String| *location == name || *location == first;
        self.locations
            .iter()
            .position(of)
            .map(|l| self.addresses[l])
    }

    /// The names of the addresses: an address in an outcome is shown by it.
    pub fn names(&self) -> HashMap<i64, String> {
        let all = self.addresses.iter().zip(&self.locations);
        all.map(|(address, name)| (*address, name.clone()))
            .collect()
    }

    /// What only the explorer and the reference machines run, if the test has it.
    pub fn beyond_threads(&self) -> Option<&'static str> {
        let all = || self.threads.iter().flat_map(|thread| &thread.code);
        let pointer = |instr: &Instr| {
            matches!(
                instr,
                Instr::Load {
                    target: Target::Pointer(_),
                    ..
                } | Instr::Store {
                    target: Target::Pointer(_),
                    ..
                } | Instr::Rmw {
                    target: Target::Pointer(_),
                    ..
                } | Instr::Cas {
                    target: Target::Pointer(_),
                    ..
                } | Instr::Lock(Target::Pointer(_))
            )
        };
        let waits = |instr: &Instr| {
            matches!(
                instr,
                Instr::Lock(_) | Instr::Await | Instr::Turn(_) | Instr::Abandon
            )
        };
        let undefined = |instr: &Instr| {
            let Instr::Compute { op, b, ty, .. } = instr else {
                return false;
            };
            match b {
                Operand::Const(value) => op.apply(0, *value, *ty).is_err(),
                Operand::Reg(_) => matches!(op, BinOp::Div | BinOp::Rem) || op.is_shift(),
            }
        };
        if all().any(waits) {
            Some("it has loops or locks; rc11, sc and tso run those")
        } else if all().any(pointer) {
            Some("it goes through pointers; rc11, sc and tso do that")
        } else if all().any(undefined) {
            Some(
                "it has a division or shift that C may leave undefined; rc11, sc and tso notice that",
            )
        } else {
            None
        }
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
