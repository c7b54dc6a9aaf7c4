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

impl MemoryOrder {
    /// The order of a load.
    ///
    /// # Panics
    /// As `std` does, when the order releases.
    #[track_caller]
    pub fn of_load(order: Ordering) -> Self {
        match order {
            Ordering::Release => panic!("there is no such thing as a release load"),
            Ordering::AcqRel => panic!("there is no such thing as an acquire-release load"),
            order => order.into(),
        }
    }

    /// The order of a store.
    ///
    /// # Panics
    /// As `std` does, when the order acquires.
    #[track_caller]
    pub fn of_store(order: Ordering) -> Self {
        match order {
            Ordering::Acquire => panic!("there is no such thing as an acquire store"),
            Ordering::AcqRel => panic!("there is no such thing as an acquire-release store"),
            order => order.into(),
        }
    }

    /// The order of a compare-exchange that fails.
    ///
    /// # Panics
    /// As `std` does, when the order releases.
    #[track_caller]
    pub fn of_failure(order: Ordering) -> Self {
        match order {
            Ordering::Release => panic!("there is no such thing as a release failure ordering"),
            Ordering::AcqRel => {
                panic!("there is no such thing as an acquire-release failure ordering")
            }
            order => order.into(),
        }
    }

    /// The order of a fence.
    ///
    /// # Panics
    /// As `std` does, when the order is relaxed.
    #[track_caller]
    pub fn of_fence(order: Ordering) -> Self {
        match order {
            Ordering::Relaxed => panic!("there is no such thing as a relaxed fence"),
            order => order.into(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;
    use std::sync::atomic::{AtomicU32, fence};

    const ALL: [Ordering; 5] = [
        Ordering::Relaxed,
        Ordering::Acquire,
        Ordering::Release,
        Ordering::AcqRel,
        Ordering::SeqCst,
    ];

    /// What a call panics with.
    fn refusal<T>(call: impl FnOnce() -> T + std::panic::UnwindSafe) -> Option<String> {
        let payload = catch_unwind(|| _ = call()).err()?;
        let text = payload.downcast_ref::<&str>().map(ToString::to_string);
        text.or_else(|| payload.downcast_ref::<String>().cloned())
    }

    #[test]
    fn orders_are_refused_as_std_refuses_them() {
        for order in ALL {
            let word = || AtomicU32::new(0);
            assert_eq!(
                refusal(|| MemoryOrder::of_load(order)),
                refusal(|| word().load(order))
            );
            assert_eq!(
                refusal(|| MemoryOrder::of_store(order)),
                refusal(|| word().store(1, order))
            );
            assert_eq!(
                refusal(|| MemoryOrder::of_failure(order)),
                refusal(|| word().compare_exchange(0, 1, Ordering::SeqCst, order))
            );
            assert_eq!(
                refusal(|| MemoryOrder::of_fence(order)),
                refusal(|| fence(order))
            );
        }
    }
}
