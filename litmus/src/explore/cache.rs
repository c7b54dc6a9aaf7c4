//! The cache of what each thread does: a trie from answers to operations.
//!
//! Threads are deterministic functions of the answers they get, so a thread's position in
//! this trie is all there is to know about it, and extending a graph costs a lookup. Only
//! an answer never seen before at that point makes the program run.

use super::graph::{Event, Graph, Kind, NONE};
use super::program::{Guard, LocationInfo, Op, Site, Step, Value, Wait};
use super::{Execution, Failure};
use rustc_hash::{FxHashMap, FxHashSet};
use std::any::Any;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Node {
    pub op: Op,
    pub site: Option<Site>,
    /// See [`Step::waits`].
    waits: Option<Wait>,
    /// The answer after which it comes; 0 after operations without.
    answer: Value,
    /// The first found of the operations after this one, for most the only one.
    child: u32,
    /// The next that comes after another answer to the same operation.
    sibling: u32,
}

/// What a thread's first operation depends on: which of the program's own threads it is,
/// or the point at which another thread spawned it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Start {
    Static(u32),
    Spawned(u32),
}

/// What an operation means for the choice of the next thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Class {
    /// No choice of reads-from: at once.
    Now,
    Read,
    Await,
    Join,
    Fail,
    /// The thread does not go on.
    Stay,
}

impl Class {
    fn of(op: &Op) -> Self {
        match op {
            Op::Store { .. }
            | Op::Alloc(_)
            | Op::Free(_)
            | Op::Fence(_)
            | Op::Choose(_)
            | Op::Observe(_)
            | Op::Spawn(_) => Self::Now,
            Op::Load { .. }
            | Op::Update { .. }
            | Op::UpdateIf { .. }
            | Op::Apply { .. }
            | Op::CompareExchange { .. } => Self::Read,
            Op::Await { .. } | Op::AwaitExchange { .. } | Op::AwaitUpdate { .. } => Self::Await,
            Op::Join(_) => Self::Join,
            Op::Fail(_) => Self::Fail,
            Op::Block { .. } | Op::End | Op::Return(_) => Self::Stay,
        }
    }
}

/// So many children of a node are looked for one by one.
const FEW: usize = 8;

#[derive(Default, Debug)]
pub(crate) struct Cache {
    nodes: Vec<Node>,
    /// The children of a node beyond the first few, by node and answer.
    further: FxHashMap<(u32, Value), u32>,
    classes: Vec<Class>,
    /// Few, so a list.
    roots: Vec<(Start, u32)>,
    /// Nodes that have been forgotten.
    free: Vec<u32>,
}

impl Cache {
    pub fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    #[inline]
    pub fn class(&self, node: u32) -> Class {
        self.classes[node as usize]
    }

    #[inline]
    pub fn op(&self, node: u32) -> &Op {
        &self.nodes[node as usize].op
    }

    #[inline]
    pub fn after(&self, node: u32, answer: Value) -> Option<u32> {
        let mut next = self.nodes[node as usize].child;
        while next != NONE {
            let child = &self.nodes[next as usize];
            if child.answer == answer {
                return Some(next);
            }
            next = child.sibling;
        }
        match self.further.is_empty() {
            true => None,
            false => self.further_after(node, answer),
        }
    }

    #[cold]
    fn further_after(&self, node: u32, answer: Value) -> Option<u32> {
        self.further.get(&(node, answer)).copied()
    }

    pub fn add(&mut self, parent: u32, answer: Value, step: Step) -> u32 {
        let node = self.push(step, answer);
        let mut link = &mut self.nodes[parent as usize].child;
        for _ in 0..FEW {
            if *link == NONE {
                *link = node;
                return node;
            }
            let elder = *link as usize;
            link = &mut self.nodes[elder].sibling;
        }
        self.further.insert((parent, answer), node);
        node
    }

    /// The operation after an answer for which nobody need be asked: a thread that has tried to take a lock, and
    /// goes on only when it has it.
    pub fn blocked(&self, node: u32, answer: Value) -> Option<Step> {
        let wait = self.waits(node, answer)?;
        Some(Step {
            site: self.nodes[node as usize].site.clone(),
            ..Op::Block { wait, reads: 1 }.into()
        })
    }

    /// What the thread then waits for.
    #[inline]
    pub fn waits(&self, node: u32, answer: Value) -> Option<Wait> {
        let node = &self.nodes[node as usize];
        let wait = node.waits?;
        let ends = match node.op {
            Op::AwaitExchange { expected, .. } => Guard::is(expected),
            Op::AwaitUpdate { guard, .. } => guard,
            _ => return None,
        };
        (!ends.holds(answer)).then_some(wait)
    }

    /// The first operation of a thread.
    pub fn root(&self, start: Start) -> Option<u32> {
        let found = self.roots.iter().find(|(known, _)| *known == start);
        found.map(|&(_, node)| node)
    }

    pub fn add_root(&mut self, start: Start, step: Step) -> u32 {
        let node = self.push(step, 0);
        self.roots.push((start, node));
        node
    }

    fn push(&mut self, step: Step, answer: Value) -> u32 {
        let class = Class::of(&step.op);
        let new = Node {
            op: step.op,
            site: step.site,
            waits: step.waits,
            answer,
            child: NONE,
            sibling: NONE,
        };
        if let Some(node) = self.free.pop() {
            self.classes[node as usize] = class;
            self.nodes[node as usize] = new;
            return node;
        }
        let node = self.nodes.len() as u32;
        self.classes.push(class);
        self.nodes.push(new);
        node
    }

    /// How many operations it knows.
    pub fn len(&self) -> usize {
        self.nodes.len() - self.free.len()
    }

    /// Forgets all nodes but those that `lives` is true of. What comes before one of them must be among
    /// them.
    pub fn forget(&mut self, lives: &FxHashSet<u32>) {
        for &node in lives {
            let mut kept = NONE;
            let mut next = self.nodes[node as usize].child;
            while next != NONE {
                let after = self.nodes[next as usize].sibling;
                if lives.contains(&next) {
                    self.nodes[next as usize].sibling = kept;
                    kept = next;
                }
                next = after;
            }
            self.nodes[node as usize].child = kept;
        }
        self.further
            .retain(|(parent, _), child| lives.contains(parent) && lives.contains(child));
        self.roots.retain(|(_, node)| lives.contains(node));
        self.free.clear();
        let all = 0..self.nodes.len() as u32;
        self.free.extend(all.filter(|node| !lives.contains(node)));
        for &node in &self.free {
            let node = &mut self.nodes[node as usize];
            (node.op, node.site) = (Op::End, None);
        }
    }

    /// Forgets everything but keeps the memory.
    pub fn clear(&mut self) {
        self.nodes.clear();
        self.further.clear();
        self.classes.clear();
        self.roots.clear();
        self.free.clear();
    }
}

/// A fault of the program, with the events that show it.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub kind: super::FailureKind,
    pub message: String,
    /// Positions; empty for a fault of the whole graph.
    pub events: Vec<u32>,
}

impl Fault {
    pub fn property(message: String) -> Self {
        Self {
            kind: super::FailureKind::Property,
            message,
            events: Vec::new(),
        }
    }

    pub fn program(message: impl Into<String>) -> Self {
        Self {
            kind: super::FailureKind::Program,
            message: message.into(),
            events: Vec::new(),
        }
    }
}

/// The point at which a thread made a location: after an operation and before its next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Birth {
    pub thread: u32,
    /// The operation; that by which the thread was spawned, or [`NONE`] for the first thread,
    /// if it had done none.
    pub node: u32,
}

/// Where operations come from when the cache has none.
pub(crate) trait Source {
    /// Puts threads and locations that exist from the start into an empty graph.
    fn start(&mut self, graph: &mut Graph);

    /// The operation of `thread` after the events it has in `graph`.
    fn fetch(&mut self, cache: &Cache, graph: &Graph, thread: u32) -> Result<Step, Fault>;

    /// An execution is complete. Whoever runs it had better run it to its end: threads that have ended are cheaper to
    /// leave than such as have to be unwound.
    fn complete(&mut self, _: &Cache, _: &Graph) -> Result<(), Fault> {
        Ok(())
    }

    /// Makes threads that do the same follow one another, see the module `symmetry`.
    fn pair(&mut self, _: &mut Graph) {}

    /// The thread whose first operation is also that of `thread`, an original one.
    fn class_of(&self, thread: u32) -> u32 {
        thread
    }

    /// The thread that `child`, when `parent` spawns it next, does the same as: the nearest
    /// before it.
    fn elder(&self, _: &Graph, _parent: u32, _child: u32) -> Option<u32> {
        None
    }

    /// Whether a thread has asked which one it is.
    fn tells_twins_apart(&self) -> bool {
        false
    }

    /// Whether it has found out something by which what it said so far does not hold; it
    /// keeps to it in the next search.
    fn has_learnt(&self) -> bool {
        false
    }

    /// The search, this being the next one's source, begins again.
    fn begin_again(&self) {}

    /// What it had learnt before this search, by number.
    fn lessons(&self) -> Vec<u32> {
        Vec::new()
    }

    /// What is known of a location.
    fn location(&self, location: u32) -> LocationInfo;

    /// A location's first value and width in bits.
    fn first_value(&self, location: u32) -> (Value, u8);

    /// Where a location was made; `None` for one that is there from the start.
    fn birth(&self, _location: u32) -> Option<Birth> {
        None
    }

    /// What a thread is, independent of the numbers given in one search.
    fn path(&self, thread: u32) -> u64 {
        thread.into()
    }

    /// Whether threads have the same numbers in every search, so that their paths are their
    /// numbers.
    fn numbers_threads_alike(&self) -> bool {
        true
    }

    /// Whether locations have the same numbers in every search.
    fn numbers_locations_alike(&self) -> bool {
        true
    }

    /// The name of a thread.
    fn thread_name(&self, thread: u32) -> String;

    /// The answer to a question that `event` puts to the observer; a function of the
    /// event's prefix.
    fn observe(&self, _: &Cache, _: &Graph, _event: u32, _question: Value) -> Value {
        0
    }

    /// What the observer objects to in an execution.
    fn judge(&self, _: &Execution<'_>) -> Option<Fault> {
        None
    }

    /// Sees to it that what the program has done lately it does again: before anything is
    /// said of it.
    fn settle(&mut self, _: &Cache) -> Result<(), Fault> {
        Ok(())
    }

    /// Ends what is under way, and adds to `needed` the nodes that it is to ask for later.
    fn pause(&mut self, _: &Cache, _needed: &mut FxHashSet<u32>) -> Result<(), Fault> {
        Ok(())
    }

    /// Of other nodes than these nothing needs to be known any more; their numbers are given to others.
    fn forget(&mut self, _lives: &FxHashSet<u32>) {}

    /// Places where a thread was taken to wait, having done nothing but equal reads.
    fn spins(&self) -> Vec<String> {
        Vec::new()
    }

    /// What may happen in Rust and was not explored, in words.
    fn left_out(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Whether a wait with a time limit came when its thread was not to time out any more.
    fn is_timeless(&self) -> bool {
        false
    }

    /// Told of the execution that is about to be reported as failing.
    fn failed(&self, _: &Execution<'_>, _: &Failure) {}

    /// Appends what was noted between two operations: `thread`, the node of the first and
    /// its answer; before a thread's first operation, the node of its spawn and 0.
    fn notes(&self, _thread: u32, _node: u32, _answer: Value, _into: &mut Vec<Note>) {}
}

/// Something that the program noted down, see [`crate::observe::note`].
pub(crate) type Note = Arc<dyn Any + Send + Sync>;

/// The value with which a thread goes on after an event.
pub(crate) fn answer(graph: &Graph, event: &Event) -> Value {
    match event.kind {
        _ if event.mute => 0,
        Kind::Read | Kind::Choice | Kind::Observe | Kind::Join | Kind::Spawn => event.value,
        // The thread is answered with what the update found.
        Kind::Write if event.exclusive => graph.at(event.before).value,
        Kind::Write | Kind::Fence | Kind::Alloc | Kind::Free => 0,
    }
}

/// The answers to a thread's operations; the two events of an update are one operation.
pub(crate) fn answers(graph: &Graph, thread: u32, into: &mut Vec<Value>) {
    into.clear();
    for &position in &graph.threads[thread as usize].events {
        let event = graph.at(position);
        if !(event.kind == Kind::Write && event.exclusive) {
            into.push(answer(graph, event));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_leads_to_its_own_operation() {
        let mut cache = Cache::default();
        let root = cache.add_root(Start::Static(0), Op::End.into());
        let answers = 0..5 * FEW as Value;
        let added: Vec<u32> = answers
            .clone()
            .map(|answer| cache.add(root, answer, Op::End.into()))
            .collect();
        for (answer, node) in answers.zip(added) {
            assert_eq!(cache.after(root, answer), Some(node));
        }
        assert_eq!(cache.after(root, 5 * FEW as Value), None);
        cache.clear();
        let root = cache.add_root(Start::Static(0), Op::End.into());
        assert_eq!(cache.after(root, 2 * FEW as Value), None, "nothing is left");
    }
}
