//! Errors of the litmus language: the place, what is wrong, the way out.

use std::fmt;

/// A place in a source text, counted from 1 as editors do. Columns count characters.
///
/// Two places always compare equal: a place is where a test was written,
/// never part of what it means, and trees are compared for meaning.
#[derive(Debug, Clone, Copy, Default, Eq)]
pub struct Pos {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl PartialEq for Pos {
    fn eq(&self, _: &Pos) -> bool {
        true
    }
}

impl fmt::Display for Pos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A text that is not a litmus test we can run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {what} (help: {help})")]
pub struct ParseError {
    /// Where.
    pub at: Pos,
    /// What is wrong there.
    pub what: String,
    /// What to write instead.
    pub help: String,
}

impl ParseError {
    pub(super) fn new(at: Pos, what: impl Into<String>, help: impl Into<String>) -> ParseError {
        ParseError {
            at,
            what: printable(&what.into()),
            help: help.into(),
        }
    }

    /// The message with the offending line and a mark under the place, in the
    /// shape of a compiler diagnostic. `source` is the text that was parsed.
    pub fn render(&self, file: &str, source: &str) -> String {
        let line = source
            .lines()
            .nth((self.at.line as usize).saturating_sub(1))
            .unwrap_or("");
        let shown = printable(line);
        let number = self.at.line.to_string();
        let margin = " ".repeat(number.len());
        let indent = " ".repeat((self.at.column as usize).saturating_sub(1));
        format!(
            "error: {}\n{margin}--> {file}:{}\n{margin} |\n{number} | {shown}\n{margin} | {indent}^\n{margin} = help: {}\n",
            self.what, self.at, self.help
        )
    }
}

/// The text without what would move a terminal's cursor.
fn printable(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).collect()
}
