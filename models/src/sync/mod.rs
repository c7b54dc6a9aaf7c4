//! Locks: of a byte, of objects, of containers, of extensions.

mod counter;
pub mod critical;
pub mod extension;
mod handed;
pub mod parking;
pub mod pooled;

pub(crate) use self::counter::Counter;
pub(crate) use self::handed::{HandedLock, Sleeper};
