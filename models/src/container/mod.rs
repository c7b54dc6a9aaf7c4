//! Containers with lock-free reads.

pub mod attribute;
pub mod borrowed;
mod calls;
pub mod dict;
mod heap;
pub mod list;
pub mod marked;
pub mod specialized;
pub mod type_cache;
