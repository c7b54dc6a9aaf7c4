//! The runtime inside a controlled program: behind the compiler's `__tsan_*` calls and in place of
//! libc's threads, locks, clocks and randomness.
//!
//! Exactly one thread, the *holder*, runs at a time; each other one waits for its turn. At a *point*
//! (an access or a call that synchronises) a strategy chooses who is next. Without orders from a
//! driver (see `threadbare_control::block`) every entry passes through to what it replaces.
//!
//! Data flows one way: `abi` and `interpose` say what a thread is about to do, `control` makes
//! it an event (`trace`), asks a `strategy` and lets an `engine` change threads; whoever finds
//! that the run is over asks `verdict`.
//!
//! Rules of this crate: nothing here allocates, takes a lock of std or has a thread-local with a
//! destructor, since any of it would call back into what is replaced; state is one static,
//! touched by the holder only.

// Unit tests leave the C names out, so as not to be controlled themselves: nothing calls the entries.
#![cfg_attr(test, allow(dead_code))]

#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
compile_error!("the control runtime knows x86-64 Linux with glibc only");

mod abi;
mod buffer;
mod control;
mod engine;
mod interpose;
mod real;
mod server;
mod start;
mod strategy;
mod trace;
mod verdict;
mod window;
