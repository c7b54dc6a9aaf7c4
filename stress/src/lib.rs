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
pub mod bytecode;
pub mod campaign;
pub mod choice;
pub mod controlled;
pub mod files;
pub mod finding;
pub mod fuzzing;
pub mod history;
pub mod identity;
pub mod introspect;
pub mod oracle;
pub mod probe;
pub mod program;
pub mod python;
pub mod report;
pub mod scenario;
pub mod search;
pub mod shell;
pub mod subject;
pub mod triage;
pub mod verdict;
pub mod vm;

use std::hash::Hasher;

/// The Python side, assembled to one portable file. Scripts begin with the same parts, so that an
/// outcome is the same text in both.
pub const HARNESS: &str = concat!(
    include_str!("../harness/values.py"),
    "\n\n",
    include_str!("../harness/render.py"),
    "\n\n",
    include_str!("../harness/rest.py"),
    "\n\n",
    include_str!("../harness/orders.py"),
    "\n\n",
    include_str!("../harness/in_time.py"),
    "\n\n",
    include_str!("../harness/process.py"),
    "\n\n",
    include_str!("../harness/pause.py"),
    "\n\n",
    include_str!("../harness/company.py"),
    "\n\n",
    include_str!("../harness/harness.py")
);

/// SipHash-1-3 with fixed keys: signatures and replay names must be stable for ever.
pub fn stable_hash(text: &str) -> u64 {
    let mut hash = siphasher::sip::SipHasher13::new();
    hash.write(text.as_bytes());
    hash.finish()
}
