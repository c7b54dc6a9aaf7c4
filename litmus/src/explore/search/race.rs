//! Accesses that nothing orders, and accesses of memory that is not there.
//!
//! * A data race: conflicting accesses of two threads, at least one of them plain, without
//!   happens-before. The end of a location conflicts with every access, and is plain.
//! * A race with the initialisation: the making of a location does not happen before an
//!   access. Making is no event; a graph knows of each location by which event of its
//!   creator it was there ([`Graph::is_early`]). An access that reads a write that happens
//!   after the making, and acquires it, is in order; that it may as well read the first value
//!   is another execution, in which it is not.
//! * A use after free, or a second free: an access, or end, after the end of its location.
//!
//! Every event is looked at when it is added and when its happens-before changes: a read
//! whose reads-from is chosen anew, and a write that comes with such a read. Of an update
//! the write is looked at, when it is there: it conflicts with whatever the read does.

use super::super::FailureKind;
use super::super::cache::{Fault, Source};
use super::super::graph::{Clock, Graph};
use super::super::model::MemoryModel;
use super::super::program::MemoryOrder;
use super::{Kind, NONE, Search, Stop};

impl<M: MemoryModel, S: Source> Search<M, S> {
    #[inline]
    pub(super) fn check_race(&self, event: u32) -> Result<(), Stop> {
        // Under a bound races are looked for at the end: see the module `bound`.
        if self.settings.preemptions.is_some() {
            return Ok(());
        }
        self.find_race(event)
    }

    /// A clash in which `event` takes part, unless clashes do not end the search.
    pub(super) fn find_race(&self, event: u32) -> Result<(), Stop> {
        if self.settings.survey {
            return Ok(());
        }
        let graph = &self.graph;
        let location = graph.at(event).location;
        if location == NONE {
            return Ok(());
        }
        let place = graph.place(location);
        if place.plain == 0 && place.born == 0 {
            return Ok(());
        }
        // Most are before it, and that is soon seen; where there is an end all are to be looked at.
        let (known, ends) = (graph.known_to(event), place.ends > 0);
        let clashes = |&other: &u32| {
            (!known.has(Clock::Hb, graph.at(other)) || ends) && clash(graph, other, event).is_some()
        };
        if place.born != 0 && graph.is_early(event)
            || place.plain > 0 && place.accesses.iter().any(clashes)
        {
            return Err(first_clash(graph, |thread| self.source.path(thread)).into());
        }
        Ok(())
    }
}

/// The clash to report of a graph that has one, whatever the order in which its events
/// were added: the first by the threads' paths and number; of the two accesses of a race the write
/// comes first, of two that are ordered the end of the location. Without events if there is none.
#[cold]
pub(in crate::explore) fn first_clash(graph: &Graph, path: impl Fn(u32) -> u64) -> Fault {
    let mut all: Vec<u32> = (0..graph.len()).collect();
    all.sort_by_key(|&e| (path(graph.at(e).thread), graph.at(e).index));
    // An update is named by its read, the first of its events.
    let whole = |e: u32| match graph.at(e).kind == Kind::Write && graph.at(e).exclusive {
        true => graph.at(e).before,
        false => e,
    };
    let fault = |kind, events| Fault {
        kind,
        message: String::new(),
        events,
    };
    for (n, &a) in all.iter().enumerate() {
        for &b in &all[n + 1..] {
            let Some(kind) = clash(graph, a, b) else {
                continue;
            };
            let (x, y) = (graph.at(a), graph.at(b));
            let second = match kind {
                FailureKind::DataRace => x.kind == Kind::Read && !x.exclusive,
                _ => graph.precedes(b, a, Clock::Hb) || y.kind == Kind::Free && x.kind != y.kind,
            };
            return match second {
                true => fault(kind, vec![whole(b), whole(a)]),
                false => fault(kind, vec![whole(a), whole(b)]),
            };
        }
    }
    let early = |&e: &u32| graph.at(e).location != NONE && graph.is_early(e);
    let events = all.iter().copied().find(early).map(whole);
    fault(FailureKind::DataRace, events.into_iter().collect())
}

/// What is wrong with two events of a graph, if anything is.
fn clash(graph: &Graph, a: u32, b: u32) -> Option<FailureKind> {
    let (x, y) = (graph.at(a), graph.at(b));
    if x.location == NONE || x.location != y.location || a == b {
        return None;
    }
    let before = |a, b| graph.precedes(a, b, Clock::Hb);
    let ordered = || before(a, b) || before(b, a);
    match (x.kind, y.kind) {
        (Kind::Free, Kind::Free) => Some(FailureKind::DoubleFree),
        (Kind::Free, _) if before(a, b) => Some(FailureKind::UseAfterFree),
        (_, Kind::Free) if before(b, a) => Some(FailureKind::UseAfterFree),
        (Kind::Free, _) | (_, Kind::Free) => (!ordered()).then_some(FailureKind::DataRace),
        _ => {
            let conflict = x.kind == Kind::Write || y.kind == Kind::Write;
            let plain = x.order == MemoryOrder::Plain || y.order == MemoryOrder::Plain;
            let races = x.thread != y.thread && conflict && plain && !ordered();
            races.then_some(FailureKind::DataRace)
        }
    }
}
