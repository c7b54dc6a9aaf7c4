//! The observer: abstract state beside each object, consulted at every access.
//!
//! Ghost state is what the properties are stated in. It is not part of the scheme and
//! never influences it. Its words are relaxed atomics of `std`, invisible to the model
//! engines: an observed scheme has exactly the synchronisation of the bare one.
//!
//! Order of calls, so that no false alarm is possible: [`Ghost::gain`] comes *after* the
//! step that gives a reference, [`Ghost::lose`] *before* the step that gives it up. A
//! free between a gain's real and its ghost step is then caught by the gain itself,
//! which finds the object dead.

mod memory;

pub use self::memory::Block;

use crate::runtime::Label;
use crate::runtime::trace::{Action, record};
use crate::verdict::{Kind, Violation};
use std::cell::RefCell;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Weak};

thread_local! {
    static FOUND: RefCell<Option<Violation>> = const { RefCell::new(None) };
    /// The lives of the execution on this OS thread, where one thread of it runs at a time.
    static LIVES: RefCell<Vec<(Label, Weak<AtomicU32>)>> = const { RefCell::new(Vec::new()) };
}

/// Reports a broken property and abandons the execution.
///
/// # Panics
/// Always: unwinding is how an execution is abandoned in every engine.
#[track_caller]
pub fn violation(kind: Kind, text: impl FnOnce() -> String) -> ! {
    let violation = Violation { kind, text: text() };
    record(Action::Ghost("✗", Label::of(kind.name())));
    crate::runtime::explorer::abandon(&violation);
    FOUND.with_borrow_mut(|found| {
        found.get_or_insert_with(|| violation.clone());
    });
    crate::runtime::abandon();
    std::panic::panic_any(violation)
}

/// Requires a stated property of the scheme itself.
#[track_caller]
pub fn require(holds: bool, kind: Kind, text: impl FnOnce() -> String) {
    if !holds {
        violation(kind, text);
    }
}

/// A step has accessed a part of something that has a life.
#[track_caller]
pub(crate) fn accessed(label: Label, whole: Label) {
    let life = LIVES.with_borrow(|lives| {
        let last = lives.iter().rev().find(|(of, _)| *of == whole);
        last.and_then(|(_, life)| life.upgrade())
    });
    let Some(life) = life else { return };
    require(life.load(Relaxed) == LIVE, Kind::UseAfterFree, || dead_access(label, whole));
}

/// What is wrong with such a step when it comes after the end.
pub(crate) fn dead_access(label: Label, whole: Label) -> String {
    format!("{label}: accessed after {whole} was freed")
}

/// Forgets the lives of an execution that has ended.
pub(crate) fn forget_lives() {
    LIVES.take();
}

/// The violation that this OS thread reported, if any; forgets it.
pub(crate) fn take_violation() -> Option<Violation> {
    FOUND.with_borrow_mut(Option::take)
}

/// Life of an object as the specification sees it.
pub trait Ghost: Send + Sync + 'static {
    /// An unused block: dead until [`Ghost::reuse`].
    fn blank(label: Label) -> Self;
    /// An object that is there from the beginning, without references.
    #[track_caller]
    fn living(label: Label) -> Self
    where
        Self: Sized,
    {
        let ghost = Self::blank(label);
        ghost.reuse(0);
        ghost
    }
    /// A reference was obtained; the object must be alive.
    #[track_caller]
    fn gain(&self);
    /// A reference is about to be given up.
    #[track_caller]
    fn lose(&self);
    /// The object is used; it must be alive.
    #[track_caller]
    fn touch(&self);
    /// The memory is given back: once, and only without references.
    #[track_caller]
    fn free(&self);
    /// The finalizer starts: once in a life. References may appear while it runs.
    #[track_caller]
    fn finalize(&self);
    /// The block becomes a new object with `holders` references.
    #[track_caller]
    fn reuse(&self, holders: i64);
    /// At quiescence: an object without references has been freed.
    #[track_caller]
    fn settle(&self);
    /// References now; 0 when not observed.
    fn holders(&self) -> i64;
    /// How often the block was reused; 0 when not observed.
    fn generation(&self) -> u32;
    /// Whether the object has been freed; false when not observed.
    fn is_dead(&self) -> bool;
}

/// No observer: a unit type whose calls vanish.
pub struct Blind;

impl Ghost for Blind {
    #[inline(always)]
    fn blank(_: Label) -> Self {
        Self
    }
    #[inline(always)]
    fn gain(&self) {}
    #[inline(always)]
    fn lose(&self) {}
    #[inline(always)]
    fn touch(&self) {}
    #[inline(always)]
    fn free(&self) {}
    #[inline(always)]
    fn finalize(&self) {}
    #[inline(always)]
    fn reuse(&self, _: i64) {}
    #[inline(always)]
    fn settle(&self) {}
    #[inline(always)]
    fn holders(&self) -> i64 {
        0
    }
    #[inline(always)]
    fn generation(&self) -> u32 {
        0
    }
    #[inline(always)]
    fn is_dead(&self) -> bool {
        false
    }
}

const LIVE: u32 = 0;
const DEAD: u32 = 1;

/// The observer itself.
pub struct Observed {
    label: Label,
    holders: AtomicI64,
    life: Arc<AtomicU32>,
    finalized: AtomicU32,
    generation: AtomicU32,
}

impl Observed {
    #[track_caller]
    fn alive(&self, doing: &str) {
        require(self.life.load(Relaxed) == LIVE, Kind::UseAfterFree, || {
            format!("{}: {doing} after the object was freed", self.label)
        });
    }
}

impl Ghost for Observed {
    fn blank(label: Label) -> Self {
        let life = Arc::new(AtomicU32::new(DEAD));
        LIVES.with_borrow_mut(|lives| lives.push((label, Arc::downgrade(&life))));
        Self {
            label,
            holders: AtomicI64::new(0),
            life,
            finalized: AtomicU32::new(0),
            generation: AtomicU32::new(0),
        }
    }

    fn gain(&self) {
        record(Action::Ghost("gains a reference", self.label));
        self.alive("a new reference");
        self.holders.fetch_add(1, Relaxed);
    }

    fn lose(&self) {
        record(Action::Ghost("loses a reference", self.label));
        let before = self.holders.fetch_sub(1, Relaxed);
        require(before > 0, Kind::NegativeCount, || {
            format!("{}: a reference dropped that nobody holds", self.label)
        });
    }

    fn touch(&self) {
        self.alive("a use");
    }

    fn free(&self) {
        record(Action::Ghost("is freed", self.label));
        let before = self.life.swap(DEAD, Relaxed);
        require(before == LIVE, Kind::DoubleFree, || format!("{}: freed twice", self.label));
        let holders = self.holders.load(Relaxed);
        require(holders == 0, Kind::PrematureFree, || {
            format!("{}: freed while {holders} reference(s) exist", self.label)
        });
    }

    fn finalize(&self) {
        record(Action::Ghost("finalizer runs", self.label));
        self.alive("the finalizer");
        require(self.finalized.fetch_add(1, Relaxed) == 0, Kind::FinalizedTwice, || {
            format!("{}: the finalizer runs a second time", self.label)
        });
    }

    fn reuse(&self, holders: i64) {
        record(Action::Ghost("begins to live", self.label));
        require(self.life.swap(LIVE, Relaxed) == DEAD, Kind::UseAfterFree, || {
            format!("{}: the block of a live object was handed out", self.label)
        });
        self.generation.fetch_add(1, Relaxed);
        self.finalized.store(0, Relaxed);
        self.holders.store(holders, Relaxed);
    }

    fn settle(&self) {
        let holders = self.holders.load(Relaxed);
        let freed = self.life.load(Relaxed) == DEAD;
        require(freed || holders > 0, Kind::Leak, || {
            format!("{}: no reference is left and it was never freed", self.label)
        });
    }

    fn holders(&self) -> i64 {
        self.holders.load(Relaxed)
    }

    fn generation(&self) -> u32 {
        self.generation.load(Relaxed)
    }

    fn is_dead(&self) -> bool {
        self.life.load(Relaxed) == DEAD
    }
}
