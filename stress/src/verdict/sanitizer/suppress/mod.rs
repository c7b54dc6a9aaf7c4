//! Reports that are not told: suppressed by an exact top frame, or known to be false.
//!
//! A suppression by a pattern anywhere in a stack hides races that nobody has seen (CPython went
//! from `race:` to `race_top:` for that reason, and then emptied its list), so here it must name
//! the innermost function of a side, exactly. Even then the function may race with others than
//! those it was excused for: each suppression lists the functions it was `seen_with`, and what it
//! hides beyond them is told. The sanitizer's own suppressions are not used, for they hide in silence.

mod filter;

pub use self::filter::{FalseAlarm, Fate, Filter, Hidden};

use serde::Deserialize;
use std::path::Path;

/// The list that comes with the program.
const SHIPPED: &str = include_str!("../../suppressions.toml");

/// One suppression.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suppression {
    /// Innermost function of one side, exactly.
    pub top: String,
    /// Its file, where the name alone would not do.
    #[serde(default)]
    pub file: Option<String>,
    /// Kind of report, in the tool's words.
    #[serde(default = "race")]
    pub what: String,
    /// Implementation of the VM; any when absent.
    #[serde(default)]
    pub vm: Option<String>,
    /// Why it is no fault.
    pub reason: String,
    /// Where that can be read.
    pub source: String,
    /// Innermost functions of the other sides that it was reviewed with.
    #[serde(default)]
    pub seen_with: Vec<String>,
    /// Whether it came with the program.
    #[serde(skip)]
    pub shipped: bool,
}

fn race() -> String {
    "data race".to_owned()
}

/// A list of suppressions cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use suppressions {path}: {reason}")]
pub struct SuppressError {
    /// The file.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    suppression: Vec<Suppression>,
}

fn list(path: &str, text: &str) -> Result<Vec<Suppression>, SuppressError> {
    let fail = |reason: String| SuppressError {
        path: path.to_owned(),
        reason,
    };
    let file: File = toml::from_str(text).map_err(|e| fail(e.to_string()))?;
    for s in &file.suppression {
        let pattern = s.top.is_empty() || s.top.contains(['*', '^', '$']) || s.top.contains(' ');
        if pattern {
            return Err(fail(format!(
                "'{}' is no function's exact name; patterns would hide what nobody has seen",
                s.top
            )));
        }
        if s.reason.trim().is_empty() || s.source.trim().is_empty() {
            return Err(fail(format!(
                "the suppression of {} needs a reason and a source",
                s.top
            )));
        }
    }
    Ok(file.suppression)
}

/// The shipped list.
///
/// # Panics
/// When the shipped file is malformed; a test reads it.
pub fn shipped() -> Vec<Suppression> {
    let mut list = list("suppressions.toml", SHIPPED).unwrap_or_else(|e| panic!("{e}"));
    list.iter_mut().for_each(|s| s.shipped = true);
    list
}

/// Reads a user's list.
///
/// # Errors
/// When the file cannot be read, is malformed, or holds a pattern or a suppression without reason.
pub fn read(path: &Path) -> Result<Vec<Suppression>, SuppressError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| SuppressError {
        path: name.clone(),
        reason: e.to_string(),
    })?;
    list(&name, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_suppressions_without_reason_are_refused() {
        for text in [
            "top = 'list_*'\nreason = 'r'\nsource = 's'",
            "top = 'x'\nreason = ' '\nsource = 's'",
        ] {
            assert!(list("t", &format!("[[suppression]]\n{text}")).is_err());
        }
        assert!(shipped().iter().all(|s| s.shipped));
    }
}
