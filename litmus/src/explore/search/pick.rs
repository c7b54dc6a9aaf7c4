//! Which thread goes on, and with what.

use super::super::cache::{Class, Fault, Source, Start, answer};
use super::super::graph::{NONE, Rmw};
use super::super::model::{MemoryModel, floor};
use super::super::program::{MemoryOrder, Op, Step, Value, truncate};
use super::{Doubt, Search, Stop};

impl<M: MemoryModel, S: Source> Search<M, S> {
    /// The node of the thread's next operation.
    #[inline]
    pub fn next_node(&mut self, thread: u32) -> Result<u32, Stop> {
        match self.graph.threads[thread as usize].next {
            NONE => self.find_next(thread),
            next => Ok(next),
        }
    }

    fn find_next(&mut self, thread: u32) -> Result<u32, Stop> {
        let state = &self.graph.threads[thread as usize];
        let next = match state.events.last() {
            None if state.root != NONE => state.root,
            None => {
                let start = match state.base {
                    NONE => Start::Static(self.source.class_of(thread)),
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
                node
            }
            Some(&last) => {
                let event = self.graph.at(last);
                if event.next == NONE {
                    let (node, answer) = (event.node, answer(&self.graph, event));
                    let next = self.after(thread, node, answer)?;
                    self.graph.at_mut(last).next = next;
                    next
                } else {
                    event.next
                }
            }
        };
        self.graph.threads[thread as usize].next = next;
        Ok(next)
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

    pub(super) fn after(&mut self, thread: u32, node: u32, answer: Value) -> Result<u32, Stop> {
        match self.cache.after(node, answer) {
            Some(next) => Ok(next),
            None => {
                let step = match self.cache.blocked(node, answer) {
                    Some(step) => step,
                    None => self.fetch(thread)?,
                };
                Ok(self.cache.add(node, answer, step))
            }
        }
    }

    #[cold]
    fn fetch(&mut self, thread: u32) -> Result<Step, Stop> {
        if self.graph.threads[thread as usize].events.len() >= self.settings.longest {
            return Err(self.endless(thread).into());
        }
        let mut step = self.source.fetch(&self.cache, &self.graph, thread)?;
        if self.source.has_learnt() {
            return Err(Stop::Restart(Doubt::Learnt));
        }
        if self.settings.twins && self.source.tells_twins_apart() {
            return Err(Stop::Restart(Doubt::Twins));
        }
        if let Some(location) = step.op.location() {
            self.meet(location.0);
            if let Op::Store { value, .. } = &mut step.op {
                *value = truncate(*value, self.graph.place(location.0).bits);
            }
        }
        if step.op == Op::Fence(MemoryOrder::SeqCst) && self.commuting.is_on() {
            return Err(Stop::Restart(Doubt::Fences));
        }
        Ok(step)
    }

    fn endless(&self, thread: u32) -> Fault {
        let last = self.graph.last(thread);
        let place = (last != NONE)
            .then(|| self.cache.node(self.graph.at(last).node).site.as_ref())
            .flatten()
            .map_or(String::new(), |site| format!(", the last at {site},"));
        Fault {
            events: vec![last],
            ..Fault::program(format!(
                "thread {} has performed {} operations{place} in one execution and goes on: a \
                 loop that waits must do so by await_until; one that ends, only later than \
                 this, needs a higher Explorer::max_events",
                self.source.thread_name(thread),
                self.settings.longest
            ))
        }
    }

    /// The next thread to add an event, a function of the graph alone: writes first, for
    /// fewer revisits, awaits last, for fewer blocked executions, else the leftmost. `latest`
    /// is what this said before the last event was added, or [`NONE`]. Whether an await could go on
    /// is looked up in the cache, or found by running the thread: both say what the program does,
    /// so another worker, with another cache, finds the same.
    pub(super) fn pick(&mut self, latest: u32) -> Result<Option<(u32, u32)>, Stop> {
        if latest != NONE && self.may_pick(latest) {
            let node = self.next_node(latest)?;
            // Those to the left of it had nothing like that, and only it has moved.
            if self.cache.class(node) == Class::Now {
                return Ok(Some((latest, node)));
            }
        }
        let count = self.put_in_order();
        let (mut read, mut awaits) = (None, false);
        for turn in 0..count {
            let Some(thread) = self.in_turn(turn) else {
                continue;
            };
            if !self.graph.threads[thread as usize].live || !self.may_pick(thread) {
                continue;
            }
            let node = self.next_node(thread)?;
            match self.cache.class(node) {
                Class::Now => return Ok(Some((thread, node))),
                Class::Read => read = read.or(Some((thread, node))),
                Class::Await => awaits = true,
                Class::Join => {
                    if let Op::Join(other) = *self.cache.op(node)
                        && self.ended(other)?.is_some()
                    {
                        return Ok(Some((thread, node)));
                    }
                }
                // Under a bound the others run on: see the module `bound`.
                Class::Fail if self.settings.preemptions.is_some() => {}
                Class::Fail => {
                    if let Op::Fail(message) = self.cache.op(node) {
                        return Err(self.assertion(thread, message.to_string()));
                    }
                }
                Class::Stay => {}
            }
        }
        if read.is_some() || !awaits {
            return Ok(read);
        }
        let mut first = None;
        for turn in 0..count {
            let Some(thread) = self.in_turn(turn) else {
                continue;
            };
            if !self.graph.threads[thread as usize].live || !self.may_pick(thread) {
                continue;
            }
            let node = self.next_node(thread)?;
            if self.cache.class(node) == Class::Await {
                if self.can_go_on(thread, node)? {
                    return Ok(Some((thread, node)));
                }
                first = first.or(Some((thread, node)));
            }
        }
        Ok(first)
    }

    /// Threads are gone through by their paths, not by the numbers that this search happens
    /// to have given them: so two searches that have met different parts of the program's
    /// executions choose the same thread in the same graph. How many there are.
    #[inline]
    fn put_in_order(&mut self) -> u32 {
        let count = self.graph.threads.len();
        if self.source.numbers_threads_alike() {
            return count as u32;
        }
        if self.order.len() < count {
            let source = &self.source;
            self.order.extend(self.order.len() as u32..count as u32);
            self.order.sort_by_key(|&thread| source.path(thread));
        }
        self.order.len() as u32
    }

    /// The thread whose turn it is, if the graph has it.
    #[inline]
    fn in_turn(&self, turn: u32) -> Option<u32> {
        if self.source.numbers_threads_alike() {
            return Some(turn);
        }
        let thread = self.order[turn as usize];
        ((thread as usize) < self.graph.threads.len()).then_some(thread)
    }

    /// What a thread returned, once it has ended.
    pub(super) fn ended(&mut self, thread: u32) -> Result<Option<Value>, Stop> {
        let node = self.next_node(thread)?;
        Ok(match self.cache.op(node) {
            Op::End => Some(0),
            Op::Return(value) => Some(*value),
            _ => None,
        })
    }

    /// Whether some write, free to be read, ends the thread's waiting.
    fn can_go_on(&mut self, thread: u32, node: u32) -> Result<bool, Stop> {
        let (location, exchange) = match *self.cache.op(node) {
            Op::Await { location, .. } => (location.0, None),
            Op::AwaitExchange {
                location,
                expected,
                new,
                ..
            } => (location.0, Some(Rmw::Exchange { expected, new })),
            Op::AwaitUpdate {
                location,
                guard,
                update,
                ..
            } => (location.0, Some(Rmw::If(guard, update))),
            _ => return Ok(true),
        };
        self.know(location);
        let floor = floor::<M>(&self.graph, location, self.graph.end_of(thread));
        let top = self.graph.place(location).co.len() as u32;
        for rank in (floor..=top).rev() {
            let write = self.graph.ranked(location, rank);
            let value = self.graph.value_of(location, write);
            let exclusive = |update| self.graph.writes(location, update, value);
            if self.graph.exclusive_at(location, rank + 1) && exchange.is_some_and(exclusive) {
                continue;
            }
            let known = self.cache.after(node, value);
            // Then it makes no difference whether it can be read.
            if known.is_some_and(|next| matches!(self.cache.op(next), Op::Block { .. })) {
                continue;
            }
            // The latest write can always be read.
            let next = match known.filter(|_| rank == top) {
                Some(next) => Some(next),
                None => {
                    let read = self.push_read(thread, node)?;
                    self.set_rf(read, write);
                    // Threads are never run on what they cannot have read.
                    let next = match M::admits(&self.graph, read, &mut self.scratch) {
                        true => Some(self.after(thread, node, value)?),
                        false => None,
                    };
                    self.graph.cut(read);
                    next
                }
            };
            if next.is_some_and(|next| !matches!(self.cache.op(next), Op::Block { .. })) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
