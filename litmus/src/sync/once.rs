//! What is done once.

use super::content::Content;
use super::in_static::{self, Copy};
use super::word::Word;
use crate::explore::program::{MemoryOrder, Op, Value, Wait};
use crate::session;
use std::cell::UnsafeCell;
use std::fmt;
use std::ops::Deref;
use std::panic::Location as Caller;

const NOT_YET: Value = 0;
const RUNNING: Value = 1;
const DONE: Value = 2;

/// Runs a closure once, as `std`'s. It is never found poisoned: a panic ends the exploration.
pub struct Once {
    state: Word,
}

/// What [`Once::call_once_force`] tells its closure.
#[derive(Debug)]
pub struct OnceState(());

impl OnceState {
    /// Whether an earlier call has panicked: no, that ends the exploration.
    pub const fn is_poisoned(&self) -> bool {
        false
    }
}

impl Default for Once {
    fn default() -> Self {
        Self::new()
    }
}

impl Once {
    /// One that has not run.
    pub fn new() -> Self {
        Self::named("once")
    }

    /// As [`Self::new`], with a name for tables.
    pub fn named(name: &str) -> Self {
        Self {
            state: Word::new(Some(name), NOT_YET, 8),
        }
    }

    /// One in a `static`, which has not run at the start of every execution.
    pub const fn const_new() -> Self {
        Self {
            state: Word::fixed(NOT_YET, 8),
        }
    }

    /// Runs `f` unless a call has run before; waits for one that is running. What the call
    /// that ran has done is then visible.
    #[track_caller]
    pub fn call_once(&self, f: impl FnOnce()) {
        self.call(Caller::caller(), f);
    }

    /// As [`Self::call_once`], whatever became of earlier calls.
    #[track_caller]
    pub fn call_once_force(&self, f: impl FnOnce(&OnceState)) {
        self.call(Caller::caller(), || f(&OnceState(())));
    }

    fn call(&self, caller: &'static Caller<'static>, f: impl FnOnce()) {
        // In one step: who comes late reads that it is done, and writes nothing.
        let op = Op::AwaitExchange {
            location: self.state.location(caller),
            expected: NOT_YET,
            new: RUNNING,
            order: MemoryOrder::Acquire,
        };
        match session::perform(op, caller) {
            NOT_YET => {
                let running = Running { once: self, caller };
                f();
                std::mem::forget(running);
                // Release: with the acquire of those who find it done.
                self.state.store(DONE, MemoryOrder::Release, caller);
            }
            DONE => {
                // Acquire of this location alone: a fence would acquire whatever the thread has read before.
                self.state.load(MemoryOrder::Acquire, caller);
            }
            _ => session::block(Wait::Lock, 1, caller),
        }
    }

    /// Waits until a call has run.
    #[track_caller]
    pub fn wait(&self) {
        let done = |state| state == DONE;
        let caller = Caller::caller();
        self.state.await_until(MemoryOrder::Acquire, caller, done);
    }

    /// Whether a call has run; what it did is then visible.
    #[track_caller]
    pub fn is_completed(&self) -> bool {
        self.state.load(MemoryOrder::Acquire, Caller::caller()) == DONE
    }
}

/// A call that runs. Unwound it would poison the cell: an operation, by which the panic is a fault
/// whoever catches it.
struct Running<'a> {
    once: &'a Once,
    caller: &'static Caller<'static>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let state = &self.once.state;
        if !session::is_over() {
            state.store(NOT_YET, MemoryOrder::Release, self.caller);
        }
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}

/// A value that is set once, as `std`'s.
///
/// ```
/// use threadbare_litmus::{explore, sync::{Arc, OnceLock}, thread};
///
/// let report = explore(|| {
///     let cell = Arc::new(OnceLock::new());
///     let other = cell.clone();
///     let thread = thread::spawn(move || *other.get_or_init(|| 1));
///     let mine = *cell.get_or_init(|| 2);
///     assert_eq!(mine, thread.join().unwrap());
/// });
/// assert_eq!(report.complete, 2);
/// ```
pub struct OnceLock<T> {
    once: Once,
    content: Content,
    /// Of a `static`.
    copy: Option<Copy>,
    data: UnsafeCell<Option<T>>,
}

// SAFETY: the data is written by the one call that runs, and then only read, or reached by
// who has the cell to itself; explored threads run one at a time, on one OS thread.
unsafe impl<T: Send> Send for OnceLock<T> {}
// SAFETY: as above; a shared cell hands out shared references, and takes a `T` from any thread.
unsafe impl<T: Send + Sync> Sync for OnceLock<T> {}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> OnceLock<T> {
    /// One that is not set.
    pub fn new() -> Self {
        Self::named("once lock")
    }

    /// As [`Self::new`], with a name for tables.
    pub fn named(name: &str) -> Self {
        Self {
            once: Once::named(name),
            content: Content::new(name, &None::<T>),
            copy: None,
            data: UnsafeCell::new(None),
        }
    }

    /// One in a `static`, which is not set at the start of every execution.
    pub const fn const_new() -> Self
    where
        T: 'static,
    {
        Self {
            once: Once::const_new(),
            content: Content::fixed::<Option<T>>(),
            copy: Some(in_static::copy::<Option<T>>),
            data: UnsafeCell::new(None),
        }
    }

    fn data(&self) -> *mut Option<T> {
        in_static::content(&self.data, self.copy)
    }

    /// The value, if it is set.
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        let caller = Caller::caller();
        let done = self.once.state.load(MemoryOrder::Acquire, caller) == DONE;
        done.then(|| self.look(caller))
    }

    /// Waits until it is set.
    #[track_caller]
    pub fn wait(&self) -> &T {
        self.once.wait();
        self.look(Caller::caller())
    }

    /// The value; `&mut`, for who has it to itself.
    #[track_caller]
    pub fn get_mut(&mut self) -> Option<&mut T> {
        let caller = Caller::caller();
        if self.once.state.load(MemoryOrder::Plain, caller) != DONE {
            return None;
        }
        self.content.lend(caller);
        self.data.get_mut().as_mut()
    }

    /// Sets the value.
    ///
    /// # Errors
    /// `value`, when another is set already.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.init(Caller::caller(), || value.take());
        match value {
            None => Ok(()),
            Some(value) => Err(value),
        }
    }

    /// The value, made by `make` if it is not set.
    #[track_caller]
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        let caller = Caller::caller();
        self.init(caller, || Some(make()));
        self.look(caller)
    }

    /// The value, out of a cell that nobody else has.
    #[track_caller]
    pub fn into_inner(mut self) -> Option<T> {
        self.empty(Caller::caller())
    }

    /// The value, leaving the cell not set.
    #[track_caller]
    pub fn take(&mut self) -> Option<T> {
        let caller = Caller::caller();
        let value = self.empty(caller)?;
        let state = &self.once.state;
        state.store(NOT_YET, MemoryOrder::Plain, caller);
        Some(value)
    }

    fn empty(&mut self, caller: &'static Caller<'static>) -> Option<T> {
        if self.once.state.load(MemoryOrder::Plain, caller) != DONE {
            return None;
        }
        self.content.look(caller);
        self.data.get_mut().take()
    }

    fn init(&self, caller: &'static Caller<'static>, make: impl FnOnce() -> Option<T>) {
        self.once.call(caller, || {
            let value = make();
            // SAFETY: only the call that runs is here, and nobody looks before it is done.
            let data = unsafe { &mut *self.data() };
            *data = value;
            self.content.set(data, caller);
        });
    }

    /// The value, which is set.
    fn look(&self, caller: &'static Caller<'static>) -> &T {
        self.content.look(caller);
        // SAFETY: it is set, and not changed while the cell is shared.
        let value = unsafe { (*self.data()).as_ref() };
        value.expect("set by who said so")
    }
}

impl<T> From<T> for OnceLock<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        let cell = Self::new();
        cell.init(Caller::caller(), || Some(value));
        cell
    }
}

impl<T> fmt::Debug for OnceLock<T> {
    /// Without the content: looking at it would be an operation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceLock").finish_non_exhaustive()
    }
}

/// A value made by whoever first looks at it, as `std`'s.
///
/// ```
/// use threadbare_litmus::{explore, sync::{Arc, LazyLock}, thread};
///
/// explore(|| {
///     let list = Arc::new(LazyLock::new(|| vec![1]));
///     let other = list.clone();
///     let thread = thread::spawn(move || other.len());
///     assert_eq!(list.len(), thread.join().unwrap());
/// });
/// ```
pub struct LazyLock<T, F = fn() -> T> {
    cell: OnceLock<T>,
    make: std::cell::Cell<Option<F>>,
}

// SAFETY: the closure is taken by the one call that runs; otherwise as for `OnceLock`.
unsafe impl<T: Send + Sync, F: Send> Sync for LazyLock<T, F> {}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// One that is not made yet.
    pub fn new(make: F) -> Self {
        Self {
            cell: OnceLock::named("lazy lock"),
            make: std::cell::Cell::new(Some(make)),
        }
    }

    /// One in a `static`, which is not made yet at the start of every execution.
    pub const fn const_new(make: F) -> Self
    where
        T: 'static,
    {
        Self {
            cell: OnceLock::const_new(),
            make: std::cell::Cell::new(Some(make)),
        }
    }

    /// The value, made if need be.
    #[track_caller]
    pub fn force(this: &Self) -> &T {
        this.cell.get_or_init(|| {
            let make = match this.cell.once.state.is_static() {
                // SAFETY: as the compiler made it, and not changed: a copy of it bit by bit is as
                // good as the thing itself, see `in_static`.
                true => unsafe { this.make.as_ptr().read() },
                false => this.make.take(),
            };
            make.expect("one call runs")()
        })
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[track_caller]
    fn deref(&self) -> &T {
        Self::force(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    fn default() -> Self {
        Self::new(T::default)
    }
}

impl<T, F> fmt::Debug for LazyLock<T, F> {
    /// Without the content: looking at it would be an operation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyLock").finish_non_exhaustive()
    }
}
