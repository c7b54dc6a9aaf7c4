//! Threads that count under the mutex.

use super::*;

/// The mutex, and what it protects.
pub struct Lot<R: Runtime> {
    mutex: Mutex<R>,
    data: R::Cell<u64>,
    /// How often threads say that they have counted.
    counted: R::Mutex<u64>,
}

/// A thread.
pub struct Local {
    n: usize,
    counted: u64,
}

/// What a thread does: counts, under the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Waits as long as it takes, and is woken early.
    Count,
    /// Has waited too long when it is woken.
    CountOld,
    /// Has waited too long, and its wait has a time limit: then it does not count.
    CountTimed,
    /// The same; after its limit its thread hangs.
    CountOrHang,
}

impl Op {
    pub(super) fn patience(self) -> Patience {
        Patience {
            old: self != Self::Count,
            timed: matches!(self, Self::CountTimed | Self::CountOrHang),
            hangs: self == Self::CountOrHang,
        }
    }
}

impl<R: Runtime> Lot<R> {
    /// What a thread has counted is known from now on.
    fn tell(&self, local: &mut Local) {
        *self.counted.lock() += std::mem::take(&mut local.counted);
    }
}

impl<R: Runtime> World for Lot<R> {
    type Op = Op;
    type Mutant = Mutant;
    type Local = Local;

    fn new(shape: Shape, faults: Switch<Mutant>) -> Self {
        let waiter = |n| Waiter {
            woken: R::Mutex::new(false, Label::nth("woken", n)),
            signal: R::Condvar::new(Label::nth("signal", n)),
            old: R::Cell::new(0, Label::part("waiter", "old", n)),
            handed_over: R::Cell::new(0, Label::part("waiter", "handed_over", n)),
            ghost: R::Ghost::blank(Label::nth("waiter", n)),
        };
        let mutex = Mutex {
            byte: R::AtomicU8::new(0, "byte"),
            queue: R::Mutex::new(Vec::new(), "bucket"),
            waiters: (0..shape.threads).map(waiter).collect(),
            faults,
        };
        Self { mutex, data: R::Cell::new(0, "data"), counted: R::Mutex::new(0, "counted") }
    }

    fn enter(&self, n: usize) -> Local {
        Local { n, counted: 0 }
    }

    fn step(&self, local: &mut Local, op: Op) -> Option<i64> {
        match self.mutex.lock(local.n, op.patience()) {
            Slept::TimedOut => return Some(0),
            Slept::Hangs => {
                self.tell(local);
                return HANGS;
            }
            _ => {}
        }
        self.data.write(self.data.read() + 1);
        local.counted += 1;
        self.mutex.unlock();
        Some(1)
    }

    fn exit(&self, mut local: Local) {
        self.tell(&mut local);
    }

    fn finish(&self) {
        let young = Patience { old: false, timed: false, hangs: false };
        self.mutex.lock(0, young);
        self.mutex.unlock();
        // Relaxed: all threads have ended and were joined.
        let byte = self.mutex.byte.load(Relaxed);
        require(byte == 0, Kind::Invariant, || format!("byte: {byte} when nobody waits"));
        let (data, counted) = (self.data.read(), *self.counted.lock());
        require(data == counted, Kind::LostUpdate, || {
            format!("data: {data} after {counted} were counted")
        });
    }
}
