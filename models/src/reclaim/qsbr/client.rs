//! What uses the clock: one published pointer, its readers and those who replace it.

use super::*;

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
    /// Frees what has reached its goal, of threads that have ended too.
    ProcessAll,
    /// States that every block retired so far has been freed.
    Settled,
    /// Looks at the threads without anything to free.
    Scan,
    /// Sets the clock just before its wrap.
    NearWrap,
}

impl<R: Runtime> Pointer<R> {
    fn free(&self, n: usize) {
        self.blocks[n].payload.write(0);
        self.blocks[n].ghost.free();
    }

    /// A thread's own queue: nothing of it waits whose goal had been reached before.
    fn process_own(&self, queue: &mut Vec<(usize, u64)>) {
        // Relaxed: what it has reached now, it has reached for every later look too.
        let reached = self.clock.read.load(Relaxed);
        self.process(queue);
        let late = queue.iter().filter(|(_, goal)| !before(reached, *goal)).count();
        require(late == 0, Kind::Unbounded, || {
            format!("backlog: {late} block(s) wait although their goal had been reached")
        });
    }

    /// Front to back: goals of one queue rise, the first that waits ends the walk. In what several ended
    /// threads have left behind they need not rise; there a block may wait for the one before it.
    fn process(&self, queue: &mut Vec<(usize, u64)>) {
        while let Some((n, goal)) = queue.first().copied() {
            if !self.clock.poll(goal) {
                break;
            }
            queue.remove(0);
            self.free(n);
            if self.faults.is(Mutant::ProcessOne) {
                break;
            }
        }
    }

    /// At rest every block but the published one has been freed.
    fn settled(&self) {
        // Relaxed: nobody replaces it any more.
        let published = self.published.load(Relaxed);
        let retired = self.blocks.iter().enumerate().filter(|(n, _)| *n != published);
        retired.for_each(|(_, block)| block.ghost.settle());
    }

    fn replace(&self, local: &mut Local, new: usize, goal: impl FnOnce() -> u64) {
        self.blocks[new].ghost.reuse(0);
        self.blocks[new].payload.write(1);
        // Release: the block's contents before its address. The unlink needs no order of its
        // own: the goal's read-modify-write comes after it.
        // Acquire: the block taken out is ours to free, after what its maker wrote.
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
            payload: R::Cell::new(0, Label::part("block", "payload", n)),
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
                self.process_own(&mut queue);
                local.retired = queue;
            }
            Op::ProcessAll => {
                let mut orphans = self.orphans.lock();
                self.process(&mut orphans);
            }
            Op::Settled => self.settled(),
            // Relaxed: any goal that is not reached makes it look.
            Op::Scan => drop(self.clock.poll(self.clock.write.load(Relaxed).wrapping_add(STEP))),
            Op::NearWrap => {
                // Relaxed: before the threads start.
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
        if !local.retired.is_empty() && !self.faults.is(Mutant::ExitDrop) {
            self.orphans.lock().extend(local.retired);
        }
    }

    fn finish(&self) {
        self.ordered();
        // All offline: one advance makes every goal reachable.
        self.clock.advance();
        let mut queue = std::mem::take(&mut *self.orphans.lock());
        while let Some((n, goal)) = queue.pop() {
            require(self.clock.poll(goal), Kind::Leak, || {
                format!("block[{n}] is never freed: goal {goal} is not reached")
            });
            self.free(n);
        }
        self.settled();
        self.ordered();
    }
}

impl<R: Runtime> Pointer<R> {
    /// The read sequence is not past the write sequence.
    fn ordered(&self) {
        // Relaxed: all threads have ended and were joined.
        let (read, write) = (self.clock.read.load(Relaxed), self.clock.write.load(Relaxed));
        require(!before(write, read), Kind::Invariant, || {
            format!("the read sequence {read} is past the write sequence {write}")
        });
    }
}
