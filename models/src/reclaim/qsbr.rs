//! Quiescent-state based reclamation (QSBR).
//!
//! # Question
//! A reader follows a pointer without a lock and without a count. When may the memory
//! behind a pointer that was unlinked be freed?
//!
//! # The idea
//! A clock with two hands. The *write sequence* is advanced after an unlink; the memory
//! gets the new value as its *goal*. Each thread that is *online* publishes the last write
//! sequence it has observed at a quiescent point, a point where it holds no pointer. The
//! *read sequence* is the least of these. Once it has reached the goal, every thread has
//! passed a quiescent point since the unlink.
//!
//! # Obligations
//! * A thread that comes online publishes its sequence before its first read, in an order
//!   that a scan cannot miss: store, full fence, read, against unlink, full fence, scan.
//! * The scan starts from a write sequence read *before* it looks at the threads: whoever
//!   comes online later starts no lower.
//! * Going offline is ordered after the last use.
//! * Sequences are compared by the sign of their difference: they wrap around.
//!
//! # Source
//! FreeBSD `subr_smr.c` ("GUS"); CPython 3.13 `Python/qsbr.c`. CPython makes attaching a
//! sequentially consistent store; here it is FreeBSD's store and fence, which loom judges
//! exactly. The deferred goal (*next*) is a plain load there and a read-modify-write here:
//! see the shipped form `qsbr-next-without-fence`.

mod checks;

pub use self::checks::*;

use crate::ghost::{Ghost as _, require};
use crate::mutants;
use crate::protocol::{Fault, Property, Protocol, SKIPPED, Scenario, Shape, Switch, World};
use crate::runtime::{Atomic as _, DataCell as _, Label, Lock as _, Ordering::*, Runtime};
use crate::verdict::Kind;
use std::marker::PhantomData;

/// The first sequence. Sequences are odd, so that zero means offline, also after a wrap.
const FIRST: u64 = 1;
const STEP: u64 = 2;

/// The clock and the threads' published sequences.
pub struct Qsbr<R: Runtime, F> {
    write: R::AtomicU64,
    read: R::AtomicU64,
    threads: Box<[R::AtomicU64]>,
    faults: F,
}

/// `a` is before `b`, on a circle.
fn before(a: u64, b: u64) -> bool {
    (a.wrapping_sub(b) as i64) < 0
}

impl<R: Runtime, F: Fault<Mutant>> Qsbr<R, F> {
    /// A clock for `threads` threads, all offline.
    pub fn new(threads: usize, faults: F) -> Self {
        let seq = |n| R::AtomicU64::new(0, Label::nth("seq", n));
        Self {
            write: R::AtomicU64::new(FIRST, "write"),
            read: R::AtomicU64::new(FIRST, "read"),
            threads: (0..threads).map(seq).collect(),
            faults,
        }
    }

    fn before(&self, a: u64, b: u64) -> bool {
        if self.faults.is(Mutant::UnsignedCompare) { a < b } else { before(a, b) }
    }

    /// Thread `n` comes online.
    pub fn attach(&self, n: usize) {
        // Acquire: what was unlinked before this sequence is unlinked for us.
        let seq = self.write.load(Acquire);
        if self.faults.is(Mutant::AttachRelaxed) {
            return self.threads[n].store(seq, Release);
        }
        if self.faults.is(Mutant::AttachUnfenced) {
            return self.threads[n].store(seq, SeqCst);
        }
        self.threads[n].store(seq, Relaxed);
        // SeqCst, against the fence in `poll`: either the scan sees us, or our reads see
        // everything that was unlinked before the scan.
        R::fence(SeqCst);
    }

    /// Thread `n` holds no pointer at this moment.
    pub fn quiescent(&self, n: usize) {
        // Acquire: pairs with the advance, which comes after its unlink. Release: our
        // reads come before a free that relies on this store. No fence: until the store
        // the scan sees our older sequence, which only delays.
        let seq = self.write.load(Acquire);
        self.threads[n].store(seq, Release);
    }

    /// Thread `n` goes offline; it holds no pointer.
    pub fn detach(&self, n: usize) {
        // Release: pairs with the scan; our last use comes before the free.
        let order = if self.faults.is(Mutant::DetachRelaxed) { Relaxed } else { Release };
        self.threads[n].store(0, order);
    }

    /// The goal of what was just unlinked.
    pub fn advance(&self) -> u64 {
        // Release: the unlink comes before. Acquire: so do those of earlier advances,
        // whose goals a reader of this value also reaches.
        let old = self.write.fetch_add(STEP, AcqRel);
        if self.faults.is(Mutant::OldGoal) { old } else { old.wrapping_add(STEP) }
    }

    /// The goal of what was just unlinked, reached once somebody else advances.
    pub fn next(&self) -> u64 {
        if self.faults.is(Mutant::NextWithoutFence) {
            return self.write.load(Acquire).wrapping_add(STEP);
        }
        // A read-modify-write that changes nothing: the next advance then reads from us
        // and carries our unlink to every reader of its value.
        self.write.fetch_add(0, AcqRel).wrapping_add(STEP)
    }

    /// Whether every thread has passed a quiescent point since the goal was given.
    pub fn poll(&self, goal: u64) -> bool {
        // Acquire: pairs with the exchange below, by whoever scanned.
        let read = self.read.load(Acquire);
        if !self.before(read, goal) {
            return true;
        }
        let early = self.faults.is(Mutant::FenceBeforeWrite);
        if early {
            R::fence(SeqCst);
        }
        let late = self.faults.is(Mutant::WriteAfterScan);
        let mut least = if late { u64::MAX } else { self.write.load(Acquire) };
        if !early && !self.faults.is(Mutant::ScanUnfenced) {
            // SeqCst, against the fence in `attach`. After the load of the write sequence:
            // the unlinks of other threads that this sequence stands for have to come
            // before the fence too, not only our own.
            R::fence(SeqCst);
        }
        let mut seen = Vec::new();
        for thread in &self.threads {
            // Acquire: pairs with quiescent and detach.
            let seq = thread.load(Acquire);
            if seq != 0 {
                seen.push(seq);
            }
        }
        if late {
            least = self.write.load(Acquire);
        }
        for seq in seen {
            if self.before(seq, least) {
                least = seq;
            }
        }
        if self.before(read, least) {
            // Release: what the scan has seen, for those who only read the result. A
            // failed exchange means somebody else scanned: the goal may have to wait.
            let _ = self.read.compare_exchange(read, least, AcqRel, Relaxed);
        }
        !self.before(least, goal)
    }
}

/// A block of memory that readers reach without a count.
struct Block<R: Runtime> {
    payload: R::Cell<u64>,
    ghost: R::Ghost,
}

/// Readers, writers, and one published pointer.
pub struct Pointer<R: Runtime> {
    clock: Qsbr<R, Switch<Mutant>>,
    blocks: Box<[Block<R>]>,
    published: R::AtomicUsize,
    /// What ended threads left behind.
    orphans: R::Mutex<Vec<(usize, u64)>>,
    faults: Switch<Mutant>,
    runtime: PhantomData<fn(R)>,
}

/// A thread.
pub struct Local {
    n: usize,
    online: bool,
    pointer: Option<usize>,
    retired: Vec<(usize, u64)>,
}

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Comes online.
    Attach,
    /// Loads the published pointer.
    Load,
    /// Reads the block loaded.
    Use,
    /// Passes a quiescent point: the pointer is forgotten.
    Quiescent,
    /// Goes offline.
    Detach,
    /// Publishes block `n`, retires the old one with a goal of its own.
    Replace(usize),
    /// Publishes block `n`, retires the old one for the next advance.
    ReplaceNext(usize),
    /// Advances the clock.
    Advance,
    /// Frees what has reached its goal.
    Process,
    /// Looks at the threads without anything to free.
    Scan,
    /// Sets the clock just before its wrap.
    NearWrap,
}

impl<R: Runtime> Pointer<R> {
    fn free(&self, n: usize) {
        self.blocks[n].ghost.free();
        self.blocks[n].payload.write(0);
    }

    fn process(&self, queue: &mut Vec<(usize, u64)>) {
        // Front to back: goals of one queue rise, the first that waits ends the walk.
        while let Some((n, goal)) = queue.first().copied() {
            if !self.clock.poll(goal) {
                break;
            }
            queue.remove(0);
            self.free(n);
        }
    }

    fn replace(&self, local: &mut Local, new: usize, goal: impl FnOnce() -> u64) {
        self.blocks[new].ghost.reuse(0);
        self.blocks[new].payload.write(1);
        // Release: the block's contents before its address. Relaxed would do for the
        // unlink, which the goal's read-modify-write orders.
        let old = self.published.swap(new, AcqRel);
        local.retired.push((old, goal()));
    }
}

impl<R: Runtime> World for Pointer<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let block = |n| Block {
            payload: R::Cell::new(0, Label::nth("payload", n)),
            ghost: R::Ghost::blank(Label::nth("block", n)),
        };
        let world = Self {
            clock: Qsbr::new(shape.threads, faults),
            blocks: (0..shape.objects).map(block).collect(),
            published: R::AtomicUsize::new(0, "published"),
            orphans: R::Mutex::new(Vec::new(), "orphans"),
            faults,
            runtime: PhantomData,
        };
        world.blocks[0].ghost.reuse(0);
        world.blocks[0].payload.write(1);
        world
    }

    fn enter(&self, n: usize) -> Local {
        Local { n, online: false, pointer: None, retired: Vec::new() }
    }

    fn step(&self, local: &mut Local, op: Op) -> Option<i64> {
        match op {
            Op::Attach if !local.online => {
                self.clock.attach(local.n);
                local.online = true;
            }
            Op::Load if local.online => {
                let unordered = self.faults.is(Mutant::AttachUnfenced);
                // Acquire: pairs with the publication. Relaxed in the form without a
                // fence, as the first load of some of CPython's readers is.
                let n = self.published.load(if unordered { Relaxed } else { Acquire });
                local.pointer = Some(n);
                return Some(n as i64);
            }
            Op::Use => {
                let Some(n) = local.pointer else { return SKIPPED };
                self.blocks[n].ghost.touch();
                self.blocks[n].payload.read();
            }
            Op::Quiescent if local.online => {
                if !self.faults.is(Mutant::QuiesceMidRead) {
                    local.pointer = None;
                }
                self.clock.quiescent(local.n);
            }
            Op::Detach if local.online => {
                local.pointer = None;
                self.clock.detach(local.n);
                local.online = false;
            }
            Op::Replace(n) => self.replace(local, n, || self.clock.advance()),
            Op::ReplaceNext(n) => self.replace(local, n, || self.clock.next()),
            Op::Advance => drop(self.clock.advance()),
            Op::Process => {
                let mut queue = std::mem::take(&mut local.retired);
                self.process(&mut queue);
                local.retired = queue;
            }
            Op::Scan => drop(self.clock.poll(self.clock.write.load(Relaxed).wrapping_add(STEP))),
            Op::NearWrap => {
                self.clock.write.store(u64::MAX, Relaxed);
                self.clock.read.store(u64::MAX, Relaxed);
            }
            _ => return SKIPPED,
        }
        None
    }

    fn exit(&self, local: Local) {
        if local.online {
            self.clock.detach(local.n);
        }
        if !local.retired.is_empty() {
            self.orphans.lock().extend(local.retired);
        }
    }

    fn finish(&self) {
        // All offline: one advance makes every goal reachable.
        self.clock.advance();
        let mut queue = std::mem::take(&mut *self.orphans.lock());
        while let Some((n, goal)) = queue.pop() {
            require(self.clock.poll(goal), Kind::Leak, || {
                format!("block[{n}] is never freed: goal {goal} is not reached")
            });
            self.free(n);
        }
        let (read, write) = (self.clock.read.load(Relaxed), self.clock.write.load(Relaxed));
        require(!before(write, read), Kind::Invariant, || {
            format!("the read sequence {read} is past the write sequence {write}")
        });
    }
}
