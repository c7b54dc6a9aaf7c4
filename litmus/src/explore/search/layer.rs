//! What is laid over TruSt to visit fewer graphs: each layer says of some graphs that they need not
//! be visited, and why nothing is lost by that stands in its module.

use super::super::cache::Source;
use super::super::model::MemoryModel;
use super::bound::Preemptions;
use super::commute::Updates;
use super::symmetry::Twins;
use super::vain::Vain;
use super::{Search, Stop};

/// A layer; what it does not care about it leaves as it is.
pub(super) trait Layer<M: MemoryModel, S: Source> {
    /// Whether the thread may be the next to add an event.
    #[inline]
    fn may_pick(_search: &Search<M, S>, _thread: u32) -> bool {
        true
    }

    /// Before the thread adds the operation of a node.
    #[inline]
    fn before_add(_search: &Search<M, S>, _thread: u32, _node: u32) -> Result<(), Stop> {
        Ok(())
    }

    /// Before the reads-from or place of a new access is chosen.
    #[inline]
    fn before_choice(_search: &Search<M, S>, _access: u32) -> Result<(), Stop> {
        Ok(())
    }

    /// After the thread has added an event.
    #[inline]
    fn after_add(_search: &Search<M, S>, _thread: u32) -> Result<(), Stop> {
        Ok(())
    }

    /// Whether a write other than the latest may be worth trying for a read, by what is known without running the
    /// program.
    #[inline]
    fn may_be_worth_reading(_: &Search<M, S>, _read: u32, _write: u32) -> bool {
        true
    }

    /// Whether the read, which reads a write other than the latest, as it can, is worth it.
    #[inline]
    fn is_worth_reading(_: &mut Search<M, S>, _read: u32) -> Result<bool, Stop> {
        Ok(true)
    }

    /// After a revisit has taken events out of the graph.
    #[inline]
    fn after_cut(_search: &mut Search<M, S>) {}

    /// Whether the graph is to be visited in which what `event` reads, or where it stands, was just
    /// chosen.
    #[inline]
    fn keeps(_search: &Search<M, S>, _event: u32) -> bool {
        true
    }

    /// Whether anything that comes of the graph, in which a choice was just taken, is to be
    /// visited.
    #[inline]
    fn goes_on(_search: &mut Search<M, S>) -> Result<bool, Stop> {
        Ok(true)
    }

    /// When no thread can go on: whether the execution is to be visited.
    #[inline]
    fn at_end(_search: &mut Search<M, S>) -> Result<bool, Stop> {
        Ok(true)
    }
}

impl<M: MemoryModel, S: Source> Search<M, S> {
    #[inline]
    pub(super) fn may_pick(&self, thread: u32) -> bool {
        Twins::may_pick(self, thread)
            && Updates::may_pick(self, thread)
            && Vain::may_pick(self, thread)
            && Preemptions::may_pick(self, thread)
    }

    #[inline]
    pub(super) fn before_add(&self, thread: u32, node: u32) -> Result<(), Stop> {
        Twins::before_add(self, thread, node)?;
        Updates::before_add(self, thread, node)?;
        Vain::before_add(self, thread, node)?;
        Preemptions::before_add(self, thread, node)
    }

    #[inline]
    pub(super) fn before_choice(&self, access: u32) -> Result<(), Stop> {
        Twins::before_choice(self, access)?;
        Updates::before_choice(self, access)?;
        Vain::before_choice(self, access)?;
        Preemptions::before_choice(self, access)
    }

    #[inline]
    pub(super) fn after_add(&self, thread: u32) -> Result<(), Stop> {
        Twins::after_add(self, thread)?;
        Updates::after_add(self, thread)?;
        Vain::after_add(self, thread)?;
        Preemptions::after_add(self, thread)
    }

    #[inline]
    pub(super) fn may_be_worth_reading(&self, read: u32, write: u32) -> bool {
        Twins::may_be_worth_reading(self, read, write)
            && Updates::may_be_worth_reading(self, read, write)
            && Vain::may_be_worth_reading(self, read, write)
            && Preemptions::may_be_worth_reading(self, read, write)
    }

    #[inline]
    pub(super) fn is_worth_reading(&mut self, read: u32) -> Result<bool, Stop> {
        Ok(Twins::is_worth_reading(self, read)?
            && Updates::is_worth_reading(self, read)?
            && Vain::is_worth_reading(self, read)?
            && Preemptions::is_worth_reading(self, read)?)
    }

    #[inline]
    pub(super) fn after_cut(&mut self) {
        Twins::after_cut(self);
        Updates::after_cut(self);
        Vain::after_cut(self);
        Preemptions::after_cut(self);
    }

    #[inline]
    pub(super) fn keeps(&self, event: u32) -> bool {
        Twins::keeps(self, event)
            && Updates::keeps(self, event)
            && Vain::keeps(self, event)
            && Preemptions::keeps(self, event)
    }

    #[inline]
    pub(super) fn goes_on(&mut self) -> Result<bool, Stop> {
        Ok(Twins::goes_on(self)?
            && Updates::goes_on(self)?
            && Vain::goes_on(self)?
            && Preemptions::goes_on(self)?)
    }

    #[inline]
    pub(super) fn at_end(&mut self) -> Result<bool, Stop> {
        Ok(Twins::at_end(self)?
            && Updates::at_end(self)?
            && Vain::at_end(self)?
            && Preemptions::at_end(self)?)
    }
}
