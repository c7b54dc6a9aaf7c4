//! Why a hunt of a campaign failed, in a file of its folder.

use serde::{Deserialize, Serialize};
use std::path::Path;

/// The file.
pub const FAILED: &str = "failed.json";

/// Why a hunt failed; what it found all the same is in its folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its last words.
    pub why: String,
}

impl Failed {
    /// Why the hunt of this folder failed; `None`: it did not.
    pub fn read(out: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(out.join(FAILED)).ok()?;
        Some(serde_json::from_str(&text).unwrap_or(Self {
            code: None,
            why: text,
        }))
    }
}
