//! Memory orders.

use std::sync::atomic::Ordering;

/// How an access is ordered: C11's orders, and plain memory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MemoryOrder {
    /// Not atomic: a conflicting access without happens-before is a data race.
    Plain,
    /// `memory_order_relaxed`.
    Relaxed,
    /// `memory_order_acquire`; on a write, relaxed.
    Acquire,
    /// `memory_order_release`; on a read, relaxed.
    Release,
    /// `memory_order_acq_rel`.
    AcqRel,
    /// `memory_order_seq_cst`.
    SeqCst,
}

impl MemoryOrder {
    /// Whether a read or fence of this order acquires.
    pub const fn acquires(self) -> bool {
        matches!(self, Self::Acquire | Self::AcqRel | Self::SeqCst)
    }

    /// Whether a write or fence of this order releases.
    pub const fn releases(self) -> bool {
        matches!(self, Self::Release | Self::AcqRel | Self::SeqCst)
    }

    /// Whether the order is `seq_cst`.
    pub const fn is_seq_cst(self) -> bool {
        matches!(self, Self::SeqCst)
    }

    /// The usual short name: `na`, `rlx`, `acq`, `rel`, `acq-rel`, `sc`.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Plain => "na",
            Self::Relaxed => "rlx",
            Self::Acquire => "acq",
            Self::Release => "rel",
            Self::AcqRel => "acq-rel",
            Self::SeqCst => "sc",
        }
    }
}

impl From<Ordering> for MemoryOrder {
    fn from(order: Ordering) -> Self {
        match order {
            Ordering::Relaxed => Self::Relaxed,
            Ordering::Acquire => Self::Acquire,
            Ordering::Release => Self::Release,
            Ordering::AcqRel => Self::AcqRel,
            _ => Self::SeqCst,
        }
    }
}
