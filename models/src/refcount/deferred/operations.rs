//! What threads do to deferred objects, and what must hold when all have ended.

use super::*;

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Makes object `n`, deferred or not, and binds the name to it.
    Bind(usize, bool),
    /// Loads the object that the name refers to onto the stack.
    Load,
    /// Uses the top of the stack.
    Use,
    /// Closes the top of the stack.
    Close,
    /// Unbinds the name.
    Unbind,
    /// Makes the top's object deferred.
    Defer,
    /// One more reference to the name's object, counted in the thread's slot.
    SlotIncref,
    /// Drops a reference that a slot was raised for, through the header, to object `n`.
    HeaderDecref(usize),
    /// Stops the world and collects.
    Collect,
    /// States that what nothing refers to has been freed.
    Settled,
    /// The thread ends.
    Exit,
}

impl<R: Runtime> Worldly for Deferred<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let header = |n| Header {
            count: R::AtomicI64::new(0, Label::part("object", "count", n)),
            deferred: R::AtomicU8::new(0, Label::part("object", "deferred", n)),
        };
        let frame = |n| R::Mutex::new(Frame::default(), Label::nth("frame", n));
        Self {
            objects: (0..shape.objects).map(|n| Object::blank(n, header(n))).collect(),
            world: R::Mutex::new(vec![0; shape.objects], "world"),
            frames: (0..shape.threads).map(frame).collect(),
            name: R::AtomicUsize::new(0, "name"),
            live: R::Mutex::new(Vec::new(), "live"),
            ids: R::Mutex::new(Vec::new(), "ids"),
            faults,
        }
    }

    fn enter(&self, n: usize) -> Local {
        Local { n, register: None }
    }

    fn step(&self, local: &mut Local, op: Op) -> Option<i64> {
        let mut loose = self.world.lock();
        match op {
            Op::Bind(n, deferred) => self.bind(n, deferred),
            Op::Load => return self.load(local),
            Op::Use => {
                let Some(n) = self.top(local) else { return SKIPPED };
                self.objects[n].ghost.touch();
                self.objects[n].payload.read();
            }
            Op::Close => {
                if !self.close(local) {
                    return SKIPPED;
                }
            }
            Op::Unbind => return self.unbind(),
            Op::Defer => return self.defer(local),
            Op::SlotIncref => return self.slot_incref(local, &mut loose),
            Op::HeaderDecref(n) => {
                if loose[n] == 0 {
                    return SKIPPED;
                }
                loose[n] -= 1;
                self.objects[n].ghost.lose();
                self.decref(n);
            }
            Op::Collect if self.faults.is(Mutant::CollectNothing) => {}
            Op::Collect => self.collect(),
            Op::Settled => self.objects.iter().for_each(|object| object.ghost.settle()),
            Op::Exit => self.leave(local),
        }
        None
    }

    fn exit(&self, local: Local) {
        if let Some(word) = local.register {
            self.frames[local.n].lock().stack.push(word);
        }
    }

    fn finish(&self) {
        self.collect();
        for (n, object) in self.objects.iter().enumerate() {
            if object.ghost.is_dead() {
                continue;
            }
            object.ghost.settle();
            let surplus = if self.is_deferred(n) { self.surplus() } else { 0 };
            let tagged = |w: &&Word| w.object == n && w.tagged;
            let words: usize =
                self.frames.iter().map(|f| f.lock().stack.iter().filter(tagged).count()).sum();
            let count = object.header.count.load(Relaxed) - surplus + words as i64;
            let holders = object.ghost.holders();
            require(count == holders, Kind::WrongCount, || {
                format!("object[{n}]: {count} by all places together, {holders} exist")
            });
        }
    }
}
