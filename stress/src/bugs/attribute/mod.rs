//! Raw output of a VM to the known bug that it shows.
//!
//! A bug is *known* in raw output when the output matches its signature, as a run of its program must,
//! and no other bug's that can be told from it. All else is a hint: bugs that the output is like are
//! named as open, and nothing is called known for being similar.
//!
//! What the output is like is asked of its terms: function names of native stacks (every thread's: the
//! threads that race against the crashing one are still in their operation), functions of sanitizer
//! reports, panic places and the words of fatal errors. Raw output and signatures are compared as
//! vectors weighted by how few bugs share a term (TF-IDF and cosine: Campbell, Santos and Hindle, The
//! Unreasonable Effectiveness of Traditional Information Retrieval in Crash Report Deduplication, MSR
//! 2016).

mod evidence;

pub use self::evidence::Evidence;
pub(crate) use self::evidence::{digits_masked, stacks, told};

use super::{Bug, Nature, signature};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A likeness below this says nothing.
const WEAK: f64 = 0.22;

/// A bug and how well it matches.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Match {
    /// The bug.
    pub id: String,
    /// 1 where the signature matched, else the cosine, 0 to 1.
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
    likes: Vec<Like>,
    bugs: Vec<Bug>,
}

/// The terms of a bug.
#[derive(Debug)]
struct Like {
    id: String,
    terms: BTreeSet<String>,
}

impl Index {
    /// Of a catalogue. Reports that turned out false and faults of other libraries are left out:
    /// nothing may be attributed to the former.
    pub fn new(bugs: &[Bug]) -> Self {
        let bugs: Vec<Bug> = bugs
            .iter()
            .filter(|b| b.nature != Nature::False)
            .cloned()
            .collect();
        let likes: Vec<Like> = bugs
            .iter()
            .map(|b| Like {
                id: b.id(),
                terms: b.signature.functions().map(str::to_owned).collect(),
            })
            .filter(|like| !like.terms.is_empty())
            .collect();
        let mut count: BTreeMap<String, f64> = BTreeMap::new();
        for like in &likes {
            for term in &like.terms {
                *count.entry(term.clone()).or_default() += 1.0;
            }
        }
        let all = likes.len() as f64;
        let rare = count
            .into_iter()
            .map(|(t, n)| (t, (1.0 + all / n).ln()))
            .collect();
        Self { rare, likes, bugs }
    }

    /// The bugs whose signature the evidence matches.
    fn matched(&self, evidence: &Evidence) -> Vec<&Bug> {
        self.bugs
            .iter()
            .filter(|bug| signature::matched(bug, evidence.shown()).is_some())
            .collect()
    }

    /// All bugs that the evidence matches or shares a term with, best first.
    pub fn rank(&self, evidence: &Evidence) -> Vec<Match> {
        // A term that no bug has is as rare as one that a single bug has.
        let unknown = (1.0 + self.likes.len() as f64).ln();
        let rarity = |t: &str| self.rare.get(t).copied().unwrap_or(unknown);
        let norm: f64 = evidence
            .weights()
            .map(|(t, w)| (w * rarity(t)).powi(2))
            .sum::<f64>()
            .sqrt();
        let certain: BTreeSet<String> = self.matched(evidence).iter().map(|b| b.id()).collect();
        let like = |Like { id, terms }: &Like| {
            let dot: f64 = terms
                .iter()
                .filter_map(|t| Some(evidence.weight(t)? * rarity(t).powi(2)))
                .sum();
            let own: f64 = terms.iter().map(|t| rarity(t).powi(2)).sum::<f64>().sqrt();
            (dot > 0.0 && !certain.contains(id)).then(|| Match {
                id: id.clone(),
                score: dot / (norm * own),
            })
        };
        let mut matches: Vec<Match> = self.likes.iter().filter_map(like).collect();
        matches.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
        let certain = certain.iter().map(|id| Match {
            id: id.clone(),
            score: 1.0,
        });
        certain.chain(matches).collect()
    }

    /// What raw output shows.
    pub fn attribute(&self, raw: &str) -> Attribution {
        self.decide(&Evidence::read(raw))
    }

    /// What this evidence shows.
    pub fn decide(&self, evidence: &Evidence) -> Attribution {
        let matched = self.matched(evidence);
        let told = |a: &Bug, b: &Bug| !a.same.contains(&b.id()) && !b.same.contains(&a.id());
        let several = matched
            .iter()
            .enumerate()
            .any(|(i, a)| matched[..i].iter().any(|b| told(a, b)));
        let ranked = self.rank(evidence);
        match ranked.first() {
            Some(best) if !matched.is_empty() && !several => {
                Attribution::Known { best: best.clone() }
            }
            // A data race is at its accesses: what only has the callers in common is another one.
            Some(best) if several || best.score >= WEAK && !evidence.is_race() => {
                Attribution::Open {
                    matches: ranked.iter().take(3).cloned().collect(),
                }
            }
            _ => Attribution::Unknown,
        }
    }
}
