//! The known bug that a finding shows.

use crate::bugs::attribute::{Attribution, Index};
use crate::bugs::{self, Bug};
use crate::finding::Finding;
use crate::verdict::Kind;
use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

/// Text that tells one bug from another: the backtrace and what the process printed.
pub fn evidence(finding: &Finding, folder: &Path) -> String {
    let files = ["backtrace.txt", "raw-output.txt", "output.txt"];
    if !told_by_output(finding.kind) {
        return String::new();
    }
    files
        .iter()
        .filter_map(|name| std::fs::read_to_string(folder.join(name)).ok())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Outcomes and leaks print no stack: whatever stacks lie beside them are of something else.
fn told_by_output(kind: Kind) -> bool {
    kind.ends_process()
}

/// The catalogue that comes with the program.
pub fn catalogue() -> &'static [Bug] {
    static BUGS: OnceLock<Vec<Bug>> = OnceLock::new();
    BUGS.get_or_init(bugs::shipped)
}

/// What the output of a finding is attributed to, among the bugs of its family of VMs.
pub fn of(finding: &Finding, evidence: &str) -> Attribution {
    static INDEXES: OnceLock<HashMap<String, Index>> = OnceLock::new();
    if evidence.is_empty() {
        return Attribution::Unknown;
    }
    let indexes = INDEXES.get_or_init(|| {
        let mut families: HashMap<String, Vec<Bug>> = HashMap::new();
        for bug in catalogue() {
            let family = families.entry(bug.vm.clone()).or_default();
            family.push(bug.clone());
        }
        families
            .into_iter()
            .map(|(vm, bugs)| (vm, Index::new(&bugs)))
            .collect()
    });
    indexes
        .get(&finding.facts.implementation)
        .map_or(Attribution::Unknown, |index| index.attribute(evidence))
}

/// The attribution in one line; `None` when nothing matches.
pub fn line(attribution: &Attribution) -> Option<String> {
    match attribution {
        Attribution::Known { best } => Some(format!("{} (score {:.2})", best.id, best.score)),
        Attribution::Open { matches } => Some(format!(
            "one of {}",
            matches
                .iter()
                .map(|m| format!("{} (score {:.2})", m.id, m.score))
                .collect::<Vec<_>>()
                .join(", ")
        )),
        Attribution::Unknown => None,
    }
}
