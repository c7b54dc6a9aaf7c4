//! Fences, and what is called but tells us nothing.

use super::entry;
use crate::control::{Step, holder, step};
use std::sync::atomic::{Ordering, fence};
use threadbare_control::block::Kind;

unsafe extern "C" fn thread_fence(order: i32, pc: usize) {
    let me = holder();
    if !me.is_null() {
        // SAFETY: the caller is the holder.
        unsafe {
            let this = Step {
                order,
                ..Step::call(Kind::Fence, 0, false, pc)
            };
            step(me, &this);
        }
    }
    // The strongest, whatever was asked for: see `atomic`.
    fence(Ordering::SeqCst);
}

unsafe extern "C" fn nothing() {}

entry! {
    __tsan_atomic_thread_fence: "rsi" => thread_fence;
    // Orders the compiler only.
    __tsan_atomic_signal_fence: "rsi" => nothing;
    __tsan_init: "rsi" => nothing;
    __tsan_func_entry: "rsi" => nothing;
    __tsan_func_exit: "rsi" => nothing;
    __tsan_ignore_thread_begin: "rsi" => nothing;
    __tsan_ignore_thread_end: "rsi" => nothing;
}
