//! A failing execution as text: what was asked, then how it went.

use super::Program;
use crate::protocol::{HANGS, SKIPPED};
use crate::runtime::trace::{Action, Event};
use std::collections::BTreeMap;
use std::fmt::Write;

const WIDEST: usize = 44;

fn operation(program: &Program, thread: u8, n: u16) -> String {
    let threads = &program.shown.threads;
    match threads.get(usize::from(thread)).and_then(|ops| ops.get(usize::from(n))) {
        Some(op) => op.clone(),
        None => format!("operation {n}"),
    }
}

fn place(event: &Event) -> String {
    format!("{}:{}", unambiguous(event.place.file()), event.place.line())
}

/// As little of a path as names one file: a protocol has a file of its own name, and the files
/// in its folder have names that every protocol uses (`qsbr.rs`, `qsbr/operations.rs`).
pub fn unambiguous(path: &str) -> String {
    let path = path.replace('\\', "/");
    let inside = path.rsplit_once("src/").map_or(path.as_str(), |(_, inside)| inside);
    match inside.split('/').collect::<Vec<_>>()[..] {
        [.., family, "mod.rs"] => format!("{family}/mod.rs"),
        [_, .., protocol, file] if inside.matches('/').count() > 1 => format!("{protocol}/{file}"),
        [.., file] => file.to_owned(),
        [] => String::new(),
    }
}

fn cell(program: &Program, event: &Event) -> (String, String) {
    match event.action {
        Action::Begin(n) => (format!("▶ {}", operation(program, event.thread, n)), String::new()),
        Action::End(n, None) => {
            (format!("◀ {}", operation(program, event.thread, n)), String::new())
        }
        Action::End(n, SKIPPED) => {
            (format!("◀ {} skipped", operation(program, event.thread, n)), String::new())
        }
        Action::End(n, HANGS) => {
            (format!("◀ {} hangs", operation(program, event.thread, n)), String::new())
        }
        Action::End(n, Some(v)) => {
            (format!("◀ {} = {v}", operation(program, event.thread, n)), String::new())
        }
        other => (format!("  {other}"), place(event)),
    }
}

/// The scenario and the execution, one column per thread, time downwards.
pub(super) fn columns(program: &Program, events: &[Event]) -> String {
    let shown = &program.shown;
    let mut text = String::new();
    let _ = writeln!(text, "scenario {}: {}", program.name, shown.asks);
    let _ = writeln!(text, "  before   {}", shown.setup);
    for (n, ops) in shown.threads.iter().enumerate() {
        let _ = writeln!(text, "  T{n}       [{}]", ops.join(", "));
    }
    if !shown.finish.is_empty() {
        let _ = writeln!(text, "  after    [{}]", shown.finish.join(", "));
    }
    if events.is_empty() {
        return text;
    }
    let cells: Vec<(usize, String, String)> = events
        .iter()
        .map(|e| {
            let (what, place) = cell(program, e);
            (usize::from(e.thread), what, place)
        })
        .collect();
    // Those of the scenario, and those that they started.
    let mut widths: BTreeMap<usize, usize> = (0..program.threads).map(|n| (n, 6)).collect();
    for (thread, what, place) in &cells {
        let width = what.chars().count() + if place.is_empty() { 0 } else { place.len() + 2 };
        let w = widths.entry(*thread).or_insert(6);
        *w = (*w).max(width.min(WIDEST + 24));
    }
    let _ = writeln!(text);
    let head: Vec<String> =
        widths.iter().map(|(n, w)| format!("{:<w$}", format!("T{n}"))).collect();
    let _ = writeln!(text, "{}", head.join(" │ ").trim_end());
    let rule: Vec<String> = widths.values().map(|w| "─".repeat(*w)).collect();
    let _ = writeln!(text, "{}", rule.join("─┼─"));
    for (thread, what, place) in &cells {
        let row: Vec<String> = widths
            .iter()
            .map(|(n, w)| {
                if n != thread {
                    return " ".repeat(*w);
                }
                let gap = w.saturating_sub(what.chars().count() + place.len());
                format!("{what}{}{place}", " ".repeat(gap))
            })
            .collect();
        let _ = writeln!(text, "{}", row.join(" │ ").trim_end());
    }
    text
}

/// A text that is equal exactly for equal executions: threads, operations and values,
/// without source lines, so that an unrelated edit does not invalidate a recording.
pub(super) fn fingerprint(events: &[Event]) -> String {
    let mut text = String::new();
    for event in events {
        let _ = writeln!(text, "{} {}", event.thread, event.action);
    }
    text
}
