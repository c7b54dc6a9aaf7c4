//! Containers with lock-free reads.

pub mod attribute;
pub mod borrowed;
mod calls;
pub mod dict;
pub mod ground;
mod heap;
pub mod list;
pub mod marked;
pub mod specialized;
pub mod subscript;
pub mod type_cache;
