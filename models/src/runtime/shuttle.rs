//! The shuttle backend: sequentially consistent, so an ordering changes nothing here.

use super::recorded::{self, Holder};
use super::trace::{Action, record};
use super::*;
use crate::ghost::Observed;
use crate::verdict::Kind;
use ::shuttle as l;
use std::cell::RefCell;

/// shuttle's primitives, recorded.
#[derive(Clone, Copy)]
pub struct Shuttle;

/// A primitive with its name in traces.
pub struct Named<A> {
    inner: A,
    label: Label,
}

impl<A> Named<A> {
    fn reading(&self) {}
    fn has_read(&self) {}
    fn writing(&self) {}
    fn has_written(&self) {
        wake_waiters();
    }
}

macro_rules! atomics {
    ($($name:ident: $t:ty),*) => { $(impl Atomic<$t> for Named<l::sync::atomic::$name> {
        fn new(value: $t, label: impl Into<Label>) -> Self {
            Self { inner: l::sync::atomic::$name::new(value), label: label.into() }
        }
        recorded::steps!($t);
    })* };
}
atomics!(AtomicU8: u8, AtomicU32: u32, AtomicU64: u64, AtomicI64: i64, AtomicUsize: usize);

/// Plain memory: accesses that overlap in time and conflict are a data race. With
/// sequential consistency every race shows as such an overlap in some schedule, but an
/// ordering that is too weak never does.
pub struct Cell<T> {
    value: std::cell::Cell<T>,
    /// Accesses under way: readers, or −1 for a writer.
    under_way: std::cell::Cell<i32>,
    /// Its load is the point where the scheduler may interrupt an access.
    point: l::sync::atomic::AtomicBool,
    label: Label,
}

// SAFETY: all threads of a shuttle execution share one OS thread and run one at a time.
unsafe impl<T> Sync for Cell<T> {}
// SAFETY: as above.
unsafe impl<T> Send for Cell<T> {}

impl<T: Word> DataCell<T> for Cell<T> {
    fn new(value: T, label: impl Into<Label>) -> Self {
        Self {
            value: std::cell::Cell::new(value),
            under_way: std::cell::Cell::new(0),
            point: l::sync::atomic::AtomicBool::new(false),
            label: label.into(),
        }
    }
    fn read(&self) -> T {
        if self.under_way.get() < 0 {
            record(Action::Touch(self.label));
            crate::ghost::violation(Kind::DataRace, || {
                format!("{}: read beside a write", self.label)
            });
        }
        self.under_way.update(|n| n + 1);
        self.point.load(Ordering::SeqCst);
        self.under_way.update(|n| n - 1);
        let v = self.value.get();
        record(Action::Read(self.label, v.show()));
        v
    }
    fn write(&self, value: T) {
        record(Action::Write(self.label, value.show()));
        if self.under_way.get() != 0 {
            crate::ghost::violation(Kind::DataRace, || {
                format!("{}: write beside another access", self.label)
            });
        }
        self.under_way.set(-1);
        self.point.load(Ordering::SeqCst);
        self.under_way.set(0);
        self.value.set(value);
    }
}

thread_local! {
    static WAITING: RefCell<Waiting> = const { RefCell::new(Waiting { writes: 0, threads: Vec::new() }) };
}

/// Threads inside `await_until`, parked until somebody writes.
struct Waiting {
    /// Writes so far; tells a waiter that its condition is out of date.
    writes: u64,
    threads: Vec<l::thread::Thread>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// No shuttle execution on this OS thread.
    Off,
    Running,
    Abandoned,
}

thread_local! {
    static STOP: std::cell::Cell<Stop> = const { std::cell::Cell::new(Stop::Off) };
}

/// Marks the beginning and end of exploration by shuttle on this OS thread.
pub(crate) fn arm(on: bool) {
    STOP.set(if on { Stop::Running } else { Stop::Off });
}

/// Whether the execution was given up; the scheduler then stops it.
pub(crate) fn is_abandoned() -> bool {
    STOP.get() == Stop::Abandoned
}

/// Gives up a shuttle execution from inside without a panic, which shuttle would report
/// on stderr. Returns at once when no shuttle execution is under way.
pub(crate) fn abandon() {
    if STOP.get() == Stop::Running && !std::thread::panicking() {
        STOP.set(Stop::Abandoned);
        loop {
            // The scheduler sees the mark and never lets this thread run again.
            l::thread::yield_now();
        }
    }
}

/// Forgets the waiters of an execution that was abandoned.
pub(crate) fn forget_waiters() {
    WAITING.with_borrow_mut(|w| w.threads.clear());
}

/// Lets every thread in `await_until` look again.
pub(crate) fn wake_waiters() {
    let woken = WAITING.with_borrow_mut(|w| {
        w.writes += 1;
        std::mem::take(&mut w.threads)
    });
    for thread in woken {
        thread.unpark();
    }
}

/// shuttle's mutex.
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
        let me = Shuttle::index();
        self.holder.refuse_second(me, self.label);
        let inner = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        recorded::Guard::new(inner, self.label, Some((&self.holder, me)), wake_waiters)
    }
}

/// shuttle's condition variable.
pub type Condvar = Named<l::sync::Condvar>;

impl Signal for Condvar {
    fn new(label: impl Into<Label>) -> Self {
        Self { inner: l::sync::Condvar::new(), label: label.into() }
    }
    recorded::notifies!();
}

/// A shuttle thread.
pub struct Handle(l::thread::JoinHandle<()>, u8);

impl Join for Handle {
    fn join(self) {
        self.0.join().expect("a panic ends the whole execution");
        record(Action::Join(self.1));
    }
}

/// Handle for waking a shuttle thread.
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

impl Shuttle {
    /// Number of the running thread; 0 is main.
    pub(crate) fn index() -> u8 {
        usize::from(l::current::me()) as u8
    }
}

impl Runtime for Shuttle {
    const OBSERVED: bool = true;
    type AtomicU8 = Named<l::sync::atomic::AtomicU8>;
    type AtomicU32 = Named<l::sync::atomic::AtomicU32>;
    type AtomicU64 = Named<l::sync::atomic::AtomicU64>;
    type AtomicI64 = Named<l::sync::atomic::AtomicI64>;
    type AtomicUsize = Named<l::sync::atomic::AtomicUsize>;
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
        true
    }
    fn fence(order: Ordering) {
        l::sync::atomic::fence(order);
        record(Action::Fence(order));
    }
    fn spawn(body: impl FnOnce() + Send + 'static) -> Handle {
        let number = trace::next_thread();
        record(Action::Spawn(number));
        let handle = l::thread::spawn(body);
        Handle(handle, number)
    }
    fn yield_now() {
        record(Action::Yield);
        l::thread::yield_now();
    }
    fn await_until(mut ready: impl FnMut() -> bool) {
        loop {
            let before = WAITING.with_borrow(|w| w.writes);
            if ready() {
                return;
            }
            let stale = WAITING.with_borrow_mut(|w| {
                if w.writes == before {
                    w.threads.push(l::thread::current());
                }
                w.writes != before
            });
            if !stale {
                l::thread::park();
            }
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
