//! The explorer backend: our own model checker, exact for RC11.
//!
//! The explorer runs a thread only as far as it has not been seen to go, so nothing may be
//! remembered outside the explored types. What the other engines keep in memory of their
//! own is *noted down* here instead, and judged execution by execution: the trace, and the
//! ghost state of every object ([`Causal`]).

use super::causal::{self, Causal};
use super::recorded;
use super::trace::{self, Action, Event, Sink, record};
use super::*;
use crate::engine::fnv;
use crate::verdict::Violation;
use std::cell::RefCell;
use std::panic::panic_any;
use std::time::Duration;
use threadbare_litmus as l;
use threadbare_litmus::observe::{choose, note, thread_index};

/// The explorer's primitives, recorded.
#[derive(Clone, Copy)]
pub struct Explorer;

/// A primitive with its name in traces.
pub struct Named<A> {
    inner: A,
    label: Label,
}

impl<A> Named<A> {
    fn reading(&self) {
        causal::access(self.label);
    }
    fn has_read(&self) {}
    fn writing(&self) {
        causal::access(self.label);
    }
    fn has_written(&self) {}
}

macro_rules! atomics {
    ($($name:ident: $t:ty),*) => { $(impl Atomic<$t> for Named<l::sync::atomic::$name> {
        fn new(value: $t, label: impl Into<Label>) -> Self {
            let label = label.into();
            Self { inner: l::sync::atomic::$name::named(value, &label.to_string()), label }
        }
        recorded::steps!($t);
    })* };
}
atomics!(AtomicU8: u8, AtomicU32: u32, AtomicU64: u64, AtomicI64: i64, AtomicUsize: usize);

/// Plain memory under the explorer's race check.
pub struct Cell<T> {
    inner: l::cell::Cell<i64>,
    label: Label,
    content: std::marker::PhantomData<fn() -> T>,
}

impl<T: Word> DataCell<T> for Cell<T> {
    fn new(value: T, label: impl Into<Label>) -> Self {
        let label = label.into();
        let inner = l::cell::Cell::named(value.show(), &label.to_string());
        Self { inner, label, content: std::marker::PhantomData }
    }
    fn read(&self) -> T {
        causal::access(self.label);
        let v = self.inner.get();
        record(Action::Read(self.label, v));
        T::unshow(v)
    }
    fn write(&self, value: T) {
        causal::access(self.label);
        self.inner.set(value.show());
        record(Action::Write(self.label, value.show()));
    }
}

/// The explorer's mutex.
pub struct Mutex<T> {
    inner: l::sync::Mutex<T>,
    label: Label,
}

impl<T: Send + 'static> Lock<T> for Mutex<T> {
    type Guard<'a> = recorded::Guard<'a, l::sync::MutexGuard<'a, T>>;
    fn new(value: T, label: impl Into<Label>) -> Self {
        let label = label.into();
        Self { inner: l::sync::Mutex::named(value, &label.to_string()), label }
    }
    fn lock(&self) -> Self::Guard<'_> {
        let inner = self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // The explorer finds a second lock by the same thread by itself.
        recorded::Guard::new(inner, self.label, None, || ())
    }
}

/// The explorer's condition variable.
pub type Condvar = Named<l::sync::Condvar>;

impl Signal for Condvar {
    fn new(label: impl Into<Label>) -> Self {
        let label = label.into();
        Self { inner: l::sync::Condvar::named(&label.to_string()), label }
    }
    recorded::notifies!();
}

/// An explored thread.
pub struct Handle(l::thread::JoinHandle<u64>);

impl Join for Handle {
    fn join(self) {
        let thread = numbered(self.0.thread().id().number()) as u8;
        self.0.join().expect("a panic ends the whole execution");
        record(Action::Join(thread));
    }
}

/// Handle for waking an explored thread.
#[derive(Clone)]
pub struct Thread(l::thread::Thread);

impl Unpark for Thread {
    fn unpark(&self) {
        self.0.unpark();
        record(Action::Unpark);
    }
}

thread_local! {
    /// By thread: a digest of the results of its operations so far. Histories that worlds
    /// keep are a function of these, so the joining thread has to learn them.
    static RESULTS: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

fn result_of(thread: usize, change: impl FnOnce(u64) -> u64) -> u64 {
    RESULTS.with_borrow_mut(|results| {
        let len = results.len().max(thread + 1);
        results.resize(len, 0);
        results[thread] = change(results[thread]);
        results[thread]
    })
}

/// The result of an operation goes into its thread's digest.
fn digest(event: Event) {
    if let Action::End(_, result) = event.action {
        let result = result.map_or([0; 9], |n| {
            let mut bytes = [1; 9];
            bytes[1..].copy_from_slice(&n.to_ne_bytes());
            bytes
        });
        result_of(usize::from(event.thread), |digest| fnv(&result) ^ digest.rotate_left(1));
    }
}

/// The number of the running thread in traces: that of the scenario, and 8 P + N for the Nth thread
/// that thread P starts by itself.
pub(crate) fn number() -> u8 {
    numbered(thread_index()) as u8
}

/// [`number`] of the thread that the explorer knows by `index`.
pub(crate) fn numbered(index: usize) -> usize {
    match index / 256 {
        0 => index,
        parent => 8 * numbered(parent) + index % 256,
    }
}

/// Where the trace of this engine goes: into notes.
fn keep(event: Event) {
    digest(event);
    note(event);
}

thread_local! {
    /// Whether this OS thread is one of the explorer's; it is nobody else's then.
    static RUNNING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Begins to record on this OS thread, with the trace if somebody will look at it; [`trace::take`]
/// ends it.
pub(crate) fn start(traced: bool) {
    RUNNING.set(true);
    let sink = if traced { Sink::All(keep) } else { Sink::Results(digest) };
    trace::start_with(number, sink);
}

/// Whether this OS thread explores.
pub(crate) fn is_running() -> bool {
    RUNNING.get()
}

/// Marks a violation in the text of a panic.
const MARK: &str = "violation ";

/// Abandons the execution under way on this OS thread by a panic with a text that [`reported`]
/// understands: the checker keeps the text of a panic from where it begins, and nothing else of it.
/// Returns where the explorer runs nothing.
pub(crate) fn abandon(violation: &Violation) {
    if is_running() {
        panic_any(report(violation));
    }
}

/// A violation as a text.
pub(crate) fn report(violation: &Violation) -> String {
    format!("{MARK}{}", serde_json::to_string(violation).expect("plain data"))
}

/// The violation in such a text.
pub(crate) fn reported(text: &str) -> Option<Violation> {
    serde_json::from_str(text.strip_prefix(MARK)?).ok()
}

impl Runtime for Explorer {
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
    type Ghost = Causal;

    fn is_model() -> bool {
        true
    }
    fn is_sequential() -> bool {
        false
    }
    fn fence(order: Ordering) {
        let order = super::weaken::order(super::weaken::Role::Fence, order);
        if order != Ordering::Relaxed {
            l::sync::atomic::fence(order);
            record(Action::Fence(order));
        }
    }
    fn spawn(body: impl FnOnce() + Send + 'static) -> Handle {
        let handle = l::thread::spawn(move || {
            let me = thread_index();
            result_of(me, |_| 0);
            body();
            result_of(me, |digest| digest)
        });
        record(Action::Spawn(numbered(handle.thread().id().number()) as u8));
        Handle(handle)
    }
    fn yield_now() {
        record(Action::Yield);
    }
    fn await_until(ready: impl FnMut() -> bool) {
        l::sync::await_until(ready);
    }
    fn thread_id() -> usize {
        thread_index() + 1
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
    fn wait_timeout<'a, T: Send + 'static>(
        condvar: &Condvar,
        _: &'a Mutex<T>,
        mut guard: Guard<'a, Self, T>,
    ) -> (Guard<'a, Self, T>, bool) {
        let ended = condvar.inner.wait_timeout(guard.release(condvar.label), Duration::ZERO);
        let (inner, ended) = ended.unwrap_or_else(std::sync::PoisonError::into_inner);
        (guard.resume(inner), ended.timed_out())
    }
    fn park_timeout() {
        record(Action::Park);
        l::thread::park_timeout(Duration::ZERO);
    }
    fn choose(ways: usize) -> usize {
        choose(ways as u32) as usize
    }
}
