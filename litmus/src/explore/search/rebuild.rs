//! Building one given graph: how a trace is replayed.

use super::super::cache::{Fault, Source};
use super::super::graph::{Event, Kind, NONE};
use super::super::model::{MemoryModel, floor};
use super::super::program::{MemoryOrder, Op, operation};
use super::{End, Search, Stop};
use crate::explore::trace::{Id, Token, Trace};
use std::collections::HashMap;

/// What has been built so far.
struct Built<'t> {
    trace: &'t Trace,
    /// Threads of the trace as the program numbers them now.
    actual: HashMap<u32, u32>,
    /// Operations done, by thread of the trace.
    done: HashMap<u32, usize>,
    /// The last event of each operation.
    events: HashMap<Id, u32>,
}

impl Built<'_> {
    fn tokens(&self, thread: u32) -> &[Token] {
        let found = self.trace.threads.iter().find(|(t, _)| *t == thread);
        found.map_or(&[], |(_, tokens)| tokens)
    }

    /// Whether what an operation needs has been built.
    fn is_ready(&self, token: Token) -> bool {
        match token {
            Token::Read(Some(id)) | Token::Update(Some(id)) => self.events.contains_key(&id),
            Token::Join(thread) => {
                self.done.get(&thread).copied().unwrap_or(0) == self.tokens(thread).len()
            }
            _ => true,
        }
    }
}

fn refused(message: String) -> Stop {
    Fault::program(format!("the trace does not fit this program: {message}")).into()
}

impl<M: MemoryModel, S: Source> Search<M, S> {
    /// Builds the graph of a trace by running the program once, in an order that keeps
    /// reads-from.
    pub fn rebuild(&mut self, trace: &Trace) -> Result<End, Stop> {
        let mut built = Built {
            trace,
            actual: HashMap::new(),
            done: HashMap::new(),
            events: HashMap::new(),
        };
        for (t, thread) in self.graph.threads.iter().enumerate() {
            if thread.live {
                built.actual.insert(t as u32, t as u32);
            }
        }
        loop {
            let (mut left, mut moved) = (false, false);
            for (thread, tokens) in &trace.threads {
                loop {
                    let at = built.done.get(thread).copied().unwrap_or(0);
                    let Some(&token) = tokens.get(at) else { break };
                    left = true;
                    let Some(&actual) = built.actual.get(thread) else {
                        break;
                    };
                    if !built.is_ready(token) {
                        break;
                    }
                    self.rebuild_one(&mut built, (*thread, at as u32 + 1), actual, token)?;
                    built.done.insert(*thread, at + 1);
                    moved = true;
                }
            }
            if !left {
                break;
            }
            if !moved {
                return Err(refused(
                    "an operation reads from one that is never done".into(),
                ));
            }
        }
        (0..self.graph.len()).try_for_each(|event| self.find_race(event))?;
        for thread in 0..self.graph.threads.len() as u32 {
            if self.graph.threads[thread as usize].live {
                let node = self.next_node(thread)?;
                if let Op::Fail(message) = self.cache.op(node) {
                    let message = message.to_string();
                    return Err(self.assertion(thread, message));
                }
            }
        }
        Ok(self.end()?.unwrap_or(End::Blocked))
    }

    fn rebuild_one(
        &mut self,
        built: &mut Built<'_>,
        id: Id,
        thread: u32,
        token: Token,
    ) -> Result<(), Stop> {
        let node = self.next_node(thread)?;
        let op = self.cache.op(node).clone();
        let place = self.cache.node(node).site.as_ref();
        let place = place.map_or(String::new(), |site| format!(" at {site}"));
        let shown = operation(&op, |l| self.source.location(l).name.to_string());
        let wrong = || {
            let (t, n) = id;
            refused(format!(
                "operation {n} of thread {t} is `{token}` there and {shown}{place} here"
            ))
        };
        let source = |id: Option<Id>| id.map_or(NONE, |id| built.events[&id]);
        let event = match (token, &op) {
            (Token::Read(from) | Token::Update(from), _) if is_read(&op) => {
                let read = self.push_read(thread, node)?;
                let from = source(from);
                if from != NONE && self.graph.at(from).location != self.graph.at(read).location {
                    return Err(wrong());
                }
                let Event {
                    location, before, ..
                } = *self.graph.at(read);
                if self.graph.rank_of(from) < floor::<M>(&self.graph, location, before) {
                    return Err(wrong());
                }
                self.set_rf(read, from);
                if self.graph.at(read).exclusive != matches!(token, Token::Update(_)) {
                    return Err(wrong());
                }
                let mut last = read;
                if self.graph.at(read).exclusive {
                    last = self.add_update(read);
                }
                if !M::admits(&self.graph, last, &mut self.scratch) {
                    return Err(refused("the graph is not consistent in this model".into()));
                }
                last
            }
            (
                Token::Write,
                Op::Store {
                    location,
                    order,
                    value,
                },
            ) => {
                self.know(location.0);
                let write = self.graph.push(thread, Kind::Write, *order, node);
                self.graph.access(write, location.0);
                self.graph.at_mut(write).value = *value;
                self.graph.set_message(write);
                let rank = rank(built, id);
                let before = self.graph.at(write).before;
                if rank <= floor::<M>(&self.graph, location.0, before)
                    || rank > self.graph.place(location.0).co.len() as u32 + 1
                {
                    return Err(wrong());
                }
                self.graph.insert_co(write, rank);
                if !self.admits_write(write) {
                    return Err(refused("the graph is not consistent in this model".into()));
                }
                write
            }
            // Found by a search that did not order it.
            (Token::Write, Op::Apply { location, .. }) => {
                self.know(location.0);
                let rank = rank(built, id);
                if rank > self.graph.place(location.0).co.len() as u32 + 1 {
                    return Err(wrong());
                }
                self.add_applied(thread, node, Some(rank))?;
                self.graph.len() - 1
            }
            (Token::Fence, Op::Fence(_))
            | (Token::Observe, Op::Observe(_))
            | (Token::Alloc, Op::Alloc(_))
            | (Token::Free, Op::Free(_))
            | (Token::Join(_), Op::Join(_)) => {
                self.step(thread, node)?;
                self.graph.len() - 1
            }
            (Token::Choice(value), Op::Choose(ways)) if value < u64::from(*ways) => {
                let order = MemoryOrder::Relaxed;
                let event = self.graph.push(thread, Kind::Choice, order, node);
                self.graph.at_mut(event).value = value;
                event
            }
            (Token::Spawn(child), Op::Spawn(actual)) => {
                built.actual.insert(child, *actual);
                self.step(thread, node)?;
                self.graph.len() - 1
            }
            _ => return Err(wrong()),
        };
        built.events.insert(id, event);
        Ok(())
    }
}

fn is_read(op: &Op) -> bool {
    matches!(
        op,
        Op::Load { .. }
            | Op::Await { .. }
            | Op::Update { .. }
            | Op::Apply { .. }
            | Op::UpdateIf { .. }
            | Op::CompareExchange { .. }
            | Op::AwaitUpdate { .. }
            | Op::AwaitExchange { .. }
    )
}

/// The coherence rank of a write among those already built.
fn rank(built: &Built<'_>, id: Id) -> u32 {
    let order = built.trace.orders.iter().find(|order| order.contains(&id));
    let before = order.map_or(0, |order| {
        let earlier = order.iter().take_while(|other| **other != id);
        earlier
            .filter(|other| built.events.contains_key(other))
            .count()
    });
    before as u32 + 1
}
