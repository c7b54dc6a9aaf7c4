//! The litmus tests we ship, each with its expected verdicts.
//!
//! A test is a `.litmus` file under `tests/` that herd can read too; its info
//! lines say what has to come out ([`mod@crate::lang::expectation`]).

use crate::lang::Test;

mod files;

/// A test of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The file's name without `.litmus`; also the test's name.
    pub name: &'static str,
    /// The file's text.
    pub text: &'static str,
}

/// Every test, in the order of families.
pub fn all() -> &'static [Entry] {
    files::ALL
}

/// The test of that name.
pub fn find(name: &str) -> Option<Entry> {
    all().iter().copied().find(|entry| entry.name == name)
}

impl Entry {
    /// The parsed test.
    ///
    /// # Panics
    ///
    /// Never: the tests of this crate parse every file.
    pub fn test(&self) -> Test {
        Test::parse(self.text)
            .unwrap_or_else(|error| panic!("{}", error.render(self.name, self.text)))
    }
}
