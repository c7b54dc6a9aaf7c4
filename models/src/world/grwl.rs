//! One lock for the whole interpreter, which many may hold for reading.
//!
//! # Question
//! Python code is made safe for threads piece by piece. How does what is not yet safe (extensions, the
//! collector) run alone, when all else runs in parallel?
//!
//! # Idea
//! The global lock becomes a lock of readers and writers. Python code holds it for reading, what must be alone
//! for writing. A writer that waits keeps new readers out, or it would wait for ever; readers that run on look
//! at safe points whether one waits, and let it in. To *promote* is to give up reading and then to wait for
//! writing: others come in between, so nothing that was read before is known after it. (Two that kept
//! reading while they wait would wait for each other.)
//!
//! The collector, which is a writer, needs every other thread's registers. Who leaves Python saves them; who
//! has not done so is sent a signal, whose handler does; threads that are just starting are waited for.
//!
//! # Timeline
//! ```text
//!                                      readers   writer   waiting
//! T0, T1: read                         2                  0
//! T0: promotes: gives up reading       1                  0
//! T0: waits                            1                  1
//! T2: wants to read: waits behind T0   1                  1
//! T1: safe point: gives up reading     0                  1
//! T1: wants to read: waits behind T0   0                  1
//! T0: is alone                         0         T0       0
//! T0: reads again what it has read
//! T0: gives up                         2                  0
//! ```
//!
//! # Obligations
//! * W1: who holds it for writing is alone, and what it wrote is there for whoever comes next.
//! * W3: nothing that was read before a promotion is used after it.
//! * W4: no reader comes in before a writer that waits, and every reader lets it in.
//! * W5: no deadlock: a writer waits without reading and without the lock of any structure.
//! * W6: the collector sees the registers of every thread as they are.
//! * W7: who reads already does not ask for it once more.
//!
//! # Limits
//! A writer is counted among the waiting as it begins to wait; Pyston counts it a moment before, so that a reader
//! may give way too early, and does so once more. To demote is the same gap the other way. A signal's handler is the
//! collector's own look at the registers, which nobody changes outside Python.
//!
//! # Orders
//! None: all is under locks, and a safe point's look is a hint.
//!
//! # Source
//! Pyston's notes on its experiments without a GIL, 2015; `src/core/threading.cpp` of that branch.

use crate::enumerate::Start;
use crate::ghost::{Ghost as _, require};
use crate::protocol::{Draw, Fault as _, Property, Protocol, Scenario, Shape, Switch, World};
use crate::runtime::{
    Atomic as _, DataCell as _, Label, Lock as _, Native, Ordering::*, Runtime, Signal as _,
};
use crate::sync::Counter;
use crate::verdict::Kind;
use crate::{mutants, properties};

/// Why loom kills no fault whose thread waits for ever.
const SPINS: &str = "loom waits by looking again, up to its step budget, which is no verdict";
/// Objects that a thread may make.
const OBJECTS: usize = 5;

/// Who holds the lock.
#[derive(Default)]
struct Held {
    readers: usize,
    writer: bool,
}

/// What is under the lock of the table of threads.
struct Threads {
    /// Threads that were started and are not in the table yet.
    starting: usize,
    /// Of each thread in the table, the registers that it has saved.
    table: Vec<Option<Option<usize>>>,
}

/// An interpreter.
pub struct Grwl<R: Runtime> {
    held: R::Mutex<Held>,
    changed: R::Condvar,
    /// Writers that wait: stored under the lock, looked at without it.
    waiting: R::AtomicU32,
    data: Counter<R>,
    /// How often somebody wrote.
    written: R::AtomicU32,
    /// A structure with a lock of its own.
    structure: R::Mutex<()>,
    size: Counter<R>,
    threads: R::Mutex<Threads>,
    started: R::Condvar,
    /// The number of the object that a thread works with.
    registers: Box<[R::Cell<usize>]>,
    lives: Box<[R::Cell<u8>]>,
    objects: Box<[R::Ghost]>,
    faults: Switch<Mutant>,
}

/// A thread.
pub struct Local {
    n: usize,
    /// How often it found the lock taken.
    waited: i64,
}

impl<R: Runtime> Grwl<R> {
    fn is(&self, mutant: Mutant) -> bool {
        self.faults.is(mutant)
    }

    fn read(&self, t: &mut Local) {
        let mut held = self.held.lock();
        // Relaxed, here and below: stored under this lock.
        let shut = |held: &Held| {
            let waiting = self.waiting.load(Relaxed) > 0 && !self.is(Mutant::ReaderPreferred);
            held.writer || waiting
        };
        t.waited += i64::from(shut(&held));
        while shut(&held) {
            held = R::wait(&self.changed, &self.held, held);
        }
        let waiting = self.waiting.load(Relaxed);
        require(waiting == 0, Kind::Starvation, || {
            "writer: it waits, and a reader comes in".into()
        });
        held.readers += 1;
    }

    fn end_read(&self) {
        let mut held = self.held.lock();
        held.readers -= 1;
        if held.readers == 0 {
            self.changed.notify_all();
        }
    }

    fn write(&self, t: &mut Local) {
        let mut held = self.held.lock();
        let shut =
            |held: &Held| held.writer || held.readers > 0 && !self.is(Mutant::WriteBesideReaders);
        t.waited += i64::from(shut(&held));
        let counted = !self.is(Mutant::WaitingAfterLock);
        if counted {
            self.waiting.fetch_add(1, Relaxed);
        }
        while shut(&held) {
            held = R::wait(&self.changed, &self.held, held);
        }
        if counted {
            self.waiting.fetch_sub(1, Relaxed);
        }
        held.writer = true;
    }

    fn end_write(&self) {
        self.held.lock().writer = false;
        if !self.is(Mutant::EndWriteNothing) {
            self.changed.notify_all();
        }
    }

    /// From reading to writing, with others in between.
    fn promote(&self, t: &mut Local) {
        if self.is(Mutant::AtomicUpgrade) {
            let mut held = self.held.lock();
            while held.writer || held.readers > 1 {
                held = R::wait(&self.changed, &self.held, held);
            }
            (held.readers, held.writer) = (0, true);
            return;
        }
        self.end_read();
        self.write(t);
    }

    /// Between two instructions.
    fn safe_point(&self, t: &mut Local) {
        // Relaxed: a hint; who waits is let in at the next one.
        if self.waiting.load(Relaxed) > 0 {
            self.end_read();
            self.read(t);
        }
    }

    /// Out of Python for a while.
    fn outside(&self, t: &mut Local, what: impl FnOnce()) {
        self.end_read();
        // A collector that comes before this sends a signal.
        self.threads.lock().table[t.n] = Some(Some(self.registers[t.n].read()));
        what();
        if !self.is(Mutant::ContextStale) {
            self.threads.lock().table[t.n] = Some(None);
        }
        self.read(t);
    }

    /// A new object takes the place of the old one in the thread's registers.
    fn make(&self, n: usize) {
        let mine = n * OBJECTS..(n + 1) * OBJECTS;
        if let Some(new) = mine.into_iter().find(|o| self.lives[*o].read() == 0) {
            self.objects[new].reuse(0);
            self.lives[new].write(1);
            self.registers[n].write(new);
        }
    }

    /// Frees what is in nobody's registers, and tells how much.
    fn collect(&self) -> i64 {
        let mut threads = self.threads.lock();
        while threads.starting > 0 && !self.is(Mutant::StartingUncounted) {
            threads = R::wait(&self.started, &self.threads, threads);
        }
        let of = |(n, saved): (usize, &Option<Option<usize>>)| {
            saved.map(|saved| saved.unwrap_or_else(|| self.registers[n].read()))
        };
        let roots: Vec<usize> = threads.table.iter().enumerate().filter_map(of).collect();
        drop(threads);
        let garbage = (0..self.lives.len())
            .filter(|o| self.lives[*o].read() == 1 && !roots.contains(o))
            .inspect(|o| {
                self.lives[*o].write(0);
                self.objects[*o].free();
            });
        garbage.count() as i64
    }
}

/// What a thread does; a collection answers how many objects it frees, all others how often they found the
/// lock taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Reads the data.
    Read,
    /// Counts in the data, alone.
    Write,
    /// Reads the data, is promoted, and counts.
    Promote,
    /// Reads the data, and once more from a callback.
    Nested,
    /// Reads the data, is in a system call until somebody wrote, and reads it.
    Blocks,
    /// Runs until somebody wrote.
    Loop,
    /// Counts in the structure.
    Look,
    /// Counts in the structure, is promoted, and counts in it alone.
    Grow,
    /// Uses its object, is in a system call, uses the object, and makes another.
    Region,
    /// Frees all objects that nobody uses.
    Collect,
}

impl<R: Runtime> World for Grwl<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let objects = 0..shape.threads * OBJECTS;
        let ghost = |n| R::Ghost::blank(Label::nth("object", n));
        let world = Self {
            held: R::Mutex::new(Held::default(), "held"),
            changed: R::Condvar::new("changed"),
            waiting: R::AtomicU32::new(0, "waiting"),
            data: Counter::new(0),
            written: R::AtomicU32::new(0, "written"),
            structure: R::Mutex::new((), "structure"),
            size: Counter::new(1),
            threads: R::Mutex::new(
                Threads { starting: shape.threads, table: vec![None; shape.threads] },
                "threads",
            ),
            started: R::Condvar::new("started"),
            registers: (0..shape.threads)
                .map(|n| R::Cell::new(0, Label::nth("registers", n)))
                .collect(),
            lives: objects.clone().map(|n| R::Cell::new(0, Label::nth("live", n))).collect(),
            objects: objects.map(ghost).collect(),
            faults,
        };
        // What each thread is started with.
        (0..shape.threads).for_each(|n| world.make(n));
        world
    }

    fn enter(&self, n: usize) -> Local {
        let mut threads = self.threads.lock();
        threads.table[n] = Some(None);
        threads.starting -= 1;
        self.started.notify_all();
        Local { n, waited: 0 }
    }

    fn step(&self, t: &mut Local, op: Op) -> Option<i64> {
        t.waited = 0;
        match op {
            Op::Write | Op::Collect => self.write(t),
            _ => self.read(t),
        }
        let mut writes = matches!(op, Op::Write | Op::Collect);
        let mut collected = None;
        match op {
            Op::Read => {
                self.data.read();
            }
            Op::Write => {
                self.data.count();
                // Relaxed: nothing is read by way of it.
                self.written.fetch_add(1, Relaxed);
            }
            Op::Promote => {
                let mut read = self.data.read();
                self.promote(t);
                writes = true;
                if !self.is(Mutant::PromoteNoRecheck) {
                    read = self.data.read();
                }
                self.data.store(read);
            }
            Op::Nested => {
                self.data.read();
                if self.is(Mutant::NestedRead) {
                    self.read(t);
                    self.end_read();
                }
                self.data.read();
            }
            Op::Blocks => {
                self.data.read();
                // Relaxed, here and below: as above.
                let call = || R::await_until(|| self.written.load(Relaxed) > 0);
                if self.is(Mutant::BlockingCallHolds) {
                    call()
                } else {
                    self.outside(t, call)
                }
                self.data.read();
            }
            Op::Loop => {
                while self.written.load(Relaxed) == 0 {
                    // Instructions, until one of them finds something.
                    let looks = !self.is(Mutant::NoSafePoint);
                    R::await_until(|| {
                        let waits = looks && self.waiting.load(Relaxed) > 0;
                        waits || self.written.load(Relaxed) > 0
                    });
                    self.safe_point(t);
                }
            }
            Op::Look => {
                let _structure = self.structure.lock();
                self.size.count();
            }
            Op::Grow => {
                let structure = self.structure.lock();
                self.size.count();
                let structure = self.is(Mutant::ObjectLockOrder).then_some(structure);
                self.promote(t);
                drop(structure);
                writes = true;
                self.size.count();
            }
            Op::Region => {
                self.objects[self.registers[t.n].read()].touch();
                self.outside(t, || ());
                self.objects[self.registers[t.n].read()].touch();
                self.make(t.n);
            }
            Op::Collect => collected = Some(self.collect()),
        }
        if writes {
            self.end_write()
        } else {
            self.end_read()
        }
        Some(collected.unwrap_or(t.waited))
    }

    fn exit(&self, local: Local) {
        self.threads.lock().table[local.n] = None;
    }

    fn finish(&self) {
        self.data.check();
        self.size.check();
    }
}

mutants! {
    /// Faults of the lock and of its users.
    pub enum Mutant {
        /// Who is promoted goes on reading while it waits.
        AtomicUpgrade = "grwl-atomic-upgrade" breaks ["W5"] in "promote" by Everywhere;
        /// A value read before the promotion is used after it.
        PromoteNoRecheck = "grwl-promote-no-recheck" breaks ["W3"] in "promote" by Everywhere;
        /// Readers come in while others read, whoever waits.
        ReaderPreferred = "grwl-reader-preferred" breaks ["W4"] in "readers" by Everywhere;
        /// A callback asks for the lock that its thread has.
        NestedRead = "grwl-nested-read" breaks ["W7"] in "nested" by Everywhere;
        /// A long loop passes no safe point.
        NoSafePoint = "grwl-no-safepoint" breaks ["W4"] in "loop" by ShuttleOnly(SPINS);
        /// A writer says that it waits when it has waited.
        WaitingAfterLock = "grwl-waiting-after-lock" breaks ["W4"] in "loop" by ShuttleOnly(SPINS);
        /// A system call holds the lock.
        BlockingCallHolds = "grwl-blocking-call-holds-read" breaks ["W4"] in "blocks" by ShuttleOnly(SPINS);
        /// Registers that were saved are believed after their thread came back.
        ContextStale = "grwl-context-stale" breaks ["W6"] in "region" by Everywhere;
        /// The collector does not wait for threads that are just starting.
        StartingUncounted = "grwl-starting-uncounted" breaks ["W6"] in "starting" by Everywhere;
        /// A writer waits with the lock of a structure, which a reader needs.
        ObjectLockOrder = "grwl-object-lock-order" breaks ["W5"] in "grow" by Everywhere;
        /// A writer does not wait for readers.
        WriteBesideReaders = "grwl-write-beside-readers" breaks ["W1"] in "write" by Everywhere;
        /// Who wrote wakes nobody.
        EndWriteNothing = "grwl-end-write-nothing" breaks ["W5"] in "write" by Everywhere;
    }
}

/// The protocol.
pub struct GlobalReadWriteLock;

impl Protocol for GlobalReadWriteLock {
    const NAME: &'static str = "grwl";
    const TITLE: &'static str = "Global lock of readers and writers";
    const QUESTION: &'static str =
        "How does what is not safe for threads run alone, and all else in parallel?";
    const SOURCE: &'static str = "Pyston's notes on its experiments without a GIL";
    const PROPERTIES: &'static [Property] = properties! {
        "W1" "who writes is alone" by [..Counter::<Native>::BREACHES];
        "W3" "nothing read before a promotion is used after it" by [LostUpdate at "data"];
        "W4" "a writer waits for those readers only that were there, and they let it in"
            by [Starvation at "writer", Deadlock];
        "W5" "no deadlock" by [Deadlock];
        "W6" "the collector sees every thread's registers as they are"
            by [UseAfterFree at "object"];
        "W7" "who reads does not ask once more" by [Deadlock];
    };
    type Mutant = Mutant;
    type Op = Op;
    type World<R: Runtime> = Grwl<R>;

    fn scenarios() -> Vec<Scenario<Op>> {
        use Op::*;
        vec![
            Scenario::of("write", "a reader and a writer", [&[Read], &[Write]]),
            Scenario::of("promote", "two promotions", [&[Promote], &[Promote]]),
            Scenario::of("nested", "a callback beside a writer", [&[Nested], &[Write]]),
            Scenario::of("blocks", "a system call until a write", [&[Write], &[Blocks]]),
            Scenario::of("loop", "a long loop beside a writer", [&[Write], &[Loop]]),
            Scenario::of("grow", "a structure that grows", [&[Grow], &[Look]]),
            Scenario::of("starting", "a collection beside a new thread", [&[Collect], &[Region]]),
            Scenario::of(
                "region",
                "a collection beside a system call",
                [&[Collect], &[Region, Region]],
            ),
            Scenario::of("readers", "two readers and a writer", [&[Read], &[Read], &[Write]]),
        ]
    }

    /// Left out: waiting for a write, which a program without one never ends; callbacks and structures, which show
    /// nothing that a read does not; and more than two promotions or system calls, two among four operations, any
    /// among three threads.
    fn starts(_: usize) -> Vec<Start<Op>> {
        use Op::*;
        let fits = |scenario: &Scenario<Op>| {
            let all = scenario.threads.iter().flatten();
            let long = all.filter(|op| matches!(op, Promote | Region)).count();
            match scenario.threads.len() {
                0..=2 => long < 2 || long == 2 && scenario.operations() < 4,
                _ => long == 0,
            }
        };
        let mut lock = Start::new("lock", "readers and writers", |_| vec![Read, Write, Promote]);
        let mut world = Start::new("world", "threads and a collector", |_| vec![Region, Collect]);
        (lock.fits, world.fits) = (fits, fits);
        vec![lock, world]
    }

    const RANDOM: Option<Draw<Op>> = Some(|threads, operations, below| {
        use Op::*;
        let letters = [Read, Write, Promote, Nested, Look, Grow, Region, Collect];
        Scenario::random(&letters, threads, operations, below)
    });
}
