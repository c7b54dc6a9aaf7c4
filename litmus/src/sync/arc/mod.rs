//! Shared ownership, explored.
//!
//! Clones and drops of most `Arc`s are nobody's business: no count is asked for, and it does
//! not matter which thread drops the last handle. Such an `Arc` is *quiet*: its handles are
//! counted, so that the content is dropped and a leak is found, but the counting is no
//! operation. As soon as a run does something whose outcome depends on the counts (asks for
//! one, unwraps, makes a weak handle, takes a raw pointer, drops a content whose destructor
//! performs an operation or panics), the place where the `Arc` was made is remembered
//! ([`Fact`]), and the exploration begins again; `Arc`s made there then have their counts in
//! explored locations, with the operations and the orders of `std`.

mod counts;
mod raw;
mod traits;
mod weak;

pub use weak::Weak;

use crate::explore::program::{Guard, MemoryOrder::*};
use crate::session::{self, Fact};
use counts::Counts;
use std::marker::PhantomData;
use std::ops::Deref;
use std::panic::Location as Caller;
use std::ptr::NonNull;
use std::sync::Arc as StdArc;

/// A shared handle, as `std`'s.
///
/// The last one to be dropped drops the content, in the thread and at the point of that very
/// execution; a handle that is left when all threads have ended is a fault, a leak. What
/// `std`'s can and this cannot: be a method's receiver (`self: Arc<Self>`), and be coerced to
/// an `Arc<dyn Trait>`; for the latter there is [`Self::from_std`].
///
/// ```
/// use threadbare_litmus::{explore, sync::Arc, thread};
///
/// let report = explore(|| {
///     let one = Arc::new(String::from("content"));
///     let two = one.clone();
///     let other = thread::spawn(move || Arc::into_inner(two).is_some());
///     let mine = Arc::into_inner(one).is_some();
///     assert!(mine != other.join().unwrap(), "one of them gets it");
/// });
/// assert_eq!(report.complete, 2);
/// ```
pub struct Arc<T: ?Sized> {
    counts: NonNull<Counts>,
    /// Of `std`'s, of which there is one strong and one weak handle in all.
    content: NonNull<T>,
    owned: PhantomData<T>,
}

// SAFETY: as for `std`'s; the counts are either atomic or reached by explored threads only,
// which all run on one OS thread.
unsafe impl<T: ?Sized + Send + Sync> Send for Arc<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync> Sync for Arc<T> {}

impl<T> Arc<T> {
    /// A first handle.
    #[track_caller]
    pub fn new(content: T) -> Self {
        Self::from_std(StdArc::new(content))
    }

    /// As [`Self::new`], pinned.
    #[track_caller]
    pub fn pin(content: T) -> std::pin::Pin<Self> {
        // SAFETY: the content does not move until it is dropped: nothing that moves it out
        // takes a pinned handle.
        unsafe { std::pin::Pin::new_unchecked(Self::new(content)) }
    }

    /// A content that has a weak handle of itself, which cannot be upgraded before this
    /// returns.
    #[track_caller]
    pub fn new_cyclic(make: impl FnOnce(&Weak<T>) -> T) -> Self {
        let counts = Counts::unborn(Caller::caller());
        let content = StdArc::new_cyclic(|weak: &std::sync::Weak<T>| {
            let content = NonNull::new(weak.as_ptr().cast_mut()).expect("memory");
            let weak = std::mem::ManuallyDrop::new(Weak::from_parts(counts, content));
            make(&weak)
        });
        // SAFETY: made above, and kept by the weak handle that all strong ones share.
        let counted = unsafe { counts.as_ref() };
        counted.is_born();
        Self::from_parts(counts, keep(content))
    }

    /// The content, if this is the only handle; otherwise nothing changes.
    ///
    /// # Errors
    /// The handle, when there are others.
    #[track_caller]
    pub fn try_unwrap(this: Self) -> Result<T, Self> {
        let caller = Caller::caller();
        let counts = this.counted();
        if !counts.exchange_strong(1, 0, Relaxed, Relaxed, caller) {
            return Err(this);
        }
        counts.fence(Acquire, caller);
        Ok(this.take(caller))
    }

    /// Drops the handle; the content, if it was the last: of several threads that do this
    /// exactly one gets it.
    #[track_caller]
    pub fn into_inner(this: Self) -> Option<T> {
        let caller = Caller::caller();
        let counts = this.counted();
        if !counts.drop_strong(caller) {
            this.forget_handle();
            return None;
        }
        Some(this.take(caller))
    }

    /// The content, or a clone of it if there are other handles.
    #[track_caller]
    pub fn unwrap_or_clone(this: Self) -> T
    where
        T: Clone,
    {
        Self::try_unwrap(this).unwrap_or_else(|this| (*this).clone())
    }

    /// Takes the content out of the hands of the last handle; the strong count is 0.
    fn take(self, caller: &'static Caller<'static>) -> T {
        self.counts().look(caller);
        // SAFETY: from `keep`, and no longer reached by any handle.
        let content = unsafe { StdArc::from_raw(self.content.as_ptr()) };
        let content = StdArc::into_inner(content).expect("its only strong handle");
        self.counts().drop_weak_of_all(caller);
        self.forget_handle();
        content
    }
}

/// Gives away a content that is dropped by hand: one strong handle of `std`'s, and a weak one
/// that keeps the memory.
fn keep<T: ?Sized>(content: StdArc<T>) -> NonNull<T> {
    std::mem::forget(StdArc::downgrade(&content));
    let content = StdArc::into_raw(content).cast_mut();
    NonNull::new(content).expect("a content has an address")
}

impl<T: ?Sized> Arc<T> {
    /// From `std`'s, which can be one of a trait object or of a slice:
    ///
    /// ```
    /// use threadbare_litmus::{explore, sync::Arc};
    ///
    /// explore(|| {
    ///     let shape: std::sync::Arc<dyn std::fmt::Debug> = std::sync::Arc::new(5);
    ///     let shape = Arc::from_std(shape);
    ///     assert_eq!(format!("{:?}", shape.clone()), "5");
    /// });
    /// ```
    ///
    /// # Panics
    /// When there are other handles of it.
    #[track_caller]
    pub fn from_std(mut content: StdArc<T>) -> Self {
        assert!(
            StdArc::get_mut(&mut content).is_some(),
            "Arc::from_std takes over a content: there must be no other handle of it"
        );
        let counts = Counts::new(Caller::caller());
        Self::from_parts(counts, keep(content))
    }

    fn from_parts(counts: NonNull<Counts>, content: NonNull<T>) -> Self {
        Self {
            counts,
            content,
            owned: PhantomData,
        }
    }

    fn counts(&self) -> &Counts {
        // SAFETY: there until the last handle, strong or weak, is gone.
        unsafe { self.counts.as_ref() }
    }

    /// The counts, of which something depends from here on.
    #[track_caller]
    fn counted(&self) -> &Counts {
        let counts = self.counts();
        counts.need(Fact::Counted, Caller::caller());
        counts
    }

    /// The number of strong handles; by the time it is looked at it may be another.
    #[track_caller]
    pub fn strong_count(this: &Self) -> usize {
        this.counted().load_strong(Relaxed, Caller::caller())
    }

    /// The number of weak handles, as [`Self::strong_count`].
    #[track_caller]
    pub fn weak_count(this: &Self) -> usize {
        this.counted().load_weak(Relaxed, Caller::caller())
    }

    /// A weak handle.
    #[track_caller]
    pub fn downgrade(this: &Self) -> Weak<T> {
        let (counts, caller) = (this.counted(), Caller::caller());
        counts.need(Fact::Weak, caller);
        counts.add_weak_unless_locked(caller);
        Weak::from_parts(this.counts, this.content)
    }

    /// Whether both are handles of the same content.
    pub fn ptr_eq(this: &Self, other: &Self) -> bool {
        std::ptr::addr_eq(this.content.as_ptr(), other.content.as_ptr())
    }

    /// The content, if there is no other handle, strong or weak.
    #[track_caller]
    pub fn get_mut(this: &mut Self) -> Option<&mut T> {
        let caller = Caller::caller();
        if !this.counted().is_unique(caller) {
            return None;
        }
        this.lend(caller);
        // SAFETY: this is the only handle, mutably borrowed.
        Some(unsafe { this.content.as_mut() })
    }

    /// `&mut` to the content is about to be given away.
    fn lend(&self, caller: &'static Caller<'static>) {
        if size_of_val(self.peek()) > 0 {
            self.counts().need(Fact::Changed, caller);
            self.counts().lend(caller);
        }
    }

    /// The content, without saying so.
    fn peek(&self) -> &T {
        // SAFETY: there as long as there is a strong handle.
        unsafe { self.content.as_ref() }
    }

    /// The handle is gone without having been dropped: it has been counted already.
    fn forget_handle(self) {
        self.counts().handle_is_gone();
        let (counts, content) = (self.counts, self.content);
        std::mem::forget(self);
        // SAFETY: the handle is not used any more.
        unsafe { counts::release(counts, content) };
    }
}

impl<T: Clone> Arc<T> {
    /// The content, first made this handle's own: cloned when there are other strong
    /// handles, moved away from weak ones.
    #[track_caller]
    pub fn make_mut(this: &mut Self) -> &mut T {
        let caller = Caller::caller();
        if !this
            .counted()
            .exchange_strong(1, 0, Acquire, Relaxed, caller)
        {
            let (place, content) = (this.counts().place, (**this).clone());
            *this = Self::from_parts(Counts::at(place, caller), keep(StdArc::new(content)));
        } else if this.counts().load_weak_of_all(Relaxed, caller) != 1 {
            let place = this.counts().place;
            // The old content is moved out, and the weak handle that strong ones share dropped.
            let content = Self::from_parts(this.counts, this.content).take(caller);
            let fresh = Self::from_parts(Counts::at(place, caller), keep(StdArc::new(content)));
            std::mem::forget(std::mem::replace(this, fresh));
        } else {
            this.counts().store_strong(1, Release, caller);
        }
        this.lend(caller);
        // SAFETY: this is the only handle, mutably borrowed.
        unsafe { this.content.as_mut() }
    }
}

impl<T: ?Sized> Clone for Arc<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        self.counts().add_strong(Caller::caller());
        Self::from_parts(self.counts, self.content)
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;

    #[track_caller]
    fn deref(&self) -> &T {
        self.counts().look(Caller::caller());
        self.peek()
    }
}

impl<T: ?Sized> Drop for Arc<T> {
    #[track_caller]
    fn drop(&mut self) {
        let (counts, caller) = (self.counts(), Caller::caller());
        // SAFETY: from `keep`; used once, by the last handle.
        let content = || drop(unsafe { StdArc::from_raw(self.content.as_ptr()) });
        if session::is_over() {
            // The run is being given up; whether this is the last handle that there really is
            // says nothing of the content of one with counts, which may be gone.
            if counts.handle_is_gone() && !counts.is_counted() {
                content();
            }
        } else if counts.is_counted() {
            if counts.drop_strong(caller) {
                content();
                counts.drop_weak_of_all(caller);
            }
            counts.handle_is_gone();
        } else if counts.handle_is_gone() {
            counts.silently(content);
        }
        // SAFETY: the handle is not used any more.
        unsafe { counts::release(self.counts, self.content) };
    }
}

impl Arc<dyn std::any::Any + Send + Sync> {
    /// The handle as one of the type that the content has.
    ///
    /// # Errors
    /// The handle itself, when the content has another type.
    pub fn downcast<T: std::any::Any + Send + Sync>(self) -> Result<Arc<T>, Self> {
        if !self.peek().is::<T>() {
            return Err(self);
        }
        let (counts, content) = (self.counts, self.content.cast());
        std::mem::forget(self);
        Ok(Arc::from_parts(counts, content))
    }
}

/// Nobody else has a handle, strong or weak.
const ALONE: Guard = Guard::is(1);
