//! The panic hook. Unwinding is how a model execution is abandoned, so panics of engine
//! threads are results, not messages.
//!
//! Shuttle installs a hook of its own once per process, which afterwards labels *every*
//! panic with a stale schedule. It is provoked here first and then replaced for good.

use std::cell::Cell;
use std::sync::Once;

thread_local! {
    static EXPLORING: Cell<bool> = const { Cell::new(false) };
}

/// Installs the hook; any number of calls.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let original = std::panic::take_hook();
        let scheduler = ::shuttle::scheduler::RoundRobinScheduler::new(1);
        ::shuttle::Runner::new(scheduler, super::shuttle::config()).run(|| ());
        let _ = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // A violation on a real thread is caught where that thread is joined.
            if !EXPLORING.get() && !info.payload().is::<crate::verdict::Violation>() {
                original(info);
            }
        }));
    });
}

/// No panic of this OS thread is a message from now on: within [`quietly`], and on threads that
/// a search starts for itself.
pub(super) fn quiet() {
    EXPLORING.set(true);
}

/// Runs `f`, turning a panic into its payload without a message.
pub(super) fn quietly<T>(f: impl FnOnce() -> T) -> Result<T, Box<dyn std::any::Any + Send>> {
    let before = EXPLORING.replace(true);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
    EXPLORING.set(before);
    result
}
