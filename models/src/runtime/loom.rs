//! The loom backend: C11 without load buffering, SeqCst accesses read as acquire-release.
//!
//! Loom 0.7 keeps one last access per atomic. A thread that loads a location and then
//! writes it therefore hides the loads of all other threads in between from the search:
//! `A: load x` beside `B: load x; store x` is one execution for loom, and the one in which
//! A reads B's value is never tried (tokio-rs/loom#166, #392). Every compare-exchange loop
//! has this shape. [`Marked`] repairs it without changing what any access may read.

use super::recorded::{self, Holder};
use super::trace::{Action, record};
use super::*;
use crate::ghost::Observed;
use ::loom as l;

/// loom's primitives, recorded.
#[derive(Clone, Copy)]
pub struct Loom;

/// A primitive with its name in traces.
pub struct Named<A> {
    inner: A,
    label: Label,
}

type Mark = l::sync::atomic::AtomicU8;

thread_local! {
    static THREADS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// An atomic location, and one location beside it per thread, which is *marked* before each
/// load by that thread. A write that would hide loads touches the marks of those threads: a
/// dependence that loom does see, at the place of the load. Marks are relaxed
/// read-modify-writes of a location that nobody else uses, so they order nothing.
pub struct Marked<A> {
    inner: A,
    label: Label,
    marks: Box<[Mark]>,
    /// Threads that have loaded since the last write, as bits.
    readers: std::cell::Cell<u8>,
}

// SAFETY: all threads of a loom execution share one OS thread and run one at a time.
unsafe impl<A: Sync> Sync for Marked<A> {}
// SAFETY: as above.
unsafe impl<A: Send> Send for Marked<A> {}

impl<A> Marked<A> {
    fn wrap(inner: A, label: Label) -> Self {
        let marks = (0..THREADS.get()).map(|_| Mark::new(0)).collect();
        Self { inner, label, marks, readers: std::cell::Cell::new(0) }
    }

    fn reading(&self) {
        if let Some(mark) = self.marks.get(usize::from(Loom::index())) {
            mark.fetch_add(0, Ordering::Relaxed);
        }
    }

    fn has_read(&self) {
        self.readers.update(|readers| readers | 1 << Loom::index());
    }

    /// Before a write, failed ones included: loom counts them as writes.
    fn writing(&self) {
        let (readers, me) = (self.readers.take(), 1 << Loom::index());
        let others = readers & !me;
        // The access that loom remembers is another thread's load: it sees that conflict
        // by itself, and the execution turned round there shows it the rest.
        if readers & me == 0 && others.count_ones() < 2 {
            return;
        }
        for (thread, mark) in self.marks.iter().enumerate() {
            if others >> thread & 1 == 1 {
                mark.fetch_add(0, Ordering::Relaxed);
            }
        }
    }

    fn has_written(&self) {}
}

macro_rules! atomics {
    ($($name:ident: $t:ty),*) => { $(impl Atomic<$t> for Marked<l::sync::atomic::$name> {
        fn new(value: $t, label: impl Into<Label>) -> Self {
            Self::wrap(l::sync::atomic::$name::new(value), label.into())
        }
        recorded::steps!($t);
    })* };
}
atomics!(AtomicU8: u8, AtomicU32: u32, AtomicU64: u64, AtomicI64: i64, AtomicUsize: usize);

/// Plain memory under loom's happens-before race detector.
pub struct Cell<T> {
    inner: l::cell::UnsafeCell<T>,
    label: Label,
}

// SAFETY: all threads of a loom execution share one OS thread and run one at a time.
unsafe impl<T> Sync for Cell<T> {}
// SAFETY: as above.
unsafe impl<T> Send for Cell<T> {}

impl<T: Word> DataCell<T> for Cell<T> {
    fn new(value: T, label: impl Into<Label>) -> Self {
        Self { inner: l::cell::UnsafeCell::new(value), label: label.into() }
    }
    fn read(&self) -> T {
        // SAFETY: loom has just refused a racing access; the value is copied out
        // before any other model thread can run.
        let peek = |p: *const T| unsafe { *p };
        // Recorded first, so that a refused access is the last line of its column.
        record(Action::Touch(self.label));
        let v = self.inner.with(peek);
        trace::amend(Action::Read(self.label, v.show()));
        v
    }
    fn write(&self, value: T) {
        record(Action::Write(self.label, value.show()));
        // SAFETY: loom has just refused a racing access.
        self.inner.with_mut(|p| unsafe { *p = value });
    }
}

/// loom's mutex.
pub struct Mutex<T> {
    inner: l::sync::Mutex<T>,
    label: Label,
    holder: Holder,
}

impl<T: Send + 'static> Lock<T> for Mutex<T> {
    type Guard<'a> = recorded::Guard<'a, l::sync::MutexGuard<'a, T>>;
    fn new(value: T, label: impl Into<Label>) -> Self {
        Self { inner: l::sync::Mutex::new(value), label: label.into(), holder: Holder::default() }
    }
    fn lock(&self) -> Self::Guard<'_> {
        let me = Loom::index();
        self.holder.refuse_second(me, self.label);
        let inner = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        recorded::Guard::new(inner, self.label, Some((&self.holder, me)), || ())
    }
}

/// loom's condition variable.
pub type Condvar = Named<l::sync::Condvar>;

impl Signal for Condvar {
    fn new(label: impl Into<Label>) -> Self {
        Self { inner: l::sync::Condvar::new(), label: label.into() }
    }
    recorded::notifies!();
}

/// A loom thread.
pub struct Handle(l::thread::JoinHandle<()>, u8);

impl Join for Handle {
    fn join(self) {
        self.0.join().expect("a panic ends the whole execution");
        record(Action::Join(self.1));
    }
}

/// Handle for waking a loom thread.
#[derive(Clone)]
pub struct Thread(l::thread::Thread);

impl Unpark for Thread {
    fn unpark(&self) {
        self.0.unpark();
        record(Action::Unpark);
    }
}

// SAFETY: as for `Cell`.
unsafe impl Send for Thread {}
// SAFETY: as for `Cell`.
unsafe impl Sync for Thread {}

l::thread_local! {
    static INDEX: std::cell::Cell<u8> = std::cell::Cell::new(0);
}

impl Loom {
    /// Before each execution: how many threads it has.
    pub(crate) fn prepare(threads: usize) {
        THREADS.set(threads);
    }

    /// Number of the running thread; 0 is main.
    pub(crate) fn index() -> u8 {
        INDEX.try_with(std::cell::Cell::get).unwrap_or(0)
    }
}

impl Runtime for Loom {
    const OBSERVED: bool = true;
    type AtomicU8 = Marked<l::sync::atomic::AtomicU8>;
    type AtomicU32 = Marked<l::sync::atomic::AtomicU32>;
    type AtomicU64 = Marked<l::sync::atomic::AtomicU64>;
    type AtomicI64 = Marked<l::sync::atomic::AtomicI64>;
    type AtomicUsize = Marked<l::sync::atomic::AtomicUsize>;
    type Cell<T: Word + Default> = Cell<T>;
    type Mutex<T: Send + 'static> = Mutex<T>;
    type Condvar = Condvar;
    type Handle = Handle;
    type Thread = Thread;
    type Ghost = Observed;

    fn is_model() -> bool {
        true
    }
    fn is_sequential() -> bool {
        false
    }
    fn fence(order: Ordering) {
        l::sync::atomic::fence(order);
        record(Action::Fence(order));
    }
    fn spawn(body: impl FnOnce() + Send + 'static) -> Handle {
        let number = trace::next_thread();
        record(Action::Spawn(number));
        let handle = l::thread::spawn(move || {
            INDEX.with(|index| index.set(number));
            body();
        });
        Handle(handle, number)
    }
    fn yield_now() {
        record(Action::Yield);
        l::thread::yield_now();
    }
    fn await_until(mut ready: impl FnMut() -> bool) {
        while !ready() {
            l::thread::yield_now();
        }
    }
    fn thread_id() -> usize {
        Self::index() as usize + 1
    }
    fn current() -> Thread {
        Thread(l::thread::current())
    }
    fn park() {
        record(Action::Park);
        l::thread::park();
    }
    fn wait<'a, T: Send + 'static>(
        condvar: &Condvar,
        _: &'a Mutex<T>,
        mut guard: Guard<'a, Self, T>,
    ) -> Guard<'a, Self, T> {
        // Not in a closure, which would hide the caller's line.
        let inner = condvar.inner.wait(guard.release(condvar.label));
        guard.resume(inner.unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}
