//! Threadbare's own model checker for weak memory.
//!
//! [`explore::Explorer`] enumerates *execution graphs* instead of interleavings.

pub mod explore;

pub use explore::{Explorer, Model};
