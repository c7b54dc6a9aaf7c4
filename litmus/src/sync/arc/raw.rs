//! Handles as raw pointers.

use super::Arc;
use super::counts::{self, Counts};
use crate::session::{self, Fact};
use std::cell::RefCell;
use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::panic::Location as Caller;
use std::ptr::NonNull;

thread_local! {
    /// By the address of the content, for those whose address has been asked for.
    static KNOWN: RefCell<HashMap<usize, NonNull<Counts>>> = RefCell::default();
}

impl<T: ?Sized> Arc<T> {
    /// The address of the content.
    #[track_caller]
    pub fn as_ptr(this: &Self) -> *const T {
        // Whoever has the address may use it after the last handle is gone: that is to be
        // seen, so the end of the content must be an operation.
        if session::is_inside() {
            this.counts().need(Fact::Counted, Caller::caller());
        }
        let pointer = this.content.as_ptr();
        let fresh = KNOWN.with_borrow_mut(|known| known.insert(pointer.addr(), this.counts));
        if fresh.is_none() {
            this.outlive_run();
        }
        pointer
    }

    /// Keeps the memory to the end of the run: whoever uses a pointer to it too late is to be
    /// told so and must do no harm.
    fn outlive_run(&self) {
        self.counts().handle_is_kept();
        let (counts, content) = (self.counts, self.content);
        let release = move || {
            KNOWN.with_borrow_mut(|known| known.remove(&content.as_ptr().addr()));
            // SAFETY: the handle counted above.
            unsafe { counts::release(counts, content) };
        };
        let release: Box<dyn FnOnce() + '_> = Box::new(release);
        // SAFETY: nothing of the content's type is used but its size: no destructor runs.
        let release: Box<dyn FnOnce()> = unsafe { std::mem::transmute(release) };
        session::after_run(release);
    }

    /// The handle as a pointer; it is not dropped.
    #[track_caller]
    pub fn into_raw(this: Self) -> *const T {
        Self::as_ptr(&ManuallyDrop::new(this))
    }

    /// The handle of which [`Self::into_raw`] made a pointer.
    ///
    /// # Safety
    /// As for `std`'s: the pointer is from [`Self::into_raw`] and stands for a handle.
    ///
    /// # Panics
    /// When the pointer is none that [`Self::into_raw`] or [`Self::as_ptr`] gave away.
    pub unsafe fn from_raw(pointer: *const T) -> Self {
        let counts = KNOWN.with_borrow(|known| known.get(&pointer.addr()).copied());
        let counts = counts.expect("a pointer from Arc::into_raw or Arc::as_ptr");
        let content = NonNull::new(pointer.cast_mut()).expect("the address of a content");
        Self::from_parts(counts, content)
    }

    /// A handle more of a content of which there is one.
    ///
    /// # Safety
    /// As for [`Self::from_raw`], and the handle is there all the while.
    #[track_caller]
    pub unsafe fn increment_strong_count(pointer: *const T) {
        // SAFETY: the caller's; the handle is not dropped.
        let handle = ManuallyDrop::new(unsafe { Self::from_raw(pointer) });
        std::mem::forget(Arc::clone(&handle));
    }

    /// A handle less.
    ///
    /// # Safety
    /// As for [`Self::from_raw`], with a handle to be dropped.
    #[track_caller]
    pub unsafe fn decrement_strong_count(pointer: *const T) {
        // SAFETY: the caller's.
        drop(unsafe { Self::from_raw(pointer) });
    }
}
