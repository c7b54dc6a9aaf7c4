//! Threads: `P0 (atomic_int* x) { … }`.

use super::state::proc_number;
use super::token::Token;
use super::types::QUALIFIERS;
use super::{Known, MAX_THREADS, Param, ParseError, Parser, Result, Thread};

impl Parser {
    pub(super) fn thread_ahead(&self) -> bool {
        matches!(self.peek(), Token::Word(word) if proc_number(word).is_some())
            && matches!(self.peek_at(1), Token::Symbol("(" | "{"))
    }

    pub(super) fn thread(&mut self, expected: usize, known: &mut Known) -> Result<Thread> {
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
        let mut params: Vec<Param> = Vec::new();
        self.expect("(", "after the thread's name")?;
        while !self.eat(")") {
            if !params.is_empty() {
                self.expect(",", "between parameters")?;
            }
            let atomic = self.scalar_type()?;
            self.expect(
                "*",
                "after the type (parameters are pointers to shared locations)",
            )?;
            if self.ahead("*") {
                return Err(self.error(
                    "pointers to pointers are not supported",
                    "publish an index and branch on it",
                ));
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
            params.push(Param { name, atomic });
        }
        let length = known.registers.len().max(expected + 1);
        known.registers.resize(length, Vec::new());
        if let Some((at, clash)) = params
            .iter()
            .find(|param| known.registers[expected].contains(&param.name))
            .map(|param| (self.at(), &param.name))
        {
            return Err(ParseError::new(
                at,
                format!("`{clash}` is a register in the initial state"),
                "rename one of the two",
            ));
        }
        let body = self.thread_body(&params, &mut known.registers[expected])?;
        known
            .locations
            .extend(params.iter().map(|param| param.name.clone()));
        Ok(Thread { params, body })
    }
}
