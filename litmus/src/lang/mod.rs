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
//! Supported: loads, stores, exchanges, fetch-and-op and compare-exchange of
//! C11 with and without `_explicit`, fences, plain accesses `*x`, registers,
//! expressions, `if`/`else`; `locations`, `filter`, `exists`, `~exists`,
//! `forall`. Registers and locations hold 64-bit two's complement integers
//! whatever integer type is written. Not supported, and refused with the place
//! and the way out: loops, locks, pointers as values, the Linux kernel's
//! macros, other languages than C.

pub mod ast;
pub mod code;
pub mod engine;
pub mod expectation;
pub mod outcome;
pub mod reference;

mod error;
mod lower;
mod parse;
mod print;

pub use ast::Test;
pub use code::Code;
pub use engine::{Engine, Limits, Unsupported, run};
pub use error::{ParseError, Pos};
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
        parse::test(source)
    }

    /// Flat code for the engines.
    pub fn lower(&self) -> Code {
        lower::lower(self)
    }

    /// The value of an info line `key=…`.
    pub fn info(&self, key: &str) -> Option<&str> {
        self.info
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, value)| value.as_str())
    }
}
