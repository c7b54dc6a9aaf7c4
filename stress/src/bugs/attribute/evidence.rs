//! What raw output says: functions of native stacks and of races, places of panics, fatal words.

use crate::bugs::Failure;
use crate::bugs::signature::{Shown, pair, panicking};
use crate::verdict::noise::{class, without_suffix};
use crate::verdict::sanitizer::{Report, parse};
use crate::verdict::{innermost, stack};
use std::collections::BTreeMap;

/// Terms of raw output with their weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    terms: BTreeMap<String, f64>,
    shown: Shown,
    /// It is one data race.
    race: bool,
}

impl Evidence {
    /// Reads raw output: stdout, stderr, a debugger's text, in any order.
    pub fn read(raw: &str) -> Self {
        let mut evidence = Self::default();
        let mut add = |term, weight| evidence.add(term, weight);
        for (i, stack) in stacks(raw).into_iter().enumerate() {
            // A debugger prints the crashing thread first; deeper frames tell less.
            let thread = if i == 0 { 1.5 } else { 1.0 };
            for (depth, frame) in stack.into_iter().take(14).enumerate() {
                add(frame, thread * 0.93_f64.powi(depth as i32));
            }
        }
        let reports = parse(raw);
        for report in reports.iter().filter(|r| r.is_race()) {
            for frames in sides(report) {
                for (frame, weight) in sided(frames) {
                    add(frame, weight);
                }
            }
        }
        if let Some(panic) = stack::panic(raw) {
            let (place, message) = panic.split_once(": ").unwrap_or((&panic, ""));
            // Lines move from release to release, files seldom do.
            let file = place.rsplit_once(':').map_or(place, |(f, _)| f);
            let file = file.split_once("/src/").map_or(file, |(_, f)| f);
            add(format!("panic in {file}"), 2.0);
            add(format!("message {}", digits_masked(message)), 1.5);
        }
        if let Some(fatal) = stack::fatal(raw) {
            add(digits_masked(&fatal), 1.5);
        }
        evidence.shown = shown(raw, &reports);
        evidence
    }

    /// What of it a signature can tell.
    pub fn shown(&self) -> &Shown {
        &self.shown
    }

    /// Adds a term; of several weights the greatest counts.
    fn add(&mut self, term: String, weight: f64) {
        let old = self.terms.entry(term).or_insert(0.0);
        *old = old.max(weight);
    }

    /// Both sides of one data race.
    pub fn of_race(race: &Report) -> Self {
        let mut evidence = Self {
            race: true,
            ..Self::default()
        };
        evidence.shown.races.extend(pair(race));
        for frames in sides(race) {
            for (frame, weight) in sided(frames) {
                evidence.add(frame, weight);
            }
        }
        evidence
    }

    /// Whether it is one data race: the place of its accesses is the fault itself.
    pub(super) fn is_race(&self) -> bool {
        self.race
    }

    /// How much it holds of a term, where it does.
    pub(super) fn weight(&self, term: &str) -> Option<f64> {
        self.terms.get(term).copied()
    }

    /// Its terms with their weights.
    pub(super) fn weights(&self) -> impl Iterator<Item = (&str, f64)> {
        self.terms
            .iter()
            .map(|(term, weight)| (term.as_str(), *weight))
    }

    /// Whether it has nothing that could be a bug's.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The terms, for a signature.
    pub fn terms(&self) -> impl Iterator<Item = &str> {
        self.terms.keys().map(String::as_str)
    }
}

pub(crate) fn digits_masked(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match (c.is_ascii_digit(), out.ends_with('#')) {
            (true, true) => {}
            (true, false) => out.push('#'),
            (false, _) => out.push(c),
        }
    }
    out
}

/// Function names of every native stack in a debugger's text, the crashing thread's first.
pub(crate) fn stacks(raw: &str) -> Vec<Vec<String>> {
    let mut stacks: Vec<String> = Vec::new();
    for line in raw.lines() {
        if line.starts_with("#0") {
            stacks.push(String::new());
        }
        if let Some(last) = stacks.last_mut().filter(|_| line.starts_with('#')) {
            last.push_str(line);
            last.push('\n');
        }
    }
    stacks.iter().map(|s| told(stack::frames(s))).collect()
}

/// Frames that tell one bug from another, without the suffixes of clones.
pub(crate) fn told(frames: Vec<String>) -> Vec<String> {
    let names = frames.iter().map(|f| without_suffix(f));
    let telling = names.filter(|f| class(f).is_none());
    telling.map(str::to_owned).collect()
}

/// What of raw output a signature can tell.
fn shown(raw: &str, reports: &[Report]) -> Shown {
    let panic = stack::panic(raw);
    let fatal = stack::fatal(raw);
    let died = raw.contains(" signal SIG");
    let (failure, stacks) = match (&panic, &fatal) {
        (Some(_), _) => (Some(Failure::Panic), panicking(raw)),
        (_, Some(_)) => (Some(Failure::Fatal), innermost(raw, true)),
        _ if died => (Some(Failure::Crash), innermost(raw, true)),
        // A debugger that was attached to a process that stands still names no signal.
        _ if raw.contains("\n#0 ") => (Some(Failure::Hang), innermost(raw, false)),
        _ => (None, Vec::new()),
    };
    Shown {
        failure,
        stacks,
        races: reports.iter().filter_map(pair).collect(),
        words: panic.or(fatal).unwrap_or_default(),
    }
}

/// Functions of both sides of a data race, innermost first, without those that make the access for them.
fn sides(report: &Report) -> impl Iterator<Item = Vec<String>> {
    report.sides().into_iter().take(2).map(|side| {
        let frames = side.frames.iter().filter(|f| !f.is_helper());
        frames.map(|f| f.function.clone()).collect()
    })
}

/// One side of a data race: what is further from the access tells less.
fn sided(frames: Vec<String>) -> impl Iterator<Item = (String, f64)> {
    let near = frames.into_iter().take(6).enumerate();
    near.map(|(depth, frame)| (frame, 0.85_f64.powi(depth as i32)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_of_all_threads_without_what_every_stack_has() {
        let text = "Thread 3 received signal SIGSEGV\n#0  0x01 in dict_dealloc.lto_priv.0 (op=1) at x.c:1\n#1  0x2 in _PyEval_EvalFrameDefault ()\n\
                    Thread 2 (LWP 2):\n#0  dictiter_iternextkey (self=2) at y.c:2\n";
        assert_eq!(
            stacks(text),
            [vec!["dict_dealloc"], vec!["dictiter_iternextkey"]]
        );
    }
}
