//! Reports that are not told: suppressed by an exact top frame, or known to be false.
//!
//! A suppression by a pattern anywhere in a stack hides races that nobody has seen (CPython went
//! from `race:` to `race_top:` for that reason, and then emptied its list), so here it must name
//! the innermost function of a side, exactly. Even then the function may race with others than
//! those it was excused for: each suppression lists the functions it was `seen_with`, and what it
//! hides beyond them is told. The sanitizer's own suppressions are not used, for they hide in silence.

use super::Report;
use crate::bugs::{Bug, Nature};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The list that comes with the program.
const SHIPPED: &str = include_str!("../suppressions.toml");

/// One suppression.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suppression {
    /// Innermost function of one side, exactly.
    pub top: String,
    /// Its file, where the name alone would not do.
    #[serde(default)]
    pub file: Option<String>,
    /// Kind of report, in the tool's words.
    #[serde(default = "race")]
    pub what: String,
    /// Implementation of the VM; any when absent.
    #[serde(default)]
    pub vm: Option<String>,
    /// Why it is no fault.
    pub reason: String,
    /// Where that can be read.
    pub source: String,
    /// Innermost functions of the other sides that it was reviewed with.
    #[serde(default)]
    pub seen_with: Vec<String>,
    /// Whether it came with the program.
    #[serde(skip)]
    pub shipped: bool,
}

fn race() -> String {
    "data race".to_owned()
}

/// A list of suppressions cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use suppressions {path}: {reason}")]
pub struct SuppressError {
    /// The file.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    suppression: Vec<Suppression>,
}

fn list(path: &str, text: &str) -> Result<Vec<Suppression>, SuppressError> {
    let fail = |reason: String| SuppressError {
        path: path.to_owned(),
        reason,
    };
    let file: File = toml::from_str(text).map_err(|e| fail(e.to_string()))?;
    for s in &file.suppression {
        let pattern = s.top.is_empty() || s.top.contains(['*', '^', '$']) || s.top.contains(' ');
        if pattern {
            return Err(fail(format!(
                "'{}' is no function's exact name; patterns would hide what nobody has seen",
                s.top
            )));
        }
        if s.reason.trim().is_empty() || s.source.trim().is_empty() {
            return Err(fail(format!(
                "the suppression of {} needs a reason and a source",
                s.top
            )));
        }
    }
    Ok(file.suppression)
}

/// The shipped list.
///
/// # Panics
/// When the shipped file is malformed; a test reads it.
pub fn shipped() -> Vec<Suppression> {
    let mut list = list("suppressions.toml", SHIPPED).unwrap_or_else(|e| panic!("{e}"));
    list.iter_mut().for_each(|s| s.shipped = true);
    list
}

/// Reads a user's list.
///
/// # Errors
/// When the file cannot be read, is malformed, or holds a pattern or a suppression without reason.
pub fn read(path: &Path) -> Result<Vec<Suppression>, SuppressError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| SuppressError {
        path: name.clone(),
        reason: e.to_string(),
    })?;
    list(&name, &text)
}

/// What becomes of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is told.
    Told,
    /// A suppression of this top frame hides it; `new`: the other side, when not seen with it before.
    Suppressed {
        /// The suppression's function.
        top: String,
        /// The other side's function.
        new: Option<String>,
    },
    /// Known to be false: this entry of the catalogue.
    False(String),
}

/// What was hidden in a hunt, by suppression or by the catalogue's false alarm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Hidden {
    /// Reports hidden.
    pub reports: u64,
    /// Sides that a suppression hid and was never reviewed with.
    #[serde(default)]
    pub new: BTreeSet<String>,
}

/// Decides what is told.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    suppressions: Vec<Suppression>,
    /// Entries whose reports are false: id, and functions that are all its sides' innermost.
    false_alarms: Vec<(String, Vec<String>)>,
}

impl Filter {
    /// Of suppressions and the catalogue, as far as they are about this implementation.
    pub fn new(suppressions: Vec<Suppression>, bugs: &[Bug], implementation: &str) -> Self {
        let mine = |vm: &Option<String>| vm.as_ref().is_none_or(|v| v == implementation);
        let false_alarms = bugs
            .iter()
            .filter(|b| b.nature == Nature::False && b.vm == implementation)
            .filter(|b| !b.signature.race.is_empty())
            .map(|b| (b.id(), b.signature.race.clone()))
            .collect();
        Self {
            suppressions: suppressions.into_iter().filter(|s| mine(&s.vm)).collect(),
            false_alarms,
        }
    }

    /// What becomes of a report.
    pub fn fate(&self, report: &Report) -> Fate {
        let sides = report.sides();
        let tops: Vec<_> = sides.iter().filter_map(|s| s.top()).collect();
        let known_false = self.false_alarms.iter().find(|(_, functions)| {
            report.is_race()
                && tops.len() == 2
                && tops.iter().all(|t| functions.contains(&t.function))
        });
        if let Some((id, _)) = known_false {
            return Fate::False(id.clone());
        }
        for s in self.suppressions.iter().filter(|s| s.what == report.what) {
            let is = |t: &&super::Frame| {
                t.function == s.top && s.file.as_ref().is_none_or(|f| *f == t.file)
            };
            let Some(at) = tops.iter().position(is) else {
                continue;
            };
            let other = tops
                .iter()
                .enumerate()
                .find(|(i, _)| *i != at)
                .map_or("?", |(_, t)| t.function.as_str());
            let new = !s.seen_with.iter().any(|w| w == other);
            return Fate::Suppressed {
                top: s.top.clone(),
                new: new.then(|| other.to_owned()),
            };
        }
        Fate::Told
    }

    /// Lines to warn with at the end of a hunt: suppressions that hid something new, and, once
    /// any report was seen, those that hid nothing (the shipped ones in one line).
    pub fn warnings(&self, hidden: &BTreeMap<String, Hidden>, reports: u64) -> Vec<String> {
        let mut lines = Vec::new();
        let mut idle = Vec::new();
        for s in &self.suppressions {
            match hidden.get(&s.top) {
                Some(h) => lines.extend(h.new.iter().map(|other| {
                    format!(
                        "the suppression of {} hid a {} with {other}, which it was not seen with before; review it, then add \"{other}\" to its seen_with ({})",
                        s.top, s.what, s.source
                    )
                })),
                None if reports == 0 => {}
                None if s.shipped => idle.push(s.top.as_str()),
                None => lines.push(format!("the suppression of {} hid nothing in this hunt: it may be stale", s.top)),
            }
        }
        if !idle.is_empty() {
            lines.push(format!(
                "shipped suppressions that hid nothing in this hunt: {}",
                idle.join(", ")
            ));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn race(a: &str, b: &str) -> Report {
        let text = format!(
            "WARNING: ThreadSanitizer: data race (pid=1)\n  Write of size 8 at 0x7b0400000000 by thread T2:\n    \
             #0 {a} Objects/x.c:1:2 (py+0x1)\n    #1 caller Objects/x.c:9:2 (py+0x1)\n\n  Previous read of size 8 at 0x7b0400000000 by main thread:\n    \
             #0 {b} Objects/y.c:1:2 (py+0x1)\n\nSUMMARY: ThreadSanitizer: data race x.c:1:2 in {a}\n"
        );
        super::super::parse(&text).remove(0)
    }

    fn user() -> Vec<Suppression> {
        list(
            "t",
            "[[suppression]]\ntop = 'tag'\nreason = 'r'\nsource = 's'\nseen_with = ['look']\n",
        )
        .unwrap()
    }

    #[test]
    fn only_the_exact_top_frame_suppresses() {
        let filter = Filter::new(user(), &[], "cpython");
        let hidden = |a, b| filter.fate(&race(a, b));
        assert_eq!(
            hidden("tag", "look"),
            Fate::Suppressed {
                top: "tag".into(),
                new: None
            }
        );
        assert_eq!(
            hidden("look", "tag"),
            Fate::Suppressed {
                top: "tag".into(),
                new: None
            }
        );
        assert_eq!(hidden("tag_of", "look"), Fate::Told);
        let deeper = Filter::new(
            list(
                "t",
                "[[suppression]]\ntop = 'caller'\nreason = 'r'\nsource = 's'",
            )
            .unwrap(),
            &[],
            "cpython",
        );
        assert_eq!(
            deeper.fate(&race("tag", "look")),
            Fate::Told,
            "not the top frame"
        );
    }

    #[test]
    fn what_is_new_or_stale_is_told() {
        let filter = Filter::new(user(), &[], "cpython");
        let Fate::Suppressed { new, .. } = filter.fate(&race("tag", "write")) else {
            panic!("told")
        };
        let hidden = BTreeMap::from([(
            "tag".to_owned(),
            Hidden {
                reports: 1,
                new: new.into_iter().collect(),
            },
        )]);
        let lines = filter.warnings(&hidden, 1);
        assert!(
            lines.len() == 1 && lines[0].contains("hid a data race with write"),
            "{lines:?}"
        );
        let lines = filter.warnings(&BTreeMap::new(), 1);
        assert!(lines[0].contains("may be stale"), "{lines:?}");
        assert!(
            filter.warnings(&BTreeMap::new(), 0).is_empty(),
            "without a report nothing is stale"
        );
    }

    #[test]
    fn patterns_and_suppressions_without_reason_are_refused() {
        for text in [
            "top = 'list_*'\nreason = 'r'\nsource = 's'",
            "top = 'x'\nreason = ' '\nsource = 's'",
        ] {
            assert!(list("t", &format!("[[suppression]]\n{text}")).is_err());
        }
        assert!(shipped().iter().all(|s| s.shipped));
    }

    #[test]
    fn reports_that_the_catalogue_calls_false_are_not_told() {
        let mut bug = crate::bugs::shipped().remove(0);
        bug.nature = Nature::False;
        bug.vm = "cpython".into();
        bug.signature.race = vec!["tag".into(), "look".into()];
        let filter = Filter::new(Vec::new(), std::slice::from_ref(&bug), "cpython");
        assert_eq!(filter.fate(&race("look", "tag")), Fate::False(bug.id()));
        assert_eq!(
            filter.fate(&race("tag", "write")),
            Fate::Told,
            "one side alone is another race"
        );
        bug.nature = Nature::Bug;
        assert_eq!(
            Filter::new(Vec::new(), &[bug], "cpython").fate(&race("look", "tag")),
            Fate::Told
        );
    }
}
