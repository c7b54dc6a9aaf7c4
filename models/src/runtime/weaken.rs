//! Orders weakened at one place of a scheme, to learn whether they are needed there.

use super::Ordering::{self, *};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::panic::Location;

/// A kind of step that has an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Reads, an exchange that was refused among them.
    Load,
    /// Writes.
    Store,
    /// Reads and writes.
    Update,
    /// A fence; relaxed means that there is none.
    Fence,
}

/// An order at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    pub place: &'static Location<'static>,
    pub role: Role,
    pub stated: Ordering,
}

impl Site {
    /// The next weaker orders; of an order that is two in one, each alone.
    pub fn weaker(self) -> &'static [Ordering] {
        match (self.role, self.stated) {
            (_, Relaxed) => &[],
            (Role::Load, SeqCst) => &[Acquire, Relaxed],
            (Role::Store, SeqCst) => &[Release, Relaxed],
            (Role::Update | Role::Fence, SeqCst) => &[AcqRel, Acquire, Release, Relaxed],
            (_, AcqRel) => &[Acquire, Release, Relaxed],
            _ => &[Relaxed],
        }
    }

    fn key(&self) -> (&'static str, u32, u32, Role, String) {
        let place = self.place;
        (place.file(), place.line(), place.column(), self.role, format!("{:?}", self.stated))
    }
}

impl PartialOrd for Site {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Site {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

enum Mode {
    Off,
    Collect(BTreeSet<Site>),
    Weaken(Site, Ordering),
}

thread_local! {
    /// Engines that record run all threads of an execution on one OS thread.
    static MODE: RefCell<Mode> = const { RefCell::new(Mode::Off) };
}

/// The order that a step at the caller's place takes.
#[track_caller]
pub(super) fn order(role: Role, stated: Ordering) -> Ordering {
    let place = Location::caller();
    MODE.with_borrow_mut(|mode| match mode {
        Mode::Off => stated,
        Mode::Collect(sites) => {
            sites.insert(Site { place, role, stated });
            stated
        }
        Mode::Weaken(site, weaker) if *site == Site { place, role, stated } => *weaker,
        Mode::Weaken(..) => stated,
    })
}

/// The orders that `run` takes on this OS thread.
pub(crate) fn collected(run: impl FnOnce()) -> BTreeSet<Site> {
    MODE.replace(Mode::Collect(BTreeSet::new()));
    run();
    match MODE.replace(Mode::Off) {
        Mode::Collect(sites) => sites,
        _ => BTreeSet::new(),
    }
}

/// Runs `run` with `weaker` in place of the order stated at `site`.
pub(crate) fn with<T>(site: Site, weaker: Ordering, run: impl FnOnce() -> T) -> T {
    MODE.replace(Mode::Weaken(site, weaker));
    let result = run();
    MODE.replace(Mode::Off);
    result
}
