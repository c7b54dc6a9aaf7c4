//! Kinds of failure: their names and their order.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Kind of failure. Order: worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Killed by a signal of its own making: SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP.
    Crash,
    /// A Rust panic.
    Panic,
    /// An assertion of a debug build: it stops where the fault is, before the harm.
    Assertion,
    /// `Fatal Python error`.
    Fatal,
    /// A sanitizer's report.
    Sanitizer,
    /// A value that nothing in the scenario produced: memory read before it was written.
    Uninitialised,
    /// The object contradicts itself at rest.
    Corrupt,
    /// A reference count lower at rest than before.
    Refcount,
    /// Every thread sleeps and none can go on.
    Deadlock,
    /// No progress while a thread keeps running, or waits for time or input.
    Hang,
    /// Died in interpreter shutdown, all work done.
    ShutdownCrash,
    /// Hung in interpreter shutdown, all work done.
    ShutdownHang,
    /// Memory without bound.
    Memory,
    /// Output without bound.
    Flood,
    /// `SystemError` and its like.
    Internal,
    /// Two unordered accesses that only a sanitizer sees, and no crash.
    DataRace,
    /// Objects alive after the last reference is gone.
    Leak,
    /// An exception that no order raises.
    Exception,
    /// An outcome that no order gives.
    Outcome,
    /// The VM left without finishing, with an exit code.
    Exit,
}

/// Begins the detail of an outcome that some order gives, and none that keeps to what was recorded of real time.
pub const OUT_OF_TIME: &str = "only orders against real time give ";

/// The outcome of such a detail, and what was recorded.
pub fn out_of_time(detail: &str) -> Option<(&str, &str)> {
    detail.strip_prefix(OUT_OF_TIME)?.rsplit_once(", where ")
}

/// Begins the detail of what one thread did without the others.
pub const ALONE: &str = "in one thread: ";

impl Kind {
    /// All kinds, worst first.
    pub const ALL: [Self; 20] = [
        Self::Crash,
        Self::Panic,
        Self::Assertion,
        Self::Fatal,
        Self::Sanitizer,
        Self::Uninitialised,
        Self::Corrupt,
        Self::Refcount,
        Self::Deadlock,
        Self::Hang,
        Self::ShutdownCrash,
        Self::ShutdownHang,
        Self::Memory,
        Self::Flood,
        Self::Internal,
        Self::DataRace,
        Self::Leak,
        Self::Exception,
        Self::Outcome,
        Self::Exit,
    ];

    /// Stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Panic => "panic",
            Self::Assertion => "assertion",
            Self::Fatal => "fatal",
            Self::Sanitizer => "sanitizer",
            Self::Uninitialised => "uninitialised",
            Self::Corrupt => "corrupt",
            Self::Refcount => "refcount",
            Self::Deadlock => "deadlock",
            Self::Hang => "hang",
            Self::ShutdownCrash => "shutdown-crash",
            Self::ShutdownHang => "shutdown-hang",
            Self::Memory => "memory",
            Self::Flood => "flood",
            Self::Internal => "internal",
            Self::DataRace => "data-race",
            Self::Leak => "leak",
            Self::Exception => "exception",
            Self::Outcome => "outcome",
            Self::Exit => "exit",
        }
    }

    /// Whether the process ended by it, so that the scenario in flight is to blame.
    pub fn ends_process(self) -> bool {
        matches!(
            self,
            Self::Crash
                | Self::Panic
                | Self::Assertion
                | Self::Fatal
                | Self::Sanitizer
                | Self::Deadlock
                | Self::Hang
                | Self::ShutdownCrash
                | Self::ShutdownHang
                | Self::Memory
                | Self::Flood
                | Self::Exit
        )
    }

    /// Whether the process goes on for ever by it.
    pub fn stands_still(self) -> bool {
        matches!(self, Self::Hang | Self::Deadlock | Self::ShutdownHang)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
