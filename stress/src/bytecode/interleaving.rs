//! An interleaving as a few lines of Python: a column for each thread, with what was read and written.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a step does with shared state, as far as its bytecode tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// Nothing that is told.
    #[default]
    None,
    /// Reads an attribute, item or variable.
    Reads,
    /// Writes it.
    Writes,
    /// Deletes it.
    Deletes,
    /// Calls what is not Python code.
    Calls,
    /// Enters a `with` block.
    Enters,
    /// Leaves it.
    Leaves,
    /// Waits for a lock.
    Waits,
}

impl Access {
    pub(super) fn named(word: &str) -> Self {
        match word {
            "reads" => Self::Reads,
            "writes" => Self::Writes,
            "deletes" => Self::Deletes,
            "calls" => Self::Calls,
            "enters" => Self::Enters,
            "leaves" => Self::Leaves,
            "waits" => Self::Waits,
            _ => Self::None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Deletes => "deletes",
            Self::Calls => "calls",
            Self::Enters => "enters",
            Self::Leaves => "leaves",
            Self::Waits => "waits for",
        }
    }
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Thread, counted from 1.
    pub thread: usize,
    /// Depth of its Python calls.
    pub depth: usize,
    /// File of the code; `<scenario>` for the operations' own.
    pub file: String,
    /// Line in it.
    pub line: u32,
    /// That line.
    pub text: String,
    /// What it does.
    pub access: Access,
    /// The piece of source that it stands for; empty where the VM does not tell.
    pub piece: String,
    /// The value read or written, where looking at it runs no code.
    pub value: String,
    /// Number of the attribute, item or variable; the same in all steps that touch it.
    pub place: Option<u32>,
}

/// A thread that waits in a deadlock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Thread, counted from 1.
    pub thread: usize,
    /// The lock, as the source names it.
    pub piece: String,
    /// The line that waits.
    pub text: String,
    /// Its number.
    pub line: u32,
    /// Thread that holds the lock.
    pub holder: Option<usize>,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thread {} waits for `{}`", self.thread, self.piece)?;
        match self.holder {
            Some(holder) => write!(f, ", held by thread {holder}"),
            None => Ok(()),
        }
    }
}

/// What an execution does, in the order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interleaving {
    /// Its steps.
    pub steps: Vec<Step>,
    /// Who waits for whom, where it ends in a deadlock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<Wait>,
}

/// Lines that are shown whole; of a longer interleaving those that matter.
const WHOLE: usize = 14;
/// Lines that are shown at most.
const MOST: usize = 40;

/// Consecutive steps of one line.
struct Row<'a> {
    first: &'a Step,
    notes: Vec<String>,
    matters: bool,
}

impl Interleaving {
    /// Places that one thread writes and another touches.
    fn contended(&self) -> BTreeSet<u32> {
        let mut touched: BTreeMap<u32, (BTreeSet<usize>, bool)> = BTreeMap::new();
        for step in &self.steps {
            if let Some(place) = step.place {
                let (threads, written) = touched.entry(place).or_default();
                threads.insert(step.thread);
                *written |= matches!(step.access, Access::Writes | Access::Deletes);
            }
        }
        touched
            .into_iter()
            .filter(|(_, (threads, written))| *written && threads.len() > 1)
            .map(|(place, _)| place)
            .collect()
    }

    fn rows(&self) -> Vec<Row<'_>> {
        let contended = self.contended();
        let mut rows: Vec<Row<'_>> = Vec::new();
        for step in &self.steps {
            let same = rows.last().is_some_and(|r| {
                let first = r.first;
                (first.thread, first.depth, first.line, &first.file)
                    == (step.thread, step.depth, step.line, &step.file)
            });
            if !same {
                // The end of a call that was shown: back on its line with nothing to tell.
                rows.push(Row {
                    first: step,
                    notes: Vec::new(),
                    matters: false,
                });
            }
            let row = rows.last_mut().expect("one was pushed");
            let note = note(step);
            if !note.is_empty() && row.notes.last() != Some(&note) {
                row.notes.push(note);
            }
            row.matters |= step.place.is_some_and(|p| contended.contains(&p))
                || matches!(
                    step.access,
                    Access::Enters | Access::Leaves | Access::Waits | Access::Calls
                );
        }
        tidy(rows)
    }

    /// The interleaving as lines of text, a column for each thread.
    pub fn lines(&self) -> Vec<String> {
        let threads = self.steps.iter().map(|s| s.thread).max().unwrap_or(0);
        let mut rows = self.rows();
        let mut left_out = Vec::new();
        if rows.len() > WHOLE {
            for i in 0..rows.len() {
                let switch = |j: usize| {
                    rows.get(j)
                        .is_some_and(|r| r.first.thread != rows[i].first.thread)
                };
                let matters = rows[i].matters || switch(i + 1) || i > 0 && switch(i - 1) || i == 0;
                left_out.push(!matters);
            }
        }
        left_out.resize(rows.len(), false);
        let base = self.steps.iter().map(|s| s.depth).min().unwrap_or(0);
        let cell = |row: &Row<'_>| {
            let notes = if row.notes.is_empty() {
                String::new()
            } else {
                format!("  # {}", row.notes.join(", "))
            };
            let indent = "  ".repeat(row.first.depth - base);
            format!("{indent}{}{notes}", row.first.text)
        };
        let mut cells: Vec<(usize, String)> = Vec::new();
        let mut gap = false;
        for (row, out) in rows.drain(..).zip(left_out) {
            if out {
                if !gap {
                    cells.push((row.first.thread, "…".to_owned()));
                }
                gap = true;
            } else {
                gap = false;
                cells.push((row.first.thread, cell(&row)));
            }
        }
        if cells.len() > MOST {
            let more = cells.len() - MOST;
            cells.truncate(MOST);
            cells.push((1, format!("… {more} more lines")));
        }
        let widths: Vec<usize> = (1..=threads)
            .map(|t| {
                let own = cells.iter().filter(|(u, _)| *u == t);
                own.map(|(_, c)| c.chars().count()).max().unwrap_or(0) + 2
            })
            .map(|w| w.max("thread 1".len() + 2))
            .collect();
        let before = |t: usize| widths.iter().take(t - 1).sum::<usize>();
        let mut lines = Vec::new();
        if threads > 0 {
            let head: String = (1..=threads)
                .map(|t| format!("{:width$}", format!("thread {t}"), width = widths[t - 1]))
                .collect();
            lines.push(head.trim_end().to_owned());
        }
        for (thread, cell) in cells {
            lines.push(format!("{}{cell}", " ".repeat(before(thread.max(1)))));
        }
        lines.extend(self.waits.iter().map(ToString::to_string));
        lines
    }
}

/// A line that a switch cuts in two is shown where it does something.
fn tidy(rows: Vec<Row<'_>>) -> Vec<Row<'_>> {
    let mut kept: Vec<Row<'_>> = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        let mut later = rows[i + 1..]
            .iter()
            .filter(|r| r.first.thread == row.first.thread);
        let again = later.next().is_some_and(|r| {
            (r.first.line, &r.first.file, r.first.depth)
                == (row.first.line, &row.first.file, row.first.depth)
        });
        // Back from a call with nothing to tell: its line was shown before.
        let back = kept
            .iter()
            .rev()
            .find(|r| r.first.thread == row.first.thread)
            .is_some_and(|r| r.first.depth > row.first.depth)
            && kept.iter().any(|r| {
                (r.first.thread, r.first.line, &r.first.file)
                    == (row.first.thread, row.first.line, &row.first.file)
            });
        if row.notes.is_empty() && (again || back) {
            continue;
        }
        kept.push(Row {
            first: row.first,
            notes: row.notes.clone(),
            matters: row.matters,
        });
    }
    kept
}

fn note(step: &Step) -> String {
    let word = step.access.word();
    match step.access {
        Access::None => String::new(),
        // The line says it already.
        Access::Calls if step.text.contains(&step.piece) && step.text.matches('(').count() <= 1 => {
            String::new()
        }
        _ if step.piece.is_empty() && step.value.is_empty() => word.to_owned(),
        _ if step.value.is_empty() => format!("{word} {}", step.piece),
        _ => format!("{word} {}: {}", step.piece, step.value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn step(
        thread: usize,
        depth: usize,
        line: u32,
        text: &str,
        access: Access,
        value: &str,
    ) -> Step {
        Step {
            thread,
            depth,
            file: "<scenario>".into(),
            line,
            text: text.into(),
            access,
            piece: "self.n".into(),
            value: value.into(),
            place: Some(1),
        }
    }

    #[test]
    fn a_lost_update_in_columns() {
        let (call, read, write) = ("return o.add(1)", "x = self.n", "self.n = x + 1");
        let none = |t, d, l, text: &str| Step {
            place: None,
            ..step(t, d, l, text, Access::None, "")
        };
        let interleaving = Interleaving {
            steps: vec![
                none(1, 1, 9, call),
                step(1, 2, 4, read, Access::Reads, "0"),
                none(1, 2, 5, write),
                none(2, 1, 11, call),
                step(2, 2, 4, read, Access::Reads, "0"),
                none(2, 2, 5, write),
                step(2, 2, 5, write, Access::Writes, "1"),
                step(1, 2, 5, write, Access::Writes, "1"),
            ],
            waits: Vec::new(),
        };
        assert_eq!(
            interleaving.lines(),
            [
                "thread 1                              thread 2",
                "return o.add(1)",
                "  x = self.n  # reads self.n: 0",
                "                                      return o.add(1)",
                "                                        x = self.n  # reads self.n: 0",
                "                                        self.n = x + 1  # writes self.n: 1",
                "  self.n = x + 1  # writes self.n: 1",
            ]
        );
    }

    proptest! {
        /// Whatever the steps, every write to a contended place is told, as long as there is room.
        #[test]
        fn writes_are_told(threads in prop::collection::vec((1usize..4, 1usize..4, 1u32..30, any::<bool>()), 1..25)) {
            let steps: Vec<Step> = threads
                .iter()
                .enumerate()
                .map(|(i, &(t, d, l, w))| {
                    step(t, d, l, &format!("line {l}"), if w { Access::Writes } else { Access::Reads }, &i.to_string())
                })
                .collect();
            let lines = Interleaving { steps, waits: Vec::new() }.lines().join("\n");
            for (i, (.., w)) in threads.iter().enumerate() {
                if *w {
                    prop_assert!(lines.contains(&format!("self.n: {i}")), "{i}:\n{lines}");
                }
            }
        }
    }
}
