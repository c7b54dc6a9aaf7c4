//! What a thread has yet to tell: what is done by ordinary means between two operations, and
//! must be an operation of its own before the next one.

use super::{CodePlace, Fact, SHARED, block, learn, perform};
use crate::explore::program::Wait;
use std::panic::{AssertUnwindSafe, Location as Caller, catch_unwind, resume_unwind};
use std::rc::Rc;

/// Something that a thread has yet to tell.
pub(crate) trait Untold {
    /// Performs what there is to perform; whether there may be more later.
    fn tell(&self) -> bool;
}

/// By thread.
#[derive(Default)]
pub(super) struct Pending {
    untold: Vec<Rc<dyn Untold>>,
    /// Places of the `Arc`s, outermost first, whose content it is dropping while nobody
    /// knows whether it matters who does.
    silent: Vec<CodePlace>,
}

impl Pending {
    /// Whether the thread is in a destructor that performs nothing.
    pub fn is_silent(&self) -> bool {
        !self.silent.is_empty()
    }
}

/// From here on `what` is told before each operation of the running thread, until it says
/// that there is no more.
pub(crate) fn tell_before_operations(what: Rc<dyn Untold>) {
    SHARED.with_borrow_mut(|shared| {
        let thread = shared.thread as usize;
        shared.pending[thread].untold.push(what);
    });
}

/// `what` need not be told any more.
pub(crate) fn withdraw(what: &Rc<dyn Untold>) {
    SHARED.with_borrow_mut(|shared| {
        for pending in &mut shared.pending {
            pending.untold.retain(|other| !Rc::ptr_eq(other, what));
        }
    });
}

/// To be called before anything that the execution depends on.
#[inline]
pub(crate) fn before_operation() {
    let idle = SHARED.with_borrow(|shared| {
        !shared.active || {
            let pending = &shared.pending[shared.thread as usize];
            pending.untold.is_empty() && pending.silent.is_empty()
        }
    });
    if !idle {
        tell();
    }
}

#[cold]
fn tell() {
    give_up_if_silent();
    // Taken out, since telling is an operation too.
    let untold = SHARED.with_borrow_mut(|shared| {
        std::mem::take(&mut shared.pending[shared.thread as usize].untold)
    });
    let more: Vec<_> = untold.into_iter().filter(|what| what.tell()).collect();
    SHARED.with_borrow_mut(|shared| {
        let thread = shared.thread as usize;
        shared.pending[thread].untold.splice(0..0, more);
    });
}

/// A destructor that was taken to be nobody's business turns out to be: the run ends here,
/// and the next search knows it.
#[track_caller]
fn give_up_if_silent() {
    let places = SHARED.with_borrow_mut(|shared| {
        std::mem::take(&mut shared.pending[shared.thread as usize].silent)
    });
    if places.is_empty() {
        return;
    }
    for place in places {
        learn(Fact::Counted(place));
    }
    stop(Caller::caller());
}

/// The run ends here: something has been learnt by which it does not count.
pub(crate) fn stop(caller: &'static Caller<'static>) {
    block(Wait::Assume, 0, caller);
}

/// Whether the running thread is in a destructor that performs nothing.
pub(crate) fn is_silent() -> bool {
    SHARED.with_borrow(|shared| {
        shared.active && !shared.pending[shared.thread as usize].silent.is_empty()
    })
}

/// Drops the content of an `Arc` made at `place`, on the supposition that it does not matter
/// who does it, and when. The run ends if the destructor performs an operation after all; if
/// it panics, the next search is to see in whose hands.
#[track_caller]
pub(crate) fn silently(place: CodePlace, content: impl FnOnce()) {
    let pending = |change: &dyn Fn(&mut Vec<CodePlace>)| {
        SHARED.with_borrow_mut(|shared| {
            let thread = shared.thread as usize;
            change(&mut shared.pending[thread].silent);
        });
    };
    pending(&|silent| silent.push(place));
    let ended = catch_unwind(AssertUnwindSafe(content));
    if let Err(payload) = ended {
        if super::is_over() {
            resume_unwind(payload);
        }
        give_up_if_silent();
    }
    pending(&|silent| {
        silent.pop();
    });
}

/// Ends the running thread with a fault.
pub(crate) fn refuse(message: &str, caller: &'static Caller<'static>) {
    perform(crate::explore::program::Op::Fail(message.into()), caller);
}
