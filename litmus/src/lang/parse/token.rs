//! Splits a litmus test into tokens.
//!
//! The head (name, quoted text, `Key=Value` lines) is line-oriented and read by
//! the parser; everything from the first `{` is tokens. `(* … *)` is a comment
//! outside thread bodies only: inside them `(*x)` is C. herd draws the same line.

use super::{IntType, ParseError, Pos, clipped};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    /// With a type, if it is not `int` or `long` by its size.
    Number(i64, Option<IntType>),
    Symbol(&'static str),
    /// A character of no language here; an error where something has to be made of it.
    Junk(char),
    End,
}

impl Token {
    /// How an error message names it.
    pub(super) fn shown(&self) -> String {
        match self {
            Token::Word(word) => format!("`{word}`"),
            Token::Number(number, None) => format!("`{number}`"),
            Token::Number(number, Some(ty)) => format!("`({ty}) {number}`"),
            Token::Junk(c) => format!("{c:?}"),
            Token::Symbol(symbol) => format!("`{symbol}`"),
            Token::End => "the end of the file".into(),
        }
    }
}

/// Longest first: the first that matches is taken.
const SYMBOLS: [&str; 45] = [
    "<<=", ">>=", "/\\", "\\/", "=>", "==", "!=", "<=", ">=", "&&", "||", "<<", ">>", "+=", "-=",
    "*=", "/=", "%=", "&=", "|=", "^=", "++", "--", "{", "}", "(", ")", "[", "]", ";", ",", ":",
    "*", "+", "-", "&", "|", "^", "!", "=", "<", ">", "~", "/", "%",
];

pub(super) struct Scanner<'a> {
    rest: &'a str,
    at: Pos,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(source: &'a str) -> Scanner<'a> {
        Scanner {
            rest: source,
            at: Pos { line: 1, column: 1 },
        }
    }

    pub(super) fn at(&self) -> Pos {
        self.at
    }

    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    fn step(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.at.line += 1;
            self.at.column = 1;
        } else {
            self.at.column += 1;
        }
        Some(c)
    }

    /// Takes characters while `keep` says so.
    pub(super) fn take(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let start = self.rest;
        while self.rest.chars().next().is_some_and(&keep) {
            self.step();
        }
        &start[..start.len() - self.rest.len()]
    }

    /// Takes `text` if it comes next.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.rest.starts_with(text);
        if found {
            text.chars().for_each(|_| _ = self.step());
        }
        found
    }

    /// Skips white space and comments; `ml`: `(* … *)` too, which nest.
    pub(super) fn skip(&mut self, ml: bool) -> Result<(), ParseError> {
        loop {
            self.take(char::is_whitespace);
            let start = self.at;
            if self.eat("//") {
                self.take(|c| c != '\n');
            } else if self.eat("/*") {
                while !self.eat("*/") {
                    if self.step().is_none() {
                        return Err(ParseError::new(
                            start,
                            "this comment has no end",
                            "close it with `*/`",
                        ));
                    }
                }
            } else if ml && self.eat("(*") {
                let mut depth = 1usize;
                while depth > 0 {
                    if self.eat("(*") {
                        depth += 1;
                    } else if self.eat("*)") {
                        depth -= 1;
                    } else if self.step().is_none() {
                        return Err(ParseError::new(
                            start,
                            "`(*` begins a comment here, which has no end",
                            "close it with `*)`; in a condition, the content of x is `x`, not `*x`",
                        ));
                    }
                }
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<Token, ParseError> {
        let start = self.at;
        let Some(first) = self.rest.chars().next() else {
            return Ok(Token::End);
        };
        if first.is_ascii_alphabetic()
            || first == '_'
            || first == '$'
            || first == '%' && self.named_register()
        {
            self.eat("%");
            return Ok(Token::Word(
                self.take(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
                    .into(),
            ));
        }
        if first.is_ascii_digit() {
            return self.number(start);
        }
        if let Some(symbol) = SYMBOLS.iter().find(|symbol| self.eat(symbol)) {
            return Ok(Token::Symbol(symbol));
        }
        self.step();
        Ok(Token::Junk(first))
    }

    /// `%r0`: herd's spelling of a register that stands for any.
    fn named_register(&self) -> bool {
        self.rest[1..].starts_with(|c: char| c.is_ascii_alphabetic())
    }

    fn number(&mut self, start: Pos) -> Result<Token, ParseError> {
        let digits = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
        let lower = digits.to_ascii_lowercase();
        let bare = lower.trim_end_matches(['u', 'l']);
        let (value, hex) = match bare.strip_prefix("0x") {
            Some(hex) => (u64::from_str_radix(hex, 16), true),
            None => (bare.parse::<u64>(), false),
        };
        let suffix = &lower[bare.len()..];
        let Ok(value) = value else {
            return Err(ParseError::new(
                start,
                format!("`{}` is not a number we can hold", clipped(digits)),
                "use a decimal or 0x… constant of at most 64 bits",
            ));
        };
        // C's rule: the first of int, unsigned (hexadecimal or u), long, unsigned long that
        // has room, and is not ruled out by a suffix.
        let (unsigned, long) = (suffix.contains('u'), suffix.contains('l'));
        let ty = [
            (!unsigned && !long && value <= i32::MAX as u64, None),
            (
                (unsigned || hex) && !long && value <= u32::MAX.into(),
                Some(IntType::UINT),
            ),
            (!unsigned && value <= i64::MAX as u64, Some(IntType::LONG)),
            (true, Some(IntType::ULONG)),
        ]
        .into_iter()
        .find_map(|(fits, ty)| fits.then_some(ty))
        .flatten();
        // A long that is too large for an int needs no mark.
        let ty = ty.filter(|ty| *ty != IntType::LONG || value <= i32::MAX as u64);
        Ok(Token::Number(value as i64, ty))
    }

    /// All tokens to the end, with their places. The first `{ … }` is the
    /// initial state; later ones are thread bodies.
    pub(super) fn tokens(mut self) -> Result<Vec<(Token, Pos)>, ParseError> {
        let mut out = Vec::new();
        let (mut depth, mut blocks) = (0usize, 0usize);
        loop {
            self.skip(depth == 0 || blocks == 1)?;
            let at = self.at;
            let token = self.token()?;
            match token {
                Token::Symbol("{") => {
                    blocks += usize::from(depth == 0);
                    depth += 1;
                }
                Token::Symbol("}") => depth = depth.saturating_sub(1),
                _ => {}
            }
            let end = token == Token::End;
            out.push((token, at));
            if end {
                return Ok(out);
            }
        }
    }
}
