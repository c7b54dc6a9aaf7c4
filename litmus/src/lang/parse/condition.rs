//! Propositions of `exists`, `~exists`, `forall` and `filter`. As in herd,
//! `\/` binds loosest, then `/\`, then `=>` (to the right), then `~`.

use super::token::Token;
use super::{Condition, MAX_CHAIN, Parser, Prop, Quantifier, Result};

impl Parser {
    pub(super) fn condition(&mut self) -> Result<Condition> {
        let quantifier = if self.eat_word("forall") {
            Quantifier::Forall
        } else if self.eat_word("exists") || self.eat_word("final") {
            Quantifier::Exists
        } else if self.eat("~") || self.eat_word("not") {
            if !self.eat_word("exists") {
                return Err(self.error("expected `exists` after `~`", "write `~exists (…)`"));
            }
            Quantifier::NotExists
        } else if *self.peek() == Token::End {
            return Ok(Condition {
                quantifier: Quantifier::Forall,
                prop: Prop::Const(true),
            });
        } else {
            return Err(self.error(
                format!("expected a condition, found {}", self.peek().shown()),
                "write `exists (0:r0=0 /\\ 1:r0=0)`, `~exists (…)` or `forall (…)`",
            ));
        };
        Ok(Condition {
            quantifier,
            prop: self.prop()?,
        })
    }

    pub(super) fn prop(&mut self) -> Result<Prop> {
        self.chain(
            "\\/",
            |parser| parser.chain("/\\", Parser::implication, Prop::And),
            Prop::Or,
        )
    }

    fn chain(
        &mut self,
        symbol: &str,
        operand: impl Fn(&mut Parser) -> Result<Prop>,
        join: impl Fn(Box<Prop>, Box<Prop>) -> Prop,
    ) -> Result<Prop> {
        let mut left = operand(self)?;
        for _ in 0..MAX_CHAIN {
            if !self.eat(symbol) {
                return Ok(left);
            }
            left = join(Box::new(left), Box::new(operand(self)?));
        }
        Err(self.error(
            "this condition is too long",
            format!("at most {MAX_CHAIN} operators in a row"),
        ))
    }

    fn implication(&mut self) -> Result<Prop> {
        let left = self.unary_prop()?;
        if !self.eat("=>") {
            return Ok(left);
        }
        let right = self.nested(Parser::implication)?;
        Ok(Prop::Implies(Box::new(left), Box::new(right)))
    }

    fn unary_prop(&mut self) -> Result<Prop> {
        if self.eat("~") || self.eat_word("not") {
            return Ok(Prop::Not(Box::new(self.nested(Parser::unary_prop)?)));
        }
        if self.eat("(") {
            let inner = self.nested(Parser::prop)?;
            self.expect(")", "after the proposition")?;
            return Ok(inner);
        }
        if matches!(self.peek(), Token::Word(w) if w == "true" || w == "false") {
            return Ok(Prop::Const(self.advance() == Token::Word("true".into())));
        }
        let place = self.place()?;
        let negated = match self.peek() {
            Token::Symbol("=" | "==") => false,
            Token::Symbol("!=") => true,
            other => {
                let what = format!("expected `=` after the place, found {}", other.shown());
                return Err(self.error(what, "atoms are `0:r0=1`, `x=1`, `x!=1` or `0:r0=1:r1`"));
            }
        };
        self.advance();
        let atom = if self.names_place() {
            Prop::Same(place, self.place()?)
        } else {
            Prop::Is(place, self.integer("a value or a place")?)
        };
        Ok(if negated {
            Prop::Not(Box::new(atom))
        } else {
            atom
        })
    }

    /// `1:r0`, `P1:r0`, `[x]` or `x`, rather than a number.
    fn names_place(&self) -> bool {
        match self.peek() {
            Token::Word(_) | Token::Symbol("[") => true,
            Token::Number(_) => matches!(self.peek_at(1), Token::Symbol(":")),
            _ => false,
        }
    }
}
