//! How the threads of a scenario meet.

use serde::{Deserialize, Serialize};

/// The shapes of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// Fresh objects, each used by every thread once.
    Stride,
    /// One slot without any barrier; whoever uses the object up replaces it.
    Slot,
    /// One fresh object in a process of its own, a copy of a warm one, for each trial.
    Process,
    /// One thread waits in the middle of an operation, in a callback, until the others have run theirs.
    Wait,
}

impl Shape {
    /// All shapes.
    pub const ALL: [Self; 4] = [Self::Stride, Self::Slot, Self::Process, Self::Wait];

    /// The letter of subject files and jobs.
    pub fn letter(self) -> char {
        match self {
            Self::Stride => 't',
            Self::Slot => 's',
            Self::Process => 'p',
            Self::Wait => 'w',
        }
    }

    /// The shape of a letter.
    pub fn of(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.letter() == letter)
    }
}
