//! Weak handles.

use super::Arc;
use super::counts::{self, Counts};
use crate::explore::program::MemoryOrder::{Acquire, Relaxed};
use crate::session;
use std::fmt;
use std::panic::Location as Caller;
use std::ptr::NonNull;

/// A handle that does not keep the content, as `std`'s.
pub struct Weak<T: ?Sized> {
    parts: Option<(NonNull<Counts>, NonNull<T>)>,
}

// SAFETY: as for `Arc`.
unsafe impl<T: ?Sized + Send + Sync> Send for Weak<T> {}
// SAFETY: as for `Arc`.
unsafe impl<T: ?Sized + Send + Sync> Sync for Weak<T> {}

impl<T> Weak<T> {
    /// A handle of nothing.
    pub const fn new() -> Self {
        Self { parts: None }
    }
}

impl<T: ?Sized> Weak<T> {
    pub(super) fn from_parts(counts: NonNull<Counts>, content: NonNull<T>) -> Self {
        let parts = Some((counts, content));
        Self { parts }
    }

    fn counts(&self) -> Option<&Counts> {
        // SAFETY: there until the last handle, strong or weak, is gone.
        self.parts.map(|(counts, _)| unsafe { counts.as_ref() })
    }

    /// A strong handle, if the content is still there.
    #[track_caller]
    pub fn upgrade(&self) -> Option<Arc<T>> {
        let (counts, content) = self.parts?;
        let upgraded = self.counts()?.upgrade(Caller::caller());
        upgraded.then(|| Arc::from_parts(counts, content))
    }

    /// The number of strong handles.
    #[track_caller]
    pub fn strong_count(&self) -> usize {
        self.counts()
            .map_or(0, |counts| counts.load_strong(Relaxed, Caller::caller()))
    }

    /// The number of weak handles; 0 when there is no strong one.
    #[track_caller]
    pub fn weak_count(&self) -> usize {
        let Some(counts) = self.counts() else {
            return 0;
        };
        let weak = counts.load_weak(Acquire, Caller::caller());
        match counts.load_strong(Relaxed, Caller::caller()) {
            0 => 0,
            _ => weak,
        }
    }

    /// Whether both are handles of the same content, or of none.
    pub fn ptr_eq(&self, other: &Self) -> bool {
        let address = |weak: &Self| weak.parts.map(|(counts, _)| counts);
        address(self) == address(other)
    }
}

impl<T: ?Sized> Clone for Weak<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        if let Some(counts) = self.counts() {
            counts.add_weak(Caller::caller());
        }
        Self { parts: self.parts }
    }
}

impl<T: ?Sized> Drop for Weak<T> {
    #[track_caller]
    fn drop(&mut self) {
        let Some((counts, content)) = self.parts else {
            return;
        };
        if !session::is_over() {
            // SAFETY: there until the last handle, strong or weak, is gone.
            unsafe { counts.as_ref() }.drop_weak_of_all(Caller::caller());
        }
        // SAFETY: the handle is not used any more.
        unsafe { counts::release(counts, content) };
    }
}

impl<T> Default for Weak<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: ?Sized> fmt::Debug for Weak<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(Weak)")
    }
}
