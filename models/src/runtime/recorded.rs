//! What the backends of the model checkers share: a step is taken, then recorded with the
//! values it saw.

use super::Label;
use super::trace::{Action, record, record_at};
use crate::verdict::Kind;
use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::panic::Location;

/// The steps of an atomic location, for the `impl Atomic<$t>` of a wrapper with the fields
/// `inner` and `label`. The wrapper's own methods are called around the steps: `reading` and
/// `has_read`, `writing` and `has_written`; `writing` also before an exchange that fails.
macro_rules! steps {
    ($t:ty) => {
        fn load(&self, order: Ordering) -> $t {
            let order = $crate::runtime::weaken::order($crate::runtime::weaken::Role::Load, order);
            self.reading();
            let v = self.inner.load(order);
            self.has_read();
            record(Action::Load(self.label, order, v.show()));
            v
        }
        fn store(&self, value: $t, order: Ordering) {
            let order = $crate::runtime::weaken::order($crate::runtime::weaken::Role::Store, order);
            self.writing();
            self.inner.store(value, order);
            record(Action::Store(self.label, order, value.show()));
            self.has_written();
        }
        fn compare_exchange(
            &self,
            current: $t,
            new: $t,
            ok: Ordering,
            err: Ordering,
        ) -> Result<$t, $t> {
            let ok = $crate::runtime::weaken::order($crate::runtime::weaken::Role::Update, ok);
            let err = $crate::runtime::weaken::order($crate::runtime::weaken::Role::Load, err);
            self.writing();
            let result = self.inner.compare_exchange(current, new, ok, err);
            record(match result {
                Ok(old) => Action::Update(self.label, "cas", ok, old.show(), new.show()),
                Err(found) => Action::Refused(self.label, err, current.show(), found.show()),
            });
            if result.is_ok() {
                self.has_written();
            }
            result
        }
        $crate::runtime::recorded::steps! { $t:
            swap "swap" (old, value) value;
            fetch_add "add" (old, value) old.wrapping_add(value);
            fetch_sub "sub" (old, value) old.wrapping_sub(value);
            fetch_or "or" (old, value) old | value;
            fetch_and "and" (old, value) old & value;
        }
    };
    ($t:ty: $($method:ident $name:literal ($old:ident, $value:ident) $new:expr;)*) => { $(
        fn $method(&self, $value: $t, order: Ordering) -> $t {
            let order = $crate::runtime::weaken::order($crate::runtime::weaken::Role::Update, order);
            self.writing();
            let $old = self.inner.$method($value, order);
            let new: $t = $new;
            record(Action::Update(self.label, $name, order, $old.show(), new.show()));
            self.has_written();
            $old
        }
    )* };
}
pub(super) use steps;

/// Signalling, for the `impl Signal` of a wrapper with the fields `inner` and `label`.
macro_rules! notifies {
    () => {
        fn notify_one(&self) {
            self.inner.notify_one();
            record(Action::Notify(self.label));
        }
        fn notify_all(&self) {
            self.inner.notify_all();
            record(Action::Notify(self.label));
        }
    };
}
pub(super) use notifies;

/// The thread that holds a mutex; a second lock by the same thread is reported by name.
#[derive(Default)]
pub struct Holder(Cell<Option<u8>>);

// SAFETY: used by engines that run all threads of an execution on one OS thread.
unsafe impl Sync for Holder {}
// SAFETY: as above.
unsafe impl Send for Holder {}

impl Holder {
    /// Thread `me` is about to lock.
    #[track_caller]
    pub(super) fn refuse_second(&self, me: u8, label: Label) {
        if self.0.get() == Some(me) {
            record(Action::Lock(label));
            crate::ghost::violation(Kind::Deadlock, || {
                format!("deadlock: {label} is locked by its own holder")
            });
        }
    }
}

/// An engine's guard `G` of a mutex; its end is recorded at the line that locked.
pub struct Guard<'a, G> {
    inner: Option<G>,
    label: Label,
    place: &'static Location<'static>,
    holder: Option<(&'a Holder, u8)>,
    unlocked: fn(),
}

impl<'a, G> Guard<'a, G> {
    /// The mutex has just been locked, by the thread beside `holder`; `unlocked` is called
    /// after the unlock.
    #[track_caller]
    pub(super) fn new(
        inner: G,
        label: Label,
        holder: Option<(&'a Holder, u8)>,
        unlocked: fn(),
    ) -> Self {
        let guard = Self { inner: Some(inner), label, place: Location::caller(), holder, unlocked };
        guard.hold(true);
        record(Action::Lock(label));
        guard
    }

    fn hold(&self, held: bool) {
        if let Some((holder, me)) = self.holder {
            holder.0.set(held.then_some(me));
        }
    }

    /// A wait for a signal of `condvar` begins: the engine's guard, which it takes.
    #[track_caller]
    pub(super) fn release(&mut self, condvar: Label) -> G {
        record(Action::Wait(condvar));
        self.hold(false);
        self.inner.take().expect("guard in use")
    }

    /// The wait has ended, and the mutex is locked again.
    #[track_caller]
    pub(super) fn resume(mut self, inner: G) -> Self {
        self.hold(true);
        record(Action::Lock(self.label));
        self.inner = Some(inner);
        self
    }
}

impl<G: Deref> Deref for Guard<'_, G> {
    type Target = G::Target;
    fn deref(&self) -> &G::Target {
        self.inner.as_ref().expect("guard in use")
    }
}

impl<G: DerefMut> DerefMut for Guard<'_, G> {
    fn deref_mut(&mut self) -> &mut G::Target {
        self.inner.as_mut().expect("guard in use")
    }
}

impl<G> Drop for Guard<'_, G> {
    fn drop(&mut self) {
        if self.inner.is_some() && !std::thread::panicking() {
            self.hold(false);
            record_at(self.place, Action::Unlock(self.label));
            self.inner = None;
            (self.unlocked)();
        }
    }
}
