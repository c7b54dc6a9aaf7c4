//! Types, and the types of expressions.

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};

use super::{BinOp, Expr, Param, Stmt, StmtKind, UnOp};

/// An integer type: its width and sign are all there is to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IntType {
    /// 1 (`_Bool`), 8, 16, 32 or 64.
    pub bits: u8,
    /// Whether it has negative numbers.
    pub signed: bool,
}

impl IntType {
    /// `int`
    pub const INT: IntType = IntType::new(32, true);
    /// `unsigned int`
    pub const UINT: IntType = IntType::new(32, false);
    /// `long`
    pub const LONG: IntType = IntType::new(64, true);
    /// `unsigned long`
    pub const ULONG: IntType = IntType::new(64, false);
    /// `_Bool`
    pub const BOOL: IntType = IntType::new(1, false);

    /// By width and sign.
    pub const fn new(bits: u8, signed: bool) -> IntType {
        IntType { bits, signed }
    }

    /// The value converted to this type: cut to its width, and in two's complement if signed;
    /// whether it is not 0, if `_Bool`.
    pub fn wrap(self, value: i64) -> i64 {
        let shift = 64 - u32::from(self.bits);
        match self {
            IntType::BOOL => i64::from(value != 0),
            IntType { signed: true, .. } => value << shift >> shift,
            IntType { signed: false, .. } => ((value as u64) << shift >> shift) as i64,
        }
    }

    /// The value at the high end of a 64-bit cell. Additions, subtractions, bitwise updates,
    /// exchanges and comparisons of cells with each other then wrap as the type does.
    pub fn to_cell(self, value: i64) -> i64 {
        value << (64 - u32::from(self.bits))
    }

    /// The value that [`Self::to_cell`] has put into a cell.
    pub fn from_cell(self, cell: i64) -> i64 {
        let shift = 64 - u32::from(self.bits);
        match self.signed {
            true => cell >> shift,
            false => ((cell as u64) >> shift) as i64,
        }
    }

    /// Whether every value of this type is one of the other.
    pub fn fits(self, other: IntType) -> bool {
        match (self.signed, other.signed) {
            (true, false) => false,
            (false, true) => self.bits < other.bits,
            _ => self.bits <= other.bits,
        }
    }

    /// The type in which C computes with it: no narrower than `int`.
    fn promoted(self) -> IntType {
        if self.bits < 32 { IntType::INT } else { self }
    }

    /// C's usual arithmetic conversions.
    fn common(self, other: IntType) -> IntType {
        let (a, b) = (self.promoted(), other.promoted());
        match a.bits.cmp(&b.bits) {
            std::cmp::Ordering::Less => b,
            std::cmp::Ordering::Greater => a,
            std::cmp::Ordering::Equal => IntType::new(a.bits, a.signed && b.signed),
        }
    }
}

impl Display for IntType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = match (self.bits, self.signed) {
            (1, _) => "_Bool",
            (8, true) => "int8_t",
            (8, false) => "uint8_t",
            (16, true) => "int16_t",
            (16, false) => "uint16_t",
            (32, true) => "int",
            (32, false) => "unsigned int",
            (_, true) => "long",
            (_, false) => "unsigned long",
        };
        f.write_str(name)
    }
}

/// A number, or a pointer to one, to a pointer, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Type {
    /// What is at the end of the pointers.
    pub int: IntType,
    /// Whether that is atomic.
    pub atomic: bool,
    /// How many `*` follow.
    pub stars: u8,
}

impl Type {
    /// Plain `int`.
    pub const INT: Type = Type::of(IntType::INT);

    /// A plain number.
    pub const fn of(int: IntType) -> Type {
        Type {
            int,
            atomic: false,
            stars: 0,
        }
    }

    /// A pointer to this.
    pub fn pointer(self) -> Type {
        Type {
            stars: self.stars.saturating_add(1),
            ..self
        }
    }

    /// What it points to; of a number, itself.
    pub fn pointee(self) -> Type {
        Type {
            stars: self.stars.saturating_sub(1),
            ..self
        }
    }

    /// Whether it is a pointer.
    pub fn is_pointer(self) -> bool {
        self.stars > 0
    }

    /// Whether `*p` on a pointer to this is an atomic access.
    pub fn is_atomic(self) -> bool {
        self.atomic && self.stars == 0
    }

    /// The type of a register that holds such a value.
    pub fn held(self) -> Type {
        Type {
            atomic: self.atomic && self.stars > 0,
            ..self
        }
    }

    /// What a location holds of which two declarations say different things: the wider.
    pub fn joined(self, other: Type) -> Type {
        let first = (self.stars, self.int.bits) >= (other.stars, other.int.bits);
        let wider = if first { self } else { other };
        Type {
            atomic: self.atomic || other.atomic,
            ..wider
        }
    }

    /// How it is represented: pointers are 64 bits wide.
    pub fn int(self) -> IntType {
        match self.is_pointer() {
            true => IntType::LONG,
            false => self.int,
        }
    }
}

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.atomic, self.int) {
            (true, IntType::INT) => f.write_str("atomic_int")?,
            (true, int) => write!(f, "_Atomic({int})")?,
            (false, int) => write!(f, "{int}")?,
        }
        (0..self.stars).try_for_each(|_| f.write_str("*"))
    }
}

/// The types of a thread's names, as far as the thread has been read.
#[derive(Debug, Clone, Default)]
pub struct Env {
    params: HashMap<String, Type>,
    registers: HashMap<String, Type>,
}

impl Env {
    /// With a thread's parameters, and the registers that the initial state mentions.
    pub fn new(params: &[Param], registers: impl IntoIterator<Item = (String, Type)>) -> Env {
        let params = params.iter().map(|p| (p.name.clone(), p.ty)).collect();
        let registers = registers.into_iter().collect();
        Env { params, registers }
    }

    /// What the parameter points to.
    pub fn param(&self, name: &str) -> Option<Type> {
        self.params.get(name).copied()
    }

    /// The type of a register.
    pub fn register(&self, name: &str) -> Option<Type> {
        self.registers.get(name).copied()
    }

    /// The names of the registers, in order.
    pub fn registers(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.registers.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    /// Declares a register. The first declaration counts; a pointer is not forgotten.
    pub fn declare(&mut self, name: &str, ty: Type) {
        let known = self.registers.entry(name.to_string()).or_insert(ty);
        if ty.is_pointer() && !known.is_pointer() {
            *known = ty;
        }
    }

    /// Takes notice of what a statement declares, of those inside it too.
    pub fn note(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Declare(ty, name, value) => {
                let value = value.as_ref().map(|value| self.of(value));
                self.declare(name, ty.held());
                value.into_iter().for_each(|ty| self.assign(name, ty));
            }
            StmtKind::Assign(name, value) => {
                let ty = self.of(value);
                self.assign(name, ty);
            }
            StmtKind::If(_, then, other) => {
                then.iter().chain(other).for_each(|stmt| self.note(stmt));
            }
            StmtKind::While(_, body) | StmtKind::DoWhile(body, _) => {
                body.iter().for_each(|stmt| self.note(stmt))
            }
            _ => {}
        }
    }

    /// A register that is given a value of that type. herd has no types: a register that nobody
    /// has declared is an `int`, and one that is given an address is a pointer.
    fn assign(&mut self, name: &str, value: Type) {
        match value.is_pointer() {
            true => self.declare(name, value),
            false => self.declare(name, Type::INT),
        }
    }

    /// The type of an expression's value. Unknown names are numbers.
    pub fn of(&self, expr: &Expr) -> Type {
        match expr {
            Expr::Const(value) => Type::of(match i32::try_from(*value) {
                Ok(_) => IntType::INT,
                Err(_) => IntType::LONG,
            }),
            Expr::Reg(name) => self.register(name).unwrap_or(Type::INT),
            Expr::Address(name) => self.param(name).unwrap_or(Type::INT).pointer(),
            Expr::Unary(UnOp::Not, _) | Expr::Cas(_) | Expr::AddUnless(_) => Type::INT,
            Expr::Unary(_, inner) => Type::of(self.of(inner).int().promoted()),
            Expr::Cond(parts) => match (self.of(&parts[1]), self.of(&parts[2])) {
                (a, _) if a.is_pointer() => a,
                (_, b) if b.is_pointer() => b,
                (a, b) => Type::of(a.int().common(b.int())),
            },
            Expr::Binary(op, a, b) => match op {
                op if op.is_truth() => Type::INT,
                BinOp::Add | BinOp::Sub => match (self.of(a), self.of(b)) {
                    (a, b) if a.is_pointer() && !b.is_pointer() => a,
                    (a, b) if !a.is_pointer() && b.is_pointer() => b,
                    (a, b) => Type::of(a.int().common(b.int())),
                },
                op if op.is_shift() => Type::of(self.of(a).int().promoted()),
                _ => Type::of(self.of(a).int().common(self.of(b).int())),
            },
            Expr::Cast(ty, _) => ty.held(),
            Expr::Load(address, _) | Expr::Rmw(_, address, _, _) => {
                self.of(address).pointee().held()
            }
            Expr::CmpXchg(cas) => self.of(&cas.address).pointee().held(),
            Expr::Fenced(inner) => self.of(inner),
        }
    }

    /// The type in which an operator computes.
    pub fn operation(&self, op: BinOp, a: &Expr, b: &Expr) -> IntType {
        let (a, b) = (self.of(a).int(), self.of(b).int());
        match op.is_shift() {
            true => a.promoted(),
            false => a.common(b),
        }
    }
}
