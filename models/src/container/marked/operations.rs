//! The marked list behind its operations, and what must hold when all threads have ended.

use super::*;
use crate::ghost::require;
use crate::protocol::SKIPPED;

impl<R: Runtime> World for List<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = (Caller<Op>, Reader);

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        Self {
            heap: Heap::new(shape),
            mark: R::AtomicU8::new(0, "mark"),
            size: R::AtomicUsize::new(0, "size"),
            array: R::AtomicUsize::new(0, "array"),
            arrays: Arrays::new(GARBAGE),
            lock: R::Mutex::new(0, "list"),
            history: History::new(shape),
            clock: Qsbr::new(shape.threads, Faithful),
            orphans: R::Mutex::new((false, Vec::new()), "orphans"),
            faults,
        }
    }

    fn enter(&self, thread: usize) -> Self::Local {
        (self.history.enter(thread), Reader { thread, online: false, retired: Vec::new() })
    }

    fn started(&self, (main, _): &mut Self::Local) {
        main.started();
    }

    fn step(&self, (caller, reader): &mut Self::Local, op: Op) -> Option<i64> {
        // They are no calls of the list.
        match op {
            Op::Online if !reader.online => {
                self.clock.attach(reader.thread);
                reader.online = true;
                return None;
            }
            Op::Quiescent if reader.online => {
                self.clock.quiescent(reader.thread);
                if !self.is(Mutant::ReclaimNothing) {
                    self.reclaim(&mut reader.retired);
                }
                return None;
            }
            Op::Reclaimed => {
                let waiting = reader.retired.first();
                require(waiting.is_none(), Kind::Leak, || {
                    format!("array[{}]: retired, and still waits", waiting.map_or(0, |w| w.0))
                });
                return None;
            }
            Op::Online | Op::Quiescent => return SKIPPED,
            _ => {}
        }
        let thread = reader.thread;
        self.history.call(caller, op, |op| {
            match op {
                Op::Get(n) => return Some(self.get(thread, n)),
                Op::Append(v) => self.append(reader, v),
                Op::SetFirst(v) => return self.set_first(v),
                Op::Pop => return Some(self.pop()),
                Op::Clear => self.clear(reader),
                Op::Make(v) => drop(self.heap.make(v)),
                Op::Mark => {
                    let _lock = self.lock.lock();
                    self.set_mark();
                }
                Op::InsertFront(_)
                | Op::MakeImmortal(_)
                | Op::Online
                | Op::Quiescent
                | Op::Reclaimed => return SKIPPED,
            }
            None
        })
    }

    fn exit(&self, (caller, reader): Self::Local) {
        self.history.exit(caller);
        if !reader.online {
            return;
        }
        self.clock.detach(reader.thread);
        let mut orphans = self.orphans.lock();
        orphans.0 |= reader.thread == 0;
        if !self.is(Mutant::ExitDrop) {
            orphans.1.extend(reader.retired);
        }
    }

    fn finish(&self) {
        let (online, mut orphans) = std::mem::take(&mut *self.orphans.lock());
        if online {
            // All are offline now: one advance makes every goal reachable.
            self.clock.advance();
            self.reclaim(&mut orphans);
            // Relaxed: nobody replaces it any more.
            self.arrays.settle_but(self.array.load(Relaxed));
        }
        self.heap.settle();
        let (setup, calls) = self.history.all();
        // Not of all threads together: two may see the writes to two places in different orders.
        let reads = |op: &Op| matches!(op, Op::Get(_));
        History::<R, Op>::judge_reads(&setup, &calls, reads, sequential);
    }
}
