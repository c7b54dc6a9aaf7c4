//! What a scheme synchronises through.
//!
//! A scheme is written once against [`Runtime`] and never names a backend. The same
//! source then runs as plain `std` code ([`Native`]) and, as [`Model`], over every engine: as native
//! code under the ghost observer ([`Watched`]), inside the schedulers of [`loom`](Loom) and
//! [`shuttle`](Shuttle), under our [`Explorer`]. A further engine is one more implementation of this
//! trait and one more [`Backend`].
//!
//! Every operation takes the caller's source line, and every shared location a
//! [`Label`], so that a failing execution can be printed the way it is read: one
//! column per thread, with lines and values. `Native` discards both at compile time.

pub(crate) mod causal;
pub(crate) mod explorer;
mod loom;
mod model;
mod native;
mod noisy;
mod recorded;
mod shuttle;
pub mod trace;
pub(crate) mod weaken;

pub use self::explorer::Explorer;
pub use self::loom::Loom;
pub use self::model::{Backend, Model};
pub use native::{Allocated, Native, Watched};
pub use shuttle::Shuttle;
pub(crate) use shuttle::{abandon, arm, forget_waiters, is_abandoned};

use crate::ghost::Ghost;
use std::fmt;
use std::ops::DerefMut;
use std::sync::Arc;
pub use std::sync::atomic::Ordering;

/// The name of a shared location in traces: a field and the number of its object.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Label {
    /// The field, as the scheme spells it.
    pub field: &'static str,
    /// The object or thread that the field belongs to.
    pub index: Option<u8>,
    /// What it is part of, where that has a life: an access to the field outside of it is a use
    /// after free, unless it is [`type_stable`](trace::type_stable).
    pub of: Option<&'static str>,
}

impl Label {
    /// A location that exists once.
    pub const fn of(field: &'static str) -> Self {
        Self { field, index: None, of: None }
    }

    /// The field `field` of object or thread number `index`.
    pub const fn nth(field: &'static str, index: usize) -> Self {
        Self { field, index: Some(index as u8), of: None }
    }

    /// The field `field` of `whole` number `index`: accessed only while that lives.
    pub const fn part(whole: &'static str, field: &'static str, index: usize) -> Self {
        Self { field, index: Some(index as u8), of: Some(whole) }
    }

    /// What this is part of, as the observer names it.
    pub(crate) fn whole(self) -> Option<Self> {
        self.of.map(|field| Self { field, index: self.index, of: None })
    }
}

impl From<&'static str> for Label {
    fn from(field: &'static str) -> Self {
        Self::of(field)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            None => f.write_str(self.field),
            Some(n) => write!(f, "{}[{n}]", self.field),
        }
    }
}

/// A machine word that an atomic location holds.
pub trait Word: Copy + Eq + Send + Sync + fmt::Debug + 'static {
    /// The value for traces.
    fn show(self) -> i64;
    /// The word that [`Self::show`] shows so.
    fn unshow(shown: i64) -> Self;
}

macro_rules! word {
    ($($t:ty)*) => { $(impl Word for $t {
        fn show(self) -> i64 { self as i64 }
        fn unshow(shown: i64) -> Self { shown as Self }
    })* };
}
word!(u8 u32 u64 i64 usize);

/// An atomic location.
pub trait Atomic<T: Word>: Send + Sync + 'static {
    /// A location holding `value`, shown as `label` in traces.
    fn new(value: T, label: impl Into<Label>) -> Self;
    /// Atomic load.
    #[track_caller]
    fn load(&self, order: Ordering) -> T;
    /// Atomic store.
    #[track_caller]
    fn store(&self, value: T, order: Ordering);
    /// Atomic exchange; returns the old value.
    #[track_caller]
    fn swap(&self, value: T, order: Ordering) -> T;
    /// Compare and exchange.
    ///
    /// # Errors
    /// The value found, when it was not `current`.
    #[track_caller]
    fn compare_exchange(&self, current: T, new: T, ok: Ordering, err: Ordering) -> Result<T, T>;
    /// Wrapping addition; returns the old value.
    #[track_caller]
    fn fetch_add(&self, value: T, order: Ordering) -> T;
    /// Wrapping subtraction; returns the old value.
    #[track_caller]
    fn fetch_sub(&self, value: T, order: Ordering) -> T;
    /// Bitwise or; returns the old value.
    #[track_caller]
    fn fetch_or(&self, value: T, order: Ordering) -> T;
    /// Bitwise and; returns the old value.
    #[track_caller]
    fn fetch_and(&self, value: T, order: Ordering) -> T;
}

/// Plain, non-atomic memory: unsynchronised conflicting accesses are a violation.
///
/// Loom decides by happens-before. Shuttle, which is sequentially consistent, reports
/// accesses that overlap in time. [`Watched`] cannot see a race and makes it harmless.
/// [`Native`] is a bare cell: a race there is undefined behaviour, as in any program.
pub trait DataCell<T: Copy>: Send + Sync + 'static {
    /// A cell holding `value`.
    fn new(value: T, label: impl Into<Label>) -> Self;
    /// Plain read.
    #[track_caller]
    fn read(&self) -> T;
    /// Plain write.
    #[track_caller]
    fn write(&self, value: T);
}

/// A mutex around data.
pub trait Lock<T>: Send + Sync + 'static {
    /// Proof of holding; unlocks when dropped.
    type Guard<'a>: DerefMut<Target = T>
    where
        Self: 'a;
    /// An unlocked mutex.
    fn new(value: T, label: impl Into<Label>) -> Self;
    /// Blocks until the mutex is held.
    #[track_caller]
    fn lock(&self) -> Self::Guard<'_>;
}

/// A condition variable's construction and signalling; waiting is [`Runtime::wait`].
pub trait Signal: Send + Sync + 'static {
    /// A condition variable without waiters.
    fn new(label: impl Into<Label>) -> Self;
    /// Wakes one waiter.
    #[track_caller]
    fn notify_one(&self);
    /// Wakes all waiters.
    #[track_caller]
    fn notify_all(&self);
}

/// A started thread.
pub trait Join {
    /// Blocks until the thread has ended.
    #[track_caller]
    fn join(self);
}

/// A handle by which another thread is woken from [`Runtime::park`].
pub trait Unpark: Clone + Send + Sync + 'static {
    /// Makes the thread's token available.
    #[track_caller]
    fn unpark(&self);
}

/// The guard of a runtime's mutex over `T`.
pub type Guard<'a, R, T> = <<R as Runtime>::Mutex<T> as Lock<T>>::Guard<'a>;

/// A set of synchronisation primitives.
pub trait Runtime: Copy + Send + Sync + Sized + 'static {
    /// Whether properties are observed: ghost state, histories, stated invariants.
    const OBSERVED: bool;
    /// Atomic byte.
    type AtomicU8: Atomic<u8>;
    /// Atomic 32-bit word.
    type AtomicU32: Atomic<u32>;
    /// Atomic 64-bit word.
    type AtomicU64: Atomic<u64>;
    /// Atomic signed 64-bit word.
    type AtomicI64: Atomic<i64>;
    /// Atomic index.
    type AtomicUsize: Atomic<usize>;
    /// Plain memory.
    type Cell<T: Word + Default>: DataCell<T>;
    /// Mutex.
    type Mutex<T: Send + 'static>: Lock<T>;
    /// Condition variable.
    type Condvar: Signal;
    /// Started thread.
    type Handle: Join;
    /// Handle for waking.
    type Thread: Unpark;
    /// The observer's memory inside each object; a unit type when not observed.
    type Ghost: Ghost;

    /// Whether this is a scheduler that runs one thread at a time.
    fn is_model() -> bool;
    /// Whether executions are sequentially consistent, so that a clock of the observer
    /// orders what all threads see.
    fn is_sequential() -> bool;
    /// Atomic fence.
    #[track_caller]
    fn fence(order: Ordering);
    /// Starts a thread.
    #[track_caller]
    fn spawn(body: impl FnOnce() + Send + 'static) -> Self::Handle;
    /// Lets other threads run.
    #[track_caller]
    fn yield_now();
    /// Waits until `ready` returns true; it may be called any number of times and has
    /// to read shared locations only. Model runtimes let the thread run again after
    /// somebody wrote, so that waiting costs no schedules. (Shuttle's depth-first search, where a
    /// parked thread may go on by itself, spins for ever: `tests/primitives.rs`.)
    #[track_caller]
    fn await_until(ready: impl FnMut() -> bool);
    /// A number of the calling thread that no other live thread has; never zero.
    fn thread_id() -> usize;
    /// The calling thread, for waking.
    fn current() -> Self::Thread;
    /// Blocks until unparked; a stored token returns at once. shuttle's, and by its contract std's, may also
    /// return for no reason.
    #[track_caller]
    fn park();
    /// Releases `mutex`, which `guard` holds, waits for a signal, takes the mutex again. Where a
    /// scenario allows it ([`Scenario::spurious`](crate::protocol::Scenario::spurious)) the
    /// explorer has waits, and [`park`](Self::park), that end for no reason.
    #[track_caller]
    fn wait<'a, T: Send + 'static>(
        condvar: &Self::Condvar,
        mutex: &'a Self::Mutex<T>,
        guard: Guard<'a, Self, T>,
    ) -> Guard<'a, Self, T>;
    /// As [`wait`](Self::wait) with a time limit, and whether it expired. In a model it may at any
    /// schedule: under the explorer once in each thread, and where it does not the thread waits for its
    /// signal. loom and shuttle have no time, so that there the wait ends at any moment, says either, and
    /// takes no signal from another waiter.
    #[track_caller]
    fn wait_timeout<'a, T: Send + 'static>(
        _: &Self::Condvar,
        mutex: &'a Self::Mutex<T>,
        guard: Guard<'a, Self, T>,
    ) -> (Guard<'a, Self, T>, bool) {
        drop(guard);
        let expired = Self::choose(2) == 1;
        (mutex.lock(), expired)
    }
    /// As [`park`](Self::park) with a time limit, of which holds what [`wait_timeout`](Self::wait_timeout)
    /// says: under loom and shuttle it ends at any moment, and leaves a token where it is.
    #[track_caller]
    fn park_timeout() {
        Self::yield_now();
    }
    /// A number below `ways`, which is not zero: a model takes each in turn, real threads any. loom and
    /// shuttle have no choices but those of schedules, so that there it is how far another thread has
    /// come: one more, of the five that loom may have.
    #[track_caller]
    fn choose(ways: usize) -> usize {
        let reached = Arc::new(Self::AtomicUsize::new(0, "choice"));
        let counting = {
            let reached = reached.clone();
            // Relaxed, here and below: one location, and nothing is ordered by it.
            Self::spawn(move || (1..ways).for_each(|n| reached.store(n, Ordering::Relaxed)))
        };
        let chosen = reached.load(Ordering::Relaxed);
        counting.join();
        chosen
    }
}
