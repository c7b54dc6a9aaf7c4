//! Interpreters with a lock each, what all of them share, and what one sends to another.
//!
//! # Question
//! Interpreters of one process run at the same time, each under its own lock. What do they share all the same, how
//! does a value come from one to another, and what is left of it when the sender has ended?
//!
//! # Idea
//! Every mutable object belongs to one interpreter: its count is plain, under that interpreter's lock. What all share is
//! immortal and never written; what static types and extensions keep, each interpreter has of its own. A value is sent as a
//! *record* in raw memory: a copy of the data, or the address of a lent buffer, and a reference to the sender's object.
//! Who takes the record makes an object of its own. The reference goes back to the sender, as a *pending call*
//! which a thread of that interpreter runs. Interpreters have numbers that are never used again, so that a call for
//! one that has ended finds nobody.
//!
//! # Timeline
//! ```text
//!                                             queue   calls of B   object of B: references
//! B: makes it; copies it into a record                             1, and the record's
//! B: queue { record }; drops its own          r                    the record's
//! A: queue { takes r }; reads the copy                             the record's
//! A: calls { B is still there: release }              release      the record's
//! B: ends: queue { its records: placeholders };
//!    waits for what it has lent
//! B: calls { another number }; frees its heap                      freed
//! ```
//!
//! # Obligations
//! * I1: no mutable object is used in two interpreters. I3: an object is freed by the interpreter that made it.
//! * I4: what all share lives until the end of all, and nobody writes it.
//! * S2: a record is freed once, and every reference comes back. S3: a lent buffer outlives whoever looks at it.
//! * S5: nobody waits with an interpreter's lock.
//!
//! # Limits
//! Thread 1 has an interpreter of its own, all others are of another. One queue, one interned string, one extension. A
//! record whose sender has ended is a placeholder, which is one of three policies. Pending calls are a list; that
//! CPython's is a ring which may be full is a fault here.
//!
//! # Orders
//! All is under locks.
//!
//! # Source
//! CPython 3.13 `Python/crossinterp.c`, `Modules/_interpqueuesmodule.c`; PEP 684, PEP 734.

mod checks;

pub use self::checks::*;

use crate::ghost::{Ghost as _, require};
use crate::protocol::{Fault as _, Shape, Switch, World};
use crate::runtime::{DataCell as _, Guard, Label, Lock as _, Runtime, Signal as _};
use crate::sync::Counter;
use crate::verdict::Kind;

const INTERPRETERS: usize = 2;
/// What is taken instead of a value whose sender has ended.
const PLACEHOLDER: i64 = -1;

/// An object that is sent, and the record that carries it.
struct Sent<R: Runtime> {
    /// A plain count, under the lock of the object's interpreter.
    refs: R::Cell<u64>,
    /// What a lent buffer has in it.
    bytes: R::Cell<u64>,
    object: R::Ghost,
    /// The record's copy.
    copy: R::Cell<u64>,
    record: R::Ghost,
}

/// A record, as it goes through the queue.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Record {
    object: usize,
    sender: usize,
    /// Which interpreter it was that the sender's place had then.
    id: usize,
    lent: bool,
}

/// What an interpreter's lock is about.
struct Heap {
    id: usize,
    objects: Vec<usize>,
    lent: usize,
}

/// What others leave for an interpreter, and which one that is.
struct Calls {
    id: usize,
    releases: Vec<Record>,
}

/// All interpreters.
pub struct Interpreters<R: Runtime> {
    locks: [R::Mutex<Heap>; INTERPRETERS],
    calls: [R::Mutex<Calls>; INTERPRETERS],
    called: R::Condvar,
    queue: R::Mutex<Vec<Option<Record>>>,
    filled: R::Condvar,
    sent: Box<[Sent<R>]>,
    /// Which interpreter interned the string.
    interned: R::Mutex<Option<usize>>,
    text: R::Cell<u64>,
    string: R::Ghost,
    /// The count of an immortal object.
    none: R::Cell<u64>,
    /// What each interpreter has of a static type, and then of an extension.
    own: Box<[Counter<R>]>,
    faults: Switch<Mutant>,
}

impl<R: Runtime> Interpreters<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// Of thread `n`.
    fn interpreter(n: usize) -> usize {
        usize::from(n == 1)
    }

    fn send(&self, me: usize, mut heap: Guard<R, Heap>, object: usize, lent: bool) {
        let sent = &self.sent[object];
        // 1. An object.
        sent.object.reuse(0);
        sent.bytes.write(object as u64);
        sent.refs.write(1);
        heap.objects.push(object);
        // 2. A record, with a reference to it.
        sent.record.reuse(0);
        sent.copy.write(object as u64);
        sent.refs.write(2);
        heap.lent += usize::from(lent);
        self.queue.lock().push(Some(Record { object, sender: me, id: heap.id, lent }));
        self.filled.notify_one();
        // 3. Its own goes.
        self.decref(&mut heap, object);
    }

    fn decref(&self, heap: &mut Heap, object: usize) {
        let sent = &self.sent[object];
        let left = sent.refs.read() - 1;
        sent.refs.write(left);
        if left == 0 {
            require(heap.objects.contains(&object), Kind::Invariant, || {
                format!("heap[{}]: object {object} is freed there, of another", heap.id)
            });
            heap.objects.retain(|other| *other != object);
            sent.object.free();
        }
    }

    fn receive<'a>(&'a self, me: usize, heap: Guard<'a, R, Heap>) -> i64 {
        // 1. Waits without the interpreter's lock.
        let held = Some(heap).filter(|_| self.is(Mutant::WaitHoldingGil));
        let mut queue = self.queue.lock();
        while queue.is_empty() {
            queue = R::wait(&self.filled, &self.queue, queue);
        }
        let taken = queue.remove(0);
        drop(queue);
        let mut heap = held.unwrap_or_else(|| self.locks[me].lock());
        let Some(record) = taken else { return PLACEHOLDER };
        // 2. An object of its own, from the copy, or a look at what is lent.
        let sent = &self.sent[record.object];
        let value = if record.lent { sent.bytes.read() } else { sent.copy.read() };
        if self.is(Mutant::ShareByReference) {
            sent.refs.write(sent.refs.read() + 1);
            sent.refs.write(sent.refs.read() - 1);
        }
        // 3. What the sender gave goes back.
        sent.record.free();
        self.release(me, &mut heap, record);
        value as i64
    }

    /// Gives the sender's reference back, in the sender's interpreter.
    fn release(&self, me: usize, heap: &mut Heap, record: Record) {
        if record.sender == me && record.id == heap.id || self.is(Mutant::ReleaseInReceiver) {
            return self.take_back(heap, record);
        }
        let mut calls = self.calls[record.sender].lock();
        let full = self.is(Mutant::RingFull) && !calls.releases.is_empty();
        // Of one that has ended there is nothing left to give back.
        if calls.id == record.id && !full {
            calls.releases.push(record);
            self.called.notify_one();
        }
    }

    fn take_back(&self, heap: &mut Heap, record: Record) {
        heap.lent -= usize::from(record.lent);
        self.decref(heap, record.object);
    }

    /// Does what others have left for an interpreter.
    fn run_calls(&self, me: usize, heap: &mut Heap) {
        if !self.is(Mutant::PendingNothing) {
            let releases = std::mem::take(&mut self.calls[me].lock().releases);
            releases.into_iter().for_each(|record| self.take_back(heap, record));
        }
    }

    /// The interpreter ends, and its thread begins another.
    fn end<'a>(&'a self, me: usize, mut heap: Guard<'a, R, Heap>) {
        // 1. What nobody has taken yet.
        let mut withdrawn = Vec::new();
        let mine = |r: &Option<Record>| r.is_some_and(|r| r.sender == me);
        let mut queue = self.queue.lock();
        if self.is(Mutant::ReleaseTwice) {
            withdrawn.extend(queue.iter().filter(|r| mine(r)).flatten());
            drop(queue);
            queue = self.queue.lock();
            queue.iter_mut().filter(|r| mine(r)).for_each(|r| *r = None);
        } else {
            withdrawn.extend(queue.iter_mut().filter(|r| mine(r)).filter_map(Option::take));
        }
        drop(queue);
        for record in withdrawn {
            self.sent[record.object].record.free();
            self.take_back(&mut heap, record);
        }
        // 2. What is lent comes back.
        self.run_calls(me, &mut heap);
        while heap.lent > 0 && !self.is(Mutant::ViewOutlives) {
            drop(heap);
            let mut calls = self.calls[me].lock();
            while calls.releases.is_empty() {
                calls = R::wait(&self.called, &self.calls[me], calls);
            }
            drop(calls);
            heap = self.locks[me].lock();
            self.run_calls(me, &mut heap);
        }
        // 3. From now on there is another: of what was copied nothing comes back.
        let id = heap.id + if self.is(Mutant::IdReuse) { 0 } else { INTERPRETERS };
        *self.calls[me].lock() = Calls { id, releases: Vec::new() };
        // 4. The heap.
        for object in std::mem::take(&mut heap.objects) {
            self.sent[object].bytes.write(0);
            self.sent[object].object.free();
        }
        *heap = Heap { id, objects: Vec::new(), lent: 0 };
        let mut interned = self.interned.lock();
        if self.is(Mutant::InternedShared) && *interned == Some(me) {
            *interned = None;
            self.text.write(0);
            self.string.free();
        }
    }

    /// Interns a string, and reads it.
    fn intern(&self, me: usize) {
        let mut interned = self.interned.lock();
        if interned.is_none() {
            *interned = Some(me);
            self.string.reuse(0);
            self.text.write(1);
        }
        drop(interned);
        self.text.read();
    }

    /// An attribute of a static type, something that an extension keeps, a reference to `None`.
    fn touch(&self, me: usize) {
        self.own[if self.is(Mutant::StaticTypeMutable) { 0 } else { me }].count();
        self.own[INTERPRETERS + if self.is(Mutant::ExtensionGlobal) { 0 } else { me }].count();
        let count = self.none.read();
        if self.is(Mutant::ImmortalCounted) {
            self.none.write(count + 1);
        }
    }
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Sends a copy of a new object.
    Send(usize),
    /// Lends a new buffer.
    Lend(usize),
    /// Waits for what somebody has sent, and answers it.
    Receive,
    /// Interns the string.
    Intern,
    /// Uses what all have, or seem to have.
    Touch,
    /// Ends its interpreter and begins another. Of thread 1.
    End,
}

impl<R: Runtime> World for Interpreters<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = usize;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let sent = |n| Sent {
            refs: R::Cell::new(0, Label::part("object", "refs", n)),
            bytes: R::Cell::new(0, Label::part("object", "bytes", n)),
            object: R::Ghost::blank(Label::nth("object", n)),
            copy: R::Cell::new(0, Label::part("record", "copy", n)),
            record: R::Ghost::blank(Label::nth("record", n)),
        };
        let heap = |id| Heap { id, objects: Vec::new(), lent: 0 };
        let calls = |id| Calls { id, releases: Vec::new() };
        Self {
            locks: [0, 1].map(|n| R::Mutex::new(heap(n), Label::nth("heap", n))),
            calls: [0, 1].map(|n| R::Mutex::new(calls(n), Label::nth("calls", n))),
            called: R::Condvar::new("called"),
            queue: R::Mutex::new(Vec::new(), "queue"),
            filled: R::Condvar::new("filled"),
            sent: (0..shape.objects).map(sent).collect(),
            interned: R::Mutex::new(None, "interned"),
            text: R::Cell::new(0, Label::part("string", "text", 0)),
            string: R::Ghost::blank(Label::nth("string", 0)),
            none: R::Cell::new(0, "none"),
            own: (0..2 * INTERPRETERS).map(Counter::new).collect(),
            faults,
        }
    }

    fn enter(&self, n: usize) -> usize {
        Self::interpreter(n)
    }

    fn step(&self, me: &mut usize, op: Op) -> Option<i64> {
        let me = *me;
        let mut heap = self.locks[me].lock();
        self.run_calls(me, &mut heap);
        match op {
            Op::Send(object) => self.send(me, heap, object, false),
            Op::Lend(object) => self.send(me, heap, object, true),
            Op::Receive => return Some(self.receive(me, heap)),
            Op::Intern => self.intern(me),
            Op::Touch => self.touch(me),
            Op::End => self.end(me, heap),
        }
        None
    }

    /// The end of all: what was sent and never taken, and what is left to do.
    fn finish(&self) {
        for record in std::mem::take(&mut *self.queue.lock()).into_iter().flatten() {
            self.sent[record.object].record.free();
            self.take_back(&mut self.locks[record.sender].lock(), record);
        }
        (0..INTERPRETERS).for_each(|n| self.run_calls(n, &mut self.locks[n].lock()));
        for sent in &self.sent {
            sent.object.settle();
            sent.record.settle();
        }
        if self.interned.lock().is_some() {
            self.string.free();
        }
        self.own.iter().for_each(Counter::check);
    }
}
