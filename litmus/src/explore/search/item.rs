//! Choices not yet taken.

use super::super::cache::Source;
use super::super::graph::Event;
use super::{Kind, Search};
use std::hash::{DefaultHasher, Hash, Hasher};

/// A choice not yet taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Item {
    /// The read reads another write.
    Read { read: u32, write: u32 },
    /// The update reads a write that another update continues already, and `older`, that
    /// other's read or one before it, reads the outcome: without this revisit the graph would
    /// not be consistent.
    Conflict { read: u32, write: u32, older: u32 },
    /// The write stands elsewhere in coherence order.
    Write { write: u32, rank: u32 },
    /// The older read reads the younger write.
    Back { read: u32, write: u32 },
    /// The choice falls differently.
    Choose { event: u32, value: u32 },
}

impl Item {
    /// The youngest event of the graph in which the choice is taken.
    pub fn event(self) -> u32 {
        match self {
            Self::Read { read: event, .. }
            | Self::Conflict { read: event, .. }
            | Self::Write { write: event, .. }
            | Self::Back { write: event, .. }
            | Self::Choose { event, .. } => event,
        }
    }
}

impl<M, S: Source> Search<M, S> {
    /// A hash of a choice and of the graph in which it is taken, to which it is cut. Positions are
    /// those of the order of addition, which is a function of the graph; locations and values go
    /// unmentioned, for a worker may have its own numbers for them, and follow from the rest. So
    /// does what was chosen for the youngest event before: a worker that has passed over an older
    /// choice has not tried it.
    pub(super) fn content(&mut self, item: Item) -> u64 {
        let youngest = item.event();
        self.graph.cut(youngest + 1);
        let open = *self.graph.at(youngest);
        let mut hasher = DefaultHasher::new();
        item.hash(&mut hasher);
        for event in &self.graph.events[..youngest as usize] {
            let Event {
                kind,
                order,
                exclusive,
                thread,
                location,
                rf,
                rank,
                value,
                ..
            } = *event;
            self.source.path(thread).hash(&mut hasher);
            (kind as u8, order as u8, exclusive, rf).hash(&mut hasher);
            match kind {
                Kind::Write => {
                    let after = open.kind == Kind::Write
                        && open.location == location
                        && open.rank != 0
                        && open.rank < rank;
                    (rank - u32::from(after)).hash(&mut hasher);
                }
                Kind::Choice => value.hash(&mut hasher),
                Kind::Join => self.source.path(rank).hash(&mut hasher),
                _ => {}
            }
        }
        (self.source.path(open.thread), open.kind as u8).hash(&mut hasher);
        hasher.finish()
    }
}
