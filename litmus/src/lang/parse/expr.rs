//! Expressions.

use super::token::Token;
use super::{BinOp, Expr, IntType, Order, ParseError, Parser, Result, Type, UnOp};

impl Parser {
    /// An expression that is not part of another.
    pub(super) fn whole_expr(&mut self) -> Result<Expr> {
        self.nodes = 0;
        self.expr()
    }

    pub(super) fn expr(&mut self) -> Result<Expr> {
        let test = self.binary(1)?;
        if *self.peek() != Token::Junk('?') {
            return Ok(test);
        }
        self.node()?;
        self.advance();
        let then = self.argument()?;
        self.expect(":", "after what stands behind the `?`")?;
        let other = self.argument()?;
        Ok(Expr::Cond(Box::new([test, then, other])))
    }

    /// An argument of a call.
    pub(super) fn argument(&mut self) -> Result<Expr> {
        self.nested(Parser::expr)
    }

    /// Precedence climbing over [`BinOp::symbol`]; all operators group to the left.
    fn binary(&mut self, loosest: u8) -> Result<Expr> {
        let mut left = self.unary()?;
        loop {
            let Token::Symbol(symbol) = *self.peek() else {
                return Ok(left);
            };
            let Some((op, level)) = operator(symbol).filter(|(_, level)| *level >= loosest) else {
                return Ok(left);
            };
            self.node()?;
            let at = self.at();
            self.advance();
            let right = self.nested(|parser| parser.binary(level + 1))?;
            if op.is_truth() && op.symbol().1 > 2 {
                self.warn_of_addresses(&left, &right, at);
            }
            left = Expr::Binary(op, Box::new(left), Box::new(right));
        }
    }

    /// An address compared with a number is most often a forgotten `*`.
    fn warn_of_addresses(&mut self, left: &Expr, right: &Expr, at: super::Pos) {
        let number = |expr: &Expr| !self.env.of(expr).is_pointer() && *expr != Expr::Const(0);
        for (one, other) in [(left, right), (right, left)] {
            if let Expr::Address(name) = one
                && number(other)
            {
                let what = format!(
                    "this compares the address of {name} with a number; `*{name}` is its content"
                );
                return self.warn_at(at, what);
            }
        }
    }

    pub(super) fn unary(&mut self) -> Result<Expr> {
        let prefix = match self.peek() {
            Token::Symbol("-") => Some(UnOp::Neg),
            Token::Symbol("!") => Some(UnOp::Not),
            Token::Symbol("~") => Some(UnOp::BitNot),
            _ => None,
        };
        if let Some(op) = prefix {
            self.node()?;
            self.advance();
            if let (UnOp::Neg, &Token::Number(value, ty)) = (op, self.peek()) {
                self.advance();
                return Ok(match ty {
                    None => Expr::Const(value.wrapping_neg()),
                    Some(_) => Expr::Unary(UnOp::Neg, Box::new(number(value, ty))),
                });
            }
            let inner = self.nested(Parser::unary)?;
            return Ok(Expr::Unary(op, Box::new(inner)));
        }
        if self.cast_ahead() {
            self.node()?;
            self.advance();
            let ty = self.pointer_type()?;
            self.expect(")", "after the type")?;
            let inner = self.nested(Parser::unary)?;
            return Ok(Expr::Cast(ty.held(), Box::new(inner)));
        }
        if self.ahead("*") {
            self.node()?;
            let at = self.at();
            self.advance();
            let address = self.nested(Parser::unary)?;
            return self.content(address, at);
        }
        if self.ahead("&") {
            let at = self.at();
            self.advance();
            if let Token::Word(word) = self.peek().clone()
                && self.env.param(&word).is_some()
                && *self.peek_at(1) != Token::Symbol("[")
            {
                self.advance();
                return Ok(Expr::Address(word));
            }
            return match self.nested(Parser::unary)? {
                Expr::Load(address, _) => Ok(*address),
                _ => Err(ParseError::new(
                    at,
                    "`&` takes the address of a shared location only",
                    "name a parameter, or an element of an array",
                )),
            };
        }
        let mut value = self.primary()?;
        while self.ahead("[") {
            self.node()?;
            let at = self.at();
            self.advance();
            let index = self.argument()?;
            self.expect("]", "after the index")?;
            let address = match index {
                Expr::Const(0) => value,
                index => Expr::Binary(BinOp::Add, Box::new(value), Box::new(index)),
            };
            value = self.content(address, at)?;
        }
        Ok(value)
    }

    /// What is at an address: `*p`.
    fn content(&mut self, address: Expr, at: super::Pos) -> Result<Expr> {
        let ty = self.env.of(&address);
        if !ty.is_pointer() {
            return Err(not_an_address(&address, at));
        }
        let order = if ty.pointee().is_atomic() {
            self.warn_at(
                at,
                "`*` on an atomic is seq_cst, as in C; herd reads it as a plain access",
            );
            Order::SeqCst
        } else {
            Order::Plain
        };
        Ok(Expr::Load(Box::new(address), order))
    }

    fn primary(&mut self) -> Result<Expr> {
        match self.peek().clone() {
            Token::Number(value, ty) => {
                self.advance();
                Ok(number(value, ty))
            }
            Token::Symbol("(") => {
                self.advance();
                let inner = self.nested(Parser::expr)?;
                self.expect(")", "after the expression")?;
                Ok(inner)
            }
            Token::Word(word) if matches!(self.peek_at(1), Token::Symbol("(" | "{")) => {
                self.node()?;
                self.call(&word)
            }
            Token::Word(word) => {
                let expr = if self.env.param(&word).is_some() {
                    Expr::Address(word)
                } else if self.env.register(&word).is_some() {
                    Expr::Reg(word)
                } else {
                    match word.as_str() {
                        "true" => Expr::Const(1),
                        "false" | "NULL" => Expr::Const(0),
                        _ => return Err(self.refused(&word)),
                    }
                };
                self.advance();
                Ok(expr)
            }
            other => Err(self.error(
                format!("expected a value, found {}", other.shown()),
                "write a constant, a register, `*x` or an atomic_… call",
            )),
        }
    }

    /// An argument that is an address.
    pub(super) fn address(&mut self) -> Result<Expr> {
        let at = self.at();
        if let Token::Word(word) = self.peek()
            && !matches!(self.peek_at(1), Token::Symbol("("))
            && self.env.param(word).is_none()
            && self.env.register(word).is_none()
        {
            return Err(ParseError::new(
                at,
                format!("`{word}` is not a location of this thread"),
                format!("add `atomic_int* {word}` to the thread's parameters"),
            ));
        }
        let address = self.argument()?;
        match self.env.of(&address).is_pointer() {
            true => Ok(address),
            false => Err(not_an_address(&address, at)),
        }
    }

    /// The address of something atomic.
    pub(super) fn atomic_address(&mut self) -> Result<Expr> {
        let at = self.at();
        let address = self.address()?;
        let ty = self.env.of(&address).pointee();
        if !ty.is_atomic() && !ty.is_pointer() {
            let what = match &address {
                Expr::Address(name) => format!(
                    "`{name}` is accessed atomically but declared `{ty}*`; read as herd does, which has no types: its atomic accesses are atomic, its `*{name}` are not"
                ),
                _ => "this address is declared as one of plain memory; the access is atomic all the same".into(),
            };
            self.warn_at(at, what);
        }
        Ok(address)
    }

    /// An argument `*x`, of which the address is meant; herd's definitions of the Linux
    /// kernel's macros also let it be an address.
    pub(super) fn place_argument(&mut self) -> Result<Expr> {
        let at = self.at();
        match self.argument()? {
            Expr::Load(address, Order::Plain | Order::SeqCst) => Ok(*address),
            other if self.env.of(&other).is_pointer() => Ok(other),
            other => Err(not_an_address(&other, at)),
        }
    }
}

fn number(value: i64, ty: Option<IntType>) -> Expr {
    match ty {
        Some(ty) => Expr::Cast(Type::of(ty), Box::new(Expr::Const(value))),
        None => Expr::Const(value),
    }
}

fn not_an_address(expr: &Expr, at: super::Pos) -> ParseError {
    match expr {
        Expr::Reg(name) => ParseError::new(
            at,
            format!("`{name}` holds a number, not an address"),
            format!("declare it as a pointer, `int* {name}`, or name the location itself"),
        ),
        _ => ParseError::new(
            at,
            "this is a number, not an address",
            "write a parameter's name, or a register declared as a pointer",
        ),
    }
}

fn operator(symbol: &str) -> Option<(BinOp, u8)> {
    BinOp::ALL.into_iter().find_map(|op| {
        let (written, level) = op.symbol();
        (written == symbol).then_some((op, level))
    })
}
