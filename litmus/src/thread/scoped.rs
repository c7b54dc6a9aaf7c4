//! Threads that may borrow from who starts them.

use super::{Thread, start};
use crate::explore::program::Op;
use crate::session;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location as Caller, catch_unwind, resume_unwind};
use std::rc::Rc;

/// Starts threads that may borrow from the caller, and waits for all of them.
///
/// ```
/// use threadbare_litmus::{explore, sync::atomic::{AtomicU32, Ordering::Relaxed}, thread};
///
/// explore(|| {
///     let count = AtomicU32::new(0);
///     thread::scope(|s| {
///         s.spawn(|| count.fetch_add(1, Relaxed));
///         s.spawn(|| count.fetch_add(1, Relaxed));
///     });
///     assert_eq!(count.load(Relaxed), 2);
/// });
/// ```
#[track_caller]
pub fn scope<'env, R>(body: impl for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> R) -> R {
    let scope = Scope {
        started: RefCell::default(),
        scope: PhantomData,
        env: PhantomData,
    };
    let result = match catch_unwind(AssertUnwindSafe(|| body(&scope))) {
        Ok(result) => result,
        Err(payload) => {
            // The fault is reported from here, with what other threads borrow in place; a run
            // that is given up is unwound further.
            session::fail(&*payload, Caller::caller());
            resume_unwind(payload)
        }
    };
    for thread in scope.started.take() {
        session::perform(Op::Join(thread), Caller::caller());
    }
    result
}

/// Where [`scope`] starts its threads.
pub struct Scope<'scope, 'env: 'scope> {
    /// Threads not joined yet.
    started: RefCell<Vec<u32>>,
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a thread that may borrow what outlives the scope.
    #[track_caller]
    pub fn spawn<T: Send + 'scope>(
        &'scope self,
        body: impl FnOnce() -> T + Send + 'scope,
    ) -> ScopedJoinHandle<'scope, T> {
        let result = Rc::new(RefCell::new(None));
        let slot = result.clone();
        let run: Box<dyn FnOnce() + 'scope> = Box::new(move || {
            let value = body();
            session::returns(session::knowledge());
            if std::mem::needs_drop::<T>() {
                session::leaves_result();
            }
            *slot.borrow_mut() = Some(value);
        });
        // SAFETY: `scope` joins the thread before what it borrows goes away; when an
        // execution is abandoned, threads are unwound youngest first, so this one before
        // the one that it borrows from.
        let run: Box<dyn FnOnce()> = unsafe { std::mem::transmute(run) };
        let start = start(run, None, Caller::caller());
        self.started.borrow_mut().push(start.index);
        ScopedJoinHandle {
            thread: Thread::started(start),
            started: &self.started,
            result,
        }
    }
}

/// A thread of a [`Scope`].
pub struct ScopedJoinHandle<'scope, T> {
    pub(super) thread: Thread,
    started: &'scope RefCell<Vec<u32>>,
    result: Rc<RefCell<Option<T>>>,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Waits for the thread's end.
    ///
    /// # Errors
    /// Never: a panicking thread ends the exploration.
    ///
    /// # Panics
    /// When the execution is being torn down.
    #[track_caller]
    pub fn join(self) -> std::thread::Result<T> {
        session::perform(Op::Join(self.thread.index), Caller::caller());
        self.started
            .borrow_mut()
            .retain(|&t| t != self.thread.index);
        Ok(self
            .result
            .borrow_mut()
            .take()
            .expect("the thread has ended"))
    }

    /// Whether the thread has returned. What it did is visible only after a join: nothing orders this
    /// question after it, as in `std`.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        let start = self.thread.start.expect("it was started");
        start.is_finished(Caller::caller())
    }

    /// The thread's handle.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }
}
