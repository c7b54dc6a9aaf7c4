//! The litmus language: herd's C format (Alglave, Maranget, Tautschnig, TOPLAS
//! 2014), parsed, printed, and run on any engine.
//!
//! ```text
//! C SB
//! "store buffering"
//! { x=0; y=0; }
//!
//! P0 (atomic_int* x, atomic_int* y) {
//!   atomic_store_explicit(x, 1, memory_order_relaxed);
//!   int r0 = atomic_load_explicit(y, memory_order_relaxed);
//! }
//!
//! P1 (atomic_int* x, atomic_int* y) {
//!   atomic_store_explicit(y, 1, memory_order_relaxed);
//!   int r0 = atomic_load_explicit(x, memory_order_relaxed);
//! }
//!
//! exists (0:r0=0 /\ 1:r0=0)
//! ```
//!
//! Accepted is C as herd's parser reads it, and a little more; the crate's README has the list,
//! what differs from herd, and why. What is not accepted is refused at its place, with the way
//! out. What is read otherwise than a reader may think, draws a [`Warning`].

pub mod ast;
pub mod code;
pub mod engine;
pub mod expectation;
#[doc(hidden)]
pub mod fuzzing;
pub mod outcome;
pub mod reference;

mod error;
mod lower;
mod parse;
mod print;

pub use ast::Test;
pub use code::Code;
pub use engine::{Engine, Limits, Unsupported, run};
pub use error::{ParseError, Pos, Warning, printable};
pub use expectation::{Expectation, Expected, Judged, expectation, judge};
pub use outcome::{Coverage, Frequency, Observation, Verdict, Witness};

impl Test {
    /// Parses a test.
    ///
    /// # Errors
    ///
    /// The first thing that is not a test we can run, with its place and what to
    /// write instead. Never panics, whatever the text.
    pub fn parse(source: &str) -> Result<Test, ParseError> {
        parse::test(source).map(|(test, _)| test)
    }

    /// As [`Test::parse`], with what its reader should know.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn parse_with_warnings(source: &str) -> Result<(Test, Vec<Warning>), ParseError> {
        parse::test(source)
    }

    /// Flat code for the engines.
    pub fn lower(&self) -> Code {
        lower::lower(self)
    }

    /// The types of a thread's names before its first statement.
    pub(crate) fn env(&self, thread: usize) -> ast::Env {
        use ast::{InitValue, Type, Value, Variable};
        let registers = self.init.iter().filter_map(|init| match &init.place {
            Variable::Register(owner, name) if *owner == thread => {
                let written = init.ty.map(Type::held);
                let ty = match &init.value {
                    InitValue::One(Value::Address(_)) => written
                        .filter(|ty| ty.is_pointer())
                        .unwrap_or(Type::INT.pointer()),
                    _ => written.unwrap_or(Type::INT),
                };
                Some((name.clone(), ty))
            }
            _ => None,
        });
        ast::Env::new(&self.threads[thread].params, registers)
    }

    /// The value of an info line `key=…`.
    pub fn info(&self, key: &str) -> Option<&str> {
        self.info
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, value)| value.as_str())
    }
}
