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
            help: printable(&help.into()),
        }
    }

    /// The message with the offending line and a mark under the place, in the
    /// shape of a compiler diagnostic. `source` is the text that was parsed.
    pub fn render(&self, file: &str, source: &str) -> String {
        diagnostic("error", &self.what, self.at, file, source)
            + &format!(
                "{} = help: {}\n",
                " ".repeat(self.at.line.to_string().len() + 1),
                self.help
            )
    }
}

/// Something that is read otherwise than its writer, herd or a C compiler may think.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where.
    pub at: Pos,
    /// What it is read as.
    pub what: String,
}

impl Warning {
    /// As [`ParseError::render`].
    pub fn render(&self, file: &str, source: &str) -> String {
        diagnostic("warning", &self.what, self.at, file, source)
    }
}

/// Longest piece of a line that is shown.
const SHOWN: usize = 200;

fn diagnostic(kind: &str, what: &str, at: Pos, file: &str, source: &str) -> String {
    let line = source
        .lines()
        .nth((at.line as usize).saturating_sub(1))
        .unwrap_or("");
    // Of a very long line, what is around the place.
    let column = (at.column as usize).saturating_sub(1);
    let skipped = if column < SHOWN {
        0
    } else {
        column - SHOWN / 2
    };
    let piece: String = line.chars().skip(skipped).take(SHOWN).collect();
    let (shown, file) = (printable(&piece), printable(file));
    let number = at.line.to_string();
    let margin = " ".repeat(number.len());
    let indent = " ".repeat(column - skipped);
    format!(
        "{kind}: {what}\n{margin}--> {file}:{at}\n{margin} |\n{number} | {shown}\n{margin} | {indent}^\n",
    )
}

/// Whether a terminal shows the character as one, or nothing at all, and does nothing else:
/// no control characters, and none that change the direction of what follows.
pub(super) fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The text without what would move a terminal's cursor.
pub fn printable(text: &str) -> String {
    let plain = |c: char| if is_printable(c) { c } else { ' ' };
    text.chars().map(plain).collect()
}
