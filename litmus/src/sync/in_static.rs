//! Contents of locks in a `static`.
//!
//! A `static` outlives executions and is shared by the OS threads that explore. So its content is left
//! as the compiler made it, and every execution has a copy. A copy bit by bit will do, since the value
//! was computed at compile time: it owns nothing, as two uses of one `const` own nothing in common.

use crate::session;
use std::any::Any;
use std::cell::UnsafeCell;
use std::rc::Rc;

/// Copies the content at an address.
pub(super) type Copy = unsafe fn(*const ()) -> Rc<dyn Any>;

/// # Safety
/// There is a `T` at the address, in a `static` and as the compiler made it.
pub(super) unsafe fn copy<T: 'static>(from: *const ()) -> Rc<dyn Any> {
    // SAFETY: the caller's.
    Rc::new(UnsafeCell::new(unsafe { from.cast::<T>().read() }))
}

/// The content that this execution has: `data` itself, or its copy if it is in a `static`.
pub(super) fn content<T: ?Sized>(data: &UnsafeCell<T>, copy: Option<Copy>) -> *mut T {
    let mut pointer = data.get();
    if let Some(copy) = copy {
        let from: *const () = pointer.cast();
        // SAFETY: `copy` is of the type that the `static` was made with, and nobody changes it there.
        let content = session::of_run(from.addr(), || unsafe { copy(from) });
        let content: *const UnsafeCell<()> = Rc::as_ptr(&content).cast();
        // SAFETY: a pointer begins with the address, whatever else there is to it. The run keeps the
        // content to its end.
        unsafe {
            (&raw mut pointer)
                .cast::<*mut ()>()
                .write(UnsafeCell::raw_get(content));
        }
    }
    pointer
}
