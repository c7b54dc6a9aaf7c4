//! The search that learns: which scenario is worth running next, by what earlier ones showed.
//!
//! ```text
//! arms (bandit) ──► fresh scenario, or mutant of the corpus ──► hunt ──► novelty ──► corpus, arms
//! ```
//!
//! One corpus and one mutator serve the hunt and the fuzz targets. Everything here is a pure function of
//! scenarios, choices and what was seen; that a hunt's schedule depends on time comes from what it measures.

pub mod arm;
pub mod bandit;
pub mod corpus;
pub mod mutate;
pub mod novelty;
pub mod two;
