//! Workflow commands of GitHub Actions: a line for each finding, shown beside the change.
//!
//! Source: GitHub, *Workflow commands for GitHub Actions*, "Setting an error message"; the escapes are those of
//! `actions/toolkit`, `packages/core/src/command.ts`, `escapeData` and `escapeProperty`.

use super::{Hunt, breaks, excused, file, printable};
use std::fmt::Write as _;

/// A line for each finding: an error where a promise is broken, a warning where not, a notice where it is marked
/// as known or accepted.
pub fn annotations(hunts: &[Hunt]) -> String {
    let mut out = String::new();
    for entry in hunts.iter().flat_map(|h| &h.entries) {
        let excused = excused(entry);
        let level = match (&excused, breaks(entry)) {
            (Some(_), _) => "notice",
            (None, true) => "error",
            (None, false) => "warning",
        };
        let finding = &entry.finding;
        let mut message = finding.line();
        if let Some(why) = excused {
            let _ = write!(message, " ({why})");
        }
        let _ = writeln!(
            out,
            "::{level} file={},line=1,title={}::{}",
            property(&file(entry)),
            property(&format!("{} on {}", finding.id, finding.facts.title())),
            data(&message)
        );
    }
    out
}

fn data(text: &str) -> String {
    printable(text).replace('%', "%25").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a VM printed cannot begin a command of its own.
    #[test]
    fn a_message_stays_in_its_line() {
        assert_eq!(data("50%\n::error::x\r"), "50%25%0A::error::x\\u{d}");
        assert_eq!(property("a,b:c"), "a%2Cb%3Ac");
    }
}
