//! The versioned list behind its operations, and what must hold when all threads have ended.

use super::*;
use crate::protocol::SKIPPED;

impl<R: Runtime> World for List<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Caller<Op>;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        Self {
            heap: Heap::new(shape),
            version: R::AtomicU64::new(0, "version"),
            size: R::AtomicUsize::new(0, "size"),
            array: R::AtomicUsize::new(0, "array"),
            arrays: Arrays::new(0),
            lock: R::Mutex::new(0, "list"),
            history: History::new(shape),
            faults,
        }
    }

    fn enter(&self, thread: usize) -> Caller<Op> {
        self.history.enter(thread)
    }

    fn started(&self, main: &mut Caller<Op>) {
        main.started();
    }

    fn step(&self, caller: &mut Caller<Op>, op: Op) -> Option<i64> {
        let remembers = caller.short && self.faults.is(Mutant::ShortForEver);
        let result = self.history.call(caller, op, |op| {
            match op {
                Op::Get(_) if remembers => return Some(-1),
                Op::Get(n) => return Some(self.get(n)),
                Op::Append(v) => self.insert(None, v),
                Op::InsertFront(v) => self.insert(Some(0), v),
                Op::SetFirst(v) => return self.set_first(v),
                Op::Pop => return Some(self.pop()),
                Op::Clear => self.clear(),
                Op::Make(v) => drop(self.heap.make(v)),
                Op::MakeImmortal(v) => {
                    let n = self.heap.make(v);
                    self.heap.counts.first_immortal(&self.heap.block(n).header);
                }
                Op::Mark | Op::Online | Op::Quiescent | Op::Reclaimed => return SKIPPED,
            }
            None
        });
        caller.short |= matches!(op, Op::Get(_)) && result == Some(-1);
        result
    }

    fn exit(&self, caller: Caller<Op>) {
        self.history.exit(caller);
    }

    fn finish(&self) {
        self.heap.settle();
        let (setup, calls) = self.history.all();
        History::<R, Op>::judge(&setup, calls, sequential);
    }
}
