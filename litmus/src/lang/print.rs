//! The pretty printer: a text that parses to the same tree.

use std::fmt::{self, Display, Formatter, Write};

use super::ast::{
    BinOp, Condition, Env, Expected, Expr, InitValue, IntType, Order, Prop, Quantifier, RmwOp,
    Stmt, StmtKind, Test, Type, UnOp, Value, Variable, c_name,
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
            f.write_char(' ')?;
            if let Some(ty) = init.ty {
                write!(f, "{ty} ")?;
            }
            match &init.value {
                InitValue::One(value) => write!(f, "{}={value};", init.place)?,
                InitValue::Array(values) => {
                    let all: Vec<String> = values.iter().map(Value::to_string).collect();
                    write!(f, "{}[{}]={{{}}};", init.place, all.len(), all.join(","))?;
                }
            }
        }
        f.write_str(" }\n")?;
        for (number, thread) in self.threads.iter().enumerate() {
            let params: Vec<String> = thread
                .params
                .iter()
                .map(|param| format!("{} {}", param.ty.pointer(), param.name))
                .collect();
            write!(f, "\nP{number} ({}) {{\n", params.join(", "))?;
            let mut env = self.env(number);
            statements(f, &thread.body, &mut env, 1)?;
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

impl Display for Variable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Variable::Location(name) => write!(f, "{name}"),
            Variable::Register(thread, name) => write!(f, "{thread}:{name}"),
        }
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Value::Int(value) => write!(f, "{value}"),
            Value::Address(name) => f.write_str(name),
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
            // `x=y` is x with the address of y; brackets say content.
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

fn bracketed(place: &Variable) -> String {
    match place {
        Variable::Location(name) => format!("[{name}]"),
        Variable::Register(..) => place.to_string(),
    }
}

fn statements(f: &mut Formatter<'_>, body: &[Stmt], env: &mut Env, depth: usize) -> fmt::Result {
    for stmt in body {
        for _ in 0..depth {
            f.write_str("  ")?;
        }
        match &stmt.kind {
            StmtKind::Declare(ty, name, None) => writeln!(f, "{ty} {name};")?,
            StmtKind::Declare(ty, name, Some(value)) => writeln!(f, "{ty} {name} = {value};")?,
            StmtKind::Assign(name, value) => writeln!(f, "{name} = {value};")?,
            StmtKind::Store(address, value, Order::Plain) => {
                match env.of(address).pointee().is_atomic() {
                    true => writeln!(f, "atomic_init({address}, {value});")?,
                    false => {
                        content(f, address)?;
                        writeln!(f, " = {value};")?;
                    }
                }
            }
            StmtKind::Store(address, value, order) => {
                let order = c_name(*order);
                writeln!(f, "atomic_store_explicit({address}, {value}, {order});")?;
            }
            StmtKind::Fence(order) => writeln!(f, "atomic_thread_fence({});", c_name(*order))?,
            StmtKind::Effect(
                expr @ (Expr::Unary(..) | Expr::Binary(..) | Expr::Cond(_) | Expr::Cast(..)),
            ) => {
                writeln!(f, "(void) ({expr});")?;
            }
            StmtKind::Effect(expr) => writeln!(f, "{expr};")?,
            StmtKind::Lock(address) => writeln!(f, "lock({address});")?,
            StmtKind::If(test, then, other) => {
                writeln!(f, "if ({test}) {{")?;
                statements(f, then, env, depth + 1)?;
                if !other.is_empty() {
                    writeln!(f, "{:width$}}} else {{", "", width = 2 * depth)?;
                    statements(f, other, env, depth + 1)?;
                }
                writeln!(f, "{:width$}}}", "", width = 2 * depth)?;
            }
            StmtKind::While(test, body) => {
                writeln!(f, "while ({test}) {{")?;
                statements(f, body, env, depth + 1)?;
                writeln!(f, "{:width$}}}", "", width = 2 * depth)?;
            }
            StmtKind::DoWhile(body, test) => {
                writeln!(f, "do {{")?;
                statements(f, body, env, depth + 1)?;
                writeln!(f, "{:width$}}} while ({test});", "", width = 2 * depth)?;
            }
            StmtKind::Label(name) => writeln!(f, "{name}: ;")?,
            StmtKind::Goto(name) => writeln!(f, "goto {name};")?,
        }
        if !stmt.is_compound() {
            env.note(stmt);
        }
    }
    Ok(())
}

/// `*p`
fn content(f: &mut Formatter<'_>, address: &Expr) -> fmt::Result {
    match address {
        Expr::Reg(_) | Expr::Address(_) | Expr::Load(..) => write!(f, "*{address}"),
        _ => write!(f, "*({address})"),
    }
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
        Expr::Reg(name) | Expr::Address(name) => write!(f, "{name}"),
        // Behind a minus it would be another constant: this one has no positive of its size.
        Expr::Cast(ty, inner)
            if *ty == Type::of(IntType::ULONG) && **inner == Expr::Const(i64::MIN) =>
        {
            write!(f, "{}", i64::MIN.unsigned_abs())
        }
        Expr::Cast(ty, inner) => {
            write!(f, "({ty}) ")?;
            match **inner {
                Expr::Binary(..) | Expr::Cond(_) => write!(f, "({inner})"),
                _ => write!(f, "{inner}"),
            }
        }
        Expr::Unary(op, inner) => {
            f.write_char(match op {
                UnOp::Neg => '-',
                UnOp::Not => '!',
                UnOp::BitNot => '~',
            })?;
            // `-5` is the constant, `--r` no C.
            let parentheses = match **inner {
                Expr::Binary(..) | Expr::Cond(_) | Expr::Unary(UnOp::Neg, _) => true,
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
        Expr::Cond(parts) => {
            let [test, then, other] = &**parts;
            if level > 0 {
                f.write_char('(')?;
            }
            expression(f, test, 1)?;
            write!(f, " ? {then} : {other}")?;
            if level > 0 {
                f.write_char(')')?;
            }
            Ok(())
        }
        Expr::Load(address, Order::Plain) => content(f, address),
        Expr::Load(address, order) => {
            write!(f, "atomic_load_explicit({address}, {})", c_name(*order))
        }
        Expr::Rmw(op, address, operand, order) => {
            let (name, order) = (op.c_name(), c_name(*order));
            write!(f, "{name}_explicit({address}, {operand}, {order})")
        }
        Expr::Cas(cas) => {
            let strength = if cas.weak { "weak" } else { "strong" };
            let expected = match &cas.expected {
                Expected::Reg(name) => format!("&{name}"),
                Expected::Memory(address) => address.to_string(),
            };
            write!(
                f,
                "atomic_compare_exchange_{strength}_explicit({}, {expected}, {}, {}, {})",
                cas.address,
                cas.desired,
                c_name(cas.success),
                c_name(cas.failure)
            )
        }
        Expr::CmpXchg(cas) => {
            let order = match cas.order {
                Order::Acquire => "acquire",
                Order::Release => "release",
                _ => "once",
            };
            let (address, old, new) = (&cas.address, &cas.old, &cas.new);
            write!(f, "__cmpxchg{{{order}}}({address}, {old}, {new})")
        }
        Expr::AddUnless(parts) => {
            let [address, added, unless] = &**parts;
            write!(f, "atomic_add_unless({address}, {added}, {unless})")
        }
        Expr::Fenced(inner) => match &**inner {
            Expr::Rmw(RmwOp::Exchange, address, value, _) => {
                write!(f, "__xchg{{mb}}({address}, {value})")
            }
            Expr::Rmw(op, address, operand, _) => {
                let sign = match op {
                    RmwOp::Sub => '-',
                    RmwOp::And => '&',
                    RmwOp::Or => '|',
                    RmwOp::Xor => '^',
                    RmwOp::Add | RmwOp::Exchange => '+',
                };
                write!(f, "__atomic_fetch_op{{mb}}({address}, {sign}, {operand})")
            }
            Expr::CmpXchg(cas) => {
                let (address, old, new) = (&cas.address, &cas.old, &cas.new);
                write!(f, "__cmpxchg{{mb}}({address}, {old}, {new})")
            }
            other => write!(f, "{other}"),
        },
    }
}

impl Display for BinOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol().0)
    }
}
