//! Statements of a thread.

use super::expr::Names;
use super::refusal::refusal;
use super::token::Token;
use super::{Expr, Order, Param, ParseError, Parser, Result, Stmt, StmtKind};

impl Parser {
    /// The body of a thread; `registers` are those of the initial state, and
    /// on return all that the thread has.
    pub(super) fn thread_body(
        &mut self,
        params: &[Param],
        registers: &mut Vec<String>,
    ) -> Result<Vec<Stmt>> {
        let mut names = Names { params, registers };
        let mut out = Vec::new();
        self.expect("{", "before the thread's body")?;
        self.block(&mut names, &mut out)?;
        Ok(out)
    }

    /// Statements up to and with the closing brace.
    fn block(&mut self, names: &mut Names, out: &mut Vec<Stmt>) -> Result<()> {
        while !self.eat("}") {
            if *self.peek() == Token::End {
                return Err(self.error("the thread has no end", "close it with `}`"));
            }
            self.nested(|parser| parser.statement(names, out))?;
        }
        Ok(())
    }

    fn statement(&mut self, names: &mut Names, out: &mut Vec<Stmt>) -> Result<()> {
        let at = self.at();
        if self.eat(";") {
            return Ok(());
        }
        if self.eat("{") {
            return self.block(names, out);
        }
        if self.type_ahead() {
            return self.declaration(names, out);
        }
        let kind = match (
            self.peek().clone(),
            self.peek_at(1).clone(),
            self.peek_at(2).clone(),
        ) {
            (Token::Word(word), _, _) if word == "if" => return self.conditional(names, out),
            (Token::Word(word), Token::Symbol("="), _) => {
                if names.params.iter().any(|param| param.name == word) {
                    return Err(self.error(
                        format!("`{word}` is the address of a shared location"),
                        format!("write `*{word} = …` or `atomic_store_explicit({word}, …, order)`"),
                    ));
                }
                self.advance();
                self.advance();
                let value = self.expr(names)?;
                names.declare(&word);
                StmtKind::Assign(word, value)
            }
            (Token::Symbol("*"), Token::Word(_), Token::Symbol("=")) => {
                self.advance();
                let location = self.plain_location(names)?;
                self.advance();
                StmtKind::Store(location, self.expr(names)?, Order::Plain)
            }
            (Token::Word(word), Token::Symbol("("), _) => match word.as_str() {
                "atomic_store" | "atomic_store_explicit" | "atomic_init" => {
                    self.advance();
                    self.advance();
                    let location = self.atomic_location(names)?;
                    self.expect(",", "after the location")?;
                    let value = self.expr(names)?;
                    let order = match word.as_str() {
                        "atomic_store" => Order::SeqCst,
                        "atomic_init" => Order::Plain,
                        _ => {
                            self.order(&[Order::Relaxed, Order::Release, Order::SeqCst], "a store")?
                        }
                    };
                    self.expect(")", "after the arguments")?;
                    StmtKind::Store(location, value, order)
                }
                "atomic_thread_fence" => {
                    self.advance();
                    self.advance();
                    let order = self.bare_order()?;
                    self.expect(")", "after the order")?;
                    StmtKind::Fence(order)
                }
                _ => StmtKind::Effect(self.expr(names)?),
            },
            (Token::Word(word), _, _) if refusal(&word).is_some() => {
                return Err(self.refused(&word));
            }
            _ => StmtKind::Effect(self.expr(names)?),
        };
        if matches!(
            &kind,
            StmtKind::Effect(Expr::Const(_) | Expr::Reg(_) | Expr::Unary(..) | Expr::Binary(..))
        ) {
            return Err(ParseError::new(
                at,
                "this statement does nothing",
                "assign the value to a register, or remove it",
            ));
        }
        self.expect(";", "after the statement")?;
        out.push(Stmt { at, kind });
        Ok(())
    }

    fn declaration(&mut self, names: &mut Names, out: &mut Vec<Stmt>) -> Result<()> {
        self.scalar_type()?;
        loop {
            let at = self.at();
            if self.ahead("*") {
                return Err(self.error(
                    "pointers are not supported",
                    "registers are integers; publish an index and branch on it",
                ));
            }
            let name = self.word("a register")?;
            if names.params.iter().any(|param| param.name == name) {
                return Err(ParseError::new(
                    at,
                    format!("`{name}` is already a parameter"),
                    "choose another name for the register",
                ));
            }
            let value = if self.eat("=") {
                Some(self.expr(names)?)
            } else {
                None
            };
            names.declare(&name);
            out.push(Stmt {
                at,
                kind: StmtKind::Declare(name, value),
            });
            if !self.eat(",") {
                return self.expect(";", "after the declaration");
            }
        }
    }

    fn conditional(&mut self, names: &mut Names, out: &mut Vec<Stmt>) -> Result<()> {
        let at = self.at();
        self.advance();
        self.expect("(", "after `if`")?;
        let test = self.expr(names)?;
        self.expect(")", "after the condition")?;
        let (mut then, mut other) = (Vec::new(), Vec::new());
        self.nested(|parser| parser.statement(names, &mut then))?;
        if self.eat_word("else") {
            self.nested(|parser| parser.statement(names, &mut other))?;
        }
        out.push(Stmt {
            at,
            kind: StmtKind::If(test, then, other),
        });
        Ok(())
    }
}
