//! The search: every consistent execution graph once (TruSt, POPL 2022, figure 3 and
//! section 4), as a stack of frames instead of a recursion.
//!
//! A frame is a graph and the choices not yet taken in it, each tied to an event. Going
//! on means cutting the graph back to that event, taking the choice, and running the
//! program to the end with the coherence-latest choice everywhere. A backward revisit
//! copies what survives into a new frame. Choices of a frame are ordered by event, so
//! cutting never removes the event of one that remains.

mod add;
mod bound;
mod commute;
mod end;
mod memory;
mod pick;
mod probe;
mod race;
mod rebuild;
mod revisit;
mod symmetry;

pub(crate) use probe::probes;

use super::cache::{Cache, Fault, Source};
use super::graph::{Clock, Event, Graph, Kind, NONE};
use super::model::{MemoryModel, Scratch};
use super::parallel::{Claim, Worker};
use super::program::Op;
use commute::Commuting;
use memory::Memory;
use std::marker::PhantomData;

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

#[derive(Clone)]
struct Frame {
    graph: Graph,
    /// Where this frame's items begin in the common stack.
    items: usize,
}

/// What ends a search early.
pub(crate) enum Stop {
    Fault(Box<Fault>),
    /// The visitor has seen enough, or another worker has found an earlier fault.
    Ended,
    /// A reduction turned out not to apply: begin again without it.
    Restart(Doubt),
}

/// Why a reduction does not apply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Doubt {
    /// Threads taken for twins differ.
    Twins,
    /// Somebody looks at a location while it is being updated.
    Updates(u32),
    /// Seq_cst fences make the order of all updates visible.
    Fences,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

/// What a search is to do without.
#[derive(Clone, Default, Debug)]
pub(crate) struct Settings {
    /// Operations after which a thread counts as endless.
    pub longest: usize,
    /// Thread symmetry.
    pub twins: bool,
    /// Updates that commute.
    pub commute: bool,
    /// Locations at which they do not.
    pub ordered: Vec<u32>,
    /// The greatest number of revisits on the way to an execution.
    pub revisits: Option<usize>,
    /// The greatest number of preemptions of an execution.
    pub preemptions: Option<u32>,
}

pub(crate) struct Search<M, S> {
    pub graph: Graph,
    pub cache: Cache,
    pub source: S,
    settings: Settings,
    commuting: Commuting,
    items: Vec<(Item, u32)>,
    base: usize,
    frames: Vec<Frame>,
    spare: Vec<Graph>,
    scratch: Scratch,
    map: Vec<u32>,
    /// Choices taken on the way here.
    depth: u32,
    /// Whether a bound left something out.
    pub bounded: bool,
    model: PhantomData<M>,
}

impl<M, S> Drop for Search<M, S> {
    fn drop(&mut self) {
        Memory {
            graph: std::mem::take(&mut self.graph),
            spare: std::mem::take(&mut self.spare),
            cache: std::mem::take(&mut self.cache),
            items: std::mem::take(&mut self.items),
            map: std::mem::take(&mut self.map),
            scratch: std::mem::take(&mut self.scratch),
        }
        .keep();
    }
}

/// How a complete or dead graph ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Complete,
    Blocked,
}

impl<M: MemoryModel, S: Source> Search<M, S> {
    pub fn new(mut source: S, settings: Settings) -> Self {
        let Memory {
            mut graph,
            spare,
            cache,
            items,
            map,
            scratch,
        } = Memory::take();
        source.start(&mut graph);
        if settings.twins {
            source.pair(&mut graph);
        }
        Self {
            graph,
            cache,
            source,
            commuting: Commuting::new(settings.commute && M::UPDATES_COMMUTE, &settings.ordered),
            settings,
            items,
            base: 0,
            frames: Vec::new(),
            spare,
            scratch,
            map,
            depth: 0,
            bounded: false,
            model: PhantomData,
        }
    }

    /// Visits every graph; `visit` sees each complete or blocked one. With a worker, what
    /// other workers have claimed is left to them.
    pub fn run(
        &mut self,
        mut worker: Option<&mut Worker<'_>>,
        mut visit: impl FnMut(&mut Self, End) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut mine = worker.as_mut().is_none_or(|worker| worker.begin());
        loop {
            if let Some(end) = self.extend()?
                && mine
            {
                visit(self, end)?;
            }
            loop {
                let Some((item, depth)) = self.pop() else {
                    return Ok(());
                };
                if let Some(worker) = &mut worker {
                    match worker.claim(depth, item) {
                        Claim::Mine => mine = true,
                        Claim::Pass => mine = false,
                        Claim::Skip => continue,
                        Claim::Stop => return Err(Stop::Ended),
                    }
                }
                self.depth = depth;
                if self.enter(item)? {
                    break;
                }
            }
        }
    }

    fn push(&mut self, item: Item) {
        self.items.push((item, self.depth + 1));
    }

    /// Adds events until no thread can go on; `None` when the graph turns out inconsistent.
    fn extend(&mut self) -> Result<Option<End>, Stop> {
        let mut latest = NONE;
        loop {
            if self.graph.pending != NONE {
                if !self.finish_update()? {
                    return Ok(None);
                }
                continue;
            }
            let Some((thread, node)) = self.pick(latest)? else {
                if !self.is_within_bound() {
                    return Ok(None);
                }
                return self.end();
            };
            self.step(thread, node)?;
            // Who spawns may have put a thread to its left.
            let spawns = matches!(self.cache.op(node), Op::Spawn(_));
            latest = if spawns { NONE } else { thread };
        }
    }

    /// The youngest choice left; leaves frames in which none is.
    fn pop(&mut self) -> Option<(Item, u32)> {
        while self.items.len() == self.base {
            let frame = self.frames.pop()?;
            let done = std::mem::replace(&mut self.graph, frame.graph);
            self.spare.push(done);
            self.base = frame.items;
        }
        self.items.pop()
    }

    /// Takes a choice; false when nothing that comes of it is to be visited.
    fn enter(&mut self, item: Item) -> Result<bool, Stop> {
        Ok(self.take(item)? && !self.is_in_vain()? && self.may_stay_within_bound())
    }

    /// Takes a choice; false when it does not lead to a consistent graph.
    fn take(&mut self, item: Item) -> Result<bool, Stop> {
        match item {
            Item::Read { read, write } => {
                self.graph.cut(read + 1);
                self.set_rf(read, write);
                if !self.in_order(read) || !M::admits(&self.graph, read, &mut self.scratch) {
                    return Ok(false);
                }
                self.settle_read(read)?;
                Ok(true)
            }
            Item::Conflict { read, write, older } => {
                self.graph.cut(read + 1);
                self.set_rf(read, write);
                if !self.in_order(read) {
                    return Ok(false);
                }
                let write = self.add_update(read);
                self.revisit(older, write)
            }
            Item::Write { write, rank } => {
                self.graph.cut(write + 1);
                self.graph.remove_co(write);
                self.graph.insert_co(write, rank);
                Ok(self.admits_write(write))
            }
            Item::Choose { event, value } => {
                self.graph.cut(event + 1);
                let thread = self.graph.at(event).thread;
                self.graph.threads[thread as usize].next = NONE;
                let choice = self.graph.at_mut(event);
                (choice.value, choice.next) = (value.into(), NONE);
                Ok(self.in_order(event))
            }
            Item::Back { read, write } => {
                self.graph.cut(write + 1);
                self.revisit(read, write)
            }
        }
    }
}
