//! The pretty printer: a text that parses to the same tree.

use std::fmt::{self, Display, Formatter, Write};

use super::ast::{
    BinOp, Condition, Expected, Expr, Order, Param, Place, Prop, Quantifier, Stmt, StmtKind, Test,
    UnOp, c_name,
};

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "C {}", self.name)?;
        if let Some(doc) = &self.doc {
            writeln!(f, "\"{doc}\"")?;
        }
        for (key, value) in &self.info {
            writeln!(f, "{key}={value}")?;
        }
        f.write_str("{")?;
        for init in &self.init {
            write!(f, " {}={};", init.place, init.value)?;
        }
        f.write_str(" }\n")?;
        for (number, thread) in self.threads.iter().enumerate() {
            let params: Vec<String> = thread
                .params
                .iter()
                .map(|param| {
                    format!(
                        "{}* {}",
                        if param.atomic { "atomic_int" } else { "int" },
                        param.name
                    )
                })
                .collect();
            write!(f, "\nP{number} ({}) {{\n", params.join(", "))?;
            statements(f, &thread.body, &thread.params, 1)?;
            f.write_str("}\n")?;
        }
        f.write_str("\n")?;
        if !self.locations.is_empty() {
            let places: Vec<String> = self
                .locations
                .iter()
                .map(|place| format!("{place};"))
                .collect();
            writeln!(f, "locations [{}]", places.join(" "))?;
        }
        if let Some(filter) = &self.filter {
            writeln!(f, "filter ({filter})")?;
        }
        writeln!(f, "{}", self.condition)
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Place::Location(name) => write!(f, "{name}"),
            Place::Register(thread, name) => write!(f, "{thread}:{name}"),
        }
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let quantifier = match self.quantifier {
            Quantifier::Exists => "exists",
            Quantifier::NotExists => "~exists",
            Quantifier::Forall => "forall",
        };
        write!(f, "{quantifier} ({})", self.prop)
    }
}

impl Display for Prop {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // A left operand of the same operator needs no parentheses; every
        // other compound operand gets them, so no reader has to know herd's levels.
        let operand = |f: &mut Formatter<'_>, inner: &Prop, bare: bool| match inner {
            Prop::And(..) | Prop::Or(..) | Prop::Implies(..) if !bare => write!(f, "({inner})"),
            _ => write!(f, "{inner}"),
        };
        match self {
            Prop::Const(truth) => write!(f, "{truth}"),
            Prop::Is(place, value) => write!(f, "{place}={value}"),
            // `x=y` would be read as a symbolic value by herd; brackets say location.
            Prop::Same(a, b) => write!(f, "{}={}", bracketed(a), bracketed(b)),
            Prop::Not(inner) => {
                f.write_str("~")?;
                operand(f, inner, false)
            }
            Prop::And(a, b) => {
                operand(f, a, matches!(**a, Prop::And(..)))?;
                f.write_str(" /\\ ")?;
                operand(f, b, false)
            }
            Prop::Or(a, b) => {
                operand(f, a, matches!(**a, Prop::Or(..)))?;
                f.write_str(" \\/ ")?;
                operand(f, b, false)
            }
            Prop::Implies(a, b) => {
                operand(f, a, false)?;
                f.write_str(" => ")?;
                operand(f, b, false)
            }
        }
    }
}

fn bracketed(place: &Place) -> String {
    match place {
        Place::Location(name) => format!("[{name}]"),
        Place::Register(..) => place.to_string(),
    }
}

fn statements(f: &mut Formatter<'_>, body: &[Stmt], params: &[Param], depth: usize) -> fmt::Result {
    for stmt in body {
        for _ in 0..depth {
            f.write_str("  ")?;
        }
        match &stmt.kind {
            StmtKind::Declare(name, None) => writeln!(f, "int {name};")?,
            StmtKind::Declare(name, Some(value)) => writeln!(f, "int {name} = {value};")?,
            StmtKind::Assign(name, value) => writeln!(f, "{name} = {value};")?,
            StmtKind::Store(location, value, Order::Plain) => {
                if params
                    .iter()
                    .any(|param| param.name == *location && param.atomic)
                {
                    writeln!(f, "atomic_init({location}, {value});")?;
                } else {
                    writeln!(f, "*{location} = {value};")?;
                }
            }
            StmtKind::Store(location, value, order) => {
                writeln!(
                    f,
                    "atomic_store_explicit({location}, {value}, {});",
                    c_name(*order)
                )?;
            }
            StmtKind::Fence(order) => writeln!(f, "atomic_thread_fence({});", c_name(*order))?,
            StmtKind::Effect(expr) => writeln!(f, "{expr};")?,
            StmtKind::If(test, then, other) => {
                writeln!(f, "if ({test}) {{")?;
                statements(f, then, params, depth + 1)?;
                if !other.is_empty() {
                    writeln!(f, "{:width$}}} else {{", "", width = 2 * depth)?;
                    statements(f, other, params, depth + 1)?;
                }
                writeln!(f, "{:width$}}}", "", width = 2 * depth)?;
            }
        }
    }
    Ok(())
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        expression(f, self, 0)
    }
}

/// Writes `expr`, in parentheses if it binds more loosely than `level`.
fn expression(f: &mut Formatter<'_>, expr: &Expr, level: u8) -> fmt::Result {
    match expr {
        Expr::Const(value) => write!(f, "{value}"),
        Expr::Reg(name) => write!(f, "{name}"),
        Expr::Unary(op, inner) => {
            f.write_char(match op {
                UnOp::Neg => '-',
                UnOp::Not => '!',
            })?;
            // `-5` is the constant, `--r` no C.
            let parentheses = match **inner {
                Expr::Binary(..) | Expr::Unary(UnOp::Neg, _) => true,
                Expr::Const(_) => *op == UnOp::Neg,
                _ => false,
            };
            if parentheses {
                write!(f, "({inner})")
            } else {
                write!(f, "{inner}")
            }
        }
        Expr::Binary(op, a, b) => {
            let (symbol, own) = op.symbol();
            if own < level {
                f.write_char('(')?;
            }
            expression(f, a, own)?;
            write!(f, " {symbol} ")?;
            expression(f, b, own + 1)?;
            if own < level {
                f.write_char(')')?;
            }
            Ok(())
        }
        Expr::Load(location, Order::Plain) => write!(f, "*{location}"),
        Expr::Load(location, order) => {
            write!(f, "atomic_load_explicit({location}, {})", c_name(*order))
        }
        Expr::Rmw(op, location, operand, order) => {
            write!(
                f,
                "{}_explicit({location}, {operand}, {})",
                op.c_name(),
                c_name(*order)
            )
        }
        Expr::Cas(cas) => {
            let strength = if cas.weak { "weak" } else { "strong" };
            let expected = match &cas.expected {
                Expected::Reg(name) => format!("&{name}"),
                Expected::Location(name) => name.clone(),
            };
            write!(
                f,
                "atomic_compare_exchange_{strength}_explicit({}, {expected}, {}, {}, {})",
                cas.location,
                cas.desired,
                c_name(cas.success),
                c_name(cas.failure)
            )
        }
    }
}

impl Display for BinOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol().0)
    }
}
