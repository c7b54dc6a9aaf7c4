//! Expressions and the arguments of `atomic_…` calls.

use super::token::Token;
use super::{
    BinOp, Cas, Expected, Expr, MAX_CHAIN, Order, Param, ParseError, Parser, Result, RmwOp, UnOp,
    c_name,
};

/// The names a thread knows.
pub(super) struct Names<'a> {
    pub(super) params: &'a [Param],
    pub(super) registers: &'a mut Vec<String>,
}

impl Names<'_> {
    pub(super) fn declare(&mut self, name: &str) {
        if !self.registers.iter().any(|known| known == name) {
            self.registers.push(name.to_string());
        }
    }
}

impl Parser {
    pub(super) fn expr(&mut self, names: &mut Names) -> Result<Expr> {
        self.binary(names, 1)
    }

    /// Precedence climbing over [`BinOp::symbol`]; all operators group to the left.
    fn binary(&mut self, names: &mut Names, tightest: u8) -> Result<Expr> {
        let mut left = self.unary(names)?;
        for _ in 0..MAX_CHAIN {
            let Token::Symbol(symbol) = *self.peek() else {
                return Ok(left);
            };
            let Some((op, level)) = operator(symbol).filter(|(_, level)| *level >= tightest) else {
                if symbol == "/" || symbol == "%" {
                    return Err(self.error(
                        format!("`{symbol}` is not supported"),
                        "use + - * & | ^ and comparisons",
                    ));
                }
                return Ok(left);
            };
            self.advance();
            let right = self.nested(|parser| parser.binary(names, level + 1))?;
            left = Expr::Binary(op, Box::new(left), Box::new(right));
        }
        Err(self.error(
            "this expression is too long",
            "compute parts of it into registers",
        ))
    }

    fn unary(&mut self, names: &mut Names) -> Result<Expr> {
        match self.peek().clone() {
            Token::Number(value) => {
                self.advance();
                Ok(Expr::Const(value))
            }
            Token::Symbol("-") => {
                self.advance();
                if let Token::Number(value) = *self.peek() {
                    self.advance();
                    return Ok(Expr::Const(-value));
                }
                Ok(Expr::Unary(
                    UnOp::Neg,
                    Box::new(self.nested(|parser| parser.unary(names))?),
                ))
            }
            Token::Symbol("!") => {
                self.advance();
                Ok(Expr::Unary(
                    UnOp::Not,
                    Box::new(self.nested(|parser| parser.unary(names))?),
                ))
            }
            Token::Symbol("(") => {
                self.advance();
                let inner = self.nested(|parser| parser.expr(names))?;
                self.expect(")", "after the expression")?;
                Ok(inner)
            }
            Token::Symbol("*") => {
                self.advance();
                let parenthesised = self.eat("(");
                let location = self.plain_location(names)?;
                if parenthesised {
                    self.expect(")", "after the location")?;
                }
                Ok(Expr::Load(location, Order::Plain))
            }
            Token::Word(word) if matches!(self.peek_at(1), Token::Symbol("(")) => {
                self.call(names, &word)
            }
            Token::Word(word) => {
                if names.params.iter().any(|param| param.name == word) {
                    return Err(self.error(
                        format!("`{word}` is the address of a shared location"),
                        format!(
                            "write `*{word}` or `atomic_load_explicit({word}, order)` for its value"
                        ),
                    ));
                }
                if !names.registers.contains(&word) {
                    return Err(self.refused(&word));
                }
                self.advance();
                Ok(Expr::Reg(word))
            }
            other => Err(self.error(
                format!("expected a value, found {}", other.shown()),
                "write a constant, a register, `*x` or an atomic_… call",
            )),
        }
    }

    fn call(&mut self, names: &mut Names, word: &str) -> Result<Expr> {
        let (base, explicit) = match word.strip_suffix("_explicit") {
            Some(base) => (base, true),
            None => (word, false),
        };
        let rmw = RmwOp::ALL.into_iter().find(|op| op.c_name() == base);
        let cas = match base {
            "atomic_compare_exchange_strong" => Some(false),
            "atomic_compare_exchange_weak" => Some(true),
            _ => None,
        };
        if base != "atomic_load" && rmw.is_none() && cas.is_none() {
            return Err(self.refused(word));
        }
        self.advance();
        self.advance();
        let location = self.atomic_location(names)?;
        let loads = [Order::Relaxed, Order::Acquire, Order::SeqCst];
        let all = [
            Order::Relaxed,
            Order::Acquire,
            Order::Release,
            Order::AcqRel,
            Order::SeqCst,
        ];
        let expr = if let Some(weak) = cas {
            self.expect(",", "after the location")?;
            let expected = self.expected(names)?;
            self.expect(",", "after the expected value")?;
            let desired = self.nested(|parser| parser.expr(names))?;
            let success = if explicit {
                self.order(&all, "a compare-exchange")?
            } else {
                Order::SeqCst
            };
            let failure = if explicit {
                self.order(&loads, "a failing compare-exchange (it only loads)")?
            } else {
                Order::SeqCst
            };
            Expr::Cas(Box::new(Cas {
                location,
                expected,
                desired,
                success,
                failure,
                weak,
            }))
        } else if let Some(op) = rmw {
            self.expect(",", "after the location")?;
            let operand = self.nested(|parser| parser.expr(names))?;
            let order = if explicit {
                self.order(&all, "a read-modify-write")?
            } else {
                Order::SeqCst
            };
            Expr::Rmw(op, location, Box::new(operand), order)
        } else {
            let order = if explicit {
                self.order(&loads, "a load")?
            } else {
                Order::SeqCst
            };
            Expr::Load(location, order)
        };
        self.expect(")", "after the arguments")?;
        Ok(expr)
    }

    fn expected(&mut self, names: &mut Names) -> Result<Expected> {
        if self.eat("&") {
            let at = self.at();
            let register = self.word("a register")?;
            if !names.registers.contains(&register) {
                return Err(ParseError::new(
                    at,
                    format!("`{register}` is not a register of this thread"),
                    format!("declare it before: `int {register} = 0;`"),
                ));
            }
            return Ok(Expected::Reg(register));
        }
        if matches!(self.peek(), Token::Number(_)) {
            return Err(self.error(
                "the expected value is passed by address",
                "write `int e = 0;` before and pass `&e`",
            ));
        }
        Ok(Expected::Location(self.plain_location(names)?))
    }

    pub(super) fn atomic_location(&mut self, names: &Names) -> Result<String> {
        self.location(names, true)
    }

    pub(super) fn plain_location(&mut self, names: &Names) -> Result<String> {
        self.location(names, false)
    }

    fn location(&mut self, names: &Names, atomic: bool) -> Result<String> {
        let at = self.at();
        let name = self.word("a location")?;
        let Some(param) = names.params.iter().find(|param| param.name == name) else {
            let help = if names.registers.contains(&name) {
                "registers hold integers, not addresses; name the location itself".to_string()
            } else {
                format!(
                    "add `{} {name}` to the thread's parameters",
                    if atomic { "atomic_int*" } else { "int*" }
                )
            };
            return Err(ParseError::new(
                at,
                format!("`{name}` is not a location of this thread"),
                help,
            ));
        };
        match (param.atomic, atomic) {
            (true, false) => Err(ParseError::new(
                at,
                format!("`*{name}` on an atomic is seq_cst in C but not atomic in herd"),
                format!(
                    "write the atomic_…_explicit call with its order, or declare `int* {name}`"
                ),
            )),
            (false, true) => Err(ParseError::new(
                at,
                format!("`{name}` is not atomic in this thread"),
                format!("declare `atomic_int* {name}`, or access `*{name}`"),
            )),
            _ => Ok(name),
        }
    }

    /// `, memory_order_…` as the next argument.
    pub(super) fn order(&mut self, allowed: &[Order], of: &str) -> Result<Order> {
        self.expect(",", "before the memory order")?;
        let at = self.at();
        let order = self.bare_order()?;
        if allowed.contains(&order) {
            return Ok(order);
        }
        let names: Vec<&str> = allowed.iter().map(|order| c_name(*order)).collect();
        Err(ParseError::new(
            at,
            format!("{} is no order for {of}", c_name(order)),
            format!("use {}", names.join(", ")),
        ))
    }

    pub(super) fn bare_order(&mut self) -> Result<Order> {
        let at = self.at();
        let word = self.word("a memory order")?;
        match word.strip_prefix("memory_order_").unwrap_or("") {
            "relaxed" => Ok(Order::Relaxed),
            "acquire" | "consume" => Ok(Order::Acquire),
            "release" => Ok(Order::Release),
            "acq_rel" => Ok(Order::AcqRel),
            "seq_cst" => Ok(Order::SeqCst),
            _ => Err(ParseError::new(
                at,
                format!("`{word}` is not a memory order"),
                "use memory_order_relaxed, _acquire, _release, _acq_rel or _seq_cst",
            )),
        }
    }
}

fn operator(symbol: &str) -> Option<(BinOp, u8)> {
    BinOp::ALL.into_iter().find_map(|op| {
        let (written, level) = op.symbol();
        (written == symbol).then_some((op, level))
    })
}
