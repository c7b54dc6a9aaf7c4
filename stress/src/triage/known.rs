//! The known bug that a finding shows.

use crate::bugs::attribute::{Attribution, Evidence, Index};
use crate::bugs::{self, Bug, Failure};
use crate::finding::Finding;
use crate::triage::severity::Severity;
use crate::verdict::Kind;
use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

/// Several candidates of which none is better than this are noise: frames of the VM's own error
/// paths that a few bugs happen to have in their signatures.
const OPEN: f64 = 0.3;

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

/// What a finding with this output is attributed to, among the bugs of its family of VMs; a data race
/// by its own report alone, for the output holds those of others too.
pub fn of(finding: &Finding, output: &str) -> Attribution {
    static INDEXES: OnceLock<HashMap<(String, bool), Index>> = OnceLock::new();
    let race = finding.report.as_deref().filter(|r| r.is_race());
    let evidence = race.map_or_else(|| Evidence::read(output), Evidence::of_race);
    if evidence.is_empty() {
        return Attribution::Unknown;
    }
    let indexes = INDEXES.get_or_init(|| {
        let mut families: HashMap<(String, bool), Vec<Bug>> = HashMap::new();
        for bug in catalogue() {
            let hangs = bug.failure.contains(&Failure::Hang);
            let dies = bug.failure.iter().any(|f| *f != Failure::Hang);
            for (hang, shows) in [(true, hangs), (false, dies)] {
                let family = families.entry((bug.vm.clone(), hang)).or_default();
                family.extend(shows.then(|| bug.clone()));
            }
        }
        families
            .into_iter()
            .map(|(key, bugs)| (key, Index::new(&bugs)))
            .collect()
    });
    // A hung process was stopped somewhere in the middle: its stacks are like those of many bugs,
    // but only one that hangs can be it.
    let hang = Severity::of(finding) == Severity::Hang;
    let index = indexes.get(&(finding.facts.implementation.clone(), hang));
    match index.map(|index| index.decide(&evidence)) {
        Some(Attribution::Open { matches }) if matches[0].score < OPEN => Attribution::Unknown,
        Some(attribution) => attribution,
        None => Attribution::Unknown,
    }
}

/// The attribution in one line; `None` when nothing matches.
pub fn line(attribution: &Attribution) -> Option<String> {
    match attribution {
        Attribution::Known { best } => Some(format!("{} (score {:.2})", best.id, best.score)),
        Attribution::Open { matches } => Some(format!(
            "perhaps {}",
            matches
                .iter()
                .map(|m| format!("{} (score {:.2})", m.id, m.score))
                .collect::<Vec<_>>()
                .join(", ")
        )),
        Attribution::Unknown => None,
    }
}
