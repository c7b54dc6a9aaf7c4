//! How one thread stops and another goes on.

mod futex;
mod user;

use crate::control::Thread;
use std::sync::atomic::{AtomicBool, Ordering};
use threadbare_control::block;

/// Hands the turn from thread to thread. Which thread is none of its business.
pub trait Engine {
    /// The caller, the only thread, is the first under control.
    ///
    /// # Safety
    /// `me` is its entry.
    unsafe fn first(&self, me: *mut Thread);

    /// Called by the creator of `new`, which cannot run before its turn; returns when it can be
    /// given one.
    ///
    /// # Safety
    /// `new` has a kernel thread that is in `adopt` or on the way there.
    unsafe fn created(&self, new: *mut Thread);

    /// Called on a new kernel thread before anything else: returns at its first turn.
    ///
    /// # Safety
    /// `me` is the entry of the calling thread and stays valid.
    unsafe fn adopt(&self, me: *mut Thread);

    /// Gives the turn to `next` and returns at the caller's next turn.
    ///
    /// # Safety
    /// The caller is `me` and holds the turn; `next` waits for it.
    unsafe fn switch(&self, me: *mut Thread, next: *mut Thread);

    /// Gives the turn away for good. The caller ends soon after it returns, not before
    /// [`Engine::release`].
    ///
    /// # Safety
    /// As `switch`.
    unsafe fn leave(&self, me: *mut Thread, next: *mut Thread);

    /// Lets a thread that left go: called by who got its turn.
    ///
    /// # Safety
    /// `gone` called `leave`.
    unsafe fn release(&self, gone: *mut Thread);
}

static FUTEX: AtomicBool = AtomicBool::new(false);

/// Chooses the engine of the run.
pub fn choose(engine: block::Engine) {
    // Relaxed: set while there is one thread.
    FUTEX.store(
        engine == block::Engine::Futex || !user::possible(),
        Ordering::Relaxed,
    );
}

/// Every context is in the hands of one kernel thread.
pub fn carries_all() -> bool {
    !FUTEX.load(Ordering::Relaxed)
}

/// The engine in use.
pub fn engine() -> &'static dyn Engine {
    if FUTEX.load(Ordering::Relaxed) {
        &futex::Futex
    } else {
        &user::User
    }
}
