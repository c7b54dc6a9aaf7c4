//! Containers with lock-free reads.

mod calls;
mod heap;
pub mod list;
pub mod marked;
