//! A lock whose holder hands it to the waiter that came first.
//!
//! What [`parking`](super::parking) looks like from outside when all its waiters are old: its byte, bucket and
//! queue are one state under one mutex, which orders everything. Handing over is the harder case for those who
//! build on a lock: a thread may have it without having run.

use crate::runtime::{Label, Lock as _, Runtime, Signal as _};

/// The lock; who waits for it sleeps at the [`Sleeper`] of its number.
pub(crate) struct HandedLock<R: Runtime> {
    /// Whether it is taken, and the numbers of those who wait.
    state: R::Mutex<(bool, Vec<usize>)>,
}

impl<R: Runtime> HandedLock<R> {
    pub(crate) fn new(label: impl Into<Label>) -> Self {
        Self { state: R::Mutex::new((false, Vec::new()), label) }
    }

    /// Takes the lock; or, where it is taken, waits in its queue, and the answer is false.
    #[track_caller]
    pub(crate) fn take_or_queue(&self, n: usize) -> bool {
        let mut state = self.state.lock();
        if state.0 {
            state.1.push(n);
        }
        !std::mem::replace(&mut state.0, true)
    }

    /// Gives it up: the first waiter has it, and is woken.
    #[track_caller]
    pub(crate) fn give(&self, sleepers: &[Sleeper<R>]) {
        let mut state = self.state.lock();
        let next = (!state.1.is_empty()).then(|| state.1.remove(0));
        state.0 = next.is_some();
        drop(state);
        if let Some(n) = next {
            sleepers[n].wake();
        }
    }
}

/// Where a thread sleeps.
pub(crate) struct Sleeper<R: Runtime> {
    woken: R::Mutex<bool>,
    signal: R::Condvar,
}

impl<R: Runtime> Sleeper<R> {
    pub(crate) fn new(n: usize) -> Self {
        Self {
            woken: R::Mutex::new(false, Label::nth("woken", n)),
            signal: R::Condvar::new(Label::nth("signal", n)),
        }
    }

    pub(crate) fn all(threads: usize) -> Box<[Self]> {
        (0..threads).map(Self::new).collect()
    }

    /// Until it is woken, which may have been before.
    #[track_caller]
    pub(crate) fn sleep(&self) {
        let mut woken = self.woken.lock();
        while !*woken {
            woken = R::wait(&self.signal, &self.woken, woken);
        }
        *woken = false;
    }

    /// The same with a time limit; false when that expired first.
    #[track_caller]
    pub(crate) fn sleep_limited(&self) -> bool {
        let mut woken = self.woken.lock();
        if !*woken {
            woken = R::wait_timeout(&self.signal, &self.woken, woken).0;
        }
        std::mem::take(&mut *woken)
    }

    /// Wakes it, now or when it goes to sleep next.
    #[track_caller]
    pub(crate) fn wake(&self) {
        *self.woken.lock() = true;
        self.signal.notify_one();
    }
}
