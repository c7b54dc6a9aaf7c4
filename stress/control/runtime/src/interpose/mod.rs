//! libc's side: calls that make threads, let them wait, or answer differently each time.
//!
//! Objects stay real: a lock is tried, and who does not get it waits here until whoever has it lets
//! go, then tries again. So nothing of glibc's objects is modelled, and those made before control
//! began work. Conditions and barriers alone have their waiters here, since waiting is all they do.
//! Each function keeps the contract of the name that it replaces.

mod barrier;
mod condition;
mod futex;
pub mod input;
mod lock;
mod memory;
mod once;
mod random;
mod semaphore;
mod thread;
mod time;
