//! The syntax tree of a litmus test, as written.

mod operator;

pub use operator::{BinOp, RmwOp, UnOp};

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
    pub locations: Vec<Place>,
    /// Outcomes outside the filter are not outcomes.
    pub filter: Option<Prop>,
    /// The question.
    pub condition: Condition,
}

/// One entry of the initial state. What is not mentioned starts at 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    /// What.
    pub place: Place,
    /// Its value.
    pub value: i64,
}

/// A shared location, or a register of a thread.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// `x` or `[x]`
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
    /// Whether it is accessed by `atomic_…` functions (else by `*x`).
    pub atomic: bool,
}

/// A statement and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stmt {
    /// Place of its first token.
    pub at: Pos,
    /// What it does.
    pub kind: StmtKind,
}

/// What a statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StmtKind {
    /// `int r0;` or `int r0 = e;`
    Declare(String, Option<Expr>),
    /// `r0 = e;`
    Assign(String, Expr),
    /// `*x = e;` or `atomic_store…(x, e);`
    Store(String, Expr, Order),
    /// `atomic_thread_fence(order);`
    Fence(Order),
    /// An expression for its effect.
    Effect(Expr),
    /// `if (e) { … } else { … }`
    If(Expr, Vec<Stmt>, Vec<Stmt>),
}

/// An expression. Operands are evaluated from left to right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// A constant.
    Const(i64),
    /// A local register.
    Reg(String),
    /// `-e`, `!e`
    Unary(UnOp, Box<Expr>),
    /// `a + b`; `&&` and `||` evaluate the right side only if needed.
    Binary(BinOp, Box<Expr>, Box<Expr>),
    /// `*x` or `atomic_load…(x)`
    Load(String, Order),
    /// `atomic_exchange…`, `atomic_fetch_add…`: the value before.
    Rmw(RmwOp, String, Box<Expr>, Order),
    /// `atomic_compare_exchange…`: 1 when exchanged.
    Cas(Box<Cas>),
}

/// A compare-exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cas {
    /// The location.
    pub location: String,
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
    /// A plain shared location, herd's form.
    Location(String),
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
    /// `0:r0=1`
    Is(Place, i64),
    /// `0:r0=1:r1`
    Same(Place, Place),
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
    pub fn places(&self) -> Vec<&Place> {
        fn walk<'a>(prop: &'a Prop, out: &mut Vec<&'a Place>) {
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

    /// Its truth, given the value of every place.
    pub fn holds(&self, value: &impl Fn(&Place) -> i64) -> bool {
        match self {
            Prop::Const(truth) => *truth,
            Prop::Is(place, v) => value(place) == *v,
            Prop::Same(a, b) => value(a) == value(b),
            Prop::Not(p) => !p.holds(value),
            Prop::And(p, q) => p.holds(value) && q.holds(value),
            Prop::Or(p, q) => p.holds(value) || q.holds(value),
            Prop::Implies(p, q) => !p.holds(value) || q.holds(value),
        }
    }
}
