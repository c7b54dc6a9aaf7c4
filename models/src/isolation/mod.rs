//! What belongs to one of several interpreters or threads: what they share, hand over, and may call into.

pub mod ensure;
pub mod interpreters;
pub mod ractor;
pub mod region;
