//! Threadbare's own model checker for weak memory.
//!
//! [`explore::Explorer`] enumerates *execution graphs* instead of interleavings.

pub mod catalogue;
pub mod explore;
pub mod hardware;
pub mod lang;

pub use explore::{Explorer, Model};
