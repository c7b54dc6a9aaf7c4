//! The synchronising types of `std::sync`, explored.

pub use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

pub use arc::{Arc, Weak};
pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use once::{LazyLock, Once, OnceLock, OnceState};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::explore::program::Wait;
use crate::session;
use std::panic::Location as Caller;

mod arc;
pub mod atomic;
mod barrier;
mod boolean;
mod condvar;
pub(crate) mod content;
mod in_static;
mod located;
pub mod mpsc;
mod mutex;
mod once;
mod pointer;
mod rwlock;
mod word;

/// What the name of a location ends with that is a lock's word.
pub(crate) const LOCK: &str = "'s lock";

/// What the name of a location ends with that stands for a lock's content.
pub(crate) const CONTENT: &str = "'s content";

/// What the name of a location ends with whose bits are threads.
pub(crate) const WAITERS: &str = "'s waiters";

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
