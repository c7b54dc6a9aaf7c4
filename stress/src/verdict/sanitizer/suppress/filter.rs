//! What becomes of a report: told, suppressed, or known to be false.

use super::Suppression;
use crate::verdict::sanitizer::{Frame, Report};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

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
    false_alarms: Vec<FalseAlarm>,
}

/// Reports that are known to be false.
#[derive(Clone, Debug)]
pub struct FalseAlarm {
    /// The bug report that says so.
    pub id: String,
    /// Unordered pairs of both sides' innermost functions.
    pub pairs: Vec<[String; 2]>,
}

impl Filter {
    /// Of suppressions, as far as they are about this implementation, and its false alarms.
    pub fn new(
        suppressions: Vec<Suppression>,
        false_alarms: Vec<FalseAlarm>,
        implementation: &str,
    ) -> Self {
        let mine = |vm: &Option<String>| vm.as_ref().is_none_or(|v| v == implementation);
        Self {
            suppressions: suppressions.into_iter().filter(|s| mine(&s.vm)).collect(),
            false_alarms,
        }
    }

    /// What becomes of a report.
    pub fn fate(&self, report: &Report) -> Fate {
        let sides = report.sides();
        let tops: Vec<_> = sides.iter().filter_map(|s| s.top()).collect();
        let known_false = self.false_alarms.iter().find(|alarm| {
            let [one, two] = tops.as_slice() else {
                return false;
            };
            let is = |a: &str, b: &str| one.function == a && two.function == b;
            report.is_race() && alarm.pairs.iter().any(|[a, b]| is(a, b) || is(b, a))
        });
        if let Some(alarm) = known_false {
            return Fate::False(alarm.id.clone());
        }
        for s in self.suppressions.iter().filter(|s| s.what == report.what) {
            let is =
                |t: &&Frame| t.function == s.top && s.file.as_ref().is_none_or(|f| *f == t.file);
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
    use crate::verdict::sanitizer::parse;
    use crate::verdict::sanitizer::suppress::list;

    fn race(a: &str, b: &str) -> Report {
        let text = format!(
            "WARNING: ThreadSanitizer: data race (pid=1)\n  Write of size 8 at 0x7b0400000000 by thread T2:\n    \
             #0 {a} Objects/x.c:1:2 (py+0x1)\n    #1 caller Objects/x.c:9:2 (py+0x1)\n\n  Previous read of size 8 at 0x7b0400000000 by main thread:\n    \
             #0 {b} Objects/y.c:1:2 (py+0x1)\n\nSUMMARY: ThreadSanitizer: data race x.c:1:2 in {a}\n"
        );
        parse(&text).remove(0)
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
        let filter = Filter::new(user(), Vec::new(), "cpython");
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
            Vec::new(),
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
        let filter = Filter::new(user(), Vec::new(), "cpython");
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
    fn reports_that_the_catalogue_calls_false_are_not_told() {
        let alarm = FalseAlarm {
            id: "x#1".into(),
            pairs: vec![["tag".into(), "look".into()]],
        };
        let filter = Filter::new(Vec::new(), vec![alarm], "cpython");
        assert_eq!(filter.fate(&race("look", "tag")), Fate::False("x#1".into()));
        assert_eq!(
            filter.fate(&race("tag", "write")),
            Fate::Told,
            "one side alone is another race"
        );
    }
}
