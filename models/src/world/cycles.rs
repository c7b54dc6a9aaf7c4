//! Collecting cycles: garbage that counts do not find, in two pauses.
//!
//! # Question
//! Objects that refer to each other keep each other alive. How are those found that nobody else refers to, when
//! counts are split between an owner and the others, and when finalizers run arbitrary code?
//!
//! # Idea
//! The world is stopped. From every count all references from inside the heap are subtracted: what is left above
//! zero is referred to from outside, and everything that can be reached from there lives. The rest is *garbage*, which
//! the collector holds by a reference of its own; weak references to it are cleared. The world starts again: callbacks
//! run, then finalizers. A second pause looks again: what a finalizer has stored somewhere lives, with all that it
//! reaches. The rest is *cleared*, its references are dropped one by one, and counts do what is left.
//!
//! # Timeline
//! ```text
//!                                            counts   a's weak reference
//! a and b refer to each other, g to a        2, 1     gives a
//! T0: g goes                                 1, 1
//! T0: pause { subtracts: 0, 0: garbage;      2, 2     cleared
//!     holds both }
//! T1: asks the weak reference                         gives none
//! T0: callback; finalizers
//! T0: pause { still 0 from outside }         2, 2
//! T0: clears a: drops b                      2, 1
//! T0: lets a go; clears b: drops a: freed    0, 1
//! T0: lets b go: freed                       0, 0
//! ```
//!
//! # Obligations
//! * G1: what somebody can reach is not cleared.
//! * G2: what nobody can reach is freed.
//! * G4: a finalizer runs when weak references have been cleared; none gives what was cleared.
//! * G5: what lives has its owner still, and nobody if that has ended.
//! * G7: the collector holds what it works on.
//! * G8: no weak reference that is garbage itself is called back.
//! * G9: what a finalizer has saved lives, with all that it reaches.
//! * G10: one collection at a time. G11: no destructor runs in a pause: no deadlock.
//!
//! # Limits
//! One cycle of two objects, or two containers and an item. The world is one lock, taken for every step of a thread
//! and for a whole pause: how it is stopped is `stop.rs`'s. A decrement by another thread than the owner waits in
//! a queue for the next pause.
//!
//! # Orders
//! None but that of one collection after another: all is in steps of the world.
//!
//! # Source
//! CPython 3.13 and 3.14 `Python/gc_free_threading.c`.

use crate::enumerate::{Place, Start};
use crate::ghost::{Ghost as _, require};
use crate::protocol::{Fault as _, Property, Protocol, SKIPPED, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, Guard, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use crate::{mutants, properties};

/// The cycle; `A` is also the containers' item.
const A: usize = 0;
const B: usize = 1;
/// The containers.
const X: usize = 2;
const Y: usize = 3;
const OBJECTS: usize = 4;

/// What the cycle's finalizer does, or another thing about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// Nothing.
    #[default]
    Plain,
    /// Takes the cycle apart.
    Breaks,
    /// Makes a weak reference to its object, which others find.
    Stores,
    /// Stores its object in the variable.
    Saves,
    /// Nothing; references from stacks to the object do not count.
    Deferred,
}

/// An object.
#[derive(Default)]
struct Object {
    alive: bool,
    /// References that the owner has counted, and those that others have.
    local: i64,
    shared: i64,
    /// The owner, from one; 0 is none.
    owner: usize,
    /// One more is counted for all stacks together.
    deferred: bool,
    fields: Vec<usize>,
    finalized: bool,
    cleared: bool,
}

/// Everything that a pause may look at.
#[derive(Default)]
struct Heap {
    objects: [Object; OBJECTS],
    manner: Manner,
    /// A variable.
    g: Option<usize>,
    /// A weak reference with a callback, one of the same kind that B has, and one that a finalizer made.
    outside: Option<usize>,
    inside: Option<usize>,
    stored: Option<usize>,
    /// Decrements by other threads than the owner.
    queue: Vec<usize>,
    /// What is on stacks and not counted.
    frames: Vec<usize>,
    ended: Vec<usize>,
}

impl Heap {
    /// How many references the objects of a list have to this one.
    fn inner(&self, list: &[usize], n: usize) -> i64 {
        let fields = list.iter().flat_map(|other| &self.objects[*other].fields);
        fields.filter(|field| **field == n).count() as i64
    }
}

/// An interpreter.
pub struct Interpreter<R: Runtime> {
    world: R::Mutex<Heap>,
    collecting: R::AtomicU8,
    /// A lock that threads hold over their safe points, and destructors take.
    section: R::Mutex<()>,
    ghosts: Box<[R::Ghost]>,
    faults: Switch<Mutant>,
}

/// A thread, and what it refers to.
pub struct Local {
    n: usize,
    held: Vec<usize>,
    frame: Option<usize>,
}

impl<R: Runtime> Interpreter<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    /// One reference more, by a thread or by nobody in particular.
    fn keep(&self, heap: &mut Heap, n: usize, by: Option<usize>) {
        self.ghosts[n].gain();
        let object = &mut heap.objects[n];
        let own = by.is_some_and(|thread| object.owner == thread + 1);
        *if own { &mut object.local } else { &mut object.shared } += 1;
    }

    /// One less.
    fn drop(&self, heap: &mut Heap, n: usize, by: Option<usize>) {
        self.ghosts[n].lose();
        let object = &mut heap.objects[n];
        if object.owner == 0 {
            object.shared -= 1;
        } else if by.is_some_and(|thread| object.owner == thread + 1) {
            object.local -= 1;
        } else {
            return heap.queue.push(n);
        }
        self.free_if_last(heap, n, by);
    }

    fn free_if_last(&self, heap: &mut Heap, n: usize, by: Option<usize>) {
        let object = &mut heap.objects[n];
        if object.local + object.shared != 0 || !object.alive {
            return;
        }
        object.alive = false;
        let fields = std::mem::take(&mut object.fields);
        for weak in [&mut heap.outside, &mut heap.inside, &mut heap.stored] {
            weak.take_if(|of| *of == n);
        }
        self.ghosts[n].free();
        fields.into_iter().for_each(|field| self.drop(heap, field, by));
    }

    fn make(&self, heap: &mut Heap, n: usize, by: usize) {
        self.ghosts[n].reuse(0);
        heap.objects[n] = Object { alive: true, owner: by + 1, ..Object::default() };
    }

    /// A thread uses an object, and what it refers to.
    fn look(&self, heap: &Heap, n: usize) {
        for n in std::iter::once(n).chain(heap.objects[n].fields.iter().copied()) {
            self.ghosts[n].touch();
            require(!heap.objects[n].cleared, Kind::Invariant, || {
                format!("cleared[{n}]: a thread can reach it")
            });
        }
    }

    /// Decrements of others come into the counts.
    fn merge_queue(&self, heap: &mut Heap) {
        if !self.is(Mutant::SkipMergeQueue) {
            for n in std::mem::take(&mut heap.queue) {
                heap.objects[n].shared -= 1;
            }
        }
    }

    /// The fault that does not stop the world: others take a step.
    fn unstopped<'a>(&'a self, heap: Guard<'a, R, Heap>) -> Guard<'a, R, Heap> {
        if !self.is(Mutant::NoStop) {
            return heap;
        }
        drop(heap);
        self.world.lock()
    }

    /// What can be reached from outside, in a pause.
    fn reachable<'a>(
        &'a self,
        mut heap: Guard<'a, R, Heap>,
        all: &[usize],
    ) -> (Guard<'a, R, Heap>, Vec<usize>) {
        let mut outside = [0; OBJECTS];
        for n in all {
            let object = &heap.objects[*n];
            let shared = if self.is(Mutant::IgnoreShared) { 0 } else { object.shared };
            let surplus = object.deferred && !self.is(Mutant::DeferredNotSubtracted);
            outside[*n] += object.local + shared - i64::from(surplus);
            object.fields.iter().for_each(|field| outside[*field] -= 1);
        }
        if !self.is(Mutant::NoStackScan) {
            heap.frames.iter().for_each(|n| outside[*n] += 1);
        }
        let mut found: Vec<usize> = Vec::new();
        let mut next: Vec<usize> = all.iter().copied().filter(|n| outside[*n] > 0).collect();
        while let Some(n) = next.pop() {
            if !found.contains(&n) {
                found.push(n);
                next.extend(&heap.objects[n].fields);
                heap = self.unstopped(heap);
            }
        }
        (heap, found)
    }

    /// Clears the weak references to garbage, and answers whether the outer one's callback is due.
    fn clear_weak(&self, heap: &mut Heap, garbage: &[usize]) -> bool {
        heap.stored.take_if(|of| garbage.contains(of));
        let inside = heap.inside.take_if(|of| garbage.contains(of)).is_some();
        require(!inside || !self.is(Mutant::GarbageCallback), Kind::Invariant, || {
            "callback: of a weak reference that is garbage".into()
        });
        heap.outside.take_if(|of| garbage.contains(of)).is_some()
    }

    /// Collects, and answers how many objects are cleared.
    fn collect(&self) -> i64 {
        if self.is(Mutant::Concurrent) {
            if self.collecting.load(Acquire) == 1 {
                return 0;
            }
            let before = self.collecting.swap(1, Acquire);
            require(before == 0, Kind::Invariant, || "collecting: two at once".into());
        // Acquire: the last one has ended.
        } else if self.collecting.compare_exchange(0, 1, Acquire, Relaxed).is_err() {
            return 0;
        }
        let garbage = self.find();
        self.finalize(&garbage);
        let garbage = self.look_again(garbage);
        if !self.is(Mutant::ClearNothing) {
            garbage.iter().for_each(|n| self.clear(*n));
        }
        // Release: we have ended.
        self.collecting.store(0, Release);
        garbage.len() as i64
    }

    /// The first pause.
    fn find(&self) -> Vec<usize> {
        let mut heap = self.world.lock();
        self.merge_queue(&mut heap);
        let walked = |n: &usize| {
            let object = &heap.objects[*n];
            object.alive && (object.owner != 0 || !self.is(Mutant::SkipAbandoned))
        };
        let all: Vec<usize> = (0..OBJECTS).filter(walked).collect();
        let (mut heap, found) = self.reachable(heap, &all);
        let garbage: Vec<usize> = all.into_iter().filter(|n| !found.contains(n)).collect();
        for n in found {
            // The number was overwritten by the count.
            if self.is(Mutant::TidNotRestored) {
                heap.objects[n].owner = usize::MAX;
            } else if self.is(Mutant::TidFromOldOwner) && heap.objects[n].owner == 0 {
                heap.objects[n].owner = heap.ended.last().map_or(0, |thread| thread + 1);
            }
        }
        for n in &garbage {
            let (holders, inner) = (self.ghosts[*n].holders(), heap.inner(&garbage, *n));
            let framed = heap.frames.contains(n);
            require(!R::OBSERVED || holders == inner && !framed, Kind::Invariant, || {
                format!("garbage[{n}]: {holders} references, {inner} of them by garbage")
            });
            let object = &mut heap.objects[*n];
            object.shared += std::mem::take(&mut object.local);
            object.shared -= i64::from(std::mem::take(&mut object.deferred));
            object.owner = 0;
            if !self.is(Mutant::WorklistNoRef) {
                self.keep(&mut heap, *n, None);
            }
        }
        if !self.is(Mutant::FinalizeBeforeWeakref) {
            self.clear_weak(&mut heap, &garbage);
        }
        if self.is(Mutant::ClearWhileStopped) && !garbage.is_empty() {
            drop(self.section.lock());
        }
        garbage
    }

    /// The world runs: finalizers do what they do.
    fn finalize(&self, garbage: &[usize]) {
        for n in garbage {
            let mut heap = self.world.lock();
            self.ghosts[*n].touch();
            if std::mem::replace(&mut heap.objects[*n].finalized, true) {
                continue;
            }
            require(heap.outside != Some(*n), Kind::Invariant, || {
                "weakref: it gives an object whose finalizer runs".into()
            });
            if *n != A {
                continue;
            }
            match heap.manner {
                Manner::Breaks => {
                    for field in std::mem::take(&mut heap.objects[A].fields) {
                        self.drop(&mut heap, field, None);
                    }
                }
                Manner::Stores => heap.stored = Some(A),
                Manner::Saves if heap.g.is_none() => {
                    self.keep(&mut heap, A, None);
                    heap.g = Some(A);
                }
                _ => {}
            }
        }
    }

    /// The second pause: what nobody has saved.
    fn look_again(&self, mut garbage: Vec<usize>) -> Vec<usize> {
        let mut heap = self.world.lock();
        self.merge_queue(&mut heap);
        let mut saved: Vec<usize> = garbage
            .iter()
            .copied()
            .filter(|n| heap.objects[*n].shared - 1 - heap.inner(&garbage, *n) > 0)
            .filter(|_| !self.is(Mutant::NoResurrectCheck))
            .collect();
        let mut at = 0;
        while at < saved.len() && !self.is(Mutant::ResurrectNotTransitive) {
            for field in &heap.objects[saved[at]].fields {
                if garbage.contains(field) && !saved.contains(field) {
                    saved.push(*field);
                }
            }
            at += 1;
        }
        let kept: Vec<usize> = garbage.iter().copied().filter(|n| saved.contains(n)).collect();
        garbage.retain(|n| !kept.contains(n));
        kept.into_iter().for_each(|n| self.drop(&mut heap, n, None));
        if !self.is(Mutant::NoSecondClear) {
            self.clear_weak(&mut heap, &garbage);
        }
        garbage
    }

    /// The world runs: a piece of garbage loses what it refers to, and the collector's hold.
    fn clear(&self, n: usize) {
        // Its destructor, and those of what it refers to.
        drop(self.section.lock());
        let mut heap = self.world.lock();
        self.ghosts[n].touch();
        heap.objects[n].cleared = true;
        for field in std::mem::take(&mut heap.objects[n].fields) {
            self.drop(&mut heap, field, None);
        }
        self.drop(&mut heap, n, None);
    }
}

/// What a thread does; a collection answers how many objects it clears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Makes the cycle, and stores it in the variable.
    Cycle(Manner),
    /// Makes two containers, the first of which has an item.
    Contain,
    /// Takes a reference from the variable.
    Hold,
    /// Takes one that does not count.
    Frame,
    /// Uses what it has.
    Use,
    /// Empties the variable.
    Unset,
    /// Asks the weak references, and uses what they give.
    Upgrade,
    /// Moves the item to the other container.
    Move,
    /// Passes a safe point with the lock.
    Section,
    /// Collects.
    Collect,
}

impl<R: Runtime> World for Interpreter<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    fn new(_: Shape, faults: Switch<Mutant>) -> Self {
        Self {
            world: R::Mutex::new(Heap::default(), "world"),
            collecting: R::AtomicU8::new(0, "collecting"),
            section: R::Mutex::new((), "section"),
            ghosts: (0..OBJECTS).map(|n| R::Ghost::blank(Label::nth("object", n))).collect(),
            faults,
        }
    }

    fn enter(&self, n: usize) -> Local {
        Local { n, held: Vec::new(), frame: None }
    }

    fn step(&self, t: &mut Local, op: Op) -> Option<i64> {
        if op == Op::Collect {
            return Some(self.collect());
        }
        let section = (op == Op::Section).then(|| self.section.lock());
        let heap = &mut *self.world.lock();
        match op {
            Op::Cycle(manner) if heap.objects.iter().all(|object| !object.alive) => {
                heap.manner = manner;
                for n in [A, B] {
                    self.make(heap, n, t.n);
                }
                for n in [A, B] {
                    self.keep(heap, n, Some(t.n));
                    heap.objects[A + B - n].fields.push(n);
                }
                self.keep(heap, A, Some(t.n));
                heap.g = Some(A);
                heap.objects[A].deferred = manner == Manner::Deferred;
                heap.objects[A].shared += i64::from(manner == Manner::Deferred);
                (heap.outside, heap.inside) = (Some(A), Some(A));
            }
            Op::Contain if heap.objects.iter().all(|object| !object.alive) => {
                for n in [A, X, Y] {
                    self.make(heap, n, t.n);
                    self.keep(heap, n, Some(t.n));
                }
                heap.objects[X].fields.push(A);
                t.held.extend([X, Y]);
            }
            Op::Hold if heap.g.is_some() => {
                self.keep(heap, A, Some(t.n));
                t.held.push(A);
            }
            Op::Frame if heap.g.is_some() && heap.objects[A].deferred && t.frame.is_none() => {
                heap.frames.push(A);
                t.frame = Some(A);
            }
            Op::Use => t.held.iter().chain(&t.frame).for_each(|n| self.look(heap, *n)),
            Op::Unset if heap.g.is_some() => {
                heap.g = None;
                self.drop(heap, A, Some(t.n));
            }
            Op::Upgrade => {
                let Some(n) = heap.outside.or(heap.stored) else { return Some(0) };
                require(!heap.objects[n].cleared, Kind::UpgradedDead, || {
                    format!("object[{n}]: a weak reference gives what was cleared")
                });
                self.keep(heap, n, Some(t.n));
                t.held.push(n);
                return Some(1);
            }
            Op::Move if heap.objects[X].alive && heap.objects[X].fields.pop().is_some() => {
                heap.objects[Y].fields.push(A);
            }
            Op::Section => {}
            _ => return SKIPPED,
        }
        drop(section);
        None
    }

    fn exit(&self, t: Local) {
        let heap = &mut *self.world.lock();
        if t.frame.is_some() {
            heap.frames.pop();
        }
        t.held.iter().for_each(|n| self.look(heap, *n));
        t.held.into_iter().for_each(|n| self.drop(heap, n, Some(t.n)));
        for n in 0..OBJECTS {
            let object = &mut heap.objects[n];
            if object.owner == t.n + 1 {
                object.owner = 0;
                object.shared += std::mem::take(&mut object.local);
                self.free_if_last(heap, n, None);
            }
        }
        heap.ended.push(t.n);
    }

    fn finish(&self) {
        self.collect();
        let heap = self.world.lock();
        if let Some(n) = heap.g {
            self.look(&heap, n);
        }
        for (n, object) in heap.objects.iter().enumerate().filter(|(_, object)| object.alive) {
            require(heap.g.is_some(), Kind::Leak, || format!("object[{n}]: nobody can reach it"));
            let owner = object.owner;
            require(owner == 0, Kind::Invariant, || {
                format!("owner[{n}]: {owner} when all threads have ended")
            });
        }
    }
}

mutants! {
    /// Faults of the collector.
    pub enum Mutant {
        /// Threads run while the collector walks.
        NoStop = "gc-no-stop" breaks ["G1"] in "move" by Everywhere;
        /// Decrements that wait in the queue are not seen.
        SkipMergeQueue = "gc-skip-merge-queue" breaks ["G2"] in "queued" by Everywhere;
        /// Only what the owner has counted is a count.
        IgnoreShared = "gc-ignore-shared" breaks ["G1"] in "held" by Everywhere;
        /// What is counted for stacks is taken for a reference.
        DeferredNotSubtracted = "gc-deferred-not-subtracted" breaks ["G2"] in "deferred" by Everywhere;
        /// Stacks are not looked at.
        NoStackScan = "gc-deferred-no-stack-scan" breaks ["G1"] in "deferred" by Everywhere;
        /// What threads that ended have left is not walked.
        SkipAbandoned = "gc-skip-abandoned" breaks ["G2"] in "ended" by Everywhere;
        /// What lives does not get its owner back.
        TidNotRestored = "gc-tid-not-restored" breaks ["G5"] in "lives" by Everywhere;
        /// What lives gets an owner back that has ended.
        TidFromOldOwner = "gc-tid-from-old-owner" breaks ["G5"] in "outlives" by Everywhere;
        /// The collector does not hold the garbage.
        WorklistNoRef = "gc-worklist-no-ref" breaks ["G7"] in "breaks" by Everywhere;
        /// Finalizers run before weak references are cleared.
        FinalizeBeforeWeakref = "gc-finalize-before-weakref" breaks ["G4"] in "breaks" by Everywhere;
        /// Weak references that finalizers made are not cleared.
        NoSecondClear = "gc-no-second-clear" breaks ["G4", "G1"] in "stores" by Everywhere;
        /// What a finalizer saved is cleared.
        NoResurrectCheck = "gc-no-resurrect-check" breaks ["G9"] in "saves" by Everywhere;
        /// What it refers to is cleared.
        ResurrectNotTransitive = "gc-resurrect-not-transitive" breaks ["G9"] in "saves" by Everywhere;
        /// A weak reference in the garbage is called back.
        GarbageCallback = "gc-callback-of-garbage-weakref" breaks ["G8"] in "breaks" by Everywhere;
        /// Garbage is cleared in the pause, with its destructors.
        ClearWhileStopped = "gc-clear-while-stopped" breaks ["G11"] in "section" by Everywhere;
        /// Whether somebody collects is looked at, and then stored.
        Concurrent = "gc-concurrent" breaks ["G10"] in "two" by Everywhere;
        /// Garbage is found, and not cleared.
        ClearNothing = "gc-clear-nothing" breaks ["G2"] in "held" by Everywhere;
    }
}

/// The protocol.
pub struct CycleCollection;

impl Protocol for CycleCollection {
    const NAME: &'static str = "cycle-collection";
    const TITLE: &'static str = "Collecting cycles in two pauses";
    const QUESTION: &'static str =
        "How are cycles found that nobody refers to, when counts are split and finalizers run?";
    const SOURCE: &'static str = "CPython 3.13 and 3.14 gc_free_threading.c";
    const PROPERTIES: &'static [Property] = properties! {
        "G1" "what somebody can reach is not cleared" by [..REACHED];
        "G2" "what nobody can reach is freed" by [Leak at "object"];
        "G4" "weak references are cleared before finalizers, and give nothing that was cleared"
            by [UpgradedDead at "object", Invariant at "weakref"];
        "G5" "what lives has its owner" by [Invariant at "owner"];
        "G7" "the collector holds what it works on" by [UseAfterFree at "object"];
        "G8" "no garbage is called back" by [Invariant at "callback"];
        "G9" "what a finalizer saved lives, with all it reaches" by [..REACHED];
        "G10" "one collection at a time" by [Invariant at "collecting"];
        "G11" "no destructor runs in a pause" by [Deadlock];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Interpreter<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Manner::*;
        use Op::*;
        let of = |manner, name, asks, threads| {
            Scenario::of::<2>(name, asks, threads).setup([Cycle(manner)])
        };
        vec![
            of(Plain, "held", "another thread refers to it", [&[Unset, Collect], &[Hold, Use]]),
            of(Plain, "queued", "another thread drops it", [&[Collect], &[Unset]]),
            of(Deferred, "deferred", "a stack refers to it", [&[Frame, Unset, Use], &[Collect]]),
            Scenario::of("ended", "its thread ends", [&[Collect], &[Cycle(Plain), Unset]]),
            Scenario::of("outlives", "it outlives its thread", [&[Collect], &[Cycle(Plain)]]),
            of(Plain, "lives", "it lives", [&[Collect], &[Hold, Use]]),
            of(Breaks, "breaks", "a finalizer takes it apart", [&[Unset, Collect], &[Upgrade]]),
            of(
                Stores,
                "stores",
                "a finalizer makes a weak reference",
                [&[Unset, Collect], &[Upgrade]],
            ),
            of(Saves, "saves", "a finalizer saves it", [&[Unset, Collect], &[Hold, Use]]),
            of(Plain, "section", "a thread in a section", [&[Unset, Collect], &[Section]]),
            of(Plain, "two", "two collections", [&[Collect], &[Collect]]),
            Scenario::of("move", "an item is moved meanwhile", [&[Collect], &[Move]])
                .setup([Contain]),
        ]
    }

    /// Left out: frames, sections and containers, whose scenarios say all; of three threads, collections by two.
    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        let start = |name, asks, manner| {
            let letters = |_: Place| vec![Hold, Use, Unset, Upgrade, Collect];
            let mut start = Start::new(name, asks, letters);
            start.setup = vec![Cycle(manner)];
            start.fits = |scenario| {
                let all = scenario.threads.iter().flatten();
                let collections = all.filter(|op| **op == Collect).count();
                collections == 1 || collections < 3 && scenario.threads.len() < 3
            };
            start
        };
        vec![
            start("stores", "a finalizer that makes a weak reference", Manner::Stores),
            start("saves", "a finalizer that saves its object", Manner::Saves),
        ]
    }
}

/// A thread reaches what was cleared or freed.
const REACHED: &[crate::verdict::Breach] = &[
    Kind::Invariant.at(&["cleared", "garbage"]),
    Kind::UseAfterFree.at(&["object"]),
    Kind::PrematureFree.at(&["object"]),
];
