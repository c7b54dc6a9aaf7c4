//! Splits a litmus test into tokens.
//!
//! The head (name, quoted text, `Key=Value` lines) is line-oriented and read by
//! the parser; everything from the first `{` is tokens. `(* … *)` is a comment
//! outside thread bodies only: inside them `(*x)` is C. herd draws the same line.

use super::{ParseError, Pos};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Number(i64),
    Symbol(&'static str),
    End,
}

impl Token {
    /// How an error message names it.
    pub(super) fn shown(&self) -> String {
        match self {
            Token::Word(word) => format!("`{word}`"),
            Token::Number(number) => format!("`{number}`"),
            Token::Symbol(symbol) => format!("`{symbol}`"),
            Token::End => "the end of the file".into(),
        }
    }
}

/// Longest first: the first that matches is taken.
const SYMBOLS: [&str; 31] = [
    "/\\", "\\/", "=>", "==", "!=", "<=", ">=", "&&", "||", "{", "}", "(", ")", "[", "]", ";", ",",
    ":", "*", "+", "-", "&", "|", "^", "!", "=", "<", ">", "~", "/", "%",
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
                            "this comment has no end",
                            "close it with `*)`",
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
        match SYMBOLS.iter().find(|symbol| self.eat(symbol)) {
            Some(symbol) => Ok(Token::Symbol(symbol)),
            None => Err(ParseError::new(
                start,
                format!("{first:?} means nothing in a litmus test"),
                "remove it; comments are written // …, /* … */ or, outside threads, (* … *)",
            )),
        }
    }

    /// `%r0`: herd's spelling of a register that stands for any.
    fn named_register(&self) -> bool {
        self.rest[1..].starts_with(|c: char| c.is_ascii_alphabetic())
    }

    fn number(&mut self, start: Pos) -> Result<Token, ParseError> {
        let digits = self.take(|c| c.is_ascii_alphanumeric() || c == '_');
        let lower = digits.to_ascii_lowercase();
        let value = match lower.strip_prefix("0x") {
            Some(hex) => i64::from_str_radix(hex, 16),
            None => lower.trim_end_matches(['u', 'l']).parse(),
        };
        value.map(Token::Number).map_err(|_| {
            ParseError::new(
                start,
                format!("`{digits}` is not a number we can hold"),
                "use a decimal or 0x… constant of at most 63 bits",
            )
        })
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
