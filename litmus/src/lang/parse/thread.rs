//! Threads: `P0 (atomic_int* x) { … }`.

use super::state::proc_number;
use super::token::Token;
use super::types::QUALIFIERS;
use super::{Env, MAX_THREADS, Param, ParseError, Parser, Result, Thread};

impl Parser {
    /// `P0 (`, `void P0 (` or `void* P0 (`.
    pub(super) fn thread_ahead(&self) -> bool {
        let mut skipped = usize::from(self.word_ahead("void"));
        if skipped == 1 && *self.peek_at(1) == Token::Symbol("*") {
            skipped = 2;
        }
        matches!(self.peek_at(skipped), Token::Word(word) if proc_number(word).is_some())
            && matches!(self.peek_at(skipped + 1), Token::Symbol("(" | "{"))
    }

    pub(super) fn thread(&mut self, expected: usize) -> Result<Thread> {
        if self.eat_word("void") {
            self.eat("*");
        }
        let at = self.at();
        let name = self.word("a thread")?;
        if proc_number(&name) != Some(expected as i64) {
            return Err(ParseError::new(
                at,
                format!("`{name}` is out of order"),
                format!("threads are P0, P1, … in order; this one is P{expected}"),
            ));
        }
        if expected == MAX_THREADS {
            return Err(ParseError::new(
                at,
                format!("more than {MAX_THREADS} threads"),
                "write larger programs in Rust, with `threadbare_litmus::explore`",
            ));
        }
        let params = self.params()?;
        let length = self.known.registers.len().max(expected + 1);
        self.known.registers.resize_with(length, Default::default);
        let registers = std::mem::take(&mut self.known.registers[expected]);
        if let Some(clash) = params.iter().find(|p| registers.contains_key(&p.name)) {
            return Err(ParseError::new(
                at,
                format!("`{}` is a register in the initial state", clash.name),
                "rename one of the two",
            ));
        }
        self.env = Env::new(&params, registers);
        let body = self.thread_body()?;
        let env = std::mem::take(&mut self.env);
        self.known.registers[expected] = env
            .registers()
            .into_iter()
            .map(|name| {
                (
                    name.to_string(),
                    env.register(name).unwrap_or(super::Type::INT),
                )
            })
            .collect();
        for param in &params {
            self.know(&param.name, Some(param.ty), at)?;
        }
        Ok(Thread { params, body })
    }

    fn params(&mut self) -> Result<Vec<Param>> {
        let mut params: Vec<Param> = Vec::new();
        self.expect("(", "after the thread's name")?;
        if self.word_ahead("void") && *self.peek_at(1) == Token::Symbol(")") {
            self.advance();
        }
        while !self.eat(")") {
            if !params.is_empty() {
                self.expect(",", "between parameters")?;
            }
            let pointer = self.pointer_type()?;
            if !pointer.is_pointer() {
                self.expect(
                    "*",
                    "after the type (parameters are pointers to shared locations)",
                )?;
            }
            while QUALIFIERS.iter().any(|word| self.eat_word(word)) {}
            let at = self.at();
            let name = self.word("a location")?;
            if params.iter().any(|param| param.name == name) {
                return Err(ParseError::new(
                    at,
                    format!("`{name}` is a parameter twice"),
                    "remove one of the two",
                ));
            }
            if params.len() == super::MAX_LOCATIONS {
                return Err(ParseError::new(
                    at,
                    format!("more than {} parameters", super::MAX_LOCATIONS),
                    "a litmus test has a handful",
                ));
            }
            let ty = pointer.pointee();
            params.push(Param { name, ty });
        }
        Ok(params)
    }
}
