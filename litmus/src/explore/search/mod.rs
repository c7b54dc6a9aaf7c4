//! The search as a stack of frames instead of a recursion: the algorithm itself is in the module
//! `trust`, what is laid over it in `layer` and the layers.
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
mod forget;
mod item;
mod layer;
mod memory;
mod pick;
mod probe;
mod race;
mod rebuild;
mod symmetry;
mod trust;
mod vain;

pub(crate) use probe::probes;
pub(in crate::explore) use race::first_clash;

use super::cache::{Cache, Fault, Source};
use super::graph::{Clock, Event, Graph, Kind, NONE};
use super::model::{MemoryModel, Scratch};
use super::parallel::{Claim, Worker};
use commute::Commuting;
use item::Item;
use memory::Memory;
use std::marker::PhantomData;

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
    /// The source has learnt something that changes what the program does: see
    /// [`Source::has_learnt`].
    Learnt,
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
    /// Whether others search as well: what is assumed must then not depend on what was met first.
    pub shared: bool,
    /// The greatest number of revisits on the way to an execution.
    pub revisits: Option<usize>,
    /// The greatest number of preemptions of an execution.
    pub preemptions: Option<u32>,
    /// Operations known from which on those that no graph has any more are forgotten.
    pub known: usize,
    /// Races and threads that wait for ever are part of what is looked for, not its end.
    pub survey: bool,
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
    /// The threads that the source has told of, in order of their paths.
    order: Vec<u32>,
    /// How many operations the cache may know before some are forgotten.
    full: usize,
    /// Choices taken on the way here.
    depth: u32,
    /// Whether a bound left something out.
    pub bounded: bool,
    /// Whether there were threads taken to be interchangeable.
    pub symmetric: bool,
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
        let symmetric = graph.threads.iter().any(|thread| thread.elder != NONE);
        Self {
            graph,
            cache,
            source,
            commuting: Commuting::new(
                settings.commute && M::UPDATES_COMMUTE,
                &settings.ordered,
                settings.shared,
            ),
            full: settings.known,
            settings,
            items,
            base: 0,
            frames: Vec::new(),
            spare,
            scratch,
            map,
            order: Vec::new(),
            depth: 0,
            bounded: false,
            symmetric,
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
            if self.cache.len() >= self.full {
                self.forget()?;
            }
            loop {
                let Some((item, depth)) = self.pop() else {
                    return Ok(());
                };
                if let Some(worker) = &mut worker {
                    match worker.claim(depth, || self.content(item)) {
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
}
