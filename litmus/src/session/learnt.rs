//! What is found out about the program only by running it, and changes how it is to be
//! explored: the search begins again when a fact is new, and every later run keeps to it.

use super::SHARED;
use crate::explore::program::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location as Caller;
use std::sync::{Arc, Mutex, PoisonError};

/// A place in the source, as a caller's location names it.
pub(crate) type CodePlace = (&'static str, u32, u32);

/// The place of a caller.
pub(crate) fn place(caller: &'static Caller<'static>) -> CodePlace {
    (caller.file(), caller.line(), caller.column())
}

/// A fact about the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fact {
    /// Who drops the last handle of an `Arc` made here, or how many there are, matters.
    Counted(CodePlace),
    /// There are weak handles of an `Arc` made here.
    Weak(CodePlace),
    /// The content of an `Arc` made here is changed.
    Changed(CodePlace),
    /// An update made here is how a thread waits: where it changes nothing, it only reads.
    Waits(CodePlace),
    /// It is not, after all.
    Writes(CodePlace),
    /// A loop that reads here keeps something from one turn to the next.
    Keeps(CodePlace),
    /// It counts its turns.
    Counts(CodePlace),
    /// Somebody asks whether a thread started here has finished.
    Watched(CodePlace),
}

impl Fact {
    /// What names it in a trace: a hash (FNV-1a). If two facts share it, one is taken to hold
    /// that does not, which costs executions and nothing else.
    fn number(self) -> u32 {
        let (kind, (file, line, column)) = match self {
            Self::Counted(place) => (b'c', place),
            Self::Weak(place) => (b'w', place),
            Self::Changed(place) => (b'g', place),
            Self::Waits(place) => (b's', place),
            Self::Writes(place) => (b'u', place),
            Self::Keeps(place) => (b'k', place),
            Self::Counts(place) => (b'n', place),
            Self::Watched(place) => (b'f', place),
        };
        let place = line.to_le_bytes().into_iter().chain(column.to_le_bytes());
        let bytes = file.bytes().chain([kind]).chain(place);
        bytes.fold(0x811c_9dc5, |hash: u32, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        })
    }
}

/// The facts of an exploration, by number, shared by its searches and their workers.
#[derive(Clone, Default, Debug)]
pub(crate) struct Learnt(Arc<Mutex<Known>>);

#[derive(Clone, Default, Debug)]
struct Known {
    facts: BTreeSet<u32>,
    /// Numbers of pointers that turned out to be those of others.
    pointers: BTreeMap<Value, Value>,
}

impl Learnt {
    /// Those that a trace was recorded with.
    pub fn of(facts: &[u32]) -> Self {
        Self(Arc::new(Mutex::new(Known {
            facts: facts.iter().copied().collect(),
            ..Known::default()
        })))
    }

    fn get<R>(&self, f: impl FnOnce(&mut Known) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a search knows: the facts it began with, which hold all through it.
#[derive(Default)]
pub(super) struct Lessons {
    pub known: BTreeSet<u32>,
    pointers: BTreeMap<Value, Value>,
    learnt: Learnt,
    /// Whether there is a fact that it did not begin with.
    pub new: bool,
}

impl Lessons {
    pub fn new(learnt: Learnt) -> Self {
        let Known { facts, pointers } = learnt.get(|known| known.clone());
        Self {
            known: facts,
            pointers,
            learnt,
            new: false,
        }
    }

    /// The number of a pointer that would have this one.
    pub fn pointer(&self, mut number: Value) -> Value {
        while let Some(&other) = self.pointers.get(&number) {
            number = other;
        }
        number
    }

    /// Two numbers are those of one pointer.
    pub fn equate(&mut self, one: Value, other: Value) {
        // Towards the smaller, so that there are no circles.
        let (from, to) = (one.max(other), one.min(other));
        self.learnt.get(|known| {
            let mut from = from;
            let mut to = to;
            // What is known of the larger already holds of the smaller.
            while let Some(next) = known.pointers.insert(from, to) {
                if next == to {
                    break;
                }
                (from, to) = (next.max(to), next.min(to));
            }
        });
        self.new = true;
    }
}

/// Whether the search keeps to a fact.
pub(crate) fn knows(fact: Fact) -> bool {
    SHARED.with_borrow(|shared| shared.names.lessons.known.contains(&fact.number()))
}

/// Learns a fact; whether it is new, so that nothing that this run does from here on counts.
pub(crate) fn learn(fact: Fact) -> bool {
    SHARED.with_borrow_mut(|shared| {
        let lessons = &mut shared.names.lessons;
        if lessons.known.contains(&fact.number()) {
            return false;
        }
        lessons
            .learnt
            .get(|known| known.facts.insert(fact.number()));
        lessons.new = true;
        true
    })
}
