//! What the explorer explores: deterministic threads over shared locations.
//!
//! A [`Program`] says, for each thread, which operation comes after given answers to the
//! earlier ones. The explorer caches what it says, so a thread is asked once for each
//! sequence of answers that it ever receives, not once for each execution.

mod order;
mod update;
mod words;

pub use order::MemoryOrder;
pub use update::{Guard, Update, truncate};
pub(crate) use words::operation;

use std::fmt;
use std::sync::Arc;

/// The content of a location, truncated to its width.
pub type Value = u64;

/// A shared location, by its index in [`Program::locations`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Location(pub u32);

/// Why a thread cannot go on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Wait {
    /// An assumption failed: the execution is of no interest.
    Assume,
    /// The thread waits for a location it has read to change.
    Await,
    /// The thread waits for a mutex or another lock.
    Lock,
    /// The thread waits to be unparked or notified.
    Park,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Assume => "assumption failed",
            Self::Await => "waits for a change",
            Self::Lock => "waits for a lock",
            Self::Park => "waits to be woken",
        })
    }
}

/// The next operation of a thread. Those marked *answered* receive a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Op {
    /// Reads a location; answered with its value.
    Load {
        /// The location.
        location: Location,
        /// Acquire, relaxed, plain or seq_cst.
        order: MemoryOrder,
    },
    /// Writes a location.
    Store {
        /// The location.
        location: Location,
        /// Release, relaxed, plain or seq_cst.
        order: MemoryOrder,
        /// The value written.
        value: Value,
    },
    /// Reads and writes a location in one step; answered with the old value.
    Update {
        /// The location.
        location: Location,
        /// The order of the whole.
        order: MemoryOrder,
        /// What is done to the old value.
        update: Update,
    },
    /// As [`Self::Update`] where nobody wants the old value, which is not answered. Such
    /// updates need not be ordered among themselves: see [`Explorer::reduce`](crate::Explorer::reduce).
    ///
    /// [`Explorer::reduce`](crate::Explorer::reduce): super::Explorer::reduce
    Apply {
        /// The location.
        location: Location,
        /// The order of the whole.
        order: MemoryOrder,
        /// What is done to the old value.
        update: Update,
    },
    /// Writes `new` if the location holds `expected`; answered with the old value.
    CompareExchange {
        /// The location.
        location: Location,
        /// The value looked for.
        expected: Value,
        /// The value written when it is found.
        new: Value,
        /// The order when it is found.
        success: MemoryOrder,
        /// The order of the mere read when it is not.
        failure: MemoryOrder,
    },
    /// Reads a location in order to wait; answered with its value. Whichever values do
    /// not end the waiting must lead to [`Op::Block`]. The explorer tries such a read
    /// after everything else, so that fewer executions end blocked.
    Await {
        /// The location.
        location: Location,
        /// Acquire, relaxed or seq_cst.
        order: MemoryOrder,
    },
    /// A compare-exchange by which the thread waits, as one takes a lock; every answer
    /// but `expected` must lead to [`Op::Block`].
    AwaitExchange {
        /// The location.
        location: Location,
        /// The value waited for.
        expected: Value,
        /// The value written.
        new: Value,
        /// The order when it succeeds; the failing read is relaxed.
        order: MemoryOrder,
    },
    /// Updates the location if it holds what `guard` asks for; answered with the old value.
    UpdateIf {
        /// The location.
        location: Location,
        /// When the update is done.
        guard: Guard,
        /// What is done to the old value.
        update: Update,
        /// The order when it is done.
        success: MemoryOrder,
        /// The order of the mere read when it is not.
        failure: MemoryOrder,
    },
    /// As [`Self::UpdateIf`] by which the thread waits: every answer for which `guard` does
    /// not hold must lead to [`Op::Block`].
    AwaitUpdate {
        /// The location.
        location: Location,
        /// What is waited for.
        guard: Guard,
        /// What is done to the old value.
        update: Update,
        /// The order when it is done; the failing read is relaxed.
        order: MemoryOrder,
    },
    /// Allocates a location: every access of it must happen after this, and in a complete
    /// execution it is freed, or it has leaked.
    Alloc(Location),
    /// Frees a location: every access of it must happen before this.
    Free(Location),
    /// A fence.
    Fence(MemoryOrder),
    /// A free choice; answered with a number below the one given. 0 is the usual course.
    Choose(u32),
    /// Asks the observer of the exploration; answered with what it says of everything
    /// before this point. Not for a [`Program`].
    #[doc(hidden)]
    Observe(Value),
    /// Starts thread `.0`; not for a [`Program`], whose threads all run from the start.
    #[doc(hidden)]
    Spawn(u32),
    /// Waits for the end of a thread; answered with what it returned.
    Join(u32),
    /// The thread can never go on from these answers. A thread that blocks right after
    /// `reads` reads is *awaiting*: it goes on when one of them reads another write.
    Block {
        /// For what it waits.
        wait: Wait,
        /// How many of its latest reads decided that it waits.
        reads: u32,
    },
    /// The thread found a fault: an assertion failed.
    Fail(Arc<str>),
    /// The thread has ended.
    End,
    /// The thread has ended and returned what this value stands for.
    #[doc(hidden)]
    Return(Value),
}

impl Op {
    /// The location accessed, if any.
    pub const fn location(&self) -> Option<Location> {
        match self {
            Self::Load { location, .. }
            | Self::Await { location, .. }
            | Self::AwaitExchange { location, .. }
            | Self::Store { location, .. }
            | Self::Update { location, .. }
            | Self::Apply { location, .. }
            | Self::UpdateIf { location, .. }
            | Self::AwaitUpdate { location, .. }
            | Self::CompareExchange { location, .. }
            | Self::Alloc(location)
            | Self::Free(location) => Some(*location),
            _ => None,
        }
    }

    /// Whether the thread ends, fails or blocks here.
    pub const fn is_last(&self) -> bool {
        matches!(
            self,
            Self::Block { .. } | Self::Fail(_) | Self::End | Self::Return(_)
        )
    }
}

/// A place in a source file.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Site {
    /// The file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// An operation and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What the thread does next.
    pub op: Op,
    /// Where the source says so.
    pub site: Option<Site>,
    /// Of [`Op::AwaitExchange`] and [`Op::AwaitUpdate`]: what the thread waits for, if every answer that does
    /// not end the waiting is known to lead to [`Op::Block`] right there, by one read. Then nobody asks.
    #[doc(hidden)]
    pub waits: Option<Wait>,
}

impl From<Op> for Step {
    fn from(op: Op) -> Self {
        Self {
            op,
            site: None,
            waits: None,
        }
    }
}

/// A shared location before the threads start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LocationInfo {
    /// Its name in tables.
    pub name: Arc<str>,
    /// Its first value.
    pub initial: Value,
    /// Its width, 1 to 64.
    pub bits: u8,
}

impl LocationInfo {
    /// The first value, cut to the width, and the width.
    pub(crate) fn first_value(&self) -> (Value, u8) {
        (truncate(self.initial, self.bits), self.bits)
    }
}

/// A program with a fixed number of threads, all running from the start.
pub trait Program: Sync {
    /// The number of threads.
    fn threads(&self) -> usize;

    /// The shared locations.
    fn locations(&self) -> Vec<LocationInfo>;

    /// What `thread` does when its earlier operations, in program order, were answered
    /// by `answers` (0 for an operation without answer): the operation after them. Must
    /// depend on nothing but its arguments.
    fn step(&self, thread: usize, answers: &[Value]) -> Step;

    /// Whether two threads do the same after the same answers. The explorer uses it where
    /// [`Explorer::reduce`](crate::Explorer::reduce) is set, and checks it then: every step
    /// that it asks of one thread it asks of those like it.
    fn alike(&self, _: usize, _: usize) -> bool {
        false
    }

    /// The name of a thread in tables.
    fn thread_name(&self, thread: usize) -> String {
        format!("T{thread}")
    }
}
