//! Plain memory: accesses that are not ordered by happens-before are data races.

use crate::explore::program::Location;
use crate::session::{self, Untold};
use crate::sync::content::{CHANGING, Content};
use std::cell::Cell as Local;
use std::fmt;
use std::panic::Location as Caller;
use std::rc::Rc;

/// Memory that several threads reach, and some of them change: any type. Where it is left to
/// the program to keep accesses apart, the explorer says where they are not.
///
/// It is used as loom's, by closures ([`Self::with`], [`Self::with_mut`]) or by guards
/// ([`Self::get`], [`Self::get_mut`]); the access lasts as long as the closure or the guard.
///
/// ```
/// use threadbare_litmus::cell::UnsafeCell;
/// use threadbare_litmus::sync::{Arc, atomic::{AtomicBool, Ordering::{Acquire, Release}}};
/// use threadbare_litmus::{explore, thread};
///
/// explore(|| {
///     let slot = Arc::new((UnsafeCell::new(None), AtomicBool::new(false)));
///     let mine = slot.clone();
///     thread::spawn(move || {
///         // SAFETY: nobody looks before the flag is set.
///         mine.0.with_mut(|slot| unsafe { *slot = Some("text".to_string()) });
///         mine.1.store(true, Release);
///     });
///     if slot.1.load(Acquire) {
///         // SAFETY: it is set, and nobody writes any more.
///         slot.0.with(|slot| assert_eq!(unsafe { &*slot }.as_deref(), Some("text")));
///     }
/// });
/// ```
pub struct UnsafeCell<T: ?Sized> {
    content: Content,
    /// Accesses under way.
    inside: std::cell::RefCell<Vec<Rc<Access>>>,
    data: std::cell::UnsafeCell<T>,
}

// SAFETY: whoever reaches the data answers for it in a block of `unsafe`; what is beside the
// data is reached by explored threads only, which all run on one OS thread.
unsafe impl<T: ?Sized + Send> Send for UnsafeCell<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send> Sync for UnsafeCell<T> {}

/// An access of a cell.
struct Access {
    thread: u32,
    changes: bool,
    /// What stood for the content when it began.
    found: u64,
    location: Location,
    /// Whether an operation was performed meanwhile.
    interrupted: Local<bool>,
    caller: &'static Caller<'static>,
}

impl Untold for Access {
    /// An operation in the middle of the access: from here on others may come by.
    fn tell(&self) -> bool {
        self.interrupted.set(true);
        if self.changes {
            Content::mark(self.location, self.caller);
        }
        false
    }
}

impl<T> UnsafeCell<T> {
    /// A cell.
    pub fn new(value: T) -> Self {
        Self::named(value, "cell")
    }

    /// As [`Self::new`], with a name for tables.
    pub fn named(value: T, name: &str) -> Self {
        Self {
            content: Content::cell(name, &value),
            inside: Default::default(),
            data: std::cell::UnsafeCell::new(value),
        }
    }

    /// The content, read: whoever consumes the cell must have it to itself.
    #[track_caller]
    pub fn into_inner(self) -> T {
        self.content.look(Caller::caller());
        self.data.into_inner()
    }
}

impl<T: ?Sized> UnsafeCell<T> {
    /// Reads the content, as long as `read` takes.
    #[track_caller]
    pub fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        self.get().with(read)
    }

    /// Changes the content, as long as `change` takes.
    #[track_caller]
    pub fn with_mut<R>(&self, change: impl FnOnce(*mut T) -> R) -> R {
        self.get_mut().with(change)
    }

    /// Reads the content as long as the guard is there.
    #[track_caller]
    pub fn get(&self) -> ConstPtr<'_, T> {
        let access = self.begin(false, Caller::caller());
        ConstPtr { cell: self, access }
    }

    /// Changes the content as long as the guard is there.
    #[track_caller]
    pub fn get_mut(&self) -> MutPtr<'_, T> {
        let access = self.begin(true, Caller::caller());
        MutPtr { cell: self, access }
    }

    /// The content of a cell that nobody else has.
    pub(crate) fn lend(&mut self, caller: &'static Caller<'static>) -> &mut T {
        self.content.lend(caller);
        self.data.get_mut()
    }

    fn begin(&self, changes: bool, caller: &'static Caller<'static>) -> Rc<Access> {
        let found = self.content.look(caller);
        let thread = session::current();
        let inside = self.inside.borrow();
        // One of another thread shows by its mark; without a mark it is over for this one.
        let other = inside.iter().find(|other| {
            (other.changes || changes) && (other.thread == thread || found == CHANGING)
        });
        if let Some(other) = other {
            let words = |changes| if changes { "changed" } else { "read" };
            let (place, now, then) = (other.caller, words(changes), words(other.changes));
            drop(inside);
            let why = format!("a cell is {now} while it is being {then} (since {place})");
            session::refuse(&why, caller);
            unreachable!("a fault ends the thread");
        }
        drop(inside);
        let access = Rc::new(Access {
            thread,
            changes,
            found,
            location: self.content.location(caller),
            interrupted: Local::new(false),
            caller,
        });
        self.inside.borrow_mut().push(access.clone());
        session::tell_before_operations(access.clone());
        access
    }

    fn end(&self, access: &Rc<Access>) {
        self.inside
            .borrow_mut()
            .retain(|other| !Rc::ptr_eq(other, access));
        if session::is_over() {
            return;
        }
        let untold: Rc<dyn Untold> = access.clone();
        session::withdraw(&untold);
        if access.changes {
            // SAFETY: the access is the running thread's, or the race is being reported.
            self.content
                .set(unsafe { &*self.data.get() }, access.caller);
        } else if access.interrupted.get() && self.content.look(access.caller) != access.found {
            session::refuse("a cell was changed while it was being read", access.caller);
        }
    }
}

impl<T: Default> Default for UnsafeCell<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for UnsafeCell<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized> fmt::Debug for UnsafeCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsafeCell").finish_non_exhaustive()
    }
}

/// An [`UnsafeCell`] being read.
pub struct ConstPtr<'a, T: ?Sized> {
    cell: &'a UnsafeCell<T>,
    access: Rc<Access>,
}

impl<T: ?Sized> ConstPtr<'_, T> {
    /// The content.
    ///
    /// # Safety
    /// As for a `*const T`; the explorer finds accesses that conflict with the guard.
    pub unsafe fn deref(&self) -> &T {
        // SAFETY: the caller's.
        unsafe { &*self.cell.data.get() }
    }

    /// The content's address.
    pub fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.cell.data.get())
    }
}

impl<T: ?Sized> Drop for ConstPtr<'_, T> {
    fn drop(&mut self) {
        self.cell.end(&self.access);
    }
}

/// An [`UnsafeCell`] being changed.
pub struct MutPtr<'a, T: ?Sized> {
    cell: &'a UnsafeCell<T>,
    access: Rc<Access>,
}

impl<T: ?Sized> MutPtr<'_, T> {
    /// The content.
    ///
    /// # Safety
    /// As for a `*mut T`; the explorer finds accesses that conflict with the guard.
    #[expect(
        clippy::mut_from_ref,
        reason = "loom's signature; the caller answers for it"
    )]
    pub unsafe fn deref(&self) -> &mut T {
        // SAFETY: the caller's.
        unsafe { &mut *self.cell.data.get() }
    }

    /// The content's address.
    pub fn with<R>(&self, change: impl FnOnce(*mut T) -> R) -> R {
        change(self.cell.data.get())
    }
}

impl<T: ?Sized> Drop for MutPtr<'_, T> {
    fn drop(&mut self) {
        self.cell.end(&self.access);
    }
}

/// A plain variable shared between threads: `std`'s, with races found. Unlike `std`'s it is
/// [`Sync`], so that what shares one need not be declared so.
///
/// ```
/// use threadbare_litmus::{Explorer, cell::Cell, explore::FailureKind, sync::Arc, thread};
///
/// let report = Explorer::new().check(|| {
///     let name = Arc::new(Cell::new("none"));
///     let other = name.clone();
///     thread::spawn(move || other.set("some"));
///     name.get();
/// });
/// assert_eq!(report.failure.unwrap().kind, FailureKind::DataRace);
/// ```
pub struct Cell<T> {
    content: Content,
    data: std::cell::UnsafeCell<T>,
}

// SAFETY: explored threads run one at a time, on one OS thread, and no reference to the data
// is given away but by `get_mut`.
unsafe impl<T: Send> Send for Cell<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Cell<T> {}

impl<T> Cell<T> {
    /// A cell holding `value`.
    pub fn new(value: T) -> Self {
        Self::make(None, value)
    }

    /// As [`Self::new`], with a name for tables.
    pub fn named(value: T, name: &str) -> Self {
        Self::make(Some(name), value)
    }

    fn make(name: Option<&str>, value: T) -> Self {
        Self {
            content: Content::variable(name, &value),
            data: std::cell::UnsafeCell::new(value),
        }
    }

    /// Plain write.
    #[track_caller]
    pub fn set(&self, value: T) {
        self.content.set(&value, Caller::caller());
        drop(self.exchange(value));
    }

    /// Plain read and write; the old content.
    #[track_caller]
    pub fn replace(&self, value: T) -> T {
        let caller = Caller::caller();
        self.content.look(caller);
        self.content.set(&value, caller);
        self.exchange(value)
    }

    /// Exchanges the contents of two cells.
    #[track_caller]
    pub fn swap(&self, other: &Self) {
        let caller = Caller::caller();
        if std::ptr::eq(self, other) {
            return;
        }
        self.content.look(caller);
        other.content.look(caller);
        // SAFETY: of two cells, and nobody has a reference to either content.
        unsafe { std::ptr::swap(self.data.get(), other.data.get()) };
        for cell in [self, other] {
            // SAFETY: as above.
            cell.content.set(unsafe { &*cell.data.get() }, caller);
        }
    }

    /// The content, read: whoever consumes the cell must have it to itself.
    #[track_caller]
    pub fn into_inner(self) -> T {
        self.content.look(Caller::caller());
        self.data.into_inner()
    }

    /// The content of a cell that nobody else has.
    #[track_caller]
    pub fn get_mut(&mut self) -> &mut T {
        self.content.lend(Caller::caller());
        self.data.get_mut()
    }

    fn exchange(&self, value: T) -> T {
        // SAFETY: nobody has a reference to the content.
        std::mem::replace(unsafe { &mut *self.data.get() }, value)
    }
}

impl<T: Copy> Cell<T> {
    /// Plain read.
    #[track_caller]
    pub fn get(&self) -> T {
        self.content.look(Caller::caller());
        // SAFETY: nobody has a reference to the content.
        unsafe { *self.data.get() }
    }

    /// Plain read and write of what `change` makes of the content; the new content.
    #[track_caller]
    pub fn update(&self, change: impl FnOnce(T) -> T) {
        self.set(change(self.get()));
    }
}

impl<T: Default> Cell<T> {
    /// The content, leaving the default.
    #[track_caller]
    pub fn take(&self) -> T {
        self.replace(T::default())
    }
}

impl<T: Default> Default for Cell<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Cell<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T> fmt::Debug for Cell<T> {
    /// Without the content: looking at it would be an operation.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cell").finish_non_exhaustive()
    }
}
