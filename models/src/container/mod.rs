//! Containers with lock-free reads.

pub mod list;
pub mod marked;
