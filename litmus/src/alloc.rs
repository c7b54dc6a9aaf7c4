//! Memory whose end is watched: what is used after it, given back twice, or never, is a fault.

use crate::cell::UnsafeCell;
use crate::session;
use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::Location as Caller;

pub use std::alloc::Layout;

thread_local! {
    /// By address: the locations of blocks of the present run, and whether they have been
    /// given back. Their memory is, when the run is over.
    static BLOCKS: RefCell<HashMap<usize, (u32, Layout)>> = RefCell::default();
}

/// Allocates memory, as `std::alloc::alloc`, which must be given back by [`dealloc`] before
/// all threads have ended: in every execution, or it has leaked.
///
/// # Safety
/// As for `std::alloc::alloc`.
#[track_caller]
pub unsafe fn alloc(layout: Layout) -> *mut u8 {
    // SAFETY: the caller's.
    register(
        unsafe { std::alloc::alloc(layout) },
        layout,
        Caller::caller(),
    )
}

/// As [`alloc`], zeroed.
///
/// # Safety
/// As for `std::alloc::alloc_zeroed`.
#[track_caller]
pub unsafe fn alloc_zeroed(layout: Layout) -> *mut u8 {
    // SAFETY: the caller's.
    register(
        unsafe { std::alloc::alloc_zeroed(layout) },
        layout,
        Caller::caller(),
    )
}

fn register(block: *mut u8, layout: Layout, caller: &'static Caller<'static>) -> *mut u8 {
    if block.is_null() || !session::is_inside() {
        return block;
    }
    let location = session::allocate(Some("block"), 0, 64, caller);
    let address = block.expose_provenance();
    BLOCKS.with_borrow_mut(|blocks| blocks.insert(address, (location, layout)));
    session::after_run(Box::new(move || {
        BLOCKS.with_borrow_mut(|blocks| blocks.remove(&address));
        // SAFETY: from `alloc` with this layout; the run that used it is over.
        unsafe { std::alloc::dealloc(std::ptr::with_exposed_provenance_mut(address), layout) };
    }));
    block
}

/// Gives memory back, as `std::alloc::dealloc`: every use of it must happen before.
///
/// # Safety
/// As for `std::alloc::dealloc`. That it has been given back already, or is of no
/// [`alloc`] of this execution, is found.
#[track_caller]
pub unsafe fn dealloc(block: *mut u8, layout: Layout) {
    let caller = Caller::caller();
    if !session::is_inside() {
        // SAFETY: the caller's.
        return unsafe { std::alloc::dealloc(block, layout) };
    }
    let known = BLOCKS.with_borrow(|blocks| blocks.get(&block.addr()).copied());
    match known {
        Some((location, known)) if known == layout => session::free(location, caller),
        Some(_) => session::refuse("dealloc with another layout than alloc", caller),
        None => session::refuse("dealloc of what alloc did not allocate", caller),
    }
}

/// A value whose end is watched: it must be dropped, or taken out by [`Self::into_inner`],
/// before all threads have ended, and its accesses must be ordered as those of an
/// [`UnsafeCell`].
///
/// ```
/// use threadbare_litmus::{Explorer, alloc::Track, explore::FailureKind};
///
/// let report = Explorer::new().check(|| std::mem::forget(Track::new(1)));
/// assert_eq!(report.failure.unwrap().kind, FailureKind::Leak);
/// ```
#[derive(Debug)]
pub struct Track<T> {
    end: End,
    value: UnsafeCell<T>,
}

#[derive(Debug)]
struct End(u32);

impl Drop for End {
    #[track_caller]
    fn drop(&mut self) {
        if session::is_inside() && !session::is_over() {
            session::free(self.0, Caller::caller());
        }
    }
}

impl<T> Track<T> {
    /// Watches `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        let end = End(session::allocate(Some("tracked"), 0, 64, Caller::caller()));
        Self {
            end,
            value: UnsafeCell::named(value, "tracked value"),
        }
    }

    /// The value.
    #[track_caller]
    pub fn get_ref(&self) -> &T {
        // SAFETY: `&self` lets nobody change it; if somebody does, the race is found.
        self.value.with(|value| unsafe { &*value })
    }

    /// The value; `&mut`.
    #[track_caller]
    pub fn get_mut(&mut self) -> &mut T {
        self.value.lend(Caller::caller())
    }

    /// The value, no more watched.
    #[track_caller]
    pub fn into_inner(self) -> T {
        let Self { end, value } = self;
        let value = value.into_inner();
        drop(end);
        value
    }
}
