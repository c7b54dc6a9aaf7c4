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
        owner: session::current(),
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
    scope.join_those_under(scope.owner, Caller::caller());
    result
}

/// Where [`scope`] starts its threads.
pub struct Scope<'scope, 'env: 'scope> {
    /// The thread that called it.
    owner: u32,
    started: RefCell<Vec<Started>>,
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

// SAFETY: explored threads run one at a time, on one OS thread, and no borrow lasts over an operation.
unsafe impl Sync for Scope<'_, '_> {}

/// A thread of a scope.
#[derive(Clone, Copy)]
struct Started {
    thread: u32,
    /// Who started it.
    by: u32,
    /// The thread of the scope, or its owner, that did so itself or in an inner scope: when it has ended, this
    /// thread has been started.
    under: u32,
    /// By its handle, by the owner or by the thread that it is under.
    joined: bool,
}

impl<'scope> Scope<'scope, '_> {
    /// Joins the threads started under one that has ended, or is the owner, and those under them. In an order that is
    /// the same in every run: who else has started or joined any by now is not asked.
    fn join_those_under(&self, under: u32, caller: &'static Caller<'static>) {
        let started = self.started.borrow();
        let mut those: Vec<Started> = started
            .iter()
            .filter(|s| s.under == under)
            .copied()
            .collect();
        drop(started);
        those.sort_by_key(|started| session::path_of(started.by));
        for Started { thread, joined, .. } in those {
            if !joined {
                session::perform(Op::Join(thread), caller);
            }
            self.join_those_under(thread, caller);
        }
    }

    fn is_here(&self, thread: u32) -> bool {
        thread == self.owner || self.started.borrow().iter().any(|s| s.thread == thread)
    }

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
        let by = session::current();
        let up = |&thread: &u32| (thread != 0).then(|| session::parent_of(thread));
        let under = std::iter::successors(Some(by), up).find(|&thread| self.is_here(thread));
        let under = under.unwrap_or(self.owner);
        let thread = start.index;
        self.started.borrow_mut().push(Started {
            thread,
            by,
            under,
            joined: false,
        });
        ScopedJoinHandle {
            thread: Thread::started(start),
            owner: self.owner,
            started: &self.started,
            result,
        }
    }
}

/// A thread of a [`Scope`].
pub struct ScopedJoinHandle<'scope, T> {
    pub(super) thread: Thread,
    owner: u32,
    started: &'scope RefCell<Vec<Started>>,
    result: Rc<RefCell<Option<T>>>,
}

// SAFETY: as for `JoinHandle`; the scope is `Sync`.
unsafe impl<T: Send> Send for ScopedJoinHandle<'_, T> {}
// SAFETY: as above; nothing is reachable through a shared reference.
unsafe impl<T: Send> Sync for ScopedJoinHandle<'_, T> {}

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
        let me = session::current();
        let mut started = self.started.borrow_mut();
        let of_mine =
            |s: &&mut Started| s.thread == self.thread.index && (me == self.owner || me == s.under);
        if let Some(started) = started.iter_mut().find(of_mine) {
            started.joined = true;
        }
        drop(started);
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
