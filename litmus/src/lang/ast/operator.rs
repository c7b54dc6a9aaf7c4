//! Operators of expressions and read-modify-writes.

use super::IntType;

/// Unary operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnOp {
    /// `-`
    Neg,
    /// `!`
    Not,
    /// `~`
    BitNot,
}

/// Binary operators; comparisons give 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum BinOp {
    Or,
    And,
    BitOr,
    BitXor,
    BitAnd,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Shl,
    Shr,
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

/// What C gives no value: the division of the smallest number by -1 wraps here as on most
/// machines, these do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[allow(missing_docs)]
pub enum Undefined {
    #[error("division by zero")]
    Division,
    #[error("shift by {0}, which is negative or not less than the width")]
    Shift(i64),
    #[error("access to {0:#x}, which is the address of no location")]
    Address(i64),
}

impl BinOp {
    /// Every operator, loosest first.
    pub const ALL: [BinOp; 18] = [
        BinOp::Or,
        BinOp::And,
        BinOp::BitOr,
        BinOp::BitXor,
        BinOp::BitAnd,
        BinOp::Eq,
        BinOp::Ne,
        BinOp::Lt,
        BinOp::Le,
        BinOp::Gt,
        BinOp::Ge,
        BinOp::Shl,
        BinOp::Shr,
        BinOp::Add,
        BinOp::Sub,
        BinOp::Mul,
        BinOp::Div,
        BinOp::Rem,
    ];

    /// How it is written, and how tightly it binds (C's precedence).
    pub fn symbol(self) -> (&'static str, u8) {
        match self {
            BinOp::Or => ("||", 1),
            BinOp::And => ("&&", 2),
            BinOp::BitOr => ("|", 3),
            BinOp::BitXor => ("^", 4),
            BinOp::BitAnd => ("&", 5),
            BinOp::Eq => ("==", 6),
            BinOp::Ne => ("!=", 6),
            BinOp::Lt => ("<", 7),
            BinOp::Le => ("<=", 7),
            BinOp::Gt => (">", 7),
            BinOp::Ge => (">=", 7),
            BinOp::Shl => ("<<", 8),
            BinOp::Shr => (">>", 8),
            BinOp::Add => ("+", 9),
            BinOp::Sub => ("-", 9),
            BinOp::Mul => ("*", 10),
            BinOp::Div => ("/", 10),
            BinOp::Rem => ("%", 10),
        }
    }

    /// Whether it compares or joins truths: the result is an `int`, 0 or 1.
    pub fn is_truth(self) -> bool {
        self.symbol().1 <= 2 || (6..=7).contains(&self.symbol().1)
    }

    /// Whether it shifts: the operands' types have nothing to do with each other.
    pub fn is_shift(self) -> bool {
        matches!(self, BinOp::Shl | BinOp::Shr)
    }

    /// Its value on operands of type `ty`; `&&` and `||` on values already computed.
    /// Arithmetic wraps.
    ///
    /// # Errors
    ///
    /// Division by zero, and shifts by more than the width.
    pub fn apply(self, a: i64, b: i64, ty: IntType) -> Result<i64, Undefined> {
        use std::cmp::Ordering::{Greater, Less};
        // Narrower unsigned numbers are not negative in 64 bits.
        let order = || match ty == IntType::ULONG {
            true => (a as u64).cmp(&(b as u64)),
            false => a.cmp(&b),
        };
        if matches!(self, BinOp::Div | BinOp::Rem) && b == 0 {
            return Err(Undefined::Division);
        }
        if self.is_shift() && !(0..i64::from(ty.bits)).contains(&b) {
            return Err(Undefined::Shift(b));
        }
        let value = match self {
            BinOp::Or => i64::from(a != 0 || b != 0),
            BinOp::And => i64::from(a != 0 && b != 0),
            BinOp::BitOr => a | b,
            BinOp::BitXor => a ^ b,
            BinOp::BitAnd => a & b,
            BinOp::Eq => i64::from(a == b),
            BinOp::Ne => i64::from(a != b),
            BinOp::Lt => i64::from(order() == Less),
            BinOp::Le => i64::from(order() != Greater),
            BinOp::Gt => i64::from(order() == Greater),
            BinOp::Ge => i64::from(order() != Less),
            BinOp::Shl => a << b,
            BinOp::Shr if ty.signed => a >> b,
            BinOp::Shr => ((a as u64) >> b) as i64,
            BinOp::Add => a.wrapping_add(b),
            BinOp::Sub => a.wrapping_sub(b),
            BinOp::Mul => a.wrapping_mul(b),
            BinOp::Div if ty.signed => a.wrapping_div(b),
            BinOp::Div => (a as u64 / b as u64) as i64,
            BinOp::Rem if ty.signed => a.wrapping_rem(b),
            BinOp::Rem => (a as u64 % b as u64) as i64,
        };
        Ok(if self.is_truth() {
            value
        } else {
            ty.wrap(value)
        })
    }
}

/// Read-modify-writes that always write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum RmwOp {
    Exchange,
    Add,
    Sub,
    Or,
    Xor,
    And,
}

impl RmwOp {
    /// Every operation.
    pub const ALL: [RmwOp; 6] = [
        RmwOp::Exchange,
        RmwOp::Add,
        RmwOp::Sub,
        RmwOp::Or,
        RmwOp::Xor,
        RmwOp::And,
    ];

    /// The C function without `_explicit`.
    pub fn c_name(self) -> &'static str {
        match self {
            RmwOp::Exchange => "atomic_exchange",
            RmwOp::Add => "atomic_fetch_add",
            RmwOp::Sub => "atomic_fetch_sub",
            RmwOp::Or => "atomic_fetch_or",
            RmwOp::Xor => "atomic_fetch_xor",
            RmwOp::And => "atomic_fetch_and",
        }
    }

    /// The value written over `old`, before it is cut to the location's width.
    pub fn apply(self, old: i64, operand: i64) -> i64 {
        match self {
            RmwOp::Exchange => operand,
            RmwOp::Add => old.wrapping_add(operand),
            RmwOp::Sub => old.wrapping_sub(operand),
            RmwOp::Or => old | operand,
            RmwOp::Xor => old ^ operand,
            RmwOp::And => old & operand,
        }
    }
}
