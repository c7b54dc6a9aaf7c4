//! JUnit's XML: a suite for each hunt, a test case for each subject.
//!
//! There is no standard; this is the part that Jenkins' `xunit` schema and the common readers agree on.

use super::{Hunt, excused, printable};
use crate::shell::word;
use crate::triage::Entry;
use askama::Template;
use std::collections::BTreeMap;

#[derive(Template)]
#[template(path = "junit.xml")]
struct Page {
    tests: usize,
    failures: usize,
    skipped: usize,
    suites: Vec<Suite>,
}

struct Suite {
    name: String,
    failures: usize,
    skipped: usize,
    seconds: String,
    cases: Vec<Case>,
}

/// A subject on a VM.
struct Case {
    subject: String,
    vm: String,
    skipped: Option<String>,
    failures: Vec<Failure>,
    /// Findings marked as known or accepted: told, no failures.
    excused: Vec<String>,
}

struct Failure {
    kind: &'static str,
    line: String,
    text: String,
}

/// Hunts as JUnit's XML. A subject *fails* with each finding that nobody marked as known or accepted, is
/// *skipped* where no scenario of it ran, with the reason, and passes else.
pub fn junit(hunts: &[Hunt]) -> String {
    let suites: Vec<Suite> = hunts.iter().map(suite).collect();
    let page = Page {
        tests: suites.iter().map(|s| s.cases.len()).sum(),
        failures: suites.iter().map(|s| s.failures).sum(),
        skipped: suites.iter().map(|s| s.skipped).sum(),
        suites,
    };
    page.render().expect("writing to a string does not fail") + "\n"
}

fn suite(hunt: &Hunt) -> Suite {
    let mut cases: BTreeMap<(String, String), Case> = BTreeMap::new();
    if let Some(state) = &hunt.state {
        for (subject, totals) in &state.subjects {
            let ran = totals.scenarios > totals.unsupported;
            let unreached = || (!ran).then(|| "no scenario of it ran".to_owned());
            let skipped = totals.skipped.clone().or_else(unreached);
            let case = case(&mut cases, subject, &state.vm);
            case.skipped = skipped.as_deref().map(printable);
        }
    }
    for entry in &hunt.entries {
        let finding = &entry.finding;
        let case = case(&mut cases, &finding.subject, &finding.facts.title());
        // Found in an earlier part of the hunt, or in another that was merged.
        case.skipped = None;
        match excused(entry) {
            Some(why) => case
                .excused
                .push(printable(&format!("{} ({why})", finding.line()))),
            None => case.failures.push(failure(entry)),
        }
    }
    let cases: Vec<Case> = cases.into_values().collect();
    let state = hunt.state.as_ref();
    Suite {
        name: match state {
            Some(state) => printable(&format!("hunt in {}, seed {}", state.vm, state.seed)),
            None => "merged findings".to_owned(),
        },
        failures: cases.iter().filter(|c| !c.failures.is_empty()).count(),
        skipped: cases.iter().filter(|c| c.skipped.is_some()).count(),
        seconds: format!("{:.1}", state.map_or(0.0, |s| s.seconds)),
        cases,
    }
}

fn case<'a>(
    cases: &'a mut BTreeMap<(String, String), Case>,
    subject: &str,
    vm: &str,
) -> &'a mut Case {
    let key = (subject.to_owned(), vm.to_owned());
    cases.entry(key).or_insert_with(|| Case {
        subject: printable(subject),
        vm: printable(vm),
        skipped: None,
        failures: Vec::new(),
        excused: Vec::new(),
    })
}

fn failure(entry: &Entry) -> Failure {
    let finding = &entry.finding;
    Failure {
        kind: finding.kind.name(),
        line: printable(&finding.line()),
        text: printable(&format!(
            "{}\nthreadbare repro {}",
            finding.why,
            word(&entry.folder.display().to_string())
        )),
    }
}
