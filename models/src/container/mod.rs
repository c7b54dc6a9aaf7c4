//! Containers with lock-free reads.

pub mod list;
