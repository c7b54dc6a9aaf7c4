//! The search: every consistent execution graph once (TruSt, POPL 2022, figure 3 and
//! section 4), as a stack of frames instead of a recursion.
//!
//! A frame is a graph and the choices not yet taken in it, each tied to an event. Going
//! on means cutting the graph back to that event, taking the choice, and running the
//! program to the end with the coherence-latest choice everywhere. A backward revisit
//! copies what survives into a new frame. Choices of a frame are ordered by event, so
//! cutting never removes the event of one that remains.

mod rebuild;

use super::FailureKind;
use super::cache::{Cache, Fault, Source, Start, answer, race};
use super::graph::{Clock, Event, Graph, Kind, NONE, Rmw};
use super::model::{MemoryModel, Scratch, floor};
use super::program::{MemoryOrder, Op, Value, Wait, truncate};
use std::marker::PhantomData;

/// A choice not yet taken.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item {
    /// The read reads another write.
    Read { read: u32, write: u32 },
    /// The update reads a write that another update continues already. Such a graph is
    /// not visited, but revisiting that other update may come out consistent.
    Conflict { read: u32, write: u32 },
    /// The write stands elsewhere in coherence order.
    Write { write: u32, rank: u32 },
    /// The older read reads the younger write.
    Back { read: u32, write: u32 },
    /// The choice falls differently.
    Choose { event: u32, value: Value },
}

pub(crate) struct Frame {
    pub graph: Graph,
    /// Where this frame's items begin in the common stack.
    pub items: usize,
}

/// What the search ran into.
pub(crate) enum Stop {
    Fault(Fault),
    /// The visitor has seen enough.
    Ended,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

pub(crate) struct Search<M, S> {
    pub graph: Graph,
    pub cache: Cache,
    pub source: S,
    items: Vec<Item>,
    base: usize,
    frames: Vec<Frame>,
    spare: Vec<Graph>,
    scratch: Scratch,
    keep: Vec<bool>,
    map: Vec<u32>,
    longest: usize,
    model: PhantomData<M>,
}

/// How a complete or dead graph ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Complete,
    Blocked,
}

impl<M: MemoryModel, S: Source> Search<M, S> {
    pub fn new(mut source: S, longest: usize) -> Self {
        let mut graph = Graph::new();
        source.start(&mut graph);
        Self {
            graph,
            cache: Cache::default(),
            source,
            items: Vec::new(),
            base: 0,
            frames: Vec::new(),
            spare: Vec::new(),
            scratch: Scratch::default(),
            keep: Vec::new(),
            map: Vec::new(),
            longest,
            model: PhantomData,
        }
    }

    /// Visits every graph; `visit` sees each complete or blocked one.
    pub fn run(
        &mut self,
        mut visit: impl FnMut(&mut Self, End) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        loop {
            if let Some(end) = self.extend()? {
                visit(self, end)?;
            }
            if !self.backtrack()? {
                return Ok(());
            }
        }
    }

    /// Adds events until no thread can go on; `None` when the graph turns out inconsistent.
    fn extend(&mut self) -> Result<Option<End>, Stop> {
        loop {
            if self.graph.pending != NONE {
                if !self.finish_update()? {
                    return Ok(None);
                }
                continue;
            }
            let Some((thread, node)) = self.pick()? else {
                return self.end().map(Some);
            };
            self.step(thread, node)?;
        }
    }

    /// The node of the thread's next operation.
    pub fn next_node(&mut self, thread: u32) -> Result<u32, Stop> {
        let state = &self.graph.threads[thread as usize];
        match state.events.last() {
            None if state.root != NONE => Ok(state.root),
            None => {
                let start = match state.base {
                    NONE => Start::Static(thread),
                    spawn => Start::Spawned(self.graph.at(spawn).node),
                };
                let node = match self.cache.root(start) {
                    Some(node) => node,
                    None => {
                        let step = self.fetch(thread)?;
                        self.cache.add_root(start, step)
                    }
                };
                self.graph.threads[thread as usize].root = node;
                Ok(node)
            }
            Some(&last) => {
                let event = self.graph.at(last);
                if event.next != NONE {
                    return Ok(event.next);
                }
                let (node, answer) = (event.node, answer(&self.graph, event));
                let next = match self.cache.after(node, answer) {
                    Some(next) => next,
                    None => {
                        let step = self.fetch(thread)?;
                        self.cache.add(node, answer, step)
                    }
                };
                self.graph.at_mut(last).next = next;
                Ok(next)
            }
        }
    }

    /// Lets every thread run to its next operation, so that whatever it notes down on the
    /// way is known; for a failing graph, in which some were not asked.
    pub fn look_ahead(&mut self) {
        for thread in 0..self.graph.threads.len() as u32 {
            if self.graph.threads[thread as usize].live && self.graph.pending != thread {
                // A fault there is not the one being reported.
                let _ = self.next_node(thread);
            }
        }
    }

    fn fetch(&mut self, thread: u32) -> Result<super::program::Step, Stop> {
        if self.graph.threads[thread as usize].events.len() >= self.longest {
            return Err(Fault::program(format!(
                "thread {} has performed {} operations in one execution and goes on: a loop \
                 without end must wait by await_until (or the limit raised by \
                 Explorer::max_events)",
                self.source.thread_name(thread),
                self.longest
            ))
            .into());
        }
        let mut step = self.source.fetch(&self.cache, &self.graph, thread)?;
        if let Some(location) = step.op.location() {
            let info = self.source.location(location.0);
            self.graph
                .ensure_place(location.0, truncate(info.initial, info.bits), info.bits);
            if let Op::Store { value, .. } = &mut step.op {
                *value = truncate(*value, info.bits);
            }
        }
        Ok(step)
    }

    /// The next thread to add an event, a function of the graph alone: writes first, for
    /// fewer revisits, awaits last, for fewer blocked executions, else the leftmost.
    fn pick(&mut self) -> Result<Option<(u32, u32)>, Stop> {
        let (mut read, mut awaits) = (None, false);
        for thread in 0..self.graph.threads.len() as u32 {
            if !self.graph.threads[thread as usize].live {
                continue;
            }
            let node = self.next_node(thread)?;
            match self.cache.op(node) {
                Op::Store { .. } | Op::Fence(_) | Op::Choose(_) | Op::Observe(_) | Op::Spawn(_) => {
                    return Ok(Some((thread, node)));
                }
                Op::Load { .. } | Op::Update { .. } | Op::CompareExchange { .. } => {
                    read = read.or(Some((thread, node)));
                }
                Op::Await { .. } | Op::AwaitExchange { .. } => awaits = true,
                &Op::Join(other) => {
                    if self.ended(other)?.is_some() {
                        return Ok(Some((thread, node)));
                    }
                }
                Op::Fail(message) => {
                    return Err(self.assertion(thread, message.to_string()));
                }
                Op::Block { .. } | Op::End | Op::Return(_) => {}
            }
        }
        if read.is_some() || !awaits {
            return Ok(read);
        }
        let mut first = None;
        for thread in 0..self.graph.threads.len() as u32 {
            if !self.graph.threads[thread as usize].live {
                continue;
            }
            let node = self.next_node(thread)?;
            if matches!(
                self.cache.op(node),
                Op::Await { .. } | Op::AwaitExchange { .. }
            ) {
                if self.can_go_on(thread, node)? {
                    return Ok(Some((thread, node)));
                }
                first = first.or(Some((thread, node)));
            }
        }
        Ok(first)
    }

    /// What a thread returned, once it has ended.
    fn ended(&mut self, thread: u32) -> Result<Option<Value>, Stop> {
        let node = self.next_node(thread)?;
        Ok(match self.cache.op(node) {
            Op::End => Some(0),
            Op::Return(value) => Some(*value),
            _ => None,
        })
    }

    /// Whether some write, free to be read, ends the thread's waiting.
    fn can_go_on(&mut self, thread: u32, node: u32) -> Result<bool, Stop> {
        let read = self.push_read(thread, node);
        let location = self.graph.at(read).location;
        let mut found = false;
        for rank in floor::<M>(&self.graph, read)..=self.graph.place(location).co.len() as u32 {
            let write = self.graph.ranked(location, rank);
            self.set_rf(read, write);
            if self.graph.at(read).exclusive && self.graph.exclusive_at(location, rank + 1) {
                continue;
            }
            if !self.blocks(thread, read)? {
                found = true;
                break;
            }
        }
        self.graph.cut(read);
        Ok(found)
    }

    /// Whether the thread, having read what it reads, blocks at once.
    fn blocks(&mut self, thread: u32, read: u32) -> Result<bool, Stop> {
        let Event { node, value, .. } = *self.graph.at(read);
        let next = match self.cache.after(node, value) {
            Some(next) => next,
            None => {
                let step = self.fetch(thread)?;
                self.cache.add(node, value, step)
            }
        };
        Ok(matches!(self.cache.op(next), Op::Block { .. }))
    }

    /// Adds the thread's next operation.
    fn step(&mut self, thread: u32, node: u32) -> Result<(), Stop> {
        match *self.cache.op(node) {
            Op::Load { .. }
            | Op::Await { .. }
            | Op::Update { .. }
            | Op::CompareExchange { .. }
            | Op::AwaitExchange { .. } => self.add_read(thread, node),
            Op::Store {
                location,
                order,
                value,
            } => {
                let write = self.graph.push(thread, Kind::Write, order, node);
                self.graph.access(write, location.0);
                self.graph.at_mut(write).value = value;
                self.graph.set_message(write);
                let floor = floor::<M>(&self.graph, write);
                let top = self.graph.place(location.0).co.len() as u32 + 1;
                self.graph.insert_co(write, top);
                self.check_race(write)?;
                for rank in floor + 1..top {
                    // Nothing stands between an update's write and what it read.
                    if !self.graph.exclusive_at(location.0, rank) {
                        self.items.push(Item::Write { write, rank });
                    }
                }
                self.push_revisits(write, NONE);
                Ok(())
            }
            Op::Fence(order) => {
                let fence = self.graph.push(thread, Kind::Fence, order, node);
                self.graph.set_fence(fence);
                // Nothing is after a fence: no cycle can pass through it yet.
                Ok(())
            }
            Op::Choose(ways) => {
                let event = self
                    .graph
                    .push(thread, Kind::Choice, MemoryOrder::Relaxed, node);
                for value in 1..u64::from(ways) {
                    self.items.push(Item::Choose { event, value });
                }
                Ok(())
            }
            Op::Observe(question) => {
                let event = self
                    .graph
                    .push(thread, Kind::Observe, MemoryOrder::Relaxed, node);
                let value = self
                    .source
                    .observe(&self.cache, &self.graph, event, question);
                self.graph.at_mut(event).value = value;
                Ok(())
            }
            Op::Spawn(child) => {
                let event = self
                    .graph
                    .push(thread, Kind::Spawn, MemoryOrder::AcqRel, node);
                self.graph.at_mut(event).value = u64::from(child);
                self.graph.ensure_thread(child);
                let state = &mut self.graph.threads[child as usize];
                state.live = true;
                state.base = event;
                state.root = NONE;
                Ok(())
            }
            Op::Join(other) => {
                let value = self.ended(other)?.unwrap_or(0);
                let event = self
                    .graph
                    .push(thread, Kind::Join, MemoryOrder::AcqRel, node);
                self.graph.at_mut(event).value = value;
                self.graph.at_mut(event).rank = other;
                self.graph.set_join(event, other);
                Ok(())
            }
            Op::Block { .. } | Op::Fail(_) | Op::End | Op::Return(_) => Ok(()),
        }
    }

    /// Appends the reading event of an operation, reads-from open.
    fn push_read(&mut self, thread: u32, node: u32) -> u32 {
        let (location, order) = match *self.cache.op(node) {
            Op::Load { location, order }
            | Op::Await { location, order }
            | Op::Update {
                location, order, ..
            }
            | Op::AwaitExchange {
                location, order, ..
            } => (location.0, order),
            Op::CompareExchange {
                location, success, ..
            } => (location.0, success),
            _ => unreachable!("not a read"),
        };
        let read = self.graph.push(thread, Kind::Read, order, node);
        self.graph.access(read, location);
        read
    }

    /// Sets reads-from and all that depends on the value: whether an update succeeds, and
    /// the order that then counts.
    fn set_rf(&mut self, read: u32, write: u32) {
        let Event {
            node,
            location,
            order: now,
            ..
        } = *self.graph.at(read);
        let old = if write == NONE {
            self.graph.place(location).initial
        } else {
            self.graph.at(write).value
        };
        let (exclusive, order) = match self.update_of(node) {
            None => (false, now),
            Some((update, success, failure)) => match self.graph.written(location, update, old) {
                Some(_) => (true, success),
                None => (false, failure),
            },
        };
        self.graph.at_mut(read).exclusive = exclusive;
        if order != now {
            self.graph.at_mut(read).order = order;
            if order.is_seq_cst() != now.is_seq_cst() {
                let nodes = &mut self.graph.seq_cst;
                match nodes.binary_search(&read) {
                    Ok(i) => drop(nodes.remove(i)),
                    Err(i) => nodes.insert(i, read),
                }
            }
        }
        self.graph.set_rf(read, write);
    }

    fn update_of(&self, node: u32) -> Option<(Rmw, MemoryOrder, MemoryOrder)> {
        match *self.cache.op(node) {
            Op::Update { order, update, .. } => Some((Rmw::Update(update), order, order)),
            Op::CompareExchange {
                expected,
                new,
                success,
                failure,
                ..
            } => Some((Rmw::Exchange { expected, new }, success, failure)),
            Op::AwaitExchange {
                expected,
                new,
                order,
                ..
            } => Some((Rmw::Exchange { expected, new }, order, MemoryOrder::Relaxed)),
            _ => None,
        }
    }

    fn add_read(&mut self, thread: u32, node: u32) -> Result<(), Stop> {
        let read = self.push_read(thread, node);
        let location = self.graph.at(read).location;
        let top = self.graph.place(location).co.len() as u32;
        for rank in floor::<M>(&self.graph, read)..top {
            let write = self.graph.ranked(location, rank);
            self.set_rf(read, write);
            if self.graph.at(read).exclusive && self.graph.exclusive_at(location, rank + 1) {
                let other = self.graph.at(self.graph.ranked(location, rank + 1)).before;
                if !self.graph.precedes(other, read, Clock::Porf) {
                    self.items.push(Item::Conflict { read, write });
                }
            } else if !self.blocks(thread, read)? {
                // A thread that blocks on an old value is of no use: it goes on only by
                // reading something else, and the latest value blocks it just as well.
                self.items.push(Item::Read { read, write });
            }
        }
        self.set_rf(read, self.graph.ranked(location, top));
        self.settle_read(read)
    }

    /// After the choice of a read's reads-from.
    fn settle_read(&mut self, read: u32) -> Result<(), Stop> {
        // Overwrites what cutting found: the same read may have succeeded before.
        let Event {
            exclusive, thread, ..
        } = *self.graph.at(read);
        self.graph.pending = if exclusive { thread } else { NONE };
        self.check_race(read)
    }

    /// Adds the writing event of the update whose read was just settled; false when the
    /// graph is not consistent with it.
    fn finish_update(&mut self) -> Result<bool, Stop> {
        let read = self.last_of(self.graph.pending);
        let write = self.add_update(read);
        let admitted = M::admits(&self.graph, write, &mut self.scratch);
        if admitted {
            self.check_race(write)?;
        }
        self.push_revisits(write, NONE);
        Ok(admitted)
    }

    fn last_of(&self, thread: u32) -> u32 {
        self.graph.threads[thread as usize]
            .events
            .last()
            .copied()
            .unwrap_or(NONE)
    }

    fn add_update(&mut self, read: u32) -> u32 {
        let Event {
            thread,
            order,
            node,
            location,
            rf,
            value,
            ..
        } = *self.graph.at(read);
        let written = match self.update_of(node) {
            Some((update, ..)) => self.graph.written(location, update, value),
            None => None,
        };
        let write = self.graph.push(thread, Kind::Write, order, node);
        self.graph.access(write, location);
        let event = self.graph.at_mut(write);
        event.value = written.unwrap_or(value);
        event.exclusive = true;
        let rank = self.graph.rank_of(rf) + 1;
        self.graph.insert_co(write, rank);
        self.graph.set_message(write);
        self.graph.pending = NONE;
        write
    }

    fn check_race(&mut self, event: u32) -> Result<(), Stop> {
        let Some(other) = race(&self.graph, event) else {
            return Ok(());
        };
        Err(Stop::Fault(Fault {
            kind: FailureKind::DataRace,
            message: String::new(),
            events: vec![other, event],
        }))
    }

    fn assertion(&self, thread: u32, message: String) -> Stop {
        let last = self.last_of(thread);
        let events = if last == NONE { Vec::new() } else { vec![last] };
        Stop::Fault(Fault {
            kind: FailureKind::Assertion,
            message,
            events,
        })
    }

    /// Takes the youngest choice left; false when there is none.
    fn backtrack(&mut self) -> Result<bool, Stop> {
        loop {
            if self.items.len() == self.base {
                let Some(frame) = self.frames.pop() else {
                    return Ok(false);
                };
                let done = std::mem::replace(&mut self.graph, frame.graph);
                self.spare.push(done);
                self.base = frame.items;
            } else if let Some(item) = self.items.pop()
                && self.take(item)?
            {
                return Ok(true);
            }
        }
    }

    /// Takes a choice; false when it does not lead to a consistent graph.
    fn take(&mut self, item: Item) -> Result<bool, Stop> {
        match item {
            Item::Read { read, write } => {
                self.graph.cut(read + 1);
                self.set_rf(read, write);
                if !M::admits(&self.graph, read, &mut self.scratch) {
                    return Ok(false);
                }
                self.settle_read(read)?;
                Ok(true)
            }
            Item::Conflict { read, write } => {
                self.graph.cut(read + 1);
                self.set_rf(read, write);
                let Event { location, .. } = *self.graph.at(read);
                let other = self.graph.ranked(location, self.graph.rank_of(write) + 1);
                let other = self.graph.at(other).before;
                let write = self.add_update(read);
                self.push_revisits(write, other);
                Ok(false)
            }
            Item::Write { write, rank } => {
                self.graph.cut(write + 1);
                self.graph.remove_co(write);
                self.graph.insert_co(write, rank);
                Ok(self.admits_write(write))
            }
            Item::Choose { event, value } => {
                self.graph.cut(event + 1);
                self.graph.at_mut(event).value = value;
                self.graph.at_mut(event).next = NONE;
                Ok(true)
            }
            Item::Back { read, write } => {
                self.graph.cut(write + 1);
                self.revisit(read, write)
            }
        }
    }

    fn admits_write(&mut self, write: u32) -> bool {
        let location = self.graph.at(write).location;
        M::admits(&self.graph, write, &mut self.scratch)
            && self.graph.place(location).accesses.iter().all(|&access| {
                let event = self.graph.at(access);
                event.kind != Kind::Read
                    || event.rf != write
                    || M::admits(&self.graph, access, &mut self.scratch)
            })
    }

    /// Finds the reads that may be made to read from the new write, as deep as everything
    /// to be deleted is maximal. Only reads not younger than `limit` count.
    fn push_revisits(&mut self, write: u32, limit: u32) {
        let location = self.graph.at(write).location;
        for event in (0..write).rev() {
            if self.graph.precedes(event, write, Clock::Porf) {
                continue;
            }
            if !self.is_maximal(event, write) {
                break;
            }
            let e = self.graph.at(event);
            if e.kind == Kind::Read && e.location == location && (limit == NONE || event <= limit) {
                self.items.push(Item::Back { read: event, write });
            }
        }
    }

    /// Whether `event` is what the search would have added first, given the events before
    /// it and those in the prefix of `revisitor` (TruSt, definition 4.2 in the reading of
    /// the Coq development): it reads from, or is, the coherence-latest of their writes.
    fn is_maximal(&self, event: u32, revisitor: u32) -> bool {
        let graph = &self.graph;
        let counts =
            |q: u32| q <= event || q != revisitor && graph.precedes(q, revisitor, Clock::Porf);
        let Event {
            kind,
            rf,
            rank,
            location,
            value,
            ..
        } = *graph.at(event);
        let rank = match kind {
            Kind::Read if rf != NONE && !counts(rf) => return false,
            Kind::Read => graph.rank_of(rf),
            Kind::Write => rank,
            Kind::Choice => return value == 0,
            Kind::Fence | Kind::Observe | Kind::Spawn | Kind::Join => return true,
        };
        !graph.place(location).co[rank as usize..]
            .iter()
            .any(|&later| counts(later))
    }

    /// Makes `read` read from the youngest event `write`, in a new frame, without what
    /// was added after the read and is not in the prefix of the write.
    fn revisit(&mut self, read: u32, write: u32) -> Result<bool, Stop> {
        self.keep.clear();
        for event in 0..=write {
            let kept = event <= read || self.graph.precedes(event, write, Clock::Porf);
            self.keep.push(kept);
        }
        let mut next = self.spare.pop().unwrap_or_default();
        if !self
            .graph
            .restrict(&self.keep, read, &mut next, &mut self.map)
        {
            self.spare.push(next);
            return Ok(false);
        }
        let (read, write) = (self.map[read as usize], self.map[write as usize]);
        let previous = std::mem::replace(&mut self.graph, next);
        let outer = self.base;
        self.base = self.items.len();
        let found = self.place_revisit(read, write);
        if !matches!(found, Ok(false)) {
            if self.base == outer {
                self.spare.push(previous); // nothing left to do in that frame
            } else {
                self.frames.push(Frame {
                    graph: previous,
                    items: outer,
                });
            }
            // A failing graph stays where the report finds it.
            return found;
        }
        let failed = std::mem::replace(&mut self.graph, previous);
        self.spare.push(failed);
        self.base = outer;
        Ok(false)
    }

    /// Finds the places in coherence order at which the revisiting write is consistent;
    /// takes the last, leaves the others as choices.
    fn place_revisit(&mut self, read: u32, write: u32) -> Result<bool, Stop> {
        let location = self.graph.at(write).location;
        self.graph.base_clocks(read);
        let lowest = floor::<M>(&self.graph, read).max(floor::<M>(&self.graph, write)) + 1;
        let top = self.graph.place(location).co.len() as u32 + 1;
        let (from, to) = if self.graph.at(write).exclusive {
            let rank = self
                .graph
                .rank_of(self.graph.at(self.graph.at(write).before).rf)
                + 1;
            if rank < lowest {
                return Ok(false);
            }
            (rank, rank)
        } else {
            (lowest, top)
        };
        let mut found = false;
        for rank in (from..=to).rev() {
            if self.graph.exclusive_at(location, rank) {
                continue;
            }
            if found {
                self.items.push(Item::Write { write, rank });
                continue;
            }
            self.graph.insert_co(write, rank);
            self.set_rf(read, write);
            if self.admits_write(write) {
                found = true;
            } else {
                self.graph.remove_co(write);
            }
        }
        if found {
            self.settle_read(read)?;
        }
        Ok(found)
    }

    /// No thread can go on: is the execution complete, or do threads wait for ever?
    fn end(&mut self) -> Result<End, Stop> {
        let mut stuck = Vec::new();
        let mut pruned = false;
        for thread in 0..self.graph.threads.len() as u32 {
            if !self.graph.threads[thread as usize].live {
                continue;
            }
            let node = self.next_node(thread)?;
            match *self.cache.op(node) {
                Op::Block {
                    wait: Wait::Assume, ..
                } => pruned = true,
                Op::Block { reads, .. } => {
                    stuck.push(self.last_of(thread));
                    pruned |= !self.reads_latest(thread, reads);
                }
                Op::Join(_) => stuck.push(self.last_of(thread)),
                _ => {}
            }
        }
        if stuck.is_empty() && !pruned {
            return Ok(End::Complete);
        }
        if !pruned {
            stuck.retain(|&e| e != NONE);
            return Err(Stop::Fault(Fault {
                kind: FailureKind::Deadlock,
                message: String::new(),
                events: stuck,
            }));
        }
        Ok(End::Blocked)
    }

    /// Whether the thread's latest `reads` reads all see the latest write: then fairness
    /// of propagation does not help it.
    fn reads_latest(&self, thread: u32, reads: u32) -> bool {
        let events = &self.graph.threads[thread as usize].events;
        let reads = events
            .iter()
            .rev()
            .filter(|&&e| self.graph.at(e).kind == Kind::Read)
            .take(reads as usize);
        reads.into_iter().all(|&read| {
            let Event { rf, location, .. } = *self.graph.at(read);
            self.graph.rank_of(rf) as usize == self.graph.place(location).co.len()
        })
    }
}
