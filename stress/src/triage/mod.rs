//! Triage: findings ordered, clustered, marked, merged, explained and bisected.
//!
//! Nothing here changes what a hunt found. Marks lie beside the findings in a file of their own;
//! severity, statements and the matching known bug follow from a finding and its backtrace.

pub mod bisect;
pub mod improve;
pub mod known;
pub mod list;
pub mod marks;
pub mod merge;
pub mod promise;
pub mod severity;
pub mod similar;
pub mod statement;

use crate::bugs::attribute::Attribution;
use crate::finding::Finding;
use crate::finding::store::{Contents, Store, StoreError};
use marks::{Mark, Marks};
use severity::Severity;
use std::path::{Path, PathBuf};

/// A finding with what lies beside it in its output folder.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The finding.
    pub finding: Finding,
    /// Its folder.
    pub folder: PathBuf,
    /// Innermost telling frames of the crash, from its backtrace where there is one.
    pub stack: Vec<String>,
    /// The known bug that its output shows.
    pub known: Attribution,
    /// Its marks: none, one, or several that do not say the same after a merge.
    pub marks: Vec<Mark>,
}

impl Entry {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        Severity::of(&self.finding)
    }
}

/// What an output folder holds.
#[derive(Debug)]
pub struct Loaded {
    /// The findings with their marks, worst first.
    pub entries: Vec<Entry>,
    /// Why other findings cannot be read.
    pub unreadable: Vec<StoreError>,
}

/// All findings of an output folder with their marks.
///
/// # Errors
/// When the folder holds no findings, or it or the marks cannot be read.
pub fn load(out: &Path) -> Result<Loaded, StoreError> {
    let marks = Marks::open(out)?;
    let Contents { found, unreadable } = Store::contents(out)?;
    let found = found.into_iter();
    let mut entries: Vec<Entry> = found
        .map(|found| entry(found.finding, found.folder, &marks))
        .collect();
    entries.sort_by(|a, b| rank(&a.finding).cmp(&rank(&b.finding)));
    Ok(Loaded {
        entries,
        unreadable,
    })
}

/// A finding with its neighbours on disk.
pub fn entry(finding: Finding, folder: PathBuf, marks: &Marks) -> Entry {
    let evidence = known::evidence(&finding, &folder);
    Entry {
        stack: similar::stack(&finding, &evidence),
        known: known::of(&finding, &evidence),
        marks: marks_of(&finding, marks),
        finding,
        folder,
    }
}

/// A finding's marks, each thing that was said once.
pub fn marks_of(finding: &Finding, marks: &Marks) -> Vec<Mark> {
    let mut shown: Vec<Mark> = Vec::new();
    for mark in marks.of(finding) {
        let refuted = mark.is_refuted_by(finding).then(|| finding.facts.title());
        let mark = Mark {
            again: mark.again.clone().or(refuted),
            ..mark.clone()
        };
        if shown.iter().all(|other| other.line() != mark.line()) {
            shown.push(mark);
        }
    }
    shown
}

/// The order in which findings are shown: severity first.
pub fn rank(finding: &Finding) -> impl Ord + use<'_> {
    (
        Severity::of(finding),
        finding.grade,
        finding.kind,
        &finding.subject,
        &finding.id,
    )
}
