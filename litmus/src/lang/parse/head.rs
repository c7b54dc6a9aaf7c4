//! The head of a test: name, quoted text, `Key=Value` lines.

use super::token::Scanner;
use super::{ParseError, Pos, Result, clipped};
use crate::lang::error::is_printable;

/// Name, quoted text, info lines.
pub(super) type Head = (String, Option<String>, Vec<(String, String)>);

/// Reads up to the `{` of the initial state.
pub(super) fn head(scanner: &mut Scanner) -> Result<Head> {
    // Some editors put a byte order mark before the text.
    scanner.eat("\u{feff}");
    scanner.skip(true)?;
    let at = scanner.at();
    let language = scanner.take(|c| !c.is_whitespace() && c != '{');
    if language != "C" {
        let what = match language {
            "" => "there is no test here".to_string(),
            other => format!("the language is `{}`", clipped(other)),
        };
        return Err(ParseError::new(
            at,
            what,
            "only C tests are read: the first line is `C name`",
        ));
    }
    scanner.take(|c| c == ' ' || c == '\t');
    let at = scanner.at();
    let name = scanner
        .take(|c| !c.is_whitespace() && c != '{' && c != '"')
        .to_string();
    printable(at, "the test's name", &name)?;
    if name.is_empty() {
        return Err(ParseError::new(
            at,
            "the test has no name",
            "the first line is `C name`",
        ));
    }
    let (mut doc, mut info) = (None, Vec::new());
    loop {
        scanner.skip(true)?;
        let at = scanner.at();
        if scanner.rest().starts_with('{') {
            return Ok((name, doc, info));
        }
        if scanner.eat("\"") {
            let text = scanner.take(|c| c != '"').to_string();
            if !scanner.eat("\"") {
                return Err(ParseError::new(
                    at,
                    "this text has no closing quote",
                    "close it with `\"`",
                ));
            }
            printable(at, "this text", &text)?;
            doc = Some(text);
            continue;
        }
        let line = scanner.take(|c| c != '\n');
        printable(at, "this line", line)?;
        match line.split_once('=') {
            Some((key, value)) if is_key(key.trim()) => {
                info.push((key.trim().to_string(), value.trim().to_string()))
            }
            _ => {
                return Err(ParseError::new(
                    at,
                    "expected the initial state",
                    "after the name come a text in quotes, `Key=Value` lines, then `{ x=0; y=0; }`",
                ));
            }
        }
    }
}

/// Refuses what a terminal would take for commands: the text will be shown.
fn printable(at: Pos, what: &str, text: &str) -> Result<()> {
    match text
        .chars()
        .find(|&c| !is_printable(c) && !matches!(c, '\n' | '\r' | '\t'))
    {
        Some(c) => Err(ParseError::new(
            at,
            format!("{what} has the control character {c:?} in it"),
            "remove it",
        )),
        None => Ok(()),
    }
}

fn is_key(key: &str) -> bool {
    !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}
