//! Kinds of failure: their names, their order, and what makes two failures one.

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
    /// The VM left without finishing: with an exit code, or ended by somebody else.
    Exit,
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

    /// Whether two kinds may be the same fault seen twice: heap corruption ends by one signal
    /// or another, as a fatal error, or as an endless loop.
    pub fn alike(self, other: Self) -> bool {
        let class = |k: Self| match k {
            Self::Crash | Self::Assertion | Self::Fatal | Self::Exit => 1,
            Self::Hang | Self::Deadlock => 2,
            Self::ShutdownCrash | Self::ShutdownHang => 3,
            other => 10 + other as u8,
        };
        class(self) == class(other)
    }

    /// Whether what the VM said when it died names the place: that, not the operations, makes two one.
    pub fn names_place(self) -> bool {
        matches!(self, Self::Panic | Self::Assertion | Self::Sanitizer)
    }

    /// What in a verdict's detail tells one fault of this kind from another. Of a panic it is the source
    /// file and line: the numbers that follow (lengths, indices) differ from run to run.
    pub fn place(self, detail: &str) -> &str {
        if self != Self::Panic {
            return detail;
        }
        let detail = detail.strip_prefix(ALONE).unwrap_or(detail);
        detail.split_once(": ").map_or(detail, |(place, _)| place)
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
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
