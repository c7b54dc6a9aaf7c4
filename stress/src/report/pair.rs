//! A protocol's mutant beside the known bugs that are the same fault in a VM: the model's
//! counterexample on the left, what the VM did on the right.

use crate::bugs::{Bug, Status};
use askama::Template;

/// How a model fails with a planted fault.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counterexample {
    /// Protocol, as `threadbare check` names it.
    pub protocol: String,
    /// Mutant, as `threadbare check` names it.
    pub mutant: String,
    /// The fault.
    pub fault: String,
    /// The property that breaks: its name and what it states.
    pub breaks: String,
    /// What went wrong, and which engine found it in which execution.
    pub found: String,
    /// The scenario and the execution, one column per thread.
    pub trace: String,
}

impl Counterexample {
    /// The command that shows it again.
    pub fn command(&self) -> String {
        format!(
            "threadbare check {} --mutant {}",
            self.protocol, self.mutant
        )
    }
}

/// A mutant and the known bugs that are the same fault.
#[derive(Clone, Debug)]
pub struct Pair<'a> {
    /// The model's side.
    pub model: Counterexample,
    /// The VMs' side; those that were reproduced first, of these the recorded crashes first.
    pub bugs: Vec<&'a Bug>,
}

/// Lines of a recorded crash that a terminal shows.
const CRASH: usize = 12;

/// Where the VMs' side of a terminal begins at the latest.
const MODEL: usize = 110;

/// The widest line of the VMs' side of a terminal.
const VMS: usize = 78;

impl<'a> Pair<'a> {
    /// Of a counterexample and those of the bugs that name its mutant.
    pub fn new(model: Counterexample, bugs: &'a [Bug]) -> Self {
        let of = |b: &&Bug| b.protocol == model.protocol && b.mutant == model.mutant;
        let mut bugs: Vec<&Bug> = bugs.iter().filter(of).collect();
        bugs.sort_by_key(|b| (!reproduced(b), b.crash.is_empty()));
        Self { model, bugs }
    }

    /// How many of the bugs hit on some VM that was measured.
    pub fn reproduced(&self) -> usize {
        self.bugs.iter().filter(|b| reproduced(b)).count()
    }

    /// Both sides for a terminal.
    pub fn text(&self) -> String {
        let model = &self.model;
        let trace: Vec<String> = model.trace.lines().map(str::to_owned).collect();
        let widest = trace.iter().map(|l| l.chars().count()).max();
        let width = widest.unwrap_or(0).clamp(40, MODEL);
        let mut left = wrapped(&format!("the model: {}", model.found), width);
        left.push(String::new());
        left.extend(trace);
        left.push(format!("again: {}", model.command()));
        let mut right = vec![
            format!(
                "the VMs: {} known bugs, {} reproduced",
                self.bugs.len(),
                self.reproduced()
            ),
            String::new(),
        ];
        for bug in &self.bugs {
            right.push(format!("{}: {}", bug.id(), bug.title));
            for m in bug.measured.iter().filter(|m| m.hits > 0) {
                right.push(format!("  {}: {}", m.vm, m.seen));
            }
            right.extend(
                bug.crash
                    .lines()
                    .take(CRASH)
                    .map(|line| format!("  {line}")),
            );
        }
        if let Some(bug) = self.bugs.first() {
            right.push(format!("again: threadbare repro '{}' --vm VM", bug.id()));
        }
        let head = format!(
            "{} with {}: {}\n  breaks {}\n\n",
            model.protocol, model.mutant, model.fault, model.breaks
        );
        head + &columns(&left, &right, width)
    }
}

fn reproduced(bug: &Bug) -> bool {
    bug.measured.iter().any(|m| m.status == Status::Reproduced)
}

/// Lines side by side; what is too wide on the left runs on alone.
fn columns(left: &[String], right: &[String], width: usize) -> String {
    let mut text = String::new();
    let empty = String::new();
    for i in 0..left.len().max(right.len()) {
        let (l, r) = (
            left.get(i).unwrap_or(&empty),
            right.get(i).unwrap_or(&empty),
        );
        let r: String = match r.char_indices().nth(VMS) {
            Some((end, _)) => format!("{}…", &r[..end]),
            None => r.clone(),
        };
        let line = format!("{l:<width$} ┃ {r}");
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Lines of at most `width` characters, broken between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("never empty");
        if !line.is_empty() && line.chars().count() + word.chars().count() >= width {
            lines.push(word.to_owned());
        } else {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
    }
    lines
}

#[derive(Template)]
#[template(path = "matrix.html")]
struct Page<'a> {
    head: &'a [&'a str],
    rows: &'a [Vec<String>],
    pairs: &'a [Pair<'a>],
}

/// The page of `threadbare matrix`: a table, and every pair below it.
pub fn html(head: &[&str], rows: &[Vec<String>], pairs: &[Pair<'_>]) -> String {
    // Rendering writes to a string; only a formatter of our own could fail, and none does.
    let page = Page { head, rows, pairs };
    page.render().expect("the page renders")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bugs;

    fn model() -> Counterexample {
        Counterexample {
            protocol: "strong-getter".into(),
            mutant: "arc-borrowed-get".into(),
            fault: "the getter <gives> a borrowed reference".into(),
            breaks: "G1: what is given is alive".into(),
            found: "use after free, loom, execution 3".into(),
            trace: "T0 │ T1\n───┼───\nx  │\n   │ y".into(),
        }
    }

    #[test]
    fn a_pair_has_the_bugs_of_its_mutant_those_seen_first() {
        let all = bugs::shipped();
        let pair = Pair::new(model(), &all);
        assert!(pair.bugs.iter().all(|b| b.mutant == "arc-borrowed-get"));
        let hits: Vec<bool> = pair.bugs.iter().map(|b| reproduced(b)).collect();
        assert!(hits.is_sorted_by(|a, b| a >= b), "{hits:?}");
        assert_eq!(pair.reproduced(), hits.iter().filter(|h| **h).count());
        assert!(
            !pair.bugs[0].crash.is_empty(),
            "a recorded crash comes first"
        );
        let text = pair.text();
        let beside: Vec<&str> = text.lines().filter(|l| l.contains(" ┃ ")).collect();
        assert!(beside[0].contains("the model") && beside[0].contains("the VMs"));
        assert!(text.contains("received signal"), "{text}");
    }

    #[test]
    fn the_page_escapes() {
        let all = bugs::shipped();
        let page = html(&["a<b"], &[vec!["<i>".into()]], &[Pair::new(model(), &all)]);
        assert!(page.contains("a&#60;b") && !page.contains("<i>") && !page.contains("<gives>"));
    }
}
