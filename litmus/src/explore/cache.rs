//! The cache of what each thread does: a trie from answers to operations.
//!
//! Threads are deterministic functions of the answers they get, so a thread's position in
//! this trie is all there is to know about it, and extending a graph costs a lookup. Only
//! an answer never seen before at that point makes the program run.

use super::graph::{Clock, Event, Graph, Kind, NONE};
use super::program::{LocationInfo, MemoryOrder, Op, Program, Site, Step, Value, truncate};
use super::{Execution, Failure};
use std::any::Any;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Node {
    pub op: Op,
    pub site: Option<Site>,
    /// The first answer ever seen (0 for operations without) and the node after it, which
    /// for most is the only one; [`NONE`] until then.
    first: (Value, u32),
    more: Vec<(Value, u32)>,
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
            Op::Store { .. } | Op::Fence(_) | Op::Choose(_) | Op::Observe(_) | Op::Spawn(_) => {
                Self::Now
            }
            Op::Load { .. } | Op::Update { .. } | Op::Apply { .. } | Op::CompareExchange { .. } => {
                Self::Read
            }
            Op::Await { .. } | Op::AwaitExchange { .. } => Self::Await,
            Op::Join(_) => Self::Join,
            Op::Fail(_) => Self::Fail,
            Op::Block { .. } | Op::End | Op::Return(_) => Self::Stay,
        }
    }
}

#[derive(Default, Debug)]
pub(crate) struct Cache {
    nodes: Vec<Node>,
    classes: Vec<Class>,
    /// Few, so a list.
    roots: Vec<(Start, u32)>,
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

    pub fn after(&self, node: u32, answer: Value) -> Option<u32> {
        let Node { first, more, .. } = &self.nodes[node as usize];
        if first.0 == answer && first.1 != NONE {
            return Some(first.1);
        }
        let found = more.iter().find(|(value, _)| *value == answer);
        found.map(|&(_, node)| node)
    }

    pub fn add(&mut self, parent: u32, answer: Value, step: Step) -> u32 {
        let node = self.push(step);
        let Node { first, more, .. } = &mut self.nodes[parent as usize];
        match first.1 {
            NONE => *first = (answer, node),
            _ => more.push((answer, node)),
        }
        node
    }

    /// The first operation of a thread.
    pub fn root(&self, start: Start) -> Option<u32> {
        let found = self.roots.iter().find(|(known, _)| *known == start);
        found.map(|&(_, node)| node)
    }

    pub fn add_root(&mut self, start: Start, step: Step) -> u32 {
        let node = self.push(step);
        self.roots.push((start, node));
        node
    }

    fn push(&mut self, step: Step) -> u32 {
        let node = self.nodes.len() as u32;
        self.classes.push(Class::of(&step.op));
        self.nodes.push(Node {
            op: step.op,
            site: step.site,
            first: (0, NONE),
            more: Vec::new(),
        });
        node
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

/// Where operations come from when the cache has none.
pub(crate) trait Source {
    /// Puts threads and locations that exist from the start into an empty graph.
    fn start(&mut self, graph: &mut Graph);

    /// The operation of `thread` after the events it has in `graph`.
    fn fetch(&mut self, cache: &Cache, graph: &Graph, thread: u32) -> Result<Step, Fault>;

    /// Makes threads that do the same follow one another, see the module `symmetry`.
    fn pair(&mut self, _: &mut Graph) {}

    /// The thread whose first operation is also that of `thread`, an original one.
    fn class_of(&self, thread: u32) -> u32 {
        thread
    }

    /// The thread that `child`, when spawned, does the same as: the nearest before it.
    fn elder(&self, _child: u32) -> Option<u32> {
        None
    }

    /// Whether a thread has asked which one it is.
    fn tells_twins_apart(&self) -> bool {
        false
    }

    /// What is known of a location.
    fn location(&self, location: u32) -> LocationInfo;

    /// The name of a thread.
    fn thread_name(&self, thread: u32) -> String;

    /// The answer to a question that `event` puts to the observer; a function of the
    /// event's prefix.
    fn observe(&self, _: &Cache, _: &Graph, _event: u32, _question: Value) -> Value {
        0
    }

    /// What the observer objects to in an execution.
    fn judge(&self, _: &Execution<'_>) -> Option<String> {
        None
    }

    /// Runs the program along a graph from the start, to see that it does the same again.
    fn verify(&mut self, _: &Cache, _: &Graph) -> Result<(), Fault> {
        Ok(())
    }

    /// Places where a thread was taken to wait, having done nothing but equal reads.
    fn spins(&self) -> Vec<String> {
        Vec::new()
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
        Kind::Write | Kind::Fence => 0,
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

/// A [`Program`] as a source.
pub(crate) struct Direct<'a, P> {
    program: &'a P,
    locations: Vec<LocationInfo>,
    answers: Vec<Value>,
    /// For each thread the first that does the same; empty when nobody asked.
    classes: Vec<u32>,
}

impl<'a, P: Program> Direct<'a, P> {
    pub fn new(program: &'a P) -> Self {
        Self {
            program,
            locations: program.locations(),
            answers: Vec::new(),
            classes: Vec::new(),
        }
    }
}

impl<P: Program> Source for Direct<'_, P> {
    fn start(&mut self, graph: &mut Graph) {
        for thread in 0..self.program.threads() as u32 {
            graph.ensure_thread(thread);
            graph.threads[thread as usize].live = true;
        }
        for (i, info) in self.locations.iter().enumerate() {
            graph.ensure_place(i as u32, truncate(info.initial, info.bits), info.bits);
        }
    }

    fn pair(&mut self, graph: &mut Graph) {
        for thread in 0..self.program.threads() {
            let first = (0..thread).find(|&other| self.program.alike(other, thread));
            let class = first.map_or(thread, |first| self.classes[first] as usize) as u32;
            if let Some(elder) = self.classes.iter().rposition(|&other| other == class) {
                graph.follow(thread as u32, elder as u32);
            }
            self.classes.push(class);
        }
    }

    fn class_of(&self, thread: u32) -> u32 {
        self.classes.get(thread as usize).copied().unwrap_or(thread)
    }

    fn fetch(&mut self, _: &Cache, graph: &Graph, thread: u32) -> Result<Step, Fault> {
        answers(graph, thread, &mut self.answers);
        let step = self.program.step(thread as usize, &self.answers);
        for (other, &class) in self.classes.iter().enumerate() {
            if class == self.class_of(thread) && other != thread as usize {
                let theirs = self.program.step(other, &self.answers);
                if theirs.op != step.op {
                    return Err(Fault::program(format!(
                        "{} and {} are declared alike, but after the same answers one does \
                         {:?} and the other {:?}",
                        self.program.thread_name(thread as usize),
                        self.program.thread_name(other),
                        step.op,
                        theirs.op
                    )));
                }
            }
        }
        if let Some(location) = step.op.location()
            && location.0 as usize >= self.locations.len()
        {
            return Err(Fault::program(format!(
                "thread {} accesses location {}, but the program declares {}",
                self.program.thread_name(thread as usize),
                location.0,
                self.locations.len()
            )));
        }
        match step.op {
            Op::Observe(_) => Err(Fault::program("a Program has no observer to ask")),
            Op::Spawn(_) => Err(Fault::program(
                "a Program cannot spawn: declare every thread in Program::threads",
            )),
            Op::Join(other) if other as usize >= self.program.threads() => Err(Fault::program(
                format!("there is no thread {other} to join"),
            )),
            _ => Ok(step),
        }
    }

    fn location(&self, location: u32) -> LocationInfo {
        self.locations[location as usize].clone()
    }

    fn thread_name(&self, thread: u32) -> String {
        self.program.thread_name(thread as usize)
    }
}

/// The latest conflicting access that races with `event`: another thread's, at least one
/// of the two a write, at least one plain, without happens-before.
pub(crate) fn race(graph: &Graph, event: u32) -> Option<u32> {
    let Event {
        location,
        kind,
        thread,
        order,
        ..
    } = *graph.at(event);
    if location == NONE || graph.place(location).plain == 0 {
        return None;
    }
    graph
        .place(location)
        .accesses
        .iter()
        .rev()
        .copied()
        .find(|&access| {
            let other = graph.at(access);
            other.thread != thread
                && (kind == Kind::Write || other.kind == Kind::Write)
                && (order == MemoryOrder::Plain || other.order == MemoryOrder::Plain)
                && !graph.precedes(access, event, Clock::Hb)
                && !graph.precedes(event, access, Clock::Hb)
        })
}
