//! Operators of expressions and read-modify-writes.

/// Unary operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnOp {
    /// `-`
    Neg,
    /// `!`
    Not,
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
    Add,
    Sub,
    Mul,
}

impl BinOp {
    /// Every operator, loosest first.
    pub const ALL: [BinOp; 14] = [
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
        BinOp::Add,
        BinOp::Sub,
        BinOp::Mul,
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
            BinOp::Add => ("+", 8),
            BinOp::Sub => ("-", 8),
            BinOp::Mul => ("*", 9),
        }
    }

    /// Its value; `&&` and `||` on values already computed. Arithmetic is
    /// two's complement on 64 bits and wraps.
    pub fn apply(self, a: i64, b: i64) -> i64 {
        match self {
            BinOp::Or => i64::from(a != 0 || b != 0),
            BinOp::And => i64::from(a != 0 && b != 0),
            BinOp::BitOr => a | b,
            BinOp::BitXor => a ^ b,
            BinOp::BitAnd => a & b,
            BinOp::Eq => i64::from(a == b),
            BinOp::Ne => i64::from(a != b),
            BinOp::Lt => i64::from(a < b),
            BinOp::Le => i64::from(a <= b),
            BinOp::Gt => i64::from(a > b),
            BinOp::Ge => i64::from(a >= b),
            BinOp::Add => a.wrapping_add(b),
            BinOp::Sub => a.wrapping_sub(b),
            BinOp::Mul => a.wrapping_mul(b),
        }
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

    /// The value written over `old`.
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
