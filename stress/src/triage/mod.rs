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
use crate::finding::store::{Store, StoreError};
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
    /// Its marks: none, one, or several that contradict each other after a merge.
    pub marks: Vec<Mark>,
}

impl Entry {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        Severity::of(&self.finding)
    }
}

/// All findings of an output folder with their marks, worst first.
///
/// # Errors
/// When the folder holds no findings, or one of them or the marks cannot be read.
pub fn load(out: &Path) -> Result<Vec<Entry>, StoreError> {
    let marks = Marks::open(out)?;
    let mut entries: Vec<Entry> = Store::read(out)?
        .into_iter()
        .map(|finding| {
            let folder = out.join("findings").join(&finding.id);
            entry(finding, folder, &marks)
        })
        .collect();
    entries.sort_by(|a, b| rank(&a.finding).cmp(&rank(&b.finding)));
    Ok(entries)
}

/// A finding with its neighbours on disk.
pub fn entry(finding: Finding, folder: PathBuf, marks: &Marks) -> Entry {
    let evidence = known::evidence(&finding, &folder);
    Entry {
        stack: similar::stack(&finding, &evidence),
        known: known::of(&finding, &evidence),
        marks: marks.of(&finding).into_iter().cloned().collect(),
        finding,
        folder,
    }
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
