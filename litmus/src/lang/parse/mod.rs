//! The parser, by recursive descent over tokens.

mod atomic;
mod condition;
mod expr;
mod head;
mod jumps;
mod linux;
mod refusal;
mod state;
mod statement;
mod thread;
mod token;
mod types;

use std::collections::HashMap;

use super::ast::{
    BinOp, Cas, CmpXchg, Condition, Env, Expected, Expr, Init, InitValue, IntType, Order, Param,
    Prop, Quantifier, RmwOp, Stmt, StmtKind, Test, Thread, Type, UnOp, Value, Variable, c_name,
};
use super::error::{ParseError, Pos, Warning};
use jumps::Ways;
use token::{Scanner, Token};

/// Longest text accepted, in bytes.
const MAX_SOURCE: usize = 1 << 20;
/// Most threads in one test.
const MAX_THREADS: usize = 64;
/// Most locations in one test, array elements included.
const MAX_LOCATIONS: usize = 1000;
/// Deepest nesting of blocks, parentheses and operators.
const MAX_DEPTH: usize = 100;
/// Most operators and calls in one expression or proposition. Trees are walked recursively,
/// and a chain `a + b + …` is as deep as it is long, so this bounds the depth, whatever is
/// nested in what.
const MAX_NODES: usize = 500;
/// Most warnings kept.
const MAX_WARNINGS: usize = 100;

type Result<T> = std::result::Result<T, ParseError>;

struct Parser {
    tokens: Vec<(Token, Pos)>,
    next: usize,
    depth: usize,
    /// Operators and calls of the expression or proposition at hand.
    nodes: usize,
    known: Known,
    /// The names of the thread at hand.
    env: Env,
    /// Its ways to go on elsewhere.
    ways: Ways,
    warnings: Vec<Warning>,
}

/// The names of a test: what a condition may speak of.
#[derive(Default)]
struct Known {
    /// Shared locations with what they hold, once something says so; of an array, its elements.
    locations: HashMap<String, Option<Type>>,
    /// Arrays and their lengths.
    arrays: HashMap<String, usize>,
    /// By thread.
    registers: Vec<HashMap<String, Type>>,
    /// Addresses in the initial state, which may be those of later threads' locations.
    addresses: Vec<(String, Pos)>,
    /// Whether every thread has been read.
    complete: bool,
}

pub(super) fn test(source: &str) -> Result<(Test, Vec<Warning>)> {
    let mut scanner = Scanner::new(source);
    if source.len() > MAX_SOURCE {
        return Err(ParseError::new(
            scanner.at(),
            "this file is larger than 1 MiB",
            "a litmus test is a few dozen lines",
        ));
    }
    let (name, doc, info) = head::head(&mut scanner)?;
    let mut parser = Parser {
        tokens: scanner.tokens()?,
        next: 0,
        depth: 0,
        nodes: 0,
        known: Known::default(),
        env: Env::default(),
        ways: Ways::default(),
        warnings: Vec::new(),
    };
    let init_at = parser.at();
    let init = parser.init()?;
    while parser.ahead("{") {
        parser.warn("C code outside the threads is skipped");
        parser.skip_block()?;
    }
    let mut threads = Vec::new();
    while parser.thread_ahead() {
        threads.push(parser.thread(threads.len())?);
    }
    if threads.is_empty() {
        let what = match parser.peek() {
            Token::End => "there is no thread".to_string(),
            other => format!("there is no thread, but {}", other.shown()),
        };
        return Err(parser.error(
            what,
            "write `P0 (atomic_int* x) { … }` after the initial state",
        ));
    }
    if parser.known.registers.len() > threads.len() {
        let what = format!(
            "the initial state speaks of thread {}",
            parser.known.registers.len() - 1
        );
        return Err(ParseError::new(
            init_at,
            what,
            format!("the threads are P0 to P{}", threads.len() - 1),
        ));
    }
    parser.resolve_addresses()?;
    parser.known.complete = true;
    parser.skip_regions();
    let locations = if parser.eat_word("locations") {
        parser.locations()?
    } else {
        Vec::new()
    };
    let filter = if parser.eat_word("filter") {
        Some(parser.whole_prop()?)
    } else {
        None
    };
    let condition = parser.condition()?;
    parser.eat(";");
    if parser.eat_word("with") {
        parser.warn("`with` is skipped: other models are asked with --engine");
        while *parser.peek() != Token::End {
            parser.advance();
        }
    }
    if *parser.peek() != Token::End {
        return Err(parser.error(
            format!(
                "the test should end here, not with {}",
                parser.peek().shown()
            ),
            "one condition closes a test; put the next test into its own file",
        ));
    }
    let test = Test {
        name,
        doc,
        info,
        init,
        threads,
        locations,
        filter,
        condition,
    };
    Ok((test, parser.warnings))
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].0
    }

    fn peek_at(&self, ahead: usize) -> &Token {
        // The list ends with `End`, which answers for everything beyond.
        &self.tokens[(self.next + ahead).min(self.tokens.len() - 1)].0
    }

    fn at(&self) -> Pos {
        self.tokens[self.next].1
    }

    fn advance(&mut self) -> Token {
        let token = self.tokens[self.next].0.clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    fn error(&self, what: impl Into<String>, help: impl Into<String>) -> ParseError {
        ParseError::new(self.at(), what, help)
    }

    fn warn(&mut self, what: impl Into<String>) {
        self.warn_at(self.at(), what);
    }

    /// The same thing is said once.
    fn warn_at(&mut self, at: Pos, what: impl Into<String>) {
        let what = what.into();
        let full = self.warnings.len() >= MAX_WARNINGS;
        if !full && self.warnings.iter().all(|known| known.what != what) {
            self.warnings.push(Warning { at, what });
        }
    }

    fn ahead(&self, symbol: &str) -> bool {
        matches!(self.peek(), Token::Symbol(s) if *s == symbol)
    }

    fn eat(&mut self, symbol: &str) -> bool {
        let found = self.ahead(symbol);
        if found {
            self.advance();
        }
        found
    }

    fn word_ahead(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(w) if w == word)
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.word_ahead(word);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, symbol: &str, after: &str) -> Result<()> {
        if self.eat(symbol) {
            return Ok(());
        }
        let what = format!("expected `{symbol}` {after}, found {}", self.peek().shown());
        Err(self.error(what, format!("write `{symbol}` here")))
    }

    fn word(&mut self, role: &str) -> Result<String> {
        match self.peek().clone() {
            Token::Word(word) => {
                self.advance();
                Ok(word)
            }
            Token::Junk(c) => Err(self.error(
                format!("expected {role}, found {c:?}, which means nothing in a litmus test"),
                "remove it; comments are written // …, /* … */ or, outside threads, (* … *)",
            )),
            other => Err(self.error(
                format!("expected {role}, found {}", other.shown()),
                "write a name here",
            )),
        }
    }

    /// Runs `parse` one level deeper, refusing what would exhaust the stack.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Parser) -> Result<T>) -> Result<T> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(
                "nested too deeply",
                format!("at most {MAX_DEPTH} levels; compute parts into registers"),
            ));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// One operator or call more, see [`MAX_NODES`].
    fn node(&mut self) -> Result<()> {
        self.nodes += 1;
        match self.nodes > MAX_NODES {
            true => Err(self.error(
                "this is too long",
                format!("at most {MAX_NODES} operators and calls in one expression or condition"),
            )),
            false => Ok(()),
        }
    }

    fn integer(&mut self, role: &str) -> Result<i64> {
        let negative = self.eat("-");
        match self.peek().clone() {
            Token::Number(number, _) => {
                self.advance();
                Ok(if negative {
                    number.wrapping_neg()
                } else {
                    number
                })
            }
            other => Err(self.error(
                format!("expected {role}, found {}", other.shown()),
                "write an integer here",
            )),
        }
    }

    /// `{ … }` with anything in it.
    fn skip_block(&mut self) -> Result<()> {
        let mut depth = 0usize;
        loop {
            match self.peek() {
                Token::End => return Err(self.error("this block has no end", "close it with `}`")),
                Token::Symbol("{") => depth += 1,
                Token::Symbol("}") => depth -= 1,
                _ => {}
            }
            self.advance();
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// herd's `scopes:`, `levels:` and `regions:`, which C11 knows nothing of.
    fn skip_regions(&mut self) {
        let part = |token: &Token| matches!(token, Token::Word(w) if ["scopes", "levels", "regions"].contains(&w.as_str()));
        while part(self.peek()) && *self.peek_at(1) == Token::Symbol(":") {
            self.warn("scopes, levels and regions are skipped: C11 has none");
            let ends = |token: &Token| match token {
                Token::End | Token::Symbol("~") => true,
                Token::Word(word) => [
                    "locations",
                    "filter",
                    "exists",
                    "forall",
                    "final",
                    "observed",
                    "not",
                ]
                .contains(&word.as_str()),
                _ => false,
            };
            self.advance();
            while !ends(self.peek()) && !part(self.peek()) {
                self.advance();
            }
        }
    }
}

/// What is shown of a text in a message.
fn clipped(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_string(),
    }
}
