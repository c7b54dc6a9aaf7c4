//! Statements of a thread.

use std::collections::HashSet;

use super::refusal::refusal;
use super::token::Token;
use super::{BinOp, Expr, Order, ParseError, Parser, Pos, Result, RmwOp, Stmt, StmtKind, Type};

/// `+=` and its like.
const COMPOUND: [(&str, BinOp); 10] = [
    ("+=", BinOp::Add),
    ("-=", BinOp::Sub),
    ("*=", BinOp::Mul),
    ("/=", BinOp::Div),
    ("&=", BinOp::BitAnd),
    ("|=", BinOp::BitOr),
    ("^=", BinOp::BitXor),
    ("<<=", BinOp::Shl),
    (">>=", BinOp::Shr),
    // `++` and `--` are taken apart from these.
    ("%=", BinOp::Rem),
];

impl Parser {
    /// The body of the thread whose names are in `env`.
    pub(super) fn thread_body(&mut self) -> Result<Vec<Stmt>> {
        let mut out = Vec::new();
        self.expect("{", "before the thread's body")?;
        self.block(&mut out)?;
        self.end_thread(&mut out);
        check_labels(&out)?;
        Ok(out)
    }

    /// Statements up to and with the closing brace.
    fn block(&mut self, out: &mut Vec<Stmt>) -> Result<()> {
        while !self.eat("}") {
            if *self.peek() == Token::End {
                return Err(self.error("the thread has no end", "close it with `}`"));
            }
            self.nested(|parser| parser.statement(out))?;
        }
        Ok(())
    }

    pub(super) fn push(&mut self, at: Pos, kind: StmtKind, out: &mut Vec<Stmt>) {
        let stmt = Stmt { at, kind };
        // What is in a block has been noted already.
        if !stmt.is_compound() {
            self.env.note(&stmt);
        }
        out.push(stmt);
    }

    pub(super) fn statement(&mut self, out: &mut Vec<Stmt>) -> Result<()> {
        let at = self.at();
        if self.eat(";") {
            return Ok(());
        }
        if self.eat("{") {
            return self.block(out);
        }
        if self.type_ahead() {
            self.declaration(out)?;
            return self.expect(";", "after the declaration");
        }
        if let Token::Word(word) = self.peek().clone() {
            match word.as_str() {
                "if" => return self.conditional(out),
                "while" => return self.while_loop(out),
                "for" => return self.for_loop(out),
                "do" => return self.do_loop(out),
                "switch" => return self.switch(out),
                "break" | "continue" | "return" => return self.jump(&word, out),
                "goto" => {
                    self.advance();
                    let name = self.word("a label")?;
                    self.push(at, StmtKind::Goto(name), out);
                    return self.expect(";", "after the label");
                }
                "codevar" if *self.peek_at(1) == Token::Symbol(":") => {
                    return Err(self.error(
                        "`codevar`: it stands for code that is not there",
                        "write the code",
                    ));
                }
                _ if *self.peek_at(1) == Token::Symbol(":") => {
                    (0..2).for_each(|_| _ = self.advance());
                    self.push(at, StmtKind::Label(word), out);
                    return Ok(());
                }
                _ if refusal(&word).is_some() => return Err(self.refused(&word)),
                _ => {}
            }
        }
        self.simple(at, out)?;
        self.expect(";", "after the statement")
    }

    /// A statement without the `;`: an assignment or a call.
    fn simple(&mut self, at: Pos, out: &mut Vec<Stmt>) -> Result<()> {
        self.nodes = 0;
        // `(void) e;` says that the value is not wanted.
        if self.ahead("(")
            && matches!(self.peek_at(1), Token::Word(w) if w == "void")
            && *self.peek_at(2) == Token::Symbol(")")
        {
            (0..3).for_each(|_| _ = self.advance());
            let value = self.expr()?;
            if value.touches_memory() {
                self.push(at, StmtKind::Effect(value), out);
            }
            return Ok(());
        }
        let step = ["++", "--"].into_iter().find(|step| self.eat(step));
        if let (Token::Word(word), Token::Symbol(symbol)) =
            (self.peek().clone(), self.peek_at(1).clone())
            && self.env.param(&word).is_none()
            && (step.is_some() || is_assignment(symbol))
        {
            if self.env.register(&word).is_none() && (symbol != "=" || step.is_some()) {
                return Err(self.refused(&word));
            }
            self.advance();
            let kind = self.assignment(Expr::Reg(word), step, at)?;
            self.push(at, kind, out);
            return Ok(());
        }
        if let Token::Word(word) = self.peek().clone()
            && matches!(self.peek_at(1), Token::Symbol("(" | "{"))
            && let Some(kind) = self.action(&word)?
        {
            self.push(at, kind, out);
            return Ok(());
        }
        let lvalue = self.ahead("*") || *self.peek_at(1) == Token::Symbol("[");
        let value = self.expr()?;
        let assigned = matches!(*self.peek(), Token::Symbol(symbol) if is_assignment(symbol));
        let kind = match value {
            Expr::Load(..) if lvalue && (assigned || step.is_some()) => {
                self.assignment(value, step, at)?
            }
            Expr::Address(name) if assigned => {
                return Err(self.error(
                    format!("`{name}` is the address of a shared location"),
                    format!("write `*{name} = …` or `atomic_store_explicit({name}, …, order)`"),
                ));
            }
            _ if assigned || step.is_some() => {
                return Err(self.error(
                    "this is nothing that a value can be given to",
                    "assign to a register, `*p` or `a[i]`",
                ));
            }
            value if value.touches_memory() => StmtKind::Effect(value),
            _ => {
                return Err(ParseError::new(
                    at,
                    "this statement does nothing",
                    "assign the value to a register, or remove it",
                ));
            }
        };
        self.push(at, kind, out);
        Ok(())
    }

    /// What comes after a register or `*p`: `= e`, `+= e`, `++`. `step` came before it.
    fn assignment(&mut self, to: Expr, step: Option<&str>, at: Pos) -> Result<StmtKind> {
        let Token::Symbol(symbol) = *self.peek() else {
            return self.expect("=", "after it").map(|()| StmtKind::Effect(to));
        };
        let step = step.or(["++", "--"]
            .into_iter()
            .find(|step| symbol == *step && self.eat(step)));
        let (op, operand) = match step {
            Some("++") => (Some(BinOp::Add), Expr::Const(1)),
            Some(_) => (Some(BinOp::Sub), Expr::Const(1)),
            None => {
                self.advance();
                let op = COMPOUND.iter().find(|(s, _)| *s == symbol);
                (op.map(|(_, op)| *op), self.expr()?)
            }
        };
        let joined = |op, operand| Expr::Binary(op, Box::new(to.clone()), Box::new(operand));
        match (&to, op) {
            (Expr::Reg(name), None) => {
                self.warn_of_address(name, &operand, at);
                Ok(StmtKind::Assign(name.clone(), operand))
            }
            (Expr::Reg(name), Some(op)) => Ok(StmtKind::Assign(name.clone(), joined(op, operand))),
            (Expr::Load(address, order), None) => {
                Ok(StmtKind::Store((**address).clone(), operand, *order))
            }
            (Expr::Load(address, Order::Plain), Some(op)) => {
                let value = joined(op, operand);
                if address.touches_memory() {
                    return Err(ParseError::new(
                        at,
                        "the address is itself read from memory",
                        "read it into a register first",
                    ));
                }
                Ok(StmtKind::Store((**address).clone(), value, Order::Plain))
            }
            // On an atomic, C makes it one seq_cst update.
            (Expr::Load(address, _), Some(op)) => {
                let update = match op {
                    BinOp::Add => RmwOp::Add,
                    BinOp::Sub => RmwOp::Sub,
                    BinOp::BitAnd => RmwOp::And,
                    BinOp::BitOr => RmwOp::Or,
                    BinOp::BitXor => RmwOp::Xor,
                    _ => {
                        return Err(ParseError::new(
                            at,
                            "this update of an atomic is not supported",
                            "write the loop of compare-exchanges that C makes of it",
                        ));
                    }
                };
                Ok(StmtKind::Effect(Expr::Rmw(
                    update,
                    address.clone(),
                    Box::new(operand),
                    Order::SeqCst,
                )))
            }
            _ => unreachable!("only registers and loads are assigned to"),
        }
    }

    fn warn_of_address(&mut self, name: &str, value: &Expr, at: Pos) {
        if let Expr::Address(location) = value
            && self.env.register(name).is_some_and(|ty| !ty.is_pointer())
        {
            self.warn_at(
                at,
                format!("`{name}` is an integer and receives the address of {location}; `*{location}` is its content"),
            );
        }
    }

    /// `int r0 = e, r1` without the `;`.
    fn declaration(&mut self, out: &mut Vec<Stmt>) -> Result<()> {
        let first = self.pointer_type()?;
        // `int* p, q` declares one pointer.
        let base = Type { stars: 0, ..first };
        let mut ty = first.held();
        loop {
            let at = self.at();
            let name = self.word("a register")?;
            if self.env.param(&name).is_some() {
                return Err(ParseError::new(
                    at,
                    format!("`{name}` is already a parameter"),
                    "choose another name for the register",
                ));
            }
            if self.ahead("[") {
                return Err(self.error(
                    "arrays are shared: a thread has registers only",
                    "declare the array in the initial state, and a parameter for it",
                ));
            }
            let value = if self.eat("=") {
                let value = self.whole_expr()?;
                if let (Expr::Address(location), false) = (&value, ty.is_pointer()) {
                    self.warn_at(
                        at,
                        format!("`{name}` is an integer and receives the address of {location}; `*{location}` is its content"),
                    );
                }
                Some(value)
            } else {
                None
            };
            if let Some(known) = self.env.register(&name)
                && known.int() != ty.int()
            {
                return Err(ParseError::new(
                    at,
                    format!("`{name}` is declared before as {known}"),
                    "a thread's registers have one type each; choose another name",
                ));
            }
            self.push(at, StmtKind::Declare(ty, name, value), out);
            if !self.eat(",") {
                return Ok(());
            }
            ty = base;
            while self.eat("*") {
                ty = ty.pointer();
            }
            ty = ty.held();
        }
    }

    /// The statement that an `if` or a loop governs. Braces make it no deeper, so that a test
    /// is read back from its printed form.
    fn body(&mut self, out: &mut Vec<Stmt>) -> Result<()> {
        match self.eat("{") {
            true => self.block(out),
            false => self.nested(|parser| parser.statement(out)),
        }
    }

    fn conditional(&mut self, out: &mut Vec<Stmt>) -> Result<()> {
        let at = self.at();
        self.advance();
        let test = self.test("if")?;
        let (mut then, mut other) = (Vec::new(), Vec::new());
        self.body(&mut then)?;
        if self.eat_word("else") {
            self.body(&mut other)?;
        }
        self.push(at, StmtKind::If(test, then, other), out);
        Ok(())
    }

    /// `(e)` after `if` or `while`.
    pub(super) fn test(&mut self, word: &str) -> Result<Expr> {
        self.expect("(", &format!("after `{word}`"))?;
        let test = self.whole_expr()?;
        self.expect(")", "after the condition")?;
        Ok(test)
    }

    fn while_loop(&mut self, out: &mut Vec<Stmt>) -> Result<()> {
        let at = self.at();
        self.advance();
        let test = self.test("while")?;
        let mut body = Vec::new();
        self.begin_loop();
        self.body(&mut body)?;
        self.end_turn(&mut body);
        self.push(at, StmtKind::While(test, body), out);
        self.leave(out);
        Ok(())
    }

    fn do_loop(&mut self, out: &mut Vec<Stmt>) -> Result<()> {
        let at = self.at();
        self.advance();
        let mut body = Vec::new();
        self.begin_loop();
        self.body(&mut body)?;
        self.end_turn(&mut body);
        if !self.eat_word("while") {
            return Err(self.error("the loop has no end", "close it with `while (…);`"));
        }
        let test = self.test("while")?;
        self.push(at, StmtKind::DoWhile(body, test), out);
        self.leave(out);
        self.expect(";", "after the loop")
    }

    /// `for (a; b; c) …` is `a; while (b) { … c; }`.
    fn for_loop(&mut self, out: &mut Vec<Stmt>) -> Result<()> {
        let at = self.at();
        self.advance();
        self.expect("(", "after `for`")?;
        if self.type_ahead() {
            self.declaration(out)?;
        } else if !self.ahead(";") {
            self.simple(self.at(), out)?;
        }
        self.expect(";", "after the loop's beginning")?;
        let test = match self.ahead(";") {
            true => Expr::Const(1),
            false => self.whole_expr()?,
        };
        self.expect(";", "after the loop's condition")?;
        let (mut body, mut step) = (Vec::new(), Vec::new());
        if !self.ahead(")") {
            self.simple(self.at(), &mut step)?;
        }
        self.expect(")", "after the loop's step")?;
        self.begin_loop();
        self.body(&mut body)?;
        self.end_turn(&mut body);
        body.append(&mut step);
        self.push(at, StmtKind::While(test, body), out);
        self.leave(out);
        Ok(())
    }
}

/// Each label stands once, and each `goto` has one.
fn check_labels(body: &[Stmt]) -> Result<()> {
    let (mut labels, mut jumps, mut twice) = (HashSet::new(), Vec::new(), None);
    for stmt in body {
        stmt.walk_statements(&mut |stmt| match &stmt.kind {
            StmtKind::Label(name) if !labels.insert(name.as_str()) => {
                twice = twice.or(Some((stmt.at, name)));
            }
            StmtKind::Goto(name) => jumps.push((stmt.at, name)),
            _ => {}
        });
    }
    if let Some((at, name)) = twice {
        let help = "a thread's labels have different names";
        return Err(ParseError::new(
            at,
            format!("the label `{name}` stands here again"),
            help,
        ));
    }
    match jumps
        .iter()
        .find(|(_, name)| !labels.contains(name.as_str()))
    {
        Some((at, name)) => {
            let help = format!("write `{name}:` before a statement of this thread");
            Err(ParseError::new(
                *at,
                format!("there is no label `{name}`"),
                help,
            ))
        }
        None => Ok(()),
    }
}

fn is_assignment(symbol: &str) -> bool {
    symbol == "="
        || symbol == "++"
        || symbol == "--"
        || COMPOUND.iter().any(|(compound, _)| *compound == symbol)
}
