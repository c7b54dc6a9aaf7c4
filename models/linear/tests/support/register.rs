//! A register, as a specification: for the tests and the benchmark.

use threadbare_linear::Specification;

/// A register with this value at first.
pub struct Register(pub i64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Write(i64),
    Read,
    CompareAndSet(i64, i64),
}

impl Op {
    /// The value after it, and its answer.
    pub fn apply(self, state: i64) -> (i64, i64) {
        match self {
            Op::Write(v) => (v, 0),
            Op::Read => (state, state),
            Op::CompareAndSet(old, new) if old == state => (new, 1),
            Op::CompareAndSet(..) => (state, 0),
        }
    }
}

impl Specification for Register {
    type State = i64;
    type Op = Op;
    type Result = i64;

    fn initial(&self) -> i64 {
        self.0
    }

    fn step(&self, state: &i64, op: &Op, result: Option<&i64>) -> Option<i64> {
        let (after, answer) = op.apply(*state);
        result.is_none_or(|r| *r == answer).then_some(after)
    }

    fn only_reads(&self, op: &Op, result: &i64) -> bool {
        matches!(op, Op::Read) || matches!(op, Op::CompareAndSet(..)) && *result == 0
    }
}
