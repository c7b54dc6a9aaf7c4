//! Race hunting in real Python VMs.
//!
//! ```text
//! scenario ──► VM ──► history ──► oracle ──► verdict ──► minimiser ──► finding ──► report
//! ```
//!
//! Every arrow is plain data: a [`scenario::Scenario`] goes to a VM as Python text
//! ([`scenario::render`]), comes back as a [`history::History`], is judged by
//! [`oracle`] into [`verdict::Verdict`]s, minimised, and kept as a
//! [`finding::Finding`].

pub mod bugs;
pub mod campaign;
pub mod choice;
pub mod finding;
pub mod fuzzing;
pub mod history;
pub mod oracle;
pub mod probe;
pub mod report;
pub mod scenario;
pub mod subject;
pub mod triage;
pub mod verdict;
pub mod vm;

use std::hash::Hasher;

/// The Python side, one portable file.
pub const HARNESS: &str = include_str!("../harness/harness.py");

/// SipHash-1-3 with fixed keys: signatures and replay names must be stable for ever.
pub fn stable_hash(text: &str) -> u64 {
    let mut hash = siphasher::sip::SipHasher13::new();
    hash.write(text.as_bytes());
    hash.finish()
}
