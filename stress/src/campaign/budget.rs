//! How long settling a verdict may take, by what the hunt has already spent on it.

use super::Shared;
use crate::verdict::Kind;
use crate::verdict::grade::Grade;
use std::time::{Duration, Instant};

/// How long the steps of settling may take.
pub(super) struct Budget {
    pub minimise: Duration,
    pub script_seconds: f64,
    pub script_runs: u32,
    /// Whether all is tried to make it smaller; else only what is quick.
    pub thorough: bool,
}

/// What the hunt has spent when a case is admitted.
pub(super) struct Spent {
    /// On minimising, over all workers.
    pub minimising: Duration,
    /// Most subjects have not had their first turn.
    pub early: bool,
    /// The subject has a finding of this kind.
    pub again: bool,
    /// Other cases wait for their turn.
    pub others_wait: bool,
}

impl Budget {
    /// Less time for each finding when minimising has taken much of the hunt, never none.
    pub fn of(shared: &Shared<'_>, kind: Kind, grade: Grade, spent: &Spent) -> Self {
        let (early, again, others_wait) = (spent.early, spent.again, spent.others_wait);
        let spent = spent.minimising.as_secs_f64() / shared.options.jobs as f64;
        let elapsed = shared.deadline.map_or(f64::MAX, |d| {
            let total = shared.options.time.unwrap_or_default();
            (total.saturating_sub(d.saturating_duration_since(Instant::now()))).as_secs_f64()
        });
        let late = spent > 10.0 + elapsed * 0.4;
        // Others first: what is left to do for this one can be done when none of them waits.
        let busy = late || early || others_wait;
        let hang = kind.stands_still();
        // The process alone takes seconds there.
        let slow = f64::from(shared.vm.facts.slowness().div_ceil(4));
        // Breadth first: while most subjects have not had their first turn, time is theirs.
        let minimise = match grade {
            _ if busy => 2.0,
            Grade::Interesting => 2.0,
            _ => 3.0,
        };
        // A race shows at its first turn or after a few, and the process goes on to its time's end.
        let race = kind == Kind::DataRace;
        let script_runs = if busy || hang || race {
            1
        } else if again {
            2
        } else {
            3
        };
        let script_seconds = match busy {
            _ if hang => 2.0,
            // Most hit within a tenth of it; the others have a second chance at the end.
            true => 1.5,
            false => 3.0,
        };
        let script_seconds = if race {
            script_seconds
        } else {
            script_seconds * slow
        };
        Self {
            minimise: Duration::from_secs_f64(minimise * slow),
            script_seconds,
            script_runs,
            thorough: !busy,
        }
    }
}
