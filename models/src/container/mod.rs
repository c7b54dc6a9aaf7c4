//! Containers with lock-free reads.

mod heap;
pub mod list;
pub mod marked;
