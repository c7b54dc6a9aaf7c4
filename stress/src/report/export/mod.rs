//! Hunts in the formats that other tools read: SARIF for code-scanning services, JUnit for what shows tests,
//! annotations for GitHub's log. Each is a pure function of what an output folder holds.

mod annotations;
mod junit;
mod sarif;

pub use annotations::annotations;
pub use junit::junit;
pub use sarif::sarif;

use crate::campaign::state::State;
use crate::finding::store::{StoreError, script};
use crate::triage::marks::State as Decision;
use crate::triage::{self, Entry};
use crate::verdict::grade::Grade;
use std::path::Path;

/// What an output folder holds.
#[derive(Debug)]
pub struct Hunt {
    /// Progress and totals; `None` of a folder that findings were merged into, which no hunt ran in.
    pub state: Option<State>,
    /// Findings with their marks, worst first.
    pub entries: Vec<Entry>,
}

impl Hunt {
    /// Reads an output folder, and says why findings in it cannot be read.
    ///
    /// # Errors
    /// When it holds no findings' folder, or its progress or the marks cannot be read.
    pub fn read(out: &Path) -> Result<(Self, Vec<StoreError>), StoreError> {
        let loaded = triage::load(out)?;
        let state = match out.join("hunt.json").is_file() {
            true => Some(State::read(out)?),
            false => None,
        };
        let entries = loaded.entries;
        Ok((Self { state, entries }, loaded.unreadable))
    }
}

/// Why a finding is no failure for other tools: somebody marked it as known or accepted, and nobody contradicts.
fn excused(entry: &Entry) -> Option<String> {
    let settled = |d: &Decision| matches!(d, Decision::Known(_) | Decision::Accepted);
    let all = !entry.marks.is_empty() && entry.marks.iter().all(|m| settled(&m.state));
    all.then(|| {
        let lines: Vec<String> = entry.marks.iter().map(|m| m.line()).collect();
        lines.join("; ")
    })
}

/// Whether it breaks a promise; else it is worth a look.
fn breaks(entry: &Entry) -> bool {
    entry.finding.grade == Grade::Forbidden
}

/// The file to open for a finding: its script where it has one.
fn file(entry: &Entry) -> String {
    let script = script(&entry.folder);
    let shown = match script.is_file() {
        true => script,
        false => entry.folder.join("finding.json"),
    };
    shown.display().to_string()
}

/// Characters that XML 1.0 and terminals refuse, as their escape; line ends and tabs stay.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                out.extend(c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    out
}
