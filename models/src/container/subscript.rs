//! `d[k]` beside `d[k] = v`, on the parts that a VM has: biased counts, QSBR, critical sections, a dict.
//!
//! # Question
//! Each of the four is right by itself. What does each rely on that another has to give?
//!
//! # Idea
//! Nothing here is new: the dict is `dict.rs`, its values are counted by `refcount/biased.rs`, its lock is a section
//! of `sync/critical.rs`, and what readers may still hold waits by `reclaim/qsbr.rs`. This file is what lies between.
//!
//! * A reader is *online*, so tables and objects that it finds stay memory. Safe points are between operations.
//! * A biased increment orders nothing: an item's place is released by who writes it, and acquired by who reads it.
//!   (Alone, the dict has atomic counts, whose increment acquires, and relaxed places.)
//! * A count of zero ends an object, not its memory: a reader may be about to look at its count.
//! * Who waits for a section is detached: offline, and none of its sections its own. What it found before is gone.
//! * An old value is released outside of the section: its destructor may block, and then the section is anybody's.
//! * A thread that ends works off its inbox first: what dies there has to wait for readers like all else.
//!
//! # Timeline
//! ```text
//!                                          table   item 10            clock
//! T0: d[1]: finds table 1 and item 10      1       one reference      T0 at 1
//! T1: section { d[3] = 31: table 2         2                          T0 at 1
//! T1:   retires table 1 } goal 3           2                          T0 at 1
//! T1: section { d[1] = 11 }                2
//! T1: releases 10: dead: goal 5            2       none
//! T0: wants a reference: there is none     2       none               T0 at 1
//! T0: section { the new table: 11 }
//! T0: safe point                                                      T0 at 5
//! T1: safe point: frees table 1 and item 10                           T0 at 5
//! ```
//!
//! # Obligations
//! * R1: an answer was the value of that key at some moment of the call.
//! * R2, R3: objects and tables are memory while anybody looks at them.
//! * R5: what nobody refers to is freed; counts equal references.
//! * R6: memory waits for readers, and for nothing else.
//!
//! # Limits
//! Values announce that they are read without a lock when they are made. A destructor blocks only where it is in a
//! section, since elsewhere that is a safe point more. Otherwise those of the parts.
//!
//! # Orders
//! Those of the parts; and release and acquire for the places of items.
//!
//! # Source
//! CPython 3.13 `Objects/dictobject.c`, `Python/critical_section.c`, `qsbr.c`, `pystate.c`; the faults are those
//! that only appear between two of them.

mod checks;

pub use self::checks::*;

use super::dict::{self, Dict};
use super::ground::{Bend, Ground};
use super::heap::{Attempt, Caller};
use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require};
use crate::protocol::{Draw, Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::reclaim::qsbr::{self, Qsbr};
use crate::refcount::Count as _;
use crate::refcount::biased::{self, Biased};
use crate::runtime::{DataCell as _, Label, Lock as _, Ordering, Ordering::*, Runtime};
use crate::sync::critical::{self, Objects};
use crate::verdict::Kind;
use crate::{mutants, properties};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

/// The dict is object 0 of the sections.
const DICT: usize = 0;
const TABLES: usize = 6;

/// Something that readers may hold.
#[derive(Clone, Copy)]
enum Memory {
    Object(usize),
    Table(usize),
}

/// A table's memory; what is in it is the dict's.
struct Table<R: Runtime> {
    content: R::Cell<u64>,
    ghost: R::Ghost,
}

type Clock<R> = Qsbr<R, Switch<qsbr::Mutant>>;
type Retired = Vec<(Memory, u64)>;

/// The ground: what the dict stands on here.
pub struct Parts<R: Runtime> {
    counts: Biased<R, Switch<biased::Mutant>>,
    sections: Objects<R>,
    clock: Arc<Clock<R>>,
    tables: Box<[Table<R>]>,
    /// Objects that may be made.
    free: R::Mutex<Vec<usize>>,
    /// Per thread, and its own: objects that have died in it.
    dead: Arc<[R::Mutex<Vec<usize>>]>,
    /// What threads that ended have left.
    orphans: R::Mutex<Retired>,
    faults: Switch<Mutant>,
}

/// A thread.
pub struct Thread {
    n: usize,
    counts: biased::Thread,
    sections: critical::Local,
    online: Rc<Cell<bool>>,
    retired: Retired,
}

impl<R: Runtime> Parts<R> {
    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let own = |n| R::Mutex::new(Vec::new(), Label::nth("dead", n));
        let dead: Arc<[R::Mutex<Vec<usize>>]> = (0..shape.threads).map(own).collect();
        let counts = Biased::new(shape, Switch(None));
        let (now, died) = (faults.is(Mutant::ObjectNow), dead.clone());
        counts.set_rites(Box::new(move |_, thread, object| {
            if !now {
                died[thread.slot].lock().push(object.index);
            }
            now
        }));
        let table = |n| Table {
            content: R::Cell::new(0, Label::part("table", "content", n)),
            ghost: R::Ghost::blank(Label::nth("table", n)),
        };
        Self {
            counts,
            sections: Objects::new(shape, Switch(None)),
            clock: Arc::new(Qsbr::new(shape.threads, Switch(None))),
            tables: (0..TABLES).map(table).collect(),
            free: R::Mutex::new((1..=shape.objects).rev().collect(), "free"),
            dead,
            orphans: R::Mutex::new(Vec::new(), "orphans"),
            faults,
        }
    }

    fn enter(&self, n: usize) -> Thread {
        let online = Rc::new(Cell::new(true));
        let beside = {
            let (online, clock) = (online.clone(), self.clock.clone());
            let stays = self.faults.is(Mutant::StaysOffline);
            move |attaches: bool| {
                if !attaches {
                    clock.detach(n);
                } else if !stays {
                    clock.attach(n);
                }
                online.set(attaches && !stays);
            }
        };
        self.clock.attach(n);
        let sections = critical::Local::with(n, Box::new(beside));
        Thread { n, counts: self.counts.attach(n), sections, online, retired: Vec::new() }
    }

    /// A call that blocks: what is found without a lock before it is gone after it.
    fn block(&self, t: &mut Thread) {
        self.sections.detach(&mut t.sections);
        self.sections.attach(&mut t.sections);
    }

    /// Between two operations: nothing that was found without a lock is held.
    fn safe_point(&self, t: &mut Thread) {
        self.counts.drain(&mut t.counts);
        self.bury(t);
        if t.online.get() {
            self.clock.quiescent(t.n);
        }
        if !self.faults.is(Mutant::ReclaimNothing) {
            self.reclaim(&mut t.retired);
        }
    }

    /// What has died in this thread waits for readers.
    fn bury(&self, t: &mut Thread) {
        let dead = std::mem::take(&mut *self.dead[t.n].lock());
        for n in dead {
            t.retired.push((Memory::Object(n), self.clock.advance()));
        }
    }

    fn reclaim(&self, retired: &mut Retired) {
        while let Some((memory, goal)) = retired.first().copied() {
            if !self.clock.poll(goal) {
                break;
            }
            retired.remove(0);
            self.free(memory);
        }
    }

    fn free(&self, memory: Memory) {
        match memory {
            Memory::Object(n) => {
                let object = &self.counts.objects()[n];
                object.payload.write(0);
                object.ghost.free();
                self.free.lock().push(n + 1);
            }
            Memory::Table(n) => {
                self.tables[n].content.write(0);
                self.tables[n].ghost.free();
            }
        }
    }

    fn leave(&self, mut t: Thread) {
        let mut orphans = std::mem::take(&mut t.retired);
        let drops = self.faults.is(Mutant::ExitDrops);
        // While it is online, as all that destroys: the inbox, and then what has died there.
        let n = t.n;
        self.counts.detach(t.counts);
        let dead = std::mem::take(&mut *self.dead[n].lock());
        if !drops {
            orphans.extend(dead.into_iter().map(|o| (Memory::Object(o), self.clock.advance())));
        }
        self.clock.detach(n);
        if !orphans.is_empty() {
            self.orphans.lock().extend(orphans);
        }
    }
}

impl<R: Runtime> Ground<R> for Parts<R> {
    type Thread = Thread;

    fn is(&self, bend: Bend) -> bool {
        match bend {
            Bend::ReleaseFirst => self.faults.is(Mutant::ReleaseFirst),
            Bend::RetireFirst => self.faults.is(Mutant::RetireFirst),
        }
    }

    fn orders(&self) -> (Ordering, Ordering) {
        // Acquire and release: a biased count carries nothing of what its object's maker wrote.
        if self.faults.is(Mutant::ValueRelaxed) { (Relaxed, Relaxed) } else { (Acquire, Release) }
    }

    fn make(&self, t: &mut Thread, value: i64) -> usize {
        let item = self.free.lock().pop().expect("enough objects for every operation");
        let object = &self.counts.objects()[item - 1];
        object.ghost.reuse(1);
        object.payload.write(value as u64);
        self.counts.init(&mut t.counts, object);
        self.counts.set_maybe_weak(object);
        item
    }

    fn release(&self, t: &mut Thread, item: usize) {
        let object = &self.counts.objects()[item - 1];
        object.ghost.lose();
        self.counts.decref(&mut t.counts, object);
        self.bury(t);
        if t.sections.is_inside() {
            // The destructor blocks.
            self.block(t);
        }
    }

    fn value(&self, item: usize) -> i64 {
        self.counts.objects()[item - 1].payload.read() as i64
    }

    fn attempt(
        &self,
        t: &mut Thread,
        item: usize,
        _: Attempt,
        still: impl FnOnce() -> bool,
    ) -> Option<i64> {
        if self.faults.is(Mutant::SafePointInside) {
            self.safe_point(t);
        }
        let object = &self.counts.objects()[item - 1];
        if !self.counts.try_add(&t.counts, object) {
            return None;
        }
        object.ghost.gain();
        let value = still().then(|| self.value(item));
        self.release(t, item);
        value
    }

    fn locked<T>(&self, t: &mut Thread, inside: impl FnOnce(&mut Thread) -> T) -> T {
        self.sections.begin(&mut t.sections, DICT);
        let done = inside(t);
        self.sections.end(&mut t.sections);
        done
    }

    fn touch(&self, table: usize) {
        self.tables[table - 1].content.read();
    }

    fn fill(&self, table: usize) {
        self.tables[table - 1].ghost.reuse(0);
        self.tables[table - 1].content.write(1);
    }

    fn retire(&self, t: &mut Thread, table: usize) {
        let memory = Memory::Table(table - 1);
        match self.faults.is(Mutant::TableNow) {
            true => self.free(memory),
            false => t.retired.push((memory, self.clock.advance())),
        }
    }

    fn settle(&self) {
        // All offline: one advance makes every goal reachable.
        self.clock.advance();
        let mut orphans = std::mem::take(&mut *self.orphans.lock());
        self.reclaim(&mut orphans);
        require(orphans.is_empty(), Kind::Leak, || "orphans: their goals are not reached".into());
        let tables = self.tables.iter().filter(|table| !table.ghost.is_dead()).count();
        require(tables <= 1, Kind::Leak, || format!("table: {tables} have not been freed"));
        for object in self.counts.objects().iter().filter(|object| !object.ghost.is_dead()) {
            object.ghost.settle();
            let (count, holders) = (self.counts.settled(object), object.ghost.holders());
            require(count == Some(holders), Kind::WrongCount, || {
                format!("object[{}]: count {count:?}, {holders} exist", object.index)
            });
        }
    }
}

/// The dict, on its parts.
pub struct Subscript<R: Runtime>(Dict<R, Parts<R>>);

/// What a thread does. Values name objects, and by their tens the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `d.get(k, -1)`.
    Get(usize),
    /// `d[k] = v`.
    Set(usize, i64),
    /// `d.pop(k, None)`, and whether there was one.
    Delete(usize),
    /// A call that blocks.
    Blocks,
    /// States that all that this thread has retired is freed.
    Reclaimed,
}

impl<R: Runtime> World for Subscript<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = (Caller<dict::Op>, Thread);

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        Self(Dict::on(Parts::new(shape, faults), shape, Switch(None)))
    }

    fn enter(&self, n: usize) -> Self::Local {
        (self.0.caller(n), self.0.ground.enter(n))
    }

    fn started(&self, (caller, _): &mut Self::Local) {
        caller.started();
    }

    fn step(&self, (caller, t): &mut Self::Local, op: Op) -> Option<i64> {
        let op = match op {
            Op::Get(key) => dict::Op::Get(key),
            Op::Set(key, value) => dict::Op::Set(key, value),
            Op::Delete(key) => dict::Op::Delete(key),
            Op::Blocks => {
                self.0.ground.block(t);
                return None;
            }
            Op::Reclaimed => {
                let left = t.retired.len();
                require(left == 0, Kind::Unbounded, || format!("backlog: {left} not freed"));
                return None;
            }
        };
        let answer = self.0.perform(caller, t, op);
        self.0.ground.safe_point(t);
        answer
    }

    fn exit(&self, (caller, t): Self::Local) {
        self.0.leave(caller);
        self.0.ground.leave(t);
    }

    fn finish(&self) {
        self.0.ground.settle();
        self.0.judge();
    }
}
