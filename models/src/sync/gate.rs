//! A lock of readers and writers, as it looks from outside.
//!
//! Its whole state is under one mutex, which orders everything; how one is built from a word is
//! [`rwlock`](super::rwlock). Given back by who took it, and not when a scope ends, so that a fault can forget it.

use crate::runtime::{Label, Lock as _, Runtime, Signal as _};

#[derive(Default)]
struct State {
    readers: usize,
    writer: bool,
}

/// The lock.
pub(crate) struct Gate<R: Runtime> {
    state: R::Mutex<State>,
    given: R::Condvar,
}

impl<R: Runtime> Gate<R> {
    pub(crate) fn new(name: &'static str, n: usize) -> Self {
        Self {
            state: R::Mutex::new(State::default(), Label::nth(name, n)),
            given: R::Condvar::new(Label::nth("given", n)),
        }
    }

    /// Waits until it has the lock, alone or with others who read.
    #[track_caller]
    pub(crate) fn take(&self, alone: bool) {
        let mut state = self.state.lock();
        while state.writer || alone && state.readers > 0 {
            state = R::wait(&self.given, &self.state, state);
        }
        state.writer = alone;
        state.readers += usize::from(!alone);
    }

    /// Gives it back.
    #[track_caller]
    pub(crate) fn give(&self, alone: bool) {
        let mut state = self.state.lock();
        state.writer = false;
        state.readers -= usize::from(!alone);
        drop(state);
        self.given.notify_all();
    }

    /// Waits, as a reader, until it is the only one, and has the lock alone then.
    #[track_caller]
    pub(crate) fn upgrade(&self) {
        let mut state = self.state.lock();
        while state.readers > 1 {
            state = R::wait(&self.given, &self.state, state);
        }
        *state = State { readers: 0, writer: true };
    }
}
