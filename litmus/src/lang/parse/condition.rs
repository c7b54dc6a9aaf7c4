//! Propositions of `exists`, `~exists`, `forall` and `filter`. As in herd,
//! `\/` binds loosest, then `/\`, then `=>` (to the right), then `~`.

use super::token::Token;
use super::{Condition, Parser, Prop, Quantifier, Result, Value, Variable};

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
        } else if self.eat_word("observed") {
            return self.observed();
        } else if self.ahead("(") {
            Quantifier::Exists
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
            prop: self.whole_prop()?,
        })
    }

    /// `observed x=1; y=1; and x=2; …`: one of these states.
    fn observed(&mut self) -> Result<Condition> {
        let mut states: Option<Prop> = None;
        self.nodes = 0;
        loop {
            let mut state: Option<Prop> = None;
            while *self.peek() != Token::End && !self.word_ahead("and") {
                self.node()?;
                let atom = self.unary_prop()?;
                state = Some(match state {
                    Some(state) => Prop::And(Box::new(state), Box::new(atom)),
                    None => atom,
                });
                if !self.eat(";") {
                    break;
                }
            }
            let state = state.unwrap_or(Prop::Const(true));
            states = Some(match states {
                Some(states) => Prop::Or(Box::new(states), Box::new(state)),
                None => state,
            });
            self.node()?;
            if !self.eat_word("and") {
                return Ok(Condition {
                    quantifier: Quantifier::Exists,
                    prop: states.unwrap_or(Prop::Const(true)),
                });
            }
        }
    }

    pub(super) fn whole_prop(&mut self) -> Result<Prop> {
        self.nodes = 0;
        self.prop()
    }

    fn prop(&mut self) -> Result<Prop> {
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
        while self.ahead(symbol) {
            self.node()?;
            self.advance();
            left = join(Box::new(left), Box::new(operand(self)?));
        }
        Ok(left)
    }

    fn implication(&mut self) -> Result<Prop> {
        let left = self.unary_prop()?;
        if !self.eat("=>") {
            return Ok(left);
        }
        self.node()?;
        let right = self.nested(Parser::implication)?;
        Ok(Prop::Implies(Box::new(left), Box::new(right)))
    }

    fn unary_prop(&mut self) -> Result<Prop> {
        if self.eat("~") || self.eat_word("not") {
            self.node()?;
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
        if let Some(places) = self.whole_array() {
            return self.array_prop(&places);
        }
        let place = self.place()?;
        let negated = self.equality()?;
        let atom = self.atom(place)?;
        Ok(if negated {
            Prop::Not(Box::new(atom))
        } else {
            atom
        })
    }

    /// `=` or `!=`: whether it is the latter.
    fn equality(&mut self) -> Result<bool> {
        let negated = match self.peek() {
            Token::Symbol("=" | "==") => false,
            Token::Symbol("!=") => true,
            other => {
                let what = format!("expected `=` after the place, found {}", other.shown());
                return Err(self.error(what, "atoms are `0:r0=1`, `x=1`, `x!=1` or `0:r0=1:r1`"));
            }
        };
        self.advance();
        Ok(negated)
    }

    /// What stands right of `=`: a number or an address, or a place, whose content is meant.
    fn atom(&mut self, place: Variable) -> Result<Prop> {
        let at = self.at();
        if self.eat("*") || self.names_register() || self.ahead("[") {
            return Ok(Prop::Same(place, self.place()?));
        }
        let value = self.value("a value or a place")?;
        if let Value::Address(name) = &value {
            self.check_address(name, at)?;
            if !self.type_of(&place).is_some_and(|ty| ty.is_pointer()) {
                self.warn_at(
                    at,
                    format!("`{place}={name}` compares with the address of {name}, as in herd; write `{place}=[{name}]` for its content"),
                );
            }
        }
        Ok(Prop::Is(place, value))
    }

    /// `a={1,2}`
    fn array_prop(&mut self, places: &[Variable]) -> Result<Prop> {
        let negated = self.equality()?;
        self.expect("{", "before the elements")?;
        let mut all: Option<Prop> = None;
        for (index, place) in places.iter().enumerate() {
            if index > 0 {
                self.expect(",", "between elements")?;
            }
            self.node()?;
            let atom = self.atom(place.clone())?;
            all = Some(match all {
                Some(all) => Prop::And(Box::new(all), Box::new(atom)),
                None => atom,
            });
        }
        self.expect("}", "after the elements")?;
        let all = all.unwrap_or(Prop::Const(true));
        Ok(if negated {
            Prop::Not(Box::new(all))
        } else {
            all
        })
    }

    /// `1:r0` or `P1:r0`, rather than a number or a location.
    fn names_register(&self) -> bool {
        matches!(self.peek(), Token::Number(..) | Token::Word(_))
            && matches!(self.peek_at(1), Token::Symbol(":"))
    }
}
