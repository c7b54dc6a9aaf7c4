//! The synchronising types of `std::sync`, explored.

pub use std::sync::{Arc, LockResult, PoisonError, TryLockError, TryLockResult, Weak};

pub use condvar::Condvar;
pub use mutex::{Mutex, MutexGuard};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::explore::program::Wait;
use crate::session;
use std::panic::Location as Caller;

pub mod atomic;
mod boolean;
mod condvar;
mod mutex;
mod pointer;
mod rwlock;

/// Waits until `ready` returns true, without a loop that the explorer would have to
/// unroll: when it returns false and has written nothing, the thread stays blocked until
/// one of its reads can see another write. A condition that writes is tried again like
/// the body of an ordinary loop.
///
/// ```
/// use threadbare_litmus::sync::{Arc, atomic::{AtomicU32, Ordering::Relaxed}, await_until};
/// use threadbare_litmus::{explore, thread};
///
/// let report = explore(|| {
///     let (a, b) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
///     let (a2, b2) = (a.clone(), b.clone());
///     thread::spawn(move || {
///         a2.store(1, Relaxed);
///         b2.store(1, Relaxed);
///     });
///     await_until(|| a.load(Relaxed) + b.load(Relaxed) == 2);
/// });
/// assert_eq!(report.complete, 1);
/// ```
#[track_caller]
pub fn await_until(mut ready: impl FnMut() -> bool) {
    let caller = Caller::caller();
    loop {
        let outer = session::begin_turn();
        let is_ready = ready();
        let turn = session::end_turn(outer);
        if is_ready {
            return;
        }
        if !turn.wrote {
            session::block(Wait::Await, turn.reads, caller);
        }
    }
}
