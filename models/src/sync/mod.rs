//! Locks: of a byte, of objects, of containers, of extensions.

mod counter;
pub mod critical;
pub mod event;
pub mod extension;
pub mod furtex;
pub mod futex;
mod gate;
mod handed;
mod lot;
pub mod once;
pub mod parking;
pub mod pooled;
pub mod prelocked;
pub mod recursive;
pub mod rwlock;
pub mod seqlock;
pub mod word;

pub(crate) use self::counter::Counter;
pub(crate) use self::gate::Gate;
pub(crate) use self::handed::{HandedLock, Sleeper};
