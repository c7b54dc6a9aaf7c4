//! Types of locations and registers.

use super::token::Token;
use super::{ParseError, Parser, Result};

/// Integer types a location or register may have. All are 64 bits wide here.
const INTEGERS: [&str; 6] = ["int", "long", "int32_t", "int64_t", "intptr_t", "ptrdiff_t"];
const ATOMIC_INTEGERS: [&str; 5] = [
    "atomic_int",
    "atomic_long",
    "atomic_llong",
    "atomic_intptr_t",
    "atomic_ptrdiff_t",
];
pub(super) const QUALIFIERS: [&str; 4] = ["volatile", "const", "restrict", "register"];
const OTHER_TYPES: [&str; 11] = [
    "unsigned",
    "signed",
    "char",
    "short",
    "_Bool",
    "bool",
    "atomic_bool",
    "atomic_uint",
    "mtx_t",
    "spinlock_t",
    "struct",
];

impl Parser {
    /// An optional type in front of an initialised place.
    pub(super) fn init_type(&mut self) -> Result<()> {
        if matches!(self.peek(), Token::Word(_))
            && matches!(self.peek_at(1), Token::Symbol("=" | ";" | "}" | ":"))
        {
            return Ok(());
        }
        if self.type_ahead() {
            self.scalar_type()?;
            if self.ahead("*") {
                return Err(self.error(
                    "pointers are not supported",
                    "values are integers; publish an index and branch on it",
                ));
            }
        }
        Ok(())
    }

    pub(super) fn type_ahead(&self) -> bool {
        matches!(self.peek(), Token::Word(word) if word == "_Atomic" || [&INTEGERS[..], &ATOMIC_INTEGERS, &QUALIFIERS, &OTHER_TYPES].iter().any(|list| list.contains(&word.as_str())))
    }

    /// A type without its `*`; whether it is atomic.
    pub(super) fn scalar_type(&mut self) -> Result<bool> {
        let (mut atomic, mut integer) = (false, false);
        while self.type_ahead() {
            let at = self.at();
            let word = self.word("a type")?;
            if word == "_Atomic" {
                atomic = true;
                if self.eat("(") {
                    self.nested(Parser::scalar_type)?;
                    self.expect(")", "after the atomic's type")?;
                    integer = true;
                }
            } else if OTHER_TYPES.contains(&word.as_str()) {
                return Err(ParseError::new(
                    at,
                    format!("the type `{word}` is not supported"),
                    "use int or long (both hold 64 signed bits here), or atomic_int or atomic_long",
                ));
            } else {
                atomic |= ATOMIC_INTEGERS.contains(&word.as_str());
                integer |= !QUALIFIERS.contains(&word.as_str());
            }
        }
        if integer {
            return Ok(atomic);
        }
        Err(self.error(
            format!("expected a type, found {}", self.peek().shown()),
            "write `int` or `atomic_int`",
        ))
    }
}
