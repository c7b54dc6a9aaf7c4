//! Target `report_html`: what came from a VM or a user, in a page.

use super::example::{finding, state};
use crate::choice::{Bytes, Choices};
use crate::finding::Finding;
use crate::finding::store::Found;
use crate::report::collect::{Collected, Source};
use crate::report::pair::Counterexample;
use crate::report::{Beside, html};
use crate::verdict::sanitizer::{Frame, Role, Stack, parse};
use std::path::PathBuf;

const WORDS: [&str; 12] = [
    "<script>alert(1)</script>",
    "<",
    ">",
    "\"",
    "'",
    "&",
    "</pre>",
    "<!--",
    "-->",
    "\" onclick=\"",
    "&lt;",
    "words",
];

/// A text of some words; `harmless`: with letters for the characters that mean something in HTML.
fn text(choices: &mut Bytes<'_>, harmless: bool) -> String {
    let mut words: String = (0..choices.below(4))
        .map(|_| *choices.pick(&WORDS))
        .collect();
    if harmless {
        words = words.replace(['<', '>', '"', '\'', '&'], "x");
    }
    words
}

/// The report of a hunt with one finding, most texts of which the bytes choose.
fn page(bytes: &[u8], harmless: bool) -> String {
    let mut choices = Bytes(bytes);
    let mut hostile = |field: &mut String| field.push_str(&text(&mut choices, harmless));
    let mut finding = finding();
    texts(&mut finding, &mut hostile);
    let mut state = state();
    state.vm = finding.facts.title();
    let mut totals = state.subjects.remove("list").expect("it is there");
    for (what, why) in &mut totals.lacking {
        hostile(what);
        hostile(why);
    }
    let (mut name, mut why) = ("list".to_owned(), String::new());
    hostile(&mut name);
    hostile(&mut why);
    state.subjects.insert(name, totals.clone());
    totals.skipped = Some(why);
    state.subjects.insert("skipped".to_owned(), totals);
    let mut model = Counterexample::default();
    let mut trace = String::new();
    for field in [
        &mut model.protocol,
        &mut model.mutant,
        &mut model.fault,
        &mut model.breaks,
        &mut model.found,
        &mut model.trace,
        &mut trace,
    ] {
        hostile(field);
    }
    let beside = |_: &Found, _| Beside {
        trace: Some(trace.clone()),
        model: Some(model.clone()),
        ..Beside::default()
    };
    let source = Source {
        state: Some(state),
        found: vec![Found {
            folder: PathBuf::from(format!("findings/{}", finding.id)),
            finding,
        }],
        ..Source::default()
    };
    html(&Collected::of(vec![source]), &beside)
}

fn texts(finding: &mut Finding, hostile: &mut dyn FnMut(&mut String)) {
    hostile(&mut finding.facts.implementation);
    hostile(&mut finding.facts.version);
    for field in [
        &mut finding.id,
        &mut finding.why,
        &mut finding.detail,
        &mut finding.subject,
        &mut finding.vm,
        &mut finding.scenario.make,
        &mut finding.scenario.context.observe,
        &mut finding.scenario.context.source,
    ] {
        hostile(field);
    }
    for call in finding.scenario.threads.iter_mut().flatten() {
        hostile(&mut call.code);
        hostile(&mut call.op);
    }
    finding.frames.iter_mut().for_each(&mut *hostile);
    for (outcome, _) in finding.explained.iter_mut().chain(&mut finding.outcome) {
        hostile(outcome);
    }
    for other in &mut finding.others {
        hostile(&mut other.failure);
    }
    let mut report = parse("WARNING: ThreadSanitizer: data race (pid=1)\n").remove(0);
    let (mut head, mut frame) = (String::new(), Frame::default());
    hostile(&mut head);
    hostile(&mut frame.function);
    hostile(&mut frame.file);
    report.stacks = vec![Stack {
        role: Role::Access,
        head,
        frames: vec![frame],
    }];
    finding.report = Some(Box::new(report));
}

/// The tags of a page with the names of their attributes, and how many quotes delimit their values.
fn skeleton(page: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some(open) = rest.find('<') {
        let close = rest[open..].find('>').map_or(rest.len(), |i| open + i);
        let mut tag = String::new();
        // Every other piece is a value.
        for name in rest[open + 1..close].split('"').step_by(2) {
            tag.push_str(name);
            tag.push('"');
        }
        tags.push(tag);
        rest = &rest[close..];
    }
    tags
}

/// A page has the same tags and attributes whatever its texts hold: nothing of a VM or a user is markup.
///
/// # Panics
/// When a text changes the page.
pub fn report_html(bytes: &[u8]) {
    let (hostile, harmless) = (page(bytes, false), page(bytes, true));
    assert!(
        harmless.contains("<article"),
        "the finding is not in the page"
    );
    assert_eq!(skeleton(&hostile), skeleton(&harmless));
}
