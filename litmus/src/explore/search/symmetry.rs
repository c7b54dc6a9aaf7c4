//! Thread symmetry: of executions that differ only in which of some interchangeable
//! threads did what, one is visited.
//!
//! Twins are threads that do the same after the same answers. They stand in a row; each
//! follows its *elder*. Compare a thread with its elder at the first index at which they
//! differ, by what they read there (coherence rank), or where they wrote: an execution is
//! *in order* when the elder comes first. Sorting the row puts every execution in order,
//! so nothing is lost if only such executions are visited. Two things make this a filter
//! that the search may apply at every step:
//!
//! * While a thread has done the same as its elder, its next event is added after the
//!   elder's and counts as having it in its prefix ([`Clock::Prefix`]). So the latest
//!   choice, which the search takes first and the maximality condition of revisits
//!   presupposes, is always in order.
//! * Under weak models the elder may have to read less recent a write that the younger
//!   twin brought about, against that prefix. Where the younger's event depends on another
//!   twin's at the same index, the order of ranks is therefore not insisted on: an orbit
//!   may then be visited more than once.
//!
//! Twins must be interchangeable to the others, too: whoever joins one of them must join
//! the whole row before doing anything else, and gets no value by that. Where this or the
//! sameness of operations fails, the exploration begins again without ([`Doubt::Twins`]).
//!
//! GenMC's rule (its manual calls it experimental) lacks the second point. SPORE (PLDI
//! 2024) is the published optimal combination. Ours is checked against brute force: every
//! orbit of random programs, see `tests/reductions_random.rs`.

use super::super::cache::Source;
use super::super::graph::{Event, Graph, Kind};
use super::super::model::MemoryModel;
use super::super::program::Op;
use super::layer::Layer;
use super::{Doubt, NONE, Search, Stop};

/// Twins in order.
pub(super) struct Twins;

impl<M: MemoryModel, S: Source> Layer<M, S> for Twins {
    #[inline]
    fn may_pick(search: &Search<M, S>, thread: u32) -> bool {
        !search.waits_for_twin(thread)
    }

    #[inline]
    fn before_add(search: &Search<M, S>, thread: u32, node: u32) -> Result<(), Stop> {
        search.check_joins(thread, search.cache.op(node))
    }

    #[inline]
    fn after_add(search: &Search<M, S>, thread: u32) -> Result<(), Stop> {
        search.check_twin(thread)
    }

    #[inline]
    fn keeps(search: &Search<M, S>, event: u32) -> bool {
        search.in_order(event)
    }

    fn at_end(search: &mut Search<M, S>) -> Result<bool, Stop> {
        if search.settings.twins {
            for thread in 0..search.graph.threads.len() as u32 {
                if search.graph.threads[thread as usize].live {
                    let node = search.next_node(thread)?;
                    search.check_joins(thread, search.cache.op(node))?;
                }
            }
        }
        Ok(true)
    }
}

impl<M: MemoryModel, S: Source> Search<M, S> {
    /// Whether the thread, so far the same as its elder, must let it go first.
    #[inline]
    fn waits_for_twin(&self, thread: u32) -> bool {
        let state = &self.graph.threads[thread as usize];
        state.elder != NONE
            && self.graph.threads[state.elder as usize].events.len() <= state.events.len()
            && self.graph.is_alike(thread)
    }

    /// Whether the event does not come before its twin's.
    #[inline]
    fn in_order(&self, event: u32) -> bool {
        match self.graph.at(event).twin {
            NONE => true,
            twin => {
                let (graph, e) = (&self.graph, self.graph.at(event));
                rank(graph, graph.at(twin)) <= rank(graph, e) || depends_on_twin(graph, event)
            }
        }
    }

    /// Threads taken for twins perform the same operations while they have read the same.
    #[inline]
    fn check_twin(&self, thread: u32) -> Result<(), Stop> {
        if !self.settings.twins {
            return Ok(());
        }
        let twin = match self.graph.last(thread) {
            NONE => NONE,
            last => self.graph.at(last).twin,
        };
        if twin == NONE {
            return Ok(());
        }
        let (mine, theirs) = (
            self.graph.at(self.graph.last(thread)).node,
            self.graph.at(twin).node,
        );
        let differ = mine != theirs && self.cache.op(mine) != self.cache.op(theirs);
        if differ && !matches!(self.cache.op(mine), Op::Spawn(_) | Op::Alloc(_)) {
            return Err(Stop::Restart(Doubt::Twins));
        }
        Ok(())
    }

    /// Before `thread` does `op`: who has joined one of a row must join them all at once.
    #[inline]
    fn check_joins(&self, thread: u32, op: &Op) -> Result<(), Stop> {
        if !self.settings.twins {
            return Ok(());
        }
        let last = self.graph.last(thread);
        if last == NONE || self.graph.at(last).kind != Kind::Join {
            return Ok(());
        }
        let joined = self.graph.at(last);
        let row = eldest(&self.graph, joined.rank);
        let size = self.row_size(row);
        if size == 1 {
            return Ok(());
        }
        let of_row = |other: u32| eldest(&self.graph, other) == row;
        let goes_on = matches!(*op, Op::Join(other) if of_row(other));
        let events = self.graph.threads[thread as usize].events.iter().rev();
        let joins = events.map(|&e| self.graph.at(e));
        let done = joins
            .take_while(|e| e.kind == Kind::Join && of_row(e.rank))
            .count();
        if joined.value != 0 || !goes_on && done < size {
            return Err(Stop::Restart(Doubt::Twins));
        }
        Ok(())
    }

    fn row_size(&self, row: u32) -> usize {
        (0..self.graph.threads.len() as u32)
            .filter(|&thread| eldest(&self.graph, thread) == row)
            .count()
    }
}

/// The first of a thread's row.
fn eldest(graph: &Graph, mut thread: u32) -> u32 {
    while graph.threads[thread as usize].elder != NONE {
        thread = graph.threads[thread as usize].elder;
    }
    thread
}

fn rank(graph: &Graph, event: &Event) -> u64 {
    match event.kind {
        Kind::Read => graph.rank_of(event.rf).into(),
        Kind::Write if !event.applied => event.rank.into(),
        // The usual course, 0, comes last: it is always open.
        Kind::Choice => u64::MAX - event.value,
        _ => 0,
    }
}

fn depends_on_twin(graph: &Graph, event: u32) -> bool {
    let Event { thread, index, .. } = *graph.at(event);
    let row = eldest(graph, thread);
    (0..graph.threads.len() as u32)
        .filter(|&other| other != thread && eldest(graph, other) == row)
        .filter_map(|other| graph.threads[other as usize].events.get(index as usize - 1))
        .any(|&other| graph.precedes_apart(other, event))
}
