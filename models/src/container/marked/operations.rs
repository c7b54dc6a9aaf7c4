//! The marked list behind its operations, and what must hold when all threads have ended.

use super::*;
use crate::container::heap::Call;
use crate::protocol::SKIPPED;

impl<R: Runtime> World for List<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Caller<Op>;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        Self {
            heap: Heap::new(shape),
            mark: R::AtomicU8::new(0, "mark"),
            size: R::AtomicUsize::new(0, "size"),
            array: R::AtomicUsize::new(0, "array"),
            arrays: Arrays::new(GARBAGE),
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
        let thread = caller.thread;
        self.history.call(caller, op, |op| {
            match op {
                Op::Get(n) => return Some(self.get(thread, n)),
                Op::Append(v) => self.append(thread, v),
                Op::SetFirst(v) => return self.set_first(v),
                Op::Pop => return Some(self.pop()),
                Op::Clear => self.clear(thread),
                Op::Make(v) => drop(self.heap.make(v)),
                Op::Mark => {
                    let _lock = self.lock.lock();
                    self.set_mark();
                }
                Op::InsertFront(_) | Op::MakeImmortal(_) => return SKIPPED,
            }
            None
        })
    }

    fn exit(&self, caller: Caller<Op>) {
        self.history.exit(caller);
    }

    fn finish(&self) {
        self.heap.settle();
        // Each read alone beside all writes: size and slots are different places, so that several
        // reads, of one thread too, need not fit into one order (`reports/README.md` has programs).
        let (setup, calls) = self.history.all();
        let reads = |call: &Call<Op>| matches!(call.op, Op::Get(_));
        for one in (0..calls.len()).filter(|n| reads(&calls[*n])) {
            // In their places: within a thread, calls are in the order of the list.
            let beside = calls.iter().enumerate().filter(|(n, call)| *n == one || !reads(call));
            let calls: Vec<Call<Op>> = beside.map(|(_, call)| *call).collect();
            History::<R, Op>::judge(&setup, &calls, sequential);
        }
    }
}
