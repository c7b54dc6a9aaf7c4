//! Raw output of a VM to the known bug that it shows.
//!
//! Terms are function names of native stacks (every thread's: the threads that race against the
//! crashing one are still in their operation), functions of sanitizer reports, panic places and
//! the words of fatal errors. Raw output and signatures are compared as vectors weighted by how
//! few bugs share a term (TF-IDF and cosine, which Campbell, Santos and Hindle found to beat
//! signature rules: The Unreasonable Effectiveness of Traditional Information Retrieval in Crash
//! Report Deduplication, MSR 2016). A best match that is not clearly better than the next is
//! said to be open between the two: two bugs are never merged by a coin toss.

mod evidence;

pub use self::evidence::{Evidence, races};
pub(crate) use self::evidence::{digits_masked, stacks, told};

use super::{Bug, Nature};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A match below this says nothing.
const WEAK: f64 = 0.22;

/// A crash must match this well to be called the bug's: broken memory ends a process in many places,
/// also in one where another bug does. Of the catalogue's recorded crashes none is called another's.
const SURE: f64 = 0.5;

/// The best match must be better than the next by this factor.
const CLEAR: f64 = 1.12;

/// A bug and how well it matches.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Match {
    /// The bug.
    pub id: String,
    /// Cosine, 0 to 1.
    pub score: f64,
}

/// What raw output is attributed to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Attribution {
    /// This bug.
    Known {
        /// The bug.
        best: Match,
    },
    /// One of several; best first.
    Open {
        /// The candidates.
        matches: Vec<Match>,
    },
    /// No bug of the catalogue.
    #[default]
    Unknown,
}

/// Bugs with their signatures' weights.
#[derive(Debug)]
pub struct Index {
    rare: BTreeMap<String, f64>,
    bugs: Vec<Known>,
}

/// A bug of an index.
#[derive(Debug)]
struct Known {
    id: String,
    terms: BTreeSet<String>,
    /// Functions of which one makes an access, where it is a data race.
    race: BTreeSet<String>,
    same: BTreeSet<String>,
}

impl Index {
    /// Of a catalogue. Reports that turned out false and faults of other libraries are left out:
    /// nothing may be attributed to the former.
    pub fn new(bugs: &[Bug]) -> Self {
        let bugs: Vec<_> = bugs
            .iter()
            .filter(|b| b.nature != Nature::False)
            .filter_map(|b| {
                let s = &b.signature;
                let terms: BTreeSet<String> = s.frames.iter().chain(&s.race).cloned().collect();
                (!terms.is_empty()).then(|| Known {
                    id: b.id(),
                    terms,
                    race: s.race.iter().cloned().collect(),
                    same: b.same.iter().cloned().collect(),
                })
            })
            .collect();
        let mut count: BTreeMap<String, f64> = BTreeMap::new();
        for bug in &bugs {
            for term in &bug.terms {
                *count.entry(term.clone()).or_default() += 1.0;
            }
        }
        let all = bugs.len() as f64;
        let rare = count
            .into_iter()
            .map(|(t, n)| (t, (1.0 + all / n).ln()))
            .collect();
        Self { rare, bugs }
    }

    /// All bugs that share a term with the evidence, best first.
    pub fn rank(&self, evidence: &Evidence) -> Vec<Match> {
        // A term that no bug has is as rare as one that a single bug has.
        let unknown = (1.0 + self.bugs.len() as f64).ln();
        let rarity = |t: &str| self.rare.get(t).copied().unwrap_or(unknown);
        let norm: f64 = evidence
            .weights()
            .map(|(t, w)| (w * rarity(t)).powi(2))
            .sum::<f64>()
            .sqrt();
        let mut matches: Vec<Match> = self
            .bugs
            .iter()
            .filter(|bug| evidence.races_in(&bug.race))
            .filter_map(|Known { id, terms, .. }| {
                let dot: f64 = terms
                    .iter()
                    .filter_map(|t| Some(evidence.weight(t)? * rarity(t).powi(2)))
                    .sum();
                let own: f64 = terms.iter().map(|t| rarity(t).powi(2)).sum::<f64>().sqrt();
                (dot > 0.0).then(|| Match {
                    id: id.clone(),
                    score: dot / (norm * own),
                })
            })
            .collect();
        matches.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
        matches
    }

    /// What raw output shows.
    pub fn attribute(&self, raw: &str) -> Attribution {
        self.decide(&Evidence::read(raw))
    }

    /// What this evidence shows.
    pub fn decide(&self, evidence: &Evidence) -> Attribution {
        let ranked = self.rank(evidence);
        let Some(best) = ranked.first().filter(|m| m.score >= WEAK) else {
            return Attribution::Unknown;
        };
        let same = |a: &str, b: &str| {
            self.bugs
                .iter()
                .any(|bug| bug.id == a && bug.same.contains(b))
        };
        let rival = ranked[1..]
            .iter()
            .find(|m| !same(&best.id, &m.id) && !same(&m.id, &best.id));
        let sure = best.score >= SURE || evidence.is_race();
        let clear = rival.is_none_or(|next| best.score >= next.score * CLEAR);
        if clear && sure {
            return Attribution::Known { best: best.clone() };
        }
        Attribution::Open {
            matches: ranked.iter().take(3).cloned().collect(),
        }
    }
}
