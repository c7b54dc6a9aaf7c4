//! Actors that own their objects, and move them to each other.
//!
//! # Question
//! Each actor runs by itself and uses its objects without locks of their own. How does an object come to another one
//! without being in both, and what may both have?
//!
//! # Idea
//! An actor's threads have one lock, and under it all that is the actor's. What is *moved* gets new shells, which take over
//! what is in the old ones; the old ones are *moved* from then on, and every use of them fails. First the whole graph
//! is looked at, then all of it is moved, and only then it is put into the port of the receiver, in the section
//! that saw the port open. What both may have is *shareable*: it and all that it reaches are frozen, looked at and
//! marked in one section, and a store into what is frozen fails.
//!
//! # Timeline
//! ```text
//!                                              old shells   new shells   port of B
//! A: makes two, one in the other               full
//! A: looks at both: movable                    full
//! A: port { open: takes over; puts in }        moved        full         new shells
//! B: port { takes out }; uses both             moved        full
//! A: uses: fails                               moved        full
//! B: port { closes; frees what is in it }      moved        full         closed
//! A: moves others: port { closed: fails }      full
//! ```
//!
//! # Obligations
//! * R1: an object that is not shareable is used in one actor: after a move the source fails.
//! * R3: a move that fails leaves everything usable.
//! * R4: what is shareable is deeply frozen.
//! * R5: what is put into the port is received or goes with the port, or the sender hears of it.
//!
//! # Limits
//! Thread 1 is of the receiver, all others of the sender. One graph of two objects, one box that may become
//! shareable, with one item in it, one port.
//!
//! # Orders
//! All is under locks.
//!
//! # Source
//! Ruby's `Ractor`: `send(move: true)`, `make_shareable`, `close`.

mod checks;

pub use self::checks::*;

use crate::ghost::{Ghost as _, require};
use crate::protocol::{Fault as _, SKIPPED, Shape, Switch, World};
use crate::runtime::{DataCell as _, Guard, Label, Lock as _, Runtime};
use crate::sync::Counter;
use crate::verdict::Kind;

/// Objects of the graph: one, and one in it.
const GRAPH: usize = 2;
/// What an operation answers that fails.
const FAILED: Option<i64> = Some(-1);
/// What a shell has in it that has been moved; else the number of its content from 1.
const MOVED: u64 = 0;
/// What may be in the box.
const FROZEN: u64 = 0;
const UNFROZEN: u64 = 1;

/// What is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Message {
    /// The graph, in new shells.
    Graph,
    /// The box, by reference.
    Box,
}

#[derive(Default)]
struct Port {
    closed: bool,
    messages: Vec<Message>,
}

/// Two actors and what they have.
pub struct Actors<R: Runtime> {
    /// The sender's lock; the receiver has one thread.
    sender: R::Mutex<()>,
    port: R::Mutex<Port>,
    old: [R::Cell<u64>; GRAPH],
    new: [R::Cell<u64>; GRAPH],
    contents: [Counter<R>; GRAPH],
    /// The graph's way through the port.
    message: R::Ghost,
    /// Under the sender's lock, until it is shareable.
    item: R::Cell<u64>,
    frozen: R::Cell<u64>,
    faults: Switch<Mutant>,
}

/// A thread.
pub struct Local {
    n: usize,
    /// What the receiver has.
    graph: bool,
}

impl<R: Runtime> Actors<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// Moves the graph, of which the inner object may be one that cannot be moved.
    fn send(&self, movable: bool, sender: Guard<R, ()>) -> Option<i64> {
        // 1. The whole graph is looked at.
        let gone = self.old.iter().any(|shell| shell.read() == MOVED);
        if gone || !movable && !self.is(Mutant::MovePartial) {
            return FAILED;
        }
        // 2. Takes over, and puts in, while the port is open.
        let port = self.port.lock();
        if port.closed {
            return FAILED;
        }
        let port = if self.is(Mutant::CloseLoses) {
            drop(port);
            self.port.lock()
        } else {
            port
        };
        if self.is(Mutant::MarkAfterEnqueue) {
            return self.mark_late(port, sender);
        }
        let done = self.take_over(movable);
        if done {
            self.enqueue(port)
        } else {
            drop(port)
        }
        let whole = self.old.iter().all(|shell| shell.read() != MOVED);
        require(done || whole, Kind::Invariant, || "old[0]: moved, by a move that failed".into());
        if done { None } else { FAILED }
    }

    /// The new shells are put in, and other threads of the sender run before the old ones are marked.
    fn mark_late(&self, port: Guard<R, Port>, sender: Guard<R, ()>) -> Option<i64> {
        for (old, new) in self.old.iter().zip(&self.new) {
            new.write(old.read());
        }
        self.enqueue(port);
        drop(sender);
        let _sender = self.sender.lock();
        for old in &self.old {
            old.write(MOVED);
        }
        None
    }

    fn enqueue(&self, mut port: Guard<R, Port>) {
        self.message.reuse(0);
        port.messages.push(Message::Graph);
    }

    /// New shells take over what is in the old ones; whether all do.
    fn take_over(&self, movable: bool) -> bool {
        for (n, (old, new)) in self.old.iter().zip(&self.new).enumerate() {
            if n > 0 && !movable {
                return false;
            }
            new.write(old.read());
            let kept = self.is(Mutant::MarkNothing) || n > 0 && self.is(Mutant::MoveShallow);
            if !kept {
                old.write(MOVED);
            }
        }
        true
    }

    /// Uses the graph through shells.
    fn touch(&self, shells: &[R::Cell<u64>]) -> Option<i64> {
        let mut told = None;
        for shell in shells {
            match shell.read() {
                MOVED => told = FAILED,
                content => self.contents[content as usize - 1].count(),
            }
        }
        told
    }

    /// Calls a block that has captured the inner object.
    fn block(&self) -> Option<i64> {
        if self.is(Mutant::AliasKept) {
            self.contents[GRAPH - 1].count();
            return None;
        }
        self.touch(&self.old[GRAPH - 1..])
    }

    /// Makes the box shareable, and sends it by reference.
    fn share(&self) -> Option<i64> {
        let lock = self.sender.lock();
        if self.item.read() == UNFROZEN {
            return FAILED;
        }
        let lock = if self.is(Mutant::FreezeRace) {
            drop(lock);
            self.sender.lock()
        } else {
            lock
        };
        self.frozen.write(1);
        drop(lock);
        let mut port = self.port.lock();
        if port.closed {
            return FAILED;
        }
        port.messages.push(Message::Box);
        None
    }

    /// Stores something unfrozen into the box.
    fn store(&self) -> Option<i64> {
        if self.frozen.read() == 1 && !self.is(Mutant::ShareableStale) {
            return FAILED;
        }
        self.item.write(UNFROZEN);
        None
    }

    /// Takes one message and uses what it has.
    fn receive(&self, t: &mut Local) -> Option<i64> {
        let mut port = self.port.lock();
        if port.messages.is_empty() {
            return SKIPPED;
        }
        let message = port.messages.remove(0);
        drop(port);
        match message {
            Message::Graph => {
                self.message.free();
                t.graph = true;
                self.touch(&self.new)
            }
            Message::Box => {
                let item = self.item.read();
                require(item == FROZEN, Kind::Invariant, || {
                    "item: an unfrozen object is met in a shareable one".into()
                });
                None
            }
        }
    }

    /// Takes out what is in the port, and nobody looks there again.
    fn close(&self) {
        let mut port = self.port.lock();
        port.closed = true;
        if std::mem::take(&mut port.messages).contains(&Message::Graph) {
            self.message.free();
        }
    }
}

/// What a thread does; it answers -1 where that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Moves the graph.
    Move,
    /// Moves the graph, in which something cannot be moved.
    MoveFixed,
    /// Uses the graph: the sender through its shells, the receiver through what it has received.
    Use,
    /// Calls a block that has captured the inner object.
    Block,
    /// Makes the box shareable, and sends it.
    Share,
    /// Stores something unfrozen into the box.
    Store,
    /// Takes a message and uses what it has. Of thread 1.
    Receive,
    /// Closes the port. Of thread 1.
    Close,
}

impl<R: Runtime> World for Actors<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    fn new(_: Shape, faults: Switch<Mutant>) -> Self {
        let full = |n: usize| R::Cell::new(n as u64 + 1, Label::nth("old", n));
        Self {
            sender: R::Mutex::new((), "sender"),
            port: R::Mutex::new(Port::default(), "port"),
            old: [0, 1].map(full),
            new: [0, 1].map(|n| R::Cell::new(MOVED, Label::nth("new", n))),
            contents: [0, 1].map(Counter::new),
            message: R::Ghost::blank(Label::of("message")),
            item: R::Cell::new(FROZEN, "item"),
            frozen: R::Cell::new(0, "frozen"),
            faults,
        }
    }

    fn enter(&self, n: usize) -> Local {
        Local { n, graph: false }
    }

    fn step(&self, t: &mut Local, op: Op) -> Option<i64> {
        match op {
            Op::Receive => return self.receive(t),
            Op::Close => {
                self.close();
                return None;
            }
            Op::Use if t.n == 1 => {
                return if t.graph { self.touch(&self.new) } else { SKIPPED };
            }
            Op::Share => return self.share(),
            _ => {}
        }
        let sender = self.sender.lock();
        match op {
            Op::Move => self.send(true, sender),
            Op::MoveFixed => self.send(false, sender),
            Op::Block => self.block(),
            Op::Store => self.store(),
            _ => self.touch(&self.old),
        }
    }

    fn finish(&self) {
        let mut port = self.port.lock();
        // Of an open port somebody may still take.
        if !port.closed && std::mem::take(&mut port.messages).contains(&Message::Graph) {
            self.message.free();
        }
        self.message.settle();
        self.contents.iter().for_each(Counter::check);
    }
}
