//! Containers with lock-free reads.

pub mod attribute;
mod calls;
pub mod dict;
mod heap;
pub mod list;
pub mod marked;
