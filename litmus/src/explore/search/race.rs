//! Data races: conflicting accesses of two threads, at least one of them plain, without
//! happens-before.
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

    pub(super) fn find_race(&self, event: u32) -> Result<(), Stop> {
        let graph = &self.graph;
        let location = graph.at(event).location;
        if location == NONE || graph.place(location).plain == 0 {
            return Ok(());
        }
        let accesses = &graph.place(location).accesses;
        // Most are before it, and that is soon seen.
        let racing = accesses
            .iter()
            .any(|&other| !graph.precedes(other, event, Clock::Hb) && races(graph, other, event));
        match racing {
            true => Err(self.race().into()),
            false => Ok(()),
        }
    }

    /// The race to report of a graph that has one, whatever the order in which its events
    /// were added: the first by thread and number; of the two the write comes first.
    #[cold]
    fn race(&self) -> Fault {
        let graph = &self.graph;
        let of = |thread: usize| {
            let thread = graph.threads.get(thread).filter(|thread| thread.live);
            thread.map_or(&[][..], |thread| &thread.events)
        };
        let pairs = (0..graph.threads.len()).flat_map(|t| {
            let others = move |a| {
                (t + 1..graph.threads.len())
                    .flat_map(of)
                    .map(move |&b| (a, b))
            };
            of(t).iter().flat_map(move |&a| others(a))
        });
        let mut racing = pairs.filter(|&(a, b)| races(graph, a, b));
        let events = racing.next().map_or(Vec::new(), |(a, b)| {
            // An update is named by its read, the first of its events.
            let whole = |e: u32| match graph.at(e).kind == Kind::Write && graph.at(e).exclusive {
                true => graph.at(e).before,
                false => e,
            };
            match graph.at(a).kind == Kind::Read && !graph.at(a).exclusive {
                true => vec![whole(b), a],
                false => vec![whole(a), whole(b)],
            }
        });
        Fault {
            kind: FailureKind::DataRace,
            message: String::new(),
            events,
        }
    }
}

fn races(graph: &Graph, a: u32, b: u32) -> bool {
    let (x, y) = (graph.at(a), graph.at(b));
    x.location != NONE
        && x.location == y.location
        && x.thread != y.thread
        && (x.kind == Kind::Write || y.kind == Kind::Write)
        && (x.order == MemoryOrder::Plain || y.order == MemoryOrder::Plain)
        && !graph.precedes(a, b, Clock::Hb)
        && !graph.precedes(b, a, Clock::Hb)
}
