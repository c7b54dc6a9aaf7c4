//! Severity: which finding a maintainer looks at first.

use crate::finding::Finding;
use crate::verdict::Kind;
use crate::verdict::grade::Grade;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How bad a finding is. Order: worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Memory was read before it was written or after it was freed, or holds what nobody wrote:
    /// values from nowhere, objects that contradict themselves, lost references, an allocator
    /// that complains or walks in circles.
    MemoryCorruption,
    /// The process died.
    Crash,
    /// No end, or no bound of memory or output.
    Hang,
    /// An operation documented as atomic gave a result that no order explains.
    WrongResult,
    /// An exception about the VM's own state, a leak, a reported race without visible effect.
    Internal,
    /// Nothing promised was broken.
    Interesting,
}

impl Severity {
    /// All, worst first.
    pub const ALL: [Self; 6] = [
        Self::MemoryCorruption,
        Self::Crash,
        Self::Hang,
        Self::WrongResult,
        Self::Internal,
        Self::Interesting,
    ];

    /// Of a finding.
    pub fn of(finding: &Finding) -> Self {
        if finding.failure().damages_heap() {
            return Self::MemoryCorruption;
        }
        match finding.kind {
            Kind::Uninitialised | Kind::Corrupt | Kind::Refcount => Self::MemoryCorruption,
            Kind::Crash | Kind::Panic | Kind::Assertion | Kind::Fatal | Kind::ShutdownCrash => {
                Self::Crash
            }
            Kind::Hang | Kind::Deadlock | Kind::ShutdownHang | Kind::Memory | Kind::Flood => {
                Self::Hang
            }
            Kind::Outcome | Kind::Exception if finding.grade == Grade::Forbidden => {
                Self::WrongResult
            }
            Kind::Outcome | Kind::Exception => Self::Interesting,
            _ => Self::Internal,
        }
    }

    /// Stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::MemoryCorruption => "memory-corruption",
            Self::Crash => "crash",
            Self::Hang => "hang",
            Self::WrongResult => "wrong-result",
            Self::Internal => "internal",
            Self::Interesting => "interesting",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
