//! What is about the whole interpreter: its lock, and how it is stopped.

pub mod gil;
pub mod stop;
