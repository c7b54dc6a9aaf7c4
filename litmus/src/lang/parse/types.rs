//! Types of locations and registers.

use super::token::Token;
use super::{IntType, ParseError, Parser, Result, Type};

pub(super) const QUALIFIERS: [&str; 4] = ["volatile", "const", "restrict", "register"];

/// Words that are a type, or begin one, and what it is; `None` for those that only change
/// what follows.
fn integer(word: &str) -> Option<IntType> {
    Some(match word {
        "int" | "signed" | "int32_t" | "mutex" | "mtx_t" | "spinlock_t" | "raw_spinlock_t" => {
            IntType::INT
        }
        "unsigned" | "uint32_t" => IntType::UINT,
        "long" | "int64_t" | "intptr_t" | "ptrdiff_t" | "ssize_t" | "intmax_t" => IntType::LONG,
        "size_t" | "uint64_t" | "uintptr_t" | "uintmax_t" => IntType::ULONG,
        // Signed where these tests run, as on x86.
        "char" | "int8_t" => IntType::new(8, true),
        "uint8_t" => IntType::new(8, false),
        "short" | "int16_t" => IntType::new(16, true),
        "uint16_t" => IntType::new(16, false),
        "_Bool" | "bool" => IntType::BOOL,
        _ => return None,
    })
}

/// `atomic_int` and its like.
fn atomic(word: &str) -> Option<IntType> {
    let of = word.strip_prefix("atomic_")?;
    match of {
        "t" => Some(IntType::INT),
        "long_t" | "llong" => Some(IntType::LONG),
        "flag" => Some(IntType::BOOL),
        "uint" => Some(IntType::UINT),
        "ulong" | "ullong" => Some(IntType::ULONG),
        "ushort" => Some(IntType::new(16, false)),
        "schar" => Some(IntType::new(8, true)),
        "uchar" => Some(IntType::new(8, false)),
        "signed" | "unsigned" | "_Bool" | "mutex" => None,
        other => integer(other),
    }
}

/// Types that are known and not had.
fn unsupported(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word {
        "__int128" | "__int128_t" | "__uint128_t" | "int128_t" | "uint128_t" => (
            "values have at most 64 bits here",
            "use int64_t or uint64_t; no accesses of mixed size are modelled",
        ),
        "float" | "double" => ("values are integers here", "use an integer type"),
        "struct" | "union" | "enum" => (
            "there are no structures here",
            "name each field as a location",
        ),
        _ => return None,
    })
}

impl Parser {
    /// An optional type in front of an initialised place.
    pub(super) fn init_type(&mut self) -> Result<Option<Type>> {
        if self.eat("*") {
            return Ok(Some(Type::INT.pointer()));
        }
        let names_place = matches!(self.peek(), Token::Word(_))
            && matches!(
                self.peek_at(1),
                Token::Symbol("=" | ";" | "}" | ":" | "[") | Token::End
            );
        match !names_place && matches!(self.peek(), Token::Word(_)) {
            true => self.pointer_type().map(Some),
            false => Ok(None),
        }
    }

    pub(super) fn type_ahead(&self) -> bool {
        match self.peek() {
            Token::Word(word) if word == "atomic" => *self.peek_at(1) == Token::Symbol("<"),
            Token::Word(word) => is_type(word),
            _ => false,
        }
    }

    /// Whether `( type` comes.
    pub(super) fn cast_ahead(&self) -> bool {
        self.ahead("(") && matches!(self.peek_at(1), Token::Word(word) if is_type(word))
    }

    /// A type with any number of `*`.
    pub(super) fn pointer_type(&mut self) -> Result<Type> {
        let mut ty = self.scalar_type()?;
        loop {
            if self.eat("*") {
                ty = ty.pointer();
            } else if !QUALIFIERS.iter().any(|word| self.eat_word(word)) {
                return Ok(ty);
            }
            if ty.stars > 8 {
                return Err(self.error("too many `*`", "at most eight"));
            }
        }
    }

    /// A type without its `*`.
    fn scalar_type(&mut self) -> Result<Type> {
        let (mut is_atomic, mut base, mut unsigned) = (false, None::<IntType>, None::<bool>);
        while let Token::Word(word) = self.peek().clone() {
            let at = self.at();
            if let Some((what, help)) = unsupported(&word) {
                return Err(ParseError::new(at, format!("`{word}`: {what}"), help));
            }
            if QUALIFIERS.contains(&word.as_str()) {
                self.advance();
            } else if word == "_Atomic" || word == "atomic" {
                self.advance();
                is_atomic = true;
                let close = if self.eat("(") {
                    ")"
                } else if self.eat("<") {
                    ">"
                } else {
                    continue;
                };
                let inner = self.nested(Parser::scalar_type)?;
                self.expect(close, "after the atomic's type")?;
                base = Some(inner.int);
            } else if word == "void" && base.is_none() {
                self.advance();
                if !self.ahead("*") {
                    return Err(ParseError::new(
                        at,
                        "nothing can be `void`",
                        "write a type that has values, as `int`, or `void*`",
                    ));
                }
                self.warn_at(at, "`void*` is read as `int*`: what is behind it is an int");
                base = Some(IntType::INT);
            } else if let Some(int) = integer(&word) {
                self.advance();
                match word.as_str() {
                    "signed" => unsigned = Some(false),
                    "unsigned" => unsigned = Some(true),
                    // `long int`, `short int`
                    "int" if base.is_some() => {}
                    _ => base = Some(int),
                }
            } else if let Some(int) = atomic(&word) {
                self.advance();
                (is_atomic, base) = (true, Some(int));
            } else {
                break;
            }
        }
        let int = match (base, unsigned) {
            (Some(int), Some(unsigned)) => IntType::new(int.bits, !unsigned),
            (Some(int), None) => int,
            (None, Some(unsigned)) => IntType::new(32, !unsigned),
            (None, None) => {
                let what = match self.peek() {
                    Token::Word(word) => format!("`{word}` is not a type we know"),
                    other => format!("expected a type, found {}", other.shown()),
                };
                return Err(self.error(
                    what,
                    "types are int, long, short, char, signed or unsigned, _Bool, size_t, intN_t and uintN_t, and atomic_… or _Atomic(…) of these",
                ));
            }
        };
        Ok(Type {
            atomic: is_atomic,
            ..Type::of(int)
        })
    }
}

fn is_type(word: &str) -> bool {
    matches!(word, "_Atomic" | "void")
        || QUALIFIERS.contains(&word)
        || integer(word).is_some()
        || atomic(word).is_some()
        || unsupported(word).is_some()
}
