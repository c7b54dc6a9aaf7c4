//! The syntax tree of a litmus test, as written.

mod operator;
mod types;

pub use operator::{BinOp, RmwOp, UnOp, Undefined};
pub use types::{Env, IntType, Type};

use super::error::Pos;

pub use crate::explore::program::MemoryOrder as Order;

/// The C name of an order; plain accesses have none in C.
/// `memory_order_consume` is read as acquire, as every compiler does.
pub fn c_name(order: Order) -> &'static str {
    match order {
        Order::Plain => "plain",
        Order::Relaxed => "memory_order_relaxed",
        Order::Acquire => "memory_order_acquire",
        Order::Release => "memory_order_release",
        Order::AcqRel => "memory_order_acq_rel",
        Order::SeqCst => "memory_order_seq_cst",
    }
}

/// A whole test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// The word after `C`.
    pub name: String,
    /// The text in quotes under the name.
    pub doc: Option<String>,
    /// `Key=Value` lines between the name and the initial state.
    pub info: Vec<(String, String)>,
    /// The initial state.
    pub init: Vec<Init>,
    /// `P0`, `P1`, …
    pub threads: Vec<Thread>,
    /// What to show besides the variables of the condition.
    pub locations: Vec<Variable>,
    /// Outcomes outside the filter are not outcomes.
    pub filter: Option<Prop>,
    /// The question.
    pub condition: Condition,
}

/// One entry of the initial state. What is not mentioned starts at 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    /// Its type, if written.
    pub ty: Option<Type>,
    /// What.
    pub place: Variable,
    /// Its value.
    pub value: InitValue,
}

/// What something starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InitValue {
    /// A number or an address.
    One(Value),
    /// An array's elements.
    Array(Vec<Value>),
}

/// A number, or the address of a location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Int(i64),
    /// The address of the location named.
    Address(String),
}

/// A shared location, or a register of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Variable {
    /// `x`, `[x]`, or an array's element `a[1]`
    Location(String),
    /// `0:r0`
    Register(usize, String),
}

/// One thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// The locations it may touch.
    pub params: Vec<Param>,
    /// What it does.
    pub body: Vec<Stmt>,
}

/// `atomic_int* x` or `int* x`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// The location.
    pub name: String,
    /// What it holds.
    pub ty: Type,
}

/// A statement and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stmt {
    /// Variable of its first token.
    pub at: Pos,
    /// What it does.
    pub kind: StmtKind,
}

/// What a statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StmtKind {
    /// `int r0;` or `int r0 = e;`
    Declare(Type, String, Option<Expr>),
    /// `r0 = e;`
    Assign(String, Expr),
    /// `*p = e;` or `atomic_store…(p, e);`
    Store(Expr, Expr, Order),
    /// `atomic_thread_fence(order);`
    Fence(Order),
    /// An expression for its effect.
    Effect(Expr),
    /// `if (e) { … } else { … }`
    If(Expr, Vec<Stmt>, Vec<Stmt>),
    /// `while (e) { … }`
    While(Expr, Vec<Stmt>),
    /// `do { … } while (e);`
    DoWhile(Vec<Stmt>, Expr),
    /// `name:`
    Label(String),
    /// `goto name;`
    Goto(String),
    /// `lock(p);`: waits until the lock is 0, then sets it to 1.
    Lock(Expr),
}

/// An expression. Operands are evaluated from left to right. Addresses are
/// expressions like others: a parameter's name, a register that holds a pointer,
/// an array's name plus a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// A constant.
    Const(i64),
    /// A local register.
    Reg(String),
    /// The address of a location: its name.
    Address(String),
    /// `-e`, `!e`, `~e`
    Unary(UnOp, Box<Expr>),
    /// `a + b`; `&&` and `||` evaluate the right side only if needed.
    Binary(BinOp, Box<Expr>, Box<Expr>),
    /// `a ? b : c`
    Cond(Box<[Expr; 3]>),
    /// `(long) e`
    Cast(Type, Box<Expr>),
    /// `*p` or `atomic_load…(p)`
    Load(Box<Expr>, Order),
    /// `atomic_exchange…`, `atomic_fetch_add…`: the value before.
    Rmw(RmwOp, Box<Expr>, Box<Expr>, Order),
    /// `atomic_compare_exchange…`: 1 when exchanged.
    Cas(Box<Cas>),
    /// `__cmpxchg{…}(p, old, new)`: the value before.
    CmpXchg(Box<CmpXchg>),
    /// `atomic_add_unless(p, a, u)`, the Linux kernel's: adds `a` unless the value is `u`, and
    /// is 1 if it has added. A full barrier on both sides.
    AddUnless(Box<[Expr; 3]>),
    /// An [`Expr::Rmw`] or [`Expr::CmpXchg`] between two seq_cst fences: the Linux kernel's
    /// `xchg`, `cmpxchg`, `atomic_fetch_add` and so on.
    Fenced(Box<Expr>),
}

impl Stmt {
    /// Whether it has others in it.
    pub fn is_compound(&self) -> bool {
        matches!(
            self.kind,
            StmtKind::If(..) | StmtKind::While(..) | StmtKind::DoWhile(..)
        )
    }

    /// Shows it and every statement in it.
    pub fn walk_statements<'a>(&'a self, see: &mut impl FnMut(&'a Stmt)) {
        see(self);
        match &self.kind {
            StmtKind::If(_, then, other) => {
                then.iter()
                    .chain(other)
                    .for_each(|stmt| stmt.walk_statements(see));
            }
            StmtKind::While(_, body) | StmtKind::DoWhile(body, _) => {
                body.iter().for_each(|stmt| stmt.walk_statements(see));
            }
            _ => {}
        }
    }

    /// Shows every expression in it, and every part of it.
    pub fn walk<'a>(&'a self, see: &mut impl FnMut(&'a Expr)) {
        match &self.kind {
            StmtKind::Declare(_, _, None)
            | StmtKind::Fence(_)
            | StmtKind::Label(_)
            | StmtKind::Goto(_) => {}
            StmtKind::Declare(_, _, Some(expr))
            | StmtKind::Assign(_, expr)
            | StmtKind::Effect(expr)
            | StmtKind::Lock(expr) => expr.walk(see),
            StmtKind::Store(address, expr, _) => {
                address.walk(see);
                expr.walk(see);
            }
            StmtKind::If(test, then, other) => {
                test.walk(see);
                then.iter().chain(other).for_each(|stmt| stmt.walk(see));
            }
            StmtKind::While(test, body) | StmtKind::DoWhile(body, test) => {
                test.walk(see);
                body.iter().for_each(|stmt| stmt.walk(see));
            }
        }
    }
}

impl Expr {
    /// Shows the expression and every part of it.
    pub fn walk<'a>(&'a self, see: &mut impl FnMut(&'a Expr)) {
        see(self);
        match self {
            Expr::Const(_) | Expr::Reg(_) | Expr::Address(_) => {}
            Expr::Unary(_, inner)
            | Expr::Cast(_, inner)
            | Expr::Load(inner, _)
            | Expr::Fenced(inner) => inner.walk(see),
            Expr::Binary(_, a, b) | Expr::Rmw(_, a, b, _) => {
                a.walk(see);
                b.walk(see);
            }
            Expr::Cas(cas) => {
                cas.address.walk(see);
                if let Expected::Memory(address) = &cas.expected {
                    address.walk(see);
                }
                cas.desired.walk(see);
            }
            Expr::CmpXchg(cas) => [&cas.address, &cas.old, &cas.new]
                .into_iter()
                .for_each(|part| part.walk(see)),
            Expr::AddUnless(parts) | Expr::Cond(parts) => {
                parts.iter().for_each(|part| part.walk(see));
            }
        }
    }

    /// The register that this is, or that it reads and writes itself.
    pub fn register(&self) -> Option<&str> {
        match self {
            Expr::Reg(name) => Some(name),
            Expr::Cas(cas) => match &cas.expected {
                Expected::Reg(name) => Some(name),
                Expected::Memory(_) => None,
            },
            _ => None,
        }
    }

    /// Whether its evaluation accesses memory.
    pub fn touches_memory(&self) -> bool {
        match self {
            Expr::Const(_) | Expr::Reg(_) | Expr::Address(_) => false,
            Expr::Unary(_, inner) | Expr::Cast(_, inner) => inner.touches_memory(),
            Expr::Binary(_, a, b) => a.touches_memory() || b.touches_memory(),
            Expr::Cond(parts) => parts.iter().any(Expr::touches_memory),
            _ => true,
        }
    }

    /// Whether C may leave its value undefined, so that it matters whether it is evaluated.
    pub fn may_be_undefined(&self) -> bool {
        let mut may = false;
        self.walk(&mut |part| {
            may |= matches!(part, Expr::Binary(op, ..)
                if op.is_shift() || matches!(op, BinOp::Div | BinOp::Rem));
        });
        may
    }
}

/// A compare-exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cas {
    /// The location's address.
    pub address: Expr,
    /// What holds the expected value and receives the value found on failure.
    pub expected: Expected,
    /// The new value.
    pub desired: Expr,
    /// Order when it succeeds.
    pub success: Order,
    /// Order of the load when it fails.
    pub failure: Order,
    /// May fail although the value is the expected one.
    pub weak: bool,
}

/// Where a compare-exchange finds its expected value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// `&r0`: a register.
    Reg(String),
    /// The address of plain shared memory, herd's form.
    Memory(Expr),
}

/// The Linux kernel's compare-exchange, which takes the expected value itself. A failing
/// one is a relaxed load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CmpXchg {
    /// The location's address.
    pub address: Expr,
    /// The expected value.
    pub old: Expr,
    /// The new value.
    pub new: Expr,
    /// Order when it succeeds.
    pub order: Order,
}

/// The question a test asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// How.
    pub quantifier: Quantifier,
    /// About what.
    pub prop: Prop,
}

/// How the condition is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// `exists`: is there such an outcome?
    Exists,
    /// `~exists`: the outcome is claimed impossible.
    NotExists,
    /// `forall`: claimed of every outcome.
    Forall,
}

/// A proposition about a final state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prop {
    /// `true`, `false`
    Const(bool),
    /// `0:r0=1`, `0:r0=x`
    Is(Variable, Value),
    /// `0:r0=1:r1`, `0:r0=[x]`
    Same(Variable, Variable),
    /// `~p`
    Not(Box<Prop>),
    /// `p /\ q`
    And(Box<Prop>, Box<Prop>),
    /// `p \/ q`
    Or(Box<Prop>, Box<Prop>),
    /// `p => q`
    Implies(Box<Prop>, Box<Prop>),
}

impl Prop {
    /// The places it speaks of, in order of appearance, each once.
    pub fn places(&self) -> Vec<&Variable> {
        fn walk<'a>(prop: &'a Prop, out: &mut Vec<&'a Variable>) {
            let mut add = |place| {
                if !out.contains(&place) {
                    out.push(place);
                }
            };
            match prop {
                Prop::Const(_) => {}
                Prop::Is(place, _) => add(place),
                Prop::Same(a, b) => {
                    add(a);
                    add(b);
                }
                Prop::Not(p) => walk(p, out),
                Prop::And(p, q) | Prop::Or(p, q) | Prop::Implies(p, q) => {
                    walk(p, out);
                    walk(q, out);
                }
            }
        }
        let mut out = Vec::new();
        walk(self, &mut out);
        out
    }

    /// Its truth, given that of `Is` and the value of every place.
    pub fn holds(
        &self,
        is: &impl Fn(&Variable, &Value) -> bool,
        value: &impl Fn(&Variable) -> i64,
    ) -> bool {
        match self {
            Prop::Const(truth) => *truth,
            Prop::Is(place, v) => is(place, v),
            Prop::Same(a, b) => value(a) == value(b),
            Prop::Not(p) => !p.holds(is, value),
            Prop::And(p, q) => p.holds(is, value) && q.holds(is, value),
            Prop::Or(p, q) => p.holds(is, value) || q.holds(is, value),
            Prop::Implies(p, q) => !p.holds(is, value) || q.holds(is, value),
        }
    }
}
