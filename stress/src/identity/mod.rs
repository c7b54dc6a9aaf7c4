//! One identity of a failure: what *same* and *hit* mean everywhere.
//!
//! A failure is a kind and a [`Place`]. The place is what is known of where, on these levels, the
//! most telling first:
//!
//! 1. what the VM itself says: source line of a panic or an assertion, words of a fatal error;
//! 2. a sanitizer's report: the unordered pair of innermost VM frames of its sides;
//! 3. the innermost VM frames of the thread that died, unless they are the allocator's, for heap
//!    damage shows anywhere;
//! 4. for wrong results the class of what was wrong, and the operations;
//! 5. for ends of the process the operations in flight (see [`flight`]).
//!
//! [`same()`] compares on the first level that both sides know. Where one knows less it may have to
//! answer [`Same::Unknown`], and who asks treats that as said there. VMs differ in what they tell:
//! CPython's faulthandler names the operations, RustPython a panic's line, MicroPython nothing; there
//! the place of a small scenario is its operations, and of a large one unknown.
//!
//! Which kinds are faces of one fault is decided in `faces`, and nowhere else; how the catalogue's
//! signatures are compared with stacks and reports, in [`told`].

pub mod flight;
mod place;
mod same;
pub mod told;

pub use self::flight::InFlight;
pub use self::place::{Operations, Place, SMALL};
pub use self::same::{Hit, Same, distinct, hit, kept_as_one, kindred, same};

use crate::scenario::Scenario;
use crate::verdict::{Kind, Verdict};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A failure: its kind, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Failure {
    /// Kind of failure.
    pub kind: Kind,
    /// Where it is, as far as that is known.
    pub place: Place,
}

impl Failure {
    /// What a verdict on no scenario shows, as on the program of a known bug. `backtrace` is a
    /// debugger's text that begins with the thread that died; empty without one.
    pub fn of_verdict(verdict: &Verdict, backtrace: &str) -> Self {
        let mut place = Place {
            alone: verdict.alone.then_some(true),
            ..Place::of_detail(verdict.kind, &verdict.detail)
        };
        place.report = verdict.report.as_ref().map(|r| r.signature());
        place.heap |= verdict
            .report
            .as_ref()
            .is_some_and(|r| r.tool == crate::verdict::sanitizer::Tool::Address);
        place.take_frames(backtrace);
        Self {
            kind: verdict.kind,
            place,
        }
    }

    /// What a verdict on a scenario shows, where these operations were in flight.
    pub fn in_scenario(verdict: &Verdict, scenario: &Scenario, flight: &InFlight) -> Self {
        let mut failure = Self::of_verdict(verdict, "");
        failure.place.alone = Some(verdict.alone);
        let mut flight = flight.clone();
        if faces(verdict.kind) == Faces::Standstill {
            // No thread of it died: the one that printed was only asked to.
            flight.beside.extend(flight.at.take());
        }
        failure.place.operations = Operations::in_flight(scenario, &flight);
        failure
    }

    /// The same failure with the frames of a debugger's text, which begins with the thread that died.
    #[must_use]
    pub fn with_backtrace(mut self, backtrace: &str) -> Self {
        self.place.take_frames(backtrace);
        self
    }

    /// Whether memory that the allocator keeps is damaged: the allocator says so, walks in circles,
    /// or AddressSanitizer reports it.
    pub fn damages_heap(&self) -> bool {
        self.place.heap
    }

    /// Whether the process died of it by itself, so that a debugger can tell the frames.
    pub fn has_frames_to_find(&self) -> bool {
        matches!(
            self.kind,
            Kind::Crash | Kind::Assertion | Kind::Fatal | Kind::ShutdownCrash
        )
    }
}

impl fmt::Display for Failure {
    /// `crash at o.append(1) ‖ o.pop()`, on the most telling level that is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.place)
    }
}

/// Kinds by which one fault shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Faces {
    /// Damaged memory ends by one signal or another, as a fatal error, or, where a debug build or a
    /// sanitizer looks, in an assertion or a report.
    Death,
    /// Whether a thread still runs as the others wait is chance; see [`Place::computes`].
    Standstill,
    /// A kind that shows as itself only.
    Only(Kind),
}

/// Whether two kinds can be faces of one fault, by themselves.
pub fn may_be_one(a: Kind, b: Kind) -> bool {
    faces(a) == faces(b)
}

/// Which fault's face a kind is. A standstill inside the allocator is a face of death too, see
/// [`kindred`].
fn faces(kind: Kind) -> Faces {
    match kind {
        Kind::Crash | Kind::Assertion | Kind::Fatal | Kind::Sanitizer => Faces::Death,
        Kind::Hang | Kind::Deadlock => Faces::Standstill,
        kind => Faces::Only(kind),
    }
}
