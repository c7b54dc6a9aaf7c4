//! Locks over the whole interpreter.

pub mod gil;
