//! The parser, by recursive descent over tokens.

mod condition;
mod expr;
mod head;
mod refusal;
mod state;
mod statement;
mod thread;
mod token;
mod types;

use super::ast::{
    BinOp, Cas, Condition, Expected, Expr, Init, Order, Param, Place, Prop, Quantifier, RmwOp,
    Stmt, StmtKind, Test, Thread, UnOp, c_name,
};
use super::error::{ParseError, Pos};
use token::{Scanner, Token};

/// Longest text accepted, in bytes.
const MAX_SOURCE: usize = 1 << 20;
/// Most threads in one test.
const MAX_THREADS: usize = 64;
/// Deepest nesting of blocks, parentheses and operators.
const MAX_DEPTH: usize = 100;
/// Most operators in one chain `a + b + …`; the tree leans to the left and is
/// walked recursively.
const MAX_CHAIN: usize = 1000;

type Result<T> = std::result::Result<T, ParseError>;

struct Parser {
    tokens: Vec<(Token, Pos)>,
    next: usize,
    depth: usize,
    /// What a condition may speak of; known once the threads are read.
    known: Option<Known>,
}

/// The names of a test.
#[derive(Default)]
struct Known {
    locations: Vec<String>,
    registers: Vec<Vec<String>>,
}

pub(super) fn test(source: &str) -> Result<Test> {
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
        known: None,
    };
    let mut known = Known::default();
    let init_at = parser.at();
    let init = parser.init(&mut known)?;
    let mut threads = Vec::new();
    while parser.thread_ahead() {
        threads.push(parser.thread(threads.len(), &mut known)?);
    }
    if threads.is_empty() {
        return Err(parser.error(
            "there is no thread",
            "write `P0 (atomic_int* x) { … }` after the initial state",
        ));
    }
    if known.registers.len() > threads.len() {
        let what = format!(
            "the initial state speaks of thread {}",
            known.registers.len() - 1
        );
        return Err(ParseError::new(
            init_at,
            what,
            format!("the threads are P0 to P{}", threads.len() - 1),
        ));
    }
    parser.known = Some(known);
    let locations = if parser.eat_word("locations") {
        parser.locations()?
    } else {
        Vec::new()
    };
    let filter = if parser.eat_word("filter") {
        Some(parser.prop()?)
    } else {
        None
    };
    let condition = parser.condition()?;
    parser.eat(";");
    match parser.peek() {
        Token::End => Ok(Test {
            name,
            doc,
            info,
            init,
            threads,
            locations,
            filter,
            condition,
        }),
        Token::Word(word) if word == "with" => Err(parser.error(
            "`with` is not supported",
            "give one condition; ask other models with --engine",
        )),
        _ => Err(parser.error(
            "the test should end here",
            "one condition closes a test; put the next test into its own file",
        )),
    }
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

    fn eat_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(w) if w == word);
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

    fn integer(&mut self, role: &str) -> Result<i64> {
        let negative = self.eat("-");
        match self.peek().clone() {
            Token::Number(number) => {
                self.advance();
                Ok(if negative { -number } else { number })
            }
            Token::Symbol("&") | Token::Word(_) => Err(self.error(
                format!("expected {role}, found {}", self.peek().shown()),
                "values are integers; publish an index instead of an address and branch on it",
            )),
            other => Err(self.error(
                format!("expected {role}, found {}", other.shown()),
                "write an integer here",
            )),
        }
    }
}
